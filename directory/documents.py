"""The directory as documents for other systems, each made of its own rows alone, and their order.

A document is whole: it has what is, and what is dated to come, as far as one's audience goes. What
is on record of an object changes its position, the version at which it last changed; whoever reads
in the order of positions, and puts each document in the place of the one before, keeps a mirror.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from directory.entry_contracts import Audience, Channel, ExceptionDay, Purpose, Span
from directory.rows import Row, Rows
from directory.standing import lowered

Kind = Literal["organisation", "unit", "area"]
Position = tuple[int, str, str]
"""A version of the directory, and the kind and id of an object that changed at it."""


class OrganisationOut(BaseModel):
    """An organisation, and the code of the one that it is part of.

    `valid_to` is the first day (Europe/London) on which it is no more; `former_until` are the first
    days without a former name, where they are known. `version` is what If-Match names.
    """

    id: UUID
    code: str
    kind: str
    police_kind: str | None
    name: str
    name_welsh: str | None
    other_names: list[str]
    former_names: list[str]
    former_until: dict[str, date]
    parent: str | None
    country: str | None
    website: str | None
    source: str
    source_date: str
    verification: str
    valid_from: date
    valid_to: date | None
    successor: str | None
    version: int


class ContactOut(BaseModel):
    """A contact point, as far as one's audience goes.

    `hours` are weekly spans (1 is Monday, wall clock of London), null is always. It is overdue
    after `due_at`, and tried last while `lowered`. `reports` counts the people who reported
    its present value as wrong. `version` is what If-Match names.
    """

    id: UUID
    purpose: Purpose
    channel: Channel
    value: str
    audience: Audience
    priority: int
    hours: list[Span] | None
    bank_holiday_rule: Literal["as-weekday", "as-sunday", "closed"]
    exceptions: list[ExceptionDay]
    note: str | None
    verification: Literal["unverified", "verified", "suggested"]
    verified_at: datetime | None
    verified_by: str | None
    due_at: datetime | None
    bounced_at: datetime | None
    reports: int
    reported_since: datetime | None
    lowered: bool
    source: str
    source_date: str
    valid_from: date
    valid_to: date | None
    version: int


class CoverOut(BaseModel):
    """A district that a unit answers for; `sectors` null is the whole of it, or what is left."""

    lad_code: str
    sectors: list[str] | None
    valid_from: date
    valid_to: date | None


class UnitNamedOut(BaseModel):
    """A unit by its id and code; neither ever changes."""

    id: UUID
    code: str


class RenamingOut(BaseModel):
    """The name that a unit has from a day on."""

    name: str
    effective_on: date


class UnitOut(BaseModel):
    """A unit with its contacts and the districts that it answers for.

    One that is no more has a `valid_to` that is past, and in `successors` what took its place.
    """

    id: UUID
    code: str
    organisation: str
    parent: UnitNamedOut | None
    kind: str
    kind_label: str
    name: str
    name_welsh: str | None
    other_names: list[str]
    former_names: list[str]
    renaming: RenamingOut | None
    confidence: str | None
    source: str
    source_date: str
    verification: str
    valid_from: date
    valid_to: date | None
    successors: list[UnitNamedOut]
    covers: list[CoverOut]
    contacts: list[ContactOut]


class CoveredByOut(UnitNamedOut):
    """A unit that answers for a district, or for sectors of it."""

    sectors: list[str] | None
    valid_from: date
    valid_to: date | None


class AreaOut(BaseModel):
    """A district: its force, its council, and the units that answer for it."""

    id: UUID
    lad_code: str
    name: str
    name_welsh: str | None
    official_name: str | None
    country: str
    force_id: str
    council: str | None
    previous_codes: list[str]
    source: str
    source_date: str
    verification: str
    valid_from: date
    valid_to: date | None
    successor: str | None
    units: list[CoveredByOut]


Document = OrganisationOut | UnitOut | AreaOut


class Documents:
    """The documents of one version of the directory on one day (Europe/London)."""

    def __init__(self, rows: Rows, day: date, verify_every: timedelta) -> None:
        self.version = rows.version
        self._day = day
        self._verify_every = verify_every
        tables = rows.tables
        self._rows: dict[Kind, dict[UUID, Row]] = {
            "organisation": {row["id"]: row for row in tables["organisations"]},
            "unit": {row["id"]: row for row in tables["units"]},
            "area": {row["id"]: row for row in tables["areas"]},
        }
        self._contacts = _grouped(self._standing(tables["contacts"]), "unit_id")
        self._covers = _grouped(self._standing(tables["coverage"]), "unit_id")
        self._covered = _grouped(self._standing(tables["coverage"]), "area_id")
        self._problems = _grouped(tables["problems"], "contact_point_id")
        self._successors = _grouped(tables["successions"], "unit_id")
        self._renamings = {row["unit_id"]: row for row in tables["renamings"]}
        self._identifiers: dict[Kind, dict[str, UUID]] = {
            kind: self._identified(kind) for kind in self._rows
        }
        self._positions: list[Position] = sorted(
            (row["version"], row["kind"], str(row["object_id"]))
            for row in tables["positions"]
            if row["object_id"] in self._rows[row["kind"]]
        )
        self._listed: dict[Kind, list[tuple[str, str]]] = {}
        self._by_id = {row["id"]: row for rows in self._contacts.values() for row in rows}

    def find(self, kind: Kind, identifier: str) -> UUID | None:
        """Return the id of an object by its UUID or code, also a former one of a district."""
        known = self._identifiers[kind]
        return known.get(identifier) or known.get(identifier.lower())

    def listed(self, kind: Kind) -> list[tuple[str, str]]:
        """Return code and id of what is, or is to come, in their order."""
        found = self._listed.get(kind)
        if found is None:
            rows = self._standing(self._rows[kind].values())
            found = self._listed[kind] = sorted((row["code"], str(row["id"])) for row in rows)
        return found

    def organisation_of(self, unit_id: UUID) -> UUID:
        """Return whose a unit is."""
        found: UUID = self._rows["unit"][unit_id]["organisation_id"]
        return found

    def contact(
        self, contact_id: UUID, audiences: frozenset[str]
    ) -> tuple[UUID, ContactOut] | None:
        """Return a contact and the id of its unit, or None where there is none for this audience."""
        row = self._by_id.get(contact_id)
        if row is None or not _visible(row, audiences):
            return None
        return row["unit_id"], self._contact(row)

    def document(self, kind: Kind, id_: UUID, audiences: frozenset[str]) -> Document:
        """Return an object as an audience may see it: never an exercise's contacts.

        Raises:
            KeyError: there is no such object.
        """
        row = self._rows[kind][id_]
        if kind == "organisation":
            return self._organisation(row)
        return self._area(row) if kind == "area" else self._unit(row, audiences)

    def changed_after(self, after: Position, limit: int) -> tuple[list[Position], bool]:
        """Return what changed after a position, in the order of commits, and whether there is more."""
        begin = bisect_right(self._positions, after)
        return (
            self._positions[begin : begin + limit],
            begin + limit < len(self._positions),
        )

    def _standing(self, rows: Iterable[Row]) -> list[Row]:
        """Return what is not over: what is, and what is to come."""
        return [
            row
            for row in rows
            if row["valid_to"] is None or row["valid_to"] > max(self._day, row["valid_from"])
        ]

    def _identified(self, kind: Kind) -> dict[str, UUID]:
        """Return ids by UUID and code; of districts that had one code in turn, the present one's."""
        rows = sorted(self._rows[kind].values(), key=lambda row: row["valid_from"])
        found = {str(row["id"]): row["id"] for row in rows}
        found |= {row["code"]: row["id"] for row in rows}
        for row in rows:
            for code in row.get("previous_codes", ()):
                found.setdefault(code, row["id"])
        return found | {code.lower(): id_ for code, id_ in found.items()}

    def _organisation(self, row: Row) -> OrganisationOut:
        return organisation_out(
            row,
            parent=self._code("organisation", row["parent_id"]),
            successor=self._code("organisation", row["superseded_by_id"]),
        )

    def _unit(self, row: Row, audiences: frozenset[str]) -> UnitOut:
        contacts = self._contacts.get(row["id"], ())
        plain = _fields(UnitOut, row)
        renaming = self._renamings.get(row["id"])
        if renaming is not None and renaming["effective_on"] <= self._day:
            former = plain["former_names"]
            plain["former_names"] = [*former, row["name"]]
            plain["name"], renaming = renaming["name"], None
        return UnitOut(
            **plain,
            organisation=self._rows["organisation"][row["organisation_id"]]["code"],
            parent=self._named(row["parent_id"]) if row["parent_id"] else None,
            renaming=RenamingOut(name=renaming["name"], effective_on=renaming["effective_on"])
            if renaming
            else None,
            successors=[
                self._named(one["successor_id"]) for one in self._successors.get(row["id"], ())
            ],
            covers=[
                CoverOut(**_fields(CoverOut, one), lad_code=code)
                for one in self._covers.get(row["id"], ())
                if (code := self._code("area", one["area_id"])) is not None
            ],
            contacts=[self._contact(one) for one in contacts if _visible(one, audiences)],
        )

    def _area(self, row: Row) -> AreaOut:
        plain = _fields(AreaOut, row)
        plain["force_id"] = self._rows["organisation"][row["force_id"]]["code"]
        return AreaOut(
            **plain,
            lad_code=row["code"],
            council=self._code("organisation", row["csa_id"]),
            successor=self._code("area", row["superseded_by_id"]),
            units=[
                CoveredByOut(
                    id=one["unit_id"],
                    code=self._rows["unit"][one["unit_id"]]["code"],
                    sectors=one["sectors"],
                    valid_from=one["valid_from"],
                    valid_to=one["valid_to"],
                )
                for one in self._covered.get(row["id"], ())
            ],
        )

    def _contact(self, row: Row) -> ContactOut:
        return contact_out(row, self._problems.get(row["id"], ()), self._verify_every)

    def _named(self, unit_id: UUID) -> UnitNamedOut:
        return UnitNamedOut(id=unit_id, code=self._rows["unit"][unit_id]["code"])

    def _code(self, kind: Kind, id_: UUID | None) -> str | None:
        row = self._rows[kind].get(id_) if id_ else None
        return row["code"] if row else None


