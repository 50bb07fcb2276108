"""The API of cases, messages and the inbox (DESIGN.md 3)."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from directory import public as directory
from hub.errors import invalid, not_found
from hub.web import paging
from hub.web.context import current_actor, database, now, vault
from hub.web.guards import api
from hub.web.information import SCHEMAS
from hub.web.openapi import Operation
from hub.web.requests import body, once, query, reply
from messaging import (
    by_reference,
    case_list,
    codes,
    inbox,
    receipts,
    references,
    searching,
    sending,
    views,
    who_leads,
)
from messaging.api_documents import (
    AcknowledgedOut,
    Acknowledgement,
    CaseOut,
    CaseRowOut,
    CasesOut,
    CasesQuery,
    InboxOut,
    InboxQuery,
    InboxRowOut,
    LeadOut,
    MessagesOut,
    MessagesQuery,
    SentOut,
)
from messaging.api_prepared import named, prepared
from messaging.contest import contest
from messaging.contracts import CONTRACTS, Command
from messaging.shown import CaseView, MessageView, UnitName

blueprint = Blueprint("messaging_api", __name__)

for _type, _contract in CONTRACTS.items():
    SCHEMAS[_type, codes.VERSION] = _contract

PURPOSE = {"Purpose": "Why the case is consulted; put on record. Without it, the reason is that a"
           " message was addressed to your unit, or that your unit is a party."}  # fmt: skip
REFERENCE = {"reference": "The case's reference, such as MC-7K3Q-9XJ2"}


def _message(view: MessageView, reference: str) -> dict[str, Any]:
    return {
        "message_id": str(view.id),
        "case_reference": reference,
        "number": view.number,
        "type": view.type,
        "schema_version": view.schema_version,
        "status": view.status,
        "classification": view.classification,
        "priority": view.priority,
        "request_no": view.request_no,
        "sent_at": view.sent_at.isoformat(),
        "reply_due_at": view.reply_due_at.isoformat() if view.reply_due_at else None,
        "in_reply_to": str(view.in_reply_to) if view.in_reply_to else None,
        "sender": {
            "unit": named(view.sender_unit),
            "kind": view.sender_kind,
            "name": view.sender_name,
            "rank": view.sender_rank,
            "collar_number": view.sender_collar,
        },
        "audience": view.audience,
        "withheld": view.withheld,
        "handling": view.envelope.get("handling"),
        "purpose": view.envelope.get("purpose"),
        "sender_reference": view.envelope.get("sender_reference"),
        "callback_telephone": view.envelope.get("callback_telephone"),
        "body": view.body,
        "attachments": [{**asdict(one), "id": str(one.id)} for one in view.attachments],
        "recipients": [
            {
                "unit": named(recipient.unit),
                "reach": recipient.reach_now,
                "facts": [
                    {"kind": fact.kind, "at": fact.at.isoformat(), "who": fact.who}
                    for fact in recipient.facts.values()
                ],
            }
            for recipient in view.recipients
        ],
    }


def _sent(session: Session, sent: sending.Sent) -> dict[str, Any]:
    return {
        "case_reference": sent.case_reference,
        "message_id": str(sent.message_id),
        "number": sent.number,
        "type": sent.type,
        "status": sent.status,
        "sent_at": sent.sent_at.isoformat(),
        "reply_due_at": sent.reply_due_at.isoformat() if sent.reply_due_at else None,
        "recipients": [
            {
                "unit": named(unit),
                "reach": sent.reach[unit.id],
                "delivered": sent.reach[unit.id] == "staffed",
                "ring": _ring(unit, sent)
                if sent.urgent
                or sent.reach[unit.id] == "not-on-hub"
                or _closed(session, unit, sent)
                else [],
            }
            for unit in who_leads.unit_names(session, list(sent.reach))
        ],
    }


def _closed(session: Session, unit: UnitName, sent: sending.Sent) -> bool:
    """Say whether a unit's team is closed now: others are nudged, and it is to be rung."""
    return directory.plan(directory.doors(session, unit.id, sent.status, sent.sent_at)).closed


def _ring(unit: UnitName, sent: sending.Sent) -> list[dict[str, str]]:
    """Return whom to ring at a unit now (DOMAIN.md 4.4, 4.5)."""
    found = directory.contacts_for_unit(
        unit.id, "open-case", now(), police=current_actor().police, status=sent.status
    )
    return [{"value": one.value, "label": one.label, "note": one.note} for one in found]


