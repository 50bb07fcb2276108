"""Carrying out a reorganisation: one transaction, one reason, one day from which it holds."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from directory import heirs
from directory.changes import because
from directory.keepers import EDIT
from directory.model import Area, ContactPoint, Coverage, Delegation
from directory.reorganising import Cover, Key, Move, Plan, ReorganisationIn, after, plan
from hub.clock import LONDON
from hub.db import new_id, register_constraint
from hub.errors import FieldProblem, HubError, conflict, invalid, not_found
from hub.identity.actor import Actor
from hub.identity.policy import allows, require
from hub.organisations import Organisation, Unit, UnitRenaming, UnitSuccession
from hub.records import audit

register_constraint(
    "ck_coverage_once", "covered-twice", 409, "A district would have two units: look again."
)
register_constraint(
    "ck_coverage_kept",
    "left-uncovered",
    409,
    "A district would be left without a unit: look again.",
)
register_constraint(
    "uq_unit_renaming_unit_id_open", "renaming-there", 409,
    "The unit is to be renamed already: wait until that day, or ask your administrator.",
)  # fmt: skip
WAITING = UnitRenaming.applied_at.is_(None) & UnitRenaming.withdrawn_at.is_(None)
"""A renaming whose day has not come, and that was not withdrawn."""


def preview(
    session: Session, actor: Actor, organisation_id: UUID, wanted: ReorganisationIn, now: datetime
) -> Plan:
    """Return what a reorganisation would do, or why it is refused; nothing is changed.

    Raises:
        HubError: 404, 401, 403; 422 `effective-on` for a day that is past.
    """
    organisation_to_change(session, actor, organisation_id)
    if wanted.effective_on < now.astimezone(LONDON).date():
        raise invalid("effective-on", "Give today or a later day.", "/effective_on")
    day = wanted.effective_on
    later = _next_change(session, organisation_id, day)
    if later is not None:
        raise invalid(
            "effective-on",
            f"Another reorganisation is on record from {later.day} {later:%B %Y}: give that day or"
            " a later one.",
            "/effective_on",
        )
    return plan(
        wanted, cover_on(session, organisation_id, day), units_on(session, organisation_id, day),
        areas_of(session, organisation_id, day),
    )  # fmt: skip


def reorganise(
    session: Session, actor: Actor, organisation_id: UUID, wanted: ReorganisationIn, *, why: str,
    now: datetime,
) -> Plan:  # fmt: skip
    """Carry out a reorganisation, whole or not at all.

    Raises:
        HubError: 404, 401, 403; 422 with every reason for which it is refused; 409 when another
            reorganisation came first.
    """
    organisation = organisation_to_change(session, actor, organisation_id, lock=True)
    if actor.status == "exercise":
        raise conflict(
            "exercise-units",
            "You are signed in for an exercise, which does not change the units of the real"
            " directory. You can look at what the change would do.",
        )
    because(session, actor.who, why, now)
    found = preview(session, actor, organisation_id, wanted, now)
    if found.problems:
        raise HubError(
            "reorganisation-refused", 422, found.problems[0],
            fields=[FieldProblem("", "reorganisation-refused", text) for text in found.problems],
        )  # fmt: skip
    day = wanted.effective_on
    made = {name: _open(session, organisation, name, day, actor, now) for name in found.opens}
    before = cover_on(session, organisation_id, day)
    _cover_anew(session, before, found.moves, made, day, actor, now)
    for unit_id in found.closes:
        heirs = [made[name] for name in found.heirs[unit_id]]
        _close(session, session.get_one(Unit, unit_id), heirs, day, actor, now)
    for unit_id, name in found.renames:
        session.add(UnitRenaming(id=new_id(), unit_id=unit_id, name=name, effective_on=day))
    session.flush()
    if day <= now.astimezone(LONDON).date():
        apply_renamings(session, now)
        close_ended(session, now)
    audit.record(
        session, actor.who, "directory.reorganised", now=now, object_kind="organisation",
        object_id=organisation_id,
        detail={"kind": wanted.kind, "from": day.isoformat(), "closed": [str(u) for u in found.closes],
                "opened": [str(unit.id) for unit in made.values()]},
    )  # fmt: skip
    return found


def allowed(session: Session, actor: Actor, organisation_id: UUID) -> None:
    """Refuse whoever may not change this force's units.

    Raises:
        HubError: 404, 401, 403.
    """
    organisation_to_change(session, actor, organisation_id)


def apply_renamings(session: Session, now: datetime) -> None:
    """Give units the names whose day has come; the old ones are former names from then on."""
    today = now.astimezone(LONDON).date()
    due = session.scalars(
        select(UnitRenaming)
        .where(WAITING, UnitRenaming.effective_on <= today)
        .order_by(UnitRenaming.effective_on, UnitRenaming.id)
        .with_for_update(skip_locked=True)
    )
    for renaming in list(due):
        unit = session.get_one(Unit, renaming.unit_id, with_for_update=True)
        unit.former_names = list(dict.fromkeys([*unit.former_names, unit.name]))
        unit.name = renaming.name
        unit.version += 1
        unit.edited_at, unit.edited_by = now, unit.edited_by or "a reorganisation"
        renaming.applied_at = now
    session.flush()


def close_ended(session: Session, now: datetime) -> None:
    """Close the contacts of units whose last day is past: until then they were kept as ever."""
    today = now.astimezone(LONDON).date()
    ended = select(Unit.id).where(Unit.valid_to <= today)
    session.execute(
        update(ContactPoint)
        .where(
            ContactPoint.unit_id.in_(ended),
            ContactPoint.valid_to <= today,
            ContactPoint.closed_at.is_(None),
        )
        .values(closed_at=now, version=ContactPoint.version + 1)
    )


def units_on(session: Session, organisation_id: UUID, day: date) -> dict[UUID, str]:
    """Return the BCU-level units of a force on a day, by name."""
    renamed = (
        select(UnitRenaming.name)
        .where(
            UnitRenaming.unit_id == Unit.id,
            WAITING,
            UnitRenaming.effective_on <= day,
        )
        .scalar_subquery()
    )
    name = func.coalesce(renamed, Unit.name).label("name")
    rows = session.execute(
        select(Unit.id, name)
        .where(Unit.organisation_id == organisation_id, Unit.kind == "bcu", *_on(Unit, day))
        .order_by(name)
    )
    return {row.id: row.name for row in rows}


def areas_of(session: Session, organisation_id: UUID, day: date) -> dict[UUID, str]:
    """Return the districts of a force on a day, by name."""
    rows = session.execute(
        select(Area.id, Area.name)
        .where(Area.force_id == organisation_id, Area.kind == "district", *_on(Area, day))
        .order_by(Area.name)
    )
    return {row.id: row.name for row in rows}


def _next_change(session: Session, organisation_id: UUID, day: date) -> date | None:
    """Return the first day after a day on which the force's units change already."""
    of_force = select(Unit.id).where(Unit.organisation_id == organisation_id, Unit.kind == "bcu")
    days = [
        select(func.min(column)).where(key.in_(of_force), column > day, *more)
        for key, column, more in (
            (Unit.id, Unit.valid_from, (Unit.valid_to.is_distinct_from(Unit.valid_from),)),
            (Unit.id, Unit.valid_to, (Unit.valid_to > Unit.valid_from,)),
            (
                Coverage.unit_id,
                Coverage.valid_from,
                (Coverage.valid_to.is_distinct_from(Coverage.valid_from),),
            ),
            (UnitRenaming.unit_id, UnitRenaming.effective_on, (WAITING,)),
        )
    ]
    found = [one for chosen in days if (one := session.scalar(chosen)) is not None]
    return min(found, default=None)


