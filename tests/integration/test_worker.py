"""Real workers over a real Redis: woken at once, replaced when killed, missed by no request."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

import hub.jobs
from hub.clock import utcnow
from hub.db import Database, new_id
from hub.jobs import broker, outbox, schedule
from hub.settings import Settings

WORKER = """
import os, time
from sqlalchemy import text
from hub.jobs import broker, outbox
from hub.settings import get_settings

def leave_mark(session, job):
    session.execute(
        text("INSERT INTO key_check (name, hmac) VALUES (:name, '')"),
        {"name": f"{job.id}/{job.attempts}"},
    )

@outbox.handler("test-quick")
def quick(session, job, now):
    assert outbox.settings_of(session).redis_url
    leave_mark(session, job)

@outbox.handler("test-hangs-once")
def hangs_once(session, job, now):
    leave_mark(session, job)
    if job.attempts == 1:
        open(os.environ["REACHED"], "w").close()
        time.sleep(60)

broker.install(get_settings())
"""


@pytest.fixture
def reached(tmp_path: Path) -> Path:
    """A file that a hanging handler makes."""
    return tmp_path / "reached"


@pytest.fixture
def start_worker(
    settings: Settings, tmp_path: Path, reached: Path
) -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    """Start a worker process, in a process group of its own that ends with the test."""
    (tmp_path / "worker_of_test.py").write_text(WORKER)
    root = Path(hub.jobs.__file__).parents[2]
    environment = os.environ | {
        "PYTHONPATH": f"{tmp_path}:{root}",
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "dramatiq_worker_timeout": "20",
        "REACHED": str(reached),
    }
    command = [
        sys.executable,
        "-m",
        "dramatiq",
        "worker_of_test",
        "--processes",
        "1",
        "--threads",
        "2",
    ]
    started: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            command,
            env=environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        _kill(process)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait(timeout=10)


@pytest.fixture
def installed(settings: Settings) -> Iterator[None]:
    """This process wakes workers as the web does."""
    broker.install(settings)
    yield
    outbox.wake_with(None)


def _enqueue(database: Database, kind: str) -> UUID:
    with database.unit_of_work() as session:
        job_id = outbox.enqueue(session, kind, new_id(), now=utcnow())
    assert job_id is not None
    return job_id


def _row(database: Database, job_id: UUID) -> Any:
    with database.unit_of_work() as session:
        return session.execute(
            text("SELECT * FROM outbox_job WHERE id = :id"), {"id": job_id}
        ).one()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_worker_does_a_job_on_waking(
    database: Database, installed: None, start_worker: Callable[[], object]
) -> None:
    job_id = _enqueue(database, "test-quick")
    start_worker()
    _until(lambda: _row(database, job_id).finished_at is not None)
    again = _enqueue(database, "test-quick")
    _until(lambda: _row(database, again).finished_at is not None)


def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(
    database: Database,
    installed: None,
    reached: Path,
    start_worker: Callable[[], "subprocess.Popen[bytes]"],
) -> None:
    job_id = _enqueue(database, "test-hangs-once")
    worker = start_worker()
    _until(reached.exists)
    _kill(worker)
    row = _row(database, job_id)
    assert (row.attempts, row.finished_at) == (1, None)
    # The lease's half minute passes here without waiting for it.
    with database.unit_of_work() as session:
        session.execute(text("UPDATE outbox_job SET lease_until = now(), woken_at = NULL"))
    start_worker()
    schedule.sweep(database, utcnow() + timedelta(seconds=1))
    _until(lambda: _row(database, job_id).finished_at is not None)
    with database.unit_of_work() as session:
        marks = session.scalars(text("SELECT name FROM key_check")).all()
    assert marks == [f"{job_id}/2"]


def test_a_dead_redis_fails_no_request_and_is_not_waited_for(
    database: Database, settings: Settings
) -> None:
    broker.install(settings.model_copy(update={"redis_url": "unix:///nonexistent/redis.sock?db=0"}))
    try:
        started = time.monotonic()
        for _ in range(20):
            assert _row(database, _enqueue(database, "test-quick")).finished_at is None
        assert time.monotonic() - started < 5
    finally:
        outbox.wake_with(None)
