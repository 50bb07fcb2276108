"""The lead, whole: repeats, holding replies, disputes, directions, escalation, enquiries."""

from alembic import op

revision = "0007"
down_revision = "0006"

KINDS = """
    'report-outcome', 'lead-urgent', 'lead-routine', 'located-answer',
    'opened-urgent', 'opened-request', 'opened', 'review-high', 'review-medium', 'review-low',
    'ukmpu'"""
NEW_KINDS = """
    'dispute-urgent', 'dispute-routine', 'direction', 'shift-end', 'enquiry-urgent', 'enquiry'"""

TABLES = f"""
ALTER TABLE lead_request
    ADD request_no integer NOT NULL DEFAULT 1,
    ADD held_until timestamptz,
    ADD held_by_name text,
    ADD CONSTRAINT ck_lead_request_no CHECK (request_no BETWEEN 1 AND 3),
    ADD CONSTRAINT ck_lead_request_held CHECK ((held_until IS NULL) = (held_by_name IS NULL));

ALTER TABLE clock
    ALTER owed_by_unit_id DROP NOT NULL,
    ADD step integer NOT NULL DEFAULT 0,
    ADD escalates_at timestamptz,
    DROP CONSTRAINT ck_clock_kind,
    ADD CONSTRAINT ck_clock_kind CHECK (kind IN ({KINDS}, {NEW_KINDS})),
    ADD CONSTRAINT ck_clock_owed_by CHECK (
        owed_by_unit_id IS NOT NULL OR kind IN ('dispute-urgent', 'dispute-routine')),
    ADD CONSTRAINT ck_clock_step CHECK (step BETWEEN 0 AND 12);
UPDATE clock SET escalates_at = due_at WHERE missed_at IS NULL;
DROP INDEX ix_clock_running;
CREATE INDEX ix_clock_running ON clock (escalates_at)
    WHERE met_at IS NULL AND ended_at IS NULL;

CREATE TABLE escalation (
    clock_id uuid NOT NULL CONSTRAINT fk_escalation_clock_id REFERENCES clock,
    step integer NOT NULL,
    case_id uuid NOT NULL CONSTRAINT fk_escalation_case_id REFERENCES cases,
    rung text NOT NULL,
    unit_id uuid CONSTRAINT fk_escalation_unit_id REFERENCES unit,
    at timestamptz NOT NULL,
    CONSTRAINT pk_escalation PRIMARY KEY (clock_id, at),
    CONSTRAINT ck_escalation_rung CHECK (rung IN (
        'repeat', 'duty-inspector', 'control-room', 'coordinator', 'adjudicator'))
);
CREATE INDEX ix_escalation_case_id ON escalation (case_id, at);
CREATE INDEX ix_escalation_unit_id ON escalation (unit_id, at);

CREATE TABLE dispute (
    id uuid CONSTRAINT pk_dispute PRIMARY KEY,
    episode_id uuid NOT NULL CONSTRAINT fk_dispute_episode_id REFERENCES episode,
    message_id uuid NOT NULL CONSTRAINT uq_dispute_message_id UNIQUE
        CONSTRAINT fk_dispute_message_id REFERENCES message,
    by_unit_id uuid NOT NULL CONSTRAINT fk_dispute_by_unit_id REFERENCES unit,
    other_unit_id uuid NOT NULL CONSTRAINT fk_dispute_other_unit_id REFERENCES unit,
    state text NOT NULL DEFAULT 'open',
    opened_at timestamptz NOT NULL,
    answered_at timestamptz,
    answer_message_id uuid CONSTRAINT fk_dispute_answer_message_id REFERENCES message,
    answered_by_unit_id uuid CONSTRAINT fk_dispute_answered_by_unit_id REFERENCES unit,
    answered_by_name text,
    CONSTRAINT ck_dispute_state CHECK (
        state IN ('open', 'withdrawn', 'accepted', 'directed', 'overtaken')),
    CONSTRAINT ck_dispute_answer CHECK ((state = 'open') = (answered_at IS NULL)),
    CONSTRAINT ck_dispute_other_unit CHECK (by_unit_id <> other_unit_id)
);
CREATE UNIQUE INDEX uq_dispute_episode_id_open ON dispute (episode_id) WHERE state = 'open';

CREATE TABLE direction (
    id uuid CONSTRAINT pk_direction PRIMARY KEY,
    episode_id uuid NOT NULL CONSTRAINT fk_direction_episode_id REFERENCES episode,
    message_id uuid NOT NULL CONSTRAINT uq_direction_message_id UNIQUE
        CONSTRAINT fk_direction_message_id REFERENCES message,
    dispute_id uuid CONSTRAINT fk_direction_dispute_id REFERENCES dispute,
    to_unit_id uuid NOT NULL CONSTRAINT fk_direction_to_unit_id REFERENCES unit,
    adjudicator_organisation_id uuid NOT NULL
        CONSTRAINT fk_direction_adjudicator_organisation_id REFERENCES organisation,
    state text NOT NULL DEFAULT 'open',
    opened_at timestamptz NOT NULL,
    answered_at timestamptz,
    answer_message_id uuid CONSTRAINT fk_direction_answer_message_id REFERENCES message,
    answered_by_unit_id uuid CONSTRAINT fk_direction_answered_by_unit_id REFERENCES unit,
    answered_by_name text,
    CONSTRAINT ck_direction_state CHECK (
        state IN ('open', 'acknowledged', 'kept', 'replaced', 'overtaken')),
    CONSTRAINT ck_direction_answer CHECK ((state = 'open') = (answered_at IS NULL))
);
CREATE UNIQUE INDEX uq_direction_episode_id_open ON direction (episode_id) WHERE state = 'open';

CREATE TABLE information_request (
    id uuid CONSTRAINT pk_information_request PRIMARY KEY,
    case_id uuid NOT NULL CONSTRAINT fk_information_request_case_id REFERENCES cases,
    message_id uuid NOT NULL CONSTRAINT fk_information_request_message_id REFERENCES message,
    from_unit_id uuid NOT NULL CONSTRAINT fk_information_request_from_unit_id REFERENCES unit,
    to_unit_id uuid NOT NULL CONSTRAINT fk_information_request_to_unit_id REFERENCES unit,
    immediate boolean NOT NULL,
    needed_by timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'open',
    opened_at timestamptz NOT NULL,
    answered_at timestamptz,
    answer_message_id uuid CONSTRAINT fk_information_request_answer_message_id REFERENCES message,
    answered_by_unit_id uuid
        CONSTRAINT fk_information_request_answered_by_unit_id REFERENCES unit,
    answered_by_name text,
    CONSTRAINT uq_information_request_message_id_to_unit_id UNIQUE (message_id, to_unit_id),
    CONSTRAINT ck_information_request_state CHECK (
        state IN ('open', 'provided', 'part', 'none-held', 'refused', 'overtaken')),
    CONSTRAINT ck_information_request_answer CHECK ((state = 'open') = (answered_at IS NULL)),
    CONSTRAINT ck_information_request_other_unit CHECK (from_unit_id <> to_unit_id)
);
CREATE INDEX ix_information_request_case_id ON information_request (case_id);
CREATE INDEX ix_information_request_open ON information_request (to_unit_id)
    WHERE state = 'open';

GRANT SELECT, INSERT, UPDATE ON dispute, direction, information_request TO hub_app;
GRANT SELECT, INSERT ON escalation TO hub_app;
"""

