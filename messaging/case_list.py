"""The list of cases: those that a reader's units are parties of, without content."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.identity import policy
from hub.identity.actor import Actor


@dataclass(frozen=True)
class CaseRow:
    """One line of the list of cases; risk and report are for those who see the whole case."""

    id: UUID
    reference: str
    status: str
    opened_at: datetime
    closed_at: datetime | None
    lead: str | None
    lead_id: UUID | None
    risk: str | None
    report_state: str | None
    last_at: datetime
    contested: bool = False
    """Another open case may be of the same child."""
    asked_only: bool = False
    """The reader answers an enquiry and is no party: who leads is not shown (4.8)."""


_CASES = text("""
SELECT c.id, c.reference, c.status, c.opened_at, c.closed_at, CASE WHEN p.told THEN u.name END AS lead,
    CASE WHEN p.told THEN u.id END AS lead_id, CASE WHEN p.is_full THEN e.risk END AS risk,
    (SELECT r.state FROM report r WHERE r.case_id = c.id
            AND (p.is_full OR r.reporter_unit_id = ANY(:units) OR r.addressed_unit_id = ANY(:units))
        ORDER BY r.id DESC LIMIT 1) AS report_state, c.last_at,
    p.is_full AND EXISTS (SELECT FROM match_side s WHERE s.case_id = c.id) AS contested,
    NOT p.told AS asked_only
FROM cases c JOIN LATERAL (SELECT bool_or(p.sees = 'full') AS is_full, bool_or(is_told(p)) AS told
    FROM party p
    WHERE p.case_id = c.id AND p.unit_id = ANY(:units)) p ON p.is_full IS NOT NULL
LEFT JOIN episode e ON e.case_id = c.id AND e.ended_at IS NULL
LEFT JOIN tenure t ON t.episode_id = e.id AND t.until IS NULL
LEFT JOIN unit u ON u.id = t.unit_id
WHERE (CAST(:status AS text) IS NULL OR c.status = :status)
    AND (CAST(:open AS boolean) IS NULL OR (c.closed_at IS NULL) = :open)
    AND (CAST(:before AS uuid) IS NULL OR c.id < :before)
    AND (CAST(:reference AS text) IS NULL OR c.reference = :reference)
    AND (CAST(:keys AS bytea[]) IS NULL OR EXISTS (
        SELECT FROM child_key k JOIN message g ON g.id = k.message_id
        WHERE k.case_id = c.id AND k.key = ANY(CAST(:keys AS bytea[]))
            AND (p.is_full OR g.sender_unit_id = ANY(:units) OR EXISTS (
                SELECT FROM recipient r WHERE r.message_id = g.id AND r.unit_id = ANY(:units)))))
ORDER BY c.id DESC LIMIT :most
""")


def cases(
    session: Session,
    actor: Actor,
    *,
    before: UUID | None = None,
    open_: bool | None = None,
    status: str | None = None,
    reference: str | None = None,
    keys: Sequence[bytes] | None = None,
    most: int = 50,
) -> list[CaseRow]:
    """Return the cases that the actor's units are parties of, newest first; no content.

    `keys` are blind keys (matching): only cases that are found by one of them, of a message that
    the reader may see.

    Raises:
        HubError: 403 by the map.
    """
    policy.require(actor, "case.list")
    rows = session.execute(
        _CASES,
        {
            "units": list(actor.unit_ids),
            "status": actor.status or status,
            "open": open_,
            "before": before,
            "reference": reference,
            "keys": list(keys) if keys is not None else None,
            "most": most,
        },
    )
    return [CaseRow(*row) for row in rows]
