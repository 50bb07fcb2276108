"""The directory of one day in memory, with the indexes that look-ups use; built whole, never changed."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from directory.hours import Hours
from directory.rows import Row, Rows

REACHABLE_ROLES = frozenset({"officer", "supervisor", "practitioner"})


@dataclass(frozen=True)
class Organisation:
    """An organisation as it is looked up."""

    id: UUID
    code: str
    kind: str
    police_kind: str | None
    name: str
    name_welsh: str | None
    other_names: tuple[str, ...]
    former_names: tuple[str, ...]
    country: str | None
    website: str | None
    mail_domains: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    parent_id: UUID | None


@dataclass(frozen=True)
class Unit:
    """A unit as it is looked up."""

    id: UUID
    code: str
    organisation: Organisation
    parent_id: UUID | None
    kind: str
    kind_label: str
    name: str
    name_welsh: str | None
    other_names: tuple[str, ...]
    former_names: tuple[str, ...]
    confidence: str | None
    source: str
    source_date: str
    verification: str
    valid_from: date
    valid_to: date | None
    version: int


@dataclass(frozen=True)
class Area:
    """A district as it is looked up; `force` and `csa` answer for it."""

    id: UUID
    code: str
    name: str
    name_welsh: str | None
    official_name: str | None
    country: str
    force_id: UUID
    csa_id: UUID | None
    previous_codes: tuple[str, ...]


@dataclass(frozen=True)
class Problem:
    """One reader's open report that a contact does not work: what, when, and who by."""

    kind: str
    at: datetime
    person_id: UUID
    organisation_id: UUID


@dataclass(frozen=True)
class Contact:
    """A contact point as it is looked up; `problems` are open reports of its present value."""

    id: UUID
    unit_id: UUID
    purpose: str
    channel: str
    value: str
    audience: str
    priority: int
    hours: Hours
    note: str | None
    status: str
    source: str
    source_date: str
    verification: str
    verified_at: datetime | None
    verified_by: str | None
    suggested_by: str | None = None
    bounced_at: datetime | None = None
    problems: tuple[Problem, ...] = ()
    valid_from: date = date.min
    valid_to: date | None = None
    version: int = 1
    due_at: datetime | None = None


@dataclass(frozen=True)
class Staffing:
    """A membership or client at a unit: for which status it makes the unit reachable, and when."""

    kind: str
    status: str | None
    valid_from: datetime | None
    valid_to: datetime | None


@dataclass(frozen=True)
class Snapshot:
    """The directory as it is on a day (Europe/London), with the indexes that look-ups use.

    `coverage` is who answers for the whole of an area (or the rest of it), `sectors` who for the
    sectors that are another's. `successors` are by the id of a unit that is no more, and by its
    code; `former_units` are the names of such units, by the id of what took their place.
    `positions` are the versions at which organisations, units and areas last changed.
    """

    version: int
    taken_at: datetime
    day: date
    organisations: Mapping[UUID, Organisation]
    units: Mapping[UUID, Unit]
    areas: Mapping[str, Area]
    coverage: Mapping[UUID, tuple[UUID, ...]]
    sectors: Mapping[tuple[UUID, str], tuple[UUID, ...]]
    covered: Mapping[UUID, tuple[UUID, ...]]
    contacts: Mapping[UUID, tuple[Contact, ...]]
    staffing: Mapping[UUID, tuple[Staffing, ...]]
    children: Mapping[UUID, tuple[Unit, ...]]
    by_code: Mapping[str, Unit]
    organisation_by_code: Mapping[str, Organisation]
    successors: Mapping[UUID | str, tuple[Unit, ...]]
    former_units: Mapping[UUID, tuple[str, ...]]
    renamings: Mapping[UUID, tuple[str, date]]
    positions: Mapping[tuple[str, UUID], int]
    cache: dict[Any, Any] = field(default_factory=dict)

    def area(self, code: str) -> Area | None:
        """Return the district of a code, present or former."""
        return self.areas.get(code)

    def bcu_of(self, area: Area, sector: str = "") -> Unit | None:
        """Return the unit below force level that answers for a district, where one is on record.

        `sector` (such as "CT9 1") tells where in the district, for one that is shared.
        """
        own = self.sectors.get((area.id, sector), ())
        for unit_id in (*own, *self.coverage.get(area.id, ())):
            unit = self.units.get(unit_id)
            if unit is not None and unit.kind == "bcu":
                return unit
        return None

    def force_unit(self, organisation_id: UUID) -> Unit | None:
        """Return the unit that stands for a whole police service."""
        organisation = self.organisations.get(organisation_id)
        return self.by_code.get(organisation.code) if organisation else None

    def child(self, unit_id: UUID, kind: str) -> Unit | None:
        """Return the unit of a kind right below another."""
        return next((one for one in self.children.get(unit_id, ()) if one.kind == kind), None)

    def reach(self, unit: Unit, status: str, at: datetime) -> str:
        """Return how a unit is reached for cases of a status (DOMAIN.md 3, Reach)."""
        connected = False
        up: Unit | None = unit
        while up is not None:
            team = self.child(up.id, "missing-children-team")
            for at_unit in (up.id, team.id if team else up.id):
                for one in self.staffing.get(at_unit, ()):
                    if one.kind == "client":
                        connected = True
                    elif one.status == status and (
                        (one.valid_from is None or one.valid_from <= at)
                        and (one.valid_to is None or one.valid_to > at)
                    ):
                        return "staffed"
            up = self.units.get(up.parent_id) if up.parent_id else None
        return "connected" if connected else "not-on-hub"


