"""A case closes when no interview of it is owed, nor of the cases that were joined to it."""

from alembic import op

revision = "0023"
down_revision = "0022"

GUARD = """
CREATE OR REPLACE FUNCTION guard_closing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.closed_at IS NOT DISTINCT FROM OLD.closed_at THEN
        RETURN NEW;
    END IF;
    IF NEW.closed_at IS NOT NULL AND NEW.joined_into_id IS NULL AND EXISTS (
            {of_case}) THEN
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
"""
ITS_OWN = """SELECT FROM interview i JOIN episode e ON e.id = i.episode_id
            WHERE e.case_id = NEW.id AND i.state = 'owed'"""
ITS_FAMILYS = """WITH RECURSIVE one AS (
                SELECT NEW.id AS id
                UNION SELECT c.id FROM one JOIN cases c ON c.joined_into_id = one.id)
            SELECT FROM one JOIN episode e ON e.case_id = one.id
            JOIN interview i ON i.episode_id = e.id AND i.state = 'owed'"""


def upgrade() -> None:
    """Ask for the joined cases' interviews too; what is closed stays so."""
    op.execute(GUARD.format(of_case=ITS_FAMILYS))


def downgrade() -> None:
    """Ask for the case's own alone."""
    op.execute(GUARD.format(of_case=ITS_OWN))
