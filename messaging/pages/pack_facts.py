"""What the handover pack says beyond the page of the case: read as that page reads it."""

from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from hub.identity.actor import Actor
from messaging import standing, who_leads, wording
from messaging.owing import Step
from messaging.pages import meeting_section
from messaging.pages.reading import rows
from messaging.placements import PlanState
from messaging.shown import CaseView, MessageView

Shown = dict[str, Any]


def gathered(session: Session, actor: Actor, view: CaseView, shown: Shown) -> Shown:
    """Return versions of the plan, actions, what is owed, and what stands behind each section."""
    by_id = {one.id: one for one in view.messages}
    by_number = {one.number: one for one in view.messages}
    owed = standing.owed(session, view.id, actor.unit_ids, full=view.full, police=actor.police)
    unnamed = sorted({one.by for one in owed if one.by} - view.names.keys())
    view.names |= {one.id: one for one in who_leads.unit_names(session, unnamed)}
    return {
        "full": view.full,
        "opened_at": view.opened_at,
        "closed_at": view.closed_at,
        "given": [
            (str(wording.TAKEN_OVER[one.kind]), one.words, _from(one.number, wording.moment(one.at)))
            for one in standing.last_given(view)
        ],
        "owed": [
            {
                "what": str(wording.CLOCKS.get(one.kind, one.kind)),
                "by": _name(view, one.by) if one.by else _("An adjudicator"),
                "due_at": one.due_at,
                "missed": one.missed,
            }
            for one in owed
        ],
        "versions": [_version(view, one) for one in (view.prepared.every if view.prepared else ())],
        "every_action": meeting_section.every_action(session, actor, view),
        "dispute_rows": _of(by_number, shown["dispute"]),
        "direction_rows": _of(by_number, shown["direction"]),
        "records": {one.number: rows(one.type, _said(one)) for one in view.messages
                    if one.type == "strategy-meeting-record"},
        "invitations": {one.number: rows(one.type, _called(one)) for one in view.messages
                        if one.type == "strategy-meeting-invitation"},
        "interviews": [_interview(view, one, by_id) for one in view.matters.owed],
        "files": [
            {**file, "number": one["number"]}
            for one in reversed(shown["messages"])
            for file in one["files"]
        ],
    }  # fmt: skip


def _from(number: int, at: str) -> str:
    return _("Message %(number)s, %(at)s", number=number, at=at)


def _name(view: CaseView, unit: UUID) -> str:
    return view.names[unit].name if unit in view.names else _("Another unit")


def _of(by_number: dict[int, MessageView], matter: Shown | None) -> list[dict[str, str]]:
    """Return what the message says by which a matter was opened, as far as the reader sees it."""
    one = by_number.get(matter["number"]) if matter else None
    return rows(one.type, one.body) if one else []


def _said(record: MessageView) -> Shown:
    return {name: record.body[name] for name in ("decisions",) if name in record.body}


def _called(invitation: MessageView) -> Shown:
    wanted = ("meeting_purpose", "section_47", "held_at", "convenor", "why_changed")
    return {name: invitation.body[name] for name in wanted if name in invitation.body}


def _version(view: CaseView, plan: PlanState) -> Shown:
    return {
        "version": plan.version,
        "number": plan.number,
        "state": str(wording.PLAN_STATES[plan.state]),
        "lead": _name(view, plan.lead),
        "proposed_by": _name(view, plan.proposed_by),
        "review_on": wording.day(plan.review_on),
        "answered_at": plan.answered_at,
        "answered_by": plan.answered_by_name or "",
    }


def _interview(view: CaseView, step: Step, by_id: dict[UUID, MessageView]) -> Shown:
    """Return a statutory step with its record, or the reason why not, where the reader may see it."""
    record = by_id.get(step.record) if step.record else None
    return {
        "what": str(wording.CLOCKS[step.kind]),
        "episode": step.episode,
        "owed_by": _name(view, step.owed_by),
        "state": step.state,
        "due_at": step.due_at,
        "missed": step.missed,
        "number": record.number if record else None,
        "rows": rows("interview-record", record.body) if record else [],
        "withheld": bool(step.record) and (record is None or record.withheld),
    }
