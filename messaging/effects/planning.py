"""The joint response plan: proposed by one side, answered by the other, in versions (DOMAIN.md 8)."""

from datetime import date, datetime, time
from typing import Any, cast
from uuid import UUID

from sqlalchemy import update

from hub.clock import LONDON
from hub.db import new_id
from hub.errors import conflict, invalid
from messaging import contracts, lead, placements, plans
from messaging.act import Act
from messaging.choices import Action, Choices, Choosing, Knowing
from messaging.contracts import Command
from messaging.effects.steps import meet, note_answered, reachable
from messaging.model import Clock, Plan
from messaging.placements import PlacementState, PlanState, Prepared
from messaging.sending import THE_HUB, unit_named
from messaging.state import CaseState

REMINDED_AT = time(9)
"""When, on the review date (Europe/London), the review of a plan is due."""
PLACING = "responsible-authority"
"""The part of the council that places the child."""


def joint_response_plan(act: Act) -> None:
    """Propose a plan, or amend the one that waits for one's answer: a new version."""
    body = cast(contracts.JointResponsePlan, act.body)
    prepared = placements.of_case(act.session, act.case)
    placement = prepared.to_plan
    if placement is None:
        raise conflict("placement-none", "No placement is current here: a plan is for one.")
    sides = _sides(act.case, placement)
    _stand_as(act, set(sides))
    first = prepared.proposed
    if first is not None and first.other != act.unit:
        raise conflict("plan-proposed", "A version of the plan waits for its answer already.")
    if body.review_on <= prepared.today:
        raise invalid("in-past", "The review date must be later than today.", "/body/review_on")
    if body.review_on < placement.starts_on:
        raise invalid(
            "review-before", "The review date cannot be before the placement begins.",
            "/body/review_on",
        )  # fmt: skip
    leads = unit_named(act.session, body.lead_unit, "/body/lead_unit", act.at).unit_id
    if leads not in (act.case.home, placement.destination):
        names = " or ".join(
            act.case.parties[unit].name
            for unit in dict.fromkeys((act.case.home, placement.destination))
            if unit in act.case.parties
        )
        raise invalid("plan-lead", f"The plan names {names} to lead.", "/body/lead_unit")
    if first is not None:
        other = first.proposed_by if leads in (act.unit, first.proposed_by) else leads
        act.in_reply_to = first.message_id
        note_answered(act, first.message_id)
        _settle(act, first, "amends")
    else:
        other = _other_side(act, placement, leads)
    act.to.setdefault(other, act.case.parties[other])
    act.reply_due_at = act.clock("plan-reply", other, started=reachable(act, other))
    act.insert(
        "plan",
        {
            "id": new_id(), "case_id": act.case.id, "placement_id": placement.id,
            "version": prepared.versions + 1, "message_id": act.message_id,
            "proposed_by_unit_id": act.unit, "other_unit_id": other, "lead_unit_id": leads,
            "review_on": body.review_on, "opened_at": act.at,
        },
    )  # fmt: skip


def _sides(case: CaseState, placement: PlacementState) -> list[UUID]:
    """Return who may propose: home and destination police, and the council that placed the child."""
    councils = [
        unit
        for unit, party in case.parties.items()
        if party.full and party.part == PLACING and unit not in case.heirs
    ]
    found = (case.home, placement.destination, placement.told_by, *councils)
    return [unit for unit in dict.fromkeys(found) if unit in case.parties]


def _stand_as(act: Act, sides: set[UUID]) -> None:
    """Act as the side, of all the units that the sender acts for.

    Raises:
        HubError: 409 `plan-side` when none is one.
    """
    mine = [unit for unit in (act.unit, *act.case.mine(act.actor)) if unit in sides]
    if not mine:
        raise conflict(
            "plan-side", "A plan is between the home and the destination police, and the council."
        )
    act.unit = mine[0]


def _other_side(act: Act, placement: PlacementState, leads: UUID) -> UUID:
    """Return who must agree: the other police; for a council's proposal, the police it names."""
    police = (act.case.home, placement.destination)
    if act.unit not in police:
        return leads
    others = [unit for unit in police if unit is not None and unit != act.unit]
    return others[0] if others else placement.told_by


def plan_reply(act: Act) -> None:
    """Agree to the proposed version, amend it, or decline it: once, by the other side."""
    body = cast(contracts.PlanReply, act.body)
    prepared = placements.of_case(act.session, act.case)
    asked = prepared.proposed
    if asked is None or act.in_reply_to not in (None, asked.message_id):
        raise lead.Refused("plan-answered")
    _stand_as(act, {asked.other})
    act.in_reply_to = asked.message_id
    if body.answer == "amends":
        words = body.plan.model_dump(mode="json", exclude_none=True) if body.plan else {}
        # The new version says it by itself, each part to its own audience.
        act.body = body.model_copy(update={"plan": None})
        again = Command(type="joint-response-plan", body=words, in_reply_to=asked.message_id)
        act.send_further(again, act.unit, act.actor)
        return
    note_answered(act, asked.message_id)
    if body.answer == "declines":
        _settle(act, asked, "declines")
        return
    if not asked.placement_current:
        raise conflict(
            "placement-over",
            "The placement is over, and no plan is agreed for it: decline this one.",
        )
    if asked.review_on < prepared.today:
        raise conflict("plan-review-past", "Its review date has gone by: amend it.")
    for old in prepared.every:
        if old.state == "agreed" and (
            old.placements & asked.placements or not old.placement_current
        ):
            meet(act, old.answer_id, "plan-review")
            _answer(act, old, "newer-agreed")
    _settle(act, asked, "agrees")
    home, last = act.case.home or act.unit, prepared.last_day_of(asked)
    act.later(lambda: _remind(act, home, asked))
    if last is not None and last < asked.review_on:
        act.later(lambda: meet(act, act.message_id, "plan-review", met=False))


