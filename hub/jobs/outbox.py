"""The outbox: jobs written in the transaction of their cause, done at least once, never lost.

A job's attempts, lease and retry times live in PostgreSQL. A wake-up after the commit carries only
the job's id; the scheduler's sweep wakes whatever no one took. A handler's writes commit together
with the job's end, so that an effect in the database happens once; an effect outside (a mail) may
be repeated and must carry the same identity each time.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hub.after_commit import after_commit
from hub.db import Base, Database, new_id
from hub.errors import HubError
from hub.jobs.model import OutboxJob
from hub.logs import get_logger
from hub.settings import Settings, get_settings

log = get_logger(__name__)

_TABLE = Base.metadata.tables["outbox_job"]
LEASE = timedelta(seconds=30)
WAKE_AGAIN = timedelta(seconds=5)  # a wake-up that no one followed is repeated after this
FIRST_RETRY = timedelta(seconds=2)
LONGEST_RETRY = timedelta(hours=1)
SWEEP = 500

_SETTINGS = "hub.outbox.settings"
_INSERT = (
    insert(_TABLE)
    .on_conflict_do_nothing(constraint="uq_outbox_job_dedupe_key")
    .returning(_TABLE.c.id)
)


@dataclass(frozen=True)
class Job:
    """What a handler is given: `attempts` counts this one, from 1."""

    id: UUID
    kind: str
    subject_id: UUID
    attempts: int
    created_at: datetime


Handler = Callable[[Session, Job, datetime], None]
Waker = Callable[[Sequence[UUID]], bool]

_handlers: dict[str, Handler] = {}
_waker: Waker | None = None


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of this kind.

    It gets a session of its own (committed with the job's end), the job and now. It may raise
    anything: its writes are rolled back and the job is tried again later.
    """

    def register(function: Handler) -> Handler:
        if _handlers.setdefault(kind, function) is not function:
            raise ValueError(f"jobs of kind {kind} have a handler already")
        return function

    return register


def wake_with(waker: Waker | None) -> None:
    """Say how workers are woken: given job ids, return whether they were; None for no way."""
    global _waker
    _waker = waker


def settings_of(session: Session) -> Settings:
    """Return the settings that the running job's worker was given."""
    settings: Settings | None = session.info.get(_SETTINGS)
    return settings or get_settings()


def enqueue(
    session: Session,
    kind: str,
    subject_id: UUID,
    *,
    now: datetime,
    run_at: datetime | None = None,
    dedupe_key: str | None = None,
) -> UUID | None:
    """Write a job in the caller's transaction and wake a worker after its commit.

    Returns the job's id, or None when there is a job with this `dedupe_key` already, done or not.
    """
    job_id = new_id()
    due = run_at or now
    written = session.execute(
        _INSERT,
        {
            "id": job_id,
            "kind": kind,
            "subject_id": subject_id,
            "dedupe_key": dedupe_key,
            "run_at": due,
            "woken_at": now if due <= now else None,
            "created_at": now,
        },
    )
    if written.one_or_none() is None:
        return None
    if due <= now:
        after_commit(session, partial(wake, [job_id]))
    return job_id


def wake(job_ids: Sequence[UUID]) -> bool:
    """Wake workers for these jobs; return False when there is no way to. Never raises for Redis."""
    return _waker(job_ids) if _waker is not None else False


def drive(
    database: Database, job_id: UUID, now: datetime, settings: Settings | None = None
) -> bool:
    """Do one job if it is due and no one else is at it; return whether it was done.

    A failure is logged by type and code, counted, and tried again later; nothing is raised for it.
    """
    with database.unit_of_work() as session:
        job = _claim(session, job_id, now)
    if job is None:
        return False
    try:
        with database.unit_of_work() as session:
            session.info[_SETTINGS] = settings
            if not _still_mine(session, job):
                return False
            _handlers.get(job.kind, _no_handler)(session, job, now)
            session.execute(
                update(OutboxJob)
                .where(OutboxJob.id == job.id)
                .values(finished_at=now, lease_until=None, last_error_code=None)
            )
    except Exception as error:  # whatever a handler meets, the job must live on and be tried again
        log.warning(
            "job-failed", job_id=str(job.id), kind=job.kind, attempts=job.attempts, exc_info=True
        )
        with database.unit_of_work() as session:
            _put_back(session, job, now, error)
        return False
    return True


