"""A report that names the reference of the child’s placement goes into that case (DOMAIN.md 4.1b).

The reference is the key: whoever names it, police or a practitioner signed in for the same status,
becomes a party by it, on record as a disclosure.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from directory import public as directory
from directory.public import Need
from hub.clock import said
from hub.db import Database
from hub.errors import HubError, invalid
from hub.identity import policy
from hub.identity.actor import Actor
from hub.records import audit
from hub.records.vault import Vault
from messaging import references, sending
from messaging.contracts import Command

REASON = "placement-reference"

_FIND = text("""
SELECT c.id, u.id AS unit_id, u.code, u.name
FROM cases c
LEFT JOIN episode e ON e.case_id = c.id AND e.ended_at IS NULL
LEFT JOIN tenure t ON t.episode_id = e.id AND t.until IS NULL
LEFT JOIN unit u ON u.id = t.unit_id
WHERE c.reference = :reference AND c.status = :status AND c.closed_at IS NULL
    AND EXISTS (SELECT FROM placement l WHERE l.case_id = c.id AND l.state = 'current'
        AND (l.end_message_id IS NULL
            OR l.ends_on >= (CAST(:now AS timestamptz) AT TIME ZONE 'Europe/London')::date))
FOR UPDATE OF c
""")
_MINE = text("SELECT 1 FROM party WHERE case_id = :case_id AND unit_id = ANY(:units)"
             " AND (sees = 'full' OR part = 'reporter') LIMIT 1")  # fmt: skip
_REPORTED = text("""
SELECT r.state, r.state_since, u.id AS unit_id, u.code, u.name
FROM report r JOIN unit u ON u.id = r.addressed_unit_id
WHERE r.case_id = :case_id AND r.state IN ('awaiting-police', 'recorded-by-telephone', 'not-accepted')
""")
_SAME_COUNCIL = text("""
SELECT p.part FROM party p JOIN unit u ON u.id = p.unit_id
WHERE p.case_id = :case_id AND u.organisation_id = :organisation AND p.sees = 'full'
    AND p.part IN ('responsible-authority', 'host-authority') LIMIT 1
