"""The page on which a unit's entry is kept: everything on one, every save with its reason."""

from datetime import date
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import editing, keepers, mailboxes, problems, suggestions
from directory.entry_contracts import UnitIn
from directory.model import MAILBOX_CHANNELS, ContactPoint, still_kept
from directory.pages import contact_form
from directory.pages.asking import editor, known_contacts
from directory.pages.blueprint import blueprint
from directory.pages.previewing import preview
from directory.pages.reports import kinds
from directory.public import PURPOSES
from directory.reading import holder, lookup
from directory.standing import standing
from hub.clock import LONDON
from hub.errors import HubError, invalid
from hub.identity.actor import Actor
from hub.identity.policy import allows
from hub.organisations import Unit
from hub.web.context import database, now
from hub.web.guards import page, public

UNIT = "/directory/units/<uuid:unit_id>"
NAMES = ("kind_label", "name_welsh", "other_names")


def sign_in() -> ResponseReturnValue:
    """Lead to the sign-in, and back."""
    return redirect(url_for("accounts.sign_in", next=request.path))


def back(unit_id: UUID, said: str) -> ResponseReturnValue:
    """Lead back to where the change was made from, and say what was done."""
    holder().look_again()
    flash(said)
    if request.form.get("back") == "tasks":
        return redirect(url_for("directory.tasks"), 303)
    return redirect(url_for("directory.edit", unit_id=unit_id), 303)


def version_given() -> int:
    """Return the version that a form was filled from; none is never the present one."""
    given = request.form.get("version", "")
    return int(given) if given.isdecimal() and len(given) < 10 else 0


def seen(field: str = "seen") -> dict[UUID, int]:
    """Return the versions of the contacts that the page showed, or that were ticked on it."""
    found = {}
    for text in request.form.getlist(field):
        key, _colon, version = text.partition(":")
        try:
            found[UUID(key)] = int(version)
        except ValueError:
            continue
    return found


@page(blueprint, f"{UNIT}/edit", guard=public)
def edit(unit_id: UUID) -> ResponseReturnValue:
    """Show everything that is kept of a unit, each with its form, and what callers see of it."""
    if not editor().signed_in:
        return sign_in()
    return _edit(unit_id, {})


def _edit(
    unit_id: UUID, wrong: dict[str, str], status: int = 200, *, asked: UUID | None = None
) -> ResponseReturnValue:
    actor = editor()
    known = known_contacts()
    unit = lookup().snapshot.units.get(unit_id)
    with database().unit_of_work() as session:
        row = keepers.unit_to_edit(session, actor, unit_id)
        contacts = _contacts(session, unit_id, actor)
        tasks = problems.tasks(session, actor, {row.organisation_id})
        own = actor.organisation_id == row.organisation_id
        page_ = render_template(
            "directory/edit.html",
            unit=row,
            ends=_coming(row.valid_to),
            closing=[(one, day_said(one.valid_to)) for one in _closing(session, unit_id, actor)],
            editor=actor,
            status="exercise" if actor.status == "exercise" else "actual",
            contacts=contacts,
            typed_of={one.id: contact_form.typed(one) for one in contacts},
            standings={
                one.id: standing(known[one.id], now()) for one in contacts if one.id in known
            },
            kinds=kinds(),
            reported={task.contact.id: task for task in tasks},
            blank=contact_form.BLANK,
            choices={one.id: contact_form.choices(one.purpose) for one in contacts},
            any_choices=contact_form.choices(),
            purposes=PURPOSES,
            preview=preview(lookup().snapshot, unit, actor.status or "actual", now())
            if unit
            else (),
            problems=wrong,
            typed=request.form,
            asked=asked,
            names=_names(row),
            verifies=actor.kind == "person"
            and allows(actor, mailboxes.VERIFY, "own" if own else "any"),
            mailbox_channels=MAILBOX_CHANNELS,
        )
    return page_, status


def day_said(day: date | None) -> str:
    """Return a day as people write it."""
    return f"{day.day} {day:%B %Y}" if day else ""


def _coming(day: date | None) -> str:
    return day_said(day) if day and day > now().astimezone(LONDON).date() else ""


def _names(unit: Unit) -> dict[str, str]:
    return {
        "kind_label": unit.kind_label,
        "name_welsh": unit.name_welsh or "",
        "other_names": "\n".join(unit.other_names),
    }


def _contacts(session: Session, unit_id: UUID, actor: Actor) -> list[ContactPoint]:
    return list(
        session.scalars(
            select(ContactPoint)
            .where(
                ContactPoint.unit_id == unit_id,
                ContactPoint.status == (actor.status or "actual"),
                still_kept(now()),
            )
            .order_by(ContactPoint.purpose, ContactPoint.priority, ContactPoint.id)
        )
    )


