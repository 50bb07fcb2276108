"""A contact is open when its hours say so: nights, clock changes, bank holidays, exceptions."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.hours import Hours, bank_holidays, is_open, opens_at
from hub.clock import LONDON

WEEKDAYS: list[dict[str, Any]] = [{"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "16:00"}]
NIGHTS: list[dict[str, Any]] = [{"days": [5, 6], "opens": "22:00", "closes": "06:00"}]

moments = st.datetimes(
    min_value=datetime.fromisoformat("2020-01-01"),
    max_value=datetime.fromisoformat("2035-12-01"),
    timezones=st.just(UTC),
)


def london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


@given(moments)
def test_without_hours_it_is_always_open(at: datetime) -> None:
    assert is_open(Hours(), at)
    assert opens_at(Hours(), at) == at


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-23T07:59:59", False),
        ("2026-11-23T08:00:00", True),
        ("2026-11-23T15:59:59", True),
        ("2026-11-23T16:00:00", False),
        ("2026-11-22T12:00:00", False),
    ],
)
def test_a_weekday_span_holds_its_opening_and_not_its_closing_moment(
    at: str, expected: bool
) -> None:
    assert is_open(Hours(WEEKDAYS), london(at)) is expected


def test_a_closed_contact_says_when_it_opens() -> None:
    friday_evening = london("2026-11-20T18:00:00")
    assert opens_at(Hours(WEEKDAYS), friday_evening) == london("2026-11-23T08:00:00")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-20T21:59:00", False),
        ("2026-11-20T23:30:00", True),
        ("2026-11-21T05:59:00", True),
        ("2026-11-21T06:00:00", False),
        ("2026-11-22T03:00:00", True),  # the night from Saturday
        ("2026-11-23T03:00:00", False),  # none from Sunday
    ],
)
def test_a_night_runs_past_midnight_and_belongs_to_the_day_it_begins(
    at: str, expected: bool
) -> None:
    assert is_open(Hours(NIGHTS), london(at)) is expected


def test_midnight_closes_a_day_and_equal_times_are_a_whole_day() -> None:
    evening = Hours([{"days": [1], "opens": "18:00", "closes": "24:00"}])
    assert is_open(evening, london("2026-11-23T23:59:59"))
    assert not is_open(evening, london("2026-11-24T00:00:00"))
    whole = Hours([{"days": [1], "opens": "07:00", "closes": "07:00"}])
    assert is_open(whole, london("2026-11-24T06:59:59"))
    assert not is_open(whole, london("2026-11-24T07:00:00"))


@pytest.mark.parametrize(
    ("day", "opens"),
    [("2026-03-27", "08:00"), ("2026-03-30", "07:00"), ("2026-10-23", "07:00"),
     ("2026-10-26", "08:00")],
)  # fmt: skip
def test_hours_are_by_the_clock_on_the_wall(day: str, opens: str) -> None:
    first = datetime.fromisoformat(f"{day}T{opens}:00+00:00")
    assert is_open(Hours(WEEKDAYS), first)
    assert not is_open(Hours(WEEKDAYS), first - timedelta(seconds=1))


def test_the_night_of_a_clock_change_is_an_hour_shorter_or_longer() -> None:
    night = Hours([{"days": [6], "opens": "22:00", "closes": "06:00"}])

    def length(evening: str) -> timedelta:
        at = london(evening)
        return sum(
            (
                timedelta(minutes=30)
                for n in range(24)
                if is_open(night, at + n * timedelta(minutes=30))
            ),
            timedelta(),
        )

    assert length("2026-03-28T22:00:00") == timedelta(hours=7)
    assert length("2026-10-24T22:00:00") == timedelta(hours=9)
    assert length("2026-11-21T22:00:00") == timedelta(hours=8)


def test_bank_holidays_are_those_of_the_nation() -> None:
    """Source: gov.uk/bank-holidays; Boxing Day 2026 is a Saturday, kept on Monday the 28th."""
    expected = {
        date(2026, 1, 1), date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 4),
        date(2026, 5, 25), date(2026, 8, 31), date(2026, 12, 25), date(2026, 12, 28),
    }  # fmt: skip
    for nation in ("England", "Wales"):
        assert expected <= bank_holidays(nation, 2026)
        assert date(2026, 11, 30) not in bank_holidays(nation, 2026)  # Saint Andrew's Day
    assert date(2026, 11, 30) in bank_holidays("Scotland", 2026)
    assert date(2026, 4, 6) not in bank_holidays("Scotland", 2026)
    assert date(2026, 7, 13) in bank_holidays("Northern Ireland", 2026)


@pytest.mark.parametrize("nation", ["England", "Wales"])
@pytest.mark.parametrize(
    ("rule", "expected"), [("as-weekday", True), ("as-sunday", False), ("closed", False)]
)
def test_a_bank_holiday_follows_the_contacts_rule(nation: str, rule: str, expected: bool) -> None:
    easter_monday = london("2026-04-06T10:00:00")
    assert is_open(Hours(WEEKDAYS, rule), easter_monday, nation) is expected


def test_a_bank_holiday_as_sunday_has_sundays_hours() -> None:
    hours = Hours([*WEEKDAYS, {"days": [7], "opens": "10:00", "closes": "12:00"}], "as-sunday")
    assert is_open(hours, london("2026-12-25T11:00:00"))
    assert not is_open(hours, london("2026-12-25T09:00:00"))


def test_a_dated_exception_goes_before_everything_else() -> None:
    hours = Hours(
        WEEKDAYS,
        "closed",
        [
            {"date": "2026-12-24", "spans": [{"opens": "08:00", "closes": "12:00"}]},
            {"date": "2026-12-25", "spans": [{"opens": "09:00", "closes": "10:00"}]},
            {"date": "2026-12-29", "spans": []},
        ],
    )
    assert not is_open(hours, london("2026-12-24T12:00:00"))
    assert is_open(hours, london("2026-12-25T09:30:00"))
    assert opens_at(hours, london("2026-12-25T11:00:00")) == london("2026-12-30T08:00:00")


def test_an_exception_closes_even_what_is_always_open() -> None:
    hours = Hours(None, exceptions=[{"date": "2026-12-24", "spans": []}])
    assert not is_open(hours, london("2026-12-24T00:00:00"))
    assert opens_at(hours, london("2026-12-24T12:00:00")) == london("2026-12-25T00:00:00")


def test_what_never_opens_says_so() -> None:
    assert opens_at(Hours([]), london("2026-11-23T12:00:00")) is None


clocks = st.builds(
    "{:02d}:{:02d}".format, st.integers(min_value=0, max_value=23), st.sampled_from([0, 15, 30])
)
spans = st.lists(
    st.fixed_dictionaries(
        {
            "days": st.lists(st.integers(min_value=1, max_value=7), min_size=1, unique=True),
            "opens": clocks,
            "closes": clocks,
        }
    ),
    max_size=4,
)


@given(spans, moments, st.sampled_from(["as-weekday", "as-sunday", "closed"]))
def test_it_is_open_at_the_moment_it_says_it_opens_and_not_just_before(
    weekly: list[dict[str, Any]], at: datetime, rule: str
) -> None:
    hours = Hours(weekly, rule)
    opens = opens_at(hours, at)
    if opens is None:
        assert not is_open(hours, at)
        return
    assert opens >= at
    assert is_open(hours, opens)
    if opens > at:
        assert not is_open(hours, opens - timedelta(microseconds=1))
