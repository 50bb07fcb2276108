"""What needs my answer, what is new, what waits for others: references and times, no content."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.clock import utcnow
from hub.identity import policy
from hub.identity.actor import Actor
from messaging import clocks, contested
from messaging.alarms import ON_SCREENS
from messaging.effects.steps import supervises

LONGEST = 500


@dataclass(frozen=True)
class InboxRow:
    """One line of the inbox. `need` is answer, new or waiting; `due_at` None waits for a call.

    The facts are those of the unit that owes the next step: who opened and acknowledged it there.
    `alarm` is whether something urgent is overdue, its opening included.
    """

    message_id: UUID
    number: int
    reference: str
    status: str
    type: str
    priority: str
    sent_at: datetime
    from_unit: str
    from_unit_id: UUID
    to_unit: str
    to_unit_id: UUID
    need: str
    due_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    opened_by: str | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    request_no: int
    missed: bool
    alarm: bool
    unanswered: bool
    interview: bool = False
    to_ring: bool = False
    """Somebody who is not on the hub hears of it only when `to_unit` rings them (4.5)."""
    adds: bool = False
    """It has police look again at a report that they did not accept (4.2)."""
    decided_by: str | None = None
    """The supervisor, by rank or role and name, who did not accept the report either (4.2)."""
    decided_at: datetime | None = None
    judged: bool = False
    """It waits for the reader as an adjudicator; due and overdue are those of whoever owes it."""
    expires_at: datetime | None = None
    """When the live line of enquiry that is due is lost: later than `due_at`."""
    clock: str | None = None
    """The kind of the missed clock whose line it is: it asks for no answer to the message (6)."""
    clock_id: UUID | None = None

    def seconds_left(self, now: datetime) -> int | None:
        """Return how long there is for the answer; negative when it is overdue."""
        return int((self.due_at - now).total_seconds()) if self.due_at else None

    @property
    def cursor(self) -> tuple[str, bool, str]:
        """Where the line stands among those of its need."""
        due = self.due_at.isoformat() if self.due_at else "infinity"
        return due, self.priority != "urgent", str(self.clock_id or self.message_id)


@dataclass(frozen=True)
class Wanted:
    """Which lines: of a need, what is overdue or urgent, of types, of a unit, with some text.

    `within` are the units that lines are for, or by; None for all of the actor's.
    """

    need: str | None = None
    overdue: bool = False
    urgent: bool = False
    type: str | None = None
    status: str | None = None
    within: frozenset[UUID] | None = None
    text: str = ""


@dataclass(frozen=True)
class Counts:
    """How many lines there are of each need, how many are overdue, how many alarm."""

    answer: int = 0
    new: int = 0
    waiting: int = 0
    overdue: int = 0
    alarms: int = 0


_GOING = """
EXISTS (WITH RECURSIVE going AS (
        SELECT c.id, c.joined_into_id, c.closed_at FROM cases c WHERE c.id = {}
        UNION ALL SELECT n.id, n.joined_into_id, n.closed_at
        FROM going JOIN cases n ON n.id = going.joined_into_id)
    SELECT FROM going WHERE closed_at IS NULL)
