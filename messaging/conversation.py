"""The messages of a case as one reader sees them: their part of each, and what became of it (4.8).

Nothing is decrypted that is not shown.
"""

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.identity.actor import Actor
from hub.identity.reach import reach_of
from hub.records.vault import Vault
from messaging import attachments, audiences
from messaging.contracts import CONTRACTS
from messaging.contracts.identifiers import structured
from messaging.model import Message, MessagePart, Receipt, Recipient
from messaging.shown import Fact, MessageView, RecipientView, UnitName
from messaging.state import CaseState
from messaging.writing import part_aad


def messages_of(
    session: Session,
    actor: Actor,
    vault: Vault,
    case: CaseState,
    names: dict[UUID, UnitName],
    now: datetime,
    *,
    only: UUID | None = None,
) -> list[MessageView]:
    """Return the messages that the reader may see something of, newest last."""
    query = select(Message).where(Message.case_id == case.id).order_by(Message.number)
    if only is not None:
        query = query.where(Message.id == only)
    found = list(session.scalars(query))
    sent_to: dict[UUID, set[UUID]] = {}
    for row in session.execute(
        select(Recipient.message_id, Recipient.unit_id).where(Recipient.case_id == case.id)
    ):
        sent_to.setdefault(row.message_id, set()).add(row.unit_id)
    parts: dict[UUID, list[MessagePart]] = {}
    for part in session.scalars(
        select(MessagePart).where(MessagePart.message_id.in_([message.id for message in found]))
    ):
        parts.setdefault(part.message_id, []).append(part)
    views = []
    mine = set(case.mine(actor))
    taken = attachments.of_case(session, case.id)
    for message in found:
        to = sent_to.get(message.id, set())
        view = _message(message, names, mine, to)
        readable = [
            part
            for part in parts.get(message.id, [])
            if may_read(case, mine, message, to, part.audience)
        ]
        if not readable:
            continue
        for part in readable:
            plain = vault.decrypt(
                session, case.id, part.ciphertext,
                part_aad(message.id, message.type, part.audience),
            )  # fmt: skip
            document = json.loads(plain)
            view.body |= document["body"]
            view.envelope |= document["envelope"]
        view.body = {
            name: view.body[name]
            for name in CONTRACTS[message.type].model_fields
            if name in view.body
        }
        child = view.body.get("child", {})
        if "identifiers" in child:
            child["identifiers"] = [structured(one) for one in child["identifiers"]]
        files = taken.get(message.id, [])
        view.attachments = [
            attachments.shown(session, vault, row)
            for row in files
            if may_read(case, mine, message, to, row[0].audience)
        ]
        view.withheld = len(readable) < len(parts[message.id]) or len(view.attachments) < len(files)
        views.append(view)
    add_facts(session, views, now, case, names)
    return views


def may_read(
    case: CaseState, mine: set[UUID], message: Message, to: set[UUID], audience: str
) -> bool:
    """Say whether one of the units that the reader acts for may read what is for an audience.

    What was sent to a unit for the statutory parties it reads whatever part it has taken since: it
    may owe the answer.
    """
    if audience == message.audience == "statutory" and to & mine:
        return True
    return any(
        audiences.may_read(
            audience,
            police=case.parties[unit].police,
            part=case.parties[unit].part,
            full=case.parties[unit].full,
            recipient=unit in to,
            sender=message.sender_unit_id == unit,
        )
        for unit in mine
    )


def _message(
    message: Message, names: dict[UUID, UnitName], mine: set[UUID], to: set[UUID]
) -> MessageView:
    return MessageView(
        id=message.id,
        number=message.number,
        type=message.type,
        schema_version=message.schema_version,
        status=message.status,
        classification=message.classification,
        priority=message.priority,
        request_no=message.request_no,
        sent_at=message.sent_at,
        reply_due_at=message.reply_due_at,
        in_reply_to=message.in_reply_to,
        sender_unit=names[message.sender_unit_id],
        sender_kind=message.sender_kind,
        sender_name=message.sender_name,
        sender_rank=message.sender_rank,
        sender_collar=message.sender_collar,
        audience=message.audience,
        mine=message.sender_unit_id in mine,
        to_me=tuple(sorted(to & mine)),
    )


def add_facts(
    session: Session,
    views: list[MessageView],
    now: datetime,
    case: CaseState,
    names: dict[UUID, UnitName] | None = None,
) -> None:
    """Put each recipient's facts on the messages, as they are now."""
    ids = [view.id for view in views]
    if names is not None:
        rows = session.execute(
            select(Recipient.message_id, Recipient.unit_id, Recipient.reach)
            .where(Recipient.message_id.in_(ids))
            .order_by(Recipient.unit_id)
        ).all()
        present = reach_of(session, {row.unit_id for row in rows}, case.status, now) if rows else {}
        by_id = {view.id: view for view in views}
        for row in rows:
            by_id[row.message_id].recipients.append(
                RecipientView(names[row.unit_id], row.reach, present[row.unit_id])
            )
    facts = session.execute(
        select(
            Receipt.message_id, Receipt.unit_id, Receipt.kind, Receipt.at, Receipt.who_name
        ).where(Receipt.message_id.in_(ids))
    )
    recipients = {(v.id, r.unit.id): r for v in views for r in v.recipients}
    for fact in facts:
        recipient = recipients.get((fact.message_id, fact.unit_id))
        if recipient is not None:
            recipient.facts[fact.kind] = Fact(fact.kind, fact.at, fact.who_name)
