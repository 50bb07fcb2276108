"""The form of one contact: seen first as callers would, saved with a reason, closed, compared."""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import contact_rules, editing, hours_text, keepers
from directory.entry_contracts import ContactIn
from directory.hours import Hours
from directory.model import ContactPoint, DirectoryChange
from directory.pages import contact_form
from directory.pages.asking import editor, known_contacts
from directory.pages.blueprint import blueprint
from directory.pages.changed import field_labels
from directory.pages.contact_form import Difference
from directory.pages.editing import UNIT, back, day_said, sign_in, version_given
from directory.pages.previewing import Seen, preview
from directory.reading import lookup
from directory.snapshot import Contact
from hub.errors import HubError, invalid, not_found
from hub.identity.actor import Actor
from hub.web.context import database, now
from hub.web.guards import page, public


@dataclass(frozen=True)
class Outcome:
    """What came of a form: its draft, the problem of each field, and whether others came first."""

    draft: ContactIn | None = None
    wrong: dict[str, str] = field(default_factory=dict)
    status: int = 200
    doubts: tuple[str, ...] = ()
    changed_meanwhile: bool = False
    closed_meanwhile: bool = False


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
    if request.method == "GET":
        return _page(unit_id, contact_id, Outcome()) if actor.signed_in else sign_in()
    wanted = request.form.get("do", "preview")
    draft, wrong = contact_form.read(request.form)
    doubts = _doubts(contact_id, draft) if draft else ()
    if wanted == "save" and doubts and request.form.get("sure") != "yes":
        wrong["sure"] = _("Confirm that this is the team’s, and not one person’s.")
    if wanted == "preview" or (wanted != "close" and wrong):
        seen = wanted == "preview" and (not wrong or _is_fragment())
        return _page(unit_id, contact_id, Outcome(draft, wrong, 200 if seen else 422, doubts))
    try:
        said = _save(unit_id, contact_id, actor, wanted, draft)
    except HubError as error:
        if error.status not in (409, 422):
            raise
        at = {f.pointer.strip("/"): f.sentence for f in error.fields}
        return _page(unit_id, contact_id, Outcome(
            draft, at or {"value": error.sentence}, error.status, doubts,
            error.code == "changed-meanwhile", error.code == "contact-closed",
        ))  # fmt: skip
    return back(unit_id, said)


def _doubts(contact_id: UUID | None, draft: ContactIn) -> tuple[str, ...]:
    """Return what to think about before a value is listed; one that is there was thought about."""
    value = draft.columns()["value"]
    known = known_contacts().get(contact_id) if contact_id else None
    if known is not None and known.value == value:
        return ()
    return tuple(contact_rules.warnings(draft.channel, value))


def _save(
    unit_id: UUID, contact_id: UUID | None, actor: Actor, wanted: str, draft: ContactIn | None
) -> str:
    why, checked = request.form.get("why", ""), request.form.get("checked") == "yes"
    with database().unit_of_work() as session:
        if wanted == "close" and contact_id is not None:
            closed = editing.close_contact(
                session, actor, contact_id, version=version_given(), why=why, now=now(),
                on=_closing_day(),
            )  # fmt: skip
            return _(
                "The contact is closed from %(day)s. It stays in the history, and can be put back"
                " there.", day=day_said(closed.valid_to),
            )  # fmt: skip
        if draft is None:
            raise HubError("contact", 422, _("Check what you typed."))
        if contact_id is None:
            editing.add_contact(session, actor, unit_id, draft, why=why, now=now(), checked=checked)
            return _("The contact is on record.")
        editing.change_contact(
            session, actor, contact_id, draft, version=version_given(), why=why, now=now(),
            checked=checked,
        )  # fmt: skip
        return _("The change is saved. It can be put back from the history.")


def _closing_day() -> date | None:
    """Return the first day without the contact; None is today.

    Raises:
        HubError: 422 `on`.
    """
    typed = request.form.get("on", "").strip()
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise invalid("on", _("Give the day as a date, such as 2026-12-24."), "/on") from None


def _page(unit_id: UUID, contact_id: UUID | None, outcome: Outcome) -> ResponseReturnValue:
    actor = editor()
    with database().unit_of_work() as session:
        unit = keepers.unit_to_edit(session, actor, unit_id)
        contact = (
            editing.contact_to_edit(
                session, actor, contact_id, None, closed_too=outcome.closed_meanwhile
            )
            if contact_id
            else None
        )
        if contact is not None and contact.unit_id != unit_id:
            raise not_found()
        on_record = contact_form.typed(contact) if contact else dict(contact_form.BLANK)
        typed = request.form.to_dict() if request.method == "POST" else on_record
        differences: list[Difference] = []
        if contact is not None and outcome.changed_meanwhile:
            was = _as_it_was(session, contact.id, version_given()) or on_record
            differences, typed = contact_form.compared(was, on_record, typed)
        page_ = render_template(
            "directory/_preview.html" if _is_fragment() else "directory/contact.html",
            unit=unit,
            editor=actor,
            contact=contact,
            choices=contact_form.choices(on_record["purpose"]),
            typed=typed,
            outcome=outcome,
            problems=outcome.wrong,
            differences=differences,
            labels=field_labels(),
            preview=_preview(unit_id, actor, contact_id, outcome.draft),
            in_words=hours_text.say(_hours(outcome.draft)) if outcome.draft else "",
            status="exercise" if actor.status == "exercise" else "actual",
        )
    return page_, outcome.status


def _as_it_was(session: Session, contact_id: UUID, version: int) -> dict[str, str] | None:
    """Return a contact as its form showed it at a version, from the history."""
    after = session.scalar(
        select(DirectoryChange.after)
        .where(
            DirectoryChange.object_id == contact_id,
            DirectoryChange.kind == ContactPoint.__tablename__,
            DirectoryChange.after["version"].as_integer() == version,
        )
        .order_by(DirectoryChange.id.desc())
        .limit(1)
    )
    return contact_form.as_typed(after) if after else None


def _preview(
    unit_id: UUID, actor: Actor, contact_id: UUID | None, draft: ContactIn | None
) -> list[Seen]:
    """Return what callers see, with one contact as it is typed in place of the one on record."""
    snapshot = lookup().snapshot
    unit = snapshot.units.get(unit_id)
    if unit is None:
        return []
    status = actor.status or "actual"
    known = known_contacts().get(contact_id) if contact_id else None
    return preview(
        snapshot, unit, status, now(), _as_saved(unit_id, known, draft, actor) if draft else known
    )


def _as_saved(unit_id: UUID, known: Contact | None, draft: ContactIn, actor: Actor) -> Contact:
    """Return the contact that would be looked up if the draft were saved as it is typed."""
    value = draft.columns()["value"]
    sure = request.form.get("checked") == "yes" or (
        known is not None and known.verification == "verified" and known.value == value
    )
    return Contact(
        known.id if known else unit_id, unit_id, draft.purpose, draft.channel, value,
        draft.audience, draft.priority, _hours(draft), draft.note, actor.status or "actual", "",
        "", "verified" if sure else "unverified", now() if sure else None, actor.name,
    )  # fmt: skip


def _hours(draft: ContactIn) -> Hours:
    columns = draft.columns()
    return Hours(columns["hours"], draft.bank_holiday_rule, tuple(columns["exceptions"]))


def _is_fragment() -> bool:
    return request.headers.get("X-Fragment") == "preview"
