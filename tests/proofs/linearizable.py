"""Whether a history of concurrent operations could have happened one at a time (Herlihy and Wing).

The search of Wing and Gong, with the memory of Lowe: at each step any operation may come next that
began before every operation not yet placed had ended; a set of operations placed, with the state that
they led to, is looked at once. An operation whose outcome nobody heard may come anywhere after it
began, or never.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

State = TypeVar("State", bound=Hashable)
Call = TypeVar("Call")
Outcome = TypeVar("Outcome")

NEVER = float("inf")


@dataclass(frozen=True)
class Operation(Generic[Call, Outcome]):
    """One call by one client: when it began and ended, in any one unit of time, and its outcome.

    Without an outcome nobody heard whether it took effect; it then never ended.
    """

    call: Call
    began: float
    ended: float
    outcome: Outcome | None


Step = Callable[[State, Call], tuple[State, Outcome]]
"""What the register would answer to a call in a state, and its state after it."""


def linearization(
    history: Sequence[Operation[Call, Outcome]], initial: State, step: Step[State, Call, Outcome]
) -> list[int] | None:
    """Return an order in which the calls would have had these outcomes, by index, or None.

    Calls that nobody heard of and that need not have taken effect are left out of it.
    """
    must = sum(1 << i for i, one in enumerate(history) if one.outcome is not None)
    seen: set[tuple[int, State]] = set()
    # Depth first, by hand: what was placed, the state, and the order that led there.
    todo: list[tuple[int, State, tuple[int, ...]]] = [(0, initial, ())]
    while todo:
        placed, state, order = todo.pop()
        if placed & must == must:
            return list(order)
        if (placed, state) in seen:
            continue
        seen.add((placed, state))
        following = list(_following(history, placed, state, step))
        # What changes nothing and fits now may as well come now: it stands in nobody's way.
        quiet = [one for one in following if one[1] == state]
        for index, after in quiet[:1] or following:
            todo.append((placed | 1 << index, after, (*order, index)))
    return None


def _following(
    history: Sequence[Operation[Call, Outcome]], placed: int, state: State,
    step: Step[State, Call, Outcome],
) -> Iterator[tuple[int, State]]:  # fmt: skip
    """Give each operation that may come next with the state after it."""
    waiting = [i for i in range(len(history)) if not placed >> i & 1]
    latest = min(history[i].ended for i in waiting)
    for i in waiting:
        one = history[i]
        if one.began > latest:
            continue
        after, outcome = step(state, one.call)
        if outcome == one.outcome or (one.outcome is None and after != state):
            yield i, after
