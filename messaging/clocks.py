"""How long anybody has for what they owe: pure, from DOMAIN.md 6."""

from collections.abc import Mapping
from datetime import datetime, timedelta

MINUTES: Mapping[str, int] = {
    "report-outcome": 10,
    "lead-urgent": 10,
    "lead-routine": 60,
    "located-answer": 10,
    "opened-urgent": 5,
    "opened-request": 30,
    "opened": 4 * 60,
    "review-high": 4 * 60,
    "review-medium": 12 * 60,
    "review-low": 24 * 60,
    "ukmpu": 72 * 60,
    "prevention-interview": 24 * 60,
    "rhi": 72 * 60,
    "supervisor-decision": 30,
    "dispute-urgent": 60,
    "dispute-routine": 24 * 60,
    "direction": 10,
    "shift-end": 8 * 60,
    "enquiry-urgent": 60,
    "enquiry": 24 * 60,
    "meeting-reply": 24 * 60,
    "meeting-reply-urgent": 60,
    "meeting-record": 24 * 60,
    "live-line": 60,
    "plan-reply": 3 * 24 * 60,
    "match": 30,
    "to-ring-urgent": 5,
    "to-ring": 60,
}
"""The defaults, in minutes; the table clock_setting holds what nation and organisations changed.

An action of a meeting and the review of a plan are not here: they are due on the date they carry. Of
a live line of enquiry it is how long before it expires the line must be secured.
"""

NATIONAL = ("dispute-urgent", "dispute-routine")
"""Clocks that no unit owes, so that no organisation decides them: they run the nation's minutes."""

LIMITS: Mapping[str, int] = {"holding-urgent": 60, "holding-routine": 8 * 60}
"""For how many minutes a holding reply may put off the answer to a request: no clocks, but settings."""

SETTINGS: Mapping[str, int] = {**MINUTES, **LIMITS}
"""Whatever nation and organisations may decide, with its default in minutes."""


def minutes(kind: str, settings: Mapping[str, int]) -> int:
    """Return how many minutes a kind of clock runs."""
    return settings.get(kind, SETTINGS[kind])


def due(kind: str, started: datetime, settings: Mapping[str, int]) -> datetime:
    """Return when a clock that started then is due; both aware."""
    return started + timedelta(minutes=minutes(kind, settings))


def due_once_told(
    kind: str, told: datetime, settings: Mapping[str, int], needed_by: datetime | None
) -> datetime:
    """Return when an answer is due of a unit that hears of the message only then (4.5).

    An enquiry is due when it is needed, unless that is over by then (6); so is an action. A reply
    to an invitation is due before the meeting starts, a live line some time before it expires.
    """
    if kind in ("meeting-reply", "meeting-reply-urgent") and needed_by is not None:
        return max(told, min(needed_by, due(kind, told, settings)))
    if kind == "meeting-action" and needed_by is not None:
        return max(told, needed_by)
    if kind == "live-line" and needed_by is not None:
        return max(told, needed_by - timedelta(minutes=minutes(kind, settings)))
    if kind in ("enquiry", "enquiry-urgent") and needed_by is not None and needed_by > told:
        return needed_by
    return due(kind, told, settings)


TO_RING = ("to-ring", "to-ring-urgent")
"""What whoever sent a message owes: to ring a unit that is not on the hub about it (4.5)."""


def to_ring_kind(*, urgent: bool) -> str:
    """Return the kind of clock within which a unit that is not on the hub must be rung."""
    return "to-ring-urgent" if urgent else "to-ring"


OF_CASE = ("shift-end", "review-high", "review-medium", "review-low", "ukmpu", "plan-review")
"""What a unit owes of a case as it stands, and of no message that waits for its answer."""


def lead_kind(urgent: bool) -> str:
    """Return the kind of clock of a lead request."""
    return "lead-urgent" if urgent else "lead-routine"


OPENED = ("opened", "opened-urgent", "opened-request")
"""What a unit on the hub owes of every message that it is sent: that a named person sees it (6)."""


def opened_kind(*, asks: bool, urgent: bool) -> str:
    """Return the kind of clock within which somebody must open a message that asks, or does not."""
    if urgent:
        return "opened-urgent"
    return "opened-request" if asks else "opened"


def review_kind(risk: str) -> str:
    """Return the kind of clock of the supervisor's next review at this risk."""
    return {"high": "review-high", "medium": "review-medium"}.get(risk, "review-low")