def do_again(session: Session, job_id: UUID, run_at: datetime) -> None:
    """Have a finished job done again, at a moment: its effect outside turned out not to be."""
    session.execute(
        update(OutboxJob)
        .where(OutboxJob.id == job_id, OutboxJob.finished_at.is_not(None))
        .values(finished_at=None, run_at=run_at, woken_at=None, lease_until=None)
    )


def due(session: Session, now: datetime, *, limit: int = SWEEP) -> list[UUID]:
    """Take the ids of jobs to be woken: due or with a lapsed lease, and not woken lately."""
    waiting = (
        select(OutboxJob.id)
        .where(
            OutboxJob.finished_at.is_(None),
            OutboxJob.run_at <= now,
            or_(OutboxJob.lease_until.is_(None), OutboxJob.lease_until <= now),
            or_(OutboxJob.woken_at.is_(None), OutboxJob.woken_at <= now - WAKE_AGAIN),
        )
        .order_by(OutboxJob.run_at, OutboxJob.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = (
        update(OutboxJob).where(OutboxJob.id.in_(waiting.scalar_subquery())).values(woken_at=now)
    )
    return sorted(session.scalars(taken.returning(OutboxJob.id)))


def backoff(attempts: int, jitter: float) -> timedelta:
    """Return the wait before the next attempt: doubling up to an hour, spread by jitter (0–1)."""
    longest = min(FIRST_RETRY * (1 << min(attempts - 1, 20)), LONGEST_RETRY)
    return longest * (0.5 + 0.5 * jitter)


def _no_handler(_session: Session, _job: Job, _now: datetime) -> None:
    raise HubError("no-handler", 500, "No part of the hub does jobs of this kind.")


def _claim(session: Session, job_id: UUID, now: datetime) -> Job | None:
    free = (
        select(OutboxJob.id)
        .where(
            OutboxJob.id == job_id,
            OutboxJob.finished_at.is_(None),
            OutboxJob.run_at <= now,
            or_(OutboxJob.lease_until.is_(None), OutboxJob.lease_until <= now),
        )
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    row = session.execute(
        update(OutboxJob)
        .where(OutboxJob.id == free)
        .values(attempts=OutboxJob.attempts + 1, lease_until=now + LEASE)
        .returning(
            OutboxJob.id,
            OutboxJob.kind,
            OutboxJob.subject_id,
            OutboxJob.attempts,
            OutboxJob.created_at,
        )
    ).one_or_none()
    return Job(*row) if row is not None else None


def _still_mine(session: Session, job: Job) -> bool:
    """Hold the job's row while its handler works: a slow worker is not overtaken, a dead one is."""
    held: Any = session.execute(
        select(OutboxJob.id)
        .where(
            OutboxJob.id == job.id,
            OutboxJob.attempts == job.attempts,
            OutboxJob.finished_at.is_(None),
        )
        .with_for_update(skip_locked=True)
    ).one_or_none()
    return held is not None


def _put_back(session: Session, job: Job, now: datetime, error: Exception) -> None:
    code = error.code if isinstance(error, HubError) else type(error).__name__
    again = now + backoff(job.attempts, random.random())  # noqa: S311  # spreads retries, guards nothing
    session.execute(
        update(OutboxJob)
        .where(
            OutboxJob.id == job.id,
            OutboxJob.attempts == job.attempts,
            OutboxJob.finished_at.is_(None),
        )
        .values(run_at=again, lease_until=None, woken_at=None, last_error_code=code)
    )