"""
"""A case is open, or goes on as one that is."""

_LINES = f"""
WITH reports AS (
    SELECT coalesce((SELECT max(u.id::text)::uuid FROM message u
            WHERE u.case_id = r.case_id AND u.type = 'update' AND r.state = 'awaiting-police'
                AND EXISTS (SELECT FROM clock k WHERE k.message_id = u.id AND k.kind = 'report-outcome'
                    AND k.met_at IS NULL AND k.ended_at IS NULL)), r.message_id) AS message_id,
        r.case_id, r.addressed_unit_id, r.reporter_unit_id
    FROM report r WHERE r.state = 'awaiting-police'
), judged AS (
    SELECT d.message_id, m.case_id, d.by_unit_id AS asking
    FROM dispute d JOIN message m ON m.id = d.message_id WHERE d.state = 'open'
    UNION ALL
    SELECT DISTINCT CASE k.kind WHEN 'report-outcome' THEN r.message_id ELSE k.message_id END,
        k.case_id, CASE k.kind WHEN 'report-outcome' THEN r.reporter_unit_id ELSE m.sender_unit_id END
    FROM escalation e JOIN clock k ON k.id = e.clock_id
        AND k.kind IN ('lead-urgent', 'lead-routine', 'report-outcome')
    JOIN message m ON m.id = k.message_id
    LEFT JOIN reports r ON r.case_id = k.case_id
    WHERE e.rung = 'adjudicator' AND k.met_at IS NULL AND k.ended_at IS NULL
        AND CAST(:adjudicating AS uuid) IS NOT NULL
), asks AS (
    SELECT q.message_id, q.to_unit_id AS owing, q.from_unit_id AS asking
    FROM lead_request q WHERE q.state = 'open'
    UNION ALL
    SELECT message_id, addressed_unit_id, reporter_unit_id FROM reports
    UNION ALL
    SELECT l.message_id, t.unit_id, l.by_unit_id
    FROM located_claim l JOIN tenure t ON t.episode_id = l.episode_id AND t.until IS NULL
    WHERE l.state = 'open'
    UNION ALL
    SELECT w.message_id, w.to_unit_id, m.sender_unit_id
    FROM direction w JOIN message m ON m.id = w.message_id WHERE w.state = 'open'
    UNION ALL
    SELECT i.message_id, i.to_unit_id, i.from_unit_id
    FROM information_request i WHERE i.state = 'open'
    UNION ALL
    SELECT i.message_id, a.unit_id, g.convenor_unit_id
    FROM meeting g JOIN meeting_attendee a ON a.meeting_id = g.id AND a.dropped_at IS NULL
    JOIN meeting_invitation i ON i.meeting_id = g.id AND i.sequence = g.sequence
    WHERE {_GOING.format("g.case_id")} AND g.state = 'called' AND g.starts_at > :now
        AND a.unit_id <> g.convenor_unit_id
        AND NOT EXISTS (SELECT FROM meeting_reply r WHERE r.meeting_id = g.id
            AND r.unit_id = a.unit_id AND r.superseded_at IS NULL)
    UNION ALL
    SELECT i.message_id, g.convenor_unit_id, g.convenor_unit_id
    FROM meeting g JOIN meeting_invitation i ON i.meeting_id = g.id AND i.sequence = g.sequence
    WHERE {_GOING.format("g.case_id")} AND g.state = 'called' AND g.ends_at <= :now
    UNION ALL
    SELECT DISTINCT x.message_id, x.owner_unit_id, xm.sender_unit_id
    FROM action x JOIN message xm ON xm.id = x.message_id
    WHERE x.state = 'open' AND {_GOING.format("x.case_id")}
    UNION ALL
    SELECT k.message_id, k.owed_by_unit_id, m.sender_unit_id
    FROM clock k JOIN message m ON m.id = k.message_id
    WHERE k.kind = 'supervisor-decision' AND k.met_at IS NULL AND k.ended_at IS NULL
    UNION ALL
    SELECT DISTINCT v.opened_by_message_id, v.owed_by_unit_id, m.sender_unit_id
    FROM interview v JOIN message m ON m.id = v.opened_by_message_id WHERE v.state = 'owed'
    UNION ALL
    SELECT p.message_id, p.other_unit_id, p.proposed_by_unit_id
    FROM plan p WHERE p.state = 'proposed'
    UNION ALL
    SELECT j.message_id, CAST(:adjudicating AS uuid), j.asking FROM judged j
    WHERE CAST(:adjudicating AS uuid) IS NOT NULL AND NOT EXISTS (
        SELECT FROM party p JOIN unit u ON u.id = p.unit_id
        WHERE p.case_id = j.case_id AND p.sees = 'full' AND u.organisation_id = :organisation)
), mine AS (
    -- Whoever is no supervisor waits for theirs to decide on a report, as its reporter does (4.2).
    SELECT message_id, CASE WHEN :supervises OR NOT EXISTS (SELECT FROM message x
            WHERE x.id = asks.message_id AND x.type = 'supervisor-request')
        THEN 'answer' ELSE 'waiting' END AS need, owing, true AS asked, false AS to_ring,
        NULL::text AS clock, NULL::uuid AS clock_id FROM asks
    WHERE owing = ANY(:units) OR owing = CAST(:adjudicating AS uuid)
    UNION ALL
    SELECT message_id, 'waiting', owing, true, false, NULL, NULL FROM asks
    WHERE asking = ANY(:units) AND NOT owing = ANY(:units)
    UNION ALL
    SELECT message_id, 'answer', owed_by_unit_id, true, true, NULL, NULL FROM clock
    WHERE kind IN ('to-ring', 'to-ring-urgent') AND met_at IS NULL AND ended_at IS NULL
        AND owed_by_unit_id = ANY(:units)
    UNION ALL
    -- What is owed of the case itself has a line of its own, once it is missed.
    SELECT message_id, 'answer', owed_by_unit_id, true, false, kind, id FROM clock
    WHERE kind = ANY(:of_case) AND met_at IS NULL AND ended_at IS NULL AND missed_at IS NOT NULL
        AND owed_by_unit_id = ANY(:units)
    UNION ALL
    -- A report that police refused is its reporter's again, until a supervisor is asked (4.2).
    SELECT r.message_id, 'answer', r.reporter_unit_id, true, false, NULL, NULL
    FROM report r JOIN cases rc ON rc.id = r.case_id AND rc.closed_at IS NULL
    WHERE r.state = 'not-accepted' AND r.reporter_unit_id = ANY(:units)
        AND NOT EXISTS (SELECT FROM clock k WHERE k.case_id = r.case_id
            AND k.kind = 'supervisor-decision' AND k.met_at IS NULL AND k.ended_at IS NULL)
    UNION ALL
    -- What is urgent and was not opened in time waits for others too, whatever its type.
    SELECT k.message_id, 'waiting', k.owed_by_unit_id, false, false, NULL, NULL
    FROM clock k JOIN message m ON m.id = k.message_id
    WHERE k.kind = 'opened-urgent' AND k.met_at IS NULL AND k.ended_at IS NULL
        AND k.missed_at IS NOT NULL AND m.sender_unit_id = ANY(:units)
        AND NOT k.owed_by_unit_id = ANY(:units)
        AND NOT EXISTS (SELECT FROM asks WHERE asks.message_id = k.message_id
            AND asks.owing = k.owed_by_unit_id)
    UNION ALL
    SELECT r.message_id, 'new', r.unit_id, false, false, NULL, NULL FROM recipient r
    WHERE r.unit_id = ANY(:units)
        AND NOT EXISTS (SELECT FROM receipt a WHERE a.message_id = r.message_id
            AND a.unit_id = r.unit_id AND a.kind = CASE WHEN :client THEN 'acknowledged' ELSE 'opened' END)
        AND NOT EXISTS (SELECT FROM asks WHERE asks.message_id = r.message_id AND asks.owing = r.unit_id)
), lines AS (
    SELECT m.id, m.number, c.reference, m.status, m.type, line.priority, m.sent_at,
        s.name AS from_unit, s.id AS from_unit_id, o.name AS to_unit, o.id AS to_unit_id,
        mine.need, k.due_at, delivered.at AS delivered_at, opened.at AS opened_at,
        opened.who_name AS opened_by, acknowledged.at AS acknowledged_at,
        acknowledged.who_name AS acknowledged_by, coalesce(q.request_no, 1) AS request_no,
        coalesce(k.missed, false) AS missed, coalesce(k.alarm, false) AS alarm,
        mine.asked AS unanswered, EXISTS (SELECT FROM interview v WHERE v.opened_by_message_id = m.id
            AND v.owed_by_unit_id = mine.owing AND v.state = 'owed' AND mine.asked) AS interview,
        mine.to_ring, m.type = 'update' AND EXISTS (SELECT FROM clock a WHERE a.message_id = m.id
            AND a.kind = 'report-outcome' AND a.met_at IS NULL AND a.ended_at IS NULL) AS adds,
        line.judged, k.expires_at, mine.clock, mine.clock_id,
        coalesce(k.due_at, 'infinity') AS sort_at, line.priority <> 'urgent' AS sort_routine,
        coalesce(mine.clock_id, m.id) AS sort_id
    FROM mine
    JOIN message m ON m.id = mine.message_id
    JOIN cases c ON c.id = m.case_id
    JOIN unit s ON s.id = m.sender_unit_id
    JOIN unit o ON o.id = mine.owing
    LEFT JOIN lead_request q ON q.message_id = m.id
    CROSS JOIN LATERAL (SELECT mine.asked AND mine.owing IS NOT DISTINCT FROM CAST(:adjudicating AS uuid)
        AND EXISTS (SELECT FROM judged j WHERE j.message_id = m.id) AS judged,
        CASE WHEN mine.clock IS NULL THEN coalesce(q.priority, m.priority)
            WHEN mine.clock = ANY(:alarming) THEN 'urgent' ELSE 'routine' END AS priority) line
    LEFT JOIN LATERAL (
        SELECT min(k.due_at) FILTER (WHERE of.counts) AS due_at,
            min(x.due_at) FILTER (WHERE of.counts AND k.kind = 'live-line') AS expires_at,
            bool_or(k.missed_at IS NOT NULL AND of.counts) AS missed,
            bool_or(k.missed_at IS NOT NULL AND (of.counts OR of.opening) AND (
                line.priority = 'urgent' OR k.kind = ANY(:alarming))) AS alarm
        FROM clock k LEFT JOIN action x ON x.id = k.action_id, LATERAL (SELECT
            mine.clock IS NULL AND k.message_id = m.id AND k.kind LIKE 'opened%' AS opening,
            CASE WHEN mine.clock IS NOT NULL THEN k.id = mine.clock_id
            WHEN mine.to_ring THEN k.message_id = m.id AND k.kind IN ('to-ring', 'to-ring-urgent')
            WHEN mine.asked THEN k.message_id = m.id AND k.kind IN ('lead-urgent',
                    'lead-routine', 'located-answer', 'dispute-urgent', 'dispute-routine',
                    'direction', 'enquiry', 'enquiry-urgent', 'meeting-reply',
                    'meeting-reply-urgent', 'meeting-record', 'meeting-action', 'live-line',
                    'prevention-interview', 'rhi', 'supervisor-decision', 'plan-reply')
                OR k.kind = 'report-outcome' AND m.type IN ('missing-episode-report', 'update')
            ELSE k.message_id = m.id AND k.kind LIKE 'opened%' END AS counts) of
        WHERE k.case_id = m.case_id AND (coalesce(k.owed_by_unit_id, mine.owing) = mine.owing
                OR line.judged AND NOT of.opening)
            AND k.met_at IS NULL AND k.ended_at IS NULL) k ON true
    LEFT JOIN receipt delivered ON delivered.message_id = m.id
        AND delivered.unit_id = mine.owing AND delivered.kind = 'delivered'
    LEFT JOIN receipt opened ON opened.message_id = m.id
        AND opened.unit_id = mine.owing AND opened.kind = 'opened'
    LEFT JOIN receipt acknowledged ON acknowledged.message_id = m.id
        AND acknowledged.unit_id = mine.owing AND acknowledged.kind = 'acknowledged'
    WHERE (CAST(:status AS text) IS NULL OR m.status = :status)
        AND (CAST(:type AS text) IS NULL OR m.type = :type)
        AND (:urgent IS FALSE OR line.priority = 'urgent')
        AND (:text = '' OR strpos(c.reference, :text) > 0)
)
"""  # noqa: S608  # of constants alone: what readers ask for is bound
_NUMBERED = """
SELECT id, number, reference, status, type, priority, sent_at, from_unit, from_unit_id, to_unit,
    to_unit_id, need, due_at, delivered_at, opened_at, opened_by, acknowledged_at, acknowledged_by,
    request_no, missed, alarm, unanswered, interview, to_ring, adds, decided.who, decided.at, judged,
    expires_at, clock, clock_id
