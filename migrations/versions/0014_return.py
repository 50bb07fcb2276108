"""The return: interviews that are owed of each episode, closing and reopening, a supervisor asked."""

from alembic import op

revision = "0014"
down_revision = "0013"

KINDS = "'prevention-interview', 'rhi', 'supervisor-decision'"

# Whatever kinds there are by then stay: these are put beside them.
MORE_KINDS = """
DO $$
DECLARE rule text;
BEGIN
    SELECT pg_get_constraintdef(oid) INTO rule FROM pg_constraint WHERE conname = 'ck_clock_kind';
    rule := replace(rule, 'ARRAY[',
        'ARRAY[''prevention-interview''::text, ''rhi''::text, ''supervisor-decision''::text, ');
    EXECUTE 'ALTER TABLE clock DROP CONSTRAINT ck_clock_kind, ADD CONSTRAINT ck_clock_kind ' || rule;
END $$;
"""
FEWER_KINDS = """
DO $$
DECLARE rule text;
BEGIN
    SELECT pg_get_constraintdef(oid) INTO rule FROM pg_constraint WHERE conname = 'ck_clock_kind';
    rule := replace(rule,
        '''prevention-interview''::text, ''rhi''::text, ''supervisor-decision''::text, ', '');
    EXECUTE 'ALTER TABLE clock DROP CONSTRAINT ck_clock_kind, ADD CONSTRAINT ck_clock_kind ' || rule;
END $$;
"""

TABLES = """
ALTER TABLE episode ADD found_dead boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT ck_episode_found_dead CHECK (NOT found_dead OR end_reason = 'located');
ALTER TABLE located_claim ADD found_dead boolean NOT NULL DEFAULT false;

CREATE TABLE interview (
    id uuid CONSTRAINT pk_interview PRIMARY KEY,
    episode_id uuid NOT NULL CONSTRAINT fk_interview_episode_id REFERENCES episode,
    kind text NOT NULL,
    owed_by_unit_id uuid NOT NULL CONSTRAINT fk_interview_owed_by_unit_id REFERENCES unit,
    opened_by_message_id uuid NOT NULL
        CONSTRAINT fk_interview_opened_by_message_id REFERENCES message,
    opened_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'owed',
    record_message_id uuid CONSTRAINT uq_interview_record_message_id UNIQUE
        CONSTRAINT fk_interview_record_message_id REFERENCES message,
    settled_at timestamptz,
    CONSTRAINT uq_interview_episode_id_kind UNIQUE (episode_id, kind),
    CONSTRAINT ck_interview_kind CHECK (kind IN ('prevention', 'rhi')),
    CONSTRAINT ck_interview_state CHECK (state IN ('owed', 'recorded', 'not-done')),
    CONSTRAINT ck_interview_record CHECK (
        (state = 'owed') = (record_message_id IS NULL)
        AND (state = 'owed') = (settled_at IS NULL))
);
CREATE INDEX ix_interview_owed ON interview (owed_by_unit_id) WHERE state = 'owed';
CREATE UNIQUE INDEX uq_clock_supervisor_decision_open ON clock (case_id)
    WHERE kind = 'supervisor-decision' AND met_at IS NULL AND ended_at IS NULL;

GRANT SELECT, INSERT, UPDATE ON interview TO hub_app;
"""

