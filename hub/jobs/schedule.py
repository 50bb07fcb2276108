"""Periodic work, done by the one leading scheduler of however many run.

The leader holds an advisory lock on a connection of its own, in autocommit and outside any pool;
the others ask for it each second. A leader whose connection died does no further tick.
"""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hub.clock import utcnow
from hub.db import Database
from hub.jobs import outbox
from hub.logs import get_logger
from hub.records import audit
from hub.records.keys import Keys

log = get_logger(__name__)

LOCK = 0x4D43_4855_4200_0003  # "MCHUB", schedule
RETRY_SECONDS = 1.0
PAUSE_SECONDS = 0.1
SWEEP_SECONDS = 1.0
SEAL_SECONDS = 2.0
INLINE_SECONDS = 0.8  # how long one sweep does jobs itself while Redis is away

TickFunction = Callable[[Session, datetime], None]
_ticks: dict[str, "_Tick"] = {}


@dataclass
class _Tick:
    name: str
    every_seconds: float
    work: Callable[[Database, datetime], None]
    due_at: float = 0.0


def tick(name: str, every_seconds: float) -> Callable[[TickFunction], TickFunction]:
    """Register a function that the leader calls about every so many seconds.

    It gets a session of its own, committed at its end, and now. Two leaders may overlap for a
    moment, so it must be safe to run twice; it does a bounded amount of work in the database, and
    leaves anything slow (mail, call-backs) to a job.
    """

    def register(function: TickFunction) -> TickFunction:
        if name in _ticks:
            raise ValueError(f"there is a tick {name} already")

        def work(database: Database, now: datetime) -> None:
            with database.unit_of_work() as session:
                function(session, now)

        _ticks[name] = _Tick(name, every_seconds, work)
        return function

    return register


def run(database_url: str, stop: threading.Event, keys: Keys) -> None:
    """Run the schedule until `stop` is set: lead when the lock is free, else wait for it.

    Raises:
        HubError: the keys are not this database's: sealing under them would break the chain.
    """
    database = Database(database_url, pool_size=4)
    ticks = [
        _Tick("outbox-sweep", SWEEP_SECONDS, sweep),
        _Tick("audit-sealing", SEAL_SECONDS, lambda database, _now: seal_all(database, keys)),
        *(_Tick(tick.name, tick.every_seconds, tick.work) for tick in _ticks.values()),
    ]
    try:
        while not stop.is_set():
            leadership = _lead(database_url)
            if leadership is None:
                stop.wait(RETRY_SECONDS)
                continue
            with closing(leadership):
                checked = _keys_checked(database, keys)
                if checked:
                    log.info("scheduler-leads")
                    _lead_until_lost(leadership, database, ticks, stop)
            if not checked:
                stop.wait(RETRY_SECONDS)
    finally:
        database.dispose()


def sweep(database: Database, now: datetime) -> None:
    """Wake workers for due jobs that no one took; while Redis is away, do some of them here."""
    with database.unit_of_work() as session:
        job_ids = outbox.due(session, now)
    if not job_ids or outbox.wake(job_ids):
        return
    until = time.monotonic() + INLINE_SECONDS
    for job_id in job_ids:
        if time.monotonic() > until:
            break
        outbox.drive(database, job_id, now)


def seal_all(database: Database, keys: Keys) -> None:
    """Seal every audit record that can be sealed now, in batches."""
    while True:
        with database.unit_of_work() as session:
            sealed = audit.seal(session, keys)
        if sealed < audit.BATCH:
            return


def _lead(database_url: str) -> "psycopg.Connection[tuple[bool]] | None":
    """Return a connection that holds the leader's lock, or None."""
    try:
        connection = psycopg.connect(
            database_url,
            autocommit=True,
            connect_timeout=5,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            tcp_user_timeout=10_000,
        )
    except psycopg.Error:
        log.warning("scheduler-without-database", exc_info=True)
        return None
    try:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
        if row is not None and row[0]:
            return connection
    except psycopg.Error:
        log.warning("scheduler-without-database", exc_info=True)
    connection.close()
    return None


def _keys_checked(database: Database, keys: Keys) -> bool:
    try:
        with database.unit_of_work() as session:
            keys.check(session)
    except SQLAlchemyError:
        log.warning("scheduler-without-database", exc_info=True)
        return False
    return True


def _lead_until_lost(
    leadership: "psycopg.Connection[tuple[bool]]",
    database: Database,
    ticks: list[_Tick],
    stop: threading.Event,
) -> None:
    while not stop.wait(PAUSE_SECONDS):
        for tick in ticks:
            if stop.is_set() or time.monotonic() < tick.due_at:
                continue
            try:
                leadership.execute("SELECT")
            except psycopg.Error:
                log.warning("scheduler-lost-the-lead", exc_info=True)
                return
            tick.due_at = time.monotonic() + tick.every_seconds
            try:
                tick.work(database, utcnow())
            except Exception:  # one tick's trouble must not stop the others; it comes round again
                log.warning("tick-failed", tick=tick.name, exc_info=True)
