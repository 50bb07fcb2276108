"""Missed clocks, one step up at a time: who is told, and who has to ring whom (DOMAIN.md 6).

Each step is taken under the case's lock, so that an answer and an alarm never cross.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.orm import Session

from hub.identity.reach import first_on_hub, reach
from hub.jobs import outbox
from hub.organisations import lineage
from hub.records import audit
from messaging import escalation, match_clocks
from messaging.act import clock_settings
from messaging.model import Clock, Escalation, LeadRequest
from messaging.state import load_other

ALARM_JOB = "alarm"
ADJUDICATE_JOB = "adjudicate"
MOST_AT_ONCE = 100
URGENT = ("report-outcome", "located-answer", "direction", "supervisor-decision", "match")
"""Clocks of what is urgent whatever its message's priority."""
ON_SCREENS = (*URGENT, "shift-end", "review-high", "ukmpu")
"""Clocks that alarm on screens once they are missed: what is urgent, and gravest of a lead's duties."""

_DUE = text("""
SELECT k.id, k.case_id FROM clock k JOIN cases c ON c.id = k.case_id
WHERE k.escalates_at <= :now AND k.met_at IS NULL AND k.ended_at IS NULL
ORDER BY k.escalates_at LIMIT :most
""")


def escalate(session: Session, now: datetime, *, most: int = MOST_AT_ONCE) -> int:
    """Take the next step of every clock that is due for one; return how many there were."""
    taken = 0
    for row in session.execute(_DUE, {"now": now, "most": most}).all():
        locked = session.execute(
            text("SELECT id FROM cases WHERE id = :id FOR UPDATE SKIP LOCKED"), {"id": row.case_id}
        ).first()
        if locked is None:
            continue  # somebody acts on the case: the clock comes round again
        clock = session.get(Clock, row.id, with_for_update=True, populate_existing=True)
        if clock is not None and _due(clock, now):
            _step(session, clock, now)
            taken += 1
    return taken


def _due(clock: Clock, now: datetime) -> bool:
    return (
        clock.met_at is None
        and clock.ended_at is None
        and clock.escalates_at is not None
        and clock.escalates_at <= now
    )


def _step(session: Session, clock: Clock, now: datetime) -> None:
    if clock.kind == match_clocks.KIND and not match_clocks.still_owed(session, clock, now):
        return
    owed_by = clock.owed_by_unit_id
    settings = clock_settings(session, [owed_by])[owed_by]
    step = clock.step + 1
    rung = escalation.rung(clock.kind, step)
    clock.missed_at = clock.missed_at or now
    if rung is None:
        clock.escalates_at = None
        session.flush()
        return
    clock.step = step
    clock.escalates_at = escalation.next_at(clock.kind, step, now, settings)
    if rung == "repeat":
        clock.due_at = clock.escalates_at
        session.execute(
            update(LeadRequest)
            .where(LeadRequest.message_id == clock.message_id, LeadRequest.state == "open")
            .values(
                request_no=func.greatest(
                    LeadRequest.request_no, escalation.request_number(clock.kind, step)
                )
            )
        )
    session.add(
        Escalation(
            clock_id=clock.id, step=step, case_id=clock.case_id, rung=rung,
            unit_id=_told(session, clock, rung), at=now,
        )
    )  # fmt: skip
    session.flush()
    audit.record(
        session, audit.SYSTEM, "clock.missed", now=now, case_id=clock.case_id,
        object_kind="message", object_id=clock.message_id,
        detail={"kind": clock.kind, "step": step, "rung": rung},
    )  # fmt: skip
    outbox.enqueue(
        session, ALARM_JOB, clock.id, now=now,
        dedupe_key=f"{ALARM_JOB}:{clock.id}:{now.timestamp():.6f}",
    )  # fmt: skip
    if rung == "adjudicator":
        outbox.enqueue(session, ADJUDICATE_JOB, clock.message_id, now=now)


def _told(session: Session, clock: Clock, rung: escalation.Rung) -> UUID | None:
    """Return the unit that a step tells: the debtor, or its force; an adjudicator is of no unit."""
    if rung == "adjudicator" or clock.owed_by_unit_id is None:
        return None
    if rung in ("control-room", "coordinator"):
        return lineage(session, clock.owed_by_unit_id)[-1]
    return clock.owed_by_unit_id


@dataclass(frozen=True)
class Step:
    """One step that was taken: which clock of which message, who owes it, who was told, when.

    `next_at` is when the one after it comes, if the clock still runs; `running` is whether it does,
    and has not started afresh since.
    """

    message_id: UUID
    kind: str
    step: int
    rung: str
    owed_by: UUID | None
    told: UUID | None
    at: datetime
    next_at: datetime | None
    running: bool


def steps_of(session: Session, case_id: UUID) -> list[Step]:
    """Return the steps that were taken in a case, latest first."""
    rows = session.execute(
        select(Escalation, Clock)
        .join(Clock, Clock.id == Escalation.clock_id)
        .where(Escalation.case_id == case_id)
        .order_by(Escalation.at.desc(), Escalation.step.desc())
    )
    return [
        Step(
            clock.message_id, clock.kind, one.step, one.rung, clock.owed_by_unit_id, one.unit_id,
            one.at, clock.escalates_at, clock.met_at is None and clock.ended_at is None
            and clock.started_at is not None and clock.started_at <= one.at,
        )
        for one, clock in rows
    ]  # fmt: skip


@dataclass(frozen=True)
class Concerned:
    """Whom a missed clock concerns, by its case's reference, and which step up it has come to.

    `directed_by` is the organisation whose adjudicator directed what nobody has acknowledged.
    """

    case_id: UUID
    reference: str
    status: str
    units: tuple[UUID, ...]
    owed_by: UUID | None
    rung: str | None
    urgent: bool
    directed_by: UUID | None = None


