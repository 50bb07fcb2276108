"""Strategy meetings: invitations, replies by person, records, and actions that run as clocks."""

from alembic import op

revision = "0012"
down_revision = "0011"

NEW_KINDS = "'meeting-reply', 'meeting-reply-urgent', 'meeting-record', 'meeting-action'"

# What kinds of clock there are is read from the constraint: other migrations add kinds too.
KINDS = """
DO $$
DECLARE kinds text;
BEGIN
    SELECT string_agg(quote_literal(kind), ', ') INTO kinds FROM (
        SELECT (regexp_matches(pg_get_constraintdef(oid), '''([a-z0-9-]+)''', 'g'))[1] AS kind
        FROM pg_constraint WHERE conname = 'ck_clock_kind'
        {change}
    ) known;
    EXECUTE 'ALTER TABLE clock DROP CONSTRAINT ck_clock_kind,'
        ' ADD CONSTRAINT ck_clock_kind CHECK (kind IN (' || kinds || '))';
END $$;
"""
MORE_KINDS = KINDS.format(change=f"UNION SELECT unnest(ARRAY[{NEW_KINDS}])")
FEWER_KINDS = KINDS.format(change=f"EXCEPT SELECT unnest(ARRAY[{NEW_KINDS}])")

TABLES = """
CREATE TABLE meeting (
    id uuid CONSTRAINT pk_meeting PRIMARY KEY,
    case_id uuid NOT NULL CONSTRAINT fk_meeting_case_id REFERENCES cases,
    convenor_unit_id uuid NOT NULL CONSTRAINT fk_meeting_convenor_unit_id REFERENCES unit,
    state text NOT NULL DEFAULT 'called',
    sequence integer NOT NULL DEFAULT 0,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    record_message_id uuid,
    CONSTRAINT uq_meeting_id_case_id UNIQUE (id, case_id),
    CONSTRAINT fk_meeting_record_message_id
        FOREIGN KEY (record_message_id, case_id) REFERENCES message (id, case_id),
    CONSTRAINT ck_meeting_state CHECK (state IN ('called', 'cancelled', 'recorded')),
    CONSTRAINT ck_meeting_record CHECK ((state = 'recorded') = (record_message_id IS NOT NULL)),
    CONSTRAINT ck_meeting_dates CHECK (ends_at > starts_at)
);
CREATE INDEX ix_meeting_case_id ON meeting (case_id);
CREATE INDEX ix_meeting_starts_at ON meeting (starts_at);

CREATE TABLE meeting_invitation (
    message_id uuid CONSTRAINT pk_meeting_invitation PRIMARY KEY,
    meeting_id uuid NOT NULL,
    case_id uuid NOT NULL,
    sequence integer NOT NULL,
    act text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    CONSTRAINT fk_meeting_invitation_message_id_case_id
        FOREIGN KEY (message_id, case_id) REFERENCES message (id, case_id),
    CONSTRAINT fk_meeting_invitation_meeting_id_case_id
        FOREIGN KEY (meeting_id, case_id) REFERENCES meeting (id, case_id),
    CONSTRAINT uq_meeting_invitation_meeting_id_sequence UNIQUE (meeting_id, sequence),
    CONSTRAINT ck_meeting_invitation_act CHECK (act IN ('new', 'change', 'cancel')),
    CONSTRAINT ck_meeting_invitation_first CHECK ((act = 'new') = (sequence = 0))
);

CREATE TABLE meeting_attendee (
    id uuid CONSTRAINT pk_meeting_attendee PRIMARY KEY,
    meeting_id uuid NOT NULL CONSTRAINT fk_meeting_attendee_meeting_id REFERENCES meeting,
    unit_id uuid NOT NULL CONSTRAINT fk_meeting_attendee_unit_id REFERENCES unit,
    role text NOT NULL,
    asked_at timestamptz NOT NULL,
    dropped_at timestamptz,
    CONSTRAINT uq_meeting_attendee_meeting_id_unit_id UNIQUE (meeting_id, unit_id),
    CONSTRAINT ck_meeting_attendee_role CHECK (role IN (
        'home-police', 'destination-police', 'responsible-authority', 'host-authority', 'health',
        'education', 'carer', 'other', 'convenor'))
);
CREATE INDEX ix_meeting_attendee_unit_id ON meeting_attendee (unit_id);

CREATE TABLE meeting_reply (
    id uuid CONSTRAINT pk_meeting_reply PRIMARY KEY,
    meeting_id uuid NOT NULL,
    case_id uuid NOT NULL,
    unit_id uuid NOT NULL,
    message_id uuid NOT NULL,
    person_name text NOT NULL,
    attendance text NOT NULL,
    replied_at timestamptz NOT NULL,
    superseded_at timestamptz,
    CONSTRAINT fk_meeting_reply_meeting_id_case_id
        FOREIGN KEY (meeting_id, case_id) REFERENCES meeting (id, case_id),
    CONSTRAINT fk_meeting_reply_meeting_id_unit_id
        FOREIGN KEY (meeting_id, unit_id) REFERENCES meeting_attendee (meeting_id, unit_id)
        ON UPDATE CASCADE,
    CONSTRAINT fk_meeting_reply_message_id_case_id
        FOREIGN KEY (message_id, case_id) REFERENCES message (id, case_id),
    CONSTRAINT ck_meeting_reply_attendance CHECK (
        attendance IN ('attending', 'deputy', 'report-only', 'declined')),
    CONSTRAINT ck_meeting_reply_person CHECK (length(person_name) BETWEEN 1 AND 200)
);
CREATE UNIQUE INDEX uq_meeting_reply_latest ON meeting_reply (meeting_id, unit_id, lower(person_name))
    WHERE superseded_at IS NULL;

CREATE TABLE meeting_attendance (
    meeting_id uuid NOT NULL,
    unit_id uuid NOT NULL,
    person_name text NOT NULL,
    attended boolean NOT NULL,
    CONSTRAINT pk_meeting_attendance PRIMARY KEY (meeting_id, unit_id, person_name),
    CONSTRAINT fk_meeting_attendance_meeting_id_unit_id
        FOREIGN KEY (meeting_id, unit_id) REFERENCES meeting_attendee (meeting_id, unit_id)
        ON UPDATE CASCADE
);

CREATE TABLE action (
    id uuid CONSTRAINT pk_action PRIMARY KEY,
    case_id uuid NOT NULL,
    message_id uuid NOT NULL,
    number integer NOT NULL,
    owner_unit_id uuid NOT NULL CONSTRAINT fk_action_owner_unit_id REFERENCES unit,
    of_lead boolean NOT NULL,
    due_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'open',
    opened_at timestamptz NOT NULL,
    answered_at timestamptz,
    answer_message_id uuid,
    answered_by_unit_id uuid CONSTRAINT fk_action_answered_by_unit_id REFERENCES unit,
    answered_by_name text,
    CONSTRAINT fk_action_message_id_case_id
        FOREIGN KEY (message_id, case_id) REFERENCES message (id, case_id),
    CONSTRAINT fk_action_answer_message_id_case_id
        FOREIGN KEY (answer_message_id, case_id) REFERENCES message (id, case_id),
    CONSTRAINT uq_action_message_id_number UNIQUE (message_id, number),
    CONSTRAINT ck_action_state CHECK (state IN ('open', 'done', 'overtaken')),
    CONSTRAINT ck_action_answer CHECK (
        (state = 'open') = (answered_at IS NULL)
        AND (state <> 'done' OR answer_message_id IS NOT NULL))
);
CREATE INDEX ix_action_open ON action (case_id) WHERE state = 'open';
CREATE INDEX ix_action_owner_unit_id_open ON action (owner_unit_id) WHERE state = 'open';

-- One record may give a unit several actions, each with a clock of its own.
ALTER TABLE clock
    ADD action_id uuid CONSTRAINT fk_clock_action_id REFERENCES action,
    ADD CONSTRAINT ck_clock_action CHECK ((kind = 'meeting-action') = (action_id IS NOT NULL)),
    DROP CONSTRAINT uq_clock_message_id_kind_owed_by;
CREATE UNIQUE INDEX uq_clock_message_id_kind_owed_by ON clock (
    message_id, kind, owed_by_unit_id, coalesce(action_id, '00000000-0000-0000-0000-000000000000'));

GRANT SELECT, INSERT, UPDATE ON meeting, meeting_attendee, action TO hub_app;
GRANT SELECT, INSERT ON meeting_invitation, meeting_reply, meeting_attendance TO hub_app;
GRANT UPDATE (superseded_at) ON meeting_reply TO hub_app;
"""

