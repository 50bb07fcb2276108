"""What any signed-in reader can say: that a contact is wrong, or that they know another."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from directory import editing, problems
from directory.model import PROBLEMS
from directory.pages import contact_form
from directory.pages.asking import shown_unit
from directory.pages.blueprint import blueprint
from directory.public import PURPOSES
from directory.reading import holder, lookup, reader
from directory.snapshot import Contact, Unit
from hub.errors import HubError, not_found
from hub.organisations import Organisation
from hub.web.context import current_actor, database, now
from hub.web.guards import page, permission


def kinds() -> dict[str, str]:
    """Return what can be wrong with a contact, in words."""
    said = {
        "rang-out": _("It rang out: nobody answered"),
        "wrong-team": _("It reaches another team"),
        "unobtainable": _("The number is unobtainable"),
        "mailbox-closed": _("The mailbox is closed, or mail came back"),
        "other": _("Something else"),
    }
    return {name: said[name] for name in PROBLEMS}


@page(
    blueprint, "/directory/contacts/<uuid:contact_id>/report",
    guard=permission("directory.report"), methods=("GET", "POST"),
)  # fmt: skip
def report(contact_id: UUID) -> ResponseReturnValue:
    """Ask what is wrong with a contact, and put it on record for its editors."""
    actor = current_actor()
    unit, contact = _contact(contact_id)
    wrong: dict[str, str] = {}
    if request.method == "POST":
        try:
            with database().unit_of_work() as session:
                problems.report(
                    session, actor, contact_id, kind=request.form.get("kind", ""),
                    note=request.form.get("note", ""), now=now(),
                )  # fmt: skip
        except HubError as error:
            if error.status not in (409, 422):
                raise
            wrong = {"kind": error.sentence}
        else:
            holder().look_again()
            flash(_("Thank you. The next reader sees that it was reported, and its unit is asked."))
            return redirect(url_for("directory.unit", unit_id=unit.id), 303)
    page_ = render_template(
        "directory/report.html", unit=unit, contact=contact, kinds=kinds(), problems=wrong,
        typed=request.form, purposes=PURPOSES, status=reader(actor).status,
    )  # fmt: skip
    return page_, 422 if wrong else 200


def _contact(contact_id: UUID) -> tuple[Unit, Contact]:
    snapshot = lookup().snapshot
    who = reader(current_actor())
    for unit_id, contacts in snapshot.contacts.items():
        for contact in contacts:
            if contact.id == contact_id and contact.audience in who.audiences:
                return snapshot.units[unit_id], contact
    raise not_found()


@page(
    blueprint, "/directory/units/<uuid:unit_id>/suggest",
    guard=permission("directory.suggest"), methods=("GET", "POST"),
)  # fmt: skip
def suggest(unit_id: UUID) -> ResponseReturnValue:
    """Take a suggested contact of somebody else's unit."""
    actor = current_actor()
    unit = shown_unit(unit_id)
    wrong: dict[str, str] = {}
    typed = dict(contact_form.BLANK)
    if request.method == "POST":
        typed = request.form.to_dict()
        given, wrong = contact_form.read({**contact_form.BLANK, **typed})
        if given is not None:
            try:
                with database().unit_of_work() as session:
                    editing.suggest_contact(session, actor, unit_id, given, now=now())
            except HubError as error:
                if error.status not in (409, 422):
                    raise
                fields = {f.pointer.strip("/") or "value": f.sentence for f in error.fields}
                wrong = fields or {"value": error.sentence}
            else:
                holder().look_again()
                flash(
                    _("Your suggestion is shown as suggested, unverified, until the unit decides.")
                )
                return redirect(url_for("directory.unit", unit_id=unit_id), 303)
    choices = contact_form.choices()
    choices["audience"] = [one for one in choices["audience"] if one[0] != "public"]
    page_ = render_template(
        "directory/suggest.html", unit=unit, choices=choices, typed=typed, problems=wrong,
        status=reader(actor).status,
    )  # fmt: skip
    return page_, 422 if wrong else 200


@page(blueprint, "/directory/tasks", guard=permission("directory.keep"))
def tasks() -> ResponseReturnValue:
    """Show an editor what readers reported, until each is answered."""
    actor = current_actor()
    if actor.organisation_id is None:
        raise not_found()
    with database().unit_of_work() as session:
        ids = editing.kept_by(session, actor)
        found = problems.tasks(session, actor, ids)
        names = {one: session.get_one(Organisation, one).name for one in ids}
        return render_template(
            "directory/tasks.html", tasks=found, kinds=kinds(), purposes=PURPOSES, names=names,
            status=reader(actor).status,
        )  # fmt: skip
