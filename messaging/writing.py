"""A message as it is written: its envelope, its encrypted parts, its recipients, its record."""

import json
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.identity.actor import Actor
from hub.jobs import outbox
from hub.records import audit
from messaging import (
    audiences,
    clocks,
    codes,
    match_clocks,
    matching,
)
from messaging.act import Act, insert_rows
from messaging.nudging import tells_inspectors

# One statement, since every message costs it: the envelope, its parts, its recipients.
_MESSAGE = text("""
WITH envelope AS (
    INSERT INTO message (
        id, case_id, number, type, schema_version, status, classification, priority, request_no,
        sent_at, reply_due_at, in_reply_to, sender_organisation_id, sender_unit_id, sender_kind,
        sender_id, sender_name, sender_rank, sender_collar, audience)
    VALUES (
        :id, :case_id, :number, :type, :schema_version, :status, :classification, :priority,
        :request_no, :sent_at, :reply_due_at, :in_reply_to, :sender_organisation_id,
        :sender_unit_id, :sender_kind, :sender_id, :sender_name, :sender_rank, :sender_collar,
        :audience)
), recipients AS (
    INSERT INTO recipient (message_id, unit_id, case_id, reach)
    SELECT CAST(:id AS uuid), unit_id, CAST(:case_id AS uuid), reach
    FROM unnest(CAST(:units AS uuid[]), CAST(:reaches AS text[])) AS r (unit_id, reach)
)
INSERT INTO message_part (message_id, audience, ciphertext)
SELECT CAST(:id AS uuid), audience, ciphertext
FROM unnest(CAST(:audiences AS text[]), CAST(:ciphertexts AS bytea[])) AS p (audience, ciphertext)
""")


def write_message(act: Act) -> None:
    session, case, actor, command = act.session, act.case, act.actor, act.command
    parts = _parts(act)
    recipients = _recipients(act)
    session.execute(
        _MESSAGE,
        {
            "id": act.message_id, "case_id": case.id, "number": case.number,
            "type": command.type, "schema_version": codes.VERSION, "status": case.status,
            "classification": command.classification, "priority": act.priority,
            "request_no": act.request_no, "sent_at": act.at, "reply_due_at": act.reply_due_at,
            "in_reply_to": None if act.replies_to_alias else act.in_reply_to,
            "sender_organisation_id": case.parties[act.unit].organisation_id,
            "sender_unit_id": act.unit, "sender_kind": actor.kind, "sender_id": actor.id,
            "sender_name": actor.name, "sender_rank": actor.rank_or_role,
            "sender_collar": actor.collar_number, "audience": act.audience,
            "audiences": list(parts), "ciphertexts": list(parts.values()),
            "units": list(recipients), "reaches": list(recipients.values()),
        },
    )  # fmt: skip
    for unit in act.to:
        if act.reach[unit] != "not-on-hub":
            act.clock(clocks.opened_kind(asks=act.body.ASKS, urgent=act.priority == "urgent"), unit)
    if act.waits_for_call and actor.kind != "guest":
        act.clock(clocks.to_ring_kind(urgent=act.priority == "urgent"), act.unit)
    if act.in_reply_to is not None and actor.kind != "system":
        # Whoever answers has read it, though their system opened nothing in anybody's name.
        stop_opening(session, [act.in_reply_to], [act.unit], act.at)
    receipts = _receipts(act)
    if receipts:
        insert_rows(session, "receipt", receipts)
    matched = matching.note(
        session, act.vault, case, act.message_id, act.body,
        organisation_id=case.parties[act.unit].organisation_id, reference=command.sender_reference,
    )  # fmt: skip
    for write in act.after:
        write()
    match_clocks.start(session, matched, act.at)  # by now it is on record who is in charge
    end_to_ring(session, case.id, act.at)
    audit.record(
        session,
        actor.who,
        "message.send",
        now=act.at,
        case_id=case.id,
        object_kind="message",
        object_id=act.message_id,
        reason=command.purpose,
        detail={
            "type": command.type,
            "to": [str(unit) for unit in act.to],
            **(
                {"attachments": [str(one) for one in command.attachments]}
                if command.attachments
                else {}
            ),
        },
        vault=act.vault,
    )
    staffed = any(reach == "staffed" for reach in act.reach.values())
    if staffed or tells_inspectors(command.type, urgent=act.priority == "urgent"):
        outbox.enqueue(session, "nudge", act.message_id, now=act.at)


