"""The pages on which a unit's entry is kept: everything on one, every save with its reason."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import contact_rules, editing, mailboxes, problems
from directory.editing import ContactIn, UnitIn
from directory.hours import Hours
from directory.model import MAILBOX_CHANNELS, ContactPoint
from directory.pages import contact_form
from directory.pages.asking import editor
from directory.pages.blueprint import blueprint
from directory.pages.changed import field_labels, value
from directory.pages.previewing import Seen, preview
from directory.public import PURPOSES
from directory.reading import holder, lookup
from directory.snapshot import Contact
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.identity.policy import allows
from hub.web.context import database, now
from hub.web.guards import page, public

UNIT = "/directory/units/<uuid:unit_id>"


def _sign_in() -> ResponseReturnValue:
    return redirect(url_for("accounts.sign_in", next=request.path))


def _back(unit_id: UUID, said: str) -> ResponseReturnValue:
    holder().look_again()
    flash(said)
    return redirect(url_for("directory.edit", unit_id=unit_id), 303)


@page(blueprint, f"{UNIT}/edit", guard=public)
def edit(unit_id: UUID) -> ResponseReturnValue:
    """Show everything that is kept of a unit, and what a caller would see of it."""
    if not editor().signed_in:
        return _sign_in()
    return _edit(unit_id, {})


def _edit(unit_id: UUID, wrong: dict[str, str], status: int = 200) -> ResponseReturnValue:
    actor = editor()
    with database().unit_of_work() as session:
        row = editing.unit_to_edit(session, actor, unit_id)
        contacts = _contacts(session, unit_id, actor)
        reported = {
            task.contact.id: task
            for task in problems.tasks(session, actor, frozenset({row.organisation_id}))
        }
        return render_template(
            "directory/edit.html",
            unit=row,
            editor=actor,
            status="exercise" if actor.status == "exercise" else "actual",
            contacts=contacts,
            reported=reported,
            purposes=PURPOSES,
            preview=_preview(unit_id, actor),
            problems=wrong,
            typed=request.form,
            verifies=actor.kind == "person" and allows(actor, mailboxes.VERIFY, "own"),
            mailbox_channels=MAILBOX_CHANNELS,
            audiences=dict(contact_form.choices()["audience"]),
            at=now(),
        ), status


def _contacts(session: Session, unit_id: UUID, actor: Actor) -> list[ContactPoint]:
    return list(
        session.scalars(
            select(ContactPoint)
            .where(
                ContactPoint.unit_id == unit_id,
                ContactPoint.status == (actor.status or "actual"),
                ContactPoint.closed_at.is_(None),
            )
            .order_by(ContactPoint.purpose, ContactPoint.priority, ContactPoint.id)
        )
    )


def _preview(
    unit_id: UUID, actor: Actor, contact_id: UUID | None = None, draft: ContactIn | None = None
) -> list[Seen]:
    """Return what callers see, with one contact as it is typed in place of the one on record."""
    snapshot = lookup().snapshot
    unit = snapshot.units.get(unit_id)
    if unit is None:
        return []
    status = actor.status or "actual"
    if draft is None:
        return preview(snapshot, unit, status, now())
    columns = draft.columns()
    known = next((c for c in snapshot.contacts.get(unit_id, ()) if c.id == contact_id), None)
    new = Contact(
        known.id if known else unit_id, unit_id, draft.purpose, draft.channel, columns["value"],
        draft.audience, draft.priority,
        Hours(columns["hours"], draft.bank_holiday_rule, tuple(columns["exceptions"])),
        columns["note"], status, "", "", "verified", now(), actor.name,
    )  # fmt: skip
    others = [c for c in snapshot.contacts.get(unit_id, ()) if c.id != contact_id]
    contacts = sorted([*others, new], key=lambda one: one.priority)
    return preview(snapshot, unit, status, now(), contacts)


@page(blueprint, f"{UNIT}/contacts/new", guard=public, methods=("GET", "POST"))
def new_contact(unit_id: UUID) -> ResponseReturnValue:
    """Put a contact of a unit on record."""
    return _contact(unit_id, None)


@page(blueprint, f"{UNIT}/contacts/<uuid:contact_id>", guard=public, methods=("GET", "POST"))
def change_contact(unit_id: UUID, contact_id: UUID) -> ResponseReturnValue:
    """Change a contact, see first what callers would see, or close it."""
    return _contact(unit_id, contact_id)


def _contact(unit_id: UUID, contact_id: UUID | None) -> ResponseReturnValue:
    actor = editor()
    if not actor.signed_in:
        return _sign_in()
    wanted = request.form.get("do", "") if request.method == "POST" else ""
    draft, wrong = contact_form.read(request.form) if wanted else (None, {})
    if wanted == "preview" or (wanted and wrong and wanted != "close"):
        return _contact_page(
            unit_id, contact_id, actor, draft, wrong if wanted != "preview" else {}
        )
    if wanted:
        try:
            return _save(unit_id, contact_id, actor, wanted, draft)
        except HubError as error:
            if error.status not in (409, 422):
                raise
            names = {f.pointer.strip("/") or "": f.sentence for f in error.fields}
            theirs = error.code == "changed-meanwhile"
            return _contact_page(
                unit_id, contact_id, actor, draft, names or {"": error.sentence}, error.status,
                theirs=theirs,
            )  # fmt: skip
    return _contact_page(unit_id, contact_id, actor, None, {})


def _save(
    unit_id: UUID, contact_id: UUID | None, actor: Actor, wanted: str, draft: ContactIn | None
) -> ResponseReturnValue:
    form = request.form
    why, checked = form.get("why", ""), form.get("checked") == "yes"
    version = int(form["version"]) if form.get("version", "").isdecimal() else None
    with database().unit_of_work() as session:
        if contact_id is not None:
            editing.contact_to_edit(session, actor, contact_id, None)
        if wanted == "close" and contact_id is not None:
            editing.close_contact(session, actor, contact_id, version=version, why=why, now=now())
            said = _("The contact is closed. It stays in the history, and can be put back there.")
        elif draft is None:
            raise HubError("contact", 422, _("Check what you typed."))
        elif contact_id is None:
            editing.add_contact(session, actor, unit_id, draft, why=why, now=now(), checked=checked)
            said = _("The contact is on record.")
        else:
            editing.change_contact(
                session, actor, contact_id, draft, version=version, why=why, now=now(),
                checked=checked,
            )  # fmt: skip
            said = _("The change is saved. It can be put back from the history.")
    if draft is not None and wanted == "save":
        doubts = contact_rules.warnings(draft.channel, draft.columns()["value"])
        for doubt in doubts:
            flash(doubt, "warning")
    return _back(unit_id, said)


def _contact_page(
    unit_id: UUID, contact_id: UUID | None, actor: Actor, draft: ContactIn | None,
    wrong: dict[str, str], status: int = 200, *, theirs: bool = False,
) -> ResponseReturnValue:  # fmt: skip
    labels = field_labels()
    with database().unit_of_work() as session:
        unit = editing.unit_to_edit(session, actor, unit_id)
        contact = editing.contact_to_edit(session, actor, contact_id, None) if contact_id else None
        on_record = contact_form.typed(contact) if contact else dict(contact_form.BLANK)
        typed = request.form.to_dict() if request.method == "POST" else on_record
        differs = [
            (labels[name], value("", on_record.get(name, "")), typed.get(name, ""))
            for name in contact_form.FIELDS
            if theirs and typed.get(name, "").strip() != on_record.get(name, "").strip()
        ]
        page_ = render_template(
            "directory/contact.html" if not _fragment() else "directory/_preview.html",
            unit=unit,
            editor=actor,
            contact=contact,
            choices=contact_form.choices(),
            typed=typed,
            version=contact.version if contact else None,
            problems=wrong,
            theirs=theirs,
            differs=differs,
            changed_by=contact.edited_by if contact and theirs else "",
            preview=_preview(unit_id, actor, contact_id, draft),
            unsaved=draft is not None,
            doubts=contact_rules.warnings(draft.channel, draft.columns()["value"]) if draft else [],
            status="exercise" if actor.status == "exercise" else "actual",
        )
    return page_, 422 if wrong and status == 200 else status


def _fragment() -> bool:
    return request.headers.get("X-Fragment") == "preview"


@page(blueprint, f"{UNIT}/names", guard=public, methods=("POST",))
def names(unit_id: UUID) -> ResponseReturnValue:
    """Keep what a unit is also called."""
    form = request.form
    try:
        with database().unit_of_work() as session:
            given = UnitIn(
                kind_label=form.get("kind_label", "").strip()[:60] or "Unit",
                name_welsh=form.get("name_welsh", "").strip()[:120] or None,
                other_names=[
                    one.strip()[:120]
                    for one in form.get("other_names", "").splitlines()
                    if one.strip()
                ][:20],
            )
            version = int(form["version"]) if form.get("version", "").isdecimal() else None
            editing.change_unit(
                session, editor(), unit_id, given, version=version, why=form.get("why", ""),
                now=now(),
            )  # fmt: skip
    except HubError as error:
        if error.status not in (409, 422):
            raise
        return _edit(unit_id, {"names-why": error.sentence}, error.status)
    return _back(unit_id, _("The names are saved."))


@page(blueprint, f"{UNIT}/confirmation", guard=public, methods=("POST",))
def confirm(unit_id: UUID) -> ResponseReturnValue:
    """Put on record that a unit's contacts are right as they stand."""
    chosen = request.form.get("contact", "")
    with database().unit_of_work() as session:
        contacts = editing.confirm_contacts(
            session, editor(), unit_id, now(), [UUID(chosen)] if chosen else None
        )
    return _back(unit_id, _("%(count)s confirmed as right.", count=len(contacts)))


