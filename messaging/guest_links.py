"""Issuing guest links: who may, to which mailbox, with which code to read out (DOMAIN.md 3, 4.5).

A link is for one message: one that asks something of the unit, or that by which the unit leads.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from directory.mailboxes import verified_mailbox
from hub.db import new_id
from hub.errors import conflict, not_found
from hub.identity.actor import Actor
from hub.identity.policy import require
from hub.identity.reach import first_on_hub, reach
from hub.jobs import outbox
from hub.records import audit
from hub.records.keys import Keys
from messaging import guest_secrets, open_questions
from messaging.guest_model import GuestLink
from messaging.guests import held_case
from messaging.model import Case, Message, Tenure
from messaging.state import CaseState, load

LIFE = timedelta(hours=24)
MAIL_JOB = "guest-link-mail"


@dataclass(frozen=True)
class Issued:
    """A link under way: the code to read out, the mailbox it goes to, and its end (aware UTC)."""

    id: UUID
    code: str
    mailbox: str
    expires_at: datetime


def issue(
    session: Session, actor: Actor, keys: Keys, message_id: UUID, unit_id: UUID, now: datetime
) -> Issued:
    """Send a link for one message to the unit's verified mailbox; earlier links of it end.

    Raises:
        HubError: `not-found` to all but the sender's unit; `unit-on-hub` when the unit can answer
            itself; `no-verified-mailbox`; `nothing-to-answer` when the message is answered.
    """
    message = _sent_by(session, actor, message_id)
    require(actor, "guest-link.issue", "requester")
    case = held_case(session, message.case_id, lock=True)
    if not open_questions.is_open(session, message, unit_id):
        raise conflict("nothing-to-answer", "This message needs no answer of that unit any more.")
    return _issue(session, actor, keys, case, message, unit_id, now)


def issue_to_lead(
    session: Session, actor: Actor, keys: Keys, reference: str, now: datetime
) -> Issued:
    """Send a link for one further act of the unit that leads and is not on the hub (4.5).

    Raises:
        HubError: `not-found` to all but whoever rings the lead; as `issue`.
    """
    require(actor, "guest-link.issue", "rings-lead")
    case = held_case(session, load(session, actor, reference, now, lock=False).id, lock=True)
    tenure = _rung(session, actor, load(session, actor, reference, now, lock=False), now)
    if tenure is None:
        raise not_found()
    message = session.get_one(Message, tenure.message_id)
    return _issue(session, actor, keys, case, message, tenure.unit_id, now)


def _rung(session: Session, actor: Actor, case: CaseState, now: datetime) -> Tenure | None:
    """Return the tenure of a lead that is not on the hub, where the actor's unit rings it."""
    if case.episode is None or not case.mine(actor):
        return None
    lead = case.episode.lead
    if lead in actor.unit_ids or reach(session, lead, case.status, now) != "not-on-hub":
        return None
    rings = first_on_hub(session, case.ringers(lead, case.episode.before), case.status, now)
    return session.get_one(Tenure, case.episode.tenure_id) if rings in case.mine(actor) else None


@dataclass(frozen=True)
class LeadAway:
    """A lead that is not on the hub, by which message it leads, and its live links."""

    unit_id: UUID
    message_id: UUID
    links: list[Issued]


def lead_away(
    session: Session, actor: Actor, keys: Keys, reference: str, now: datetime
) -> LeadAway | None:
    """Return the lead that the actor's unit rings because it is not on the hub; None for any other."""
    case = load(session, actor, reference, now, lock=False)
    tenure = _rung(session, actor, case, now)
    if tenure is None:
        return None
    links = _links(session, keys, tenure.message_id, tenure.unit_id, now)
    return LeadAway(tenure.unit_id, tenure.message_id, links)


def _issue(
    session: Session,
    actor: Actor,
    keys: Keys,
    case: Case,
    message: Message,
    unit_id: UUID,
    now: datetime,
) -> Issued:
    if reach(session, unit_id, case.status, now) != "not-on-hub":
        raise conflict("unit-on-hub", "This unit is on the hub: it has the message in its inbox.")
    mailbox = verified_mailbox(session, unit_id, case.status)
    if mailbox is None:
        raise conflict(
            "no-verified-mailbox",
            "No mailbox of this unit has been verified by call-back, so no link can be sent."
            " Ring, and attach a signed reply.",
        )
    _revoke(session, now, GuestLink.message_id == message.id, GuestLink.unit_id == unit_id)
    link_id = new_id()
    code = guest_secrets.code(keys, link_id)
    session.add(
        GuestLink(
            id=link_id,
            token_hash=guest_secrets.token_hash(guest_secrets.token(keys, link_id)),
            code_hash=guest_secrets.code_hash(keys, link_id, code),
            message_id=message.id,
            unit_id=unit_id,
            contact_point_id=mailbox.contact_point_id,
            mailbox=mailbox.address,
            attempts=0,
            created_at=now,
            expires_at=now + LIFE,
            issued_by=actor.id,
        )
    )
    session.flush()
    outbox.enqueue(session, MAIL_JOB, link_id, now=now)
    audit.record(
        session,
        actor.who,
        "guest-link.sent",
        now=now,
        case_id=case.id,
        object_kind="guest-link",
        object_id=link_id,
        detail={
            "message": str(message.id),
            "unit": str(unit_id),
            "contact_point": str(mailbox.contact_point_id),
        },
    )
    return Issued(link_id, code, mailbox.address, now + LIFE)


def issued(
    session: Session, actor: Actor, keys: Keys, message_id: UUID, unit_id: UUID, now: datetime
) -> list[Issued]:
    """Return a unit's live links of a message that the actor's unit sent, with their codes."""
    message = session.get(Message, message_id)
    if message is None or message.sender_unit_id not in actor.unit_ids:
        return []
    return _links(session, keys, message_id, unit_id, now)


def _links(
    session: Session, keys: Keys, message_id: UUID, unit_id: UUID, now: datetime
) -> list[Issued]:
    links = session.scalars(
        select(GuestLink)
        .where(
            GuestLink.message_id == message_id,
            GuestLink.unit_id == unit_id,
            GuestLink.used_at.is_(None),
            GuestLink.revoked_at.is_(None),
            GuestLink.expires_at > now,
        )
        .order_by(GuestLink.id)
    )
    return [Issued(x.id, guest_secrets.code(keys, x.id), x.mailbox, x.expires_at) for x in links]


def mailbox_of(session: Session, unit_id: UUID, status: str) -> str | None:
    """Return the mailbox that a link to this unit would go to: one verified by call-back."""
    mailbox = verified_mailbox(session, unit_id, status)
    return mailbox.address if mailbox else None


def revoke_for_unit(session: Session, unit_id: UUID, status: str, now: datetime) -> None:
    """End every link of a unit that has become reachable for cases of a status (DOMAIN.md 3)."""
    of_status = select(Message.id).where(Message.status == status)
    _revoke(session, now, GuestLink.unit_id == unit_id, GuestLink.message_id.in_(of_status))


def _revoke(session: Session, now: datetime, *which: ColumnElement[bool]) -> None:
    session.execute(
        update(GuestLink)
        .where(GuestLink.used_at.is_(None), GuestLink.revoked_at.is_(None), *which)
        .values(revoked_at=now)
    )


def _sent_by(session: Session, actor: Actor, message_id: UUID) -> Message:
    message = session.get(Message, message_id)
    if (
        message is None
        or message.sender_unit_id not in actor.unit_ids
        or actor.status not in (None, message.status)
    ):
        raise not_found()
    return message
