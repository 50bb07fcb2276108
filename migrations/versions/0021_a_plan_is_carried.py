"""A plan goes on for the next placement with the same police, which begins a row of its own."""

from alembic import op

revision = "0021"
down_revision = "0020"

WAY = """
CREATE OR REPLACE FUNCTION guard_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {carried}
    IF (OLD.state, NEW.state) NOT IN (
            ('proposed', 'agreed'), ('proposed', 'amended'), ('proposed', 'declined'),
            ('proposed', 'overtaken'), ('agreed', 'superseded')) THEN
        RAISE EXCEPTION 'a plan does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_plan_way';
    END IF;
    RETURN NEW;
END $$;
"""
CARRIED = """
    -- As it is, to the current placement that the message began which ended its own, with the same
    -- police or what took their place.
    IF NEW.placement_id <> OLD.placement_id THEN
        IF OLD.state NOT IN ('proposed', 'agreed')
            OR to_jsonb(NEW) - 'placement_id' <> to_jsonb(OLD) - 'placement_id'
            OR NOT EXISTS (
                WITH RECURSIVE police AS (
                    SELECT destination_unit_id AS unit_id FROM placement
                    WHERE id = OLD.placement_id
                    UNION
                    SELECT u.superseded_by_id FROM police JOIN unit u ON u.id = police.unit_id
                    WHERE u.valid_to IS NOT NULL
                )
                SELECT FROM placement ended
                JOIN placement begun ON begun.message_id = ended.end_message_id
                JOIN police ON police.unit_id = begun.destination_unit_id
                WHERE ended.id = OLD.placement_id AND ended.state = 'ended'
                    AND begun.id = NEW.placement_id AND begun.state = 'current') THEN
            RAISE EXCEPTION 'a plan goes on for the next placement with the same police alone'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_plan_carried';
        END IF;
        RETURN NEW;
    END IF;"""


def upgrade() -> None:
    """Let a plan be carried."""
    op.execute(WAY.format(carried=CARRIED))
    op.execute("GRANT UPDATE (placement_id) ON plan TO hub_app")


def downgrade() -> None:
    """Refuse it again; what was carried stays where it is."""
    op.execute("REVOKE UPDATE (placement_id) ON plan FROM hub_app")
    op.execute(WAY.format(carried=""))