@page(blueprint, f"{UNIT}/suggestions/<uuid:contact_id>", guard=public, methods=("POST",))
def decide(unit_id: UUID, contact_id: UUID) -> ResponseReturnValue:
    """Take a suggestion as it is, or refuse it."""
    takes = request.form.get("do") == "take"
    with database().unit_of_work() as session:
        actor = editor()
        contact = editing.contact_to_edit(session, actor, contact_id, None)
        if takes:
            given, _wrong = contact_form.read(contact_form.typed(contact))
            if given is None:
                raise HubError("contact", 422, _("Change the suggestion before you take it."))
            editing.change_contact(
                session, actor, contact_id, given, version=None, why="a reader’s suggestion, taken",
                now=now(), checked=True,
            )  # fmt: skip
        else:
            editing.close_contact(
                session, actor, contact_id, version=None, why="a reader’s suggestion, refused",
                now=now(),
            )  # fmt: skip
    return _back(
        unit_id, _("The suggestion is taken.") if takes else _("The suggestion is refused.")
    )


@page(blueprint, f"{UNIT}/reported/<uuid:contact_id>", guard=public, methods=("POST",))
def answer_reports(unit_id: UUID, contact_id: UUID) -> ResponseReturnValue:
    """Answer what readers reported: it works after all."""
    with database().unit_of_work() as session:
        problems.answer(
            session, editor(), contact_id, answer=request.form.get("answer", ""), now=now()
        )
    return _back(unit_id, _("The reports are answered."))


