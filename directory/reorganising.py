"""Units in time: merge, split, rename, found, and move of districts, as one change from a day on.

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

Kind = Literal["merge", "split", "rename", "move", "found"]
Key = UUID | str
"""A unit by its id, or a new one by its name."""


class Part(BaseModel):
    """One of the units that a split or founding makes, and the districts that it takes (UUIDs)."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=2, max_length=120)
    areas: list[UUID] = Field(default_factory=list, max_length=400)


class ReorganisationIn(BaseModel):
    """One change of a force's units from a day (Europe/London) on.

    merge: `units` become one, named `name`. split: the one unit becomes `parts`. rename: the one
    unit is `name`. move: `areas` pass to the unit `to`; with `sectors`, that part of the one area.
    found: `parts` are new units, which take their districts from whoever has them; what nobody
    takes stays where it is. So a force that has no BCUs makes its first ones.
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
    to_unit: Key
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


@dataclass
class Held:
    """Who answers for one area: for the whole of it or the rest, and for single sectors."""

    whole: Key | None = None
    sectors: dict[str, Key] = field(default_factory=dict)

    def by_unit(self) -> set[tuple[Key, tuple[str, ...] | None]]:
        """Return the rows that say so: a unit, and its sectors or None for the whole."""
        found: set[tuple[Key, tuple[str, ...] | None]] = set()
        if self.whole is not None:
            found.add((self.whole, None))
        for unit in set(self.sectors.values()):
            found.add((unit, tuple(sorted(s for s, u in self.sectors.items() if u == unit))))
        return found


def after(cover: Iterable[Cover], moves: Iterable[Move] = ()) -> dict[UUID, Held]:
    """Return who answers for each area once the moves are made.

    A unit that has the whole of an area has no sectors of it besides.
    """
    found: dict[UUID, Held] = {}
    for one in cover:
        _take(found.setdefault(one.area_id, Held()), one.unit_id, one.sectors)
    for move in moves:
        _take(found.setdefault(move.area_id, Held()), move.to_unit, move.sectors)
    for held in found.values():
        held.sectors = {s: unit for s, unit in held.sectors.items() if unit != held.whole}
    return found


def _take(held: Held, unit: Key, sectors: Sequence[str] | None) -> None:
    if sectors is None:
        held.whole = unit
    else:
        held.sectors |= dict.fromkeys(sectors, unit)


def plan(
    wanted: ReorganisationIn, cover: Sequence[Cover], bcus: Mapping[UUID, str],
    areas: Mapping[UUID, str],
) -> Plan:  # fmt: skip
    """Return what is to be done to the units of one force (`bcus`: their names by id)."""
    if wanted.kind == "rename":
        return _rename(wanted, bcus)
    if wanted.kind == "merge":
        found = _merge(wanted, cover, bcus)
    elif wanted.kind == "split":
        found = _split(wanted, cover, bcus, areas)
    elif wanted.kind == "found":
        found = _found(wanted, cover, bcus, areas)
    else:
        found = _move(wanted, cover, bcus, areas)
    emptied = () if found.problems else _emptied(found, cover, bcus)
    return Plan(problems=emptied) if emptied else found


def _emptied(found: Plan, cover: Sequence[Cover], bcus: Mapping[UUID, str]) -> tuple[str, ...]:
    """Name the units that would lose all that they answer for, and yet go on."""
    left = {unit for held in after(cover, found.moves).values() for unit, _ in held.by_unit()}
    had = {one.unit_id for one in cover}
    return tuple(
        f"{name} would have no district left: merge it instead, or leave it one."
        for unit, name in bcus.items()
        if unit in had and unit not in left and unit not in found.closes
    )


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
    moves = tuple(Move(c.area_id, c.unit_id, name, c.sectors) for c in cover if c.unit_id in merged)
    return Plan(moves, (name,), merged, dict.fromkeys(merged, (name,)))


def _split(
    wanted: ReorganisationIn, cover: Sequence[Cover], bcus: Mapping[UUID, str],
    areas: Mapping[UUID, str],
) -> Plan:  # fmt: skip
    problems = _units(wanted, bcus, exactly_one=True)
    names, wrong = _part_names(wanted, {k: v for k, v in bcus.items() if k not in wanted.units})
    problems += wrong
    if len(names) < 2:
        problems.append("A split makes at least two units.")
    problems += [f"{_tidy(p.name)} would have no district." for p in wanted.parts if not p.areas]
    if problems:
        return Plan(problems=tuple(problems))
    unit = wanted.units[0]
    own = [one for one in cover if one.unit_id == unit]
    given = _given(wanted)
    mine = {one.area_id for one in own}
    problems += [f"{_area(areas, one)} would have nobody." for one in sorted(mine, key=str)
                 if one not in given]  # fmt: skip
    problems += _twice(given, areas)
    problems += [f"{_area(areas, one)} is not this unit’s." for one in given if one not in mine]
    if problems:
        return Plan(problems=tuple(problems))
    moves = tuple(Move(c.area_id, unit, given[c.area_id][0], c.sectors) for c in own)
    return Plan(moves, tuple(names), (unit,), {unit: _largest_first(names, moves)})


def _largest_first(names: Sequence[str], moves: Sequence[Move]) -> tuple[str, ...]:
    """Return the parts of a split, the one that takes the most first: it takes open leads."""
    return tuple(sorted(names, key=lambda name: -sum(m.to_unit == name for m in moves)))


def _found(
    wanted: ReorganisationIn, cover: Sequence[Cover], bcus: Mapping[UUID, str],
    areas: Mapping[UUID, str],
) -> Plan:  # fmt: skip
    names, problems = _part_names(wanted, bcus)
    if not names:
        problems.append("Give the name of at least one new unit.")
    given = _given(wanted)
    problems += [f"{_area(areas, one)} is not this force’s." for one in given if one not in areas]
    problems += _twice(given, areas)
    if problems:
        return Plan(problems=tuple(problems))
    whole = {c.area_id: c.unit_id for c in cover if c.sectors is None}
    moves = tuple(Move(area, whole.get(area), given[area][0]) for area in given)
    return Plan(moves, tuple(names))


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
    bad = [text for text in wanted.sectors if not sector(text)]
    problems += [f"{text[:12]} is not a postcode sector such as CT9 1." for text in bad]
    if problems or wanted.to is None:
        return Plan(problems=tuple(problems))
    moves: list[Move] = []
    held = after(cover)
    for area in dict.fromkeys(wanted.areas):
        of_area = held.get(area, Held())
        if wanted.sectors and of_area.whole is None:
            problems.append(f"{_area(areas, area)} has no unit for the rest of it yet.")
            continue
        taken: dict[Key | None, list[str]] = {}
        for one in dict.fromkeys(map(sector, wanted.sectors)):
            taken.setdefault(of_area.sectors.get(one, of_area.whole), []).append(one)
        if wanted.to in taken:
            problems.append(f"{', '.join(taken[wanted.to])} is this unit’s already.")
        if not wanted.sectors and of_area.whole == wanted.to:
            problems.append(f"{_area(areas, area)} is this unit’s already.")
        moves += [
            Move(area, _id(before), wanted.to, tuple(sectors)) for before, sectors in taken.items()
        ] or [Move(area, _id(of_area.whole), wanted.to)]
    return Plan(problems=tuple(problems)) if problems else Plan(tuple(moves))


def _id(unit: Key | None) -> UUID | None:
    return unit if isinstance(unit, UUID) else None


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


def _part_names(
    wanted: ReorganisationIn, others: Mapping[UUID, str]
) -> tuple[list[str], list[str]]:
    """Return the names of the new units, and what is wrong with them."""
    names = [_tidy(part.name) for part in wanted.parts]
    problems = [sentence for name in names for sentence in _name(name, others)]
    if len({name.lower() for name in names}) < len(names):
        problems.append("Give each part a name of its own.")
    return names, problems


def _given(wanted: ReorganisationIn) -> dict[UUID, list[str]]:
    """Return which new units each district is given to."""
    given: dict[UUID, list[str]] = {}
    for part in wanted.parts:
        for area in dict.fromkeys(part.areas):
            given.setdefault(area, []).append(_tidy(part.name))
    return given


def _twice(given: Mapping[UUID, Sequence[str]], areas: Mapping[UUID, str]) -> list[str]:
    return [
        f"{_area(areas, one)} would have two units: {' and '.join(found)}."
        for one, found in given.items()
        if len(found) > 1
    ]


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
