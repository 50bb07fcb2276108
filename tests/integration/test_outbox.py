"""Jobs: written with their cause, done once, tried again after any failure, never lost."""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.db import Database, new_id
from hub.errors import HubError, unavailable
from hub.jobs import outbox, schedule
from hub.jobs.outbox import LEASE, WAKE_AGAIN, Job

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)

Run = Callable[[Session, Job, datetime], None]


@pytest.fixture
def woken() -> Iterator[list[UUID]]:
    """The ids that workers were woken for."""
    ids: list[UUID] = []

    def wake(job_ids: Sequence[UUID]) -> bool:
        ids.extend(job_ids)
        return True

    outbox.wake_with(wake)
    yield ids
    outbox.wake_with(None)


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> Callable[[Run], str]:
    """Registers a handler for the test alone."""
    monkeypatch.setattr(outbox, "_handlers", {})

    def register(run: Run) -> str:
        outbox.handler("test")(run)
        return "test"

    return register


def _enqueue(database: Database, name: str = "test", **more: Any) -> UUID:
    with database.unit_of_work() as session:
        job_id = outbox.enqueue(session, name, new_id(), now=NOW, **more)
    assert job_id is not None
    return job_id


def _row(database: Database, job_id: UUID) -> Any:
    with database.unit_of_work() as session:
        return session.execute(
            text("SELECT * FROM outbox_job WHERE id = :id"), {"id": job_id}
        ).one()


def _effect(session: Session, job: Job, now: datetime) -> None:
    """Leave a mark in the database, in a table that any text fits in."""
    session.execute(
        text("INSERT INTO key_check (name, hmac) VALUES (:name, '')"),
        {"name": f"{job.id}/{job.attempts}"},
    )


def _effects(database: Database) -> int:
    with database.unit_of_work() as session:
        return session.scalar(text("SELECT count(*) FROM key_check")) or 0


def test_workers_are_woken_after_the_commit_with_the_id_alone(
    database: Database, woken: list[UUID]
) -> None:
    with database.unit_of_work() as session:
        with session.begin_nested():
            job_id = outbox.enqueue(session, "test", new_id(), now=NOW)
        assert woken == []
        later = outbox.enqueue(session, "test", new_id(), now=NOW, run_at=NOW + SECOND)
        assert later is not None
    assert woken == [job_id]


def test_a_rolled_back_cause_leaves_no_job_and_wakes_no_one(
    database: Database, woken: list[UUID]
) -> None:
    with database.unit_of_work() as session:
        outbox.enqueue(session, "test", new_id(), now=NOW)
        session.rollback()
    with database.unit_of_work() as session:
        assert session.scalar(text("SELECT count(*) FROM outbox_job")) == 0
    assert woken == []


def test_one_job_for_one_dedupe_key_for_ever(
    database: Database, kind: Callable[[Run], str]
) -> None:
    job_id = _enqueue(database, kind(_effect), dedupe_key="nudge/1")
    assert outbox.drive(database, job_id, NOW)
    with database.unit_of_work() as session:
        assert outbox.enqueue(session, "test", new_id(), now=NOW, dedupe_key="nudge/1") is None


def test_a_job_is_done_once(database: Database, kind: Callable[[Run], str]) -> None:
    job_id = _enqueue(database, kind(_effect))
    assert outbox.drive(database, job_id, NOW)
    assert not outbox.drive(database, job_id, NOW + LEASE * 2)
    assert _effects(database) == 1
    row = _row(database, job_id)
    assert (row.finished_at, row.attempts, row.lease_until) == (NOW, 1, None)


def test_of_many_workers_one_does_the_job(database: Database, kind: Callable[[Run], str]) -> None:
    job_id = _enqueue(database, kind(_effect))
    barrier = threading.Barrier(8)
    done: list[bool] = []

    def work() -> None:
        barrier.wait()
        done.append(outbox.drive(database, job_id, NOW))

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(done) == [False] * 7 + [True]
    assert _effects(database) == 1


