"""The numbers of a unit, as a page shows them beside what must be rung about."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from directory import public as directory
from directory.public import Number
from hub.identity.actor import Actor

MOST = 3
Need = Literal["report-missing", "open-case"]
OF_REPORT = ("missing-episode-report", "supervisor-request", "report-not-accepted")
"""What is said of a practitioner's report: nobody need be rung about it once it is settled."""


def need_of(message_type: str, clock: str = "") -> Need:
    """Return for which need somebody is rung about a message, or a clock that runs by it."""
    report = message_type in OF_REPORT or clock in ("report-outcome", "supervisor-decision")
    return "report-missing" if report else "open-case"


def numbers(
    unit_id: UUID,
    need: Need,
    now: datetime,
    actor: Actor,
    status: str,
) -> list[Number]:
    """Return whom to ring at a unit now, first choice first: those open, or failing that any."""
    found = directory.contacts_for_unit(unit_id, need, now, police=actor.police, status=status)
    return ([one for one in found if one.open] or found)[:MOST]


def own_number(actor: Actor, now: datetime, status: str) -> str:
    """Return the verified number on which others ring the actor's unit about a case, if any."""
    if actor.unit_id is None:
        return ""
    found = directory.contacts_for_unit(
        actor.unit_id, "open-case", now, police=actor.police, status=status
    )
    return next((one.value for one in found if one.verified), "")
