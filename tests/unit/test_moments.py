"""A time that London's clocks show twice is asked about, never guessed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.web import moments
from hub.web.forms import fields_of
from hub.web.typed import parse, typed_from
from messaging.contracts import CONTRACTS

CALL = CONTRACTS["telephone-record"]
BACK = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@given(st.integers(0, 2 * 366 * 24 * 4))
def test_every_moment_comes_back_as_it_was_shown(quarters: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * quarters)
    shown = moments.parts(at)
    assert moments.read("x", shown["date"], shown["time"], shown.get("zone", "")) == at


@pytest.mark.parametrize("zone", ["", "CET"])
def test_a_time_that_came_twice_is_asked_about(zone: str) -> None:
    typed = {"called_at-date": "2026-10-25", "called_at-time": "0130", "called_at-zone": zone,
             "outcome": "told-to-wait", "with_name": "EXERCISE"}  # fmt: skip
    parsed = parse(CALL, typed)
    assert "choose which" in parsed.problems["called_at"]
    (asked,) = [one for one in fields_of(CALL, parsed.values) if one.name == "called_at"]
    assert asked.comes_twice
    for name, at in (("BST", BACK), ("GMT", BACK + timedelta(hours=1))):
        told = parse(CALL, {**typed, "called_at-zone": name})
        assert told.problems == {}
        assert told.instance is not None
        assert told.instance.model_dump()["called_at"] == at
    assert typed_from({"called_at": BACK.isoformat()})["called_at-zone"] == "BST"


def test_a_time_that_did_not_happen_is_refused_and_any_other_needs_no_zone() -> None:
    with pytest.raises(ValueError, match="did not happen"):
        moments.read("x", "2026-03-29", "01:30", "")
    assert moments.read("x", "2026-06-01", "9:30", "") == datetime(2026, 6, 1, 8, 30, tzinfo=UTC)
    assert not moments.comes_twice("2026-10-25", "02:00")
    assert not moments.comes_twice("tomorrow", "")
