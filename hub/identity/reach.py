"""How a unit can be reached: by its staff on the hub, by its system, or not on the hub at all."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.clock import LONDON
from hub.db import fetch

Reach = Literal["staffed", "connected", "not-on-hub"]

# The units by a sub-select: PostgreSQL keeps one plan, where it would plan anew for each array.
_REACH = text("""
WITH RECURSIVE up AS (
    SELECT id AS unit_id, id AS at_id, parent_id, valid_to, superseded_by_id
    FROM unit WHERE id = ANY(CAST((SELECT CAST(:units AS uuid[])) AS uuid[]))
    UNION
    SELECT up.unit_id, unit.id, unit.parent_id, unit.valid_to, unit.superseded_by_id
    FROM up JOIN unit ON unit.id = up.parent_id
        OR (unit.id = up.superseded_by_id AND up.valid_to <= :today)
), at AS (
    SELECT unit_id, at_id FROM up
    UNION
    SELECT up.unit_id, team.id FROM up
    JOIN unit team ON team.parent_id = up.at_id AND team.kind = 'missing-children-team'
)
SELECT at.unit_id,
    bool_or(EXISTS (
        SELECT FROM membership m JOIN person p ON p.id = m.person_id
        WHERE m.unit_id = at.at_id AND m.role IN ('officer', 'supervisor', 'practitioner')
            AND m.valid_from <= :now AND (m.valid_to IS NULL OR m.valid_to > :now)
            AND p.suspended_at IS NULL AND p.status = :status)) AS staffed,
    bool_or(EXISTS (
        SELECT FROM oauth_client c
        WHERE c.unit_id = at.at_id AND c.revoked_at IS NULL
            AND 'cases:read' = ANY(c.scopes))) AS connected
FROM at GROUP BY at.unit_id
""")


def first_on_hub(
    session: Session, units: Sequence[UUID], status: str, now: datetime
) -> UUID | None:
    """Return the first of these units that is on the hub for cases of a status, or None."""
    reaches = reach_of(session, units, status, now) if units else {}
    return next((unit for unit in units if reaches[unit] != "not-on-hub"), None)


def reach_of(
    session: Session, units: Collection[UUID], status: str, now: datetime
) -> dict[UUID, Reach]:
    """Return the reach of each unit for cases of a status (DOMAIN.md 3, "Reach").

    A unit that is no more is reached as the one in its place.
    Actual people make no unit staffed for an exercise, nor the other way round (rule 14).
    """
    rows = fetch(
        session,
        _REACH,
        {
            "units": list(units),
            "status": status,
            "now": now,
            "today": now.astimezone(LONDON).date(),
        },
    )
    return {
        row.unit_id: "staffed" if row.staffed else "connected" if row.connected else "not-on-hub"
        for row in rows
    }


def reach(session: Session, unit_id: UUID, status: str, now: datetime) -> Reach:
    """Return the reach of one unit."""
    return reach_of(session, [unit_id], status, now)[unit_id]
