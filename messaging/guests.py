"""Guest links: how a unit without accounts answers one message, or acts once as the lead (4.5).

A link goes to a mailbox verified by call-back, and carries nothing but a reference. Opening it
takes a code read out on the telephone; an answer consumes it. A GET changes and shows nothing.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.errors import HubError, conflict, invalid, not_found
from hub.identity.actor import Actor
from hub.identity.reach import reach
from hub.organisations import Organisation, Unit
from hub.records import audit
from hub.records.keys import Keys
from messaging import aliases, guest_secrets, open_questions
from messaging.guest_model import GuestLink
from messaging.guest_secrets import Guest
from messaging.model import Case, Message

WRONG_CODES = 5


@dataclass(frozen=True)
class Card:
    """What the link's page may show before the code is given: no content at all."""

    link_id: UUID
    reference: str
    unit_name: str
    state: str
    status: str
    expires_at: datetime


@dataclass(frozen=True)
class WrongCode:
    """The code was not right; `left` more tries before the link is revoked."""

    left: int


@dataclass(frozen=True)
class Opened:
    """The code was right: the pass that the answer's form carries, who acts, and what it `takes`.

    The answer goes to the case `answered_in`: another than the message's, once that was joined (4.10).
    """

    pass_: str
    actor: Actor
    message_id: UUID
    reference: str
    answered_in: str
    takes: tuple[str, ...]


def status_of(session: Session, token: str) -> str | None:
    """Return whether a link is of an actual case, an exercise or a test; None for no link's token."""
    found: str | None = session.scalar(
        select(Message.status)
        .join(GuestLink, GuestLink.message_id == Message.id)
        .where(GuestLink.token_hash == guest_secrets.token_hash(token))
    )
    return found


def card(session: Session, token: str, now: datetime) -> Card:
    """Return what the link's page shows; nothing is changed and nothing consulted.

    Raises:
        HubError: `not-found` for a token that is no link's, or whose exercise was reset.
    """
    link = _find(session, token)
    message = session.get_one(Message, link.message_id)
    case = held_case(session, message.case_id)
    unit = session.get_one(Unit, link.unit_id)
    state = _state(session, link, message, case.status, now)
    return Card(link.id, case.reference, unit.name, state, case.status, link.expires_at)


def give_code(
    session: Session, keys: Keys, token: str, code: str, guest: Guest, now: datetime
) -> Opened | WrongCode:
    """Check the code; a wrong one counts, and the fifth revokes the link.

    Raises:
        HubError: `not-found`; `link-over` (409) when used, expired, revoked or answered;
            `name-missing`, `collar-number-missing`.
    """
    if not guest.name.strip():
        raise invalid("name-missing", "Give your name.", "/name")
    if not guest.collar_number.strip():
        raise invalid(
            "collar-number-missing", "Give your collar or staff number.", "/collar_number"
        )
    link = _find(session, token, lock=True)
    message, case = _live(session, link, now)
    actor = _actor(session, link, guest)
    if not hmac.compare_digest(bytes(link.code_hash), guest_secrets.code_hash(keys, link.id, code)):
        link.attempts += 1
        if link.attempts >= WRONG_CODES:
            link.revoked_at = now
        session.flush()
        audit.record(
            session, actor.who, "guest-link.wrong-code", now=now, case_id=case.id,
            object_kind="guest-link", object_id=link.id,
        )  # fmt: skip
        return WrongCode(left=max(WRONG_CODES - link.attempts, 0))
    pass_ = guest_secrets.grant(keys, link.id, guest, now)
    return _opened(session, pass_, link, actor, message, case)


