"""When a unit is superseded, what it had open in cases is its successor's (DOMAIN.md 4.1d).

The lead moves with its named officer, in one step; until then the old unit leads. What was said
and done stays the old unit's: messages, receipts and past tenures are history.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hub.clock import LONDON
from hub.db import error_for
from hub.logs import get_logger
from hub.records import audit
from messaging import guest_links

log = get_logger(__name__)

AT_ONCE = 200

_HEIRS = text("""
WITH RECURSIVE heir AS (
    SELECT id AS unit_id, superseded_by_id AS heir_id FROM unit
    WHERE valid_to <= :today AND superseded_by_id IS NOT NULL
    UNION
    SELECT heir.unit_id, u.superseded_by_id FROM heir JOIN unit u ON u.id = heir.heir_id
    WHERE u.valid_to <= :today AND u.superseded_by_id IS NOT NULL
)
SELECT heir.unit_id, heir.heir_id FROM heir JOIN unit u ON u.id = heir.heir_id
WHERE u.valid_to IS NULL OR u.valid_to > :today ORDER BY 1
""")

# A case that goes on, or was joined to one that does, whose party is no more and whose heir has no
# part in it, or that has something open there.
_CASES = text("""
WITH RECURSIVE going AS (
    SELECT id FROM cases WHERE closed_at IS NULL
    UNION ALL SELECT c.id FROM going JOIN cases c ON c.joined_into_id = going.id
), gone AS (SELECT * FROM unnest(CAST(:units AS uuid[]), CAST(:heirs AS uuid[])) g(unit_id, heir_id))
SELECT DISTINCT p.case_id FROM gone JOIN party p ON p.unit_id = gone.unit_id
JOIN cases c ON c.id = p.case_id AND c.id IN (SELECT id FROM going)
WHERE NOT EXISTS (SELECT FROM party h WHERE h.case_id = p.case_id AND h.unit_id = gone.heir_id)
    OR c.home_unit_id = gone.unit_id
    OR EXISTS (SELECT FROM episode e JOIN tenure t ON t.episode_id = e.id AND t.until IS NULL
        WHERE e.case_id = c.id AND t.unit_id = gone.unit_id)
    OR EXISTS (SELECT FROM episode e JOIN lead_request q ON q.episode_id = e.id AND q.state = 'open'
        WHERE e.case_id = c.id AND gone.unit_id IN (q.to_unit_id, q.from_unit_id))
    OR EXISTS (SELECT FROM report r WHERE r.case_id = c.id AND r.addressed_unit_id = gone.unit_id
        AND r.state IN ('awaiting-police', 'recorded-by-telephone', 'not-accepted'))
    OR EXISTS (SELECT FROM episode e JOIN dispute d ON d.episode_id = e.id AND d.state = 'open'
        WHERE e.case_id = c.id AND gone.unit_id IN (d.by_unit_id, d.other_unit_id))
    OR EXISTS (SELECT FROM episode e JOIN direction w ON w.episode_id = e.id AND w.state = 'open'
        WHERE e.case_id = c.id AND w.to_unit_id = gone.unit_id)
    OR EXISTS (SELECT FROM information_request i WHERE i.case_id = c.id AND i.state = 'open'
        AND gone.unit_id IN (i.to_unit_id, i.from_unit_id))
    OR EXISTS (SELECT FROM meeting g JOIN meeting_attendee a ON a.meeting_id = g.id
        AND a.dropped_at IS NULL WHERE g.case_id = c.id AND g.state = 'called'
        AND gone.unit_id IN (a.unit_id, g.convenor_unit_id))
    OR EXISTS (SELECT FROM action x WHERE x.case_id = c.id AND x.owner_unit_id = gone.unit_id
        AND x.state = 'open')
    OR EXISTS (SELECT FROM clock k WHERE k.case_id = c.id AND k.owed_by_unit_id = gone.unit_id
        AND k.met_at IS NULL AND k.ended_at IS NULL)
ORDER BY 1 LIMIT :most
""")
_LOCK = text("""
UPDATE cases SET last_at = greatest(last_at, :now) WHERE id IN (
    SELECT id FROM cases WHERE id = :case_id AND (closed_at IS NULL OR joined_into_id IS NOT NULL)
    FOR UPDATE SKIP LOCKED)