@page(blueprint, f"{UNIT}/history/<int:change_id>/revert", guard=public, methods=("POST",))
def revert(unit_id: UUID, change_id: int) -> ResponseReturnValue:
    """Put back what one change changed."""
    with database().unit_of_work() as session:
        editing.revert(
            session, editor(), change_id, why=request.form.get("why") or "put back", now=now()
        )
    return _back(unit_id, _("It is put back. A number that was put back has to be verified again."))


@page(blueprint, f"{UNIT}/mailboxes/<uuid:contact_id>", guard=public, methods=("POST",))
def verify_mailbox(unit_id: UUID, contact_id: UUID) -> ResponseReturnValue:
    """Record that a mailbox was proved by ringing back: who, whom, on which number."""
    try:
        with database().unit_of_work() as session:
            mailboxes.record_verification(
                session,
                editor(),
                contact_id,
                spoke_to=request.form.get("spoke_to", ""),
                number_rung=request.form.get("number_rung", ""),
                now=now(),
            )
    except HubError as error:
        if error.status != 422:
            raise
        wrong = {f"{f.pointer.strip('/')}-{contact_id}": f.sentence for f in error.fields}
        return _edit(unit_id, wrong, 422)
    return _back(unit_id, _("The mailbox is on record as verified by call-back."))
