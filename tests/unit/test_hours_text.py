"""Hours as people write and read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.hours import Hours
from directory.hours_text import parse, parse_exceptions, say, write
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


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Mon-Fri 9 to 5", "09:00-17:00"),
        ("Mon-Fri 9:00 - 5:30", "09:00-17:30"),
        ("Sat 10-10", "10:00-22:00"),
        ("Sun 12-1", "12:00-13:00"),
        ("Mon 08:00-12:00, 12-6", "12:00-18:00"),
    ],
)
def test_an_afternoon_is_never_taken_for_the_next_morning(text: str, meant: str) -> None:
    with pytest.raises(HubError) as refused:
        parse(text)
    assert f"did you mean {meant}?" in refused.value.sentence
    with pytest.raises(HubError) as refused:
        parse_exceptions(f"2026-12-24 {text.partition(' ')[2]}")
    assert f"did you mean {meant}?" in refused.value.sentence
    assert refused.value.fields[0].pointer == "/exceptions"


@pytest.mark.parametrize(
    ("text", "opens", "closes"),
    [
        ("Mon 9am to 5pm", "09:00", "17:00"),
        ("Mon 9.30am-5.30 pm", "09:30", "17:30"),
        ("Mon 12am-12pm", "00:00", "12:00"),
        ("Mon 9am-5am", "09:00", "05:00"),
        ("Mon 09:00-05:00", "09:00", "05:00"),
        ("Mon 22 to 6", "22:00", "06:00"),
        ("Mon 8-0", "08:00", "00:00"),
        ("Mon 9-12", "09:00", "12:00"),
    ],
)
def test_what_can_mean_one_thing_alone_is_taken(text: str, opens: str, closes: str) -> None:
    assert parse(text) == [{"days": [1], "opens": opens, "closes": closes}]


def test_several_spans_a_day_and_across_midnight() -> None:
    assert parse("Sat,Sun 09:00-12:00, 22:00-06:00\nSun-Mon 1-2") == [
        {"days": [6, 7], "opens": "09:00", "closes": "12:00"},
        {"days": [6, 7], "opens": "22:00", "closes": "06:00"},
        {"days": [1, 7], "opens": "01:00", "closes": "02:00"},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "Mon",
        "Mon 25:00-26:00",
        "Mon 13pm-14pm",
        "Mon 0am-5pm",
        "Xyz 08:00-09:00",
        "08:00-09:00",
    ],
)
def test_what_cannot_be_read_is_named(text: str) -> None:
    with pytest.raises(HubError) as refused:
        parse(text)
    assert text.lower() in refused.value.sentence


def test_in_words() -> None:
    spans = [{"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "18:00"}]
    assert say(Hours(spans, "closed")) == (
        "Monday to Friday 08:00 to 18:00; closed on bank holidays"
    )
