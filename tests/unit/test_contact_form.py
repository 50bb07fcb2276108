"""The form of a contact: read back as it is shown, and two editors' versions laid side by side."""

from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given
from hypothesis import strategies as st

from directory.hours_text import parse_exceptions as exceptions
from directory.pages.contact_form import BLANK, FIELDS, as_typed, compared, read
from hub.errors import HubError

CLOCK = st.integers(0, 24 * 4 - 1).map(lambda n: f"{n // 4:02}:{n % 4 * 15:02}")
SPAN = st.fixed_dictionaries({"opens": CLOCK, "closes": CLOCK})
ROW = st.fixed_dictionaries({
    "purpose": st.sampled_from(["missing-children-team", "edt", "mash"]),
    "channel": st.just("telephone"),
    "value": st.sampled_from(["020 7946 0123", "01632 960001"]),
    "audience": st.sampled_from(["public", "professional", "police"]),
    "priority": st.integers(1, 999),
    "hours": st.none() | st.lists(
        st.builds(
            lambda days, span: {"days": sorted(days), **span},
            st.sets(st.integers(1, 7), min_size=1), SPAN,
        ), min_size=1, max_size=4,
    ),
    "bank_holiday_rule": st.sampled_from(["as-weekday", "as-sunday", "closed"]),
    "exceptions": st.lists(
        st.builds(
            lambda day, spans: {"date": day.isoformat(), "spans": spans},
            st.dates(), st.lists(SPAN, max_size=2),
        ), max_size=3,
    ),
    "note": st.none() | st.sampled_from(["ask for the duty sergeant"]),
})  # fmt: skip


@pytest.fixture(scope="module")
def app() -> Flask:
    app = Flask("test")
    Babel(app)
    return app


@given(row=ROW)
def test_what_a_form_shows_is_read_back_as_it_was(app: Flask, row: dict[str, Any]) -> None:
    with app.test_request_context():
        found, problems = read(as_typed(row))
    assert problems == {}
    assert found is not None
    assert found.columns() == row


def test_every_field_that_cannot_be_read_has_its_own_sentence(app: Flask) -> None:
    with app.test_request_context():
        found, problems = read({
            **BLANK, "value": "0207", "priority": "many", "hours": "when we can",
            "exceptions": "Christmas", "purpose": "gossip", "note": "x" * 301,
        })  # fmt: skip
    assert found is None
    assert problems.keys() == {"hours", "exceptions", "purpose", "priority", "note"}
    with app.test_request_context():
        assert read({**BLANK, "value": "0207"})[1].keys() == {"value"}


def test_dates_of_other_days_may_be_written_as_people_do() -> None:
    assert exceptions("24/12/2026 09:00-12:00\r\n2026-12-25 closed\n") == [
        {"date": "2026-12-24", "spans": [{"opens": "09:00", "closes": "12:00"}]},
        {"date": "2026-12-25", "spans": []},
    ]
    with pytest.raises(HubError, match="exceptions"):
        exceptions("2026-12-25 in the morning")


VERSION = st.fixed_dictionaries({name: st.sampled_from("abc") for name in FIELDS})


@given(was=VERSION, theirs=VERSION, mine=VERSION)
def test_two_versions_keep_what_each_changed_and_show_where_they_differ(
    was: dict[str, str], theirs: dict[str, str], mine: dict[str, str]
) -> None:
    differences, together = compared(was, theirs, mine)
    assert {one.name for one in differences} == {n for n in FIELDS if mine[n] != theirs[n]}
    for name in FIELDS:
        assert together[name] == (theirs[name] if mine[name] == was[name] else mine[name])
