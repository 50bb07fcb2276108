"""Contacts that readers suggest: shown as such, until the unit's editors take or refuse them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from directory import heirs
from directory.changes import because
from directory.editing import (
    close_contact,
    contact_to_edit,
    new_contact,
    put_on_record,
    refuse_ended,
    refuse_repeat,
    touched,
    verify,
)
from directory.entry_contracts import ContactIn
from directory.model import ContactPoint
from hub.errors import conflict, invalid, not_found
from hub.identity.actor import Actor
from hub.identity.policy import require
from hub.organisations import Unit


def suggest(
    session: Session, actor: Actor, unit_id: UUID, given: ContactIn, *, now: datetime
) -> ContactPoint:
    """Suggest a contact of somebody else's unit.

    Raises:
        HubError: 404, 401, 403; 422 by field, `audience` for a public one; 409 for a repeat.
    """
    unit = session.get(Unit, unit_id)
    if unit is None:
        raise not_found()
    require(actor, "directory.suggest")
    if given.audience == "public":
        raise invalid(
            "audience", "A suggestion is for professionals or police until it is taken.",
            "/audience",
        )  # fmt: skip
    refuse_ended(unit, now)
    contact = new_contact(actor, unit, given, now)
    contact.verification = "suggested"
    contact.suggested_by = f"{actor.name}, {actor.organisation_name}"
    contact.suggested_by_id = actor.id
    contact.edited_at = contact.edited_by = None
    because(session, actor.who, "suggested by a reader", now)
    refuse_repeat(session, contact, now)
    session.add(contact)
    session.flush()
    put_on_record(session, actor, "directory.contact-suggested", contact, now)
    return contact


def decide(
    session: Session, actor: Actor, contact_id: UUID, *, takes: bool, version: int, now: datetime
) -> ContactPoint:
    """Take a suggestion as it is, which says that it works, or refuse it: then it is closed.

    Raises:
        HubError: 404, 401, 403; 409 `changed-meanwhile`, `contact-closed`, or `not-suggested` for
            one that was decided already.
    """
    contact = contact_to_edit(session, actor, contact_id, version)
    if contact.verification != "suggested":
        raise conflict("not-suggested", "This suggestion was decided already.")
    if not takes:
        return close_contact(
            session, actor, contact_id, version=version, why="a reader’s suggestion, refused",
            now=now,
        )  # fmt: skip
    because(session, actor.who, "a reader’s suggestion, taken", now)
    verify(contact, actor.name, now)
    touched(contact, actor, now)
    session.flush()
    heirs.follow(session, contact, None, actor, now)
    put_on_record(session, actor, "directory.suggestion-taken", contact, now)
    return contact
