"""Placements and plans of a case, as the API says them."""

from typing import Any
from uuid import UUID

from messaging import wording
from messaging.placements import PlacementState, PlanState, Prepared
from messaging.shown import CaseView, UnitName


def named(unit: UnitName) -> dict[str, str]:
    """Return a unit as the API names it."""
    return {
        "id": str(unit.id), "code": unit.code, "name": unit.name, "organisation": unit.organisation
    }  # fmt: skip


def prepared(view: CaseView) -> dict[str, Any]:
    """Return placements and plans, where the reader sees the whole case."""
    found = view.prepared
    if found is None or found.placement is None:
        return dict.fromkeys(("placement", "following_placement", "plan", "following_plan"))
    plan = _plan(view, found, found.agreed) if found.agreed or found.proposed else None
    return {
        "placement": _placement(view, found.placement),
        "following_placement": _placement(view, found.following) if found.following else None,
        "plan": plan,
        "following_plan": _plan(view, found, found.agreed_following)
        if found.agreed_following
        else None,
    }


def _unit_named(view: CaseView, unit: UUID | None) -> dict[str, str] | None:
    return named(view.names[unit]) if unit in view.names else None


def _placement(view: CaseView, placement: PlacementState) -> dict[str, Any]:
    return {
        "message_id": str(placement.message_id),
        "current": placement.current,
        "starts_on": placement.starts_on.isoformat(),
        "ends_on": placement.ends_on.isoformat() if placement.ends_on else None,
        "home": named(view.home) if view.home else None,
        "destination": _unit_named(view, placement.destination),
        "host_authority": _unit_named(view, placement.host),
        "emergency": placement.emergency,
        "at_a_distance": placement.at_a_distance,
        "working_days_late": placement.working_days_late,
    }


def _plan(view: CaseView, found: Prepared, agreed: PlanState | None) -> dict[str, Any]:
    lapse = found.lapse_of(agreed) if agreed else None
    return {
        "message_id": str(agreed.message_id) if agreed else None,
        "version": agreed.version if agreed else None,
        "lead": _unit_named(view, agreed.lead) if agreed else None,
        "review_on": agreed.review_on.isoformat() if agreed else None,
        "in_force": agreed is not None and lapse is None,
        "lapse": lapse,
        "lapse_words": wording.lapse(lapse, agreed.begins_on) if agreed and lapse else None,
        "proposed_message_id": str(found.proposed.message_id) if found.proposed else None,
    }
