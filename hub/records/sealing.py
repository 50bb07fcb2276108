"""Sealing the audit log into an HMAC chain in commit order, and proving that it holds.

Only records below the oldest transaction still running are sealed, in the order (xid, id): a
transaction that commits late cannot slip in behind the seal (DESIGN.md 1). Each seal's code covers
the code before it, its number and the whole record, under a key that the database never sees. How
far the chain reaches is noted in a file outside the database, so that a cut end is noticed.
"""

import hashlib
import hmac
import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from hub.after_commit import after_commit
from hub.logs import get_logger
from hub.records.keys import Keys

log = get_logger(__name__)

LOCK = 0x4D43_4855_4200_0002  # "MCHUB", sealing
GENESIS = bytes(32)
BATCH = 5000

_RECORD = """r.id, r.xid::text AS xid, r.at, r.who_kind, r.who_id, r.who_name,
    r.who_organisation_id, r.who_unit_id, r.session_id, r.action, r.case_id, r.object_kind,
    r.object_id, r.reason_code, r.reason, r.detail::text AS detail, r.automatic"""

_REACH = text(
    """SELECT r.xid::text AS xid, r.id FROM audit_seal s JOIN audit_record r ON r.id = s.audit_id
    ORDER BY s.seq DESC LIMIT 1"""
)
_LAST = text("SELECT seq, mac FROM audit_seal ORDER BY seq DESC LIMIT 1")
_SEALABLE = text(
    f"""SELECT {_RECORD} FROM audit_record r
    WHERE r.xid < pg_snapshot_xmin(pg_current_snapshot())
      AND (r.xid, r.id) > (CAST(CAST(:xid AS text) AS xid8), CAST(:id AS uuid))
    ORDER BY r.xid, r.id LIMIT :batch"""  # noqa: S608  # the columns above
)
_INSERT = text(
    """INSERT INTO audit_seal (seq, audit_id, mac, sealed_at)
    SELECT seq, audit_id, mac, now()
    FROM unnest(CAST(:seqs AS bigint[]), CAST(:ids AS uuid[]), CAST(:macs AS bytea[]))
        AS sealed (seq, audit_id, mac)"""
)
_CHAIN = text(
    f"""SELECT s.seq, s.audit_id, s.mac, {_RECORD}
    FROM audit_seal s LEFT JOIN audit_record r ON r.id = s.audit_id
    WHERE s.seq <= :last ORDER BY s.seq"""  # noqa: S608  # the columns above
)
_UNSEALED = text(
    """SELECT r.xid::text AS xid, r.id, r.at FROM audit_record r
    WHERE NOT EXISTS (SELECT FROM audit_seal s WHERE s.audit_id = r.id) ORDER BY r.xid, r.id"""
)

Place = tuple[int, UUID]  # of a record in the order of commits: (xid, id)


@dataclass(frozen=True)
class Problem:
    """The first thing wrong: its kind, the seal's number and the record's id where known."""

    kind: str
    seq: int | None
    audit_id: UUID | None
    sentence: str


@dataclass(frozen=True)
class Verification:
    """What `hub audit verify` found: seals proven, the first problem, the tail not yet sealed."""

    sealed: int
    problem: Problem | None
    unsealed: int
    oldest_unsealed: datetime | None

    @property
    def ok(self) -> bool:
        """Whether every seal holds."""
        return self.problem is None

    def sentence(self) -> str:
        """Say the finding in plain words."""
        if self.problem is not None:
            found = self.problem.sentence
        else:
            found = (
                f"{self.sealed} audit records are sealed, "
                "and nothing was altered, removed or reordered."
            )
        if not self.unsealed or self.oldest_unsealed is None:
            return f"{found} No record waits to be sealed."
        oldest = self.oldest_unsealed.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        return f"{found} Not yet sealed: {self.unsealed}, the oldest of {oldest} UTC."


def seal(session: Session, keys: Keys, *, batch: int = BATCH) -> int:
    """Seal up to `batch` records that no running transaction can precede; return how many.

    Returns 0 when another process is sealing. The caller commits; the anchor file follows.
    """
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK}):
        return 0
    last = session.execute(_LAST).one_or_none()
    reach = session.execute(_REACH).one_or_none()
    seq, mac = (last.seq, bytes(last.mac)) if last else (0, GENESIS)
    after = {"xid": reach.xid, "id": reach.id} if reach else {"xid": "0", "id": UUID(int=0)}
    seqs: list[int] = []
    ids: list[UUID] = []
    macs: list[bytes] = []
    for row in session.execute(_SEALABLE, {**after, "batch": batch}):
        seq += 1
        mac = _mac(keys.audit, mac, seq, row)
        seqs.append(seq)
        ids.append(row.id)
        macs.append(mac)
    if seqs:
        session.execute(_INSERT, {"seqs": seqs, "ids": ids, "macs": macs})
        path, line = keys.anchor_path, f"{seq} {mac.hex()}\n"
        after_commit(session, partial(_anchor, path, line))
    return len(seqs)


