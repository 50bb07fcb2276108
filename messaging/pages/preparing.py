"""Placement and plan, as the page of a case says them: one screen to act from at night."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _

from hub.identity.actor import Actor
from messaging import wording
from messaging.pages import ringing
from messaging.pages.reading import Row, rows
from messaging.placements import PlacementState, PlanState, Prepared
from messaging.shown import CaseView, MessageView

Shown = dict[str, Any]
LEFT_OUT = ("lead_unit", "review_on")
"""What the page says of a plan in its own words."""


def prepared(view: CaseView, actor: Actor, now: datetime) -> Shown:
    """Return placements, agreed plans and proposed version in words, for who sees the whole case.

    With what follows, where a move is told ahead.
    """
    found = view.prepared
    if found is None or found.placement is None:
        return dict.fromkeys(("placement", "following", "plan", "following_plan", "proposed"))

    def agreed(plan: PlanState | None, placement: PlacementState | None) -> Shown | None:
        if plan is None or placement is None:
            return None
        return _agreed(view, found, plan) | {"sides": _sides(view, placement, actor, now)}

    return {
        "placement": _placement(view, found.placement, found.today),
        "following": _placement(view, found.following, found.today) if found.following else None,
        "plan": agreed(found.agreed, found.placement),
        "following_plan": agreed(found.agreed_following, found.following),
        "proposed": _plan(view, found.proposed) if found.proposed else None,
    }


def _agreed(view: CaseView, found: Prepared, plan: PlanState) -> Shown:
    lapse = found.lapse_of(plan)
    return {
        **_plan(view, plan),
        "in_force": lapse is None,
        "lapse": wording.lapse(lapse, plan.begins_on) if lapse else "",
    }


def _name(view: CaseView, unit: UUID | None) -> str:
    return view.names[unit].name if unit in view.names else ""


def _placement(view: CaseView, placement: PlacementState, today: date) -> Shown:
    begun = placement.ended or placement.starts_on <= today
    state = _("Current") if placement.current else _("Ended")
    return {
        "number": placement.number,
        "current": placement.current,
        "begun": begun,
        "state": state if begun else _("Begins on %(day)s", day=wording.day(placement.starts_on)),
        "home": view.home.name if view.home else "",
        "destination": _name(view, placement.destination),
        "host": _name(view, placement.host),
        "starts_on": wording.day(placement.starts_on),
        "ends_on": wording.day(placement.ends_on) if placement.ends_on else "",
        "emergency": placement.emergency,
        "at_a_distance": placement.at_a_distance,
        "late": placement.working_days_late > 0,
        "lateness": wording.lateness(placement.working_days_late),
    }


def _plan(view: CaseView, plan: PlanState) -> Shown:
    """Return a version: who leads, and as much of its words as the reader may see."""
    message = next((one for one in view.messages if one.id == plan.message_id), None)
    body = message.body if message else {}
    return {
        "version": plan.version,
        "number": plan.number,
        "lead": _name(view, plan.lead),
        "proposed_by": _name(view, plan.proposed_by),
        "other": _name(view, plan.other),
        "review_on": wording.day(plan.review_on),
        "agreed_at": plan.answered_at,
        "agreed_by": plan.answered_by_name,
        "rows": rows(
            "joint-response-plan",
            {name: value for name, value in body.items() if name not in LEFT_OUT},
        )
        + _associates_before(view, plan),
        "address": url_for("messaging.plan", reference=view.reference),
    }


def _associates_before(view: CaseView, plan: PlanState) -> list[Row]:
    """Return the associates of the version that last gave them, to who may see them: police.

    A council that proposes a version cannot say them again: it never saw them (4.8).
    """
    bodies = {message.id: message.body for message in view.messages}
    if view.prepared is None or bodies.get(plan.message_id, {}).get("associates"):
        return []
    for one in reversed(view.prepared.every):
        said = bodies.get(one.message_id, {}).get("associates")
        if said and one.version < plan.version and one.state in ("agreed", "superseded", "amended"):
            label = _("Associates, as version %(number)s gave them", number=one.version)
            return [{"label": label, "value": str(said)}]
    return []


def _sides(view: CaseView, placement: PlacementState, actor: Actor, now: datetime) -> list[Shown]:
    """Return the police of both areas, with whom to ring there at this hour."""
    units = [view.home.id if view.home else None, placement.destination]
    return [
        {
            "unit": _name(view, unit),
            "numbers": ringing.numbers(unit, "open-case", now, actor, view.status),
        }
        for unit in dict.fromkeys(units)
        if unit is not None
    ]


def unreached(view: CaseView) -> Iterator[tuple[MessageView, UUID, bool]]:
    """Yield whom the reader must ring about a placement or plan of theirs: nothing reached them.

    With whether an answer is awaited of that unit.
    """
    found = view.prepared
    if found is None:
        return
    owing = {found.proposed.message_id: found.proposed.other} if found.proposed else {}
    told = [m for m in view.messages if m.type == "placement-notification" and m.mine][-1:]
    proposals = [m for m in view.messages if m.id in owing and m.mine]
    for message in [*told, *proposals]:
        for one in message.recipients:
            asked = owing.get(message.id) == one.unit.id
            away = one.reach_now == "not-on-hub" and "delivered" not in one.facts
            if away and (asked or "told-by-telephone" not in one.facts):
                yield message, one.unit.id, asked
