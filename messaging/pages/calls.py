"""Whom to ring about a message that nobody has opened, and what to say."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from hub.identity.actor import Actor
from hub.organisations import Unit
from hub.records.keys import Keys
from messaging import audiences, clocks, guest_links, open_questions, telephone, wording
from messaging.act import clock_settings
from messaging.contracts import CONTRACTS
from messaging.pages import closing, meeting_section, ringing
from messaging.pages.preparing import unreached
from messaging.pages.reading import Row, child_rows, rows
from messaging.shown import CaseView, MessageView, RecipientView

Shown = dict[str, Any]
BY_CALL = ("awaiting-police", "not-accepted", "recorded-by-telephone")
"""States of a report about which its reporter rings, the last one where police are off the hub."""


def calls_of(
    session: Session, actor: Actor, keys: Keys, view: CaseView, now: datetime
) -> list[Shown]:
    """Return whom the reader must ring now: who owes them an urgent answer, or is away."""
    found = []
    by_id = {message.id: message for message in view.messages}
    report, request = view.report, view.request
    if report and report.state in BY_CALL and not view.lead:
        message = by_id.get(report.message_id)
        if message is not None and report.reporter.id in actor.unit_ids:
            call = _call(session, actor, view, message, report.addressed.id, now)
            if call["told_at"] and call["told_at"] < report.since:
                call["told"] = None  # what was told before the report was looked at again
            if call["away"] and report.state != "not-accepted":
                call |= _answer_elsewhere(session, actor, keys, view, message, call, now)
            taken = report.state == "recorded-by-telephone"
            if taken:
                call |= {"why": "", "urgent": False}
                call["said"] = _("They took it by telephone: it is not confirmed on the hub. They can"
                                 " record it by a link, or a signed reply.")  # fmt: skip
            if call["away"] or not taken:
                found.append(call)
    if request and request.from_unit.id in actor.unit_ids:
        message = by_id.get(request.message_id)
        if message is not None and (
            request.priority == "urgent" or request.to_reach == "not-on-hub"
        ):
            call = _call(session, actor, view, message, request.to_unit.id, now)
            if call["away"]:
                call |= _answer_elsewhere(session, actor, keys, view, message, call, now)
            found.append(call)
    for claim in view.claims:
        message = by_id.get(claim.message_id)
        if message is not None and claim.unit.id in actor.unit_ids and view.lead:
            call = _call(session, actor, view, message, view.lead.unit.id, now)
            if call["away"]:
                call |= _answer_elsewhere(session, actor, keys, view, message, call, now)
            found.append(call)
    for one in view.matters.questions:
        message = by_id.get(one.message_id)
        away = one.to_reach == "not-on-hub"
        if message is not None and one.asked_by in actor.unit_ids and (one.immediate or away):
            call = _call(session, actor, view, message, one.to, now)
            if away:
                call |= _answer_elsewhere(session, actor, keys, view, message, call, now)
            found.append(call)
    for message_id, owing in meeting_section.owing(session, actor, view):
        message = by_id.get(message_id)
        recipients = message.recipients if message is not None and message.mine else []
        away = any(r.unit.id == owing and r.reach_now == "not-on-hub" for r in recipients)
        if message is not None and away:
            call = _call(session, actor, view, message, owing, now)
            call |= _answer_elsewhere(session, actor, keys, view, message, call, now)
            found.append(call)
    for message, unit, asked in unreached(view):
        call = _call(session, actor, view, message, unit, now)
        if asked and call["away"]:
            call |= _answer_elsewhere(session, actor, keys, view, message, call, now)
        found.append(call)
    direction = view.matters.direction
    if direction:
        message = by_id.get(direction.message_id)
        if message is not None and message.mine:
            found.append(_call(session, actor, view, message, direction.to, now))
    found += _unopened(session, actor, view, {call["unit_id"] for call in found}, now)
    lead = guest_links.lead_away(session, actor, keys, view.reference, now) if view.lead else None
    if lead is not None:
        found.append(_lead_away(session, actor, view, lead, now))
    return found


def _lead_away(
    session: Session, actor: Actor, view: CaseView, lead: guest_links.LeadAway, now: datetime
) -> Shown:
    """Return how the reader stands by a lead that is not on the hub (DOMAIN.md 4.5)."""
    unit = session.get_one(Unit, lead.unit_id)
    mailbox = guest_links.mailbox_of(session, unit.id, view.status)
    said = _("It leads and is not on the hub, so its clocks ring you. It hands over between officers,"
             " sends news, says that the child is located or offers the lead by a guest link to its"
             " verified mailbox, one for each.")  # fmt: skip
    if mailbox is None:
        said += " " + _(
            "No mailbox of theirs has been verified by call-back, so no link can be sent."
        )
    return {
        "unit": unit.name,
        "unit_id": unit.id,
        "message_id": lead.message_id,
        "urgent": False,
        "why": "",
        "numbers": ringing.numbers(unit.id, "open-case", now, actor, view.status),
        "leads": True,
        "said": said,
        "answer": False,
        "links": lead.links,
        "mailbox": mailbox,
        "link_address": url_for("messaging.lead_link_send", reference=view.reference),
        "reply_address": None,
    }  # fmt: skip


def boxes_of(calls: list[Shown]) -> list[Shown]:
    """Return a box for each unit that is rung, with everything that it is rung about.

    The urgent ones come first: they stand above what the reader may do.
    """
    by_unit: dict[UUID, list[Shown]] = {}
    for call in calls:
        by_unit.setdefault(call["unit_id"], []).append(call)
    boxes = [
        {
            "unit": about[0]["unit"],
            "urgent": any(call["urgent"] for call in about),
            "why": next((call["why"] for call in about if call["why"]), ""),
            "numbers": list(dict.fromkeys(one for call in about for one in call["numbers"])),
            "answer": any(call["answer"] for call in about),
            "mailbox": next((call["mailbox"] for call in about if call["mailbox"]), None),
            "by_reply": any(call["reply_address"] for call in about),
            "about": about,
        }
        for about in by_unit.values()
    ]
    return sorted(boxes, key=lambda box: not box["urgent"])


def _unopened(
    session: Session, actor: Actor, view: CaseView, boxed: set[UUID], now: datetime
) -> list[Shown]:
    """Return whom to ring because they have not opened what my unit sent urgently, whoever sent it.

    Of several such messages to a unit the last is rung about.
    """
    if view.closed_at is not None:
        return []
    settled = view.report
    if settled is not None and settled.state in ("awaiting-police", "not-accepted"):
        settled = None
    rung: dict[UUID, Shown] = {}
    for message in reversed(view.messages):
        if not message.mine or message.priority != "urgent":
            continue
        if settled and (message.id == settled.message_id or message.type in ringing.OF_REPORT[1:]):
            continue
        for recipient in message.recipients:
            unit = recipient.unit.id
            known = recipient.facts.keys() & {"opened", "answered", "told-by-telephone"}
            if known or unit in rung or unit in boxed:
                continue
            call = _call(session, actor, view, message, unit, now)
            if not call["why"]:
                call["said"] = _("It has not opened it yet.")
            rung[unit] = call
    return list(rung.values())


def _call(
    session: Session,
    actor: Actor,
    view: CaseView,
    message: MessageView,
    unit_id: UUID,
    now: datetime,
) -> Shown:
    recipient = next((r for r in message.recipients if r.unit.id == unit_id), None)
    unit = session.get_one(Unit, unit_id)
    away = recipient is not None and recipient.reach_now == "not-on-hub"
    told = recipient.facts.get("told-by-telephone") if recipient else None
    return {
        "unit": unit.name,
        "unit_id": unit.id,
        "unit_code": unit.code,
        "message_id": message.id,
        "number": message.number,
        "name": wording.type_name(message.type),
        "urgent": message.priority == "urgent",
        "away": away,
        "why": _("It is not on the hub: nothing is delivered to it until it has been told.")
        if away
        else closing.sentence(session, unit.id, view.status, now),
        "numbers": ringing.numbers(unit.id, ringing.need_of(message.type), now, actor, view.status),
        "said": "",
        "told": _told(message.type, told.who, told.at) if told else None,
        "told_at": told.at if told else None,
        "script_address": url_for(
            "messaging.script", reference=view.reference, number=message.number, unit=unit.code
        ),
        "record_address": url_for(
            "messaging.compose",
            reference=view.reference,
            message_type="telephone-record",
            re=message.id,
            unit=unit.code,
        ),
        "answer": False,
        "links": [],
        "mailbox": None,
        "reply_address": None,
    }


def _told(message_type: str, who: str, at: datetime) -> str:
    if message_type in ("lead-transfer-request", "direction"):
        return _(
            "Told by telephone by %(who)s, %(at)s; the lead has not moved.",
            who=who,
            at=wording.moment(at),
        )
    return _("Told by telephone by %(who)s, %(at)s.", who=who, at=wording.moment(at))


def _answer_elsewhere(
    session: Session,
    actor: Actor,
    keys: Keys,
    view: CaseView,
    message: MessageView,
    call: Shown,
    now: datetime,
) -> Shown:
    """Return how the answer of a unit without accounts can count (DOMAIN.md 4.5)."""
    if not open_questions.answers_to(message.type):
        return {}
    mailbox = guest_links.mailbox_of(session, call["unit_id"], view.status)
    return {
        "answer": True,
        "links": guest_links.issued(session, actor, keys, message.id, call["unit_id"], now),
        "mailbox": mailbox,
        "link_address": url_for(
            "messaging.guest_link_send",
            reference=view.reference,
            number=message.number,
            unit=call["unit_code"],
        ),
        "reply_address": url_for(
            "messaging.signed_reply_new",
            reference=view.reference,
            number=message.number,
            unit=call["unit_code"],
        )
        if actor.police
        else None,
    }


def script(
    session: Session, actor: Actor, view: CaseView, number: int, unit_code: str, now: datetime
) -> Shown | None:
    """Return the script of a call about one of my messages, or None when there is none to make."""
    message = next((m for m in view.messages if m.number == number and m.mine), None)
    if message is None:
        return None
    recipient = next(
        (r for r in message.recipients if unit_code in ("", r.unit.code)),
        None,
    )
    if recipient is None:
        return None
    call = _call(session, actor, view, message, recipient.unit.id, now)
    urgent = message.priority == "urgent"
    made = telephone.Call(
        reference=view.reference,
        message_type=message.type,
        unit=recipient.unit.name,
        caller=telephone.Caller(
            name=actor.name,
            unit=actor.unit_name,
            rank=actor.rank_or_role or "",
            collar_number=actor.collar_number or "",
            callback=str(message.envelope.get("callback_telephone", "")),
        ),
        urgent=urgent,
        exercise=view.status == "exercise",
        minutes=_minutes(session, message, recipient.unit.id, now)
        if urgent and CONTRACTS[message.type].ASKS
        else None,
        unopened="delivered" in recipient.facts and "opened" not in recipient.facts,
        details=[(row["label"], row["value"]) for row in _read_out(view, message, recipient)],
    )
    return {
        "ref": view.reference,
        "unit": recipient.unit.name,
        "contacts": call["numbers"],
        "lines": telephone.script(made),
        "told": call["told"],
        "record_address": call["record_address"],
    }


ANSWERED_BY = {
    "information-request": "enquiry-urgent",
    "missing-episode-report": "report-outcome",
    "supervisor-request": "supervisor-decision",
    "strategy-meeting-invitation": "meeting-reply-urgent",
    "joint-response-plan": "plan-reply",
    "located": "located-answer",
    "direction": "direction",
}
"""The clock of the answer to an urgent message of a type; of any other, that of an urgent offer."""


def _minutes(session: Session, message: MessageView, unit: UUID, now: datetime) -> int:
    """Return how long a unit has that is told now: as long as its clock runs, or until it is needed."""
    left = (message.reply_due_at - now).total_seconds() if message.reply_due_at else 0
    if message.type == "information-request" and left >= 60:
        return int(left // 60)
    settings = clock_settings(session, [unit])[unit]
    return clocks.minutes(ANSWERED_BY.get(message.type, "lead-urgent"), settings)


def _read_out(view: CaseView, message: MessageView, recipient: RecipientView) -> list[Row]:
    """Return what the unit rung may hear: the child in short, and its part of the message."""
    child = {
        name: value
        for name, value in view.child.items()
        if name in ("given_name", "family_name", "date_of_birth", "age", "description")
    }
    if message.type == "information-request":
        child = {}  # an enquiry is the enquiry, not the case (DOMAIN.md 4.8)
    parts = audiences.split(CONTRACTS[message.type], message.body, message.audience)
    heard: dict[str, Any] = {}
    for audience, part in parts.items():
        if audience != "police" or recipient.unit.police:
            heard |= part
    heard.pop("child", None)
    heard.pop("callback_telephone", None)
    heard.pop("risk_list_version", None)  # it is for systems: nobody writes it down
    reports = [m for m in view.messages if m.type == "missing-episode-report"]
    known = message.type == "information-request" or not reports or reports[-1].id == message.id
    last = {} if known else reports[-1].body
    seen: dict[str, Any] = {
        name: last[name] for name in ("last_seen_at", "last_seen_place") if name in last
    }
    return [
        *child_rows(child),
        *rows("missing-episode-report", seen),
        *rows(message.type, heard),
    ]
