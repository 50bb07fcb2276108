"""Choosing a unit: a search by postcode, district, force or name, without scripts."""

from collections.abc import Callable, Collection, Mapping, Sequence

from flask import render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from directory import public as directory
from directory.public import UnitFound
from hub.identity.reach import reach_of
from hub.web import context
from messaging import wording

LONGEST = 100
POLICE, COUNCILS = ("police",), ("local-authority",)
"""The kinds of organisation that a unit is looked for of, where it is of one alone."""


def page(
    session: Session,
    reference: str | None,
    status: str,
    heading: str,
    address: Callable[[str], str],
    hidden: Mapping[str, str],
    back: str,
    hint: str = "",
    first: Sequence[UnitFound] = (),
    first_heading: str = "",
    kinds: Collection[str] = POLICE,
) -> str:
    """Return the page of a search for a unit; each unit found links on to `address(code)`.

    Units are looked for of organisations of these kinds.
    `first` are offered before the search, under their heading: those that the case knows.
    """
    asked = request.args.get("q", "").strip()[:LONGEST].replace("\0", "")
    now = context.now()
    found = directory.find_units(asked, now, kinds=kinds) if asked else []
    units = [*first, *found]
    reaches = reach_of(session, [unit.id for unit in units], status, now) if units else {}

    def row(unit: UnitFound) -> dict[str, str]:
        of = (unit.organisation if unit.organisation != unit.name else "", unit.detail)
        reach = reaches.get(unit.id, "not-on-hub")
        return {
            "name": unit.name,
            "of": ", ".join(part for part in of if part),
            "address": address(unit.code),
            "reach": reach,
            "reach_name": str(wording.REACHES[reach]),
        }

    if kinds == COUNCILS:
        hint = hint or _("The council’s name, or the postcode of the child’s own home.")
    return render_template(
        "messaging/pick_unit.html",
        ref=reference,
        status=status,
        heading=heading,
        hint=hint or _("The hub finds the police unit that answers for the place."),
        q=asked,
        hidden=hidden.items(),
        back=back,
        first=[row(unit) for unit in first],
        first_heading=first_heading,
        found=[row(unit) for unit in found],
    )
