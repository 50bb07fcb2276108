"""Associated data is unambiguous: no two tuples are bound alike."""

from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from hub.records.vault import bind

SUBJECT = UUID(int=1)
TUPLES = st.lists(st.text(alphabet="ab\0|,", max_size=4), max_size=4).map(tuple)


@given(TUPLES, TUPLES)
@example(("ab",), ("a", "b"))
@example(("a", ""), ("", "a"))
@example((), ("",))
def test_two_tuples_are_bound_alike_only_when_they_are_the_same(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    assert (bind(SUBJECT, one) == bind(SUBJECT, other)) == (one == other)


def test_the_subject_is_bound() -> None:
    assert bind(SUBJECT, ("a",)) != bind(UUID(int=2), ("a",))