def _created(done: dict[str, Any], repeated: bool) -> ResponseReturnValue:
    headers = {"Location": f"/api/v1/cases/{done['case_reference']}/messages"}
    if repeated:
        headers["Idempotency-Replayed"] = "true"
    return reply(done, 201, headers)


@api(
    blueprint,
    "/api/v1/cases",
    Operation(
        "POST", "Open a case with its first message", {201: SentOut}, request=Command,
        idempotent=True, errors=(404, 409),
    ),
    scope="cases:write",
)  # fmt: skip
def open_case() -> ResponseReturnValue:
    """Open a case."""
    command = body(Command)

    def act(session: Session) -> dict[str, Any]:
        return _sent(session, sending.open_case(session, current_actor(), vault(), command, now()))

    with by_reference.on_record(database(), current_actor(), now()):
        return _created(*once(act))


@api(
    blueprint,
    "/api/v1/cases/<reference>/messages",
    Operation(
        "POST", "Send a message in a case", {201: SentOut}, request=Command, idempotent=True,
        path=REFERENCE, errors=(404, 409),
    ),
    scope="cases:write",
)  # fmt: skip
def send(reference: str) -> ResponseReturnValue:
    """Send a message."""
    command = body(Command)

    def act(session: Session) -> dict[str, Any]:
        sent = sending.send(session, current_actor(), vault(), reference, command, now())
        return _sent(session, sent)

    return _created(*once(act))


@api(
    blueprint,
    "/api/v1/cases",
    Operation("GET", "List your units' cases, without content", {200: CasesOut}, query=CasesQuery),
    scope="cases:read",
)
def list_cases() -> ResponseReturnValue:
    """List cases."""
    asked = query(CasesQuery)
    position = paging.decode(asked.cursor, 1)
    try:
        before = UUID(str(position[0])) if position else None
    except ValueError:
        raise invalid("cursor", "This cursor is not one of this list.", "/cursor") from None
    with database().unit_of_work() as session:
        actor = current_actor()
        rows = case_list.cases(
            session, actor, before=before, open_=asked.open, status=asked.status,
            reference=references.clean(asked.reference) if asked.reference else None,
            keys=searching.own_keys(actor, vault(), asked.own_reference)
            if asked.own_reference
            else None,
            most=paging.PAGE + 1,
        )  # fmt: skip
    page = rows[: paging.PAGE]
    return reply(
        CasesOut(
            cases=[
                case_row(row) for row in page
            ],
            next=paging.encode(page[-1].id) if len(rows) > paging.PAGE else None,
        )
    )  # fmt: skip


def case_row(row: case_list.CaseRow) -> CaseRowOut:
    """Return a line of a list of cases."""
    return CaseRowOut(
        reference=row.reference, status=row.status, opened_at=row.opened_at,
        closed_at=row.closed_at, lead=row.lead, risk=row.risk, report_state=row.report_state,
        contested=row.contested, asked_only=row.asked_only,
    )  # fmt: skip


def reason_of_reader(session: Session, reference: str) -> tuple[str, str | None]:
    """Return why a system reads a case, as a code, and in the words that it sent.

    Raises:
        HubError: `not-found` to strangers; 422 `purpose`.
    """
    purpose = request.headers.get("Purpose")
    if purpose is not None and (len(purpose) > 2000 or "\0" in purpose):
        raise invalid("purpose", "A purpose has at most 2000 characters.")
    reason = views.reason_for(session, current_actor(), vault(), reference, now())
    return "stated" if purpose else (reason.code if reason else "party"), purpose


def _read(session: Session, reference: str) -> CaseView:
    code, purpose = reason_of_reader(session, reference)
    view = views.case_view(
        session, current_actor(), vault(), reference, now(), reason_code=code, reason=purpose
    )
    # What is handed to a unit's own system has been delivered to it.
    handed = [message.id for message in view.messages if message.to_me]
    receipts.delivered(session, current_actor(), handed, now())
    return view


@api(
    blueprint,
    "/api/v1/cases/<reference>",
    Operation(
        "GET", "Read a case: lead, report, messages, what you may send now", {200: CaseOut},
        path=REFERENCE, errors=(404, 422), headers=PURPOSE,
    ),
    scope="cases:read",
)  # fmt: skip
def read_case(reference: str) -> ResponseReturnValue:
    """Read a case."""
    with database().unit_of_work() as session:
        view = _read(session, reference)
        lead = who_leads.lead_view(session, current_actor(), reference, now())
        others = _others(session, view)
    return reply(
        {
            "reference": view.reference,
            "status": view.status,
            "state": view.state,
            "opened_at": view.opened_at.isoformat(),
            "closed_at": view.closed_at.isoformat() if view.closed_at else None,
            "risk": view.risk,
            "report_state": view.report.state if view.report else None,
            "child": view.child,
            "lead": lead,
            **prepared(view),
            "actions": list(dict.fromkeys(action.type for action in view.actions)),
            **others,
            "messages": [_message(message, view.reference) for message in view.messages],
        }
    )


