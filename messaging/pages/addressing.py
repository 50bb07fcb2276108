"""Whom a message goes to, or names: the search for that unit, with those that the case knows first."""

from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from sqlalchemy.orm import Session

from hub.identity.actor import Actor
from hub.web import context
from messaging.contracts import CONTRACTS
from messaging.pages import choosing, picking
from messaging.pages.writing import Writing

NAMING = {
    "report-not-accepted": (later("Which police unit must take the report?"), "readdress"),
    "direction": (later("Which unit do you direct to lead?"), "lead"),
    "placement-notification": (later("Which police unit answers for the address?"), "destination"),
}
"""Types that name another unit in their words: how the search for it asks, and what it gives."""

FINDS = {
    "report-not-accepted": later("If another police unit must take it, find that unit"),
    "direction": later("If another unit than the two must lead, find it"),
    "placement-notification": later("Choose the police unit of the address by hand"),
}
"""What the button of their forms says that leads to that search, and keeps what was typed."""

SOUGHT = {
    "authority-named": picking.COUNCILS,
    "information-request": (
        "police", "local-authority", "health", "provider", "voluntary", "national",
    ),
}  # fmt: skip
"""Units of which kinds of organisation a message may be addressed to, where not police alone."""


def search(session: Session, actor: Actor, writing: Writing, status: str) -> str | None:
    """Return the search for the unit that must be chosen now, or None where the form comes."""
    if chosen_first(actor, writing):
        if "q" in request.args:
            writing.carried.pop("to", None)
        elif writing.message_type == "lead-transfer-request" and not writing.carried.keys() & {
            "to",
            "withdraws",
        }:
            only = choosing.other_side(session, actor, writing.reference, context.now())
            writing.carried |= {"to": only} if only else {}
        return None if "to" in writing.carried else _addressed(session, actor, writing, status)
    if writing.message_type not in NAMING or "q" not in request.args:
        return None
    heading, field_name = NAMING[writing.message_type]
    return picking.page(
        session,
        writing.reference,
        status,
        str(heading),
        lambda code: writing.address(**{field_name: code}),
        writing.carried,
        writing.address(),
    )


def _addressed(session: Session, actor: Actor, writing: Writing, status: str) -> str:
    """Return the search for the recipient, below those that it most likely is."""
    place = (session, actor, writing.reference)
    if reports(actor, writing):
        first = choosing.police_of_placement(*place, context.now())
        heading = _("Where the child is placed")
    else:
        first = choosing.units_of_case(*place, writing.message_type, context.now())
        heading = _("Units of this case")
    return picking.page(
        session,
        writing.reference,
        status,
        _(CONTRACTS[writing.message_type].ADDRESSED or "Which police unit do you tell?"),
        lambda code: writing.address(to=code),
        {name: value for name, value in writing.carried.items() if name != "to"},
        url_for("messaging.case", reference=writing.reference),
        first=first,
        first_heading=heading,
        kinds=SOUGHT.get(writing.message_type, picking.POLICE),
    )


def chosen_first(actor: Actor, writing: Writing) -> bool:
    """Say whether the recipient is chosen before anything is written."""
    return bool(CONTRACTS[writing.message_type].ADDRESSED) or reports(actor, writing)


def reports(actor: Actor, writing: Writing) -> bool:
    """Say whether a practitioner tells police that a child is missing."""
    return writing.message_type == "missing-episode-report" and not actor.police


def finds(actor: Actor, writing: Writing) -> str:
    """Return what the button says that leads to a search for another unit, and keeps what was typed."""
    if writing.message_type in FINDS:
        return str(FINDS[writing.message_type])
    free = chosen_first(actor, writing) and "to" in writing.carried and not writing.joins
    return _("Choose another unit") if free else ""