def build(rows: Rows, day: date, verify_every: timedelta) -> Snapshot:
    """Return the directory of a day from rows of every day.

    `verify_every` is how long a verified contact stays so (DOMAIN.md 5: 90 days, configurable).
    """
    tables = {name: _on(day, found) for name, found in rows.tables.items()}
    organisations = {
        row["id"]: Organisation(
            row["id"], row["code"], row["kind"], row["police_kind"], row["name"],
            row["name_welsh"], tuple(row["other_names"]), tuple(row["former_names"]),
            row["country"], row["website"], tuple(row["mail_domains"]), row["valid_from"],
            row["valid_to"], row["parent_id"],
        )
        for row in tables["organisations"]
    }  # fmt: skip
    renamed = {
        row["unit_id"]: row["name"]
        for row in rows.tables["renamings"]
        if row["effective_on"] <= day
    }
    units = {
        row["id"]: _unit(row, organisations, renamed)
        for row in tables["units"]
        if row["organisation_id"] in organisations
    }
    areas: dict[str, Area] = {}
    for row in tables["areas"]:
        area = Area(
            row["id"], row["code"], row["name"], row["name_welsh"], row["official_name"],
            row["country"], row["force_id"], row["csa_id"], tuple(row["previous_codes"]),
        )  # fmt: skip
        areas[area.code] = area
        for code in area.previous_codes:
            areas.setdefault(code, area)
    coverage: dict[UUID, list[UUID]] = defaultdict(list)
    covered: dict[UUID, list[UUID]] = defaultdict(list)
    sectors: dict[tuple[UUID, str], list[UUID]] = defaultdict(list)
    for row in tables["coverage"]:
        covered[row["unit_id"]].append(row["area_id"])
        if row["sectors"] is None:
            coverage[row["area_id"]].append(row["unit_id"])
        for sector in row["sectors"] or ():
            sectors[row["area_id"], sector].append(row["unit_id"])
    children: dict[UUID, list[Unit]] = defaultdict(list)
    for unit in units.values():
        if unit.parent_id is not None:
            children[unit.parent_id].append(unit)
    successors = _successors(rows, units)
    return Snapshot(
        version=rows.version,
        taken_at=rows.taken_at,
        day=day,
        organisations=organisations,
        units=units,
        areas=areas,
        coverage=_frozen(coverage),
        sectors=_frozen(sectors),
        covered=_frozen(covered),
        contacts=_contacts(rows, tables["contacts"], verify_every),
        staffing=_staffing(rows),
        children=_frozen(children),
        by_code={unit.code: unit for unit in units.values()},
        organisation_by_code={one.code: one for one in organisations.values()},
        successors=successors,
        former_units=_former_units(rows, successors),
        renamings={
            row["unit_id"]: (row["name"], row["effective_on"])
            for row in rows.tables["renamings"]
            if row["effective_on"] > day
        },
        positions={
            (row["kind"], row["object_id"]): row["version"] for row in rows.tables["positions"]
        },
    )


def boundaries(rows: Rows) -> list[date]:
    """Return the days on which the directory changes by itself, earliest first."""
    days = {
        row[name]
        for table in ("organisations", "units", "areas", "coverage", "contacts")
        for row in rows.tables[table]
        for name in ("valid_from", "valid_to")
        if row[name] is not None
    }
    days |= {row["effective_on"] for row in rows.tables["renamings"]}
    return sorted(days)


