"""A plan is in force from its placement's first day, and while the home that made it is the home."""

from alembic import op

revision = "0024"
down_revision = "0023"

HEIRS = """
-- A unit, and whatever took its place.
CREATE FUNCTION standing_for(unit_id uuid) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    WITH RECURSIVE heir AS (
        SELECT unit_id AS id
        UNION
        SELECT u.superseded_by_id FROM heir JOIN unit u ON u.id = heir.id
        WHERE u.valid_to IS NOT NULL
    )
    SELECT id FROM heir WHERE id IS NOT NULL
$$;
"""
BASIS = """
CREATE OR REPLACE FUNCTION check_request_basis() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE today date := (NEW.opened_at AT TIME ZONE 'Europe/London')::date;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.basis <> OLD.basis THEN
            RAISE EXCEPTION 'a request keeps its basis'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_lead_request_plan';
        END IF;
        RETURN NULL;
    END IF;
    IF NEW.basis = 'agreed-plan' AND NOT EXISTS (
            {named}) THEN
        RAISE EXCEPTION 'the hub asks for a plan that is in force'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_lead_request_plan';
    END IF;
    RETURN NULL;
END $$;
"""
IN_FORCE = """
            SELECT FROM episode e JOIN cases c ON c.id = e.case_id
            JOIN plan p ON p.case_id = c.id AND p.state = 'agreed' AND p.review_on >= today
            JOIN placement l ON l.id = p.placement_id AND l.state = 'current'
                AND l.starts_on <= today AND (l.end_message_id IS NULL OR l.ends_on >= today)
            JOIN message m ON m.id = NEW.message_id AND m.sender_kind = 'system'
            WHERE e.id = NEW.episode_id
                AND NEW.to_unit_id IN (SELECT standing_for(p.lead_unit_id))
                -- The police that made it are those of home and placement still.
                AND NOT EXISTS (
                    SELECT FROM unit s JOIN organisation o ON o.id = s.organisation_id
                    WHERE s.id IN (p.proposed_by_unit_id, p.other_unit_id) AND o.kind = 'police'
                        AND NOT EXISTS (
                            SELECT standing_for(s.id) INTERSECT (
                                SELECT standing_for(c.home_unit_id)
                                UNION SELECT standing_for(l.destination_unit_id))))"""
BEFORE = """
            WITH RECURSIVE named AS (
                SELECT p.lead_unit_id AS unit_id
                FROM episode e JOIN plan p ON p.case_id = e.case_id AND p.state = 'agreed'
                JOIN placement l ON l.id = p.placement_id AND l.state = 'current'
                    AND (l.end_message_id IS NULL OR l.ends_on >= today)
                WHERE e.id = NEW.episode_id AND p.review_on >= today
                UNION
                SELECT u.superseded_by_id FROM named JOIN unit u ON u.id = named.unit_id
                WHERE u.valid_to IS NOT NULL
            )
            SELECT FROM named JOIN message m ON m.id = NEW.message_id
            WHERE named.unit_id = NEW.to_unit_id AND m.sender_kind = 'system'"""


def upgrade() -> None:
    """Ask for a placement that has begun, and for the police that made the plan."""
    op.execute(HEIRS)
    op.execute(BASIS.format(named=IN_FORCE))


def downgrade() -> None:
    """Ask for neither."""
    op.execute(BASIS.format(named=BEFORE))
    op.execute("DROP FUNCTION standing_for")
