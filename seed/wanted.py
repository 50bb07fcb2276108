"""What the reference files ask the directory to hold: its rows, by table and public key."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

from seed.files import Force, PublishedContact, Reference

Rows = dict[str, dict[str, Any]]
Ids = Callable[[str], UUID]

OWN_KEY = "reference:"  # begins the key of every contact point that a file gave

MISSING_CHILDREN_TEAM = "missing-children-team"
CONTROL_ROOM = "control-room"


def organisations(reference: Reference) -> Rows:
    """Return police services, councils and national bodies, by code."""
    rows: Rows = {}
    source, source_date = reference.sources["police_forces.csv"]
    for force in reference.forces:
        rows[force.code] = {
            "kind": "police",
            "police_kind": force.kind,
            "name": force.name,
            "name_welsh": force.name_welsh,
            "other_names": _others(force.name, force.area_name) + _others("", force.area_code),
            "country": force.country,
            "website": force.website,
            "source": source,
            "source_date": source_date,
        }
    source, source_date = reference.sources["childrens_services_authorities.csv"]
    for authority in reference.authorities:
        rows[authority.code] = {
            "kind": "local-authority",
            "police_kind": None,
            "name": authority.name,
            "name_welsh": authority.name_welsh,
            "other_names": _others(authority.name, authority.official_name),
            "country": authority.country,
            "website": None,
            "source": source,
            "source_date": source_date,
        }
    for body in reference.bodies:
        rows[body.code] = {
            "kind": body.kind,
            "police_kind": None,
            "name": body.name,
            "name_welsh": None,
            "other_names": [],
            "country": None,
            "website": None,
            "source": body.source,
            "source_date": body.source_date,
        }
    return rows


def units(reference: Reference, organisation_id: Ids, unit_id: Ids) -> Rows:
    """Return every unit by code, parents before those below them.

    A force has its own unit; each of its policing units stands below that, and each of both has
    a missing-children team. A neighbouring service has no team that we could know of.
    """
    rows: Rows = {}
    team_source, team_date = reference.sources["teams"]

    def add(
        code: str,
        organisation: str,
        parent: str | None,
        kind: str,
        label: str,
        name: str,
        *,
        source: str = team_source,
        source_date: str = team_date,
        confidence: str | None = None,
        note: str | None = None,
    ) -> None:
        rows[code] = {
            "organisation_id": organisation_id(organisation),
            "parent_id": unit_id(parent) if parent else None,
            "kind": kind,
            "kind_label": label,
            "name": name,
            "confidence": confidence,
            "source": source,
            "source_date": source_date,
            "note": note,
        }

    def add_team(parent: str, organisation: str, name: str) -> None:
        add(
            f"{parent}/{MISSING_CHILDREN_TEAM}",
            organisation,
            parent,
            MISSING_CHILDREN_TEAM,
            "missing children team",
            f"{name} missing children team",
        )

    source, source_date = reference.sources["police_forces.csv"]
    for force in reference.forces:
        add(
            force.code,
            force.code,
            None,
            "force",
            "force",
            force.name,
            source=source,
            source_date=source_date,
            note=force.note,
        )
        if force.kind == "neighbouring":
            continue
        add_team(force.code, force.code, force.name)
        add(
            f"{force.code}/{CONTROL_ROOM}",
            force.code,
            force.code,
            CONTROL_ROOM,
            "control room",
            f"{force.name} control room",
        )
    for unit in reference.units:
        add(
            unit.code,
            unit.force,
            unit.force,
            "bcu",
            unit.label,
            unit.name,
            source=unit.source,
            source_date=unit.as_of,
            confidence=unit.confidence,
            note=unit.note,
        )
        add_team(unit.code, unit.force, unit.name)
    for authority in reference.authorities:
        for kind, label in (
            ("childrens-social-care", "children’s social care"),
            ("edt", "emergency duty team"),
        ):
            add(
                f"{authority.code}/{kind}",
                authority.code,
                None,
                kind,
                label,
                f"{authority.name} {label}",
            )
    for body in reference.bodies:
        add(
            body.unit,
            body.code,
            None,
            body.unit_kind,
            "national unit",
            body.unit_name,
            source=body.source,
            source_date=body.source_date,
        )
    return rows


def areas(reference: Reference, organisation_id: Ids) -> Rows:
    """Return every district by its ONS code."""
    source, source_date = reference.sources["local_authorities.csv"]
    return {
        district.code: {
            "kind": "district",
            "name": district.name,
            "name_welsh": district.name_welsh,
            "official_name": district.official_name,
            "authority_type": district.authority_type,
            "country": district.country,
            "region_code": district.region_code,
            "region_name": district.region_name,
            "force_id": organisation_id(district.force),
            "csa_id": organisation_id(district.authority),
            "previous_codes": list(district.previous_codes),
            "source": source,
            "source_date": source_date,
            "confidence": "high",
        }
        for district in reference.districts
    }


def coverage(reference: Reference, unit_id: Ids, area_id: Ids) -> Rows:
    """Return which unit covers which district, by `coverage_key`."""
    rows: Rows = {}
    source, source_date = reference.sources["local_authorities.csv"]
    for district in reference.districts:
        rows[coverage_key(district.force, district.code)] = {
            "unit_id": unit_id(district.force),
            "area_id": area_id(district.code),
            "basis": "stated",
            "confidence": "high",
            "as_of": source_date,
            "source": source,
        }
    for unit in reference.units:
        for code in unit.districts:
            rows[coverage_key(unit.code, code)] = {
                "unit_id": unit_id(unit.code),
                "area_id": area_id(code),
                "basis": unit.basis,
                "confidence": unit.confidence,
                "as_of": unit.as_of,
                "source": unit.source,
            }
    return rows


def coverage_key(unit: str, area: str) -> str:
    """Return how a report names the coverage of an area by a unit."""
    return f"{unit} in {area}"


def contact_points(reference: Reference, unit_id: Ids) -> Rows:
    """Return published contacts by reference key; 101 or its like of every force that has one.

    A number that stands both in the list of forces and on a page of its own is one contact, with
    the page as its source.
    """
    rows: Rows = {}
    source, source_date = reference.sources["police_forces.csv"]
    unit_of_body = {body.code: body.unit for body in reference.bodies}
    numbers: Counter[str] = Counter()

    def add(
        unit: str,
        purpose: str,
        channel: str,
        value: str,
        source: str,
        source_date: str,
        note: str | None,
    ) -> None:
        stem = f"{OWN_KEY}{unit}/{purpose}/{channel}"
        numbers[stem] += 1
        rows[f"{stem}/{numbers[stem]}"] = {
            "unit_id": unit_id(unit),
            "purpose": purpose,
            "channel": channel,
            "value": value,
            "audience": "public",
            "priority": 100 * numbers[stem],
            "note": note,
            "source": source,
            "source_date": source_date,
        }

    for force in reference.forces:
        if force.non_emergency is None:
            continue
        page = next((one for one in reference.contacts if _is_number_of(force, one)), None)
        add(
            force.code,
            "non-emergency",
            "telephone",
            force.non_emergency,
            page.source if page else source,
            page.source_date if page else source_date,
            page.note if page else None,
        )
    numbers_of_forces = {
        id(one)
        for one in reference.contacts
        for force in reference.forces
        if _is_number_of(force, one)
    }
    for one in reference.contacts:
        if id(one) in numbers_of_forces:
            continue
        unit = one.force or unit_of_body[one.body or ""]
        add(unit, one.purpose, one.channel, one.value, one.source, one.source_date, one.note)
    return rows


def _is_number_of(force: Force, contact: PublishedContact) -> bool:
    return (
        contact.force == force.code
        and contact.channel == "telephone"
        and contact.value == force.non_emergency
    )


def _others(name: str, other: str | None) -> list[str]:
    return [other] if other and other != name else []
