"""Keeping the directory: contacts and units changed by those who answer for them, never deleted.

Every change says why; the one who comes second is told what is there now. What people changed is
theirs: no load of reference data overrules it (`edited_at`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from directory import heirs
from directory.changes import because
from directory.entry_contracts import ContactIn, UnitIn
from directory.keepers import unit_to_edit
from directory.model import ContactPoint, ContactProblem, DirectoryChange, still_kept
from hub.clock import LONDON
from hub.db import new_id
from hub.errors import conflict, forbidden, invalid, not_found
from hub.identity.actor import Actor
from hub.organisations import Unit
from hub.records import audit


def add_contact(
    session: Session, actor: Actor, unit_id: UUID, given: ContactIn, *, why: str, now: datetime,
    checked: bool = False,
) -> ContactPoint:  # fmt: skip
    """Put a contact of a unit on record; `checked` says that the editor knows that it works.

    Raises:
        HubError: 404, 401, 403; 422 by field; 409 `contact-there` for a repeat, `unit-ended`.
    """
    unit = unit_to_edit(session, actor, unit_id)
    refuse_ended(unit, now)
    because(session, actor.who, why, now)
    contact = new_contact(actor, unit, given, now)
    refuse_repeat(session, contact, now)
    if checked:
        verify(contact, actor.name, now)
    session.add(contact)
    session.flush()
    heirs.follow(session, contact, None, actor, now)
    put_on_record(session, actor, "directory.contact-added", contact, now)
    return contact


def refuse_ended(unit: Unit, now: datetime) -> None:
    """Refuse what a unit that is no more cannot have.

    Raises:
        HubError: 409 `unit-ended`.
    """
    last = max(unit.valid_from, now.astimezone(LONDON).date())
    if unit.valid_to is not None and unit.valid_to <= last:
        raise conflict("unit-ended", "This unit is no more. Add it to what took its place.")


def change_contact(
    session: Session, actor: Actor, contact_id: UUID, given: ContactIn, *, version: int | None,
    why: str, now: datetime, checked: bool = False,
) -> ContactPoint:  # fmt: skip
    """Change a contact. A changed value is unverified again unless it was `checked`; a suggestion
    that is saved is taken.

    Raises:
        HubError: 404, 401, 403; 422 by field; 409 `changed-meanwhile` with what is there now.
    """
    begun = begin_change(
        session, actor, contact_id, given, version=version, why=why, now=now, checked=checked
    )
    finish_change(session, actor, begun, now)
    return begun.contact


@dataclass(frozen=True)
class Begun:
    """A change of a contact that is not yet held against the rest: it, as it was, and its copies."""

    contact: ContactPoint
    was: Mapping[str, Any] | None
    copies: Mapping[UUID, ContactPoint | None]


def begin_change(
    session: Session, actor: Actor, contact_id: UUID, given: ContactIn, *, version: int | None,
    why: str, now: datetime, checked: bool = False,
) -> Begun:  # fmt: skip
    """Write a change of a contact. Of several that belong together each is begun, then each is
    finished, so that two contacts may swap what they have.

    Raises:
        HubError: as `change_contact` does.
    """
    contact = contact_to_edit(session, actor, contact_id, version)
    columns = given.columns()
    was = None if contact.verification == "suggested" else heirs.as_it_is(contact)
    copies = heirs.copies(session, contact, was, now)
    because(session, actor.who, why, now)
    if columns["value"] != contact.value or contact.verification == "suggested":
        contact.verification, contact.verified_at, contact.verified_by = "unverified", None, None
        contact.bounced_at = None
    for name, value in columns.items():
        setattr(contact, name, value)
    if checked:
        verify(contact, actor.name, now)
    touched(contact, actor, now)
    session.flush()
    return Begun(contact, was, copies)


def finish_change(session: Session, actor: Actor, begun: Begun, now: datetime) -> None:
    """Hold a change that was begun against the rest of the unit, and do what follows from it.

    Raises:
        HubError: 409 `contact-there` for a repeat.
    """
    contact = begun.contact
    refuse_repeat(session, contact, now)
    heirs.follow(session, contact, begun.was, actor, now, begun.copies)
    _answer_problems(session, contact, actor, "corrected", now)
    put_on_record(session, actor, "directory.contact-changed", contact, now)


def close_contact(
    session: Session, actor: Actor, contact_id: UUID, *, version: int | None, why: str,
    now: datetime, on: date | None = None,
) -> ContactPoint:  # fmt: skip
    """Close a contact, today or on a later day: it is no longer shown, and stays on record.

    Raises:
        HubError: 404, 401, 403; 422 `on` for a day that is past; 409 `changed-meanwhile`.
    """
    contact = contact_to_edit(session, actor, contact_id, version)
    because(session, actor.who, why, now)
    today = now.astimezone(LONDON).date()
    if on is not None and on < today:
        raise invalid("on", "Give today or a later day.", "/on")
    contact.valid_to = max(on or today, contact.valid_from)
    contact.closed_at = now
    touched(contact, actor, now)
    session.flush()
    heirs.follow(session, contact, heirs.as_it_is(contact), actor, now)
    _answer_problems(session, contact, actor, "closed", now)
    put_on_record(session, actor, "directory.contact-closed", contact, now)
    return contact


def confirm_contacts(
    session: Session, actor: Actor, unit_id: UUID, now: datetime,
    contact_ids: Collection[UUID] | None = None, *, seen: Mapping[UUID, int] | None = None,
) -> list[ContactPoint]:  # fmt: skip
    """Put on record that contacts of a unit are right as they stand: all, or those named.

    Suggestions are not confirmed with the rest: they are taken or refused one by one. `seen` are
    the versions of what was looked at: nobody vouches for what they have not seen.

    Raises:
        HubError: 404, 401, 403; 409 `changed-meanwhile`.
    """
    unit = unit_to_edit(session, actor, unit_id)
    because(session, actor.who, "confirmed as right", now)
    chosen = (
        select(ContactPoint)
        .where(
            ContactPoint.unit_id == unit.id,
            ContactPoint.status == (actor.status or "actual"),
            still_kept(now),
            ContactPoint.verification != "suggested",
        )
        .order_by(ContactPoint.id)
        .with_for_update()
    )
    if contact_ids is not None:
        chosen = chosen.where(ContactPoint.id.in_(contact_ids))
    contacts = list(session.scalars(chosen))
    if seen is not None and seen != {one.id: one.version for one in contacts}:
        raise conflict(
            "changed-meanwhile",
            "Something here was changed since you opened the page. Look at it again, then answer.",
        )
    for contact in contacts:
        verify(contact, actor.name, now)
        touched(contact, actor, now)
    session.flush()
    for contact in contacts:
        heirs.follow(session, contact, heirs.as_it_is(contact), actor, now)
    audit.record(
        session, actor.who, "directory.confirmed", now=now, object_kind="unit", object_id=unit.id,
        detail={"contacts": [str(one.id) for one in contacts]},
    )  # fmt: skip
    return contacts


def change_unit(
    session: Session, actor: Actor, unit_id: UUID, given: UnitIn, *, version: int | None, why: str,
    now: datetime,
) -> Unit:  # fmt: skip
    """Change what a unit is also called.

    Raises:
        HubError: 404, 401, 403, `actual-only` in an exercise; 422; 409 `changed-meanwhile`.
    """
    unit_to_edit(session, actor, unit_id)
    if actor.status == "exercise":
        raise forbidden("actual-only", "An exercise changes no actual unit: its contacts alone.")
    unit = session.get_one(Unit, unit_id, with_for_update=True, populate_existing=True)
    check_version(unit.version, version)
    because(session, actor.who, why, now)
    unit.kind_label = " ".join(given.kind_label.split())
    unit.name_welsh = " ".join((given.name_welsh or "").split()) or None
    names = (" ".join(one.split())[:120] for one in given.other_names)
    unit.other_names = list(dict.fromkeys(one for one in names if one))
    unit.version += 1
    unit.edited_at, unit.edited_by = now, actor.name
    session.flush()
    audit.record(
        session, actor.who, "directory.unit-changed", now=now, object_kind="unit",
        object_id=unit.id, detail={"unit": unit.code},
    )  # fmt: skip
    return unit


UNIT_REVERTED = ("kind_label", "name_welsh", "other_names")


def revert_unit(
    session: Session, actor: Actor, change_id: int, *, version: int | None = None, why: str,
    now: datetime,
) -> Unit:  # fmt: skip
    """Put back what one change of a unit's names changed, as a change of its own.

    Raises:
        HubError: 404, 401, 403, `actual-only`; 422 `why`; 409 `changed-meanwhile`, `not-reverted`.
    """
    row = session.get(DirectoryChange, change_id)
    if row is None or row.kind != "unit":
        raise not_found()
    unit = unit_to_edit(session, actor, row.object_id)
    before = row.before or {}
    changed = {one for one in UNIT_REVERTED if before and before[one] != row.after[one]}
    if not changed:
        raise conflict("not-reverted", "This change has nothing that can be put back.")
    given = {one: before[one] if one in changed else getattr(unit, one) for one in UNIT_REVERTED}
    return change_unit(session, actor, unit.id, UnitIn(**given), version=version, why=why, now=now)


REVERTED = (
    "purpose", "channel", "value", "audience", "priority", "hours", "bank_holiday_rule",
    "exceptions", "note",
)  # fmt: skip


def revert(
    session: Session, actor: Actor, change_id: int, *, version: int | None = None, why: str,
    now: datetime,
) -> ContactPoint:  # fmt: skip
    """Put back what one change of a contact changed, as a change of its own.

    What was new is closed, what was closed is open again; a value put back is verified anew.

    Raises:
        HubError: 404, 401, 403; 422 `why`; 409 `changed-meanwhile`, `contact-closed`, or
            `not-reverted` for what cannot be put back.
    """
    row = session.get(DirectoryChange, change_id)
    if row is None or row.kind != "contact_point":
        raise not_found()
    contact = contact_to_edit(session, actor, row.object_id, version, closed_too=True)
    if row.before is None:
        return close_contact(session, actor, contact.id, version=None, why=why, now=now)
    changed = [name for name in REVERTED if row.before.get(name) != row.after.get(name)]
    reopens = row.before.get("closed_at") is None and row.after.get("closed_at") is not None
    if contact.closed_at is not None and not reopens:
        raise conflict("contact-closed", "This contact is closed: put back its closing first.")
    if not changed and not (reopens and contact.closed_at is not None):
        raise conflict("not-reverted", "This change has nothing that can be put back.")
    was = None if contact.closed_at is not None else heirs.as_it_is(contact)
    because(session, actor.who, why, now)
    if reopens:
        unit = session.get_one(Unit, contact.unit_id)
        refuse_ended(unit, now)
        contact.closed_at, contact.valid_to = None, unit.valid_to
    if "value" in changed or "channel" in changed:
        contact.verification, contact.verified_at, contact.verified_by = "unverified", None, None
        contact.bounced_at = None
    for name in changed:
        setattr(contact, name, row.before[name])
    refuse_repeat(session, contact, now)
    touched(contact, actor, now)
    session.flush()
    heirs.follow(session, contact, was, actor, now)
    _answer_problems(session, contact, actor, "corrected", now)
    put_on_record(session, actor, "directory.contact-reverted", contact, now)
    return contact


def contact_to_edit(
    session: Session, actor: Actor, contact_id: UUID, version: int | None, *,
    closed_too: bool = False,
) -> ContactPoint:  # fmt: skip
    """Return a contact that the actor may change, its row held until the commit.

    Raises:
        HubError: 404, 401, 403; 409 `changed-meanwhile`, `contact-closed`.
    """
    contact = session.get(ContactPoint, contact_id, with_for_update=True, populate_existing=True)
    if contact is None or contact.status != (actor.status or "actual"):
        raise not_found()
    unit_to_edit(session, actor, contact.unit_id)
    if contact.closed_at is not None and not closed_too:
        raise conflict("contact-closed", "This contact is closed already. Look at its history.")
    check_version(contact.version, version)
    return contact


def check_version(there: int, given: int | None) -> None:
    """Refuse a change of what its sender has not seen; None was looked at by the caller.

    Raises:
        HubError: 409 `changed-meanwhile`.
    """
    if given is not None and given != there:
        raise conflict(
            "changed-meanwhile",
            "Somebody else changed this while you did. Look at both, and choose.",
            version=there,
        )


def new_contact(actor: Actor, unit: Unit, given: ContactIn, now: datetime) -> ContactPoint:
    """Return a contact as an editor gives it, not yet on record.

    Raises:
        HubError: 422 by field.
    """
    today = now.astimezone(LONDON).date()
    return ContactPoint(
        id=new_id(),
        unit_id=unit.id,
        status=actor.status or "actual",
        valid_from=max(today, unit.valid_from),
        valid_to=unit.valid_to,
        source=f"entered by {actor.name}",
        source_date=today.isoformat(),
        verification="unverified",
        edited_at=now,
        edited_by=actor.name,
        version=1,
        **given.columns(),
    )


def refuse_repeat(session: Session, contact: ContactPoint, now: datetime) -> None:
    """Refuse a second contact of one value and purpose; the unit is held, so that two agree.

    Nothing is flushed here: one save is one change on record.

    Raises:
        HubError: 409 `contact-there`.
    """
    with session.no_autoflush:
        session.execute(
            select(Unit.id).where(Unit.id == contact.unit_id).with_for_update(key_share=True)
        )
        there = session.scalar(
            select(ContactPoint.id).where(
                ContactPoint.unit_id == contact.unit_id,
                ContactPoint.id != contact.id,
                ContactPoint.purpose == contact.purpose,
                ContactPoint.channel == contact.channel,
                ContactPoint.value == contact.value,
                ContactPoint.status == contact.status,
                still_kept(now),
            )
        )
    if there is not None:
        raise conflict(
            "contact-there", "The unit has this contact for this purpose already. Change that one."
        )


def verify(contact: ContactPoint, by: str, now: datetime) -> None:
    """Say that somebody knows that a contact works."""
    contact.verification, contact.verified_at, contact.verified_by = "verified", now, by
    contact.bounced_at = None


def touched(contact: ContactPoint, actor: Actor, now: datetime) -> None:
    """Give a contact its next version: people keep it from now on."""
    contact.version += 1
    contact.edited_at, contact.edited_by = now, actor.name


def _answer_problems(
    session: Session, contact: ContactPoint, actor: Actor, answer: str, now: datetime
) -> None:
    """A contact that was corrected or closed has answered what was reported of its old value."""
    reported = ContactProblem.contact_point_id == contact.id
    if answer == "corrected":
        reported &= ContactProblem.value != contact.value
    session.execute(
        update(ContactProblem)
        .where(reported, ContactProblem.answered_at.is_(None))
        .values(answered_at=now, answered_by=actor.name, answer=answer)
    )


def put_on_record(
    session: Session, actor: Actor, action: str, contact: ContactPoint, now: datetime
) -> None:
    """Record in the audit what was done to a contact."""
    audit.record(
        session, actor.who, action, now=now, object_kind="contact-point", object_id=contact.id,
    )  # fmt: skip
