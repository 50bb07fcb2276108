"""Finding organisations and units, and walking the tree of units."""

from datetime import date
from uuid import UUID

from sqlalchemy import Date, case, func, or_, select
from sqlalchemy.orm import Session

from hub.organisations.model import Organisation, Unit

TEAM_OF = case((Unit.kind == "missing-children-team", Unit.parent_id))
"""The unit that a missing-children team is the team of; NULL for any other unit."""


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def find_organisation(session: Session, identifier: str) -> Organisation | None:
    """Return the organisation of a code (in any case) or UUID, or None."""
    key = _as_uuid(identifier)
    return session.scalar(
        select(Organisation).where(
            Organisation.id == key
            if key
            else or_(
                Organisation.code == identifier,
                Organisation.code == identifier.lower(),
                Organisation.code == identifier.upper(),
            )
        )
    )


def find_unit(session: Session, identifier: str) -> Unit | None:
    """Return the unit of a code (in any case) or UUID, or None."""
    key = _as_uuid(identifier)
    return session.scalar(
        select(Unit).where(
            Unit.id == key if key else or_(Unit.code == identifier, Unit.code == identifier.lower())
        )
    )


def units_below(session: Session, unit_id: UUID) -> frozenset[UUID]:
    """Return the unit and every unit below it: what a membership at it acts for.

    A missing-children team is the face of the unit that it is the team of: it acts for that too;
    and the unit that took the place of another, of several the first, acts for what was that one's.
    """
    top = select(func.coalesce(TEAM_OF, Unit.id)).where(Unit.id == unit_id).scalar_subquery()
    tree = select(Unit.id).where(Unit.id == top).cte("tree", recursive=True)
    today = func.timezone("Europe/London", func.now()).cast(Date)
    before = select(Unit.id.label("unit_id"), Unit.superseded_by_id.label("successor_id")).where(
        Unit.superseded_by_id.is_not(None), Unit.valid_to <= today
    )
    below = select(Unit.id.label("unit_id"), Unit.parent_id.label("successor_id"))
    steps = below.union_all(before).subquery()
    tree = tree.union(select(steps.c.unit_id).join(tree, steps.c.successor_id == tree.c.id))
    return frozenset(session.scalars(select(tree.c.id)))


def standing_on(session: Session, unit: Unit, day: date) -> Unit | None:
    """Return a unit, or what stands in its place on a day (Europe/London); None where nothing does."""
    found: Unit | None = unit
    while found is not None and found.valid_to is not None and found.valid_to <= day:
        found = session.get(Unit, found.superseded_by_id) if found.superseded_by_id else None
    return found


def lineage(session: Session, unit_id: UUID) -> list[UUID]:
    """Return the unit, its parent, and so on up to the top, in that order."""
    up = select(Unit.id, Unit.parent_id).where(Unit.id == unit_id).cte("up", recursive=True)
    up = up.union_all(select(Unit.id, Unit.parent_id).join(up, Unit.id == up.c.parent_id))
    return list(session.scalars(select(up.c.id)))
