"""A year of clocks, over both changes of the clocks in London: time is given, and never waited for."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from hub.clock import LONDON
from messaging import clocks, escalation

NEW_YEAR = datetime(2027, 1, 1, tzinfo=LONDON)
HOURS = 365 * 24
FORWARD, BACK = datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)


def unanswered(kind: str, started: datetime) -> list[tuple[datetime, str]]:
    """Return every step of a clock that nobody meets: when, and which rung."""
    found: list[tuple[datetime, str]] = []
    at: datetime | None = clocks.due(kind, started, {})
    step = 1
    while at is not None:
        rung = escalation.rung(kind, step)
        assert rung is not None
        found.append((at, rung))
        at = escalation.next_at(kind, step, at, {})
        step += 1
    return found


def london(at: datetime) -> str:
    return f"{at.astimezone(LONDON):%H:%M %Z}"


def test_a_clock_of_every_kind_started_in_every_hour_of_a_year() -> None:
    """None is early or late by the hour that London's clocks are moved, and each climbs to its end."""
    steps = 0
    for kind in clocks.MINUTES:
        length = timedelta(minutes=clocks.MINUTES[kind])
        pause = min(length, escalation.LONGEST_PAUSE)
        for hour in range(HOURS):
            started = NEW_YEAR.astimezone(UTC) + timedelta(hours=hour)
            taken = unanswered(kind, started)
            assert [rung for _, rung in taken] == list(escalation.STEPS[kind])
            assert taken[0][0] - started == length
            assert all(b - a == pause for (a, _), (b, _) in pairwise(taken))
            steps += len(taken)
    assert steps == HOURS * sum(len(escalation.STEPS[kind]) for kind in clocks.MINUTES)
    dated = escalation.STEPS.keys() - clocks.MINUTES.keys()
    assert all(len(escalation.STEPS[kind]) == 1 for kind in dated), (
        "a date has no pause between steps"
    )


@pytest.mark.parametrize(
    ("risk", "reviews", "winter", "summer"),
    [
        ("high", 2190, {"00:00", "04:00", "08:00", "12:00", "16:00", "20:00"},
         {"01:00", "05:00", "09:00", "13:00", "17:00", "21:00"}),
        ("medium", 730, {"00:00", "12:00"}, {"01:00", "13:00"}),
        ("low", 365, {"00:00"}, {"01:00"}),
    ],
)  # fmt: skip
def test_a_year_of_reviews(risk: str, reviews: int, winter: set[str], summer: set[str]) -> None:
    """Each review sets the next: as many as there are hours for, at these times of London's day."""
    kind, at, times = clocks.review_kind(risk), NEW_YEAR.astimezone(UTC), []
    while (at := clocks.due(kind, at, {})) <= NEW_YEAR.replace(year=2028):
        times.append(at)
    assert len(times) == reviews
    said = {(at.astimezone(LONDON).tzname(), f"{at.astimezone(LONDON):%H:%M}") for at in times}
    assert said == {("GMT", one) for one in winter} | {("BST", one) for one in summer}


def test_an_urgent_request_in_the_hour_that_comes_twice() -> None:
    taken = unanswered("lead-urgent", BACK - timedelta(minutes=25))
    assert [(london(at), rung) for at, rung in taken] == [
        ("01:45 BST", "repeat"), ("01:55 BST", "repeat"), ("01:05 GMT", "duty-inspector"),
        ("01:15 GMT", "control-room"), ("01:25 GMT", "coordinator"), ("01:35 GMT", "adjudicator"),
    ]  # fmt: skip


def test_an_urgent_request_in_the_hour_that_there_is_not() -> None:
    taken = unanswered("lead-urgent", FORWARD - timedelta(minutes=25))
    assert [(london(at), rung) for at, rung in taken] == [
        ("00:45 GMT", "repeat"), ("00:55 GMT", "repeat"), ("02:05 BST", "duty-inspector"),
        ("02:15 BST", "control-room"), ("02:25 BST", "coordinator"), ("02:35 BST", "adjudicator"),
    ]  # fmt: skip
