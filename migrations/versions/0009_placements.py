"""Placements, the plans agreed for them, and the lead that comes by a plan (DOMAIN.md 4.1b)."""

from alembic import op

revision = "0009"
down_revision = "0008"

KINDS = """
    'report-outcome', 'lead-urgent', 'lead-routine', 'located-answer',
    'opened-urgent', 'opened-request', 'opened', 'review-high', 'review-medium', 'review-low',
    'ukmpu', 'dispute-urgent', 'dispute-routine', 'direction', 'shift-end', 'enquiry-urgent',
    'enquiry'"""
NEW_KINDS = "'plan-reply', 'plan-review'"

TABLES = f"""
ALTER TABLE clock
    DROP CONSTRAINT ck_clock_kind,
    ADD CONSTRAINT ck_clock_kind CHECK (kind IN ({KINDS}, {NEW_KINDS}));

ALTER TABLE lead_request
    ADD basis text NOT NULL DEFAULT 'accepted',
    ADD CONSTRAINT ck_lead_request_basis CHECK (basis IN ('accepted', 'agreed-plan'));

CREATE TABLE placement (
    id uuid CONSTRAINT pk_placement PRIMARY KEY,
    case_id uuid NOT NULL CONSTRAINT fk_placement_case_id REFERENCES cases,
    message_id uuid NOT NULL CONSTRAINT uq_placement_message_id UNIQUE
        CONSTRAINT fk_placement_message_id REFERENCES message,
    state text NOT NULL DEFAULT 'current',
    starts_on date NOT NULL,
    ends_on date,
    destination_unit_id uuid NOT NULL
        CONSTRAINT fk_placement_destination_unit_id REFERENCES unit,
    host_unit_id uuid CONSTRAINT fk_placement_host_unit_id REFERENCES unit,
    emergency boolean NOT NULL,
    at_a_distance boolean NOT NULL,
    working_days_late integer NOT NULL,
    end_message_id uuid CONSTRAINT fk_placement_end_message_id REFERENCES message,
    CONSTRAINT uq_placement_id_case_id UNIQUE (id, case_id),
    CONSTRAINT ck_placement_state CHECK (state IN ('current', 'ended')),
    CONSTRAINT ck_placement_ended CHECK (state = 'current' OR end_message_id IS NOT NULL),
    CONSTRAINT ck_placement_dates CHECK (ends_on IS NULL OR ends_on >= starts_on),
    CONSTRAINT ck_placement_late CHECK (working_days_late >= 0)
);
CREATE UNIQUE INDEX uq_placement_case_id_current ON placement (case_id) WHERE state = 'current';
CREATE INDEX ix_placement_case_id ON placement (case_id);

CREATE TABLE plan (
    id uuid CONSTRAINT pk_plan PRIMARY KEY,
    case_id uuid NOT NULL CONSTRAINT fk_plan_case_id REFERENCES cases,
    placement_id uuid NOT NULL,
    version integer NOT NULL,
    message_id uuid NOT NULL CONSTRAINT uq_plan_message_id UNIQUE
        CONSTRAINT fk_plan_message_id REFERENCES message,
    proposed_by_unit_id uuid NOT NULL CONSTRAINT fk_plan_proposed_by_unit_id REFERENCES unit,
    other_unit_id uuid NOT NULL CONSTRAINT fk_plan_other_unit_id REFERENCES unit,
    lead_unit_id uuid NOT NULL CONSTRAINT fk_plan_lead_unit_id REFERENCES unit,
    review_on date NOT NULL,
    state text NOT NULL DEFAULT 'proposed',
    opened_at timestamptz NOT NULL,
    answered_at timestamptz,
    answer_message_id uuid CONSTRAINT fk_plan_answer_message_id REFERENCES message,
    answered_by_unit_id uuid CONSTRAINT fk_plan_answered_by_unit_id REFERENCES unit,
    answered_by_name text,
    CONSTRAINT fk_plan_placement_id_case_id
        FOREIGN KEY (placement_id, case_id) REFERENCES placement (id, case_id),
    CONSTRAINT uq_plan_case_id_version UNIQUE (case_id, version),
    CONSTRAINT ck_plan_version CHECK (version > 0),
    CONSTRAINT ck_plan_state CHECK (
        state IN ('proposed', 'agreed', 'amended', 'declined', 'superseded', 'overtaken')),
    CONSTRAINT ck_plan_answer CHECK (
        (state = 'proposed') = (answered_at IS NULL)
        AND (state = 'proposed' OR answer_message_id IS NOT NULL)),
    CONSTRAINT ck_plan_other_unit CHECK (proposed_by_unit_id <> other_unit_id),
    CONSTRAINT ck_plan_lead_is_a_side CHECK (lead_unit_id IN (proposed_by_unit_id, other_unit_id))
);
CREATE UNIQUE INDEX uq_plan_case_id_proposed ON plan (case_id) WHERE state = 'proposed';
CREATE UNIQUE INDEX uq_plan_case_id_agreed ON plan (case_id) WHERE state = 'agreed';

GRANT SELECT, INSERT ON placement, plan TO hub_app;
GRANT UPDATE (state, ends_on, end_message_id) ON placement TO hub_app;
GRANT UPDATE (state, answered_at, answer_message_id, answered_by_unit_id, answered_by_name)
    ON plan TO hub_app;
"""