_RUNG = text("""
UPDATE clock r SET ended_at = :at
WHERE r.case_id = :case_id AND r.kind IN ('to-ring', 'to-ring-urgent')
    AND r.met_at IS NULL AND r.ended_at IS NULL
    AND NOT EXISTS (SELECT FROM clock w WHERE w.message_id = r.message_id AND w.started_at IS NULL
        AND w.met_at IS NULL AND w.ended_at IS NULL)
""")


def end_to_ring(session: Session, case_id: UUID, at: datetime) -> None:
    """End the clocks of those who had to ring, where nobody waits for a call any more (4.5)."""
    session.execute(_RUNG, {"case_id": case_id, "at": at})


_SEEN = text("""
UPDATE clock SET met_at = :at
WHERE message_id = ANY(CAST(:messages AS uuid[])) AND owed_by_unit_id = ANY(CAST(:units AS uuid[]))
    AND kind = ANY(CAST(:kinds AS text[])) AND met_at IS NULL AND ended_at IS NULL
""")


def stop_opening(
    session: Session, messages: Collection[UUID], units: Collection[UUID], at: datetime
) -> None:
    """Meet the clocks within which units have messages opened by a human (6)."""
    session.execute(
        _SEEN,
        {"messages": list(messages), "units": list(units), "kinds": list(clocks.OPENED), "at": at},
    )


def _parts(act: Act) -> dict[str, bytes]:
    """Return the message's parts by audience, each encrypted for itself."""
    document = act.body.model_dump(mode="json", exclude_none=True)
    split = audiences.split(type(act.body), document, act.audience)
    command = act.command
    envelope = {
        name: value
        for name, value in (
            ("purpose", command.purpose),
            ("handling", command.handling),
            ("sender_reference", command.sender_reference),
            ("callback_telephone", command.callback_telephone),
        )
        if value
    }
    return {
        audience: act.vault.encrypt(
            act.session,
            act.case.id,
            json.dumps(
                {"body": part, "envelope": envelope if audience == act.audience else {}}
            ).encode(),
            part_aad(act.message_id, command.type, audience),
        )
        for audience, part in split.items()
    }


def part_aad(message_id: UUID, message_type: str, audience: str) -> tuple[str, ...]:
    """Return what a part's ciphertext is bound to, besides its case."""
    return ("message", str(message_id), message_type, audience)


def _recipients(act: Act) -> dict[UUID, str]:
    """Return how each recipient is reached, and let those new to the case into it."""
    for unit in act.to.values():
        # A unit new to the case sees the message sent to it, not the case (4.8).
        act.add_party(replace(unit, full=False))
    return {unit: act.reach[unit] for unit in act.to}


def _receipts(act: Act) -> list[dict[str, Any]]:
    """Return what is true at once: staff have it in their inbox."""
    return [
        receipt(act.message_id, unit, "delivered", act.at, None)
        for unit in act.to
        if act.reach[unit] == "staffed"
    ]


def receipt(
    message_id: UUID, unit: UUID, kind: str, at: datetime, actor: Actor | None
) -> dict[str, Any]:
    """Return the row of one fact about one recipient."""
    return {
        "message_id": message_id, "unit_id": unit, "kind": kind, "at": at,
        "who_kind": actor.kind if actor else "system", "who_id": actor.id if actor else None,
        "who_name": actor.name if actor else "",
    }  # fmt: skip
