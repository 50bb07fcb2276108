"""Which police unit and council answer for an address: known for certain, or asked (DOMAIN.md 5)."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from flask import has_app_context

from directory import reading
from directory.hours import bank_holidays
from directory.ladder import Reader
from directory.lookup import Answer, Asked
from hub.errors import HubError


@dataclass(frozen=True)
class Placed:
    """Who answers for an address. Without a unit, `unclear` says why, in a sentence for the reader.

    `council_unit` is the children's team of the council there, None where none is on record.
    """

    unit_id: UUID | None = None
    council_unit: UUID | None = None
    nation: str = "England"
    unclear: str = ""


def place_of(postcode: str, now: datetime) -> Placed:
    """Return who answers for a whole postcode; a guess, a border or another country is unclear.

    Outside a web process nothing can be looked up, and that is unclear too. What is unclear is said
    without the postcode, which is a child's.
    """
    if not has_app_context():
        return Placed(unclear="Nothing can be looked up here.")
    here = reading.lookup()
    try:
        answer = here.answer(Asked(postcode=postcode), (), Reader(), now)
    except HubError:
        return Placed(unclear="The directory knows no such postcode.")
    if not isinstance(answer, Answer) or answer.area is None:
        force = answer.place.force.name if isinstance(answer, Answer) else ""
        return Placed(unclear=f"The postcode is outside England and Wales: {force} answers there.")
    council = answer.place.council
    team = here.snapshot.by_code.get(f"{council.code}/childrens-social-care") if council else None
    found = Placed(None, team.id if team else None, answer.place.nation)
    unit = answer.place.bcu or answer.place.force_unit
    clean = "".join(postcode.split()).upper() == answer.query.replace(" ", "")
    if answer.match.basis != "postcode" or not clean:
        return replace(found, unclear="The postcode is not whole as it is written.")
    if answer.match.guess:
        return replace(found, unclear="The postcode is newer than our data.")
    if answer.others or unit is None:
        return replace(found, unclear="The postcode spans several districts.")
    return replace(found, unit_id=unit.id)


def home_of(council_code: str) -> UUID | None:
    """Return the police unit of a council's own area: of several, their whole force.

    None where the area has more than one force, or nothing can be looked up.
    """
    if not has_app_context():
        return None
    snapshot = reading.lookup().snapshot
    council = snapshot.organisation_by_code.get(council_code)
    areas = [one for one in snapshot.areas.values() if council and one.csa_id == council.id]
    forces = {one.force_id for one in areas}
    if len(forces) != 1:
        return None
    units = {unit.id if (unit := snapshot.bcu_of(one)) else None for one in areas}
    only = next(iter(units)) if len(units) == 1 else None
    whole = snapshot.force_unit(next(iter(forces)))
    return only or (whole.id if whole else None)


def is_bank_holiday(day: date, nation: str) -> bool:
    """Say whether a day is a bank holiday of a nation."""
    return day in bank_holidays(nation, day.year)
