"""Hours as people write and read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.hours import Hours
from directory.hours_text import parse, say, write
from hub.errors import HubError

TIMES = st.integers(0, 24 * 60 - 1).map(lambda m: f"{m // 60:02}:{m % 60:02}")
SPANS = st.lists(
    st.fixed_dictionaries({
        "days": st.sets(st.integers(1, 7), min_size=1).map(sorted),
        "opens": TIMES,
        "closes": TIMES | st.just("24:00"),
    }),
    min_size=1,
    max_size=5,
)  # fmt: skip


@given(SPANS)
def test_what_is_written_reads_as_it_was(spans: list[dict[str, object]]) -> None:
    assert parse(write(spans)) == spans


def test_nothing_is_always() -> None:
    assert write(None) == ""
    assert parse("") is parse(" Always ") is None
    assert say(Hours()) == "at all times"


@pytest.mark.parametrize(
    "text",
    [
        "Mon-Fri 08:00-18:00",
        "monday to friday 8 to 18",
        "Mon – Fri: 0800 – 1800",
        "MON-FRI 8:00-18",
    ],
)
def test_people_write_it_in_their_ways(text: str) -> None:
    assert parse(text) == [{"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "18:00"}]


def test_several_spans_a_day_and_across_midnight() -> None:
    assert parse("Sat,Sun 09:00-12:00, 22:00-06:00\nSun-Mon 1-2") == [
        {"days": [6, 7], "opens": "09:00", "closes": "12:00"},
        {"days": [6, 7], "opens": "22:00", "closes": "06:00"},
        {"days": [1, 7], "opens": "01:00", "closes": "02:00"},
    ]


@pytest.mark.parametrize("text", ["x", "Mon", "Mon 25:00-26:00", "Xyz 08:00-09:00", "08:00-09:00"])
def test_what_cannot_be_read_is_named(text: str) -> None:
    with pytest.raises(HubError) as refused:
        parse(text)
    assert text.lower() in refused.value.sentence


def test_in_words() -> None:
    spans = [{"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "18:00"}]
    assert say(Hours(spans, "closed")) == (
        "Monday to Friday 08:00 to 18:00; closed on bank holidays"
    )