def _others(session: Session, view: CaseView) -> dict[str, Any]:
    """Return what is said of other cases of the child."""
    actor = current_actor()
    shown = contest(session, actor, view, now())
    return {
        "contested": [
            {
                "match": str(one["match"]),
                "since": one["since"].isoformat(),
                "unit": named(one["named"]),
                "ring": [
                    {"value": n.value, "label": n.label, "note": n.note} for n in one["numbers"]
                ],
                "denied_here": one["denied_here"],
                "denied_there": one["denied_there"],
            }
            for one in shown["contested"]
        ],
        "joined_into": shown["joined"],
        "aliases": shown["earlier"],
    }


@api(
    blueprint,
    "/api/v1/cases/<reference>/messages",
    Operation(
        "GET", "Read a case's messages by rising number", {200: MessagesOut}, query=MessagesQuery,
        path=REFERENCE, errors=(404,), headers=PURPOSE,
    ),
    scope="cases:read",
)  # fmt: skip
def read_messages(reference: str) -> ResponseReturnValue:
    """Read messages: a number is given out under the case's lock, so none is passed over."""
    asked = query(MessagesQuery)
    with database().unit_of_work() as session:
        view = _read(session, reference)
    rest = [message for message in view.messages if message.number > asked.after]
    page = rest[: paging.PAGE]
    return reply(
        {
            "messages": [_message(message, view.reference) for message in page],
            "next": page[-1].number if len(rest) > paging.PAGE else None,
        }
    )


@api(
    blueprint,
    "/api/v1/cases/<reference>/lead",
    Operation(
        "GET", "Who leads, since when, on what basis", {200: LeadOut}, path=REFERENCE, errors=(404,)
    ),
    scope="cases:read",
)
def read_lead(reference: str) -> ResponseReturnValue:
    """Read the lead."""
    with database().unit_of_work() as session:
        return reply(who_leads.lead_view(session, current_actor(), reference, now()))


@api(
    blueprint,
    "/api/v1/inbox",
    Operation("GET", "What needs your answer, and what is new", {200: InboxOut}, query=InboxQuery),
    scope="cases:read",
)
def read_inbox() -> ResponseReturnValue:
    """Read the inbox; what is handed out has been delivered."""
    asked = query(InboxQuery)
    with database().unit_of_work() as session:
        actor = current_actor()
        wanted = inbox.Wanted(need=asked.need, status=asked.status)
        rows = inbox.inbox(session, actor, wanted, now=now())
        receipts.delivered(session, actor, [row.message_id for row in rows], now())
    return reply(
        InboxOut(
            rows=[
                InboxRowOut(
                    message_id=str(row.message_id), number=row.number,
                    case_reference=row.reference, status=row.status, type=row.type,
                    priority=row.priority, sent_at=row.sent_at, from_unit=row.from_unit,
                    to_unit=row.to_unit, need=row.need, due_at=row.due_at,
                    seconds_left=row.seconds_left(now()), delivered_at=row.delivered_at,
                    opened_at=row.opened_at, opened_by=row.opened_by,
                    acknowledged_at=row.acknowledged_at, acknowledged_by=row.acknowledged_by,
                    request_no=row.request_no, missed=row.missed, to_ring=row.to_ring,
                    expires_at=row.expires_at, clock=row.clock,
                )
                for row in rows
            ]
        )
    )  # fmt: skip


@api(
    blueprint,
    "/api/v1/inbox/<message_id>/acknowledgement",
    Operation(
        "POST", "Acknowledge a message; that moves no lead", {200: AcknowledgedOut},
        request=Acknowledgement, path={"message_id": "The message's UUID"}, errors=(404,),
    ),
    scope="cases:write",
)  # fmt: skip
def acknowledge(message_id: str) -> ResponseReturnValue:
    """Acknowledge; a repeat changes nothing."""
    given = body(Acknowledgement) if request.get_data() else Acknowledgement()
    try:
        key = UUID(message_id)
    except ValueError:
        raise not_found() from None
    with database().unit_of_work() as session:
        reference = receipts.acknowledge(
            session, current_actor(), key, now(),
            opened_by=given.seen_by,
        )  # fmt: skip
    return reply({"message_id": str(key), "case_reference": reference, "acknowledged": True})
