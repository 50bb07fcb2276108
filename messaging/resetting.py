"""An organisation resets its exercise: its cases are put out of sight, for everybody and for good.

Nothing is deleted: messages, receipts and the audit stay as they were. What is open in them ends in
the same moment: the lead, requests, questions, clocks, guest links, drafts. The database hides a
case that was reset from every query of the application (migration 0016), so no page and no job has
to think of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.db import new_id
from hub.errors import conflict, forbidden, invalid
from hub.identity import policy
from hub.identity.actor import Actor
from hub.identity.reach import reach_of
from hub.jobs import outbox
from hub.organisations import Organisation
from hub.records import audit
from hub.records.vault import Vault
from messaging import nudging
from messaging.reset_model import ExerciseReset, ExerciseResetCase

EXERCISE = "exercise"
TELL = "exercise-reset"
"""The job that has the others told that their part in an exercise is over."""

# What the organisation opened, and what goes on as one of those; what goes on as another's stays there.
_CASES = text("""
WITH RECURSIVE own AS (
    SELECT c.id FROM cases c JOIN unit u ON u.id = c.opener_unit_id
    WHERE c.status = 'exercise' AND u.organisation_id = :organisation AND c.joined_into_id IS NULL
    UNION
    SELECT c.id FROM own JOIN cases c ON c.joined_into_id = own.id
)
SELECT c.id, c.reference, c.opened_at, c.closed_at,
    EXISTS (SELECT FROM episode e WHERE e.case_id = c.id AND e.ended_at IS NULL) AS missing,
    ARRAY(SELECT DISTINCT o.name FROM party p JOIN unit u ON u.id = p.unit_id
        JOIN organisation o ON o.id = u.organisation_id
        WHERE p.case_id = c.id AND o.id <> :organisation ORDER BY o.name) AS others
FROM cases c JOIN own ON own.id = c.id ORDER BY c.id
""")
_HOLD = text("SELECT last_at FROM cases WHERE id = ANY(:cases) ORDER BY id FOR UPDATE")
_OVERTAKEN = (
    "SET state = 'overtaken', answered_at = :at, answered_by_name = :by WHERE state = 'open'"
)
_OF_EPISODE = "episode_id IN (SELECT id FROM episode WHERE case_id = ANY(:cases))"
_ENDS = tuple(
    text(statement)
    for statement in (
        f"UPDATE lead_request {_OVERTAKEN} AND {_OF_EPISODE}",
        f"UPDATE located_claim {_OVERTAKEN} AND {_OF_EPISODE}",
        f"UPDATE dispute {_OVERTAKEN} AND {_OF_EPISODE}",
        f"UPDATE direction {_OVERTAKEN} AND {_OF_EPISODE}",
        f"UPDATE information_request {_OVERTAKEN} AND case_id = ANY(:cases)",
        f"UPDATE action {_OVERTAKEN} AND case_id = ANY(:cases)",
        f"UPDATE tenure SET until = :at WHERE until IS NULL AND {_OF_EPISODE}",  # noqa: S608  # ours
        "UPDATE episode SET ended_at = :at, end_reason = 'reset'"
        " WHERE ended_at IS NULL AND case_id = ANY(:cases)",
        "UPDATE clock SET ended_at = :at WHERE case_id = ANY(:cases)"
        " AND met_at IS NULL AND ended_at IS NULL",
        "UPDATE guest_link SET revoked_at = :at FROM message m WHERE m.id = message_id"
        " AND m.case_id = ANY(:cases) AND used_at IS NULL AND revoked_at IS NULL",
    )
)
_DRAFTS = text("DELETE FROM draft WHERE case_id = ANY(:cases) RETURNING id")
_UNITS = text("""
SELECT DISTINCT p.unit_id FROM exercise_reset r
JOIN exercise_reset_case x ON x.reset_id = r.id JOIN party p ON p.case_id = x.case_id
JOIN unit u ON u.id = p.unit_id AND u.organisation_id <> r.organisation_id
WHERE r.id = :id ORDER BY 1
""")
_RESETS = text("""
SELECT r.at, o.name AS organisation, r.by_name, r.organisation_id = :organisation AS own,
    array_agg(x.reference ORDER BY x.reference) AS "references"