def test_a_failure_undoes_the_effect_and_is_tried_again_later(
    database: Database, kind: Callable[[Run], str]
) -> None:
    def fail_twice(session: Session, job: Job, now: datetime) -> None:
        _effect(session, job, now)
        if job.attempts == 1:
            raise unavailable("mail-server-away", "The mail server cannot be reached.")
        if job.attempts == 2:
            raise ZeroDivisionError("Alex Example")

    job_id = _enqueue(database, kind(fail_twice))
    assert not outbox.drive(database, job_id, NOW)
    row = _row(database, job_id)
    assert (row.attempts, row.last_error_code, row.lease_until) == (1, "mail-server-away", None)
    assert NOW + SECOND <= row.run_at <= NOW + 2 * SECOND
    assert not outbox.drive(database, job_id, NOW), "it is not due yet"
    again = row.run_at
    assert not outbox.drive(database, job_id, again)
    row = _row(database, job_id)
    assert (row.attempts, row.last_error_code) == (2, "ZeroDivisionError")
    assert _effects(database) == 0
    assert outbox.drive(database, job_id, row.run_at)
    row = _row(database, job_id)
    assert (row.attempts, row.last_error_code, row.finished_at is not None) == (3, None, True)
    assert _effects(database) == 1


def test_a_kind_that_no_one_does_waits(database: Database, kind: Callable[[Run], str]) -> None:
    job_id = _enqueue(database, "unknown")
    assert not outbox.drive(database, job_id, NOW)
    assert _row(database, job_id).last_error_code == "no-handler"


class _Killed(BaseException):
    """The worker dies: nothing it would do afterwards happens."""


def test_a_killed_workers_job_is_taken_over_when_its_lease_lapses(
    database: Database, kind: Callable[[Run], str]
) -> None:
    def die_once(session: Session, job: Job, now: datetime) -> None:
        _effect(session, job, now)
        if job.attempts == 1:
            raise _Killed

    job_id = _enqueue(database, kind(die_once))
    with pytest.raises(_Killed):
        outbox.drive(database, job_id, NOW)
    assert not outbox.drive(database, job_id, NOW + LEASE - SECOND)
    assert outbox.drive(database, job_id, NOW + LEASE)
    assert _effects(database) == 1
    assert _row(database, job_id).attempts == 2


def test_a_slow_worker_is_not_overtaken_while_it_lives(
    database: Database, kind: Callable[[Run], str]
) -> None:
    inside: list[bool] = []

    def slow(session: Session, job: Job, now: datetime) -> None:
        _effect(session, job, now)
        inside.append(outbox.drive(database, job.id, NOW + LEASE * 2))

    job_id = _enqueue(database, kind(slow))
    assert outbox.drive(database, job_id, NOW)
    assert inside == [False]
    assert _effects(database) == 1


def test_a_worker_that_lost_its_lease_has_no_effect(
    database: Database, kind: Callable[[Run], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = _enqueue(database, kind(_effect))
    with database.unit_of_work() as session:
        late = outbox._claim(session, job_id, NOW)
    assert late is not None
    assert outbox.drive(database, job_id, NOW + LEASE)
    with database.unit_of_work() as session:
        assert not outbox._still_mine(session, late)
        outbox._put_back(session, late, NOW, HubError("late", 500, "Late."))
    assert _row(database, job_id).finished_at == NOW + LEASE


def test_the_sweep_finds_what_no_one_took(
    database: Database, kind: Callable[[Run], str], woken: list[UUID]
) -> None:
    job_id = _enqueue(database, kind(_effect))
    future = _enqueue(database, run_at=NOW + timedelta(hours=1))
    woken.clear()  # as though Redis had been flushed
    schedule.sweep(database, NOW)
    assert woken == [], "it was woken a moment ago"
    schedule.sweep(database, NOW + WAKE_AGAIN)
    schedule.sweep(database, NOW + WAKE_AGAIN + SECOND)
    assert woken == [job_id]
    woken.clear()
    with database.unit_of_work() as session:
        assert outbox._claim(session, job_id, NOW + WAKE_AGAIN) is not None
    schedule.sweep(database, NOW + WAKE_AGAIN * 2)
    assert woken == [], "someone is at it"
    schedule.sweep(database, NOW + WAKE_AGAIN + LEASE)
    assert woken == [job_id], "its lease lapsed"
    woken.clear()
    schedule.sweep(database, NOW + timedelta(hours=1))
    assert sorted(woken) == sorted([job_id, future])


def test_without_redis_the_sweep_does_the_jobs_itself(
    database: Database, kind: Callable[[Run], str]
) -> None:
    outbox.wake_with(lambda _ids: False)
    try:
        job_id = _enqueue(database, kind(_effect))
        schedule.sweep(database, NOW + WAKE_AGAIN)
    finally:
        outbox.wake_with(None)
    assert _row(database, job_id).finished_at == NOW + WAKE_AGAIN


def test_a_kind_has_one_handler(kind: Callable[[Run], str]) -> None:
    kind(_effect)
    with pytest.raises(ValueError, match="already"):
        kind(lambda _session, _job, _now: None)
