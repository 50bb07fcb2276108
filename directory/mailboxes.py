"""Mailboxes that somebody has proved by ringing back: the only ones a guest link goes to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from directory.changes import because
from directory.model import MAILBOX_CHANNELS, ContactPoint, MailboxVerification
from hub.clock import LONDON
from hub.db import new_id
from hub.errors import conflict, invalid, not_found
from hub.identity.actor import Actor
from hub.identity.policy import require
from hub.organisations import Unit, lineage
from hub.records import audit

VERIFY = "directory.verify-mailbox"
LONGEST = 200


@dataclass(frozen=True)
class VerifiedMailbox:
    """A unit's mailbox, the last call-back that proved it, and who made it."""

    contact_point_id: UUID
    unit_id: UUID
    address: str
    verified_at: datetime
    verified_by: str


def verified_mailbox(session: Session, unit_id: UUID, status: str) -> VerifiedMailbox | None:
    """Return the mailbox of the unit or its missing-children team, else of its force's, or None.

    Its present address was proved by call-back, and it is of exactly this status: an exercise
    never writes to an actual mailbox (DOMAIN.md 4.5, 4.14). It climbs as a ladder does (5).
    """
    above = lineage(session, unit_id)
    rows = session.execute(
        select(ContactPoint, MailboxVerification, Unit)
        .join(Unit, Unit.id == ContactPoint.unit_id)
        .join(
            MailboxVerification,
            (MailboxVerification.contact_point_id == ContactPoint.id)
            & (MailboxVerification.value == ContactPoint.value),
        )
        .where(
            or_(
                Unit.id.in_(above),
                Unit.parent_id.in_(above) & (Unit.kind == "missing-children-team"),
            ),
            ContactPoint.status == status,
            ContactPoint.closed_at.is_(None),
            ContactPoint.channel.in_(MAILBOX_CHANNELS),
        )
        .order_by(
            ContactPoint.purpose != "missing-children-team",
            ContactPoint.priority,
            MailboxVerification.at.desc(),
            ContactPoint.id,
        )
    ).all()

    def rung(row: Any) -> tuple[int, bool, bool]:
        of = row.Unit.id if row.Unit.id in above else row.Unit.parent_id
        own = row.ContactPoint.purpose == "missing-children-team"
        return above.index(of), not own, row.Unit.id != of

    found = min(rows, key=rung, default=None)
    if found is None:
        return None
    contact, verification, _unit = found
    return VerifiedMailbox(
        contact_point_id=contact.id,
        unit_id=contact.unit_id,
        address=contact.value,
        verified_at=verification.at,
        verified_by=verification.verified_by_name,
    )


def record_verification(
    session: Session,
    actor: Actor,
    contact_point_id: UUID,
    *,
    spoke_to: str,
    number_rung: str,
    now: datetime,
) -> MailboxVerification:
    """Record that the mailbox was proved by call-back: who rang which number and spoke to whom.

    Raises:
        HubError: 404 no such mailbox, or one of another status than the sign-in's; 401 or 403;
            422 `spoke-to`, `number-rung`; 409 `contact-closed`.
    """
    contact = session.get(ContactPoint, contact_point_id, with_for_update=True)
    if contact is None or contact.channel not in MAILBOX_CHANNELS:
        raise not_found()
    if actor.status is not None and actor.status != contact.status:
        raise not_found()
    unit = session.get_one(Unit, contact.unit_id)
    _require(actor, unit)
    if contact.closed_at is not None or (
        contact.valid_to is not None and contact.valid_to <= now.astimezone(LONDON).date()
    ):
        raise conflict("contact-closed", "This mailbox is no longer in use.")
    spoke_to, number_rung = spoke_to.strip(), number_rung.strip()
    if not 2 <= len(spoke_to) <= LONGEST:
        raise invalid("spoke-to", "Say whom you spoke to: name, and rank or role.", "/spoke_to")
    digits = sum(letter.isdigit() for letter in number_rung)
    if not 3 <= digits <= 15 or len(number_rung) > LONGEST:
        raise invalid("number-rung", "Give the number that you rang.", "/number_rung")
    because(session, actor.who, "proved by ringing back", now)
    verification = MailboxVerification(
        id=new_id(),
        contact_point_id=contact.id,
        value=contact.value,
        method="call-back",
        spoke_to=spoke_to,
        number_rung=number_rung,
        verified_by_id=actor.id,
        verified_by_name=actor.name,
        at=now,
    )
    session.add(verification)
    contact.verification = "verified"
    contact.verified_at = now
    contact.verified_by = actor.name
    contact.edited_at, contact.edited_by = now, actor.name
    contact.bounced_at = None
    contact.version += 1
    session.flush()
    audit.record(
        session,
        actor.who,
        VERIFY,
        now=now,
        object_kind="contact-point",
        object_id=contact.id,
        detail={"unit": unit.code, "verification": str(verification.id)},
    )
    return verification


def _require(actor: Actor, unit: Unit) -> None:
    own = actor.organisation_id == unit.organisation_id
    require(actor, VERIFY, *(("any", "own") if own else ("any",)))
