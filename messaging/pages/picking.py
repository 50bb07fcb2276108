"""Choosing a unit: a search by postcode, district, force or name, without scripts."""

from collections.abc import Callable, Mapping

from flask import render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from directory import public as directory
from hub.identity.reach import reach_of
from hub.web import context
from messaging import wording

LONGEST = 100


def page(
    session: Session,
    reference: str | None,
    status: str,
    heading: str,
    address: Callable[[str], str],
    hidden: Mapping[str, str],
    back: str,
    hint: str = "",
) -> str:
    """Return the page of a search for a police unit; each unit found links on to `address(code)`."""
    asked = request.args.get("q", "").strip()[:LONGEST].replace("\0", "")
    now = context.now()
    found = directory.find_units(asked, now) if asked else []
    reaches = reach_of(session, [unit.id for unit in found], status, now) if found else {}
    return render_template(
        "messaging/pick_unit.html",
        ref=reference,
        status=status,
        heading=heading,
        hint=hint or _("The hub finds the police unit that answers for the place."),
        q=asked,
        hidden=hidden.items(),
        back=back,
        found=[
            {
                "name": unit.name,
                "of": ", ".join(
                    part
                    for part in (
                        unit.organisation if unit.organisation != unit.name else "",
                        unit.detail,
                    )
                    if part
                ),
                "address": address(unit.code),
                "reach": reaches.get(unit.id, "not-on-hub"),
                "reach_name": wording.REACHES[reaches.get(unit.id, "not-on-hub")],
            }
            for unit in found
        ],
    )
