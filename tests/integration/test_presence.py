"""A database that does not answer is waited for once, briefly; one that comes back is found."""

import socket
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from hub.db import Database
from hub.presence import BRIEF, CONNECT_SECONDS, AwayError


@pytest.fixture
def mute() -> Iterator[str]:
    """Return the address of a server that takes connections and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"postgresql://nobody@127.0.0.1:{listening.getsockname()[1]}/none"


def refused(database: Database, seconds: float | None = BRIEF) -> float:
    """Return how many seconds it takes to be told that the database is away."""
    began = time.monotonic()
    with pytest.raises(OperationalError), database.unit_of_work(seconds=seconds) as session:
        session.execute(text("SELECT 1"))
    return time.monotonic() - began


def test_the_first_waits_for_a_mute_database_and_nobody_after(mute: str) -> None:
    database = Database(mute)
    assert refused(database) >= CONNECT_SECONDS - 0.1
    assert database.away
    with pytest.raises(AwayError), database.unit_of_work():
        raise AssertionError("nothing is done without a database")
    assert refused(database) < 0.5
    database.dispose()


def test_a_statement_that_is_not_answered_in_time_ends_the_wait(database: Database) -> None:
    with pytest.raises(OperationalError), database.unit_of_work(seconds=0.3) as session:
        session.execute(text("SELECT pg_sleep(20)"))
    while database.away:
        time.sleep(0.01)
    with database.unit_of_work(seconds=BRIEF) as session:
        assert session.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize("statement", ["SELECT 1 / 0", "SET lock_timeout = 'nonsense'"])
def test_a_refusal_is_no_absence(database: Database, statement: str) -> None:
    with pytest.raises(DBAPIError), database.unit_of_work() as session:
        session.execute(text(statement))
    assert not database.away


def test_a_timeout_of_the_server_is_no_absence(database: Database) -> None:
    impatient = text("SELECT set_config('statement_timeout', '50ms', true)")
    with database.unit_of_work() as session:
        session.execute(impatient)
        with pytest.raises(OperationalError):
            session.execute(text("SELECT pg_sleep(5)"))
    assert not database.away
