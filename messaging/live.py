"""What screens are told by themselves: whether something needs their reader, kept in memory.

A screen asks every few seconds; most of the time nothing has changed, and it is told so without a
query. Once a second at most a process asks the database which cases changed, by the audit log that
every write is in: rows of transactions that had not ended at the last look are read again, so one
that was held open and commits late is not passed over. What a unit is told is a digest of its
lines, so it is the same in every process, and somebody's mere look changes nothing.

What a line tells changes by time alone where a meeting starts or ends, which no write is for; all else
that time brings, a missed clock, is written down as it is missed.
"""

import hashlib
import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hub.db import Database, fetch
from hub.identity import sessions
from hub.identity.actor import Actor
from hub.identity.policy import allows
from hub.logs import get_logger
from hub.presence import BRIEF
from messaging import board
from messaging.effects.steps import supervises
from messaging.inbox import counts, inbox

log = get_logger(__name__)

STALE_SECONDS = 1.0
POLL_SECONDS = 3.5
"""Between two questions of a screen: with what a process may be behind, under 5 s from a commit."""
GONE_SECONDS = 120.0
KNOWN_SECONDS = 300.0
"""How long a session's actor is taken for the same, with the units below theirs."""
LONGEST_ACT = timedelta(minutes=15)
FIRST = 20

_LOW = text("SELECT CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS low")
_CHANGED = text("""
SELECT CAST(s.low AS text) AS low, r.id, r.case_id
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS low) s
LEFT JOIN audit_record r ON r.xid >= CAST(CAST(:low AS text) AS xid8) AND r.case_id IS NOT NULL
    AND r.at > :since
""")
_UNITS = text("""
WITH changed AS (SELECT unnest(CAST(:cases AS uuid[])) AS id), told AS (
    SELECT id FROM changed
    -- Who has the other case that may be of the same child is told as soon (4.10).
    UNION SELECT m.other_case_id FROM match m JOIN changed c ON c.id = m.one_case_id
    UNION SELECT m.one_case_id FROM match m JOIN changed c ON c.id = m.other_case_id
)
SELECT unit_id FROM party WHERE case_id IN (SELECT id FROM told)
UNION SELECT unit_id FROM recipient WHERE case_id IN (SELECT id FROM changed)
""")
_MET = text("""
WITH passed AS (
    SELECT id, convenor_unit_id FROM meeting
    WHERE state = 'called' AND (starts_at > :since AND starts_at <= :now
        OR ends_at > :since AND ends_at <= :now)
)
SELECT convenor_unit_id FROM passed
UNION SELECT a.unit_id FROM passed JOIN meeting_attendee a ON a.meeting_id = passed.id
WHERE a.dropped_at IS NULL
""")


@dataclass(frozen=True)
class Reader:
    """Whose lines: those of the same reader are the same."""

    unit_id: UUID | None
    unit_ids: frozenset[UUID]
    status: str | None
    adjudicates: bool
    lists_cases: bool
    supervises: bool


@dataclass(frozen=True)
class Told:
    """What screens of a reader are told, and its mark."""

    etag: str
    body: bytes


@dataclass
class Screen:
    """One signed-in session whose screens ask."""

    actor: Actor
    reader: Reader
    acts_as: str
    known_at: float
    asked_at: float


