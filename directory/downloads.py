"""What a reader may take away of the directory: a unit's, an organisation's or the nation's. Pure.

It is read from memory, so it can be had while the database is away.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from directory import contact_csv
from directory.contact_csv import unit_rows
from directory.ladder import Reader, visible
from directory.snapshot import Area, Contact, Organisation, Snapshot, Unit
from directory.standing import standing

KINDS = ("police", "national", "local-authority", "health", "provider", "voluntary")
POLICE_KINDS = ("territorial", "national-special", "neighbouring")


@dataclass(frozen=True)
class UnitEntry:
    """A unit, the contacts of it that its reader may see, and the districts that it covers."""

    unit: Unit
    contacts: tuple[Contact, ...]
    covers: tuple[Area, ...]


@dataclass(frozen=True)
class Entry:
    """An organisation and its units: the one that stands for it first, each above its teams."""

    organisation: Organisation
    units: tuple[UnitEntry, ...]

    @property
    def contacts(self) -> int:
        """How many contacts there are."""
        return sum(len(one.contacts) for one in self.units)


@dataclass(frozen=True)
class Extract:
    """What is taken away: entries as a reader sees them at a moment (aware UTC).

    `councils` are the names of the children's services authorities of its districts.
    """

    title: str
    entries: tuple[Entry, ...]
    areas: tuple[Area, ...]
    reader: Reader
    version: int
    at: datetime
    councils: Mapping[UUID, str] = field(default_factory=dict)

    @property
    def audience(self) -> str:
        """The narrowest audience that is among it: what it may be shown to."""
        return next(a for a in ("police", "professional", "public") if a in self.reader.audiences)


def of_unit(snapshot: Snapshot, unit: Unit, reader: Reader, at: datetime) -> Extract:
    """Return a unit with its missing-children team."""
    team = snapshot.child(unit.id, "missing-children-team")
    units = tuple(_entry(snapshot, one, reader) for one in (unit, team) if one)
    entry = Entry(unit.organisation, units)
    return Extract(unit.name, (entry,), (), reader, snapshot.version, at)


def of_organisation(
    snapshot: Snapshot, organisation: Organisation, reader: Reader, at: datetime
) -> Extract:
    """Return an organisation with all its units, and the districts that it answers for."""
    entry = _organisation(snapshot, organisation, _by_parent(snapshot), reader)
    areas = [area for area in _areas(snapshot) if organisation.id in (area.force_id, area.csa_id)]
    return Extract(
        organisation.name, (entry,), tuple(areas), reader, snapshot.version, at,
        _councils(snapshot, areas),
    )  # fmt: skip


def of_nation(snapshot: Snapshot, reader: Reader, at: datetime) -> Extract:
    """Return every police service, and every other organisation that gave a contact."""
    found = _by_parent(snapshot)
    entries = [
        _organisation(snapshot, one, found, reader)
        for one in sorted(snapshot.organisations.values(), key=_order)
    ]
    kept = tuple(one for one in entries if one.contacts or one.organisation.kind == "police")
    areas = tuple(_areas(snapshot))
    return Extract(
        "National directory", kept, areas, reader, snapshot.version, at, _councils(snapshot, areas)
    )


def _councils(snapshot: Snapshot, areas: Iterable[Area]) -> dict[UUID, str]:
    ids = {area.csa_id for area in areas if area.csa_id in snapshot.organisations}
    return {one: snapshot.organisations[one].name for one in ids if one is not None}


def as_csv(extract: Extract) -> str:
    """Return an extract as CSV in the columns that an import takes."""
    return contact_csv.write(
        row
        for entry in extract.entries
        for one in entry.units
        if one.contacts or len(extract.entries) == 1
        for row in unit_rows(
            entry.organisation.name, one.unit.code, one.unit.name,
            ({**vars(contact), **hours_of(contact)} for contact in one.contacts),
        )
    )  # fmt: skip


def as_json(extract: Extract) -> dict[str, Any]:
    """Return an extract as JSON takes it; moments are ISO 8601 in UTC."""
    return {
        "title": extract.title,
        "as_of": extract.at.isoformat(),
        "version": extract.version,
        "status": extract.reader.status,
        "audiences": sorted(extract.reader.audiences),
        "organisations": [
            {
                "organisation_id": str(entry.organisation.id),
                "code": entry.organisation.code,
                "kind": entry.organisation.kind,
                "name": entry.organisation.name,
                "name_welsh": entry.organisation.name_welsh,
                "website": entry.organisation.website,
                "units": [_unit_json(one, extract.at) for one in entry.units],
            }
            for entry in extract.entries
        ],
    }


def hours_of(contact: Contact) -> dict[str, Any]:
    """Return the hours of a contact as the three fields of its row."""
    hours = contact.hours
    return {
        "hours": hours.weekly,
        "bank_holiday_rule": hours.bank_holiday_rule,
        "exceptions": hours.exceptions,
    }


def _unit_json(one: UnitEntry, at: datetime) -> dict[str, Any]:
    unit = one.unit
    return {
        "unit_id": str(unit.id),
        "code": unit.code,
        "kind": unit.kind,
        "kind_label": unit.kind_label,
        "name": unit.name,
        "name_welsh": unit.name_welsh,
        "parent_id": str(unit.parent_id) if unit.parent_id else None,
        "covers": [{"lad_code": area.code, "name": area.name} for area in one.covers],
        "contacts": [_contact_json(contact, at) for contact in one.contacts],
    }


def _contact_json(contact: Contact, at: datetime) -> dict[str, Any]:
    stands = standing(contact, at)
    return {
        "contact_id": str(contact.id),
        "version": contact.version,
        "purpose": contact.purpose,
        "channel": contact.channel,
        "value": contact.value,
        "audience": contact.audience,
        "priority": contact.priority,
        **hours_of(contact),
        "note": contact.note,
        "status": contact.status,
        "verification": contact.verification,
        "verified_at": contact.verified_at.isoformat() if contact.verified_at else None,
        "verified_by": contact.verified_by,
        "due_at": contact.due_at.isoformat() if contact.due_at else None,
        "overdue": stands.overdue,
        "warnings": stands.words(contact.value),
    }


def _organisation(
    snapshot: Snapshot, organisation: Organisation,
    children: dict[tuple[UUID, UUID | None], list[Unit]], reader: Reader,
) -> Entry:  # fmt: skip
    found: list[UnitEntry] = []

    def walk(parent: UUID | None) -> None:
        for unit in children.get((organisation.id, parent), ()):
            found.append(_entry(snapshot, unit, reader))
            walk(unit.id)

    walk(None)
    return Entry(organisation, tuple(found))


def _by_parent(snapshot: Snapshot) -> dict[tuple[UUID, UUID | None], list[Unit]]:
    """Return the units below each, by organisation; one whose parent is another's is at the top."""
    found: dict[tuple[UUID, UUID | None], list[Unit]] = {}
    ranks = ("missing-children-team", "control-room")
    for unit in sorted(
        snapshot.units.values(), key=lambda u: (u.kind not in ranks, u.name, u.code)
    ):
        parent = snapshot.units.get(unit.parent_id) if unit.parent_id else None
        own = parent is not None and parent.organisation.id == unit.organisation.id
        key = (unit.organisation.id, parent.id if own and parent else None)
        found.setdefault(key, []).append(unit)
    return found


def _entry(snapshot: Snapshot, unit: Unit, reader: Reader) -> UnitEntry:
    by_id = snapshot.cache.get("areas-by-id")
    if by_id is None:
        by_id = snapshot.cache["areas-by-id"] = {one.id: one for one in snapshot.areas.values()}
    covers = {
        by_id[one].id: by_id[one] for one in snapshot.covered.get(unit.id, ()) if one in by_id
    }
    return UnitEntry(
        unit,
        tuple(visible(snapshot, unit, reader)),
        tuple(sorted(covers.values(), key=lambda area: area.name)),
    )


def _areas(snapshot: Snapshot) -> Sequence[Area]:
    unique = {area.id: area for area in snapshot.areas.values()}
    return sorted(unique.values(), key=lambda area: (area.name, area.code))


def _order(one: Organisation) -> tuple[int, int, str]:
    return (
        KINDS.index(one.kind) if one.kind in KINDS else len(KINDS),
        POLICE_KINDS.index(one.police_kind) if one.police_kind in POLICE_KINDS else 9,
        one.name,
    )
