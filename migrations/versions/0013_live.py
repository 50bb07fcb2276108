"""What live screens and boards read: the clocks that run in a case, and what urgent is unopened."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the indexes."""
    op.execute("""
        CREATE INDEX ix_clock_case_id_running ON clock (case_id, due_at)
            INCLUDE (kind, owed_by_unit_id, missed_at)
            WHERE met_at IS NULL AND ended_at IS NULL;
        CREATE INDEX ix_clock_unopened_urgent ON clock (message_id)
            WHERE kind = 'opened-urgent' AND met_at IS NULL AND ended_at IS NULL
                AND missed_at IS NOT NULL;
    """)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP INDEX ix_clock_unopened_urgent, ix_clock_case_id_running")
