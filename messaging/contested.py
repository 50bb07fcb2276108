"""Cases that may be of one child, as their readers are told of it: whom to ring, and no more (4.10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from hub.identity.actor import Actor


@dataclass(frozen=True)
class Contested:
    """An open match of a case: the unit to ring, who has said that it is another child.

    `reference` is the other case's, for a reader who sees that one whole; None for all others.
    """

    match_id: UUID
    opened_at: datetime
    ring: UUID
    other_lead: UUID | None
    denied_here: bool
    denied_there: bool
    reference: str | None


_OF_CASE = text("""
SELECT s.match_id, s.opened_at, s.ring_id, s.other_lead_id, s.denied_here, s.denied_there,
    CASE WHEN EXISTS (SELECT FROM party p WHERE p.case_id = s.other_id AND p.sees = 'full'
        AND p.unit_id = ANY(CAST(:units AS uuid[]))) THEN s.other_reference END
FROM match_side s WHERE s.case_id = :case ORDER BY s.opened_at, s.match_id
""")
_INBOX = text("""
SELECT s.message_id, g.number, c.reference, c.status, 'match' AS type, 'urgent' AS priority,
    s.opened_at, f.name, f.id, u.name, u.id,
    CASE WHEN s.denied_here THEN 'waiting' ELSE 'answer' END AS need, k.due_at,
    NULL AS delivered_at, NULL AS read_at, NULL AS read_by, NULL AS acknowledged_at,
    NULL AS acknowledged_by, 1 AS request_no, coalesce(k.missed, false) AS missed,
    coalesce(k.missed, false) AS alarm, true AS unanswered
FROM match_told w JOIN match_side s ON s.match_id = w.match_id AND s.case_id = w.case_id
JOIN cases c ON c.id = s.case_id JOIN message g ON g.id = s.message_id
JOIN unit f ON f.id = s.ring_id JOIN unit u ON u.id = w.unit_id
LEFT JOIN LATERAL (SELECT min(k.due_at) AS due_at, bool_or(k.missed_at IS NOT NULL) AS missed
    FROM clock k WHERE k.kind = 'match' AND k.met_at IS NULL AND k.ended_at IS NULL
        AND k.case_id = CASE WHEN s.denied_here THEN s.other_id ELSE s.case_id END) k ON true
WHERE w.unit_id = ANY(CAST(:units AS uuid[]))
    AND (CAST(:status AS text) IS NULL OR c.status = :status)
ORDER BY s.opened_at, s.match_id
""")
_TOLD = text("""
SELECT w.unit_id, c.reference, c.status FROM match_told w JOIN cases c ON c.id = w.case_id
WHERE w.match_id = :match ORDER BY c.id, w.unit_id
""")


def of_case(session: Session, case_id: UUID, units: frozenset[UUID]) -> list[Contested]:
    """Return the open matches of a case, oldest first, for a reader of these units."""
    rows = session.execute(_OF_CASE, {"case": case_id, "units": list(units)})
    return [Contested(*row) for row in rows]


def of_inbox(session: Session, actor: Actor, status: str | None) -> Sequence[Row[Any]]:
    """Return the lines of the actor's units about matches, as the inbox has its lines.

    Each needs an answer until this side has said that it is another child, and waits then. It is due
    when the side that owes it next owes it: this one, or once this has denied it the other.
    """
    return session.execute(_INBOX, {"units": list(actor.unit_ids), "status": status}).all()


@dataclass(frozen=True)
class Told:
    """A unit that is told of a match, by the reference of its own case."""

    unit_id: UUID
    reference: str
    status: str


def told(session: Session, match_id: UUID) -> list[Told]:
    """Return whom an open match concerns, on both sides."""
    return [Told(*row) for row in session.execute(_TOLD, {"match": match_id})]
