"""How far to trust a contact, and when enough readers of enough organisations lower it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from directory.hours import Hours
from directory.snapshot import Contact, Problem
from directory.standing import standing

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
CONTACT = Contact(
    UUID(int=1), UUID(int=2), "missing-children-team", "telephone", "01632 960001", "public", 100,
    Hours(), None, "actual", "the test", "2026-11-01", "verified", AT - timedelta(days=89),
    "EXERCISE", due_at=AT + timedelta(days=1),
)  # fmt: skip

PROBLEMS = st.lists(
    st.builds(
        lambda hours, person: Problem(
            "rang-out", AT - timedelta(hours=hours), UUID(int=person), UUID(int=person % 3)
        ),
        st.integers(0, 24 * 20),
        st.integers(1, 9),
    ),
    max_size=9,
).map(tuple)


@given(problems=PROBLEMS)
def test_three_people_of_two_organisations_within_seven_days_lower_it(
    problems: tuple[Problem, ...],
) -> None:
    enough = any(
        len({one.person_id for one in three}) == 3
        and len({one.organisation_id for one in three}) >= 2
        and max(one.at for one in three) - min(one.at for one in three) <= timedelta(days=7)
        for three in combinations(problems, 3)
    )
    found = standing(replace(CONTACT, problems=problems), AT)
    assert found.lowered is enough
    assert found.sure is not enough
    assert found.reports == len({one.person_id for one in problems})


@given(problems=PROBLEMS, later=st.integers(0, 100))
def test_what_is_lowered_stays_so_until_it_is_answered(
    problems: tuple[Problem, ...], later: int
) -> None:
    reported = replace(CONTACT, problems=problems)
    if standing(reported, AT).lowered:
        assert standing(reported, AT + timedelta(days=later)).lowered
    assert not standing(replace(reported, problems=()), AT).lowered


def test_a_moment_before_the_reports_knows_nothing_of_them() -> None:
    reported = replace(CONTACT, problems=(Problem("other", AT, UUID(int=1), UUID(int=1)),))
    assert standing(reported, AT - timedelta(seconds=1)).reports == 0
    assert standing(reported, AT).words("it") == [
        "1 person has reported it as wrong since Wednesday 25 November."
    ]


def test_it_is_overdue_after_its_day_and_not_on_it() -> None:
    assert CONTACT.due_at is not None
    assert not standing(CONTACT, CONTACT.due_at).overdue
    late = standing(CONTACT, CONTACT.due_at + timedelta(seconds=1))
    assert late.overdue
    assert late.sure
    assert late.words("it") == ["it is overdue for verification."]


def test_each_doubt_is_said_in_words() -> None:
    suggested = replace(CONTACT, verification="suggested", verified_at=None, due_at=None)
    assert standing(suggested, AT).words("it") == ["it is suggested, unverified."]
    unverified = replace(suggested, verification="unverified", bounced_at=AT)
    assert standing(unverified, AT).words("it") == ["it is unverified.", "Mail to it came back."]
    assert standing(CONTACT, AT).words("it") == []
