"""Units in time: merge, split, rename, and move of districts, as one change from a day on.

The plan is pure: which district moves from whom to whom, and what is refused. A district that was
covered stays covered, and none is covered twice; the database holds both (migration 0006).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["merge", "split", "rename", "move"]


class Part(BaseModel):
    """One of the units that a split makes, and the districts that it takes (their UUIDs)."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=2, max_length=120)
    areas: list[UUID] = Field(default_factory=list, max_length=400)


class ReorganisationIn(BaseModel):
    """One change of a force's units from a day (Europe/London) on.

    merge: `units` become one, named `name`. split: the one unit becomes `parts`. rename: the one
    unit is `name`. move: `areas` pass to the unit `to`; with `sectors`, that part of the one area.
    """

    model_config = ConfigDict(extra="forbid")
    kind: Kind
    effective_on: date
    units: list[UUID] = Field(default_factory=list, max_length=60)
    name: str = Field("", max_length=120)
    parts: list[Part] = Field(default_factory=list, max_length=20)
    areas: list[UUID] = Field(default_factory=list, max_length=400)
    to: UUID | None = None
    sectors: list[str] = Field(default_factory=list, max_length=400)


@dataclass(frozen=True)
class Cover:
    """Which unit answers for an area, or some sectors of it, on the day."""

    id: UUID
    area_id: UUID
    unit_id: UUID
    sectors: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Move:
    """An area, or sectors of it, that passes to another unit; new units go by their name."""

    area_id: UUID
    from_unit: UUID | None
    to_unit: UUID | str
    sectors: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Plan:
    """What a reorganisation does, or the sentences for which it is refused.

    `heirs` are, by unit that ends, those in its place, the first of them taking open leads.
    """

    moves: tuple[Move, ...] = ()
    opens: tuple[str, ...] = ()
    closes: tuple[UUID, ...] = ()
    heirs: Mapping[UUID, tuple[str, ...]] = field(default_factory=dict)
    renames: tuple[tuple[UUID, str], ...] = ()
    problems: tuple[str, ...] = ()


def plan(
    wanted: ReorganisationIn, cover: Sequence[Cover], bcus: Mapping[UUID, str],
    areas: Mapping[UUID, str],
) -> Plan:  # fmt: skip
    """Return what is to be done to the units of one force (`bcus`: their names by id)."""
    if wanted.kind == "rename":
        return _rename(wanted, bcus)
    if wanted.kind == "merge":
        return _merge(wanted, cover, bcus)
    if wanted.kind == "split":
        return _split(wanted, cover, bcus, areas)
    return _move(wanted, cover, bcus, areas)


def _rename(wanted: ReorganisationIn, bcus: Mapping[UUID, str]) -> Plan:
    problems = _units(wanted, bcus, exactly_one=True) + _name(wanted.name, bcus)
    if problems:
        return Plan(problems=tuple(problems))
    return Plan(renames=((wanted.units[0], _tidy(wanted.name)),))


def _merge(wanted: ReorganisationIn, cover: Sequence[Cover], bcus: Mapping[UUID, str]) -> Plan:
    problems = _units(wanted, bcus)
    if len(set(wanted.units)) < 2:
        problems.append("Choose at least two units to merge.")
    others = {key: name for key, name in bcus.items() if key not in wanted.units}
    problems += _name(wanted.name, others)
    if problems:
        return Plan(problems=tuple(problems))
    name, merged = _tidy(wanted.name), tuple(dict.fromkeys(wanted.units))
    moves = [Move(c.area_id, c.unit_id, name, c.sectors) for c in cover if c.unit_id in merged]
    return Plan(
        _whole(moves), (name,), merged, dict.fromkeys(merged, (name,)),
    )  # fmt: skip


def _whole(moves: Iterable[Move]) -> tuple[Move, ...]:
    """Return the moves; parts of an area whose rest comes along are the area itself."""
    found = list(moves)
    whole = {move.area_id for move in found if move.sectors is None}
    return tuple(m for m in found if m.sectors is None or m.area_id not in whole)