FROM (
    SELECT lines.*, row_number() OVER (PARTITION BY need ORDER BY sort_at, sort_routine, sort_id) AS place
    FROM lines
    WHERE (CAST(:need AS text) IS NULL OR need = :need) AND (:overdue IS FALSE OR missed OR alarm)
        AND (CAST(:after_id AS uuid) IS NULL OR (sort_at, sort_routine, sort_id)
            > (CAST(:after_at AS timestamptz), CAST(:after_routine AS boolean), CAST(:after_id AS uuid)))
) numbered
LEFT JOIN LATERAL (
    SELECT concat_ws(' ', d.sender_rank, d.sender_name) AS who, d.sent_at AS at
    FROM message s JOIN report r ON r.case_id = s.case_id AND r.message_id = s.id
    JOIN message d ON d.case_id = r.case_id AND d.type = 'report-not-accepted'
    JOIN message a ON a.id = d.in_reply_to AND a.type = 'supervisor-request'
    WHERE s.id = numbered.id AND r.state = 'not-accepted' AND NOT EXISTS (
        SELECT FROM message n WHERE n.case_id = d.case_id AND n.number > d.number
            AND (n.type = d.type OR EXISTS (SELECT FROM clock k WHERE k.message_id = n.id
                AND k.kind = 'report-outcome')))
) decided ON numbered.type = 'missing-episode-report'
WHERE place <= :most ORDER BY need, place
"""
_COUNTED = """
SELECT count(*) FILTER (WHERE need = 'answer') AS answer, count(*) FILTER (WHERE need = 'new') AS new,
    count(*) FILTER (WHERE need = 'waiting') AS waiting, count(*) FILTER (WHERE missed OR alarm) AS overdue,
    count(*) FILTER (WHERE alarm AND need <> 'waiting') AS alarms
