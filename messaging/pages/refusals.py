"""A report that police did not accept: who said no, why, what can be done now, and whom to ring."""

from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.identity.actor import Actor
from messaging.effects.steps import supervisor_asked
from messaging.model import Clock
from messaging.pages import ringing
from messaging.pages.reading import Row, rows
from messaging.shown import CaseView, MessageView

Shown = dict[str, Any]
WHY = ("reason", "explanation")


def refused(session: Session, actor: Actor, view: CaseView, now: datetime) -> Shown | None:
    """Return what the page says of a refused report; None where none stands refused."""
    report = view.report
    if report is None or report.state != "not-accepted" or view.lead or view.closed_at:
        return None
    said = next((m for m in reversed(view.messages) if _refuses(m)), None)
    mine = report.reporter.id in actor.unit_ids
    may = {act.type for act in view.actions}
    asked = supervisor_asked(session, view.id)
    due = None
    if asked is not None:
        due = session.scalar(
            select(Clock.due_at).where(
                Clock.message_id == asked, Clock.kind == "supervisor-decision"
            )
        )
    theirs = not actor.police
    return {
        "message_id": report.message_id,
        "unit": report.addressed.name,
        "by": _who(said) if said else report.addressed.name,
        "at": said.sent_at if said else report.since,
        "telephone": said is not None and said.type == "telephone-record",
        "why": [row["value"] for row in _rows(said, *WHY)],
        "change": [row["value"] for row in _rows(said, "what_would_change_it")],
        "number": said.number if said else report.number,
        "asked": asked is not None,
        "due_at": due,
        "add_address": url_for(
            "messaging.compose", reference=view.reference, message_type="update",
            heading="new-information",
        )
        if theirs and "update" in may
        else None,
        "ask_address": url_for(
            "messaging.compose", reference=view.reference, message_type="supervisor-request"
        )
        if "supervisor-request" in may
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


def _rows(message: MessageView | None, *names: str) -> list[Row]:
    if message is None:
        return []
    return rows(message.type, {name: message.body[name] for name in names if name in message.body})


def _refuses(message: MessageView) -> bool:
    if message.type == "report-not-accepted":
        return True
    return message.type == "telephone-record" and message.body.get("outcome") == "refused"


def _who(message: MessageView) -> str:
    """Return who said no: the officer, or as the reporter wrote down whom they spoke to."""
    if message.type == "telephone-record":
        who = (message.body.get("with_name"), message.body.get("with_collar"))
        return ", ".join(str(part) for part in who if part) or _("Police")
    name = " ".join(part for part in (message.sender_rank, message.sender_name) if part)
    return ", ".join(
        part for part in (name, message.sender_collar, message.sender_unit.name) if part
    )
