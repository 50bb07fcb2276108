"""The public tier as Open Referral UK has it (HSDS 3, UK profile): who is reached for what.

A service is one purpose of one unit, with the contacts that anybody may see. Ids are made from the
unit's and the purpose's, so they stay. Nothing is invented: a team has no address here, its location
is virtual; hours that are not known to end have no schedule; `assured_date` is the day on which the
last of all its contacts was confirmed, and is left out where one of them never was.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import Literal
from uuid import UUID, uuid5

from directory import hours_text
from directory.ladder import NATIONAL, POST, VOICE, Reader, visible
from directory.lookup import NEIGHBOURS
from directory.oruk_documents import (
    TAXONOMY_ID,
    AtLocationOut,
    AttributeOut,
    IdentifierOut,
    ListedServiceOut,
    OrganizationOut,
    PhoneOut,
    ScheduleOut,
    ServiceAreaOut,
    ServiceContactOut,
    ServiceOut,
    TermOut,
)
from directory.postcodes import PostcodeMatch
from directory.public import PURPOSES
from directory.snapshot import Area, Contact, Snapshot, Unit
from directory.standing import standing
from hub.clock import LONDON

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
AREA_URI = "http://statistics.data.gov.uk/id/statistical-geography/"


@dataclass(frozen=True)
class Service:
    """One purpose of one unit, and its public contacts."""

    id: UUID
    unit: Unit
    purpose: str
    contacts: tuple[Contact, ...]

    @property
    def at_location_id(self) -> UUID:
        """The id of the service at its one location."""
        return uuid5(self.id, "at location")

    @property
    def label(self) -> str:
        """The purpose in words."""
        return PURPOSES.get(self.purpose, self.purpose)

    @property
    def name(self) -> str:
        """The unit's name, and the purpose where the name does not say it."""
        told = self.label.lower() in self.unit.name.lower()
        return self.unit.name if told else f"{self.unit.name}: {self.label}"

    def open_between(self, day: str | None, start: time | None, end: time | None) -> bool:
        """Say whether a contact has a span on the day (MO …) that begins and ends between times."""
        for contact in self.contacts:
            for span in contact.hours.weekly or (
                {"days": range(1, 8), "opens": "00:00", "closes": "24:00"},
            ):
                closes = "24:00" if span["closes"] <= span["opens"] else span["closes"]
                if (
                    (day is None or DAYS.index(day) + 1 in span["days"])
                    and (start is None or span["opens"] >= f"{start:%H:%M}")
                    and (end is None or closes <= f"{end:%H:%M}")
                ):
                    return True
        return False


class Services:
    """The services of one snapshot."""

    def __init__(self, snapshot: Snapshot, public_url: str) -> None:
        self.snapshot = snapshot
        self._public_url = public_url.rstrip("/")
        self._areas = {area.id: area for area in snapshot.areas.values()}
        found = [one for unit in snapshot.units.values() for one in _services(snapshot, unit)]
        self.all = tuple(sorted(found, key=lambda one: (one.unit.code, one.purpose)))
        self.by_id: Mapping[UUID, Service] = {one.id: one for one in self.all}
        self.by_at_location = {one.at_location_id: one for one in self.all}

    @cached_property
    def terms(self) -> dict[UUID, TermOut]:
        """The purposes that services have, by id."""
        found = {one.purpose: one.label for one in self.all}
        return {_term(purpose).id: _term(purpose) for purpose in sorted(found)}

    def where(self, match: PostcodeMatch) -> list[Service]:
        """Return the services for a postcode: its force's, division's, council's, the nation's."""
        areas = [area for code in match.lad_codes if (area := self.snapshot.area(code))]
        forces = {area.force_id for area in areas}
        if match.kind in NEIGHBOURS:
            forces = {self.snapshot.organisation_by_code[NEIGHBOURS[match.kind][0]].id}
        councils = {area.csa_id for area in areas}
        outcode, _, inward = match.postcode.partition(" ")
        sector = f"{outcode} {inward[:1]}"
        divisions = {unit.id for area in areas if (unit := self.snapshot.bcu_of(area, sector))}
        found = []
        for one in self.all:
            division = self._division(one.unit)
            organisation = one.unit.organisation
            if division is not None:
                here = division.id in divisions
            elif organisation.kind in ("police", "local-authority"):
                here = organisation.id in forces | councils
            else:
                here = True
            if here:
                found.append(one)
        return found

    def matching(self, text: str, services: Iterable[Service]) -> list[Service]:
        """Return the services whose names have every word of a text."""
        words = text.casefold().split()
        return [
            one
            for one in services
            if all(
                word in f"{one.name} {one.label} {one.unit.organisation.name}".casefold()
                for word in words
            )
        ]

    def listed(self, one: Service, at: datetime) -> ListedServiceOut:
        """Return a service as a list has it, at a moment."""
        doubts = [
            text
            for contact in one.contacts
            if contact.value not in NATIONAL
            for text in standing(contact, at).words(contact.value)
        ]
        return ListedServiceOut(
            id=one.id,
            organization_id=one.unit.organisation.id,
            name=one.name,
            description=f"How to reach {one.unit.organisation.name} about a missing child:"
            f" {one.label.lower()}. If a child is at immediate risk of harm, ring 999.",
            url=next(
                (c.value for c in one.contacts if c.channel == "web"),
                f"{self._public_url}/directory/units/{one.unit.id}",
            ),
            email=next((c.value for c in one.contacts if c.channel in POST), None),
            assured_date=_assured(one.contacts),
            alert=" ".join(doubts) or None,
            organization=self._organization(one.unit),
        )

    def full(self, one: Service, at: datetime) -> ServiceOut:
        """Return a service with all that is known of it, at a moment."""
        term = _term(one.purpose)
        plain = dict(self.listed(one, at))
        plain["organization"] = self._organization(one.unit, whole=True)
        return ServiceOut(
            **plain,
            schedules=[made for contact in one.contacts for made in _schedules(one, contact)],
            service_areas=[
                ServiceAreaOut(
                    id=uuid5(one.id, area.code), service_id=one.id, name=area.name,
                    service_area=text, uri=AREA_URI + area.code,
                )
                for area, text in self._served(one.unit)
            ],
            service_at_locations=[self.at_location(one)],
            contacts=[_contact(one, contact) for contact in one.contacts],
            attributes=[
                AttributeOut(
                    id=uuid5(one.id, "purpose"), link_id=one.id, taxonomy_term_id=term.id,
                    taxonomy_term=term,
                )
            ],
        )  # fmt: skip

    def at_location(self, one: Service) -> AtLocationOut:
        """Return a service at its location."""
        return AtLocationOut(id=one.at_location_id, service_id=one.id)

    def _division(self, unit: Unit) -> Unit | None:
        up: Unit | None = unit
        while up is not None and up.kind != "bcu":
            up = self.snapshot.units.get(up.parent_id) if up.parent_id else None
        return up

    def _served(self, unit: Unit) -> list[tuple[Area, str]]:
        """Return the districts that a unit is for, and each in words with the part that it is for."""
        division = self._division(unit)
        if division is None:
            own = [
                (area, area.name)
                for area in self._areas.values()
                if unit.organisation.id in (area.force_id, area.csa_id)
            ]
            return sorted(own, key=lambda one: one[0].code)
        found = []
        for area_id in dict.fromkeys(self.snapshot.covered.get(division.id, ())):
            area = self._areas[area_id]
            parts = sorted(
                sector
                for (of, sector), units in self.snapshot.sectors.items()
                if of == area_id and division.id in units
            )
            whole = division.id in self.snapshot.coverage.get(area_id, ())
            text = area.name if whole else f"{area.name}: {', '.join(parts)}"
            found.append((area, text))
        return sorted(found, key=lambda one: one[0].code)

    def _organization(self, unit: Unit, *, whole: bool = False) -> OrganizationOut:
        of = unit.organisation
        identifier = IdentifierOut(
            id=uuid5(of.id, "code"), organization_id=of.id, identifier=of.code,
            identifier_type="ONS code" if of.kind == "local-authority" else "Missing Children Hub",
        )  # fmt: skip
        return OrganizationOut(
            id=of.id,
            name=of.name,
            description=f"{of.name} ({of.kind.replace('-', ' ')})",
            website=of.website,
            uri=f"{self._public_url}/api/v1/directory/organisations/{of.code}",
            parent_organization_id=of.parent_id if whole else None,
            organization_identifiers=[identifier] if whole else None,
        )


