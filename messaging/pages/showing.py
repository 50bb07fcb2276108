"""A case as its page shows it: the view of the service, turned into words and addresses."""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import cache
from typing import Any, Literal
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.identity.actor import Actor
from hub.organisations import Unit
from hub.records.keys import Keys
from messaging import audiences, clocks, guests, open_questions, telephone, wording
from messaging.attachments import AttachmentView
from messaging.choices import Action
from messaging.contest import contest
from messaging.contracts import CONTRACTS
from messaging.model import Case, Message
from messaging.pages import closing, meeting_section, refusals, returning, ringing
from messaging.pages.pending import pending
from messaging.pages.preparing import prepared, unreached
from messaging.pages.reading import Row, child_rows, rows
from messaging.views import CaseView, MessageView, RecipientView, TenureView

Shown = dict[str, Any]

COLOURS = {"awaiting-police": "red", "not-accepted": "red", "recorded-by-telephone": "yellow"}
PRIMARY = ("lead-transfer-accept", "located-confirm", "missing-episode-report", "admit-recording")


def case(session: Session, actor: Actor, keys: Keys, view: CaseView, now: datetime) -> Shown:
    """Return everything that the page of a case says."""
    numbers = {message.id: message.number for message in view.messages}
    calls = _calls(session, actor, keys, view, now)
    closed = cache(lambda unit: closing.with_number(session, actor, unit, view.status, now))
    refused = refusals.refused(session, actor, view, now)
    if refused:
        # What the box of the refusal says is said once.
        calls = [call for call in calls if call["message_id"] != refused["message_id"]]
    return {
        "id": view.id,
        "reference": view.reference,
        "status": view.status,
        "state": view.state,
        "lead": _lead(view, actor),
        "home_unit": view.home.name if view.home else None,
        "located_at": view.located_at,
        "report": _report(view),
        "refused": refused,
        "request": _request(view),
        "claims": [
            {"unit": claim.unit.name, "number": claim.number, "due_at": claim.due_at}
            for claim in view.claims
        ],
        **pending(view, actor, now),
        **meeting_section.shown(session, actor, view, now),
        "owing": returning.steps(session, actor, view, now),
        "changes": returning.changes(view),
        "ending": returning.ending(view),
        "ended_at": view.matters.incidents[-1].ended_at if view.matters.incidents else None,
        "also_wanted": returning.also_wanted(view),
        **prepared(view, actor, now),
        **contest(session, actor, view, now),
        "calls": calls,
        "acts": _acts(view, calls, refused),
        "child": child_rows(view.child),
        "messages": [_message(m, view, numbers, closed) for m in reversed(view.messages)],
        "tenures": [_tenure(tenure) for tenure in view.tenures],
    }


def officer(tenure: TenureView) -> str:
    """Return the named officer with rank and collar number."""
    name = " ".join(part for part in (tenure.officer_rank, tenure.officer) if part)
    return ", ".join(part for part in (name, tenure.officer_collar) if part)


def _tenure(tenure: TenureView) -> Shown:
    return {
        "unit": tenure.unit.name,
        "officer": officer(tenure),
        "since": tenure.since,
        "until": tenure.until,
        "basis": wording.BASES.get(tenure.basis, tenure.basis),
        "episode": tenure.episode,
    }


def _lead(view: CaseView, actor: Actor) -> Shown | None:
    if view.lead is None:
        return None
    unit = view.lead.unit
    of = unit.organisation if unit.organisation != unit.name else ""
    return {**_tenure(view.lead), "organisation": of, "mine": unit.id in actor.unit_ids}


def _report(view: CaseView) -> Shown | None:
    report = view.report
    if report is None:
        return None
    return {
        "state": report.state,
        "name": wording.REPORT_STATES.get(report.state, report.state),
        "sentence": wording.REPORT_SENTENCES.get(report.state, ""),
        "colour": COLOURS.get(report.state, "green"),
        "since": report.since,
        "unit": report.addressed.name,
        "due_at": report.due_at if report.state == "awaiting-police" else None,
    }


def _request(view: CaseView) -> Shown | None:
    request = view.request
    if request is None:
        return None
    return {
        "number": request.number,
        "name": wording.type_name("lead-transfer-request"),
        "from_unit": request.from_unit.name,
        "to_unit": request.to_unit.name,
        "urgent": request.priority == "urgent",
        "due_at": request.due_at,
        "told": request.told and request.to_reach == "not-on-hub",
        "request_no": request.request_no,
        "held_until": request.held_until,
        "by_plan": request.basis == "agreed-plan",
    }