def _on(day: date, rows: list[Row]) -> list[Row]:
    return [
        row
        for row in rows
        if row.get("valid_from") is None
        or not isinstance(row["valid_from"], date)
        or isinstance(row["valid_from"], datetime)
        or (row["valid_from"] <= day and (row["valid_to"] is None or row["valid_to"] > day))
    ]


def _frozen(found: Mapping[Any, list[Any]]) -> dict[Any, tuple[Any, ...]]:
    return {key: tuple(one) for key, one in found.items()}


def _unit(
    row: Row, organisations: Mapping[UUID, Organisation], renamed: Mapping[UUID, str]
) -> Unit:
    former = tuple(row["former_names"])
    name = renamed.get(row["id"], row["name"])
    if name != row["name"]:
        former = (*former, row["name"])
    return Unit(
        row["id"], row["code"], organisations[row["organisation_id"]], row["parent_id"],
        row["kind"], row["kind_label"], name, row["name_welsh"], tuple(row["other_names"]),
        former, row["confidence"], row["source"], row["source_date"], row["verification"],
        row["valid_from"], row["valid_to"], row["version"],
    )  # fmt: skip


def _contacts(
    rows: Rows, found: list[Row], verify_every: timedelta
) -> dict[UUID, tuple[Contact, ...]]:
    problems: dict[tuple[UUID, str], list[Problem]] = defaultdict(list)
    for row in rows.tables["problems"]:
        problems[row["contact_point_id"], row["value"]].append(
            Problem(row["kind"], row["at"], row["reported_by_id"], row["organisation_id"])
        )
    contacts: dict[UUID, list[Contact]] = defaultdict(list)
    for row in found:
        hours = Hours(row["hours"], row["bank_holiday_rule"], tuple(row["exceptions"]))
        contacts[row["unit_id"]].append(
            Contact(
                row["id"], row["unit_id"], row["purpose"], row["channel"], row["value"],
                row["audience"], row["priority"], hours, row["note"], row["status"],
                row["source"], row["source_date"], row["verification"], row["verified_at"],
                row["verified_by"], row["suggested_by"], row["bounced_at"],
                tuple(problems.get((row["id"], row["value"]), ())), row["valid_from"],
                row["valid_to"], row["version"],
                row["verified_at"] + verify_every if row["verified_at"] else None,
            )
        )  # fmt: skip
    return _frozen(contacts)


def _staffing(rows: Rows) -> dict[UUID, tuple[Staffing, ...]]:
    staffing: dict[UUID, list[Staffing]] = defaultdict(list)
    for row in rows.tables["memberships"]:
        if row["role"] in REACHABLE_ROLES:
            staffing[row["unit_id"]].append(
                Staffing("person", row["status"], row["valid_from"], row["valid_to"])
            )
    for row in rows.tables["clients"]:
        staffing[row["unit_id"]].append(Staffing("client", None, None, None))
    return _frozen(staffing)


def _successors(rows: Rows, units: Mapping[UUID, Unit]) -> dict[UUID | str, tuple[Unit, ...]]:
    """Return by id and code of each unit that is no more what stands in its place on the day."""
    after: dict[UUID, list[UUID]] = defaultdict(list)
    for row in rows.tables["successions"]:
        after[row["unit_id"]].append(row["successor_id"])
    codes = {row["id"]: row["code"] for row in rows.tables["units"]}

    def standing(unit_id: UUID) -> list[Unit]:
        if unit_id in units:
            return [units[unit_id]]
        return [unit for one in after.get(unit_id, ()) for unit in standing(one)]

    found: dict[UUID | str, tuple[Unit, ...]] = {}
    for unit_id in after:
        if unit_id not in units:
            found[unit_id] = tuple(dict.fromkeys(standing(unit_id)))
            found.setdefault(codes[unit_id], found[unit_id])
    return found


def _former_units(
    rows: Rows, successors: Mapping[UUID | str, tuple[Unit, ...]]
) -> dict[UUID, tuple[str, ...]]:
    """Return by id of each unit what the units were called in whose place it stands."""
    found: dict[UUID, list[str]] = defaultdict(list)
    for row in rows.tables["units"]:
        names = (row["name"], row["name_welsh"], *row["other_names"], *row["former_names"])
        for unit in successors.get(row["id"], ()):
            found[unit.id] += [name for name in names if name and name not in found[unit.id]]
    return _frozen(found)