RETURNING last_at, status
""")

_STEPS = tuple(
    text(statement)
    for statement in (
        # The heir sees what its forerunners saw, the widest of it.
        """INSERT INTO party (case_id, unit_id, part, sees, since)
            SELECT case_id, :heir, part, sees, :at FROM party
            WHERE case_id = :case_id AND unit_id = :unit
            ON CONFLICT (case_id, unit_id) DO UPDATE SET part = EXCLUDED.part, sees = EXCLUDED.sees
            WHERE party.sees = 'limited' AND EXCLUDED.sees = 'full'""",
        "UPDATE cases SET home_unit_id = :heir WHERE id = :case_id AND home_unit_id = :unit",
        """UPDATE report SET addressed_unit_id = :heir
            WHERE case_id = :case_id AND addressed_unit_id = :unit
            AND state IN ('awaiting-police', 'recorded-by-telephone', 'not-accepted')""",
        # Both sides of an offer have become one unit: there is nothing left to move.
        """UPDATE clock SET ended_at = :at FROM lead_request q JOIN episode e ON e.id = q.episode_id
            WHERE e.case_id = :case_id AND q.state = 'open' AND clock.message_id = q.message_id
            AND clock.met_at IS NULL AND clock.ended_at IS NULL
            AND ((q.to_unit_id = :unit AND q.from_unit_id = :heir)
                OR (q.from_unit_id = :unit AND q.to_unit_id = :heir))""",
        """UPDATE lead_request SET state = 'overtaken', answered_at = :at,
                answered_by_unit_id = :heir, answered_by_name = :hub
            FROM episode e WHERE e.id = episode_id AND e.case_id = :case_id AND state = 'open'
            AND ((to_unit_id = :unit AND from_unit_id = :heir)
                OR (from_unit_id = :unit AND to_unit_id = :heir))""",
        """UPDATE lead_request SET to_unit_id = CASE to_unit_id WHEN :unit THEN :heir ELSE to_unit_id END,
                from_unit_id = CASE from_unit_id WHEN :unit THEN :heir ELSE from_unit_id END
            FROM episode e WHERE e.id = episode_id AND e.case_id = :case_id AND state = 'open'
            AND :unit IN (to_unit_id, from_unit_id)""",
        # A dispute of one unit with itself, or a direction to who leads, has nothing left to decide.
        """UPDATE clock SET ended_at = :at FROM dispute d JOIN episode e ON e.id = d.episode_id
            WHERE e.case_id = :case_id AND d.state = 'open' AND clock.message_id = d.message_id
            AND clock.met_at IS NULL AND clock.ended_at IS NULL
            AND :unit IN (d.by_unit_id, d.other_unit_id)
            AND :heir IN (d.by_unit_id, d.other_unit_id)""",
        """UPDATE dispute SET state = 'overtaken', answered_at = :at,
                answered_by_unit_id = :heir, answered_by_name = :hub
            FROM episode e WHERE e.id = episode_id AND e.case_id = :case_id AND state = 'open'
            AND :unit IN (by_unit_id, other_unit_id) AND :heir IN (by_unit_id, other_unit_id)""",
        """UPDATE dispute SET by_unit_id = CASE by_unit_id WHEN :unit THEN :heir ELSE by_unit_id END,
                other_unit_id = CASE other_unit_id WHEN :unit THEN :heir ELSE other_unit_id END
            FROM episode e WHERE e.id = episode_id AND e.case_id = :case_id AND state = 'open'
            AND :unit IN (by_unit_id, other_unit_id)""",
        """UPDATE direction SET state = 'overtaken', answered_at = :at,
                answered_by_unit_id = :heir, answered_by_name = :hub
            FROM episode e JOIN tenure t ON t.episode_id = e.id AND t.until IS NULL
            WHERE e.id = direction.episode_id AND e.case_id = :case_id AND direction.state = 'open'
            AND ((direction.to_unit_id = :unit AND t.unit_id = :heir)
                OR (direction.to_unit_id = :heir AND t.unit_id = :unit))""",
        """UPDATE direction SET to_unit_id = :heir FROM episode e
            WHERE e.id = episode_id AND e.case_id = :case_id AND state = 'open'
            AND to_unit_id = :unit""",
        """UPDATE information_request SET state = 'overtaken', answered_at = :at,
                answered_by_unit_id = :heir, answered_by_name = :hub
            WHERE case_id = :case_id AND state = 'open' AND (
                (to_unit_id = :unit AND from_unit_id = :heir)
                OR (from_unit_id = :unit AND to_unit_id = :heir)
                OR (to_unit_id = :unit AND EXISTS (SELECT FROM information_request other
                    WHERE other.message_id = information_request.message_id
                        AND other.to_unit_id = :heir)))""",
        """UPDATE information_request SET
                to_unit_id = CASE to_unit_id WHEN :unit THEN :heir ELSE to_unit_id END,
                from_unit_id = CASE from_unit_id WHEN :unit THEN :heir ELSE from_unit_id END
            WHERE case_id = :case_id AND state = 'open' AND :unit IN (to_unit_id, from_unit_id)""",
        """UPDATE interview SET owed_by_unit_id = :heir FROM episode e
            WHERE e.id = episode_id AND e.case_id = :case_id AND state = 'owed'
            AND owed_by_unit_id = :unit""",
        """UPDATE clock SET ended_at = :at WHERE case_id = :case_id
            AND met_at IS NULL AND ended_at IS NULL AND (
                kind = 'direction' AND EXISTS (SELECT FROM direction w
                    WHERE w.message_id = clock.message_id AND w.state = 'overtaken')
                OR kind IN ('enquiry', 'enquiry-urgent') AND EXISTS (
                    SELECT FROM information_request i WHERE i.message_id = clock.message_id
                        AND i.to_unit_id = clock.owed_by_unit_id AND i.state = 'overtaken'))""",
        """UPDATE clock SET ended_at = :at WHERE case_id = :case_id AND owed_by_unit_id = :unit
            AND met_at IS NULL AND ended_at IS NULL AND EXISTS (
                SELECT FROM clock other WHERE other.message_id = clock.message_id
                AND other.kind = clock.kind AND other.owed_by_unit_id = :heir
                AND other.action_id IS NOT DISTINCT FROM clock.action_id)""",
        """UPDATE action SET owner_unit_id = :heir WHERE case_id = :case_id
            AND owner_unit_id = :unit AND state = 'open'""",
        """UPDATE meeting SET convenor_unit_id = :heir WHERE case_id = :case_id
            AND convenor_unit_id = :unit AND state = 'called'""",
        """UPDATE meeting_attendee a SET unit_id = :heir FROM meeting g
            WHERE g.id = a.meeting_id AND g.case_id = :case_id AND g.state = 'called'
            AND a.unit_id = :unit AND NOT EXISTS (SELECT FROM meeting_attendee h
                WHERE h.meeting_id = g.id AND h.unit_id = :heir)""",
        """UPDATE meeting_attendee a SET dropped_at = :at FROM meeting g
            WHERE g.id = a.meeting_id AND g.case_id = :case_id AND g.state = 'called'
            AND a.unit_id = :unit AND a.dropped_at IS NULL""",
        """UPDATE clock SET owed_by_unit_id = :heir WHERE case_id = :case_id
            AND owed_by_unit_id = :unit AND met_at IS NULL AND ended_at IS NULL""",
    )
)
_TENURE = text("""
WITH old AS (
    UPDATE tenure SET until = :at FROM episode e
    WHERE e.id = tenure.episode_id AND e.case_id = :case_id AND e.ended_at IS NULL
        AND tenure.until IS NULL AND tenure.unit_id = :unit
    RETURNING tenure.*
)
INSERT INTO tenure (id, episode_id, number, unit_id, officer_name, officer_rank, officer_collar,
    on_duty_until, since, basis, message_id)
