"""A case as its page shows it: the view of the service, turned into words and addresses."""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.identity.actor import Actor
from hub.organisations import Unit
from hub.records.keys import Keys
from messaging import codes, wording
from messaging.attachments import AttachmentView
from messaging.choices import Action
from messaging.contest import contest
from messaging.model import Case, Message
from messaging.pages import closing, meeting_section, quoting, refusals, returning
from messaging.pages.calls import boxes_of, calls_of
from messaging.pages.pending import pending
from messaging.pages.preparing import prepared
from messaging.pages.reading import Row, child_rows, not_given, rows
from messaging.shown import CaseView, MessageView, OfficerView, RecipientView, TenureView

Shown = dict[str, Any]


COLOURS = {"awaiting-police": "red", "not-accepted": "red", "recorded-by-telephone": "yellow"}
PRIMARY = ("lead-transfer-accept", "located-confirm", "missing-episode-report", "admit-recording")
MAIN = (
    *PRIMARY, "lead-transfer-decline", "holding-reply", "located-refuse", "report-not-accepted",
    "not-same-child", "direction", "direction-acknowledge", "information-response", "plan-reply",
    "strategy-meeting-reply",
)  # fmt: skip
"""Acts that somebody waits for: they stand first on the page, each beside its opposite."""


def case(session: Session, actor: Actor, keys: Keys, view: CaseView, now: datetime) -> Shown:
    """Return everything that the page of a case says."""
    numbers = {message.id: message.number for message in view.messages}
    calls = calls_of(session, actor, keys, view, now)
    closed = cache(lambda unit: closing.with_number(session, actor, unit, view.status, now))
    refused = refusals.refused(session, actor, view, now)
    owing = returning.steps(session, actor, view, now)
    if refused:
        # What the box of the refusal says is said once.
        calls = [call for call in calls if call["message_id"] != refused["message_id"]]
    return {
        "id": view.id,
        "reference": view.reference,
        "status": view.status,
        "state": view.state,
        "lead": _lead(view, actor),
        "risk": _(codes.RISKS[view.risk]) if view.risk else "",
        "asked_only": view.asked_only,
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
        "owing": owing,
        "changes": returning.changes(view),
        "ending": returning.ending(view),
        "ended_at": view.matters.incidents[-1].ended_at if view.matters.incidents else None,
        "also_wanted": returning.also_wanted(view),
        **prepared(view, actor, now),
        **contest(session, actor, view, now),
        "boxes": boxes_of(calls),
        "acts": _acts(view, calls, refused, owing),
        "child": child_rows(view.child),
        "messages": [_message(m, view, numbers, closed) for m in reversed(view.messages)],
        "tenures": [_tenure(tenure) for tenure in view.tenures],
    }


def _officer(one: OfficerView, tenure: TenureView) -> str:
    """Return a named officer with rank and collar number, and when, if not the whole tenure."""
    name = " ".join(part for part in (one.rank, one.name) if part)
    who = ", ".join(part for part in (name, one.collar) if part) or str(wording.OFFICER_NOT_KEPT)
    if (one.since, one.until) == (tenure.since, tenure.until):
        return who
    since = wording.moment(one.since)
    if one.until is None:
        return _("%(officer)s, from %(since)s", officer=who, since=since)
    return _(
        "%(officer)s, %(since)s to %(until)s",
        officer=who, since=since, until=wording.moment(one.until),
    )  # fmt: skip


def _tenure(tenure: TenureView) -> Shown:
    officers = [_officer(one, tenure) for one in tenure.officers]
    return {
        "unit": tenure.unit.name,
        "officer": officers[-1],
        "officers": officers,
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
        "call": _last_call(view),
        "due_at": report.due_at if report.state == "awaiting-police" else None,
    }


CALL = ("outcome", "with_name", "with_collar", "their_reference", "reason", "called_at")
"""What the box of a report says of the last call about it."""