""")
_ADMIT = text("""
INSERT INTO party (case_id, unit_id, part, sees, since)
VALUES (:case_id, :unit_id, :part, :sees, :now)
ON CONFLICT (case_id, unit_id) DO UPDATE SET part = EXCLUDED.part, sees = EXCLUDED.sees
""")


class RingError(HubError):
    """A refusal that says whom to ring about a child: it tells that there is a case, and who has it."""

    def __init__(self, case_id: UUID, code: str, sentence: str, extra: dict[str, Any]) -> None:
        super().__init__(code, 409, sentence, extra=extra)
        self.case_id = case_id


@contextmanager
def on_record(database: Database, actor: Actor, now: datetime) -> Iterator[None]:
    """Put it on record what a refusal told, after all else of its act was rolled back (4.12)."""
    try:
        yield
    except RingError as told:
        with database.unit_of_work() as session:
            audit.record(
                session, actor.who, audit.DISCLOSURE, now=now, case_id=told.case_id,
                object_kind="case", object_id=told.case_id, reason_code=REASON,
                detail={"refused": told.code},
            )  # fmt: skip
        raise


def report(
    session: Session, actor: Actor, vault: Vault, command: Command, now: datetime
) -> sending.Sent:
    """Send a report into the case of the placement that it names, and let its unit into it.

    Raises:
        HubError: 422 `placement-reference` where there is no such reference, whatever the cause;
            403 by the map; with whom to ring, 409 `episode-open` where a unit leads already, and
            `report-open` to a practitioner where police have been told; 409 and 422 as for any report.
    """
    policy.require(actor, "case.open")
    policy.require(actor, "send.missing-episode-report")
    if command.type != "missing-episode-report":
        raise invalid(
            "case-opener",
            "Only a missing-episode-report names a placement.",
            "/placement_reference",
        )
    status = command.status or actor.status
    if status is None:
        raise invalid("status-missing", "Say whether this is actual, exercise or test.", "/status")
    if actor.status not in (None, status):
        raise invalid(
            "status-mismatch", f"You are signed in for {actor.status} cases only.", "/status"
        )
    reference = references.clean(command.placement_reference or "")
    found = session.execute(
        _FIND, {"reference": reference, "status": status, "now": now}
    ).one_or_none()
    if found is None:
        raise HubError(
            "placement-reference", 422,
            "There is no such placement reference. Look at it again, or report without it.",
            pointer="/placement_reference",
        )  # fmt: skip
    if not actor.police:
        _refuse_second(session, actor, found.id, reference, status, now)
    if found.name:
        raise _led(session, actor, found, reference, status, now)
    _admit(session, actor, vault, found.id, command, now)
    return sending.send(session, actor, vault, reference, command, now)


def waits(session: Session, reference: str, status: str, now: datetime) -> bool:
    """Say whether a case is of a current placement, and nobody has recorded the child missing in it."""
    found = session.execute(
        _FIND, {"reference": reference, "status": status, "now": now}
    ).one_or_none()
    return found is not None and found.name is None


def _led(
    session: Session, actor: Actor, found: Any, reference: str, status: str, now: datetime
) -> HubError:
    """Return the refusal of a report where a unit leads already: ring it; parties may send an update."""
    number, known = _to_ring(actor, found, "open-case", status, now)
    leads = f"The child is recorded as missing, and {found.name} leads: ring it{number}"
    if not _is_mine(session, actor, found.id):
        return RingError(found.id, "episode-open", f"{leads}.", known)
    return RingError(
        found.id, "episode-open", f"{leads}, and send what you know as an update of {reference}.",
        {**known, "case_reference": reference},
    )  # fmt: skip


_STANDS = {
    "awaiting-police": "{unit} has had a report of this child since {at}, and owes an answer",
    "recorded-by-telephone": "{unit} took a report of this child by telephone at {at}",
    "not-accepted": "{unit} did not accept a report of this child at {at}",
}


def _refuse_second(
    session: Session, actor: Actor, case_id: UUID, reference: str, status: str, now: datetime
) -> None:
    """Refuse a report where another stands: say whom to ring, and how it stands to parties alone."""
    row = session.execute(_REPORTED, {"case_id": case_id}).one_or_none()
    if row is None:
        return
    number, known = _to_ring(actor, row, "report-missing", status, now)
    ring = f"ring {row.name}{number}"
    if not _is_mine(session, actor, case_id):
        raise RingError(
            case_id,
            "report-open",
            f"Police have been told of a report with this reference: {ring}.",
            known,
        )
    stands = _STANDS[row.state].format(unit=row.name, at=said(row.state_since))
    raise RingError(
        case_id, "report-open",
        f"{stands}: {ring}, and send what you know as an update of {reference}.",
        {**known, "state": row.state, "since": row.state_since.isoformat(),
         "case_reference": reference},
    )  # fmt: skip


def _is_mine(session: Session, actor: Actor, case_id: UUID) -> bool:
    mine = {"case_id": case_id, "units": list(actor.unit_ids)}
    return session.execute(_MINE, mine).first() is not None


def _to_ring(
    actor: Actor, unit: Any, need: Need, status: str, now: datetime
) -> tuple[str, dict[str, Any]]:
    """Return the first number of a unit as a sentence ends with it, and whom to ring as data."""
    numbers = directory.contacts_for_unit(
        unit.unit_id, need, now, police=actor.police, status=status
    )
    return f" on {numbers[0].value}" if numbers else "", {
        "unit": {"code": unit.code, "name": unit.name},
        "ring": [{"value": one.value, "label": one.label, "note": one.note} for one in numbers],
    }


def _admit(
    session: Session, actor: Actor, vault: Vault, case_id: UUID, command: Command, now: datetime
) -> None:
    """Make the reporter's unit a party, where it is none that may report."""
    if _is_mine(session, actor, case_id):
        return
    part = "police" if actor.police else session.scalar(
        _SAME_COUNCIL, {"case_id": case_id, "organisation": actor.organisation_id}
    )  # fmt: skip
    session.execute(
        _ADMIT,
        {
            "case_id": case_id, "unit_id": actor.unit_id, "part": part or "reporter",
            "sees": "full" if part else "limited", "now": now,
        },
    )  # fmt: skip
    audit.record(
        session, actor.who, audit.DISCLOSURE, now=now, case_id=case_id, object_kind="case",
        object_id=case_id, reason_code=REASON, reason=command.purpose,
        detail={"unit": str(actor.unit_id)}, vault=vault,
    )  # fmt: skip
