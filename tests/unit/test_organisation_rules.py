"""What may be said of an organisation: no circle of parents, no day without one, no name lost."""

from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from directory.organisation_rules import (
    Days,
    Names,
    days_problems,
    parent_problem,
    put_back,
    renamed,
)

TODAY = date(2026, 11, 24)
IDS = [UUID(int=number) for number in range(1, 7)]
NAMES = st.sampled_from(["Ash", "Birch", "Cedar", "Damson"])


@given(st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from([None, *IDS])), max_size=30))
def test_however_often_parents_change_nobody_is_above_themselves(
    wishes: list[tuple[UUID, UUID | None]],
) -> None:
    parents: dict[UUID, UUID | None] = dict.fromkeys(IDS)
    for one, parent in wishes:
        refused = parent_problem(one, parent, parents)
        above = set()
        up = parent
        while up is not None:
            above.add(up)
            up = parents[up]
        assert bool(refused) == (one in above)
        if not refused:
            parents[one] = parent
    assert parent_problem(IDS[0], IDS[0], parents) == "An organisation is no part of itself."


@given(st.lists(NAMES, min_size=1, max_size=8))
def test_every_name_it_had_is_its_name_or_a_former_one_once_with_its_day(names: list[str]) -> None:
    held = Names(names[0])
    for day, name in enumerate(names[1:]):
        held = renamed(held, name, TODAY + timedelta(day))
    assert held.name == names[-1]
    assert sorted({*held.former, held.name}) == sorted(set(names))
    assert len(held.former) == len(set(held.former))
    assert set(held.until or ()) == set(held.former)


@given(NAMES, NAMES)
def test_a_renaming_put_back_leaves_no_trace_in_the_names(name: str, mistake: str) -> None:
    held = Names(name, ("Elm",), {"Elm": "2020-04-01"})
    wrong = renamed(held, mistake, TODAY)
    assert put_back(wrong, mistake, name, TODAY) == held
    later = renamed(wrong, "Fir", TODAY)
    if mistake != name:
        assert put_back(later, mistake, name, TODAY).former == ("Elm", "Fir")


def test_it_ends_on_no_day_on_which_it_has_a_unit_or_district() -> None:
    was = Days("EXERCISE Group", date(2025, 4, 1), None)
    closing = Days("EXERCISE Group", was.valid_from, TODAY)
    going = Days("Ash", date(2025, 4, 1), None)
    gone = Days("Birch", date(2025, 4, 1), TODAY)
    never = Days("Cedar", TODAY + timedelta(9), TODAY + timedelta(9))
    assert days_problems(was, closing, [gone, never], [gone], TODAY) == {}
    assert "Ash" in days_problems(was, closing, [going], [], TODAY)["valid_to"]
    assert "districts" in days_problems(was, closing, [], [going], TODAY)["valid_to"]
    past = Days("", was.valid_from, TODAY - timedelta(1))
    assert set(days_problems(was, past, [], [], TODAY)) == {"valid_to"}
    assert days_problems(past, past, [], [], TODAY) == {}
    late = Days("", date(2026, 1, 1), None)
    assert "Ash" in days_problems(was, late, [going], [], TODAY)["valid_from"]
    backwards = Days("", TODAY, TODAY)
    assert set(days_problems(was, backwards, [], [], TODAY)) == {"valid_to"}