def _last_call(view: CaseView) -> list[Row]:
    """Return what came of the last call about the report, for those who may read it."""
    report = view.report
    said = [
        m.body
        for m in view.messages
        if m.type == "telephone-record" and report and m.in_reply_to == report.message_id
    ]
    return (
        rows("telephone-record", {n: v for n, v in said[-1].items() if n in CALL}) if said else []
    )


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


def _acts(
    view: CaseView, calls: list[Shown], refused: Shown | None, owing: list[Shown]
) -> list[Shown]:
    """Return the buttons; a call that a box above offers to record has none of its own."""
    shown = []
    boxed = {call["message_id"] for call in calls}
    if refused and refused["record_address"]:
        boxed.add(refused["message_id"])
    named_above = any(step["name_address"] for step in owing) or (
        refused is not None and refused["name_address"] is not None
    )
    for act in view.actions:
        if act.type == "telephone-record" and act.in_reply_to in boxed:
            continue
        if act.type in ("interview-record", "supervisor-request"):
            continue  # the step that is owed, or the box of the refusal, offers it
        if act.type == "authority-named" and named_above:
            continue  # so do these
        if act.type == "update" and refused and refused["add_address"]:
            continue  # the box of the refusal offers it
        shown.append(
            {
                "label": _act_label(view, act),
                "address": _act_address(view, act),
                "primary": act.type in PRIMARY,
                "main": act.type in MAIN
                or (act.type == "joint-response-plan" and act.in_reply_to is not None),
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
    if act.type == "information-response" and [a.type for a in view.actions].count(act.type) > 1:
        number = next((one.number for one in view.messages if one.id == act.in_reply_to), None)
        if number is not None:
            return _("Answer question %(number)s", number=number)
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
    if act.type == "missing-episode-report" and act.in_reply_to is None:
        return _report_label(view)
    if act.type == "authority-named" and act.instead_of:
        unit = view.names[act.instead_of].name
        return _("Name the responsible authority, if it is another than %(unit)s", unit=unit)
    if act.type == "strategy-meeting-invitation" and act.in_reply_to:
        return _("Change or cancel the meeting")
    if act.type == "located" and view.lead is None and not view.asked_only:
        return _("The child has come back")
    return wording.act_name(act.type)


def _report_label(view: CaseView) -> str:
    """Return the name of a first or a further report: police record it, others tell police."""
    again = bool(view.tenures) or view.report is not None
    if view.names[view.unit].police:
        return _("Record the report: missing again") if again else _("Record the report")
    return _("Report the child missing again") if again else _("Report the child missing")


def _message(
    message: MessageView,
    view: CaseView,
    numbers: dict[UUID, int],
    closed: Callable[[UUID], str],
) -> Shown:
    sender = " ".join(part for part in (message.sender_rank, message.sender_name) if part)
    how = str(wording.SENDERS.get(message.sender_kind, ""))
    parts = (sender, message.sender_collar, message.sender_unit.name, how)
    said = rows(message.type, message.body, {one.code: one.name for one in view.names.values()})
    asked = quoting.question(view.messages, message.in_reply_to)
    if message.type == "information-response" and asked and message.body:
        said.insert(0, {"label": _("The question"), "value": asked})
    for name, label in (
        ("callback_telephone", _("Ring back on")),
        ("sender_reference", _("Their reference")),
        ("purpose", _("Purpose")),
        ("handling", _("Handling")),
    ):
        if message.envelope.get(name) and name not in message.body:
            said.append({"label": label, "value": str(message.envelope[name])})
    if message.body:
        said += not_given(message.type, message.body, whole=not message.withheld)
    acknowledged = all(
        "acknowledged" in r.facts for r in message.recipients if r.unit.id in message.to_me
    )
    return {
        "id": message.id,
        "number": message.number,
        "name": wording.type_name(message.type),
        "urgent": message.priority == "urgent",
        "classification": message.classification,
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
