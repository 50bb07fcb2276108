"""The directory as one HTML file for the duty laptop: it works with no network and no server. Pure.

Which contacts, and in which order, is the ladder's answer at the moment of saving; what is open is
worked out in the file itself, by the clock of the laptop.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from jinja2 import Environment, PackageLoader

from directory.hours import Hours, bank_holidays
from directory.hours_text import say
from directory.ladder import NATIONAL, NEEDS, POST, VOICE, Ladder, Reader, visible
from directory.lookup import NEIGHBOURS, Answer, Asked, Lookup
from directory.postcodes import PostcodeMatch, Postcodes
from directory.public import PURPOSES
from directory.search import index
from directory.snapshot import Area, Contact, Organisation, Snapshot, Unit
from directory.standing import standing
from hub.clock import LONDON, said

FRESH = timedelta(days=7)
CALLED = VOICE | {"text"}
Shared = tuple[tuple[int | tuple[str, str], ...], tuple[str, ...]]
"""A ladder as the file has it: contacts by number (or value and words), and steps without any."""


@dataclass(frozen=True)
class Line:
    """A contact as the file shows it; `clock` is its place among the hours that scripts read."""

    number: int
    contact: Contact
    unit: str
    clock: int | None
    hours: str
    connects: str | None
    against: tuple[str, ...]

    @property
    def link(self) -> str | None:
        """What to ring or write to; a web page has none, since the file needs no network."""
        value = self.contact.value
        if self.contact.channel in VOICE:
            return "tel:" + "".join(sign for sign in value if sign.isdigit() or sign == "+")
        return f"mailto:{value}" if self.contact.channel in POST else None


@dataclass(frozen=True)
class Section:
    """An organisation or a BCU, with the contacts of all its teams."""

    number: int
    kind: str
    name: str
    detail: str
    covers: tuple[str, ...]
    lines: tuple[Line, ...]


def saved_copy(snapshot: Snapshot, postcodes: Postcodes, reader: Reader, now: datetime) -> str:
    """Return what a reader may see of the directory as one HTML file; `now` is aware UTC."""
    copy = _Copy(snapshot, Lookup(snapshot, postcodes), reader, now)
    areas = list({area.id: area for area in snapshot.areas.values()}.values())
    answers = copy.answers(areas)
    sections = copy.sections(answers)
    data = {
        "saved": now.isoformat(),
        "fetchAfter": (now + FRESH).isoformat(),
        **copy.places(answers),
        "outcodes": copy.outcodes(postcodes),
        "hours": list(copy.clocks.values()),
        "holidays": copy.holidays(),
    }
    template = _environment().get_template("directory/saved_copy.html")
    return template.render(
        data=data,
        districts=copy.districts(areas),
        sections=sections,
        saved=now,
        fetch_after=now + FRESH,
        reader=reader,
        purposes=PURPOSES,
        national=NATIONAL,
    )


class _Copy:
    """One file in the making: contacts, sections and hours get their numbers as they are met."""

    def __init__(self, snapshot: Snapshot, lookup: Lookup, reader: Reader, now: datetime) -> None:
        self.snapshot, self.lookup, self.reader, self.now = snapshot, lookup, reader, now
        self.today = now.astimezone(LONDON).date()
        self.clocks: dict[str, dict[str, Any]] = {}
        self.contacts: dict[UUID, tuple[int, Contact]] = {}
        self.order: dict[UUID, int] = {}
        self.homes: dict[UUID, Section] = {}
        self.units_of: dict[UUID, list[Unit]] = defaultdict(list)
        self.bcus = [unit for unit in snapshot.units.values() if unit.kind == "bcu"]
        for unit in self.bcus:
            for area_id in snapshot.covered.get(unit.id, ()):
                self.units_of[area_id].append(unit)

    def answers(self, areas: Iterable[Area]) -> dict[UUID, Answer]:
        """Return the answers for every district, force, BCU and council of several districts."""
        councils = {area.csa_id for area in areas}
        asked = {area.id: Asked(local_authority=area.code) for area in areas}
        for one in self.snapshot.organisations.values():
            if one.kind == "police":
                asked[one.id] = Asked(force=one.code)
            elif one.id in councils and one.code not in self.snapshot.areas:
                asked[one.id] = Asked(local_authority=one.code)
        asked |= {unit.id: Asked(unit=unit.code) for unit in self.bcus}
        found = {
            of: self.lookup.answer(one, NEEDS, self.reader, self.now) for of, one in asked.items()
        }
        return {of: one for of, one in found.items() if isinstance(one, Answer)}

    def sections(self, answers: Mapping[UUID, Answer]) -> list[Section]:
        """Return every organisation and BCU, a force before its BCUs, police first."""
        connects = {
            rung.contact_id: rung.connects
            for answer in answers.values()
            for ladder in answer.ladders.values()
            for rung in ladder.rungs
            if rung.contact_id and rung.connects
        }
        teams: dict[UUID, list[Unit]] = defaultdict(list)
        for unit in self.snapshot.units.values():
            bcu = self._bcu(unit)
            teams[bcu.id if bcu else unit.organisation.id].append(unit)
        names = {area.id: area.name for area in self.snapshot.areas.values()}
        bcus = sorted(self.bcus, key=lambda unit: unit.name)
        found: list[Section] = []
        for one in sorted(self.snapshot.organisations.values(), key=_order):
            own = [unit for unit in bcus if unit.organisation.id == one.id]
            wholes: tuple[Organisation | Unit, ...] = (one, *own)
            for whole in wholes:
                detail = whole.kind_label if isinstance(whole, Unit) else ""
                here = self.snapshot.covered.get(whole.id, ())
                covers = tuple(sorted(names[one] for one in here if one in names))
                kind = "bcu" if isinstance(whole, Unit) else one.kind
                lines = tuple(self._lines(teams[whole.id], connects))
                section = Section(len(found), kind, whole.name, detail, covers, lines)
                self.homes[whole.id] = section
                found.append(section)
        return found

    def _bcu(self, unit: Unit) -> Unit | None:
        up: Unit | None = unit
        while up is not None and up.kind != "bcu":
            up = self.snapshot.units.get(up.parent_id) if up.parent_id else None
        return up

    def _lines(self, units: Iterable[Unit], connects: Mapping[UUID, str]) -> Iterable[Line]:
        for unit in units:
            for contact in visible(self.snapshot, unit, self.reader):
                number, _same = self.contacts.setdefault(contact.id, (len(self.contacts), contact))
                against = replace(standing(contact, self.now), verification="")
                yield Line(
                    number,
                    contact,
                    unit.name,
                    self._clock(contact.hours, unit) if contact.channel in CALLED else None,
                    hours_in_words(contact.hours, self.today),
                    connects.get(contact.id),
                    tuple(against.words(contact.value)),
                )

    def _clock(self, hours: Hours, unit: Unit) -> int:
        rule = {**vars(hours), "nation": unit.organisation.country or "England"}
        self.clocks.setdefault(repr(rule), rule)
        return list(self.clocks).index(repr(rule))

    def holidays(self) -> dict[str, list[str]]:
        """Return the bank holidays of this year and the next by nation, as ISO dates."""
        years = (self.today.year, self.today.year + 1)
        return {
            nation: sorted(day.isoformat() for year in years for day in bank_holidays(nation, year))
            for nation in sorted({rule["nation"] for rule in self.clocks.values()})
        }

    def districts(self, areas: Iterable[Area]) -> list[tuple[Area, list[Section]]]:
        """Return the index: each district by name, with its force, units and council."""
        by_name = sorted(areas, key=lambda area: area.name)
        return [(area, self._sections_of(area)) for area in by_name]

    def _sections_of(self, target: Area | Organisation | Unit) -> list[Section]:
        ids: tuple[UUID | None, ...] = (target.id,)
        if isinstance(target, Area):
            ids = (target.force_id, *(u.id for u in self.units_of[target.id]), target.csa_id)
        elif isinstance(target, Unit):
            ids = (target.organisation.id, target.id)
        return [self.homes[of] for of in ids if of in self.homes]

    def places(self, answers: Mapping[UUID, Answer]) -> dict[str, Any]:
        """Return what a search can find, and the ladders that several of them share."""
        shared: dict[Shared, int] = {}
        found: dict[UUID, dict[str, Any]] = {}
        for entry in index(self.snapshot).entries:
            area = self.snapshot.area(entry.target.code) if entry.kind == "council" else None
            target = area or entry.target
            if target.id in found:
                found[target.id]["names"][entry.text] = None
                continue
            answer = answers.get(target.id)
            self.order[target.id] = len(found)
            found[target.id] = {
                "name": target.name,
                "kind": entry.kind,
                "names": {entry.text: None},
                "where": answer.place.force.name if answer else "",
                "note": answer.match.note if answer else "",
                "sections": [section.number for section in self._sections_of(target)],
                "ladders": [
                    shared.setdefault(self._shared(one), len(shared))
                    for one in (answer.ladders.values() if answer else ())
                ],
            }
        places = [{**place, "names": list(place["names"])} for place in found.values()]
        return {"places": places, "ladders": list(shared)}

    def _shared(self, ladder: Ladder) -> Shared:
        """Return a ladder's contacts, 101 in its own place alone, and the steps without any."""
        items: dict[int | tuple[str, str], None] = {}
        given: set[str] = set()
        missing: dict[str, None] = {}
        for rung in (*ladder.rungs, *ladder.write_to):
            known = self.contacts.get(rung.contact_id) if rung.contact_id else None
            if known is not None and known[1].purpose == rung.purpose:
                items[known[0]] = None
                given.add(rung.purpose)
            elif rung.value is None or rung.purpose == "control-room":
                missing[rung.purpose] = None
            else:
                where = _("connects %(where)s", where=rung.connects) if rung.connects else ""
                words = ". ".join(one for one in (where, rung.note) if one)
                items[rung.value, words] = None
        steps = (PURPOSES.get(one, one) for one in missing if one not in given)
        return tuple(items), tuple(steps)

    def outcodes(self, postcodes: Postcodes) -> dict[str, list[int]]:
        """Return by outward code its places, the one with most postcodes first."""
        by_code = self.snapshot.organisation_by_code
        found: dict[str, list[int]] = {}
        for outcode, match in _outcodes(postcodes).items():
            areas = [self.snapshot.area(code) for code in match.lad_codes]
            beyond = [by_code.get(NEIGHBOURS[kind][0]) for kind in match.outside]
            ids = dict.fromkeys(one.id for one in (*areas, *beyond) if one is not None)
            found[outcode] = [self.order[of] for of in ids if of in self.order]
        return found


