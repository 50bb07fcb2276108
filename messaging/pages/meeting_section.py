"""The meetings and open actions of a case, as its page says them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from hub.identity.actor import Actor
from messaging import actions, codes, meeting_views, wording
from messaging.meeting_views import Chair, Figure, MeetingView
from messaging.shown import CaseView

Shown = dict[str, Any]

STATES = {"called": "yellow", "cancelled": "grey", "recorded": "green"}


def shown(session: Session, actor: Actor, view: CaseView, now: datetime) -> Shown:
    """Return the meetings, who comes to each, and the actions that are open."""
    found = meeting_views.of_case(session, view.id, actor.unit_ids, full=view.full)
    return {
        "meetings": [meeting(session, actor, view, one, now) for one in found],
        "actions": _actions(actor, view, actions.open_actions(session, view.id)),
    }


def every_action(session: Session, actor: Actor, view: CaseView) -> list[Shown]:
    """Return the actions whose words the reader may see, those done and overtaken too."""
    return _actions(actor, view, actions.every_action(session, view.id))


def owing(session: Session, actor: Actor, view: CaseView) -> list[tuple[UUID, UUID]]:
    """Return the units that owe my unit a reply or an action, each with the message that asks."""
    found = [
        (one.message_id, chair.unit_id)
        for one in meeting_views.of_case(session, view.id, actor.unit_ids, full=view.full)
        if one.state == "called" and one.convenor_id in actor.unit_ids
        for chair in one.missing
    ]
    found += [(one.message_id, one.owner) for one in actions.open_actions(session, view.id)]
    return list(dict.fromkeys(found))


def meeting(
    session: Session, actor: Actor, view: CaseView, one: MeetingView, now: datetime
) -> Shown:
    """Return a meeting in words; to its convenor, how often the units asked stayed away before.

    That is counted of actual cases, and shown in those alone (4.14).
    """
    mine = one.convenor_id in actor.unit_ids
    units = [chair.unit_id for chair in one.chairs]
    figures = (
        meeting_views.figures(session, now, units=units) if mine and view.status == "actual" else []
    )
    counted = {figure.unit_id: figure for figure in figures}
    state = one.state if one.state != "called" or now < one.ends_at else "over"
    return {
        "id": one.id,
        "state": {
            "called": _("Called"), "cancelled": _("Cancelled"), "recorded": _("Recorded"),
            "over": _("Not recorded yet"),
        }[state],
        "colour": STATES.get(state, "red"),
        "cancelled": one.state == "cancelled",
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
        "convenor": one.convenor,
        "number": one.message_number,
        "record_number": one.record_number,
        "record_due_at": one.record_due_at if state == "over" else None,
        "empty": [_(codes.MEETING_ROLES[role]) for role in one.empty]
        if one.state == "called" and mine
        else [],
        "missing": [chair.unit for chair in one.missing] if one.state == "called" else [],
        "chairs": [_chair(chair, counted.get(chair.unit_id)) for chair in one.chairs],
        "page": url_for("messaging.meeting", reference=view.reference, meeting_id=one.id),
        "calendar": url_for(
            "messaging.meeting_calendar", reference=view.reference, meeting_id=one.id
        )
        if any(chair.unit_id in actor.unit_ids for chair in one.chairs)
        else None,
    }  # fmt: skip


def _chair(chair: Chair, figure: Figure | None) -> Shown:
    before = ""
    if figure is not None and figure.refused + figure.empty:
        before = _(
            "Asked %(asked)s times in 90 days: refused %(refused)s, empty chair %(empty)s",
            asked=figure.asked, refused=figure.refused, empty=figure.empty,
        )  # fmt: skip
    return {
        "unit": chair.unit,
        "role": _(codes.MEETING_ROLES[chair.role]),
        "replies": [
            {
                "person": one.person or _("Nobody named"),
                "attendance": _(codes.ATTENDANCE[one.attendance]) if one.attendance else "",
                "at": one.at,
                "attended": ""
                if one.attended is None
                else _(codes.ATTENDED["attended" if one.attended else "absent"]),
            }
            for one in chair.said
        ],
        "due_at": chair.due_at if chair.standing == "waiting" else None,
        "told": chair.told,
        "before": before,
    }


def _actions(actor: Actor, view: CaseView, of: Sequence[actions.Action]) -> list[Shown]:
    """Return the actions whose words the reader may see, the next due first."""
    bodies = {message.id: _words(message.body) for message in view.messages}
    found = []
    for one in of:
        rows = bodies.get(one.message_id, [])
        if one.number > len(rows):
            continue
        row = rows[one.number - 1]
        mine = one.owner in actor.unit_ids
        found.append(
            {
                "what": row["what"],
                "owner": view.names[one.owner].name if one.owner in view.names else "",
                "owner_name": row.get("owner_name", ""),
                "of_lead": one.of_lead,
                "line": row.get("line", False),
                "due_at": one.due_at,
                "told": one.told,
                "state": wording.ACTION_STATES[one.state],
                "answered_at": one.answered_at,
                "answered_by": one.answered_by or "",
                "number": one.message_number,
                "done": _address("messaging.action_done", view.reference, one.id) if mine else None,
                "say": url_for(
                    "messaging.compose",
                    reference=view.reference,
                    message_type="update",
                    action_done=one.id,
                ),
            }
        )
    return found


def _words(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the actions that a message gives out: those of a meeting, or a live line of enquiry."""
    line = body.get("live_line")
    return [{"what": line, "line": True}] if line else body.get("actions", [])


def _address(endpoint: str, reference: str, action_id: UUID) -> str:
    return url_for(endpoint, reference=reference, action_id=action_id)
