"""The named officers of a lead who have handed over to another, each from when until when."""

from alembic import op

revision = "0020"
down_revision = "0019"

UPGRADE = """
CREATE TABLE officer_before (
    tenure_id uuid NOT NULL CONSTRAINT fk_officer_before_tenure_id REFERENCES tenure,
    number integer NOT NULL,
    officer_name text,
    officer_rank text,
    officer_collar text,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    message_id uuid NOT NULL CONSTRAINT uq_officer_before_message_id UNIQUE
        CONSTRAINT fk_officer_before_message_id REFERENCES message,
    CONSTRAINT pk_officer_before PRIMARY KEY (tenure_id, number),
    CONSTRAINT ck_officer_before_name CHECK (length(officer_name) BETWEEN 1 AND 200),
    CONSTRAINT ck_officer_before_dates CHECK (until >= since)
);
GRANT SELECT, INSERT ON officer_before TO hub_app;

-- Until now a handover wrote over the officer before. When each was is on record; who it was is in
-- messages that are encrypted, and stays without a name here.
INSERT INTO officer_before (tenure_id, number, since, until, message_id)
SELECT t.id, row_number() OVER one, coalesce(lag(m.sent_at) OVER one, t.since), m.sent_at, m.id
FROM message m CROSS JOIN LATERAL (
    SELECT t.id, t.since FROM tenure t JOIN episode e ON e.id = t.episode_id
    WHERE e.case_id = m.case_id AND t.unit_id = m.sender_unit_id AND t.since <= m.sent_at
    ORDER BY t.since DESC, e.number DESC, t.number DESC LIMIT 1) t
WHERE m.type = 'officer-handover'
WINDOW one AS (PARTITION BY t.id ORDER BY m.number);

-- Section 6, shift end: whoever hands over led until that moment, and comes after the one before.
CREATE FUNCTION check_officer_before() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE latest officer_before;
BEGIN
    SELECT * INTO latest FROM officer_before
    WHERE tenure_id = NEW.tenure_id ORDER BY number DESC LIMIT 1;
    IF NOT EXISTS (
            SELECT FROM tenure t JOIN episode e ON e.id = t.episode_id
            JOIN message m ON m.id = NEW.message_id AND m.case_id = e.case_id
            WHERE t.id = NEW.tenure_id AND t.until IS NULL
                AND (NEW.officer_name, NEW.officer_rank, NEW.officer_collar)
                    IS NOT DISTINCT FROM (t.officer_name, t.officer_rank, t.officer_collar)
                AND NEW.number = coalesce(latest.number, 0) + 1
                AND NEW.since = coalesce(latest.until, t.since)
                AND m.type = 'officer-handover' AND NEW.until = m.sent_at) THEN
        RAISE EXCEPTION 'an officer leads until they hand over'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_officer_before_in_order';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER officer_before_in_order BEFORE INSERT ON officer_before
    FOR EACH ROW EXECUTE FUNCTION check_officer_before();
CREATE TRIGGER officer_before_immutable BEFORE UPDATE OR DELETE ON officer_before
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION guard_officer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE latest officer_before;
BEGIN
    SELECT * INTO latest FROM officer_before
    WHERE tenure_id = OLD.id ORDER BY number DESC LIMIT 1;
    IF NEW.until < latest.until
        OR ((NEW.officer_name, NEW.officer_rank, NEW.officer_collar)
                IS DISTINCT FROM (OLD.officer_name, OLD.officer_rank, OLD.officer_collar)
            AND (latest.officer_name, latest.officer_rank, latest.officer_collar)
                IS DISTINCT FROM (OLD.officer_name, OLD.officer_rank, OLD.officer_collar)) THEN
        RAISE EXCEPTION 'the officer before stays on record'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_tenure_officers';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tenure_officers BEFORE UPDATE ON tenure
    FOR EACH ROW EXECUTE FUNCTION guard_officer();
"""

DOWNGRADE = """
DROP TRIGGER tenure_officers ON tenure;
DROP TABLE officer_before;
DROP FUNCTION check_officer_before, guard_officer;
"""


def upgrade() -> None:
    """Make the table with the handovers there were, and its rules."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them; who led before is in the handovers' messages alone again."""
    op.execute(DOWNGRADE)
