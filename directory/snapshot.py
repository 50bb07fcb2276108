"""The directory in memory: read at once, rebuilt when its version moves, never half changed.

A look-up makes no query, and goes on from memory while the database is away.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from directory.hours import Hours
from hub.clock import LONDON
from hub.db import Database
from hub.logs import get_logger

log = get_logger(__name__)

POLL_SECONDS = 1.0
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
    country: str | None
    website: str | None


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
    other_names: tuple[str, ...]
    confidence: str | None
    source: str
    source_date: str
    verification: str


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
class Contact:
    """A contact point as it is looked up."""

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


@dataclass(frozen=True)
class Staffing:
    """A membership or client at a unit: for which status it makes the unit reachable, and when."""

    kind: str
    status: str | None
    valid_from: datetime | None
    valid_to: datetime | None


@dataclass(frozen=True)
class Snapshot:
    """One state of the directory, with the indexes that look-ups use."""

    version: int
    taken_at: datetime
    organisations: Mapping[UUID, Organisation]
    units: Mapping[UUID, Unit]
    areas: Mapping[str, Area]
    coverage: Mapping[UUID, tuple[UUID, ...]]
    covered: Mapping[UUID, tuple[UUID, ...]]
    contacts: Mapping[UUID, tuple[Contact, ...]]
    staffing: Mapping[UUID, tuple[Staffing, ...]]
    children: Mapping[UUID, tuple[Unit, ...]]
    by_code: Mapping[str, Unit]
    organisation_by_code: Mapping[str, Organisation]
    cache: dict[Any, Any] = field(default_factory=dict)

    def area(self, code: str) -> Area | None:
        """Return the district of a code, present or former."""
        return self.areas.get(code)

    def bcu_of(self, area: Area) -> Unit | None:
        """Return the unit below force level that answers for a district, where one is on record."""
        for unit_id in self.coverage.get(area.id, ()):
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


def read(database: Database, now: datetime) -> Snapshot:
    """Read the whole directory as it stands, in one consistent look.

    Raises:
        SQLAlchemyError: the database is away.
    """
    today = now.astimezone(LONDON).date()
    with database.unit_of_work() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        version = int(session.scalar(text("SELECT version FROM directory_version")) or 0)
        tables = {
            name: [row._asdict() for row in session.execute(text(query), {"today": today})]
            for name, query in QUERIES.items()
        }
    return _build(version, now, tables, today)


QUERIES = {
    "organisations": "SELECT * FROM organisation WHERE valid_to IS NULL OR valid_to > :today",
    "units": "SELECT * FROM unit WHERE valid_to IS NULL OR valid_to > :today ORDER BY code",
    "areas": "SELECT * FROM area WHERE kind = 'district' AND (valid_to IS NULL OR valid_to > :today)"
    " ORDER BY code",
    "coverage": "SELECT unit_id, area_id FROM coverage WHERE valid_from <= :today"
    " AND (valid_to IS NULL OR valid_to > :today) ORDER BY unit_id, area_id",
    "contacts": "SELECT * FROM contact_point WHERE valid_from <= :today"
    " AND (valid_to IS NULL OR valid_to > :today) ORDER BY priority, id",
    "memberships": "SELECT m.unit_id, m.role, m.valid_from, m.valid_to, p.status FROM membership m"
    " JOIN person p ON p.id = m.person_id WHERE p.suspended_at IS NULL AND CAST(:today AS date) IS NOT NULL",
    "clients": "SELECT unit_id FROM oauth_client WHERE revoked_at IS NULL"
    " AND 'cases:read' = ANY(scopes) AND CAST(:today AS date) IS NOT NULL",
}


def _build(
    version: int, now: datetime, tables: Mapping[str, list[dict[str, Any]]], _today: date
) -> Snapshot:
    organisations = {
        row["id"]: Organisation(
            row["id"], row["code"], row["kind"], row["police_kind"], row["name"],
            row["name_welsh"], tuple(row["other_names"]), row["country"], row["website"],
        )
        for row in tables["organisations"]
    }  # fmt: skip
    units = {
        row["id"]: Unit(
            row["id"], row["code"], organisations[row["organisation_id"]], row["parent_id"],
            row["kind"], row["kind_label"], row["name"], tuple(row["other_names"]),
            row["confidence"], row["source"], row["source_date"], row["verification"],
        )
        for row in tables["units"]
        if row["organisation_id"] in organisations
    }  # fmt: skip
    areas: dict[str, Area] = {}
    for row in tables["areas"]:
        area = Area(
            row["id"], row["code"], row["name"], row["name_welsh"], row["official_name"],
            row["country"], row["force_id"], row["csa_id"], tuple(row["previous_codes"]),
        )  # fmt: skip
        areas[area.code] = area
        for code in area.previous_codes:
            areas.setdefault(code, area)
    contacts: dict[UUID, list[Contact]] = defaultdict(list)
    for row in tables["contacts"]:
        hours = Hours(row["hours"], row["bank_holiday_rule"], tuple(row["exceptions"]))
        contacts[row["unit_id"]].append(
            Contact(
                row["id"], row["unit_id"], row["purpose"], row["channel"], row["value"],
                row["audience"], row["priority"], hours, row["note"], row["status"],
                row["source"], row["source_date"], row["verification"], row["verified_at"],
                row["verified_by"],
            )
        )  # fmt: skip
    coverage: dict[UUID, list[UUID]] = defaultdict(list)
    covered: dict[UUID, list[UUID]] = defaultdict(list)
    for row in tables["coverage"]:
        coverage[row["area_id"]].append(row["unit_id"])
        covered[row["unit_id"]].append(row["area_id"])
    staffing: dict[UUID, list[Staffing]] = defaultdict(list)
    for row in tables["memberships"]:
        if row["role"] in REACHABLE_ROLES:
            staffing[row["unit_id"]].append(
                Staffing("person", row["status"], row["valid_from"], row["valid_to"])
            )
    for row in tables["clients"]:
        staffing[row["unit_id"]].append(Staffing("client", None, None, None))
    children: dict[UUID, list[Unit]] = defaultdict(list)
    for unit in units.values():
        if unit.parent_id is not None:
            children[unit.parent_id].append(unit)
    return Snapshot(
        version=version,
        taken_at=now,
        organisations=organisations,
        units=units,
        areas=areas,
        coverage={key: tuple(found) for key, found in coverage.items()},
        covered={key: tuple(found) for key, found in covered.items()},
        contacts={key: tuple(found) for key, found in contacts.items()},
        staffing={key: tuple(found) for key, found in staffing.items()},
        children={key: tuple(found) for key, found in children.items()},
        by_code={unit.code: unit for unit in units.values()},
        organisation_by_code={one.code: one for one in organisations.values()},
    )


class Holder:
    """The snapshot of one process, looked at for freshness at most once a second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._snapshot: Snapshot | None = None
        self._asked = float("-inf")
        self._lock = threading.Lock()

    def current(self, now: datetime) -> Snapshot:
        """Return the directory: a second stale at most, older only while the database is away.

        Raises:
            SQLAlchemyError: the database is away, and none was ever read.
        """
        held = self._snapshot
        if held is not None and time.monotonic() - self._asked < POLL_SECONDS:
            return held
        if held is not None and not self._lock.acquire(blocking=False):
            return held  # another thread is looking
        if held is None:
            self._lock.acquire()
        try:
            return self._refresh(now)
        finally:
            self._lock.release()

    def look_again(self) -> None:
        """Look for a change at the next call: somebody has just made one here."""
        self._asked = float("-inf")

    def _refresh(self, now: datetime) -> Snapshot:
        held = self._snapshot
        if held is not None and time.monotonic() - self._asked < POLL_SECONDS:
            return held
        try:
            if held is not None and self._version() == held.version and _same_day(held, now):
                self._asked = time.monotonic()
                return held
            fresh = read(self._database, now)
        except SQLAlchemyError:
            self._asked = time.monotonic()
            if held is None:
                raise
            log.warning("directory-from-memory", version=held.version, exc_info=True)
            return held
        self._snapshot, self._asked = fresh, time.monotonic()
        return fresh

    def _version(self) -> int:
        with self._database.unit_of_work() as session:
            return int(session.scalar(text("SELECT version FROM directory_version")) or 0)


def _same_day(held: Snapshot, now: datetime) -> bool:
    return held.taken_at.astimezone(LONDON).date() == now.astimezone(LONDON).date()
