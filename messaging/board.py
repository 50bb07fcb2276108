"""The board of a unit: its open cases, what alarms first, then what is due first; no content.

Names of children are in messages, and no message is read here: a board is no consultation
(DOMAIN.md 4.12).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.identity import policy
from hub.identity.actor import Actor
from messaging.alarms import ON_SCREENS

PAGE = 50
RISKS = ("high", "medium", "low", "no-apparent-risk")


@dataclass(frozen=True)
class BoardRow:
    """An open case. `next_*` is the clock that is due first; `owed_by` None owes an adjudicator.

    Risk, offers, disputes and questions are for those who see the whole case; who leads is not for
    those who answer an enquiry alone (`asked_only`).
    """

    case_id: UUID
    reference: str
    status: str
    opened_at: datetime
    lead: str | None
    lead_id: UUID | None
    officer: str | None
    home: str | None
    risk: str | None
    report_state: str | None
    next_kind: str | None
    next_due_at: datetime | None
    owed_by: str | None
    owed_by_id: UUID | None
    alarm: bool
    offered_to: str | None
    request_no: int | None
    disputed: bool
    directed_to: str | None
    questions: int
    asked_only: bool
    contested: bool

    @property
    def cursor(self) -> tuple[bool, str, str]:
        """Where the row stands on the board."""
        due = self.next_due_at.isoformat() if self.next_due_at else "infinity"
        return not self.alarm, due, str(self.case_id)


@dataclass(frozen=True)
class Wanted:
    """Which cases: those of some units (None: all of the actor's), of a risk."""

    within: frozenset[UUID] | None = None
    risk: str | None = None


_MINE = """
WITH mine AS (
    SELECT p.case_id, bool_or(p.sees = 'full') AS is_full, bool_or(is_told(p)) AS told
    FROM party p JOIN cases c ON c.id = p.case_id
    WHERE p.unit_id = ANY(:units) AND c.closed_at IS NULL
        AND (CAST(:status AS text) IS NULL OR c.status = :status)
    GROUP BY p.case_id
)
"""
_PAGE = """
, running AS (
    SELECT mine.case_id, min(k.due_at) AS due_at, bool_or(k.missed_at IS NOT NULL AND (
        k.kind LIKE '%-urgent' OR k.kind = ANY(:alarming))) AS alarm
    FROM mine JOIN clock k ON k.case_id = mine.case_id AND k.met_at IS NULL AND k.ended_at IS NULL
        AND (mine.is_full OR k.owed_by_unit_id = ANY(:units) OR
            k.kind IN ('report-outcome', 'supervisor-decision') AND EXISTS (SELECT FROM report r
                WHERE r.case_id = mine.case_id AND r.reporter_unit_id = ANY(:units)))
        AND (:police OR k.kind <> 'live-line')
    GROUP BY mine.case_id
), due AS (
    SELECT mine.case_id, mine.is_full, mine.told, coalesce(k.due_at, 'infinity') AS sort_at,
        NOT coalesce(k.alarm, false) AS quiet
    FROM mine LEFT JOIN episode e ON e.case_id = mine.case_id AND e.ended_at IS NULL
    LEFT JOIN running k ON k.case_id = mine.case_id
    WHERE CAST(:risk AS text) IS NULL OR mine.is_full AND e.risk = :risk
), page AS (
    SELECT * FROM due
    WHERE CAST(:after_id AS uuid) IS NULL OR (quiet, sort_at, case_id)
        > (CAST(:after_quiet AS boolean), CAST(:after_at AS timestamptz), CAST(:after_id AS uuid))
    ORDER BY quiet, sort_at, case_id LIMIT :most
)
SELECT c.id, c.reference, c.status, c.opened_at, CASE WHEN page.told THEN u.name END AS lead,
    CASE WHEN page.told THEN u.id END AS lead_id,
    CASE WHEN page.is_full THEN t.officer_name END AS officer,
    CASE WHEN page.told THEN h.name END AS home,
    CASE WHEN page.is_full THEN e.risk END AS risk,
    (SELECT r.state FROM report r WHERE r.case_id = c.id AND (page.is_full
            OR r.reporter_unit_id = ANY(:units) OR r.addressed_unit_id = ANY(:units))
        ORDER BY r.id DESC LIMIT 1) AS report_state,
    k.kind AS next_kind, k.due_at AS next_due_at, o.name AS owed_by, o.id AS owed_by_id,
    NOT page.quiet AS alarm, q.name AS offered_to, q.request_no,
    page.is_full AND EXISTS (SELECT FROM dispute d
        WHERE d.episode_id = e.id AND d.state = 'open') AS disputed,
    w.name AS directed_to,
    (SELECT count(DISTINCT i.message_id) FROM information_request i
        WHERE i.case_id = c.id AND i.state = 'open' AND (page.is_full
            OR i.to_unit_id = ANY(:units) OR i.from_unit_id = ANY(:units))) AS questions,
    NOT page.told AS asked_only,
    page.is_full AND EXISTS (SELECT FROM match_side s WHERE s.case_id = c.id) AS contested
FROM page JOIN cases c ON c.id = page.case_id
LEFT JOIN episode e ON e.case_id = c.id AND e.ended_at IS NULL
LEFT JOIN tenure t ON t.episode_id = e.id AND t.until IS NULL
LEFT JOIN unit u ON u.id = t.unit_id
LEFT JOIN unit h ON h.id = c.home_unit_id
LEFT JOIN LATERAL (
    SELECT k.kind, k.due_at, k.owed_by_unit_id FROM clock k
    WHERE k.case_id = c.id AND k.met_at IS NULL AND k.ended_at IS NULL AND k.due_at IS NOT NULL
        AND (page.is_full OR k.owed_by_unit_id = ANY(:units) OR
            k.kind IN ('report-outcome', 'supervisor-decision') AND EXISTS (SELECT FROM report r
                WHERE r.case_id = c.id AND r.reporter_unit_id = ANY(:units)))
        AND (:police OR k.kind <> 'live-line')
    ORDER BY k.due_at, k.kind LIMIT 1
) k ON true
LEFT JOIN unit o ON o.id = k.owed_by_unit_id
LEFT JOIN LATERAL (SELECT x.name, l.request_no FROM lead_request l JOIN unit x ON x.id = l.to_unit_id
    WHERE page.is_full AND l.episode_id = e.id AND l.state = 'open') q ON true
LEFT JOIN LATERAL (SELECT x.name FROM direction d JOIN unit x ON x.id = d.to_unit_id
    WHERE page.is_full AND d.episode_id = e.id AND d.state = 'open') w ON true
ORDER BY page.quiet, page.sort_at, page.case_id
"""
# Whatever changes a row is a message of its case, which has a number, a clock that starts, stops, is
# missed or due at another time, with a message or without (somebody opens one), a tenure, or a match.
_DIFFERS = """
SELECT count(*), coalesce(sum(c.last_message_no), 0),
    (SELECT coalesce(sum(hash_record(ROW(k.case_id, k.kind, k.owed_by_unit_id, k.due_at,
            k.missed_at IS NULL))::bigint), 0)
        FROM mine JOIN clock k ON k.case_id = mine.case_id AND k.met_at IS NULL AND k.ended_at IS NULL),
    coalesce(sum(hashtext(coalesce(t.unit_id::text, ''))::bigint), 0),
    (SELECT count(*) FROM match_side s JOIN mine ON mine.case_id = s.case_id)
FROM mine JOIN cases c ON c.id = mine.case_id
LEFT JOIN episode e ON e.case_id = c.id AND e.ended_at IS NULL
LEFT JOIN tenure t ON t.episode_id = e.id AND t.until IS NULL
"""
_BOARD, _MARK = text(_MINE + _PAGE), text(_MINE + _DIFFERS)


def board(
    session: Session,
    actor: Actor,
    wanted: Wanted | None = None,
    *,
    after: tuple[bool, str, str] | None = None,
    most: int = PAGE,
) -> list[BoardRow]:
    """Return the open cases of the actor's units, `after` a row's cursor.

    Raises:
        HubError: 403 by the map.
    """
    policy.require(actor, "case.list")
    wanted = wanted or Wanted()
    quiet, at, last = after or (None, None, None)
    rows = session.execute(
        _BOARD,
        {
            "units": list(
                actor.unit_ids if wanted.within is None else wanted.within & actor.unit_ids
            ),
            "status": actor.status,
            "police": actor.police,
            "alarming": list(ON_SCREENS),
            "risk": wanted.risk,
            "after_quiet": quiet,
            "after_at": at,
            "after_id": last,
            "most": most,
        },
    )
    return [BoardRow(*row) for row in rows]


def mark(session: Session, actor: Actor) -> str:
    """Return what differs once a row of the actor's board does.

    Raises:
        HubError: 403 by the map.
    """
    policy.require(actor, "case.list")
    found = session.execute(_MARK, {"units": list(actor.unit_ids), "status": actor.status}).one()
    return ".".join(str(part) for part in found)