RULES = """
-- Rule 3 and section 6: each is answered once.
CREATE TRIGGER dispute_answered_once BEFORE UPDATE ON dispute
    FOR EACH ROW EXECUTE FUNCTION guard_answered();
CREATE TRIGGER direction_answered_once BEFORE UPDATE ON direction
    FOR EACH ROW EXECUTE FUNCTION guard_answered();
CREATE TRIGGER information_request_answered_once BEFORE UPDATE ON information_request
    FOR EACH ROW EXECUTE FUNCTION guard_answered();

-- Rule 1c: the lead comes by a direction to the unit that it names, once that is acknowledged.
-- Rule 1d: or to what took the place of the unit that led, with the same named officer.
CREATE FUNCTION check_tenure_direction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.basis = 'superseded' AND NOT EXISTS (
            WITH RECURSIVE heir AS (
                SELECT u.superseded_by_id AS unit_id FROM tenure t JOIN unit u ON u.id = t.unit_id
                WHERE t.episode_id = NEW.episode_id AND t.number = NEW.number - 1
                    AND u.valid_to IS NOT NULL AND t.officer_name = NEW.officer_name
                UNION
                SELECT u.superseded_by_id FROM heir JOIN unit u ON u.id = heir.unit_id
                WHERE u.valid_to IS NOT NULL
            )
            SELECT FROM heir WHERE unit_id = NEW.unit_id) THEN
        RAISE EXCEPTION 'a lead passes to what took the unit''s place'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_tenure_has_basis';
    END IF;
    IF NEW.basis = 'direction' AND NOT EXISTS (
            SELECT FROM direction d WHERE d.episode_id = NEW.episode_id
                AND d.state = 'acknowledged' AND d.to_unit_id = NEW.unit_id
                AND d.answer_message_id = NEW.message_id) THEN
        RAISE EXCEPTION 'a lead comes by an acknowledged direction'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_tenure_has_basis';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tenure_has_direction AFTER INSERT ON tenure
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_tenure_direction();

-- Section 2: nobody adjudicates a dispute of their own organisation.
CREATE FUNCTION check_adjudicator() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM dispute d JOIN unit u ON u.id IN (d.by_unit_id, d.other_unit_id)
            WHERE d.id = NEW.dispute_id AND u.organisation_id = NEW.adjudicator_organisation_id)
        OR EXISTS (SELECT FROM unit u WHERE u.id = NEW.to_unit_id
            AND u.organisation_id = NEW.adjudicator_organisation_id) THEN
        RAISE EXCEPTION 'nobody adjudicates a dispute of their own organisation'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_direction_adjudicator';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER direction_adjudicator AFTER INSERT ON direction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_adjudicator();

-- An ended episode has nothing open: disputes and directions neither.
CREATE FUNCTION check_nothing_disputed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE of_episode uuid;
BEGIN
    IF TG_TABLE_NAME = 'episode' THEN of_episode := NEW.id; ELSE of_episode := NEW.episode_id; END IF;
    IF EXISTS (SELECT FROM episode e WHERE e.id = of_episode AND e.ended_at IS NOT NULL AND (
            EXISTS (SELECT FROM dispute d WHERE d.episode_id = e.id AND d.state = 'open')
            OR EXISTS (SELECT FROM direction d WHERE d.episode_id = e.id AND d.state = 'open'))) THEN
        RAISE EXCEPTION 'an ended episode has nothing open'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_episode_nothing_open';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER episode_nothing_disputed AFTER UPDATE ON episode
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_nothing_disputed();
CREATE CONSTRAINT TRIGGER dispute_of_open_episode AFTER INSERT ON dispute
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_nothing_disputed();
CREATE CONSTRAINT TRIGGER direction_of_open_episode AFTER INSERT ON direction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_nothing_disputed();
"""

