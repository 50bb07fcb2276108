"""Withdrawing a reorganisation before its day: the units stay as they are, and history keeps both.

A reorganisation is on record from a day on, and others may be built on it: the last day is the one
that can be withdrawn, with all that was to change on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from directory.changes import because
from directory.model import Area, ContactPoint, Coverage
from directory.reorganisations import WAITING, organisation_to_change
from hub.clock import LONDON
from hub.errors import conflict, not_found
from hub.identity.actor import Actor
from hub.organisations import Unit, UnitRenaming, UnitSuccession
from hub.records import audit


@dataclass(frozen=True)
class Planned:
    """What is to change of a force's units on a day (Europe/London) that has not come, by name."""

    day: date
    ends: tuple[str, ...]
    begins: tuple[str, ...]
    renames: tuple[tuple[str, str], ...]
    districts: tuple[str, ...]


def planned(session: Session, organisation_id: UUID, now: datetime) -> Planned | None:
    """Return the last change of a force's units that is on record and has not taken effect."""
    today = now.astimezone(LONDON).date()
    days = [
        session.scalar(select(func.max(UnitRenaming.effective_on)).where(
            UnitRenaming.unit_id.in_(_units(organisation_id)), WAITING,
        )),
        session.scalar(select(func.max(Unit.valid_from)).where(
            Unit.organisation_id == organisation_id, _is(Unit),
        )),
        session.scalar(select(func.max(Coverage.valid_from)).where(
            Coverage.unit_id.in_(_units(organisation_id)), _is(Coverage),
        )),
    ]  # fmt: skip
    day = max((one for one in days if one is not None and one > today), default=None)
    if day is None:
        return None
    renames = session.execute(
        select(Unit.name, UnitRenaming.name)
        .join(UnitRenaming, UnitRenaming.unit_id == Unit.id)
        .where(Unit.organisation_id == organisation_id, UnitRenaming.effective_on == day, WAITING)
        .order_by(Unit.name)
    )
    districts = session.scalars(
        select(Area.name)
        .where(Area.id.in_(select(Coverage.area_id).where(_begins(organisation_id, day))))
        .order_by(Area.name)
    )
    return Planned(
        day,
        tuple(one.name for one in _ending(session, organisation_id, day) if one.kind == "bcu"),
        tuple(one.name for one in _beginning(session, organisation_id, day) if one.kind == "bcu"),
        tuple((before, after) for before, after in renames),
        tuple(districts),
    )


def withdraw(
    session: Session, actor: Actor, organisation_id: UUID, day: date, *, why: str, now: datetime
) -> Planned:
    """Withdraw all that was to change of a force's units on a day; return what that was.

    Raises:
        HubError: 404, 401, 403; 409 `exercise-units`; 404 where nothing is planned; 409
            `planned-changed` where another day is the last; 422 `why`.
    """
    organisation_to_change(session, actor, organisation_id, lock=True)
    if actor.status == "exercise":
        raise conflict("exercise-units", "An exercise does not change the units of the directory.")
    found = planned(session, organisation_id, now)
    if found is None:
        raise not_found("No change of this force’s units is to come.")
    if found.day != day:
        raise conflict(
            "planned-changed",
            f"The last change on record is of {found.day.day} {found.day:%B %Y}. Look at it again.",
        )
    because(session, actor.who, why, now)
    ending = _ending(session, organisation_id, day)
    beginning = _beginning(session, organisation_id, day)
    edited = {"edited_at": now, "edited_by": actor.name}
    for unit in ending:
        unit.valid_to, unit.superseded_by_id = None, None
    for unit in beginning:
        unit.valid_to = unit.valid_from
    for unit in (*ending, *beginning):
        unit.version += 1
        unit.edited_at, unit.edited_by = now, actor.name
    session.flush()
    old, new = [one.id for one in ending], [one.id for one in beginning]
    session.execute(
        update(UnitSuccession)
        .where(UnitSuccession.unit_id.in_(old), UnitSuccession.successor_id.in_(new))
        .values(withdrawn_at=now)
    )
    of_contact = {**edited, "version": ContactPoint.version + 1}
    session.execute(
        update(ContactPoint)
        .where(
            ContactPoint.unit_id.in_(old),
            ContactPoint.valid_to == day,
            ContactPoint.closed_at.is_(None),
        )
        .values(valid_to=None, **of_contact)
    )
    session.execute(
        update(ContactPoint)
        .where(ContactPoint.unit_id.in_(new), ContactPoint.closed_at.is_(None))
        .values(valid_to=ContactPoint.valid_from, closed_at=now, **of_contact)
    )
    going_on = select(Area.id).where(or_(Area.valid_to.is_(None), Area.valid_to > day))
    session.execute(
        update(Coverage)
        .where(
            Coverage.unit_id.in_(_units(organisation_id)),
            Coverage.valid_to == day,
            Coverage.valid_from < day,
            Coverage.area_id.in_(going_on),
        )
        .values(valid_to=None, **edited)
    )
    session.execute(
        update(Coverage).where(_begins(organisation_id, day)).values(valid_to=day, **edited)
    )
    session.execute(
        update(UnitRenaming)
        .where(
            UnitRenaming.unit_id.in_(_units(organisation_id)),
            UnitRenaming.effective_on == day,
            WAITING,
        )
        .values(withdrawn_at=now)
    )
    audit.record(
        session, actor.who, "directory.reorganisation-withdrawn", now=now,
        object_kind="organisation", object_id=organisation_id,
        detail={"from": day.isoformat(), "closed": [str(one) for one in new],
                "reopened": [str(one) for one in old]},
    )  # fmt: skip
    return found


def _units(organisation_id: UUID) -> ColumnElement[UUID]:
    return select(Unit.id).where(Unit.organisation_id == organisation_id).scalar_subquery()


def _is(table: type[Unit] | type[Coverage]) -> ColumnElement[bool]:
    """Say that there is a day of it: what was withdrawn has none."""
    return or_(table.valid_to.is_(None), table.valid_to > table.valid_from)


def _begins(organisation_id: UUID, day: date) -> ColumnElement[bool]:
    return and_(
        Coverage.unit_id.in_(_units(organisation_id)), Coverage.valid_from == day, _is(Coverage)
    )


def _ending(session: Session, organisation_id: UUID, day: date) -> Sequence[Unit]:
    """Return the units that others take the place of on the day."""
    succeeded = select(UnitSuccession.unit_id).where(UnitSuccession.withdrawn_at.is_(None))
    return session.scalars(
        select(Unit)
        .where(
            Unit.organisation_id == organisation_id,
            Unit.valid_to == day,
            Unit.id.in_(succeeded),
        )
        .order_by(Unit.name, Unit.id)
    ).all()


def _beginning(session: Session, organisation_id: UUID, day: date) -> Sequence[Unit]:
    return session.scalars(
        select(Unit)
        .where(Unit.organisation_id == organisation_id, Unit.valid_from == day, _is(Unit))
        .order_by(Unit.name, Unit.id)
    ).all()
