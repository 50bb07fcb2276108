"""What is open beside the offer of the lead, as the page of a case says it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _

from hub.identity.actor import Actor
from messaging import escalation, wording
from messaging.alarms import Step
from messaging.pages import explaining, quoting, ringing
from messaging.shown import CaseView

Shown = dict[str, Any]
OF_REPORT = ("report-outcome", "supervisor-decision")
DISPUTES = ("dispute-urgent", "dispute-routine")
"""The clocks of what has a box of its own, which says whether anybody can decide it."""


def pending(view: CaseView, actor: Actor, now: datetime) -> Shown:
    """Return dispute, direction, questions and alarms in words, each with whom to ring."""
    matters = view.matters

    def name(unit: UUID | None) -> str:
        return view.names[unit].name if unit in view.names else ""

    dispute = direction = None
    if matters.dispute:
        dispute = {
            "number": matters.dispute.number,
            "by": name(matters.dispute.by),
            "other": name(matters.dispute.other),
            "due_at": matters.dispute.due_at,
            "unjudged": matters.unjudged,
            "sides": quoting.sides(view.messages, matters.dispute.message_id, matters.dispute.other)
            if view.adjudicates
            else [],
            "guidance": explaining.SAID["direction"],
        }
    if matters.direction:
        mine = matters.direction.to in actor.unit_ids
        direction = {
            "number": matters.direction.number,
            "to": name(matters.direction.to),
            "due_at": matters.direction.due_at,
            "mine": mine,
            "numbers": []
            if mine or any(m.mine for m in view.messages if m.id == matters.direction.message_id)
            else ringing.numbers(matters.direction.to, "open-case", now, actor, view.status),
        }
    questions = [
        {
            "number": one.number,
            "asked_by": name(one.asked_by),
            "to": name(one.to),
            "needed_by": one.needed_by,
            "immediate": one.immediate,
            "away": one.to_reach == "not-on-hub",
            "told": one.told,
        }
        for one in matters.questions
    ]
    return {
        "dispute": dispute,
        "direction": direction,
        "questions": questions,
        "alarms": _alarms(view, actor, now),
    }


def _alarms(view: CaseView, actor: Actor, now: datetime) -> list[Shown]:
    """Return what is overdue, latest step first, with the step that comes next and its number."""
    shown: list[Shown] = []
    types = {message.id: message.type for message in view.messages}
    seen: set[tuple[UUID, str, UUID | None]] = set()
    for step in view.matters.steps:
        key = (step.message_id, step.kind, step.owed_by)
        if not step.running or key in seen:
            continue
        seen.add(key)
        following = escalation.rung(step.kind, step.step + 1)
        owing = view.names.get(step.owed_by) if step.owed_by else None
        police = owing is None or owing.police
        shown.append(
            {
                "what": wording.CLOCKS[step.kind],
                "owed_by": owing.name if owing else "",
                "done": [
                    {"name": wording.rung(one.rung, police=police), "at": one.at}
                    for one in reversed(view.matters.steps)
                    if one.running and (one.message_id, one.kind, one.owed_by) == key
                ],
                "next": wording.rung(following, police=police) if following else None,
                "next_at": step.next_at,
                "say": _at_last(view, step) if step.rung == "adjudicator" else [],
                "numbers": ringing.numbers(
                    owing.id,
                    ringing.need_of(types.get(step.message_id, ""), step.kind),
                    now,
                    actor,
                    view.status,
                )
                if owing and owing.id not in actor.unit_ids
                else [],
            }
        )
    return shown


def _at_last(view: CaseView, step: Step) -> list[str]:
    """Return what is to be done once a missed clock has come to the adjudicators."""
    said = []
    if step.kind in OF_REPORT:
        if view.matters.unjudged:
            said.append(_("No adjudicator is on the hub now."))
        said.append(_("Nobody leads. Ring the force’s control room: police must record it."))
        if view.adjudicates:
            said.append(
                _(
                    "There is no lead to direct until they have. Say that a child was reported"
                    " missing to them under this reference and that nobody has answered, and ask"
                    " who records it."
                )
            )
    elif step.kind not in DISPUTES and view.lead:
        if view.matters.unjudged:
            said.append(_("No adjudicator is on the hub now: ring the force coordinators."))
        said.append(_("%(unit)s leads and acts until it is decided.", unit=view.lead.unit.name))
    return said
