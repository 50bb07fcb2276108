"""A report that police did not accept: who said no, why, what can be done now, and whom to ring."""

from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.identity.actor import Actor
from messaging.effects.steps import supervisor_asked
from messaging.model import Clock, Party
from messaging.pages import ringing
from messaging.pages.reading import Row, rows
from messaging.shown import CaseView, MessageView, ReportView, UnitName

Shown = dict[str, Any]
WHY = ("reason", "explanation", "why")


def refused(session: Session, actor: Actor, view: CaseView, now: datetime) -> Shown | None:
    """Return what the page says of a refused report; None where none stands refused."""
    report = view.report
    if report is None or report.state != "not-accepted" or view.lead or view.closed_at:
        return None
    mine = report.reporter.id in actor.unit_ids
    may = {act.type for act in view.actions}
    unnamed = any(act.type == "authority-named" and not act.instead_of for act in view.actions)
    asked = supervisor_asked(session, view.id)
    due = None
    if asked is not None:
        due = session.scalar(
            select(Clock.due_at).where(
                Clock.message_id == asked, Clock.kind == "supervisor-decision"
            )
        )
    theirs = not actor.police
    said = _said(view, report)
    refusals = [one for one in said if one["kind"] != "request"]
    last = refusals[-1] if refusals else None
    return {
        "message_id": report.message_id,
        "unit": report.addressed.name,
        "since": report.since,
        "last": last,
        "request": next((one for one in said if one["message_id"] == asked), None),
        "before": [one for one in said if one is not last and one["message_id"] != asked],
        "asked": asked is not None,
        "due_at": due,
        "add_address": url_for(
            "messaging.compose", reference=view.reference, message_type="update",
            adds="information",
        )
        if "update" in may and (mine or _responsible(session, actor, view))
        else None,
        "ask_address": url_for(
            "messaging.compose", reference=view.reference, message_type="supervisor-request"
        )
        if "supervisor-request" in may
        else None,
        "name_address": url_for(
            "messaging.compose", reference=view.reference, message_type="authority-named"
        )
        if unnamed
        else None,
        "record_address": url_for(
            "messaging.compose", reference=view.reference, message_type="telephone-record",
            re=report.message_id, unit=report.addressed.code,
        )
        if mine
        else None,
        "script_address": url_for(
            "messaging.script", reference=view.reference, number=report.number,
            unit=report.addressed.code,
        )
        if mine
        else None,
        "numbers": ringing.numbers(
            report.addressed.id, "report-missing", now, actor, view.status
        )
        if theirs
        else [],
    }  # fmt: skip


def _responsible(session: Session, actor: Actor, view: CaseView) -> bool:
    """Say whether the reader is of the responsible authority: its news too re-open a report (4.2)."""
    found = select(Party.unit_id).where(
        Party.case_id == view.id,
        Party.unit_id.in_(actor.unit_ids),
        Party.part == "responsible-authority",
    )
    return session.scalar(found.limit(1)) is not None


def _said(view: CaseView, report: ReportView) -> list[Shown]:
    """Return each refusal of the report, and each request of a supervisor, first to last."""
    asked = {m.id for m in view.messages if m.type == "supervisor-request"}
    found = []
    unit = report.addressed
    for message in reversed(view.messages):
        if message.number <= report.number or not (message.id in asked or _refuses(message)):
            continue
        if message.body.get("readdress_to"):
            unit = message.sender_unit  # until then the report was theirs to answer
        found.append(_one(message, unit, supervisor=message.in_reply_to in asked))
    return found[::-1]


def _one(message: MessageView, rung: UnitName, *, supervisor: bool) -> Shown:
    """Return one refusal, or request of a supervisor: who, of which unit, when, why."""
    kind = {"telephone-record": "call", "supervisor-request": "request"}.get(
        message.type, "refusal"
    )
    return {
        "kind": "decision" if supervisor and kind == "refusal" else kind,
        "message_id": message.id,
        "number": message.number,
        "unit": rung.name if kind == "call" else message.sender_unit.name,
        "by": _who(message, supervisor=supervisor),
        "at": message.sent_at,
        "why": [row["value"] for row in _rows(message, *WHY)],
        "change": [row["value"] for row in _rows(message, "what_would_change_it")],
    }


def _rows(message: MessageView, *names: str) -> list[Row]:
    return rows(message.type, {name: message.body[name] for name in names if name in message.body})


def _refuses(message: MessageView) -> bool:
    if message.type == "report-not-accepted":
        return True
    return message.type == "telephone-record" and message.body.get("outcome") == "refused"


def _who(message: MessageView, *, supervisor: bool) -> str:
    """Return who said it: whoever sent it, or as the reporter wrote down whom they spoke to."""
    if message.type == "telephone-record":
        who = (message.body.get("with_name"), message.body.get("with_collar"))
        return ", ".join(str(part) for part in who if part) or _("Police")
    role = message.sender_rank or (_("Supervisor") if supervisor else "")
    name = " ".join(part for part in (role, message.sender_name) if part)
    return ", ".join(part for part in (name, message.sender_collar) if part)
