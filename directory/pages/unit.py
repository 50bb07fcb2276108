"""The page of a unit: what it covers, how to reach it, how far to trust that."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from directory import hours_text, keepers
from directory.ladder import visible
from directory.pages import changed
from directory.pages.asking import editor, known_contacts, reportable, shown_unit
from directory.pages.blueprint import blueprint
from directory.public import PURPOSES
from directory.reading import lookup, reader
from directory.snapshot import Contact
from directory.standing import standing
from hub.clock import LONDON
from hub.errors import not_found
from hub.identity.actor import Actor
from hub.identity.policy import allows
from hub.organisations import Unit as UnitRow
from hub.presence import NO_ANSWER
from hub.web.context import database, now
from hub.web.guards import page, public


@page(blueprint, "/directory/units/<uuid:unit_id>", guard=public, offline=True)
def unit(unit_id: UUID) -> ResponseReturnValue:
    """Show a unit, or what took the place of one that is no more."""
    here = lookup()
    snapshot = here.snapshot
    heirs = snapshot.successors.get(unit_id, ())
    if heirs:
        return render_template("directory/unit_gone.html", heirs=heirs), 200
    shown = shown_unit(unit_id)
    actor = editor()
    who = reader(actor)
    areas = {area.id: area for area in snapshot.areas.values()}
    sectors: dict[UUID, list[str]] = {}
    for (area_id, sector), units in snapshot.sectors.items():
        if shown.id in units:
            sectors.setdefault(area_id, []).append(sector)
    edits = _edits(actor, unit_id)
    contacts = visible(snapshot, shown, who)
    return render_template(
        "directory/unit.html",
        unit=shown,
        status=who.status,
        parent=snapshot.units.get(shown.parent_id) if shown.parent_id else None,
        below=snapshot.children.get(shown.id, ()),
        covers=sorted(
            {areas[one] for one in snapshot.covered.get(shown.id, ()) if one in areas},
            key=lambda area: area.name,
        ),
        sectors=sectors,
        renaming=snapshot.renamings.get(shown.id),
        contacts=contacts,
        standings={one.id: standing(one, now()) for one in contacts},
        reportable={one.id for one in contacts if reportable(actor, one)},
        said={one.id: hours_text.say(one.hours) for one in contacts},
        other_days={one.id: hours_text.write_exceptions(_coming(one)) for one in contacts},
        audiences=changed.code_words()["audience"],
        reach=snapshot.reach(shown, who.status, now()),
        purposes=PURPOSES,
        edits=edits,
        suggests=actor.kind == "person" and allows(actor, "directory.suggest") and not edits,
        actor_may_see_history=allows(actor, "directory.read-professional"),
    )


def _edits(actor: Actor, unit_id: UUID) -> bool:
    """Say whether the reader keeps this entry; the database is asked for editors alone."""
    if not allows(actor, keepers.EDIT, "own", "delegated", "any"):
        return False
    try:
        with database().unit_of_work() as session:
            row = session.get(UnitRow, unit_id)
            return row is not None and keepers.may_edit(session, actor, row)
    except NO_ANSWER:
        return False


def _coming(contact: Contact) -> list[Mapping[str, Any]]:
    """Return the dated exceptions that are not past."""
    today = now().astimezone(LONDON).date().isoformat()
    return [one for one in contact.hours.exceptions if one["date"] >= today]


@page(blueprint, "/directory/contacts/<uuid:contact_id>", guard=public, offline=True)
def contact(contact_id: UUID) -> ResponseReturnValue:
    """Lead to the unit of a contact."""
    found = known_contacts().get(contact_id)
    if found is None:
        raise not_found()
    return redirect(url_for("directory.unit", unit_id=found.unit_id) + f"#contact-{contact_id}")