def _on(table: type[Unit] | type[Area] | type[Coverage], day: date) -> list[ColumnElement[bool]]:
    return [table.valid_from <= day, or_(table.valid_to.is_(None), table.valid_to > day)]


def may(session: Session, actor: Actor, organisation_id: UUID) -> bool:
    """Say whether somebody may change the units of a force."""
    return allows(actor, EDIT, _relation(session, actor, organisation_id))


def _relation(session: Session, actor: Actor, organisation_id: UUID) -> str:
    if actor.organisation_id == organisation_id:
        return "own" if actor.kind != "guest" or actor.unit_id is None else "any"
    delegated = session.scalar(
        select(Delegation.id).where(
            Delegation.organisation_id == organisation_id,
            Delegation.to_organisation_id == actor.organisation_id,
            Delegation.ended_at.is_(None),
        )
    )
    return "delegated" if delegated and actor.kind != "guest" else "any"


def organisation_to_change(
    session: Session, actor: Actor, organisation_id: UUID, *, lock: bool = False
) -> Organisation:
    found = session.get(Organisation, organisation_id, with_for_update=lock or None)
    if found is None or found.kind != "police":
        raise not_found()
    require(actor, EDIT, _relation(session, actor, organisation_id))
    return found


def cover_on(session: Session, organisation_id: UUID, day: date) -> list[Cover]:
    """Return who answers below force level for the districts of a force on a day."""
    rows = session.execute(
        select(Coverage.id, Coverage.area_id, Coverage.unit_id, Coverage.sectors)
        .join(Unit, Unit.id == Coverage.unit_id)
        .where(Unit.organisation_id == organisation_id, Unit.kind == "bcu", *_on(Coverage, day))
        .order_by(Coverage.id)
    )
    return [
        Cover(row.id, row.area_id, row.unit_id, tuple(row.sectors) if row.sectors else None)
        for row in rows
    ]