FROM exercise_reset r JOIN organisation o ON o.id = r.organisation_id
JOIN exercise_reset_case x ON x.reset_id = r.id
WHERE r.organisation_id = :organisation OR EXISTS (SELECT FROM party p
    WHERE p.case_id = x.case_id AND p.unit_id = ANY(:units))
GROUP BY r.id, o.name ORDER BY r.at DESC LIMIT 50
""")


@dataclass(frozen=True)
class ExerciseCase:
    """A case that a reset would put out of sight; `others` are the other organisations in it."""

    id: UUID
    reference: str
    opened_at: datetime
    closed_at: datetime | None
    missing: bool
    others: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True)
class Reset:
    """A reset on record: when, whose exercise, by whom, and those of its cases that one may know."""

    at: datetime
    organisation: str
    by_name: str
    own: bool
    references: Sequence[str]


def preview(session: Session, actor: Actor) -> list[ExerciseCase]:
    """Return the cases that a reset would put out of sight now, oldest first.

    Raises:
        HubError: 403 by the map, and to who is not signed in for the exercise.
    """
    policy.require(actor, "exercise.reset")
    if actor.status != EXERCISE:
        raise forbidden(
            "exercise-only", "Sign in for the exercise to reset it: nothing actual is ever reset."
        )
    rows = session.execute(_CASES, {"organisation": actor.organisation_id})
    return [ExerciseCase(*row) for row in rows]


def resets(session: Session, actor: Actor) -> list[Reset]:
    """Return the resets of the actor's organisation, and of exercises that their units took part in.

    Raises:
        HubError: 403 by the map.
    """
    policy.require(actor, "case.list")
    rows = session.execute(
        _RESETS, {"organisation": actor.organisation_id, "units": list(actor.unit_ids)}
    )
    return [Reset(*row) for row in rows]


def reset(
    session: Session, actor: Actor, vault: Vault, seen: Sequence[str], why: str, now: datetime
) -> int:
    """Put the exercise of the actor's organisation out of sight; return how many cases that were.

    `seen` are the references that the actor was shown. A repeat finds nothing, and changes nothing.

    Raises:
        HubError: 403 as `preview`; 422 `why`; 409 `exercise-moved` when there are others by now.
    """
    found = preview(session, actor)
    if not why.strip():
        raise invalid("why", "Say why: it stays on record.", "/why")
    held = session.scalars(_HOLD, {"cases": [case.id for case in found]}).all()
    found = preview(session, actor)
    if not found:
        return 0
    if {case.reference for case in found} != set(seen):
        raise conflict(
            "exercise-moved",
            "Cases were opened or joined since you looked: look at the list again.",
        )
    cases = [case.id for case in found]
    at = max([now, *held])
    for end in _ENDS:
        session.execute(end, {"cases": cases, "at": at, "by": actor.name})
    for draft in session.scalars(_DRAFTS, {"cases": cases}).all():
        vault.destroy_key(session, draft, now=now)
    assert actor.organisation_id is not None  # noqa: S101  # signed in
    one = ExerciseReset(
        id=new_id(), organisation_id=actor.organisation_id, at=at, by_name=actor.name
    )
    session.add(one)
    session.flush()
    for case in found:
        audit.record(
            session, actor.who, "exercise.reset", now=at, case_id=case.id, object_kind="case",
            object_id=case.id, reason=why.strip()[:500], detail={"reset": str(one.id)}, vault=vault,
        )  # fmt: skip
        session.add(ExerciseResetCase(case_id=case.id, reset_id=one.id, reference=case.reference))
    session.flush()
    outbox.enqueue(session, TELL, one.id, now=now)
    return len(found)


def told(
    session: Session, reset_id: UUID, now: datetime
) -> tuple[nudging.Told, list[nudging.Target]]:
    """Return what the other organisations of a reset exercise are told, and where."""
    one = session.get_one(ExerciseReset, reset_id)
    of = session.get_one(Organisation, one.organisation_id)
    units = list(session.scalars(_UNITS, {"id": reset_id}))
    reaches = reach_of(session, units, EXERCISE, now)
    targets: list[nudging.Target] = []
    for unit in units:
        if reaches[unit] == "staffed":
            targets += nudging.of_unit(session, unit, EXERCISE, now, urgent=False)
    said = nudging.Told(
        "the exercise was reset", "An exercise that your unit took part in was reset: nothing is"
        " expected of you in it any more.", of.name, EXERCISE, urgent=False, path="/exercise",
    )  # fmt: skip
    return said, targets
