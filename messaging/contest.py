"""What a case is shown to say of other cases of the child: contested, joined, or gone on here."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from directory import public as directory
from hub.identity.actor import Actor
from messaging import aliases, contested, who_leads
from messaging.shown import CaseView

Shown = dict[str, Any]
MOST = 3


def contest(session: Session, actor: Actor, view: CaseView, now: datetime) -> Shown:
    """Return the open matches with whom to ring, what this case joined, and what has joined it."""
    joined = aliases.goes_on_as(session, view.id) if view.closed_at else None
    lead = who_leads.lead_view(session, actor, view.reference, now)["lead"] if joined else None
    return {
        "contested": _open(session, actor, view, now) if view.closed_at is None else [],
        "joined": joined,
        "joined_lead": lead["name"] if lead else None,
        "earlier": aliases.of_case(session, view.id) if view.full else [],
    }


def _open(session: Session, actor: Actor, view: CaseView, now: datetime) -> list[Shown]:
    addressed = view.report is not None and view.report.addressed.id in actor.unit_ids
    if not (view.full or addressed):
        return []
    found = contested.of_case(session, view.id, actor.unit_ids)
    names = {one.id: one for one in who_leads.unit_names(session, [one.ring for one in found])}
    return [
        {
            "match": one.match_id,
            "named": names[one.ring],
            "unit": names[one.ring].name,
            "mine": one.ring in actor.unit_ids,
            "numbers": _numbers(one.ring, actor, view.status, now),
            "since": one.opened_at,
            "denied_here": one.denied_here,
            "denied_there": one.denied_there,
            "reference": one.reference,
        }
        for one in found
    ]


def _numbers(unit: UUID, actor: Actor, status: str, now: datetime) -> list[directory.Number]:
    """Return whom to ring at a unit now: those open, or failing that any."""
    found = directory.contacts_for_unit(unit, "open-case", now, police=actor.police, status=status)
    return ([one for one in found if one.open] or found)[:MOST]