@lru_cache(maxsize=1)
def _outcodes(postcodes: Postcodes) -> dict[str, PostcodeMatch]:
    """Return what each outward code on record says; half a second, once per process."""
    found = {outcode: postcodes.find(outcode) for outcode in postcodes._table.rows}
    return {outcode: match for outcode, match in found.items() if match.basis == "outcode"}


@cache
def _environment() -> Environment:
    environment = Environment(autoescape=True, loader=PackageLoader("directory"))
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.globals["_"] = _
    environment.filters["moment"] = said
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "ensure_ascii": False}
    return environment


def _order(one: Organisation) -> tuple[int, int, str]:
    kinds = ("police", "local-authority", "national", "voluntary")
    forces = ("territorial", "national-special", "neighbouring")
    return (
        kinds.index(one.kind) if one.kind in kinds else len(kinds),
        forces.index(one.police_kind) if one.police_kind in forces else len(forces),
        one.name,
    )


def hours_in_words(hours: Hours, today: date) -> str:
    """Return hours as people say them, in London time, with the exceptions still to come."""
    told = [_("closed") if hours.weekly is not None and not hours.weekly else say(hours)]
    for exception in hours.exceptions:
        day = date.fromisoformat(exception["date"])
        if day >= today:
            spans = (f"{one['opens']} to {one['closes']}" for one in exception.get("spans", ()))
            told.append(f"{day.day} {day:%B %Y} {' and '.join(spans) or _('closed')}")
    return "; ".join(told)