DOWNGRADE = f"""
DROP TRIGGER episode_nothing_disputed ON episode;
DROP TRIGGER tenure_has_direction ON tenure;
DROP TABLE escalation, information_request, direction, dispute;
DROP FUNCTION check_tenure_direction, check_adjudicator, check_nothing_disputed;
DELETE FROM clock WHERE kind IN ({NEW_KINDS});
DROP INDEX ix_clock_running;
ALTER TABLE clock
    DROP CONSTRAINT ck_clock_kind,
    DROP CONSTRAINT ck_clock_owed_by,
    DROP CONSTRAINT ck_clock_step,
    ADD CONSTRAINT ck_clock_kind CHECK (kind IN ({KINDS})),
    DROP step, DROP escalates_at,
    ALTER owed_by_unit_id SET NOT NULL;
CREATE INDEX ix_clock_running ON clock (due_at)
    WHERE met_at IS NULL AND ended_at IS NULL AND missed_at IS NULL;
ALTER TABLE lead_request DROP request_no, DROP held_until, DROP held_by_name;
"""


def upgrade() -> None:
    """Make tables, columns and rules."""
    op.execute(TABLES)
    op.execute(RULES)


def downgrade() -> None:
    """Drop them; a lead that came by a direction stays where it is."""
    op.execute(DOWNGRADE)