RULES = """
-- A placement that has ended is history.
CREATE FUNCTION guard_placement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'current' OR (NEW.case_id, NEW.message_id, NEW.starts_on,
            NEW.destination_unit_id, NEW.host_unit_id, NEW.working_days_late)
        IS DISTINCT FROM (OLD.case_id, OLD.message_id, OLD.starts_on,
            OLD.destination_unit_id, OLD.host_unit_id, OLD.working_days_late) THEN
        RAISE EXCEPTION 'a placement that has ended is history'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_placement_history';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER placement_history BEFORE UPDATE ON placement
    FOR EACH ROW EXECUTE FUNCTION guard_placement();

-- A version is answered once; an agreed one gives way to the next that is agreed, and no other.
CREATE FUNCTION guard_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
            ('proposed', 'agreed'), ('proposed', 'amended'), ('proposed', 'declined'),
            ('proposed', 'overtaken'), ('agreed', 'superseded')) THEN
        RAISE EXCEPTION 'a plan does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_plan_way';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER plan_way BEFORE UPDATE ON plan FOR EACH ROW EXECUTE FUNCTION guard_plan();

-- Agreed by the other side, by its plan-reply.
CREATE FUNCTION check_plan_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'agreed' AND NOT EXISTS (
            SELECT FROM message m WHERE m.id = NEW.answer_message_id AND m.type = 'plan-reply'
                AND m.in_reply_to = NEW.message_id AND m.sender_unit_id = NEW.answered_by_unit_id
                AND m.sender_unit_id <> NEW.proposed_by_unit_id) THEN
        RAISE EXCEPTION 'a plan is agreed by the other side'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_plan_agreed_by_the_other';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER plan_agreed AFTER INSERT OR UPDATE ON plan
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_plan_agreed();

-- Rule 1b: the hub asks for a plan that is in force, in its own name, the unit that the plan names
-- or what took that one's place.
CREATE FUNCTION check_request_basis() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE today date := (NEW.opened_at AT TIME ZONE 'Europe/London')::date;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.basis <> OLD.basis THEN
            RAISE EXCEPTION 'a request keeps its basis'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_lead_request_plan';
        END IF;
        RETURN NULL;
    END IF;
    IF NEW.basis = 'agreed-plan' AND NOT EXISTS (
            WITH RECURSIVE named AS (
                SELECT p.lead_unit_id AS unit_id
                FROM episode e JOIN plan p ON p.case_id = e.case_id AND p.state = 'agreed'
                JOIN placement l ON l.id = p.placement_id AND l.state = 'current'
                    AND (l.end_message_id IS NULL OR l.ends_on >= today)
                WHERE e.id = NEW.episode_id AND p.review_on >= today
                UNION
                SELECT u.superseded_by_id FROM named JOIN unit u ON u.id = named.unit_id
                WHERE u.valid_to IS NOT NULL
            )
            SELECT FROM named JOIN message m ON m.id = NEW.message_id
            WHERE named.unit_id = NEW.to_unit_id AND m.sender_kind = 'system') THEN
        RAISE EXCEPTION 'the hub asks for a plan that is in force'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_lead_request_plan';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER lead_request_has_plan AFTER INSERT OR UPDATE OF basis ON lead_request
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_request_basis();

-- The lead comes by a plan when the unit that it names accepts that request, and no other way.
CREATE FUNCTION check_tenure_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.basis IN ('accepted', 'agreed-plan') AND NOT EXISTS (
            SELECT FROM lead_request r WHERE r.episode_id = NEW.episode_id
                AND r.state = 'accepted' AND r.basis = NEW.basis
                AND r.to_unit_id = NEW.unit_id AND r.answer_message_id = NEW.message_id) THEN
        RAISE EXCEPTION 'a lead comes by a plan when the unit that it names accepts'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_tenure_has_basis';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tenure_has_plan AFTER INSERT ON tenure
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_tenure_plan();
"""

DOWNGRADE = f"""
DROP TRIGGER tenure_has_plan ON tenure;
DROP TRIGGER lead_request_has_plan ON lead_request;
DROP TABLE plan, placement;
DROP FUNCTION guard_placement, guard_plan, check_plan_agreed, check_request_basis,
    check_tenure_plan;
ALTER TABLE lead_request DROP basis;
DELETE FROM escalation WHERE clock_id IN (SELECT id FROM clock WHERE kind IN ({NEW_KINDS}));
DELETE FROM clock WHERE kind IN ({NEW_KINDS});
ALTER TABLE clock
    DROP CONSTRAINT ck_clock_kind,
    ADD CONSTRAINT ck_clock_kind CHECK (kind IN ({KINDS}));
"""


def upgrade() -> None:
    """Make tables, columns and rules."""
    op.execute(TABLES)
    op.execute(RULES)


def downgrade() -> None:
    """Drop them; a lead that came by a plan stays where it is."""
    op.execute(DOWNGRADE)
