"""What any signed-in reader can say: that a contact is wrong, or that they know another."""

from collections.abc import Collection
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from directory import contact_rules, keepers, problems, suggestions
from directory.model import PROBLEMS
from directory.pages import contact_form
from directory.pages.asking import known_contacts, reportable, shown_unit
from directory.pages.blueprint import blueprint
from directory.public import PURPOSES
from directory.reading import holder, lookup, reader
from directory.snapshot import Organisation, Unit
from directory.standing import standing
from hub.errors import HubError, not_found
from hub.identity.actor import Actor
from hub.identity.policy import allows
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
    contact = known_contacts().get(contact_id)
    if contact is None or not reportable(actor, contact):
        raise not_found()
    unit = shown_unit(contact.unit_id)
    wrong: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        try:
            with database().unit_of_work() as session:
                problems.report(
                    session, actor, contact_id, kind=request.form.get("kind", ""),
                    note=request.form.get("note", ""), value=request.form.get("value"), now=now(),
                )  # fmt: skip
        except HubError as error:
            if error.status not in (409, 422):
                raise
            wrong, status = {"kind": error.sentence}, error.status
        else:
            holder().look_again()
            flash(_("Thank you. The next reader sees that it was reported, and its unit is asked."))
            return redirect(url_for("directory.unit", unit_id=unit.id), 303)
    page_ = render_template(
        "directory/report.html", unit=unit, contact=contact, kinds=kinds(), problems=wrong,
        typed=request.form, purposes=PURPOSES, status=reader(actor).status,
        standing=standing(contact, now()),
    )  # fmt: skip
    return page_, status


@page(
    blueprint, "/directory/units/<uuid:unit_id>/suggest",
    guard=permission("directory.suggest"), methods=("GET", "POST"),
)  # fmt: skip
def suggest(unit_id: UUID) -> ResponseReturnValue:
    """Take a suggested contact of somebody else's unit."""
    actor = current_actor()
    unit = shown_unit(unit_id)
    wrong: dict[str, str] = {}
    status = 200
    doubts: tuple[str, ...] = ()
    typed = dict(contact_form.BLANK)
    if request.method == "POST":
        status, typed = 422, request.form.to_dict()
        given, wrong = contact_form.read({**contact_form.BLANK, **typed})
        if given is not None:
            doubts = tuple(contact_rules.warnings(given.channel, given.columns()["value"]))
        if doubts and request.form.get("sure") != "yes":
            wrong["sure"] = _("Confirm that this is the team’s, and not one person’s.")
        if given is not None and not wrong:
            try:
                with database().unit_of_work() as session:
                    suggestions.suggest(session, actor, unit_id, given, now=now())
            except HubError as error:
                if error.status not in (409, 422):
                    raise
                fields = {f.pointer.strip("/") or "value": f.sentence for f in error.fields}
                wrong, status = fields or {"value": error.sentence}, error.status
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
        doubts=doubts, status=reader(actor).status,
    )  # fmt: skip
    return page_, status


def _kept(session: Session, actor: Actor) -> Collection[UUID] | None:
    """Return the organisations whose entries somebody keeps; None is all."""
    return None if allows(actor, keepers.EDIT, "any") else keepers.kept_by(session, actor)


def waiting() -> int:
    """Return how many contacts wait for who is signed in; none where the database is away."""
    actor = current_actor()
    try:
        with database().unit_of_work() as session:
            return problems.waiting(session, actor, _kept(session, actor))
    except SQLAlchemyError:
        return 0


@page(blueprint, "/directory/tasks", guard=permission("directory.keep"))
def tasks() -> ResponseReturnValue:
    """Show an editor what readers reported and suggested, until each is answered."""
    actor = current_actor()
    with database().unit_of_work() as session:
        kept = _kept(session, actor)
        return render_template(
            "directory/tasks.html",
            tasks=problems.tasks(session, actor, kept),
            suggestions=problems.suggestions(session, actor, kept),
            kinds=kinds(),
            purposes=PURPOSES,
            keeps=_entries(kept or keepers.kept_by(session, actor)),
            status=reader(actor).status,
        )


def _entries(organisation_ids: Collection[UUID]) -> list[tuple[Organisation, list[Unit]]]:
    """Return the organisations that somebody keeps with their units, the upper ones first."""
    units = lookup().snapshot.units.values()
    found: dict[Organisation, list[Unit]] = {}
    for unit in sorted(units, key=lambda one: (one.organisation.name, one.code)):
        if unit.organisation.id in organisation_ids:
            found.setdefault(unit.organisation, []).append(unit)
    return list(found.items())