FROM lines
"""
_ROWS, _COUNTS = text(_LINES + _NUMBERED), text(_LINES + _COUNTED)


def inbox(
    session: Session,
    actor: Actor,
    wanted: Wanted | None = None,
    *,
    now: datetime | None = None,
    after: tuple[str, bool, str] | None = None,
    most: int = LONGEST,
) -> list[InboxRow]:
    """Return the lines of the actor's units, what needs an answer first, by when it is due.

    So many of each need, `after` a line's cursor. A person's new messages leave when somebody of
    the unit opens them, a system's when it acknowledges them; so nothing is passed over, in
    whatever order it committed.

    Raises:
        HubError: 403 by the map.
    """
    policy.require(actor, "inbox.read")
    at, routine, last = after or (None, None, None)
    rows = session.execute(
        _ROWS,
        {
            **_asked(actor, wanted or Wanted(), now),
            "after_at": at,
            "after_routine": routine,
            "after_id": last,
            "most": most,
        },
    )
    found = [InboxRow(*row) for row in rows]
    asked = wanted or Wanted()
    matches = _matches(session, actor, asked) if after is None else []
    return [row for row in matches if asked.need in (None, row.need)] + found


def _matches(session: Session, actor: Actor, wanted: Wanted) -> list[InboxRow]:
    """Return the lines about cases that may be of one child, which come before all others."""
    if wanted.type:
        return []
    rows = contested.of_inbox(session, actor, actor.status or wanted.status)
    return [
        row
        for row in (InboxRow(*tuple(one)) for one in rows)
        if (row.missed or not wanted.overdue)
        and (wanted.within is None or row.to_unit_id in wanted.within)
        and wanted.text.upper() in row.reference
    ]


def counts(
    session: Session, actor: Actor, wanted: Wanted | None = None, *, now: datetime | None = None
) -> Counts:
    """Return how many lines there are; which need was wanted does not matter.

    Raises:
        HubError: 403 by the map.
    """
    policy.require(actor, "inbox.read")
    asked = wanted or Wanted()
    found = Counts(*session.execute(_COUNTS, _asked(actor, asked, now)).one())
    matches = _matches(session, actor, asked)
    needs = [row.need for row in matches]
    missed = [row.need for row in matches if row.missed]
    return replace(
        found,
        answer=found.answer + needs.count("answer"),
        waiting=found.waiting + needs.count("waiting"),
        overdue=found.overdue + len(missed),
        alarms=found.alarms + missed.count("answer"),
    )


def _asked(actor: Actor, wanted: Wanted, now: datetime | None) -> dict[str, object]:
    within = actor.unit_ids if wanted.within is None else actor.unit_ids & wanted.within
    return {
        "units": list(within),
        "client": actor.kind == "client",
        "adjudicating": actor.unit_id if "adjudicator" in actor.roles else None,
        "supervises": supervises(actor),
        "organisation": actor.organisation_id,
        "status": actor.status or wanted.status,
        "need": wanted.need,
        "overdue": wanted.overdue,
        "urgent": wanted.urgent,
        "type": wanted.type,
        "text": wanted.text.upper(),
        "of_case": list(clocks.OF_CASE),
        "alarming": list(ON_SCREENS),
        "now": now or utcnow(),
    }
