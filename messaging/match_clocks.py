"""The clock of a match: whoever is in charge on each side rings the other, and says what is so (4.10).

A case has one, however many matches it has: it runs until this side has answered each of them, by
asking to join the cases or declining that, or by saying that it is another child.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hub.db import new_id
from messaging import clocks
from messaging.act import clock_settings
from messaging.model import Clock, LeadRequest

KIND = "match"

_OWES = """NOT s.denied_here AND NOT EXISTS (
    SELECT FROM lead_request q JOIN episode e ON e.id = q.episode_id
    WHERE q.match_id = s.match_id
        AND (q.state = 'declined' OR q.state = 'open' AND e.case_id = s.case_id))"""
_OWED = text(f"""
SELECT DISTINCT ON (s.case_id) s.case_id, s.message_id, o.ring_id AS unit_id
FROM match_side s JOIN match_side o ON o.match_id = s.match_id AND o.case_id = s.other_id
WHERE (s.match_id = ANY(CAST(:matches AS uuid[])) OR s.case_id = CAST(:case AS uuid)) AND {_OWES}
ORDER BY s.case_id, s.opened_at DESC
""")  # noqa: S608  # of constants alone
_SETTLE = text(f"""
UPDATE clock SET met_at = CASE WHEN :met THEN CAST(:at AS timestamptz) END,
    ended_at = CASE WHEN :met THEN NULL ELSE CAST(:at AS timestamptz) END
WHERE id IN (
    SELECT k.id FROM clock k
    WHERE k.kind = '{KIND}' AND k.met_at IS NULL AND k.ended_at IS NULL AND k.case_id IN (
            SELECT CAST(:case AS uuid)
            UNION SELECT m.one_case_id FROM match m WHERE m.state = 'open' AND m.other_case_id = :case
            UNION SELECT m.other_case_id FROM match m WHERE m.state = 'open' AND m.one_case_id = :case)
        AND NOT EXISTS (SELECT FROM match_side s WHERE s.case_id = k.case_id AND {_OWES})
    ORDER BY k.case_id, k.id FOR UPDATE)
""")  # noqa: S608  # of constants alone


def start(session: Session, matches: Sequence[UUID], at: datetime) -> None:
    """Start the clocks of both sides of new matches; one that runs and was not missed covers them.

    In the order of cases, so that two matches at once never wait for each other.
    """
    if matches:
        _start(session, {"matches": list(matches), "case": None}, at)


def start_again(session: Session, request_id: UUID | None, case_id: UUID, at: datetime) -> None:
    """Have a case owe an answer again that had asked to join, and took that back."""
    if session.scalar(select(LeadRequest.match_id).where(LeadRequest.id == request_id)):
        _start(session, {"matches": [], "case": case_id}, at)


def _start(session: Session, of: dict[str, object], at: datetime) -> None:
    owed = session.execute(_OWED, of).all()
    settings = clock_settings(session, {row.unit_id for row in owed})
    for row in owed:
        due = clocks.due(KIND, at, settings[row.unit_id])
        times = {"owed_by_unit_id": row.unit_id, "started_at": at, "due_at": due,
                 "escalates_at": due}  # fmt: skip
        clock = session.scalar(
            select(Clock)
            .where(Clock.case_id == row.case_id, Clock.kind == KIND)
            .order_by(Clock.id)
            .limit(1)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if clock is None:
            session.execute(
                insert(cast(Table, Clock.__table__))
                .values(
                    id=new_id(), case_id=row.case_id, kind=KIND, message_id=row.message_id,
                    step=0, **times,
                )
                .on_conflict_do_nothing()
            )  # fmt: skip
        elif clock.met_at or clock.ended_at or clock.missed_at:
            for name, value in times.items():
                setattr(clock, name, value)
            clock.step, clock.met_at, clock.ended_at, clock.missed_at = 0, None, None, None
    session.flush()


def settle(session: Session, case_id: UUID, at: datetime, *, met: bool = True) -> None:
    """Stop the clocks of a case, and of those it is matched with, that owe no answer any more.

    Not `met`, there is nothing left to answer.
    """
    session.execute(_SETTLE, {"case": case_id, "at": at, "met": met})


def still_owed(session: Session, clock: Clock, now: datetime) -> bool:
    """Say whether a match is still to be answered, and have whoever is in charge now owe it.

    What is answered otherwise, or closed on the other side, ends the clock.
    """
    row = session.execute(_OWED, {"matches": [], "case": clock.case_id}).one_or_none()
    if row is None:
        clock.ended_at = now
    else:
        clock.owed_by_unit_id = row.unit_id
    session.flush()
    return row is not None