def _open(
    session: Session, organisation: Organisation, name: str, day: date, actor: Actor, now: datetime
) -> Unit:
    """Make a unit and its missing-children team, from the day on."""
    force = session.scalars(
        select(Unit).where(Unit.organisation_id == organisation.id, Unit.kind == "force")
    ).first()
    label = session.scalar(
        select(Unit.kind_label)
        .where(Unit.organisation_id == organisation.id, Unit.kind == "bcu")
        .order_by(Unit.id)
        .limit(1)
    )
    stem = f"{organisation.code}/{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-') or 'unit'}"
    code, number = stem, 1
    while session.scalar(select(Unit.id).where(Unit.code == code)) is not None:
        number += 1
        code = f"{stem}-{number}"
    common = {
        "organisation_id": organisation.id,
        "valid_from": day,
        "source": f"reorganised by {actor.name}",
        "source_date": now.astimezone(LONDON).date().isoformat(),
        "edited_at": now,
        "edited_by": actor.name,
    }
    unit = Unit(
        id=new_id(), code=code, parent_id=force.id if force else None, kind="bcu",
        kind_label=label or "BCU", name=name, **common,
    )  # fmt: skip
    session.add(unit)
    session.flush()
    team = Unit(
        id=new_id(), code=f"{code}/missing-children-team", parent_id=unit.id,
        kind="missing-children-team", kind_label="Missing-children team",
        name=f"{name} missing-children team", **common,
    )  # fmt: skip
    session.add(team)
    session.flush()
    return unit


def _cover_anew(
    session: Session, before: Sequence[Cover], moves: Sequence[Move], made: Mapping[str, Unit],
    day: date, actor: Actor, now: datetime,
) -> None:  # fmt: skip
    """End the coverage that no longer holds from the day on, and write what holds instead."""
    for area_id, held in after(before, moves).items():
        wanted = held.by_unit()
        kept = {one.id: _row(one) for one in before if one.area_id == area_id}
        ending = [key for key, row in kept.items() if row not in wanted]
        if ending:
            session.execute(
                update(Coverage)
                .where(Coverage.id.in_(ending))
                .values(valid_to=day, edited_at=now, edited_by=actor.name)
            )
        for unit, sectors in sorted(wanted - set(kept.values()), key=str):
            session.add(
                Coverage(
                    id=new_id(), unit_id=made[unit].id if isinstance(unit, str) else unit,
                    area_id=area_id, sectors=list(sectors) if sectors else None, valid_from=day,
                    basis="stated", as_of=day.isoformat(), source=f"reorganised by {actor.name}",
                    edited_at=now, edited_by=actor.name,
                )
            )  # fmt: skip
    session.flush()


def _row(cover: Cover) -> tuple[Key, tuple[str, ...] | None]:
    return cover.unit_id, tuple(sorted(cover.sectors)) if cover.sectors else None


def _close(
    session: Session, unit: Unit, into: list[Unit], day: date, actor: Actor, now: datetime
) -> None:
    """End a unit and what is below it; its contacts go along to those in its place."""
    below = session.scalars(
        select(Unit).where(Unit.parent_id == unit.id, *_on(Unit, day)).order_by(Unit.code)
    )
    pairs: list[tuple[Unit, list[Unit]]] = [(unit, into)]
    for one in below:
        same = [
            child
            for heir in into
            for child in session.scalars(
                select(Unit).where(Unit.parent_id == heir.id, Unit.kind == one.kind)
            )
        ]
        pairs.append((one, same or into))
    for old, successors in pairs:
        old.valid_to, old.superseded_by_id = max(day, old.valid_from), successors[0].id
        old.version += 1
        old.edited_at, old.edited_by = now, actor.name
        for successor in successors:
            session.add(UnitSuccession(unit_id=old.id, successor_id=successor.id))
            heirs.carry(session, old, successor, day, actor, now, sure=len(successors) == 1)
        session.execute(
            update(ContactPoint)
            .where(
                ContactPoint.unit_id == old.id,
                or_(ContactPoint.valid_to.is_(None), ContactPoint.valid_to > day),
                ContactPoint.valid_from <= day,
            )
            .values(valid_to=day, edited_at=now, edited_by=actor.name,
                    version=ContactPoint.version + 1)
        )  # fmt: skip
    session.flush()
