"""One scheduler leads: it ticks, the others wait, and one takes over when its connection dies."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.db import Database, new_id
from hub.errors import HubError
from hub.jobs import outbox, schedule
from hub.records import audit
from hub.records.keys import Keys


@pytest.fixture
def database_name(clone: Callable[[str], str], empty_template: str) -> str:
    """Return a database whose audit log is empty: seeding puts a record of its own."""
    return clone(empty_template)


HOLDER = """SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database =
    (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32 | objid::bigint) = %s"""


WAITING = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each scheduler ticked, by the name of its thread."""
    counted: Counter[str] = Counter()
    monkeypatch.setattr(schedule, "_ticks", {})
    monkeypatch.setattr(schedule, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(schedule, "PAUSE_SECONDS", 0.01)

    @schedule.tick("count", 0.02)
    def count(_session: Session, now: datetime) -> None:
        assert now.tzinfo is UTC
        counted[threading.current_thread().name] += 1

    return counted


@contextmanager
def _scheduler(name: str, url: str, keys: Keys) -> Iterator[threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=schedule.run, args=(url, stop, keys), name=name)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(timeout=10)
        assert not thread.is_alive()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_leads_and_another_takes_over(app_url: str, keys: Keys, ticks: Counter[str]) -> None:
    with _scheduler("first", app_url, keys) as stop_first:
        _until(lambda: ticks["first"] > 2)
        with _scheduler("second", app_url, keys):
            _until(lambda: ticks["first"] > 10)
            assert ticks["second"] == 0
            stop_first.set()
            _until(lambda: ticks["second"] > 2)


def test_a_leader_whose_connection_dies_stops_at_once(
    app_url: str, superuser_url: str, keys: Keys, ticks: Counter[str]
) -> None:
    with (
        _scheduler("only", app_url, keys),
        psycopg.connect(superuser_url, autocommit=True) as killer,
        psycopg.connect(superuser_url, autocommit=True) as rival,
    ):
        _until(lambda: ticks["only"] > 2)
        row = killer.execute(HOLDER, (schedule.LOCK,)).fetchone()
        assert row is not None
        queue = threading.Thread(
            target=rival.execute, args=("SELECT pg_advisory_lock(%s)", (schedule.LOCK,))
        )
        queue.start()  # first in the queue: the scheduler cannot lead again before we let it
        _until(lambda: bool(killer.execute(WAITING).fetchone()))
        killer.execute("SELECT pg_terminate_backend(%s, 5000)", row)
        queue.join()
        after = ticks["only"]
        threading.Event().wait(0.2)
        assert ticks["only"] <= after + 1, "a tick under way may end, no further one begins"
        rival.execute("SELECT pg_advisory_unlock(%s)", (schedule.LOCK,))
        _until(lambda: ticks["only"] > after + 1)


def test_a_failing_tick_stops_no_other(app_url: str, keys: Keys, ticks: Counter[str]) -> None:
    @schedule.tick("fails", 0.01)
    def fail(_session: Session, _now: datetime) -> None:
        raise ZeroDivisionError

    with _scheduler("only", app_url, keys):
        _until(lambda: ticks["only"] > 5)


def test_records_are_sealed_and_jobs_done_by_the_schedule(
    database: Database,
    app_url: str,
    keys: Keys,
    ticks: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox, "_handlers", {})
    monkeypatch.setattr(outbox, "_waker", None)  # no worker to wake: the sweep does it
    outbox.handler("test")(lambda _session, _job, _now: None)
    now = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
    with database.unit_of_work() as session:
        audit.record(session, audit.SYSTEM, "case.opened", now=now)
        outbox.enqueue(session, "test", new_id(), now=now)

    def count(statement: str) -> int:
        with database.unit_of_work() as session:
            return session.scalar(text(statement)) or 0

    with _scheduler("only", app_url, keys):
        _until(lambda: count("SELECT count(*) FROM audit_seal") == 1)
        _until(lambda: count("SELECT count(*) FROM outbox_job WHERE finished_at IS NOT NULL") == 1)


def test_a_scheduler_without_a_database_waits(keys: Keys, ticks: Counter[str]) -> None:
    with _scheduler("only", "postgresql:///?host=/nonexistent", keys) as stop:
        stop.wait(0.2)
    assert not ticks


def test_a_scheduler_with_other_keys_seals_nothing(
    database: Database,
    app_url: str,
    keys: Keys,
    ticks: Counter[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with database.unit_of_work() as session:
        keys.check(session)
    other = Keys.load(tmp_path_factory.mktemp("other") / "keys", create=True)
    with pytest.raises(HubError) as caught:
        schedule.run(app_url, threading.Event(), other)
    assert caught.value.code == "key-wrong"
    assert not ticks