def _services(snapshot: Snapshot, unit: Unit) -> Iterator[Service]:
    by_purpose: dict[str, list[Contact]] = {}
    for contact in visible(snapshot, unit, Reader()):
        by_purpose.setdefault(contact.purpose, []).append(contact)
    for purpose, contacts in by_purpose.items():
        yield Service(uuid5(unit.id, purpose), unit, purpose, tuple(contacts))


def _term(purpose: str) -> TermOut:
    name = PURPOSES.get(purpose, purpose)
    return TermOut(id=uuid5(TAXONOMY_ID, purpose), name=name, description=name)


def _assured(contacts: Iterable[Contact]) -> str | None:
    """Return the day (Europe/London) up to which every contact has been confirmed, if all were."""
    moments = [contact.verified_at for contact in contacts]
    known = [one for one in moments if one is not None]
    if not known or len(known) < len(moments):
        return None
    return min(known).astimezone(LONDON).date().isoformat()


def _contact(one: Service, contact: Contact) -> ServiceContactOut:
    phones = []
    if contact.channel in VOICE or contact.channel == "text":
        kinds: dict[str, Literal["voice", "cell", "text"]] = {"mobile": "cell", "text": "text"}
        phones.append(
            PhoneOut(
                id=uuid5(contact.id, "phone"), contact_id=contact.id, service_id=one.id,
                number=contact.value, type=kinds.get(contact.channel, "voice"),
                description=contact.note,
            )
        )  # fmt: skip
    return ServiceContactOut(
        id=contact.id, service_id=one.id, name=one.unit.name, title=one.label,
        email=contact.value if contact.channel in POST else None, phones=phones,
    )  # fmt: skip


def _schedules(one: Service, contact: Contact) -> Iterator[ScheduleOut]:
    last = contact.valid_to - timedelta(days=1) if contact.valid_to else None
    notes = [f"Of {contact.value}. Times of day in Europe/London."]
    for exception in contact.hours.exceptions:
        spans = [f"{span['opens']} to {span['closes']}" for span in exception.get("spans", ())]
        notes.append(f"{exception['date']}: {' and '.join(spans) or 'closed'}.")
    for number, span in enumerate(contact.hours.weekly or ()):
        yield ScheduleOut(
            id=uuid5(contact.id, f"hours {number}"),
            service_id=one.id,
            valid_from=contact.valid_from.isoformat(),
            valid_to=last.isoformat() if last else None,
            byday=",".join(DAYS[day - 1] for day in sorted(span["days"])),
            opens_at=span["opens"],
            closes_at="00:00" if span["closes"] == "24:00" else span["closes"],
            description=hours_text.say(contact.hours),
            notes=" ".join(notes),
        )
