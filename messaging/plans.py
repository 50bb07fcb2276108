"""Placements and joint response plans: when told in time, when in force; pure (DOMAIN.md 4.1b, 6).

Days are calendar days of Europe/London. Nothing here knows a database or a clock.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Unit = Hashable
State = Literal["proposed", "agreed", "amended", "declined", "superseded", "overtaken"]
Event = Literal["agrees", "amends", "declines", "placement-over", "newer-agreed"]
Lapse = Literal[
    "not-agreed", "placement-ended", "home-changed", "review-past", "placement-not-begun"
]  # fmt: skip

EMERGENCY_DAYS = 5
"""Working days in which an emergency placement is told (Care Planning Regulations 2010, r.13)."""

WAYS: dict[tuple[State, Event], State] = {
    ("proposed", "agrees"): "agreed",
    ("proposed", "amends"): "amended",
    ("proposed", "declines"): "declined",
    ("proposed", "placement-over"): "overtaken",
    ("agreed", "newer-agreed"): "superseded",
}


def after(state: State, event: Event) -> State | None:
    """Return the state of a version after an event, or None where that is not possible."""
    return WAYS.get((state, event))


@dataclass(frozen=True)
class Plan:
    """A version of a plan, as far as the rules go: whom it names, until when, and its placement's.

    `sides` are the police between whom it is, `police` those of home and placement today.
    """

    lead: Unit
    state: State
    review_on: date
    placement_current: bool
    begins_on: date
    sides: frozenset[Unit]
    police: frozenset[Unit]


def lapse(plan: Plan, today: date) -> Lapse | None:
    """Return why a plan is not in force on a day, or None where it is.

    It is in force when it is agreed, its placement begun and not over, the home police those who
    made it, and its review date not past.
    """
    if plan.state != "agreed":
        return "not-agreed"
    if not plan.placement_current:
        return "placement-ended"
    if not plan.sides <= plan.police:
        return "home-changed"
    if plan.review_on < today:
        return "review-past"
    return "placement-not-begun" if today < plan.begins_on else None


def whom_to_ask(plan: Plan | None, recorded_by: Unit, today: date) -> Unit | None:
    """Return the unit that the hub asks to take the lead of an episode that another records (4.1b).

    The recording unit leads all the same until that one accepts.
    """
    if plan is None or lapse(plan, today) is not None or plan.lead == recorded_by:
        return None
    return plan.lead


def placement_current(ended: bool, end_told: bool, ends_on: date | None, today: date) -> bool:
    """Say whether a placement is current: one whose end was told ahead is, until that day is past."""
    return not ended and not (end_told and ends_on is not None and ends_on < today)


def last_day(
    begun_on: date, next_from: date, today: date, end_told: date | None = None
) -> date | None:
    """Return the last day of a placement when one is told of that takes its place; None: over at once.

    Where the child is, they stay until the day before a move that is told ahead, and no longer than
    the end that was told before. What has not begun never does: the move is told in its place.
    """
    if not begun_on <= today < next_from:
        return None
    last = next_from - timedelta(days=1)
    return min(last, end_told) if end_told else last


def working_days_late(
    starts_on: date, told_on: date, *, emergency: bool, is_free: Callable[[date], bool]
) -> int:
    """Return by how many working days a placement was told too late; 0 is on time.

    It is told before it begins, or in an emergency within 5 working days (r.13). A notice on the
    first day counts as before it, since only the day is known. `is_free` says of bank holidays.
    """

    def works(day: date) -> bool:
        return day.isoweekday() <= 5 and not is_free(day)

    deadline = starts_on
    left = EMERGENCY_DAYS if emergency else 0
    while left:
        deadline += timedelta(days=1)
        left -= works(deadline)
    if told_on <= deadline:
        return 0
    late = (told_on - deadline).days
    return max(1, sum(works(deadline + timedelta(days=n)) for n in range(1, late + 1)))
