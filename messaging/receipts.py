"""Delivered, opened, acknowledged: different facts, each once, with its name (DOMAIN.md 4.5)."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hub.db import new_id
from hub.errors import not_found
from hub.identity import policy
from hub.identity.actor import Actor
from hub.jobs import outbox
from hub.records import audit
from messaging import clocks
from messaging.act import clock_settings
from messaging.contracts import CONTRACTS
from messaging.meeting_model import CaseAction, MeetingInvitation
from messaging.model import Case, Clock, LeadRequest, Message, Receipt, Recipient
from messaging.writing import end_to_ring, receipt, stop_opening


def note(
    session: Session,
    actor: Actor | None,
    pairs: Collection[tuple[UUID, UUID]],
    kind: str,
    now: datetime,
) -> list[UUID]:
    """Note a fact about (message, unit) pairs, where it is new; return the messages concerned."""
    if not pairs:
        return []
    rows = [receipt(message_id, unit, kind, now, actor) for message_id, unit in sorted(pairs)]
    table = cast(Table, Receipt.__table__)
    found = session.execute(
        insert(table).values(rows).on_conflict_do_nothing().returning(table.c.message_id)
    )
    return list(found.scalars())


def delivered(session: Session, actor: Actor, messages: Collection[UUID], now: datetime) -> None:
    """Note that messages were handed to the system of units that they were sent to.

    What was sent while such a unit was not on the hub has reached it now: its clocks start.
    """
    if not messages:
        return
    pairs = session.execute(
        select(Recipient.message_id, Recipient.unit_id, Recipient.reach, Case.closed_at)
        .join(Case, Case.id == Recipient.case_id)
        .where(Recipient.message_id.in_(messages), Recipient.unit_id.in_(actor.unit_ids))
    ).all()
    new = note(session, None, [(row.message_id, row.unit_id) for row in pairs], "delivered", now)
    late = [
        (row.message_id, row.unit_id)
        for row in pairs
        if row.reach == "not-on-hub" and row.closed_at is None and row.message_id in new
    ]
    for message_id, unit in late:
        restart(session, message_id, [unit], now)
    await_opening(session, late, now)


def opened(
    session: Session, actor: Actor, pairs: Collection[tuple[UUID, UUID]], now: datetime
) -> list[UUID]:
    """Note that a named person saw messages sent to their units, and stop those clocks."""
    return _seen(session, actor, pairs, now) if actor.kind in ("person", "guest") else []


def _seen(
    session: Session, actor: Actor, pairs: Collection[tuple[UUID, UUID]], now: datetime
) -> list[UUID]:
    new = note(session, actor, pairs, "opened", now)
    if new:
        stop_opening(session, new, [unit for _, unit in pairs], now)
    return new


def acknowledge(
    session: Session, actor: Actor, message_id: UUID, now: datetime, *, opened_by: str | None = None
) -> str:
    """Say that the message was received; it moves no lead, and a repeat changes nothing.

    Returns the case's reference. A system that says which of its people saw the message opens it in
    their name; without one, nobody is known to have opened it (4.5).

    Raises:
        HubError: `not-found` when the message was not sent to a unit of theirs.
    """
    row = session.execute(
        select(Case.id, Case.reference, Case.status, Recipient.unit_id)
        .join(Recipient, Recipient.case_id == Case.id)
        .where(Recipient.message_id == message_id, Recipient.unit_id.in_(actor.unit_ids))
        .order_by(Recipient.unit_id)
    ).all()
    if not row or actor.status not in (None, row[0].status):
        raise not_found()
    policy.require(actor, "message.acknowledge", "recipient")
    pairs = [(message_id, unit.unit_id) for unit in row]
    delivered(session, actor, [message_id], now)
    named = replace(actor, name=f"{opened_by} (by {actor.name})") if opened_by else actor
    seen = (_seen if opened_by else opened)(session, named, pairs, now)
    if note(session, named, pairs, "acknowledged", now) or (opened_by and seen):
        audit.record(
            session, actor.who, "message.acknowledge", now=now, case_id=row[0].id,
            object_kind="message", object_id=message_id,
            detail={"opened": True} if opened_by else None,
        )  # fmt: skip
    return str(row[0].reference)


_WAITING = text("""
SELECT DISTINCT c.status, r.unit_id
FROM recipient r JOIN cases c ON c.id = r.case_id
WHERE c.closed_at IS NULL AND r.reach <> 'staffed'
    AND NOT EXISTS (SELECT FROM receipt d WHERE d.message_id = r.message_id
        AND d.unit_id = r.unit_id AND d.kind = 'delivered')