def _acts(view: CaseView, calls: list[Shown], refused: Shown | None) -> list[Shown]:
    """Return the buttons; a call that a box above offers to record has none of its own."""
    shown = []
    boxed = {call["message_id"] for call in calls}
    if refused and refused["record_address"]:
        boxed.add(refused["message_id"])
    for act in view.actions:
        if act.type == "telephone-record" and act.in_reply_to in boxed:
            continue
        if act.type in ("interview-record", "authority-named", "supervisor-request"):
            continue  # the step that is owed, or the box of the refusal, offers it
        shown.append(
            {
                "label": _act_label(view, act),
                "address": _act_address(view, act),
                "primary": act.type in PRIMARY,
            }
        )
    return shown


def _act_address(view: CaseView, act: Action) -> str:
    unit = view.names[act.to].code if act.to else None
    names_lead = act.type in ("direction", "joint-response-plan")
    return url_for(
        "messaging.compose",
        reference=view.reference,
        message_type=act.type,
        re=act.in_reply_to,
        withdraws=act.withdraws,
        interview=act.interview,
        match=act.match,
        lead=unit if names_lead else None,
        to=None if names_lead else unit,
    )


def _act_label(view: CaseView, act: Action) -> str:
    if act.match and act.to:
        unit = view.names[act.to].name
        if act.type == "direction":
            return _("Direct that %(unit)s leads, and join the two episodes", unit=unit)
        if act.withdraws:
            return _("Withdraw the offer, and ask %(unit)s to join the episodes", unit=unit)
        return _("Ask %(unit)s to join the two episodes", unit=unit)
    if act.type == "lead-transfer-request" and act.withdraws:
        return _("Withdraw the offer, and offer the lead elsewhere")
    if act.type == "dispute" and act.to:
        return _("Dispute who leads, with %(unit)s", unit=view.names[act.to].name)
    if act.type == "direction" and act.to and view.lead:
        unit = view.names[act.to].name
        if act.to == view.lead.unit.id:
            return _("Direct that %(unit)s goes on leading", unit=unit)
        return _("Direct that %(unit)s leads", unit=unit)
    if act.type == "joint-response-plan" and act.to:
        return _("Propose a plan: %(unit)s leads", unit=view.names[act.to].name)
    if act.type == "joint-response-plan":
        return _("Amend the plan")
    if act.type == "missing-episode-report" and not view.tenures and view.report is None:
        return _("Report the child missing")
    if act.type == "missing-episode-report" and act.in_reply_to is None:
        return _("Report the child missing again")
    if act.type == "missing-episode-report":
        return _("Record the report: my unit leads")
    if act.type == "strategy-meeting-invitation" and act.in_reply_to:
        return _("Change or cancel the meeting")
    if act.type == "located" and view.lead is None:
        return _("The child has come back")
    return wording.act_name(act.type)


def _message(
    message: MessageView,
    view: CaseView,
    numbers: dict[UUID, int],
    closed: Callable[[UUID], str],
) -> Shown:
    sender = " ".join(part for part in (message.sender_rank, message.sender_name) if part)
    parts = (sender, message.sender_collar, message.sender_unit.name)
    said = rows(message.type, message.body)
    for name, label in (
        ("callback_telephone", _("Ring back on")),
        ("sender_reference", _("Their reference")),
        ("purpose", _("Purpose")),
    ):
        if message.envelope.get(name) and name not in message.body:
            said.append({"label": label, "value": str(message.envelope[name])})
    acknowledged = all(
        "acknowledged" in r.facts for r in message.recipients if r.unit.id in message.to_me
    )
    return {
        "id": message.id,
        "number": message.number,
        "name": wording.type_name(message.type),
        "urgent": message.priority == "urgent",
        "sent_at": message.sent_at,
        "sender": ", ".join(part for part in parts if part),
        "in_reply_to": numbers.get(message.in_reply_to) if message.in_reply_to else None,
        "fields": said,
        "withheld": message.withheld,
        "files": [_file(one, view) for one in message.attachments],
        "recipients": [
            _recipient(r, message, view, closed)
            for r in message.recipients
            if message.type != "telephone-record" or r.reach_now != "not-on-hub"
        ],
        "acknowledge": url_for(
            "messaging.acknowledge", reference=view.reference, message_id=message.id
        )
        if message.to_me and not acknowledged
        else None,
    }


def _file(one: AttachmentView, view: CaseView) -> Shown:
    address: Shown = {"reference": view.reference, "attachment_id": one.id}
    return {
        "name": one.name,
        "kind": wording.FILE_KINDS[one.kind],
        "size": wording.size(one.size),
        "scan": wording.SCANS[one.scan],
        "scanned": one.scan == "clean",
        "address": url_for("messaging.attachment", **address),
        "thumbnail": url_for("messaging.attachment_thumbnail", **address) if one.picture else None,
    }


