"""The directory that one process holds: fresh within a second, kept on disk, there when all is down.

A look-up makes no query. While the database is away the last state goes on answering, and `hub web`
can start from the one on disk.
"""

import hashlib
import os
import pickle
import threading
import time
from bisect import bisect_right
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from directory.rows import QUERIES, Rows, read_rows, version
from directory.snapshot import Snapshot, boundaries, build
from hub.clock import LONDON
from hub.db import Database
from hub.logs import get_logger
from hub.records.keys import Keys

log = get_logger(__name__)

POLL_SECONDS = 1.0
MOST_DAYS = 24
VERIFY_EVERY = timedelta(days=90)
NOTED_EVERY = timedelta(minutes=1)
COLUMNS_OF = "0008"
"""The migration that last changed the columns of what is kept."""
PURPOSE = (
    b"directory-snapshot "
    + hashlib.sha256(repr((QUERIES, COLUMNS_OF)).encode()).hexdigest().encode()
)
"""What the kept state is sealed for: a hub that reads other rows does not take it for its own."""
SEEN = b"directory-snapshot-seen"


class Directory:
    """Rows of every day at one version, and the snapshots of the days that were asked for.

    Days between two changes are one and the same; days before the first row are taken for it.
    """

    def __init__(self, rows: Rows, verify_every: timedelta = VERIFY_EVERY) -> None:
        self.rows = rows
        self._verify_every = verify_every
        self._boundaries = boundaries(rows)
        self._first = min((row["valid_from"] for row in rows.tables["units"]), default=date.min)
        self._built: dict[int, Snapshot] = {}
        self._lock = threading.Lock()
        self.systems = {row["id"]: row for row in rows.tables["systems"]}
        self.suspended = frozenset(row["id"] for row in rows.tables["suspended"])

    @property
    def version(self) -> int:
        """The version that the rows were read at."""
        return self.rows.version

    def on(self, day: date) -> Snapshot:
        """Return the directory of a day (Europe/London)."""
        day = max(day, self._first)
        interval = bisect_right(self._boundaries, day)
        found = self._built.get(interval)
        if found is None:
            with self._lock:
                found = self._built.get(interval)
                if found is None:
                    if len(self._built) >= MOST_DAYS:
                        self._built.pop(next(reversed(self._built)))
                    found = self._built[interval] = build(self.rows, day, self._verify_every)
        return found


class Holder:
    """The directory of one process, looked at for freshness at most once a second.

    `current_at` is when it was last known to be what the database holds, `away_since` when the
    database was first found away (aware UTC); None while it is there.
    """

    def __init__(
        self, database: Database, kept: "Kept | None" = None, verify_every: timedelta = VERIFY_EVERY
    ) -> None:
        self._database = database
        self._verify_every = verify_every
        self._kept = kept
        self._directory: Directory | None = None
        self._asked = float("-inf")
        self._lock = threading.Lock()
        self.current_at: datetime | None = None
        self.away_since: datetime | None = None

    def directory(self, now: datetime) -> Directory:
        """Return the directory: a second stale at most, older only while the database is away.

        Raises:
            SQLAlchemyError: the database is away, and no state was ever read or kept.
        """
        held = self._directory
        if held is not None and time.monotonic() - self._asked < POLL_SECONDS:
            return held
        if held is not None and not self._lock.acquire(blocking=False):
            return held  # another thread is looking
        if held is None:
            self._lock.acquire()
        try:
            return self._refresh(now)
        finally:
            self._lock.release()

    def current(self, now: datetime, at: datetime | None = None) -> Snapshot:
        """Return the directory as it is at a moment, or now."""
        return self.directory(now).on((at or now).astimezone(LONDON).date())

    def look_again(self) -> None:
        """Look for a change at the next call: somebody has just made one here."""
        self._asked = float("-inf")

    def _refresh(self, now: datetime) -> Directory:
        held = self._directory
        if held is not None and time.monotonic() - self._asked < POLL_SECONDS:
            return held
        try:
            same = version(self._database) == (held.version if held else None)
            fresh = held if held and same and self.away_since is None else self._read(now)
            self.current_at, self.away_since = now, None
            if self._kept is not None:
                self._kept.seen(fresh.version, now)
        except SQLAlchemyError:
            if self.away_since is None:
                self.away_since = now
                log.warning("directory-from-memory", exc_info=True)
            if held is None:
                rows = self._kept.load() if self._kept else None
                if rows is None:
                    raise
                held = Directory(rows, self._verify_every)
                self.current_at = rows.taken_at
            fresh = held
        self._directory, self._asked = fresh, time.monotonic()
        return fresh

    def _read(self, now: datetime) -> Directory:
        rows = read_rows(self._database, now)
        if self._kept is not None:
            self._kept.save(rows)
        return Directory(rows, self._verify_every)


class Kept:
    """The last state on disk, sealed with a key of the hub: none but its own is ever loaded.

    Beside it stands when it was last seen to be current, at most a minute behind.
    """

    def __init__(self, folder: Path, keys: Keys) -> None:
        self._path = folder / "directory-snapshot"
        self._seen_path = folder / "directory-snapshot-seen"
        self._keys = keys
        self._noted: tuple[int, datetime] | None = None

    def save(self, rows: Rows) -> None:
        """Keep the rows; a full disk is no reason not to answer."""
        self._write(self._path, PURPOSE, pickle.dumps(rows))

    def seen(self, at_version: int, now: datetime) -> None:
        """Note that the kept version was current just now, once a minute."""
        if self._noted and self._noted[0] == at_version and now - self._noted[1] < NOTED_EVERY:
            return
        self._noted = (at_version, now)
        self._write(self._seen_path, SEEN, f"{at_version} {now.isoformat()}".encode())

    def load(self) -> Rows | None:
        """Return the state that was kept, or None where there is none that is ours."""
        content = self._read(self._path, PURPOSE)
        if content is None:
            return None
        rows: Rows = pickle.loads(content)  # noqa: S301  # authenticated just above
        seen = (self._read(self._seen_path, SEEN) or b"").decode().split()
        if seen and int(seen[0]) == rows.version:
            rows = replace(rows, taken_at=max(rows.taken_at, datetime.fromisoformat(seen[1])))
        return rows

    def _write(self, path: Path, purpose: bytes, content: bytes) -> None:
        partial = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            partial.touch(mode=0o600)
            partial.write_bytes(self._keys.mac(purpose, content) + content)
            partial.replace(path)
        except OSError:
            log.warning("directory-not-kept", exc_info=True)
            with suppress(OSError):
                partial.unlink(missing_ok=True)

    def _read(self, path: Path, purpose: bytes) -> bytes | None:
        try:
            sealed = path.read_bytes()
        except OSError:
            return None
        mac, content = sealed[:32], sealed[32:]
        if not self._keys.mac_matches(purpose, content, mac):
            log.warning("kept-directory-refused", file=path.name)
            return None
        return content