def concerned(session: Session, clock_id: UUID, now: datetime) -> Concerned | None:
    """Return whom to tell of a missed clock, while it runs: the debtor, its step, who waits.

    A lead that is not on the hub, after the return too, is rung whether it owes or waits: by the lead
    before it, or else by the home unit, or else by whoever opened the case, by the first of them that
    is on the hub (4.5).
    """
    row = session.execute(
        text("""
            SELECT c.id, c.reference, c.status, k.owed_by_unit_id, m.priority, k.kind,
                (SELECT d.adjudicator_organisation_id FROM direction d
                    WHERE d.message_id = m.id AND k.kind = 'direction') AS directed_by,
                (SELECT x.rung FROM escalation x WHERE x.clock_id = k.id
                    ORDER BY x.at DESC LIMIT 1) AS rung,
                CASE WHEN k.kind <> 'match' AND EXISTS (SELECT FROM party p WHERE p.case_id = c.id
                    AND p.unit_id = m.sender_unit_id) THEN m.sender_unit_id END AS waits,
                (SELECT ARRAY(SELECT b.unit_id FROM tenure b WHERE b.episode_id = x.id
                        AND b.unit_id <> k.owed_by_unit_id ORDER BY b.number DESC)
                    FROM (SELECT e.id FROM tenure t
                        JOIN episode e ON e.id = t.episode_id AND e.ended_at IS NULL
                        WHERE e.case_id = c.id AND t.until IS NULL AND t.unit_id = k.owed_by_unit_id
                        UNION SELECT v.episode_id FROM interview v
                        WHERE v.opened_by_message_id = m.id AND v.kind = 'prevention'
                            AND k.kind = 'prevention-interview') x LIMIT 1) AS before,
                ARRAY(SELECT x.unit_id FROM escalation x WHERE x.clock_id = k.id
                    AND x.unit_id IS NOT NULL) AS told
            FROM clock k JOIN cases c ON c.id = k.case_id JOIN message m ON m.id = k.message_id
            WHERE k.id = :id AND k.met_at IS NULL AND k.ended_at IS NULL
        """),
        {"id": clock_id},
    ).one_or_none()
    if row is None:
        return None
    units = dict.fromkeys([row.owed_by_unit_id, *row.told, row.waits])
    units[_stands_by(session, row, now)] = None
    return Concerned(
        row.id, row.reference, row.status, tuple(unit for unit in units if unit),
        row.owed_by_unit_id, row.rung, row.priority == "urgent" or row.kind in URGENT,
        row.directed_by,
    )  # fmt: skip


def _stands_by(session: Session, row: Row[Any], now: datetime) -> UUID | None:
    """Return who rings a lead that is away, and owes what is missed or waits for it; None if none is."""

    def away(unit: UUID | None) -> bool:
        return unit is not None and reach(session, unit, row.status, now) == "not-on-hub"

    if row.before is not None and away(row.owed_by_unit_id):
        case = load_other(session, row.reference, now)
        ringers = case.ringers(row.owed_by_unit_id, row.before)
    elif away(row.waits):
        case = load_other(session, row.reference, now)
        if case.episode is None or case.episode.lead != case.standing(row.waits):
            return None
        ringers = case.ringers(row.waits, case.episode.before)
    else:
        return None
    return first_on_hub(session, ringers, row.status, now)


@dataclass(frozen=True)
class Undecided:
    """What waits for an adjudicator: in which case, and whether it is urgent now."""

    case_id: UUID
    reference: str
    status: str
    urgent: bool


_UNDECIDED = text("""
SELECT c.id, c.reference, c.status,
    bool_or(k.kind LIKE '%-urgent' OR k.kind = ANY(:urgent)) AS urgent
FROM message m JOIN cases c ON c.id = m.case_id
JOIN clock k ON k.message_id = m.id AND k.kind = ANY(:kinds)
    AND k.met_at IS NULL AND k.ended_at IS NULL
WHERE m.id = :id GROUP BY c.id
""")


def undecided(session: Session, message_id: UUID) -> Undecided | None:
    """Return what waits for an adjudicator because of a message; None once it is settled."""
    row = session.execute(
        _UNDECIDED,
        {"id": message_id, "kinds": list(escalation.TO_ADJUDICATORS), "urgent": list(URGENT)},
    ).one_or_none()
    return None if row is None else Undecided(*row)


@dataclass(frozen=True)
class Adjudicator:
    """Somebody who may decide in a case, at one unit of theirs."""

    person_id: UUID
    email: str
    unit_id: UUID
    organisation_id: UUID


_ADJUDICATORS = text("""
SELECT p.id, p.email, u.id, u.organisation_id
FROM cases c JOIN person p ON p.suspended_at IS NULL AND p.status = c.status
JOIN membership b ON b.person_id = p.id AND b.role = 'adjudicator' AND b.valid_from <= :now
    AND (b.valid_to IS NULL OR b.valid_to > :now)
JOIN unit u ON u.id = b.unit_id
WHERE c.id = :case AND u.organisation_id NOT IN (SELECT x.organisation_id FROM party y
    JOIN unit x ON x.id = y.unit_id WHERE y.case_id = c.id AND y.sees = 'full')
ORDER BY p.id, u.id
""")


def adjudicators(session: Session, case_id: UUID, now: datetime) -> list[Adjudicator]:
    """Return who can decide in a case now (DOMAIN.md 2).

    Nobody of an organisation that sees the whole case does: it may be a side.
    """
    rows = session.execute(_ADJUDICATORS, {"case": case_id, "now": now})
    return [Adjudicator(*row) for row in rows]
