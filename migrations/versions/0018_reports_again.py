"""A report that was taken by telephone may be told of again, and pass to a successor as it is."""

from alembic import op

revision = "0018"
down_revision = "0017"

WAY = """
CREATE OR REPLACE FUNCTION guard_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
            ('awaiting-police', 'awaiting-police'), ('awaiting-police', 'recorded'),
            ('awaiting-police', 'recorded-by-telephone'), ('awaiting-police', 'not-accepted'),
            ('awaiting-police', 'returned-before-recorded'), {more}
            ('recorded-by-telephone', 'recorded'), ('recorded-by-telephone', 'not-accepted'),
            ('recorded-by-telephone', 'returned-before-recorded'),
            ('not-accepted', 'recorded'), ('not-accepted', 'awaiting-police'),
            ('not-accepted', 'recorded-by-telephone'), ('not-accepted', 'not-accepted'),
            ('not-accepted', 'returned-before-recorded'))
        OR NEW.reporter_unit_id <> OLD.reporter_unit_id OR NEW.message_id <> OLD.message_id THEN
        RAISE EXCEPTION 'a report does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_report_way';
    END IF;
    RETURN NEW;
END $$;
"""


def upgrade() -> None:
    """Let a report taken by telephone stay so."""
    op.execute(WAY.format(more="('recorded-by-telephone', 'recorded-by-telephone'),"))


def downgrade() -> None:
    """Refuse it again."""
    op.execute(WAY.format(more=""))