def organisation_out(
    row: Mapping[str, Any], *, parent: str | None, successor: str | None
) -> OrganisationOut:
    """Return the document of an organisation's row; `parent` and `successor` are codes."""
    return OrganisationOut(**_fields(OrganisationOut, row), parent=parent, successor=successor)


def contact_out(
    row: Mapping[str, Any], problems: Iterable[Row], verify_every: timedelta
) -> ContactOut:
    """Return the document of a contact's row, with what its readers reported of it and is open."""
    reported = [one for one in problems if one["value"] == row["value"]]
    verified_at = row["verified_at"]
    return ContactOut(
        **_fields(ContactOut, row),
        due_at=verified_at + verify_every if verified_at else None,
        reports=len({one["reported_by_id"] for one in reported}),
        reported_since=min((one["at"] for one in reported), default=None),
        lowered=lowered(
            (one["at"], one["reported_by_id"], one["organisation_id"]) for one in reported
        ),
    )


def _fields(model: type[BaseModel], row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in model.model_fields if name in row}


def _visible(row: Row, audiences: frozenset[str]) -> bool:
    return row["audience"] in audiences and row["status"] == "actual"


def _grouped(rows: Iterable[Row], by: str) -> dict[UUID, list[Row]]:
    found: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[by]].append(row)
    return dict(found)