def return_with_pass(session: Session, keys: Keys, token: str, pass_: str, now: datetime) -> Opened:
    """Take up a pass given by `give_code`, and hold the link for the answer until the commit.

    The case is locked first, then the link, as everywhere.

    Raises:
        HubError: `not-found`; `link-over` (409); `pass-over` (403) when an hour has gone by.
    """
    link = _find(session, token)
    held_case(session, session.get_one(Message, link.message_id).case_id, lock=True)
    link = _find(session, token, lock=True)
    message, case = _live(session, link, now)
    guest = guest_secrets.read_pass(keys, link.id, pass_, now)
    if guest is None:
        raise HubError(
            "pass-over", 403, "An hour has gone by. Open the link and give the code again."
        )
    return _opened(session, pass_, link, _actor(session, link, guest), message, case)


def _opened(
    session: Session, pass_: str, link: GuestLink, actor: Actor, message: Message, case: Case
) -> Opened:
    return Opened(
        pass_, actor, message.id, case.reference, open_questions.answered_in(session, message),
        open_questions.taken(session, message, link.unit_id),
    )  # fmt: skip


def consume(session: Session, token: str, now: datetime) -> None:
    """Mark the link as used: in the transaction of the answer that it carried."""
    link = _find(session, token, lock=True)
    link.used_at = now
    session.flush()


def held_case(session: Session, case_id: UUID, *, lock: bool = False) -> Case:
    """Return the case of a message, held until the commit with `lock`, with its matches (4.10).

    Raises:
        HubError: `not-found` when it was an exercise that was reset.
    """
    case = session.get(Case, case_id)
    if case is None:
        raise not_found()
    if lock:
        aliases.hold(session, case.reference, case.last_at)
        session.refresh(case)
    return case


def _find(session: Session, token: str, lock: bool = False) -> GuestLink:
    query = select(GuestLink).where(GuestLink.token_hash == guest_secrets.token_hash(token))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    link = session.scalar(query)
    if link is None:
        raise not_found()
    return link


def _live(session: Session, link: GuestLink, now: datetime) -> tuple[Message, Case]:
    message = session.get_one(Message, link.message_id)
    state = _state(session, link, message, message.status, now)
    if state != "open":
        raise conflict("link-over", SENTENCES[state], state=state)
    return message, held_case(session, message.case_id)


SENTENCES = {
    "used": "This link has been used to answer. Ring the unit that sent it if you must say more.",
    "expired": "This link has expired. Ring the unit that sent it, and ask for a fresh one.",
    "revoked": "This link is no longer good. Ring the unit that sent it, and ask for a fresh one.",
    "answered": "The message was answered or taken back. There is nothing left to do here.",
    "led": "Your unit does not lead here any more, so there is nothing left to do by this link.",
    "on-hub": "Your unit is on the hub now: sign in, and answer from its inbox.",
}


def _state(session: Session, link: GuestLink, message: Message, status: str, now: datetime) -> str:
    if link.used_at is not None:
        return "used"
    if link.revoked_at is not None:
        return "revoked"
    if link.expires_at <= now:
        return "expired"
    if not open_questions.taken(session, message, link.unit_id):
        return "led" if open_questions.led_by(session, message.id, link.unit_id) else "answered"
    if reach(session, link.unit_id, status, now) != "not-on-hub":
        return "on-hub"
    return "open"


def _actor(session: Session, link: GuestLink, guest: Guest) -> Actor:
    return stand_in(session, link.unit_id, guest, link.id)


def stand_in(session: Session, unit_id: UUID, guest: Guest, by: UUID) -> Actor:
    """Return who answers for a unit without accounts: an officer of that unit alone.

    `by` is the id of the guest link or signed reply that they answer by.
    """
    unit = session.get_one(Unit, unit_id)
    organisation = session.get_one(Organisation, unit.organisation_id)
    return Actor(
        "guest",
        id=by,
        name=guest.name.strip(),
        rank_or_role=guest.rank.strip() or None,
        collar_number=guest.collar_number.strip(),
        organisation_id=organisation.id,
        organisation_code=organisation.code,
        organisation_name=organisation.name,
        organisation_kind=organisation.kind,
        unit_id=unit.id,
        unit_name=unit.name,
        unit_ids=frozenset({unit.id}),
        roles=frozenset({"officer"}),
        status=None,
    )