def _closing(session: Session, unit_id: UUID, actor: Actor) -> list[ContactPoint]:
    """Return the contacts that are to be closed on a later day: readers see them until then."""
    return list(
        session.scalars(
            select(ContactPoint)
            .where(
                ContactPoint.unit_id == unit_id,
                ContactPoint.status == (actor.status or "actual"),
                ContactPoint.closed_at.is_not(None),
                ContactPoint.valid_to > now().astimezone(LONDON).date(),
            )
            .order_by(ContactPoint.valid_to, ContactPoint.id)
        )
    )


@page(blueprint, f"{UNIT}/names", guard=public, methods=("POST",))
def names(unit_id: UUID) -> ResponseReturnValue:
    """Keep what a unit is also called."""
    try:
        with database().unit_of_work() as session:
            editing.change_unit(
                session, editor(), unit_id, _names_given(), version=version_given(),
                why=request.form.get("why", ""), now=now(),
            )  # fmt: skip
    except HubError as error:
        if error.status not in (409, 422):
            raise
        at = error.fields[0].pointer.strip("/") if error.fields else ""
        return _edit(unit_id, {at if at in NAMES else "names-why": error.sentence}, error.status)
    return back(unit_id, _("The names are saved."))


def _names_given() -> UnitIn:
    typed = {name: request.form.get(name, "").strip() for name in NAMES}
    others = [" ".join(one.split()) for one in typed["other_names"].splitlines() if one.strip()]
    if any(len(one) > 120 for one in others):
        raise invalid(
            "other-names", _("Keep each name under 120 characters, one a line."), "/other_names"
        )
    try:
        return UnitIn(
            kind_label=typed["kind_label"],
            name_welsh=typed["name_welsh"] or None,
            other_names=others,
        )
    except ValidationError as error:
        at = str(error.errors()[0]["loc"][0])
        sentences = {
            "kind_label": _("Say what such a unit is called, in 2 to 60 characters."),
            "name_welsh": _("Keep the Welsh name under 120 characters."),
            "other_names": _("Give 20 other names at the most."),
        }
        raise invalid(at.replace("_", "-"), sentences[at], f"/{at}") from None


@page(blueprint, f"{UNIT}/confirmation", guard=public, methods=("POST",))
def confirm(unit_id: UUID) -> ResponseReturnValue:
    """Put on record that a unit's contacts are right as they stand."""
    try:
        with database().unit_of_work() as session:
            contacts = editing.confirm_contacts(session, editor(), unit_id, now(), seen=seen())
    except HubError as error:
        if error.status != 409:
            raise
        return _edit(unit_id, {"contacts": error.sentence}, error.status)
    return back(unit_id, _("%(count)s confirmed as right.", count=len(contacts)))


@page(blueprint, f"{UNIT}/suggestions/<uuid:contact_id>", guard=public, methods=("POST",))
def decide(unit_id: UUID, contact_id: UUID) -> ResponseReturnValue:
    """Take a suggestion as it is, or refuse it."""
    takes, version = request.form.get("do") == "take", version_given()
    try:
        with database().unit_of_work() as session:
            suggestions.decide(
                session, editor(), contact_id, takes=takes, version=version, now=now()
            )
    except HubError as error:
        if error.status not in (409, 422):
            raise
        return _edit(unit_id, {f"contact-{contact_id}": error.sentence}, error.status)
    return back(unit_id, _("The suggestion is taken.") if takes else _("It is refused."))


@page(blueprint, f"{UNIT}/reported/<uuid:contact_id>", guard=public, methods=("POST",))
def answer_reports(unit_id: UUID, contact_id: UUID) -> ResponseReturnValue:
    """Answer what readers reported: that it works after all, or that it was put right."""
    with database().unit_of_work() as session:
        problems.answer(
            session, editor(), contact_id, answer=request.form.get("answer", ""), now=now()
        )
    return back(unit_id, _("The reports are answered."))


@page(blueprint, f"{UNIT}/mailboxes/<uuid:contact_id>", guard=public, methods=("POST",))
def verify_mailbox(unit_id: UUID, contact_id: UUID) -> ResponseReturnValue:
    """Record that a mailbox was proved by ringing back: who, whom, on which number."""
    try:
        with database().unit_of_work() as session:
            mailboxes.record_verification(
                session, editor(), contact_id, spoke_to=request.form.get("spoke_to", ""),
                number_rung=request.form.get("number_rung", ""), now=now(),
            )  # fmt: skip
    except HubError as error:
        if error.status != 422:
            raise
        wrong = {f"{f.pointer.strip('/')}-{contact_id}": f.sentence for f in error.fields}
        return _edit(unit_id, wrong, 422, asked=contact_id)
    return back(unit_id, _("The mailbox is on record as verified by call-back."))
