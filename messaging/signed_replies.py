"""Signed replies: an answer on paper of a unit that is not on the hub (DOMAIN.md 4.5).

The sender of the request attaches it; a supervisor of the same unit, and never the one who
attached it, reads and authorises it. Only then does it take effect.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Literal
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.clock import LONDON
from hub.db import new_id
from hub.errors import conflict, forbidden, invalid, not_found
from hub.identity.actor import Actor
from hub.identity.policy import allows, require
from hub.identity.reach import reach
from hub.organisations import Unit, standing_on
from hub.records import audit
from hub.records.vault import Vault
from messaging import encrypted_files, open_questions, sending, signed_files
from messaging.contracts import CONTRACTS, Command
from messaging.guest_model import SignedReply, SignedReplyChunk
from messaging.guest_secrets import Guest
from messaging.guests import held_case, stand_in
from messaging.lead_settings import asks_supervisor
from messaging.model import Case, Message


@dataclass(frozen=True)
class Upload:
    """What somebody attaches: the answer that the paper gives, and the paper."""

    message_id: UUID
    unit_id: UUID
    answer: Literal["accept", "decline"]
    fields: Mapping[str, str]
    file: IO[bytes]


@dataclass(frozen=True)
class ReplyCard:
    """A signed reply as the sender's unit sees it: of which type, "accept" or "decline" (`way`).

    Times are aware UTC.
    """

    id: UUID
    case_reference: str
    status: str
    message_id: UUID
    message_number: int
    unit_name: str
    answer: str
    way: str
    fields: Mapping[str, str]
    file_name: str
    file_type: str
    file_size: int
    uploaded_by: UUID
    uploaded_by_name: str
    uploaded_at: datetime
    state: str
    decided_by_name: str | None
    decided_at: datetime | None
    mine_to_decide: bool


def attach(session: Session, actor: Actor, vault: Vault, upload: Upload, now: datetime) -> UUID:
    """Keep a signed reply, encrypted, until a supervisor decides on it; nothing moves yet.

    Raises:
        HubError: `not-found` to all but the sender's unit; `file-type`, `file-too-large`,
            `file-missing`; `nothing-to-answer`; `unit-on-hub`; `supervisor-needed` to accept, where
            the organisation that signed asks for one; `reply-waiting` when one is pending.
    """
    message = session.get(Message, upload.message_id)
    if (
        message is None
        or message.sender_unit_id not in actor.unit_ids
        or actor.status not in (None, message.status)
        or actor.id is None
    ):
        raise not_found()
    require(actor, "signed-reply.upload", "requester")
    content = signed_files.read_whole(upload.file)
    media_type = signed_files.media_type(content)
    case = held_case(session, message.case_id, lock=True)
    answer_type = open_questions.answer_type(message.type, upload.answer)
    if answer_type is None or not open_questions.is_open(session, message, upload.unit_id):
        raise conflict("nothing-to-answer", "This message needs no answer of that unit any more.")
    if reach(session, upload.unit_id, case.status, now) != "not-on-hub":
        raise conflict("unit-on-hub", "This unit is on the hub: it answers there.")
    _check(answer_type, upload)
    _check_authority(session, answer_type, upload, now)
    if session.scalar(
        select(SignedReply.id).where(
            SignedReply.message_id == message.id,
            SignedReply.unit_id == upload.unit_id,
            SignedReply.state == "pending",
        )
    ):
        raise conflict("reply-waiting", "A signed reply is already waiting for a supervisor.")
    reply_id = new_id()
    session.add(
        SignedReply(
            id=reply_id,
            message_id=message.id,
            unit_id=upload.unit_id,
            answer=upload.answer,
            fields=vault.encrypt(
                session, case.id, json.dumps(dict(upload.fields)).encode(), _aad(reply_id, "fields")
            ),
            file_name=f"{case.reference}-signed-reply.{signed_files.ENDINGS[media_type]}",
            file_type=media_type,
            file_size=len(content),
            uploaded_by=actor.id,
            uploaded_by_name=actor.name,
            uploaded_at=now,
            state="pending",
        )
    )
    session.flush()
    for number, chunk in enumerate(encrypted_files.chunks(content)):
        session.add(
            SignedReplyChunk(
                signed_reply_id=reply_id,
                number=number,
                ciphertext=vault.encrypt(session, case.id, chunk, _aad(reply_id, str(number))),
            )
        )
    session.flush()
    audit.record(
        session, actor.who, "signed-reply.attached", now=now, case_id=case.id,
        object_kind="signed-reply", object_id=reply_id,
        detail={"message": str(message.id), "answer": upload.answer},
    )  # fmt: skip
    return reply_id


def _check(answer_type: str, upload: Upload) -> None:
    """Refuse what the answer's contract would refuse, before a supervisor spends time on it."""
    try:
        CONTRACTS[answer_type].model_validate(_body(answer_type, upload.answer, upload.fields))
    except ValidationError:
        if answer_type == "lead-transfer-decline" and not upload.fields.get("code"):
            raise invalid("code-missing", "Choose why they decline.", "/code") from None
        raise invalid("words-missing", "Say why, as the reply does.", "/explanation") from None


