"""What a contact point may be: numbers in national form, addresses checked, teams and not people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.contact_rules import (
    check_exceptions,
    check_hours,
    dialled,
    normalised,
    warnings,
)
from hub.errors import HubError

DRAMA = st.one_of(
    st.integers(0, 999).map(lambda n: f"0207946{n:04}"),
    st.integers(0, 999).map(lambda n: f"01632960{n:03}"),
    st.integers(0, 999).map(lambda n: f"0161496{n:04}"),
    st.integers(0, 999).map(lambda n: f"07700900{n:03}"),
)


@given(number=DRAMA, data=st.data())
def test_a_number_is_kept_in_one_form_however_it_is_written(
    number: str, data: st.DataObject
) -> None:
    gaps = data.draw(
        st.lists(st.sampled_from(["", " ", "-", "."]), min_size=len(number), max_size=len(number))
    )
    written = "".join(f"{digit}{gap}" for digit, gap in zip(number, gaps, strict=True))
    kept = normalised("telephone", written)
    assert kept.replace(" ", "") == number
    assert normalised("telephone", kept) == kept
    assert normalised("telephone", f"+44 {number[1:]}") == kept
    assert dialled(kept) == number


@pytest.mark.parametrize(
    ("channel", "written", "kept"),
    [
        ("telephone", "(020) 7946 0123", "020 7946 0123"),
        ("telephone", "101", "101"),
        ("telephone", "+353 1 234 5678", "+353 1 234 5678"),
        ("mobile", "+447700900123", "07700 900123"),
        ("email", " Team@Example.ORG ", "Team@example.org"),
        ("secure-email", "team@force.pnn.example.org", "team@force.pnn.example.org"),
        ("web", "https://example.org/missing", "https://example.org/missing"),
    ],
)
def test_a_value_is_kept_as_people_read_it(channel: str, written: str, kept: str) -> None:
    assert normalised(channel, written) == kept


@pytest.mark.parametrize(
    ("channel", "written"),
    [
        ("telephone", ""),
        ("telephone", "0207 946"),
        ("telephone", "020 7946 0123 or 0124"),
        ("telephone", "04632 960123"),
        ("telephone", "team@example.org"),
        ("mobile", "020 7946 0123"),
        ("email", "team at example.org"),
        ("email", "team@example"),
        ("web", "example.org"),
        ("web", "javascript:alert(1)"),
        ("web", "https://example"),
        ("web", "x" * 301),
    ],
)
def test_what_nobody_could_use_is_refused_at_its_field(channel: str, written: str) -> None:
    with pytest.raises(HubError) as refused:
        normalised(channel, written)
    assert refused.value.status == 422
    assert refused.value.fields[0].pointer == "/value"


def test_an_extension_is_dialled_after_the_number_and_not_as_part_of_it() -> None:
    kept = normalised("telephone", "020 7946 0123 ext 45")
    assert dialled(kept) == "02079460123;ext=45"


@pytest.mark.parametrize(
    "address",
    ["jane.smith@example.org", "j.smith2@example.org", "jsmith1234@example.org",
     "hubert.jones@example.org", "anna-roomes@example.org"],
)  # fmt: skip
def test_a_mailbox_that_looks_like_one_persons_draws_a_warning(address: str) -> None:
    assert "one person’s" in warnings("email", address)[0]


@pytest.mark.parametrize(
    "address",
    ["missing.children@example.org", "mash.duty@example.org", "edt@example.org",
     "kent.mash@example.org", "safeguarding@example.org", "press.office@example.org",
     "mfh.hub@example.org"],
)  # fmt: skip
def test_a_teams_mailbox_draws_none(address: str) -> None:
    assert warnings("secure-email", address) == []


@given(number=DRAMA)
def test_a_mobile_draws_a_warning_under_any_kind_and_no_other_number_does(number: str) -> None:
    kept = normalised("telephone", number)
    assert bool(warnings("telephone", kept)) == number.startswith("07")


@pytest.mark.parametrize(
    "span",
    [
        {"days": [], "opens": "08:00", "closes": "16:00"},
        {"days": [0], "opens": "08:00", "closes": "16:00"},
        {"days": [8], "opens": "08:00", "closes": "16:00"},
        {"days": [1], "opens": "8", "closes": "16:00"},
        {"days": [1], "opens": "24:00", "closes": "16:00"},
        {"days": [1], "opens": "08:00", "closes": "25:00"},
        {"days": [1], "opens": "08:00:30", "closes": "16:00"},
    ],
)
def test_hours_that_are_none_are_refused(span: dict[str, object]) -> None:
    with pytest.raises(HubError, match="hours"):
        check_hours([span])


def test_hours_across_midnight_and_several_a_day_are_good() -> None:
    check_hours(None)
    check_hours([
        {"days": [1, 2], "opens": "08:00", "closes": "12:00"},
        {"days": [1, 2], "opens": "13:00", "closes": "24:00"},
        {"days": [5], "opens": "22:00", "closes": "06:00"},
    ])  # fmt: skip
    check_exceptions([{"date": "2026-12-25", "spans": []}])


@pytest.mark.parametrize("day", [{}, {"date": "25 December"}, {"date": "2026-02-30"}])
def test_an_exception_has_a_real_date(day: dict[str, object]) -> None:
    with pytest.raises(HubError, match="exceptions"):
        check_exceptions([day])