RULES = """
-- Section 6: a child who was located is owed both interviews; one found dead, or an episode that
-- ended otherwise, none.
CREATE FUNCTION check_interviews() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_episode uuid;
    wanted integer;
    there integer;
BEGIN
    IF TG_TABLE_NAME = 'episode' THEN of_episode := NEW.id; ELSE of_episode := NEW.episode_id; END IF;
    SELECT CASE WHEN e.end_reason = 'located' AND NOT e.found_dead THEN 2 ELSE 0 END,
        (SELECT count(*) FROM interview i WHERE i.episode_id = e.id)
    INTO wanted, there FROM episode e WHERE e.id = of_episode;
    IF wanted <> there THEN
        RAISE EXCEPTION 'a return starts both interviews, and nothing else does'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_interview_of_return';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER episode_interviews AFTER UPDATE OF ended_at ON episode
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_interviews();
CREATE CONSTRAINT TRIGGER interview_of_return AFTER INSERT ON interview
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_interviews();

-- An interview is settled once, by a record of it or of why not; a correction refers to the last.
CREATE FUNCTION guard_interview() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.episode_id, NEW.kind, NEW.opened_by_message_id, NEW.opened_at)
            IS DISTINCT FROM (OLD.episode_id, OLD.kind, OLD.opened_by_message_id, OLD.opened_at)
        OR (OLD.state <> 'owed' AND NEW.owed_by_unit_id <> OLD.owed_by_unit_id)
        OR (OLD.state <> 'owed' AND NOT EXISTS (
            SELECT FROM message m WHERE m.id = NEW.record_message_id
                AND m.in_reply_to = OLD.record_message_id))
        OR (NEW.state <> 'owed' AND NOT EXISTS (
            SELECT FROM message m JOIN episode e ON e.case_id = m.case_id
            WHERE m.id = NEW.record_message_id AND m.type = 'interview-record'
                AND e.id = NEW.episode_id)) THEN
        RAISE EXCEPTION 'an interview is recorded once'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_interview_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER interview_once BEFORE UPDATE ON interview
    FOR EACH ROW EXECUTE FUNCTION guard_interview();
CREATE FUNCTION guard_interview_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'owed' THEN
        RAISE EXCEPTION 'an interview is owed before it is recorded'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_interview_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER interview_new BEFORE INSERT ON interview
    FOR EACH ROW EXECUTE FUNCTION guard_interview_new();

-- A case closes when every interview of it is settled, and opens again by a message that says so.
CREATE FUNCTION guard_closing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.closed_at IS NOT DISTINCT FROM OLD.closed_at THEN
        RETURN NEW;
    END IF;
    IF NEW.closed_at IS NOT NULL AND NEW.joined_into_id IS NULL AND EXISTS (
            SELECT FROM interview i JOIN episode e ON e.id = i.episode_id
            WHERE e.case_id = NEW.id AND i.state = 'owed') THEN
        RAISE EXCEPTION 'an interview has neither a record nor a reason'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cases_statutory';
    END IF;
    IF OLD.closed_at IS NOT NULL AND (NEW.closed_at IS NOT NULL OR NOT EXISTS (
            SELECT FROM message m WHERE m.case_id = NEW.id AND m.type = 'reopen'
                AND m.number = NEW.last_message_no AND m.sent_at >= OLD.closed_at)) THEN
        RAISE EXCEPTION 'a case is reopened by a message'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cases_reopened';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cases_closing BEFORE UPDATE OF closed_at ON cases
    FOR EACH ROW EXECUTE FUNCTION guard_closing();
"""

DOWNGRADE = f"""
DROP TRIGGER cases_closing ON cases;
DROP TRIGGER episode_interviews ON episode;
DROP TABLE interview;
DROP FUNCTION check_interviews, guard_interview, guard_interview_new, guard_closing;
DROP INDEX uq_clock_supervisor_decision_open;
DELETE FROM escalation WHERE clock_id IN (SELECT id FROM clock WHERE kind IN ({KINDS}));
DELETE FROM clock WHERE kind IN ({KINDS});
DELETE FROM clock_setting WHERE kind IN ({KINDS});
ALTER TABLE located_claim DROP found_dead;
ALTER TABLE episode DROP CONSTRAINT ck_episode_found_dead, DROP found_dead;
"""


def upgrade() -> None:
    """Make the table and its rules; episodes that ended before owe no interview on the hub."""
    op.execute(MORE_KINDS)
    op.execute(TABLES)
    op.execute(RULES)


def downgrade() -> None:
    """Drop them; what was recorded stays in the conversation."""
    op.execute(DOWNGRADE)
    op.execute(FEWER_KINDS)