def _check_authority(session: Session, answer_type: str, upload: Upload, now: datetime) -> None:
    """Refuse an acceptance without the authority that the organisation which signed asks for (8)."""
    if answer_type != "lead-transfer-accept" or upload.fields.get("supervisor"):
        return
    if asks_supervisor(session, _signer(session, upload.unit_id, now).organisation_id):
        raise invalid(
            "supervisor-needed",
            "Their organisation accepts the lead only with a supervisor’s authority: enter whom the"
            " reply names.",
            "/supervisor",
        )


def _signer(session: Session, unit_id: UUID, now: datetime) -> Unit:
    """Return the unit that answers: the one that was asked, or what stands in its place."""
    unit = session.get_one(Unit, unit_id)
    return standing_on(session, unit, now.astimezone(LONDON).date()) or unit


def decide(
    session: Session, actor: Actor, vault: Vault, reply_id: UUID, *, authorise: bool, now: datetime
) -> UUID | None:
    """Authorise or refuse a signed reply; authorised, it takes effect.

    Returns the id of the message that the answer became, or None.

    Raises:
        HubError: `not-found`; `own-upload` (403); `already-decided` (409, with who and when);
            `unit-on-hub` when the unit came onto the hub since;
            whatever sending the answer raises.
    """
    reply, message, case = _locked(session, actor, reply_id)
    if reply.uploaded_by == actor.id:
        raise forbidden(
            "own-upload",
            "You attached this: another supervisor of your unit must authorise it.",
        )
    require(actor, "signed-reply.authorise", "not-sender")
    if reply.state != "pending":
        raise conflict(
            "already-decided",
            "Somebody has decided on this reply already.",
            state=reply.state,
            name=reply.decided_by_name,
        )
    if authorise and reach(session, reply.unit_id, case.status, now) != "not-on-hub":
        raise conflict("unit-on-hub", "This unit is on the hub now: it answers there.")
    answer_id = _send(session, vault, reply, message, case, now) if authorise else None
    reply.state = "authorised" if authorise else "refused"
    reply.decided_by, reply.decided_by_name, reply.decided_at = actor.id, actor.name, now
    reply.answer_message_id = answer_id
    session.flush()
    audit.record(
        session, actor.who, f"signed-reply.{reply.state}", now=now, case_id=case.id,
        object_kind="signed-reply", object_id=reply.id, detail={"message": str(message.id)},
    )  # fmt: skip
    return answer_id


def read(session: Session, actor: Actor, vault: Vault, reply_id: UUID, now: datetime) -> ReplyCard:
    """Return a signed reply, without its file, to the unit that sent the request; on record.

    Raises:
        HubError: `not-found` to all but the unit that sent the request.
    """
    reply = _of_my_unit(session, actor, reply_id)
    _consulted(session, actor, reply, now)
    return _card(session, actor, vault, reply)


def of_case(session: Session, actor: Actor, vault: Vault, case_id: UUID) -> list[ReplyCard]:
    """Return the signed replies attached to requests of the actor's unit, oldest first."""
    replies = session.scalars(
        select(SignedReply)
        .join(Message, Message.id == SignedReply.message_id)
        .where(Message.case_id == case_id, Message.sender_unit_id.in_(actor.unit_ids))
        .order_by(SignedReply.id)
    )
    return [_card(session, actor, vault, reply) for reply in replies]


def file(
    session: Session, actor: Actor, vault: Vault, reply_id: UUID, now: datetime
) -> tuple[ReplyCard, bytes]:
    """Return a signed reply and its file; that it left the server is on record.

    Raises:
        HubError: `not-found` to all but the unit that sent the request.
    """
    reply = _of_my_unit(session, actor, reply_id)
    card = _card(session, actor, vault, reply)
    case_id = session.get_one(Message, reply.message_id).case_id
    pieces = session.scalars(
        select(SignedReplyChunk)
        .where(SignedReplyChunk.signed_reply_id == reply.id)
        .order_by(SignedReplyChunk.number)
    )
    content = b"".join(
        vault.decrypt(session, case_id, piece.ciphertext, _aad(reply.id, str(piece.number)))
        for piece in pieces
    )
    _consulted(session, actor, reply, now)
    return card, content


def _consulted(session: Session, actor: Actor, reply: SignedReply, now: datetime) -> None:
    """Put it on record that somebody looked at what a signed reply says."""
    audit.record(
        session, actor.who, audit.CONSULTATION, now=now,
        case_id=session.get_one(Message, reply.message_id).case_id,
        object_kind="signed-reply", object_id=reply.id, reason_code="signed-reply",
    )  # fmt: skip


