"""The clock within which both sides of a match ring each other and answer (DOMAIN.md 4.10)."""

from alembic import op

revision = "0022"
down_revision = "0021"

MORE_KINDS = """
-- These are due on the date that they carry, or owed by no organisation: nobody sets them any more.
DELETE FROM clock_setting WHERE kind IN ('meeting-action', 'plan-review')
    OR kind LIKE 'dispute-%' AND organisation_id IS NOT NULL;
DO $$
DECLARE rule text;
BEGIN
    SELECT pg_get_constraintdef(oid) INTO rule FROM pg_constraint WHERE conname = 'ck_clock_kind';
    rule := replace(rule, 'ARRAY[', 'ARRAY[''match''::text, ');
    EXECUTE 'ALTER TABLE clock DROP CONSTRAINT ck_clock_kind, ADD CONSTRAINT ck_clock_kind ' || rule;
END $$;
"""
FEWER_KINDS = """
DELETE FROM escalation WHERE clock_id IN (SELECT id FROM clock WHERE kind = 'match');
DELETE FROM clock WHERE kind = 'match';
DELETE FROM clock_setting WHERE kind = 'match';
DO $$
DECLARE rule text;
BEGIN
    SELECT pg_get_constraintdef(oid) INTO rule FROM pg_constraint WHERE conname = 'ck_clock_kind';
    rule := replace(rule, '''match''::text, ', '');
    EXECUTE 'ALTER TABLE clock DROP CONSTRAINT ck_clock_kind, ADD CONSTRAINT ck_clock_kind ' || rule;
END $$;
"""


def upgrade() -> None:
    """Add the kind; a match from before has none, and goes on without."""
    op.execute(MORE_KINDS)


def downgrade() -> None:
    """Drop the kind with its clocks; the matches stay."""
    op.execute(FEWER_KINDS)
