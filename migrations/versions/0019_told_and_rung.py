"""Who is told how a case stands; and clocks of those who must ring a unit that is not on the hub."""

from alembic import op

revision = "0019"
down_revision = "0018"

TOLD = """
-- DOMAIN.md 4.8: whoever answers an enquiry sees that alone. A party is told how the case stands that
-- sees it whole, reported, or was ever sent or sent anything else.
CREATE FUNCTION is_told(one party) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT one.sees = 'full' OR one.part = 'reporter' OR EXISTS (
        SELECT FROM message m WHERE m.case_id = one.case_id
            AND m.type NOT IN ('information-request', 'information-response', 'located',
                'located-confirm', 'located-refuse', 'interview-record')
            AND (m.sender_unit_id = one.unit_id OR EXISTS (
                SELECT FROM recipient r WHERE r.message_id = m.id AND r.unit_id = one.unit_id)))
$$;
"""
MORE_KINDS = """
DO $$
DECLARE rule text;
BEGIN
    SELECT pg_get_constraintdef(oid) INTO rule FROM pg_constraint WHERE conname = 'ck_clock_kind';
    rule := replace(rule, 'ARRAY[', 'ARRAY[''to-ring''::text, ''to-ring-urgent''::text, ');
    EXECUTE 'ALTER TABLE clock DROP CONSTRAINT ck_clock_kind, ADD CONSTRAINT ck_clock_kind ' || rule;
END $$;
"""
FEWER_KINDS = """
DELETE FROM escalation WHERE clock_id IN (SELECT id FROM clock WHERE kind LIKE 'to-ring%');
DELETE FROM clock WHERE kind LIKE 'to-ring%';
DELETE FROM clock_setting WHERE kind LIKE 'to-ring%';
DO $$
DECLARE rule text;
BEGIN
    SELECT pg_get_constraintdef(oid) INTO rule FROM pg_constraint WHERE conname = 'ck_clock_kind';
    rule := replace(rule, '''to-ring''::text, ''to-ring-urgent''::text, ', '');
    EXECUTE 'ALTER TABLE clock DROP CONSTRAINT ck_clock_kind, ADD CONSTRAINT ck_clock_kind ' || rule;
END $$;
"""


def upgrade() -> None:
    """Add both."""
    op.execute(TOLD)
    op.execute(MORE_KINDS)


def downgrade() -> None:
    """Drop the function, and the kinds with their clocks; the messages stay."""
    op.execute(FEWER_KINDS)
    op.execute("DROP FUNCTION is_told(party)")
