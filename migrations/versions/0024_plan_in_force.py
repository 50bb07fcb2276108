"""A plan counts from its placement's first day, for the home that made it; a move is told ahead."""

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
DAYS = """
-- One placement has no end that was told, and none shares a day with another.
DROP INDEX uq_placement_case_id_current;
CREATE UNIQUE INDEX uq_placement_case_id_current ON placement (case_id)
    WHERE state = 'current' AND end_message_id IS NULL;
CREATE FUNCTION check_placement_alone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
            SELECT FROM placement a JOIN placement b ON b.case_id = a.case_id AND b.id > a.id
            WHERE a.case_id = NEW.case_id AND a.state = 'current' AND b.state = 'current'
                AND daterange(a.starts_on, CASE WHEN a.end_message_id IS NOT NULL THEN a.ends_on END, '[]')
                    && daterange(b.starts_on, CASE WHEN b.end_message_id IS NOT NULL THEN b.ends_on END, '[]')) THEN
        RAISE EXCEPTION 'a child is placed in one place on a day'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_placement_alone';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER placement_alone AFTER INSERT OR UPDATE ON placement
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_placement_alone();

-- A plan stays where it was made and goes on for what follows; each placement has its own.
REVOKE UPDATE (placement_id) ON plan FROM hub_app;
DROP INDEX uq_plan_case_id_agreed;
CREATE UNIQUE INDEX uq_plan_placement_id_agreed ON plan (placement_id) WHERE state = 'agreed';
"""
DAYS_BEFORE = """
DROP TRIGGER placement_alone ON placement;
DROP FUNCTION check_placement_alone;
UPDATE placement a SET state = 'ended' WHERE a.state = 'current' AND a.end_message_id IS NOT NULL
    AND EXISTS (SELECT FROM placement b WHERE b.case_id = a.case_id AND b.state = 'current'
        AND b.starts_on > a.starts_on);
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE plan DISABLE TRIGGER plan_way;
WITH RECURSIVE its AS (
    SELECT id AS plan_id, placement_id FROM plan WHERE state IN ('agreed', 'proposed')
    UNION
    SELECT its.plan_id, after.id
    FROM its JOIN placement before ON before.id = its.placement_id
    JOIN placement after ON after.message_id = before.end_message_id
    WHERE EXISTS (
        SELECT standing_for(before.destination_unit_id)
        INTERSECT SELECT standing_for(after.destination_unit_id))
)
UPDATE plan p SET placement_id = l.id FROM its JOIN placement l ON l.id = its.placement_id
WHERE p.id = its.plan_id AND l.state = 'current' AND l.id <> p.placement_id;
ALTER TABLE plan ENABLE TRIGGER plan_way;
UPDATE plan a SET state = 'superseded' WHERE a.state = 'agreed'
    AND EXISTS (SELECT FROM plan b WHERE b.case_id = a.case_id AND b.state = 'agreed'
        AND b.version > a.version);
DROP INDEX uq_placement_case_id_current, uq_plan_placement_id_agreed;
CREATE UNIQUE INDEX uq_placement_case_id_current ON placement (case_id) WHERE state = 'current';
CREATE UNIQUE INDEX uq_plan_case_id_agreed ON plan (case_id) WHERE state = 'agreed';
GRANT UPDATE (placement_id) ON plan TO hub_app;
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
            -- The placement that each plan was made for, and those that follow with the same police.
            WITH RECURSIVE its AS (
                SELECT p.id AS plan_id, p.placement_id
                FROM episode e JOIN plan p ON p.case_id = e.case_id
                WHERE e.id = NEW.episode_id AND p.state = 'agreed' AND p.review_on >= today
                UNION
                SELECT its.plan_id, after.id
                FROM its JOIN placement before ON before.id = its.placement_id
                JOIN placement after ON after.message_id = before.end_message_id
                WHERE EXISTS (
                    SELECT standing_for(before.destination_unit_id)
                    INTERSECT SELECT standing_for(after.destination_unit_id))
            )
            SELECT FROM its JOIN plan p ON p.id = its.plan_id JOIN cases c ON c.id = p.case_id
            JOIN placement l ON l.id = its.placement_id AND l.state = 'current'
                AND l.starts_on <= today AND (l.end_message_id IS NULL OR l.ends_on >= today)
            JOIN message m ON m.id = NEW.message_id AND m.sender_kind = 'system'
            WHERE NEW.to_unit_id IN (SELECT standing_for(p.lead_unit_id))
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
    """Ask for a placement that has begun, and for the police that made the plan; tell moves ahead."""
    op.execute(HEIRS)
    op.execute(DAYS)
    op.execute(BASIS.format(named=IN_FORCE))


def downgrade() -> None:
    """Ask for neither; what another placement follows is over, and one plan is agreed in a case.

    A plan that went on for what follows is carried there.
    """
    op.execute(DAYS_BEFORE)
    op.execute(BASIS.format(named=BEFORE))
    op.execute("DROP FUNCTION standing_for")