def _of_my_unit(session: Session, actor: Actor, reply_id: UUID) -> SignedReply:
    row = session.execute(
        select(SignedReply, Message.status)
        .join(Message, Message.id == SignedReply.message_id)
        .join(Case, Case.id == Message.case_id)
        .where(SignedReply.id == reply_id, Message.sender_unit_id.in_(actor.unit_ids))
    ).one_or_none()
    if row is None or actor.status not in (None, row.status):
        raise not_found()
    reply: SignedReply = row.SignedReply
    return reply


def _locked(session: Session, actor: Actor, reply_id: UUID) -> tuple[SignedReply, Message, Case]:
    """Lock the case first, then the reply, and return them as they are under the lock."""
    reply = _of_my_unit(session, actor, reply_id)
    message = session.get_one(Message, reply.message_id)
    case = held_case(session, message.case_id, lock=True)
    session.refresh(reply, with_for_update=True)
    return reply, message, case


def _send(
    session: Session, vault: Vault, reply: SignedReply, message: Message, case: Case, now: datetime
) -> UUID:
    """Send the answer of the paper for the unit that signed it."""
    fields = _fields(session, vault, case.id, reply)
    answer_type = open_questions.answer_type(message.type, reply.answer) or ""
    signer = Guest(
        name=fields["officer_name"],
        collar_number=fields.get("officer_collar_number", ""),
        rank=fields.get("officer_rank", ""),
    )
    command = Command.model_validate(
        {
            "type": answer_type,
            "in_reply_to": message.id,
            "sender_reference": fields.get("their_reference"),
            "body": _body(answer_type, reply.answer, fields),
        }
    )
    actor = stand_in(session, _signer(session, reply.unit_id, now).id, signer, reply.id)
    reference = open_questions.answered_in(session, message)
    return sending.send(session, actor, vault, reference, command, now).message_id


def _body(answer_type: str, way: str, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the words of the paper as the contract of its answer has them."""
    words = fields.get("explanation", "")
    match answer_type:
        case "lead-transfer-accept":
            body = {
                "named_officer": fields["officer_name"],
                "officer_rank": fields.get("officer_rank", ""),
                "officer_collar": fields.get("officer_collar_number", ""),
                "supervisor": fields.get("supervisor", ""),
            }
        case "lead-transfer-decline":
            body = {"reason": fields.get("code", ""), "explanation": words}
        case "information-response" if way == "accept":
            body = {"outcome": "provided", "answers": words}
        case "information-response":
            body = {"outcome": "refused", "reason": words}
        case "strategy-meeting-reply":
            comes = way == "accept"
            body = {
                "attendance": "attending" if comes else "declined",
                "person": fields.get("officer_name", ""), "reason": "" if comes else words,
            }  # fmt: skip
        case "plan-reply":
            body = {
                "answer": "agrees" if way == "accept" else "declines",
                "named_person": f"{fields.get('officer_rank', '')} {fields['officer_name']}",
                "reason": words,
            }
        case "located-confirm":
            body = {"confirmed_how": words}
        case _:
            body = {"reason": words}
    return {name: value for name, value in body.items() if value}


def _card(session: Session, actor: Actor, vault: Vault, reply: SignedReply) -> ReplyCard:
    message = session.get_one(Message, reply.message_id)
    case = session.get_one(Case, message.case_id)
    return ReplyCard(
        id=reply.id,
        case_reference=case.reference,
        status=case.status,
        message_id=message.id,
        message_number=message.number,
        unit_name=session.get_one(Unit, reply.unit_id).name,
        answer=open_questions.answer_type(message.type, reply.answer) or "",
        way=reply.answer,
        fields=_fields(session, vault, case.id, reply),
        file_name=reply.file_name,
        file_type=reply.file_type,
        file_size=reply.file_size,
        uploaded_by=reply.uploaded_by,
        uploaded_by_name=reply.uploaded_by_name,
        uploaded_at=reply.uploaded_at,
        state=reply.state,
        decided_by_name=reply.decided_by_name,
        decided_at=reply.decided_at,
        mine_to_decide=reply.state == "pending"
        and reply.uploaded_by != actor.id
        and allows(actor, "signed-reply.authorise", "not-sender"),
    )


def _fields(session: Session, vault: Vault, case_id: UUID, reply: SignedReply) -> dict[str, str]:
    plain = vault.decrypt(session, case_id, reply.fields, _aad(reply.id, "fields"))
    fields: dict[str, str] = json.loads(plain)
    return fields


def _aad(reply_id: UUID, part: str) -> tuple[str, ...]:
    return ("signed-reply", str(reply_id), part)
