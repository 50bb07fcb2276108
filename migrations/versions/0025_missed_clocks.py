"""What screens read: what each unit has missed, and which meetings have just ended."""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Make the indexes."""
    op.execute("""
        CREATE INDEX ix_clock_owed_by_unit_id_missed ON clock (owed_by_unit_id, kind)
            WHERE met_at IS NULL AND ended_at IS NULL AND missed_at IS NOT NULL;
        CREATE INDEX ix_meeting_ends_at_called ON meeting (ends_at) WHERE state = 'called';
    """)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP INDEX ix_meeting_ends_at_called, ix_clock_owed_by_unit_id_missed")
