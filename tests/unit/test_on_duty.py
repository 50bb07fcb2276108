"""Whom to nudge when: the unit's own door, and while it is closed the first that is on (issue 4.7)."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from directory.hours import Hours, is_open, opens_at
from directory.on_duty import Door, plan, reachable, step_up

LADDER = ("missing-children-team", "coordinator", "duty-inspector", "control-room")
DAY = [{"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "18:00"}]
NIGHT = [{"days": [1, 2, 3, 4, 5, 6, 7], "opens": "18:00", "closes": "08:00"}]
CLOSED = [{"days": [], "opens": "08:00", "closes": "18:00"}]

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: FIRST + timedelta(minutes=minutes))


def door(purpose: str, own: bool, weekly: object, at: datetime, written: str) -> Door:
    hours = Hours(weekly, "closed")  # type: ignore[arg-type]
    opens = opens_at(hours, at)
    now = is_open(hours, at)
    return Door(
        purpose, uuid4(), "EXERCISE", own, now, None if now else opens,
        "a@example.org" if "m" in written else None, "07700 900001" if "s" in written else None,
    )  # fmt: skip


@st.composite
def ladders(draw: st.DrawFn) -> tuple[list[Door], datetime]:
    at = draw(moments)
    hours = st.sampled_from([None, DAY, NIGHT, CLOSED])
    written = st.sampled_from(["", "m", "s", "ms"])
    return [
        door(purpose, own, draw(hours), at, draw(written))
        for purpose, own in [(LADDER[0], True), *((one, False) for one in LADDER)]
        for _ in range(draw(st.integers(0, 2)))
    ], at


@given(ladders())
def test_somebody_else_is_told_only_while_the_team_is_closed_and_is_the_first_who_is_on(
    drawn: tuple[list[Door], datetime],
) -> None:
    doors, at = drawn
    found = plan(doors)
    own = [one for one in doors if one.own]
    assert list(found.own) == own
    assert found.closed == (bool(own) and all(not one.open for one in own))
    on = [one for one in doors if not one.own and one.open and (one.mailbox or one.mobile)]
    if found.closed and on:
        assert found.instead == on[0]
    else:
        assert found.instead is None
    if found.opens_at is not None:
        assert found.closed
        assert found.opens_at > at


@given(ladders(), st.sampled_from(["duty-inspector", "control-room", "coordinator"]))
def test_a_step_up_is_told_to_who_is_on_there_or_above(
    drawn: tuple[list[Door], datetime], purpose: str
) -> None:
    doors, _ = drawn
    found = step_up(doors, purpose)
    wanted = {"duty-inspector": LADDER[2:], "control-room": LADDER[3:]}.get(purpose, (purpose,))
    on = [one for one in doors if one.purpose in wanted and reachable(one)]
    assert found == (on[0] if on else None)


def test_a_team_closes_at_its_hour_and_on_bank_holidays() -> None:
    friday = datetime(2026, 12, 18, 17, 59, tzinfo=UTC)
    boxing_day = datetime(2026, 12, 28, 10, 0, tzinfo=UTC)  # a Monday, in its place
    for at, closed in ((friday, False), (friday + timedelta(minutes=1), True), (boxing_day, True)):
        team = door("missing-children-team", True, DAY, at, "m")
        inspector = door("duty-inspector", False, None, at, "m")
        found = plan([team, inspector])
        assert (found.closed, found.instead) == (closed, inspector if closed else None)
