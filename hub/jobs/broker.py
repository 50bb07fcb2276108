"""dramatiq over Redis: how workers are woken, and what a worker process does on waking.

Every process calls `install(settings)` once, before serving:

- web, scheduler and command line: so that `outbox.enqueue` wakes workers after the commit;
- worker: a composition module (for instance `hub.worker`) that imports the features' `actors`
  modules and then calls `install(get_settings())` at import. Run it as
  `python -m dramatiq hub.worker --processes 1 --threads 8`
  with `dramatiq_worker_timeout=20` in its environment: an idle worker then wakes in milliseconds
  (it is set here too, for a process that imports this module first).

Nothing connects to Redis or PostgreSQL before the first wake-up or job, so a fork is safe. A dead
Redis is logged once and asked again every two seconds; meanwhile the sweep does what is due.
"""

import os
import threading
import time
from collections.abc import Sequence
from uuid import UUID

os.environ.setdefault("dramatiq_worker_timeout", "20")  # read by dramatiq.worker at import

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerConnectionError
from dramatiq.middleware import ShutdownNotifications, TimeLimit
from redis.backoff import NoBackoff
from redis.retry import Retry

from hub.clock import utcnow
from hub.db import Database
from hub.jobs import outbox
from hub.logs import get_logger
from hub.settings import Settings

log = get_logger(__name__)

QUEUE = "hub"
JOB_LIMIT_MS = 60_000
ASK_AGAIN_SECONDS = 2.0


def install(settings: Settings) -> dramatiq.Broker:
    """Set up the broker of this process from the settings, declare its one actor, and return it."""
    broker = RedisBroker(  # type: ignore[no-untyped-call]  # dramatiq left it unannotated
        client=redis.Redis.from_url(
            settings.redis_url,
            socket_connect_timeout=1,
            socket_timeout=5,
            retry=Retry(NoBackoff(), 0),  # a request does not wait: the sweep tries again
        ),
        middleware=[TimeLimit(), ShutdownNotifications()],
    )
    dramatiq.set_broker(broker)
    worker = _Worker(settings)
    actor = dramatiq.Actor(
        worker.drive,
        broker=broker,
        actor_name="drive",
        queue_name=QUEUE,
        priority=0,
        options={"time_limit": JOB_LIMIT_MS},
    )
    outbox.wake_with(_Waker(actor))
    return broker


class _Worker:
    """Does jobs with one pool of connections, made at the first job."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._database: Database | None = None

    def drive(self, job_id: str) -> None:
        """Do the job, if it is due and free."""
        with self._lock:
            if self._database is None:
                self._database = Database(
                    self._settings.database_url, pool_size=self._settings.database_pool
                )
        try:
            outbox.drive(self._database, UUID(job_id), utcnow(), self._settings)
        except Exception:  # PostgreSQL is away: the job stands in it, and the sweep will wake it
            log.warning("job-not-reached", job_id=job_id, exc_info=True)


class _Waker:
    """Sends wake-ups; leaves a Redis that failed alone for a moment: no request waits on it."""

    def __init__(self, actor: "dramatiq.Actor[[str], None]") -> None:
        self._actor = actor
        self._ask_again_at = 0.0
        self._away = False

    def __call__(self, job_ids: Sequence[UUID]) -> bool:
        """Wake a worker for each job; return whether Redis took every wake-up."""
        if time.monotonic() < self._ask_again_at:
            return False
        try:
            for job_id in job_ids:
                self._actor.send(str(job_id))
        except (redis.RedisError, BrokerConnectionError, OSError):
            self._ask_again_at = time.monotonic() + ASK_AGAIN_SECONDS
            if not self._away:
                log.warning("redis-away", exc_info=True)
            self._away = True
            return False
        if self._away:
            log.info("redis-back")
        self._away = False
        return True