def _recipient(
    recipient: RecipientView, message: MessageView, view: CaseView, closed: Callable[[UUID], str]
) -> Shown:
    """Return what is known of one recipient: each fact for itself, by its own name and time."""
    away = recipient.reach_now == "not-on-hub" and "delivered" not in recipient.facts
    kinds = ["told-by-telephone"] if away else ["delivered", "opened", "acknowledged"]
    unread = message.mine and not away and not recipient.facts.keys() & {"opened", "answered"}
    kinds += [kind for kind in wording.RECEIPTS if kind in recipient.facts and kind not in kinds]
    return {
        "unit": recipient.unit.name,
        "reach": wording.REACHES["not-on-hub"] if away else "",
        "undelivered": away,
        "closed": closed(recipient.unit.id) if unread else "",
        "script": url_for(
            "messaging.script",
            reference=view.reference,
            number=message.number,
            unit=recipient.unit.code,
        )
        if away and message.mine
        else None,
        "facts": [
            {
                "name": wording.RECEIPTS[kind],
                "at": recipient.facts[kind].at if kind in recipient.facts else None,
                "who": recipient.facts[kind].who if kind in recipient.facts else "",
            }
            for kind in kinds
        ],
    }


def _calls(
    session: Session, actor: Actor, keys: Keys, view: CaseView, now: datetime
) -> list[Shown]:
    """Return whom the reader must ring now: who owes them an urgent answer, or is away."""
    found = []
    by_id = {message.id: message for message in view.messages}
    report, request = view.report, view.request
    if report and report.state in ("awaiting-police", "not-accepted") and not view.lead:
        message = by_id.get(report.message_id)
        if message is not None and report.reporter.id in actor.unit_ids:
            call = _call(session, actor, view, message, report.addressed.id, now)
            if call["away"] and report.state == "awaiting-police":
                call |= _answer_elsewhere(session, actor, keys, view, message, call, now)
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
    return found


def _unopened(
    session: Session, actor: Actor, view: CaseView, boxed: set[UUID], now: datetime
) -> list[Shown]:
    """Return whom to ring because they have not opened what my unit sent urgently, whoever sent it.

    Of several such messages to a unit the last is rung about.
    """
    if view.closed_at is not None:
        return []
    rung: dict[UUID, Shown] = {}
    for message in reversed(view.messages):
        if not message.mine or message.priority != "urgent":
            continue
        for recipient in message.recipients:
            unit = recipient.unit.id
            known = recipient.facts.keys() & {"opened", "answered", "told-by-telephone"}
            if known or unit in rung or unit in boxed:
                continue
            call = _call(session, actor, view, message, unit, now)
            if not call["why"]:
                call["why"] = _("It has not opened message %(number)s yet.", number=message.number)
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
    need: Literal["report-missing", "open-case"] = (
        "report-missing" if message.type == "missing-episode-report" else "open-case"
    )
    return {
        "unit": unit.name,
        "unit_id": unit.id,
        "unit_code": unit.code,
        "message_id": message.id,
        "number": message.number,
        "away": away,
        "why": _("It is not on the hub: nothing is delivered to it until it has been told.")
        if away
        else closing.sentence(session, unit.id, view.status, now),
        "numbers": ringing.numbers(unit.id, need, now, actor, view.status),
        "told": _told(message.type, told.who, told.at) if told else None,
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
    mailbox = guests.mailbox_of(session, call["unit_id"], view.status)
    return {
        "answer": True,
        "links": guests.issued(session, actor, keys, message.id, call["unit_id"], now),
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
        minutes=_minutes(message, now) if urgent and CONTRACTS[message.type].ASKS else None,
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


def _minutes(message: MessageView, now: datetime) -> int | None:
    """Return how long a unit has that is told now: as long as a clock runs, or until it is needed."""
    if message.type != "information-request":
        return clocks.MINUTES["lead-urgent"]
    left = (message.reply_due_at - now).total_seconds() if message.reply_due_at else 0
    return int(left // 60) if left >= 60 else clocks.MINUTES["enquiry-urgent"]


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


def sent_by_me(session: Session, actor: Actor, case_id: UUID) -> dict[UUID, int]:
    """Return the messages of the case that my unit sent, with their numbers."""
    rows_ = session.execute(
        select(Message.id, Message.number).where(
            Message.case_id == case_id, Message.sender_unit_id.in_(actor.unit_ids)
        )
    )
    return {row.id: row.number for row in rows_}


def unit_names(session: Session, ids: Collection[UUID | None]) -> dict[UUID | None, str]:
    """Return the names of units."""
    known = [one for one in ids if one is not None]
    rows_ = session.execute(select(Unit.id, Unit.name).where(Unit.id.in_(known)))
    return {row.id: row.name for row in rows_}


def status_of(session: Session, case_id: UUID) -> str:
    """Return whether a case is actual, exercise or test."""
    return session.get_one(Case, case_id).status
