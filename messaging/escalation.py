"""What happens when a clock is missed: repeats, then one rung up at a time; pure (DOMAIN.md 6).

A missed clock escalates; it never closes anything, and moves no lead.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from messaging import clocks

Rung = Literal["repeat", "duty-inspector", "control-room", "coordinator", "adjudicator"]

UP: tuple[Rung, ...] = ("duty-inspector", "control-room", "coordinator")

STEPS: Mapping[str, tuple[Rung, ...]] = {
    "lead-urgent": ("repeat", "repeat", *UP, "adjudicator"),
    "lead-routine": ("repeat", "repeat", *UP, "adjudicator"),
    "report-outcome": (*UP, "adjudicator"),
    "located-answer": UP,
    "direction": UP,
    "dispute-urgent": ("adjudicator",),
    "dispute-routine": ("adjudicator",),
    "opened-urgent": UP,
    "opened-request": ("duty-inspector", "control-room"),
    "opened": ("duty-inspector",),
    "enquiry-urgent": UP,
    "enquiry": ("duty-inspector", "coordinator"),
    "shift-end": ("duty-inspector", "control-room"),
    "review-high": ("duty-inspector", "control-room"),
    "review-medium": ("duty-inspector",),
    "review-low": ("duty-inspector",),
    "ukmpu": ("duty-inspector", "coordinator"),
    "meeting-reply": ("duty-inspector", "coordinator"),
    "meeting-reply-urgent": UP,
    "meeting-record": ("duty-inspector",),
    "meeting-action": ("duty-inspector",),
    "live-line": ("duty-inspector",),
    "prevention-interview": ("duty-inspector", "control-room"),
    "rhi": ("control-room", "coordinator"),
    "supervisor-decision": UP,
    "plan-reply": ("duty-inspector", "coordinator"),
    "plan-review": ("duty-inspector",),
    "match": UP,
    "to-ring-urgent": UP,
    "to-ring": ("duty-inspector",),
}
"""The steps of each kind of clock, in order; each comes as long after the last as the clock ran."""

TO_ADJUDICATORS = tuple(kind for kind, steps in STEPS.items() if "adjudicator" in steps)
"""The kinds of clock whose last step tells adjudicators."""

LONGEST_PAUSE = timedelta(hours=4)


def rung(kind: str, step: int) -> Rung | None:
    """Return what is done at a step, counted from 1; None when the ladder has ended."""
    steps = STEPS.get(kind, ("duty-inspector",))
    return steps[step - 1] if 1 <= step <= len(steps) else None


def next_at(kind: str, step: int, now: datetime, settings: Mapping[str, int]) -> datetime | None:
    """Return when the step after this one comes; None when this is the last."""
    if rung(kind, step + 1) is None:
        return None
    pause = timedelta(minutes=clocks.minutes(kind, settings))
    return now + min(pause, LONGEST_PAUSE)


def request_number(kind: str, step: int) -> int:
    """Return which request it is after so many steps: 1, 2, 3 (Nlets RNO)."""
    return 1 + sum(1 for one in STEPS.get(kind, ())[:step] if one == "repeat")
