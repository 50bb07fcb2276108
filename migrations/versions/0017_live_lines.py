"""Live lines of enquiry: actions of the lead with a kind of clock of their own."""

from alembic import op

revision = "0017"
down_revision = "0016"

MORE_KINDS = """
DO $$
DECLARE rule text;
BEGIN
    SELECT pg_get_constraintdef(oid) INTO rule FROM pg_constraint WHERE conname = 'ck_clock_kind';
    rule := replace(rule, 'ARRAY[', 'ARRAY[''live-line''::text, ');
    EXECUTE 'ALTER TABLE clock DROP CONSTRAINT ck_clock_kind, ADD CONSTRAINT ck_clock_kind ' || rule;
END $$;
"""
FEWER_KINDS = """
DO $$
DECLARE rule text;
BEGIN
    SELECT pg_get_constraintdef(oid) INTO rule FROM pg_constraint WHERE conname = 'ck_clock_kind';
    rule := replace(rule, '''live-line''::text, ', '');
    EXECUTE 'ALTER TABLE clock DROP CONSTRAINT ck_clock_kind, ADD CONSTRAINT ck_clock_kind ' || rule;
END $$;
"""
OF_ACTIONS = """
ALTER TABLE clock DROP CONSTRAINT ck_clock_action,
    ADD CONSTRAINT ck_clock_action CHECK ((kind {kinds}) = (action_id IS NOT NULL));
"""
DOWNGRADE = """
DELETE FROM escalation WHERE clock_id IN (SELECT id FROM clock WHERE kind = 'live-line');
CREATE TEMP TABLE line ON COMMIT DROP AS SELECT action_id FROM clock WHERE kind = 'live-line';
DELETE FROM clock WHERE kind = 'live-line';
DELETE FROM action WHERE id IN (SELECT action_id FROM line);
DELETE FROM clock_setting WHERE kind = 'live-line';
"""


def upgrade() -> None:
    """Add the kind."""
    op.execute(MORE_KINDS)
    op.execute(OF_ACTIONS.format(kinds="IN ('meeting-action', 'live-line')"))


def downgrade() -> None:
    """Drop it with its clocks; the messages stay."""
    op.execute(DOWNGRADE)
    op.execute(OF_ACTIONS.format(kinds="= 'meeting-action'"))
    op.execute(FEWER_KINDS)