def verify(session: Session, keys: Keys) -> Verification:
    """Prove the chain from its first seal, and name the first record that is not as it was sealed.

    Reads everything, in a stream. Records sealed or written meanwhile are left for the next time.
    """
    session.execute(text("SET LOCAL statement_timeout = 0"))
    anchors = _anchors(keys.anchor_path)  # first: a mark made meanwhile would be of a seal not read
    last = session.execute(_LAST).one_or_none()
    reach = session.execute(_REACH).one_or_none()
    last_seq: int = last.seq if last else 0
    with session.execute(_CHAIN.execution_options(yield_per=BATCH), {"last": last_seq}) as chain:
        proven, problem, position = _prove(chain, keys.audit, anchors, last_seq)
    behind: Problem | None = None
    unsealed, oldest = 0, None
    for row in session.execute(_UNSEALED.execution_options(yield_per=BATCH)):
        key = (int(row.xid), row.id)
        if reach is None or key > (int(reach.xid), reach.id):
            unsealed += 1
            oldest = min(oldest, row.at) if oldest else row.at
        elif behind is None:
            sentence = (
                f"Audit record {row.id} is not in the chain although later ones are: "
                "it was put in afterwards, or its seal was removed."
            )
            behind = Problem("inserted", None, row.id, sentence)
            if problem is None or position is None or key < position:
                problem = behind
    return Verification(proven, problem, unsealed, oldest)


def _prove(
    chain: Iterable[Row[Any]], key: bytes, anchors: dict[int, set[bytes]], last_seq: int
) -> tuple[int, Problem | None, Place | None]:
    """Return the seals proven, the first problem, and its record's place where known."""
    mac, seq, before = GENESIS, 0, (0, UUID(int=0))
    for row, following in _with_next(chain):
        here = _place(row)
        problem = None
        if row.seq != seq + 1:
            problem = Problem(
                "missing", seq + 1, None, f"Seal {seq + 1} of the audit log is missing."
            )
        elif here is None:
            sentence = f"Audit record {row.audit_id}, sealed as number {row.seq}, is missing."
            return seq, Problem("missing", row.seq, row.audit_id, sentence), before
        elif not hmac.compare_digest(_mac(key, mac, row.seq, row), bytes(row.mac)):
            problem = _mismatch(row, before, here, following)
        elif anchors.get(row.seq, {bytes(row.mac)}) != {bytes(row.mac)}:
            sentence = (
                f"Seal {row.seq} is not the one marked outside the database: "
                "the end of the audit log was cut off and sealed anew."
            )
            problem = Problem("rewritten", row.seq, row.audit_id, sentence)
        if problem is not None:
            return seq, problem, here
        mac, seq, before = bytes(row.mac), row.seq, here or before
    noted = max(anchors, default=0)
    if noted > last_seq:
        sentence = (
            "The end of the audit log is missing: "
            f"{noted} records were sealed, {last_seq} are left."
        )
        return seq, Problem("cut", last_seq + 1, None, sentence), None
    return seq, None, None


def _mismatch(row: Row[Any], before: Place, here: Place, following: Row[Any] | None) -> Problem:
    later = _place(following) if following is not None else None
    if here <= before or (later is not None and later <= here):
        sentence = f"Audit record {row.id}, at number {row.seq} of the chain, is out of order."
        return Problem("reordered", row.seq, row.id, sentence)
    sentence = f"Audit record {row.id}, sealed as number {row.seq}, was altered."
    return Problem("altered", row.seq, row.id, sentence)


def _place(row: Row[Any]) -> Place | None:
    return None if row.id is None else (int(row.xid), row.id)


def _with_next(rows: Iterable[Row[Any]]) -> Iterator[tuple[Row[Any], Row[Any] | None]]:
    current: Row[Any] | None = None
    for row in rows:
        if current is not None:
            yield current, row
        current = row
    if current is not None:
        yield current, None


def _mac(key: bytes, previous: bytes, seq: int, row: Row[Any]) -> bytes:
    return hmac.digest(key, previous + struct.pack(">Q", seq) + _canonical(row), hashlib.sha256)


def _canonical(row: Row[Any]) -> bytes:
    """Return the record as bytes that only this record has: a JSON list of all its columns."""
    values = [
        str(row.id),
        row.xid,
        row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        row.who_kind,
        _text(row.who_id),
        row.who_name,
        _text(row.who_organisation_id),
        _text(row.who_unit_id),
        _text(row.session_id),
        row.action,
        _text(row.case_id),
        row.object_kind,
        _text(row.object_id),
        row.reason_code,
        None if row.reason is None else bytes(row.reason).hex(),
        row.detail,
        row.automatic,
    ]
    return json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode()


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _anchor(path: Path, line: str) -> None:
    """Mark how far the chain reaches. The seals stand: a failure here is logged, not raised."""
    try:
        with path.open("ab", buffering=0) as file:
            file.write(line.encode())
    except OSError:
        log.exception("audit-anchor-not-written")


def _anchors(path: Path) -> dict[int, set[bytes]]:
    """Return every mark noted; a line torn by a crash says nothing."""
    noted: dict[int, set[bytes]] = {}
    if not path.exists():
        return noted
    with path.open("r", encoding="ascii", errors="replace") as file:
        for line in file:
            seq, _, mac = line.strip().partition(" ")
            if (
                seq.isdigit()
                and len(mac) == 64
                and all(digit in "0123456789abcdef" for digit in mac)
            ):
                noted.setdefault(int(seq), set()).add(bytes.fromhex(mac))
    return noted