def _split(
    wanted: ReorganisationIn, cover: Sequence[Cover], bcus: Mapping[UUID, str],
    areas: Mapping[UUID, str],
) -> Plan:  # fmt: skip
    problems = _units(wanted, bcus, exactly_one=True)
    names = [_tidy(part.name) for part in wanted.parts]
    if len(names) < 2:
        problems.append("A split makes at least two units.")
    if len({name.lower() for name in names}) < len(names):
        problems.append("Give each part a name of its own.")
    others = {key: name for key, name in bcus.items() if key not in wanted.units}
    for name in names:
        problems += _name(name, others)
    if problems:
        return Plan(problems=tuple(problems))
    unit = wanted.units[0]
    own = [one for one in cover if one.unit_id == unit]
    given: dict[UUID, list[str]] = {}
    for part in wanted.parts:
        for area in dict.fromkeys(part.areas):
            given.setdefault(area, []).append(_tidy(part.name))
    mine = {one.area_id for one in own}
    problems += [f"{_area(areas, one)} would have nobody." for one in sorted(mine, key=str)
                 if one not in given]  # fmt: skip
    problems += [
        f"{_area(areas, one)} would have two units: {' and '.join(found)}."
        for one, found in given.items()
        if len(found) > 1
    ]
    problems += [f"{_area(areas, one)} is not this unit’s." for one in given if one not in mine]
    if problems:
        return Plan(problems=tuple(problems))
    moves = tuple(Move(c.area_id, unit, given[c.area_id][0], c.sectors) for c in own)
    return Plan(moves, tuple(names), (unit,), {unit: tuple(names)})


def _move(
    wanted: ReorganisationIn, cover: Sequence[Cover], bcus: Mapping[UUID, str],
    areas: Mapping[UUID, str],
) -> Plan:  # fmt: skip
    problems = []
    if wanted.to not in bcus:
        problems.append("Choose the unit that the districts pass to.")
    if not wanted.areas:
        problems.append("Choose the districts that move.")
    problems += [f"{_area(areas, one)} is not this force’s." for one in wanted.areas
                 if one not in areas]  # fmt: skip
    if wanted.sectors and len(wanted.areas) != 1:
        problems.append("Name sectors of one district at a time.")
    sectors = tuple(dict.fromkeys(one for text in wanted.sectors if (one := sector(text))))
    bad = [text for text in wanted.sectors if not sector(text)]
    problems += [f"{text[:12]} is not a postcode sector such as CT9 1." for text in bad]
    if problems or wanted.to is None:
        return Plan(problems=tuple(problems))
    moves = []
    for area in dict.fromkeys(wanted.areas):
        whole = next((c for c in cover if c.area_id == area and c.sectors is None), None)
        if sectors:
            if whole is None:
                problems.append(f"{_area(areas, area)} has no unit for the rest of it yet.")
            elif whole.unit_id == wanted.to:
                problems.append(f"{_area(areas, area)} is this unit’s already.")
            taken = [s for c in cover if c.area_id == area for s in c.sectors or () if s in sectors]
            problems += [f"{one} has another unit already." for one in taken]
            moves.append(Move(area, whole.unit_id if whole else None, wanted.to, sectors))
        elif whole is not None and whole.unit_id == wanted.to:
            problems.append(f"{_area(areas, area)} is this unit’s already.")
        else:
            moves.append(Move(area, whole.unit_id if whole else None, wanted.to))
    return Plan(problems=tuple(problems)) if problems else Plan(tuple(moves))


def sector(text: str) -> str:
    """Return a postcode sector as it is kept ("CT9 1"), or "" for what is none."""
    found = re.fullmatch(r"([A-Z]{1,2}[0-9][0-9A-Z]?) ?([0-9])", " ".join(text.upper().split()))
    return f"{found[1]} {found[2]}" if found else ""


def _units(
    wanted: ReorganisationIn, bcus: Mapping[UUID, str], *, exactly_one: bool = False
) -> list[str]:
    if exactly_one and len(set(wanted.units)) != 1:
        return ["Choose one unit."]
    if any(unit not in bcus for unit in wanted.units):
        return ["Choose units of this force that are there on the day."]
    return []


def _name(name: str, others: Mapping[UUID, str]) -> list[str]:
    if len(_tidy(name)) < 2:
        return ["Give the unit’s new name."]
    if _tidy(name).lower() in {other.lower() for other in others.values()}:
        return [f"The force has a unit called {_tidy(name)} already."]
    return []


def _tidy(name: str) -> str:
    return " ".join(name.split())


def _area(areas: Mapping[UUID, str], area_id: UUID) -> str:
    return areas.get(area_id, "A district")