ORDER BY c.status, r.unit_id
""")
_UNDELIVERED = text("""
SELECT r.message_id, r.unit_id
FROM recipient r JOIN cases c ON c.id = r.case_id
WHERE c.closed_at IS NULL AND r.reach <> 'staffed' AND c.status = :status
    AND r.unit_id = ANY(:units)
    AND NOT EXISTS (SELECT FROM receipt d WHERE d.message_id = r.message_id
        AND d.unit_id = r.unit_id AND d.kind = 'delivered')
ORDER BY r.message_id, r.unit_id LIMIT 500
""")


def catch_up(session: Session, now: datetime) -> int:
    """Deliver what waits for units that have become staffed; their clocks start again, once.

    Guest links of such units end with it. Returns how many messages were delivered.
    """
    from hub.identity.reach import reach_of
    from messaging import guest_links

    # Units first: of those that stay away there may be any number of messages, for ever.
    waiting: dict[str, list[UUID]] = {}
    for row in session.execute(_WAITING):
        waiting.setdefault(row.status, []).append(row.unit_id)
    delivered = 0
    for status, units in waiting.items():
        staffed = {u for u, r in reach_of(session, units, status, now).items() if r == "staffed"}
        pairs = [
            (row.message_id, row.unit_id)
            for row in session.execute(_UNDELIVERED, {"status": status, "units": list(staffed)})
        ]
        new = note(session, None, pairs, "delivered", now)
        delivered += len(new)
        for unit in staffed:
            guest_links.revoke_for_unit(session, unit, status, now)
        for message_id in new:
            outbox.enqueue(session, "nudge", message_id, now=now)
            restart(session, message_id, staffed, now)
        await_opening(session, pairs, now)
    return delivered


def await_opening(session: Session, pairs: Collection[tuple[UUID, UUID]], now: datetime) -> None:
    """Start the clocks within which staff open what has only now been delivered to them (6).

    On record by case, so that screens hear of it.
    """
    if not pairs:
        return
    settings = clock_settings(session, {unit for _, unit in pairs})
    messages = {
        row.id: row
        for row in session.execute(
            select(
                Message.id,
                Message.case_id,
                Message.type,
                func.coalesce(LeadRequest.priority, Message.priority).label("priority"),
            )
            .outerjoin(LeadRequest, LeadRequest.message_id == Message.id)
            .where(Message.id.in_({message_id for message_id, _ in pairs}))
        )
    }
    rows = []
    for message_id, unit in sorted(pairs):
        message = messages[message_id]
        kind = clocks.opened_kind(
            asks=CONTRACTS[message.type].ASKS, urgent=message.priority == "urgent"
        )
        due = clocks.due(kind, now, settings[unit])
        rows.append(
            {
                "id": new_id(), "case_id": message.case_id, "kind": kind,
                "message_id": message_id, "owed_by_unit_id": unit, "started_at": now,
                "due_at": due, "escalates_at": due, "step": 0,
            }
        )  # fmt: skip
    session.execute(insert(cast(Table, Clock.__table__)).values(rows).on_conflict_do_nothing())
    for case_id in {message.case_id for message in messages.values()}:
        audit.record(
            session, audit.SYSTEM, "message.deliver-late", now=now, case_id=case_id,
            detail={"messages": [str(m.id) for m in messages.values() if m.case_id == case_id]},
        )  # fmt: skip


def restart(session: Session, message_id: UUID, units: Collection[UUID], now: datetime) -> None:
    """Start a message's clocks afresh for units that have just received it."""
    settings = clock_settings(session, units)
    needed_by = session.scalar(select(Message.reply_due_at).where(Message.id == message_id))
    starts_at = session.scalar(
        select(MeetingInvitation.starts_at).where(MeetingInvitation.message_id == message_id)
    )
    for clock in session.scalars(
        select(Clock).where(
            Clock.message_id == message_id,
            Clock.owed_by_unit_id.in_(units),
            Clock.kind.in_(
                (
                    *clocks.OPENED,
                    "report-outcome",
                    "lead-urgent",
                    "lead-routine",
                    "located-answer",
                    "direction",
                    "supervisor-decision",
                    "enquiry",
                    "enquiry-urgent",
                    "meeting-reply",
                    "meeting-reply-urgent",
                    "meeting-action",
                    "live-line",
                    "plan-reply",
                )
            ),
            Clock.met_at.is_(None),
            Clock.ended_at.is_(None),
        )
    ):
        action = session.get(CaseAction, clock.action_id) if clock.action_id else None
        by = action.due_at if action else starts_at or needed_by
        due = clocks.due_once_told(clock.kind, now, settings[clock.owed_by_unit_id], by)
        clock.started_at, clock.due_at, clock.missed_at = now, due, None
        clock.step, clock.escalates_at = 0, due
    session.flush()
    end_to_ring(session, session.get_one(Message, message_id).case_id, now)