SELECT gen_random_uuid(), episode_id, number + 1, :heir, officer_name, officer_rank,
    officer_collar, on_duty_until, :at, 'superseded', message_id FROM old
RETURNING episode_id
""")


class Heir(NamedTuple):
    """A unit that is no more, and the one that stands in its place."""

    unit_id: UUID
    heir_id: UUID


def take_over(session: Session, now: datetime) -> int:
    """Hand what units that are no more have in open cases to their successors.

    A case that somebody holds at this moment waits for the next time. Returns how many cases.
    """
    today = now.astimezone(LONDON).date()
    heirs = [Heir(*row) for row in session.execute(_HEIRS, {"today": today})]
    if not heirs:
        return 0
    pairs: dict[str, Any] = {
        "units": [one.unit_id for one in heirs],
        "heirs": [one.heir_id for one in heirs],
    }
    done = 0
    for case_id in session.scalars(_CASES, {**pairs, "most": AT_ONCE}).all():
        try:
            with session.begin_nested():
                done += _take_over_all(session, case_id, heirs, now)
        except IntegrityError as error:
            # One case that cannot be taken over keeps no other from it.
            log.warning("case-not-taken-over", case_id=str(case_id), code=error_for(error).code)
    return done


def _take_over_all(session: Session, case_id: UUID, heirs: list[Heir], now: datetime) -> bool:
    case = session.execute(_LOCK, {"case_id": case_id, "now": now}).one_or_none()
    if case is None:
        return False
    for heir in heirs:
        _take_over(session, case_id, heir, case.status, case.last_at)
    return True


def _take_over(session: Session, case_id: UUID, heir: Heir, status: str, at: datetime) -> None:
    party = session.scalar(
        text("SELECT 1 FROM party WHERE case_id = :case_id AND unit_id = :unit"),
        {"case_id": case_id, "unit": heir.unit_id},
    )
    if party is None:
        return
    values = {
        "case_id": case_id, "unit": heir.unit_id, "heir": heir.heir_id, "at": at,
        "hub": audit.SYSTEM.name,
    }  # fmt: skip
    for step in _STEPS:
        session.execute(step, values)
    led = session.scalar(_TENURE, values)
    guest_links.revoke_for_unit(session, heir.unit_id, status, at)
    audit.record(
        session, audit.SYSTEM, "case.taken-over", now=at, case_id=case_id, object_kind="unit",
        object_id=heir.heir_id, detail={"from": str(heir.unit_id), "lead": led is not None},
    )  # fmt: skip