def _remind(act: Act, home: UUID, plan: PlanState) -> None:
    """Start the clock of the review: the home unit owes it on the review date."""
    due = datetime.combine(plan.review_on, REMINDED_AT, LONDON)
    act.start_clock("plan-review", home, due=max(due, act.at))


def _remind_again(act: Act, plan: PlanState) -> None:
    """Have the clock of a review run again that has ended; one that runs is left as it is."""
    act.session.execute(
        update(Clock)
        .where(
            Clock.case_id == act.case.id,
            Clock.message_id == plan.answer_id,
            Clock.kind == "plan-review",
            Clock.met_at.is_(None),
        )
        .values(ended_at=None)
    )


def _settle(act: Act, plan: PlanState, event: plans.Event) -> None:
    """Answer a proposed version, and stop the clock of its answer."""
    meet(act, plan.message_id, "plan-reply", met=event != "placement-over")
    _answer(act, plan, event)


def _answer(act: Act, plan: PlanState, event: plans.Event) -> None:
    state = plans.after(plan.state, event)
    if state is None:
        raise lead.Refused("plan-answered")
    who = (
        {}
        if event == "newer-agreed"  # who agreed to it is history
        else {
            "answered_at": act.at, "answer_message_id": act.message_id,
            "answered_by_unit_id": act.unit, "answered_by_name": act.actor.name,
        }
    )  # fmt: skip
    act.later(
        lambda: act.session.execute(
            update(Plan).where(Plan.id == plan.id).values(state=state, **who)
        )
    )


def end_plans(
    act: Act, prepared: Prepared, goes_on_with: UUID | None = None, last: date | None = None
) -> None:
    """End what waits for a placement's sake: a proposed version, and the reminder of an agreed one.

    What is between the home police and those of where the child is placed from now on goes on; its
    reminder, which ended when a move was told, runs again when that is taken back. Nobody is
    reminded of a review after the `last` day of the placement, as an end told ahead has it.
    """
    police = {act.case.standing(unit) for unit in (act.case.home, goes_on_with) if unit}
    for plan in (prepared.proposed, prepared.agreed, prepared.agreed_following):
        if plan is None:
            continue
        if plan.placement_current and plan.destination == goes_on_with and plan.sides <= police:
            if plan.state == "proposed":
                continue
            if last is not None and last < plan.review_on:
                meet(act, plan.answer_id, "plan-review", met=False)
            else:
                _remind_again(act, plan)
        elif plan.state == "proposed":
            _settle(act, plan, "placement-over")
        else:
            meet(act, plan.answer_id, "plan-review", met=False)


def ask_by_plan(
    act: Act, prepared: Prepared, leads: UUID, circumstances: str, risk: str,
    callback: str | None = None, **more: str | None,
) -> None:  # fmt: skip
    """Have the hub ask the unit that a plan in force names to take the lead (4.1b).

    Whoever leads now, having recorded the child, leads until that one accepts.
    """
    agreed = prepared.agreed
    named = plans.whom_to_ask(agreed.as_rules() if agreed else None, leads, prepared.today)
    if named is None:
        return
    words = {"rationale": "agreed-plan", "circumstances": circumstances, "risk": risk, **more}
    command = Command(
        type="lead-transfer-request", to=[str(named)], priority="urgent",
        callback_telephone=callback, body={name: value for name, value in words.items() if value},
    )  # fmt: skip
    act.send_further(command, leads, THE_HUB)


def choices(now: Choosing) -> Choices:
    """A side proposes, naming either police unit; who is asked agrees, declines or amends."""
    if not now.may("joint-response-plan"):
        return
    prepared = placements.of_case(now.session, now.case)
    placement = prepared.to_plan
    asked = prepared.proposed
    if asked is not None:
        if asked.other in now.mine:
            yield Action("plan-reply", asked.message_id)  # once the placement is over, to decline
            if placement is not None:
                yield Action("joint-response-plan", asked.message_id)
        return
    if placement is None:
        return
    sides = _sides(now.case, placement)
    if any(unit in sides for unit in now.mine):
        for unit in dict.fromkeys((now.case.home, placement.destination)):
            if unit is not None:
                yield Action("joint-response-plan", to=unit)


def known_plan(known: Knowing) -> dict[str, Any]:
    """Fill in the plan as last proposed; for other police than those, without what was of theirs."""
    prepared = placements.of_case(known.session, known.case)
    last = prepared.every[-1] if prepared.every else None
    body = known.given(*contracts.JointResponsePlan.model_fields)
    if last is None or prepared.to_plan is None or last.destination == prepared.to_plan.destination:
        return body
    theirs = ("lead_unit", "review_on", "contacts_in_hours", "contacts_out_of_hours")
    return {name: words for name, words in body.items() if name not in theirs}


def known_reply(known: Knowing) -> dict[str, Any]:
    """Name the reader as who answers."""
    rank = f"{known.actor.rank_or_role} " if known.actor.rank_or_role else ""
    return {"named_person": f"{rank}{known.actor.name}"}
