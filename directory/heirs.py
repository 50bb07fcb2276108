"""What passes to the units that take another's place: its contacts, and what is changed of them yet.

A reorganisation is put on record months before its day. Until then the old unit is kept as ever,
and what its editors change goes along to the copies that its heirs will have.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from directory.model import ContactPoint
from hub.clock import LONDON
from hub.db import new_id
from hub.identity.actor import Actor
from hub.organisations import Unit, UnitSuccession

GIVEN = (
    "purpose", "channel", "value", "audience", "priority", "hours", "bank_holiday_rule",
    "exceptions", "note", "status",
)  # fmt: skip
KEY = ("purpose", "channel", "value", "status")


def as_it_is(contact: ContactPoint) -> dict[str, Any]:
    """Return what editors keep of a contact, to be compared once it is changed."""
    return {name: getattr(contact, name) for name in GIVEN}


def carry(
    session: Session, old: Unit, heir: Unit, day: date, actor: Actor, now: datetime, *, sure: bool
) -> None:
    """Copy a unit's contacts to one in its place; of a split, nobody knows yet whom they reach."""
    contacts = session.scalars(
        select(ContactPoint).where(
            ContactPoint.unit_id == old.id,
            ContactPoint.closed_at.is_(None),
            ContactPoint.verification != "suggested",
        )
    )
    held = select(ContactPoint).where(
        ContactPoint.unit_id == heir.id, ContactPoint.closed_at.is_(None)
    )
    there = {_key(as_it_is(one)) for one in session.scalars(held)}
    for one in list(contacts):
        if _key(as_it_is(one)) not in there:
            session.add(_copy(one, heir.id, old.name, day, actor, now, sure=sure))
    session.flush()


def copies(
    session: Session, contact: ContactPoint, was: Mapping[str, Any] | None, now: datetime
) -> dict[UUID, ContactPoint | None]:
    """Return the copies of a contact as it was, by the heirs of its unit that is to end."""
    unit = session.get_one(Unit, contact.unit_id)
    if unit.valid_to is None or unit.valid_to <= now.astimezone(LONDON).date():
        return {}
    heirs = session.scalars(
        select(UnitSuccession.successor_id)
        .where(UnitSuccession.unit_id == unit.id, UnitSuccession.withdrawn_at.is_(None))
        .order_by(UnitSuccession.successor_id)
    ).all()
    return {one: _copy_of(session, one, was, unit.valid_to) if was else None for one in heirs}


def follow(
    session: Session, contact: ContactPoint, was: Mapping[str, Any] | None, actor: Actor,
    now: datetime, found: Mapping[UUID, ContactPoint | None] | None = None,
) -> None:  # fmt: skip
    """Do to the copies of a contact what was done to it, where its unit ends on a later day.

    `was` is the contact before; None where readers did not ring it yet. `found` are the copies as
    they were found before others were changed with it. What the heir's own editors changed of a
    copy stays theirs; what another unit brings along too stays its.
    """
    found = copies(session, contact, was, now) if found is None else found
    unit = session.get_one(Unit, contact.unit_id)
    closed = contact.closed_at is not None
    for heir, copy in found.items():
        assert unit.valid_to is not None  # noqa: S101  # it has heirs
        sure = len(found) == 1 and contact.verification == "verified"
        moved = was is not None and (closed or _key(was) != _key(as_it_is(contact)))
        shared = moved and was is not None and _another_brings(session, contact, heir, was)
        if was is None or (shared and not closed):
            if _copy_of(session, heir, as_it_is(contact), unit.valid_to) is None:
                session.add(_copy(contact, heir, unit.name, unit.valid_to, actor, now, sure=sure))
        elif copy is not None and not shared:
            _change(copy, contact, was, actor, now, sure=sure)
    session.flush()


def _change(
    copy: ContactPoint, contact: ContactPoint, was: Mapping[str, Any], actor: Actor, now: datetime,
    *, sure: bool,
) -> None:  # fmt: skip
    if contact.closed_at is not None:
        copy.valid_to, copy.closed_at = copy.valid_from, now
    for name in GIVEN:
        if was[name] != getattr(contact, name):
            setattr(copy, name, getattr(contact, name))
    _proved(copy, contact, sure=sure)
    copy.version += 1
    copy.edited_at, copy.edited_by = now, actor.name


def _proved(copy: ContactPoint, contact: ContactPoint, *, sure: bool) -> None:
    copy.verification = "verified" if sure else "unverified"
    copy.verified_at = contact.verified_at if sure else None
    copy.verified_by = contact.verified_by if sure else None


def _copy(
    contact: ContactPoint, heir: UUID, old: str, day: date, actor: Actor, now: datetime, *,
    sure: bool,
) -> ContactPoint:  # fmt: skip
    copy = ContactPoint(
        id=new_id(), unit_id=heir, valid_from=day, source=f"carried over from {old}",
        source_date=now.astimezone(LONDON).date().isoformat(), edited_at=now,
        edited_by=actor.name, version=1, **as_it_is(contact),
    )  # fmt: skip
    _proved(copy, contact, sure=sure and contact.verification == "verified")
    return copy


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] for name in KEY)


def _same(row: Mapping[str, Any]) -> ColumnElement[bool]:
    same = [getattr(ContactPoint, name) == row[name] for name in KEY]
    return and_(ContactPoint.closed_at.is_(None), *same)


def _copy_of(
    session: Session, heir: UUID, row: Mapping[str, Any], day: date
) -> ContactPoint | None:
    chosen = select(ContactPoint).where(
        ContactPoint.unit_id == heir, ContactPoint.valid_from == day, _same(row)
    )
    return session.scalars(chosen.order_by(ContactPoint.id).limit(1).with_for_update()).first()


def _another_brings(
    session: Session, contact: ContactPoint, heir: UUID, row: Mapping[str, Any]
) -> bool:
    """Say whether another unit that the heir takes the place of has the contact as it was."""
    others = select(UnitSuccession.unit_id).where(
        UnitSuccession.successor_id == heir,
        UnitSuccession.unit_id != contact.unit_id,
        UnitSuccession.withdrawn_at.is_(None),
    )
    chosen = select(ContactPoint.id).where(ContactPoint.unit_id.in_(others), _same(row))
    return session.scalar(chosen.limit(1)) is not None