RULES = """
-- An action is met once; what was cancelled or recorded stays so.
CREATE TRIGGER action_answered_once BEFORE UPDATE ON action
    FOR EACH ROW EXECUTE FUNCTION guard_answered();

CREATE FUNCTION guard_meeting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'called' OR (NEW.id, NEW.case_id, NEW.opened_at)
            IS DISTINCT FROM (OLD.id, OLD.case_id, OLD.opened_at)
        OR NEW.sequence < OLD.sequence THEN
        RAISE EXCEPTION 'a meeting is over once it is recorded or cancelled'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_meeting_over';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER meeting_over BEFORE UPDATE ON meeting FOR EACH ROW EXECUTE FUNCTION guard_meeting();

-- A reply is history once a later one stands, and none comes after the start.
CREATE FUNCTION guard_meeting_reply() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (SELECT FROM meeting m WHERE m.id = NEW.meeting_id AND m.state = 'called'
                AND NEW.replied_at < m.starts_at) THEN
            RAISE EXCEPTION 'a meeting that has started takes no reply'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_meeting_reply_before_start';
        END IF;
    ELSIF OLD.superseded_at IS NOT NULL AND NEW.superseded_at IS DISTINCT FROM OLD.superseded_at
        OR NEW.replied_at IS DISTINCT FROM OLD.replied_at THEN
        RAISE EXCEPTION 'replies are history'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_meeting_reply_history';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER meeting_reply_guard BEFORE INSERT OR UPDATE ON meeting_reply
    FOR EACH ROW EXECUTE FUNCTION guard_meeting_reply();

CREATE TRIGGER meeting_invitation_immutable BEFORE UPDATE OR DELETE ON meeting_invitation
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""

DOWNGRADE = f"""
DELETE FROM escalation WHERE clock_id IN (SELECT id FROM clock WHERE kind IN ({NEW_KINDS}));
DELETE FROM clock WHERE kind IN ({NEW_KINDS});
DROP INDEX uq_clock_message_id_kind_owed_by;
ALTER TABLE clock DROP CONSTRAINT ck_clock_action, DROP action_id,
    ADD CONSTRAINT uq_clock_message_id_kind_owed_by UNIQUE (message_id, kind, owed_by_unit_id);
DROP TABLE action, meeting_attendance, meeting_reply, meeting_attendee, meeting_invitation, meeting;
DROP FUNCTION guard_meeting, guard_meeting_reply;
"""


def upgrade() -> None:
    """Make tables and rules, and add kinds of clock."""
    op.execute(MORE_KINDS)
    op.execute(TABLES)
    op.execute(RULES)


def downgrade() -> None:
    """Drop them; the messages stay."""
    op.execute(DOWNGRADE)
    op.execute(FEWER_KINDS)