@dataclass
class Screens:
    """The screens that ask one process. `away` is whether the database was, at the last look."""

    database: Database
    idle: timedelta
    away: bool = False
    looks: int = 0
    _screens: dict[bytes, Screen] = field(default_factory=dict)
    _told: dict[Reader, Told] = field(default_factory=dict)
    _low: str | None = None
    _told_until: datetime | None = None
    _seen: set[UUID] = field(default_factory=set)
    _looked_at: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def told(self, token: str, now: datetime) -> Told | None:
        """Return what a session's screen is told, a second old at most; None for one not known."""
        key = sessions.token_hash(token)
        if key not in self._screens:
            return None
        at = time.monotonic()
        if at - self._looked_at >= STALE_SECONDS and self._lock.acquire(blocking=False):
            try:
                self._look(now)
            finally:
                self._lock.release()
        screen = self._screens.get(key)
        if screen is None or at - screen.known_at > KNOWN_SECONDS:
            return None
        screen.asked_at = at
        return self._told.get(screen.reader)

    def enter(self, token: str, actor: Actor, now: datetime) -> Told:
        """Take in a session whose cookie was just found good, and return what it is told.

        Raises:
            SQLAlchemyError: the database is away.
        """
        key = sessions.token_hash(token)
        reader = Reader(
            actor.unit_id, actor.unit_ids, actor.status, "adjudicator" in actor.roles,
            allows(actor, "case.list"), supervises(actor),
        )  # fmt: skip
        with self._lock:
            if time.monotonic() - self._looked_at >= STALE_SECONDS:
                self._look(now)
            with self.database.unit_of_work(seconds=BRIEF) as session:
                acts_as = sessions.standing(session, [key], idle=self.idle, now=now).get(key, "")
                # From before the lines are read: what commits meanwhile is read again.
                if self._low is None:
                    self._low = _low(session)
                self._told_until = self._told_until or now
                held = None if self.away else self._told.get(reader)
                told = held or _tell(session, actor, now)
            at = time.monotonic()
            self._told[reader] = told
            self._screens[key] = Screen(actor, reader, acts_as, at, at)
        return told

    def _look(self, now: datetime) -> None:
        """Look which sessions stand, and what changed for whom; all of it in one unit of work."""
        self._looked_at = time.monotonic()
        self.looks += 1
        try:
            with self.database.unit_of_work(seconds=BRIEF) as session:
                self._keep_standing(session, now)
                changed, low, seen = self._changed(session, now)
                units = self._met(session, now)
                if changed:
                    units |= set(session.scalars(_UNITS, {"cases": list(changed)}))
                self._tell_again(session, units, now, judges=bool(changed))
            # Told by now: what a look that failed had read is read again.
            self._low, self._seen, self._told_until = low, seen, now
            self.away = False
        except SQLAlchemyError:
            if not self.away:
                log.warning("screens-without-database", exc_info=True)
            self.away = True

    def _keep_standing(self, session: Session, now: datetime) -> None:
        gone = time.monotonic() - GONE_SECONDS
        asking = {key: one for key, one in self._screens.items() if one.asked_at > gone}
        acts = sessions.standing(session, list(asking), idle=self.idle, now=now)
        self._screens = {key: one for key, one in asking.items() if acts.get(key) == one.acts_as}
        readers = {one.reader for one in self._screens.values()}
        self._told = {reader: told for reader, told in self._told.items() if reader in readers}

    def _changed(self, session: Session, now: datetime) -> tuple[set[UUID], str, set[UUID]]:
        """Return the cases of which something was committed since the last look, and how far it read."""
        rows = session.execute(
            _CHANGED, {"low": self._low or _low(session), "since": now - LONGEST_ACT}
        ).all()
        new = {row.case_id for row in rows if row.id is not None and row.id not in self._seen}
        return new, rows[0].low, {row.id for row in rows if row.id is not None}

    def _met(self, session: Session, now: datetime) -> set[UUID]:
        """Return the units of meetings that have started or ended since the last look."""
        return set(session.scalars(_MET, {"since": self._told_until or now, "now": now}))

    def _tell_again(
        self, session: Session, units: set[UUID], now: datetime, *, judges: bool
    ) -> None:
        """Tell the readers of these units anew; `judges`, adjudicators too."""
        actors = {one.reader: one.actor for one in self._screens.values()}
        for reader, actor in actors.items():
            if (judges and reader.adjudicates) or not units.isdisjoint(reader.unit_ids):
                self._told[reader] = _tell(session, actor, now)


def _low(session: Session) -> str:
    return str(fetch(session, _LOW, {}).scalar_one())


def _tell(session: Session, actor: Actor, now: datetime) -> Told:
    """Return what somebody's screens are told: how much needs them, and marks of their lists."""
    how_many = counts(session, actor, now=now)
    rows = inbox(session, actor, now=now, most=FIRST)
    first = next((row for row in rows if row.alarm and row.need != "waiting"), None)
    first = first or next((row for row in rows if row.need in ("answer", "new")), None)
    lines = (
        (row.message_id, row.to_unit_id, row.need, row.due_at, row.missed, row.alarm,
         row.request_no, row.priority, row.opened_at, row.acknowledged_at, row.delivered_at,
         row.clock)
        for row in rows
    )  # fmt: skip
    document = {
        "need": how_many.answer,
        "new": how_many.new,
        "overdue": how_many.overdue,
        "alarms": how_many.alarms,
        "first": first.reference if first else None,
        "inbox": _digest([how_many, *lines]),
        "board": board.mark(session, actor) if allows(actor, "case.list") else "",
    }
    body = json.dumps(document, separators=(",", ":")).encode()
    return Told(f'"{_digest([body])}"', body)


def _digest(parts: Iterable[object]) -> str:
    return hashlib.sha256(repr(list(parts)).encode()).hexdigest()[:20]
