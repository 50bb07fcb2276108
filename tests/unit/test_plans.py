"""When a placement was told in time, and when a plan is in force (DOMAIN.md 4.1b, 6)."""

from datetime import date, timedelta
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from directory.hours import bank_holidays
from messaging import plans

DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))


def _late(starts: date, told: date, *, emergency: bool = False, nation: str = "England") -> int:
    return plans.working_days_late(
        starts, told, emergency=emergency,
        is_free=lambda day: day in bank_holidays(nation, day.year),
    )  # fmt: skip


def test_a_placement_is_told_before_it_begins() -> None:
    monday = date(2026, 11, 23)
    assert _late(monday, monday - timedelta(days=3)) == 0
    assert _late(monday, monday) == 0
    assert _late(monday, monday + timedelta(days=1)) == 1
    assert _late(monday, monday + timedelta(days=7)) == 5
    friday = date(2026, 11, 27)
    assert _late(friday, friday + timedelta(days=1)) == 1, "a Saturday is late all the same"


def test_an_emergency_has_five_working_days_and_bank_holidays_are_none() -> None:
    wednesday = date(2026, 11, 25)
    assert _late(wednesday, date(2026, 12, 2), emergency=True) == 0
    assert _late(wednesday, date(2026, 12, 3), emergency=True) == 1
    # 25 and 28 December (for the 26th), 1 January.
    before_christmas = date(2026, 12, 23)
    assert _late(before_christmas, date(2027, 1, 4), emergency=True) == 0
    assert _late(before_christmas, date(2027, 1, 5), emergency=True) == 1
    assert _late(date(2026, 12, 31), date(2027, 1, 4)) == 1


@given(DAYS, DAYS, st.booleans())
def test_later_is_never_less_late(starts: date, told: date, emergency: bool) -> None:
    late = _late(starts, told, emergency=emergency)
    assert late <= _late(starts, told + timedelta(days=1), emergency=emergency)
    assert late >= 0
    assert _late(starts, told, emergency=True) <= _late(starts, told)
    assert (told > starts) == (_late(starts, told) > 0)


@given(
    st.sampled_from(get_args(plans.State)), DAYS, DAYS, DAYS, st.booleans(), st.sampled_from("ab"),
    st.frozensets(st.sampled_from("abc")), st.sampled_from("ab"),
)  # fmt: skip
def test_only_a_plan_in_force_that_names_another_asks_for_the_lead(
    state: plans.State, begins_on: date, review_on: date, today: date, current: bool, lead: str,
    sides: frozenset[str], recorded_by: str,
) -> None:  # fmt: skip
    plan = plans.Plan(lead, state, review_on, current, begins_on, sides, frozenset("ab"))
    in_force = (
        state == "agreed" and current and "c" not in sides and begins_on <= today <= review_on
    )
    assert (plans.lapse(plan, today) is None) == in_force
    asked = plans.whom_to_ask(plan, recorded_by, today)
    assert asked == (lead if in_force and lead != recorded_by else None)
    assert plans.whom_to_ask(None, recorded_by, today) is None


@given(st.lists(st.sampled_from(get_args(plans.Event))))
def test_a_version_is_answered_once_and_agreed_before_it_is_superseded(
    events: list[plans.Event],
) -> None:
    states: list[plans.State] = ["proposed"]
    for event in events:
        found = plans.after(states[-1], event)
        if found is not None:
            states.append(found)
    assert len(states) <= 3
    assert "superseded" not in states or states == ["proposed", "agreed", "superseded"]


@given(DAYS, st.lists(st.tuples(st.integers(0, 9), st.integers(-9, 9)), max_size=8))
def test_a_child_is_placed_in_one_place_on_each_day(
    today: date, changes: list[tuple[int, int]]
) -> None:
    told: list[tuple[date, date | None]] = [(today, None)]
    for after_days, ahead in changes:
        today += timedelta(days=after_days)
        starts_on = today + timedelta(days=ahead)
        live = [
            one for one in told if plans.placement_current(False, one[1] is not None, one[1], today)
        ]
        ends = ((begun, plans.last_day(begun, starts_on, today)) for begun, _ in live)
        told = [(begun, last) for begun, last in ends if last is not None] + [(starts_on, None)]
        assert len(told) <= 2
        for day in (today + timedelta(days=n) for n in range(20)):
            here = [b for b, last in told if b <= day and (last is None or day <= last)]
            assert len(here) == 1, "no day without, and none with two"


@given(DAYS, st.integers(-9, 9), st.integers(-9, 9), st.integers(0, 9))
def test_a_move_ends_a_placement_the_day_before_and_puts_off_no_end_that_was_told(
    today: date, begun: int, ahead: int, told: int
) -> None:
    begun_on, next_from, end_told = (today + timedelta(days=n) for n in (begun, ahead, told))
    last = plans.last_day(begun_on, next_from, today)
    assert last == (next_from - timedelta(days=1) if begun <= 0 < ahead else None)
    assert plans.last_day(begun_on, next_from, today, end_told) == (last and min(last, end_told))


@given(DAYS, DAYS, st.booleans(), st.booleans())
def test_an_end_told_ahead_leaves_the_placement_current_until_that_day_is_past(
    ends_on: date, today: date, ended: bool, told: bool
) -> None:
    current = plans.placement_current(ended, told, ends_on, today)
    assert current == (not ended and (not told or today <= ends_on))
