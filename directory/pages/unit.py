"""The page of a unit: what it covers, how to reach it, how far to trust that; and its history."""

from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from directory import changes, editing
from directory.ladder import visible
from directory.pages.asking import editor, shown_unit
from directory.pages.blueprint import blueprint
from directory.pages.changed import wording
from directory.public import PURPOSES
from directory.reading import lookup, reader
from hub.errors import not_found
from hub.identity.policy import allows, require
from hub.organisations import Unit as UnitRow
from hub.web.context import database, now
from hub.web.guards import page, public


@page(blueprint, "/directory/units/<uuid:unit_id>", guard=public)
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
    with database().unit_of_work() as session:
        row = session.get(UnitRow, unit_id)
        edits = row is not None and editing.may_edit(session, actor, row)
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
        contacts=visible(snapshot, shown, who),
        reach=snapshot.reach(shown, who.status, now()),
        purposes=PURPOSES,
        edits=edits,
        reports=actor.kind == "person" and allows(actor, "directory.report"),
        suggests=actor.kind == "person" and allows(actor, "directory.suggest") and not edits,
        actor_may_see_history=allows(actor, "directory.read-professional"),
        at=now(),
    )


@page(blueprint, "/directory/units/<uuid:unit_id>/history", guard=public)
def history(unit_id: UUID) -> ResponseReturnValue:
    """Show what was changed, by whom and why, newest first; an editor can put a change back."""
    actor = editor()
    if not actor.signed_in:
        return redirect(url_for("accounts.sign_in", next=request.path))
    require(actor, "directory.read-professional")
    before = request.args.get("before", "")
    with database().unit_of_work() as session:
        row = session.get(UnitRow, unit_id)
        if row is None:
            raise not_found()
        edits = editing.may_edit(session, actor, row)
        found = changes.of_unit(
            session, unit_id, before_id=int(before) if before.isdecimal() else None, limit=30
        )
        if not edits:
            found = [one for one in found if _readable(one, reader(actor).audiences)]
        return render_template(
            "directory/history.html",
            unit=row,
            changes=[wording(one) for one in found],
            edits=edits,
            older=found[-1].id if len(found) == 30 else None,
            none=_("Nothing was changed yet."),
        )


def _readable(change: changes.Change, audiences: frozenset[str]) -> bool:
    """A reader sees the history of contacts that they may see, as they were and as they are."""
    if change.kind != "contact_point":
        return True
    return change.audiences <= audiences and change.status == "actual"


@page(blueprint, "/directory/contacts/<uuid:contact_id>", guard=public)
def contact(contact_id: UUID) -> ResponseReturnValue:
    """Lead to the unit of a contact."""
    for unit_id, contacts in lookup().snapshot.contacts.items():
        if any(one.id == contact_id for one in contacts):
            return redirect(
                url_for("directory.unit", unit_id=unit_id) + f"#contact-{contact_id}", 302
            )
    raise not_found()
