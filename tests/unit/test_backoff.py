"""A failed job is tried again ever later, an hour apart at most."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.jobs.outbox import FIRST_RETRY, LONGEST_RETRY, backoff


@given(st.integers(min_value=1, max_value=10**6), st.floats(min_value=0, max_value=1))
def test_waits_stay_within_an_hour_and_above_none(attempts: int, jitter: float) -> None:
    assert FIRST_RETRY / 2 <= backoff(attempts, jitter) <= LONGEST_RETRY


def test_waits_double_until_the_hour() -> None:
    waits = [backoff(attempts, 1.0) for attempts in range(1, 14)]
    assert waits[:3] == [timedelta(seconds=2), timedelta(seconds=4), timedelta(seconds=8)]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_RETRY
