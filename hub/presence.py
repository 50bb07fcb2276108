"""Whether the database is there: nobody waits for one that was just seen to be away.

A database may be stopped, cut off, or take connections and say nothing. The first who meets that
waits for a few seconds at most; everybody after is told at once, while one thread looks for its
return.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.errors import HubError
from hub.logs import get_logger

log = get_logger(__name__)

Result = TypeVar("Result")

BRIEF = 2.0
"""Seconds that a look-up waits for the database before it answers without."""
STATEMENT_SECONDS = 35.0
"""What any statement may take: more than PostgreSQL's own limit of 30, for one that is mute."""
CONNECT_SECONDS = 2
LOOK_AGAIN = (0.1, 2.0)
"""Seconds between looks for a database that is away: at first, and at most."""

NO_ANSWER = (OperationalError, PoolTimeout)
"""The errors of a database that does not answer, or not in time."""

_ends: ContextVar[float | None] = ContextVar("hub.presence.ends", default=None)


class AwayError(OperationalError):
    """The database was away when it was last looked for."""

    def __init__(self) -> None:
        super().__init__(
            "connect", None, psycopg.OperationalError("the database is away"), hide_parameters=True
        )


class PatientConnection(psycopg.Connection[Any]):
    """A connection that waits for an answer until `patience` ends, and is closed then."""

    def wait(
        self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None
    ) -> Result:
        """Wait for an answer.

        Raises:
            OperationalError: of psycopg; there was none in time, and none is waited for any more.
        """
        limit = _ends.get()
        ends = time.monotonic() + STATEMENT_SECONDS if limit is None else limit
        if timeout is not None:
            ends = min(ends, time.monotonic() + timeout)
        try:
            return super().wait(gen, interval, max(0.0, ends - time.monotonic()))
        except psycopg.OperationalError:
            if time.monotonic() >= ends:
                self.close()
            raise


@contextmanager
def patience(seconds: float | None) -> Iterator[None]:
    """Wait for the database for so many seconds in all; for STATEMENT_SECONDS a statement (None)."""
    token = _ends.set(None if seconds is None else time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends.reset(token)


def shows_away(error: OperationalError) -> bool:
    """Say whether an error is of a database that is away, and not of one that refused something."""
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state is None or state.startswith(("08", "57P"))


class Presence:
    """What is known of a database's being there. `look` raises while it is away."""

    def __init__(self, look: Callable[[], None]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._watch: threading.Thread | None = None

    @property
    def away(self) -> bool:
        """Whether it was away when last looked for."""
        return self._watch is not None

    def lost(self) -> None:
        """Take it for away, and look for its return."""
        with self._lock:
            if self._watch is None and not self._closed.is_set():
                log.warning("database-away")
                self._watch = threading.Thread(
                    target=self._until_back, name="database-watch", daemon=True
                )
                self._watch.start()

    def close(self) -> None:
        """Look no more."""
        self._closed.set()
        watch = self._watch
        if watch is not None:
            watch.join()

    def _until_back(self) -> None:
        wait, longest = LOOK_AGAIN
        refusal = ""
        while not self._closed.wait(wait):
            wait = min(wait * 2, longest)
            try:
                self._look()
            except HubError as error:
                if error.code != refusal:
                    log.critical("database-refused", code=error.code)
                refusal = error.code
            except SQLAlchemyError:
                continue
            else:
                log.info("database-back")
                break
        with self._lock:
            self._watch = None
