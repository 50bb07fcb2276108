"""What a case owes after a return, and to the UK Missing Persons Unit: read from the tables."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from messaging import returning


@dataclass(frozen=True)
class Step:
    """One statutory step of one episode: what, who owes it, by when, and what settled it.

    `kind` is its clock's. `asked_by` is the message that started it; `of_authority` says whether a
    council owes it, as it should a return home interview.
    """

    kind: str
    episode: int
    owed_by: UUID
    state: str
    due_at: datetime | None
    missed: bool
    asked_by: UUID
    record: UUID | None
    of_authority: bool
    id: UUID | None = None

    @property
    def interview(self) -> returning.Kind | None:
        """Which interview it is, if it is one."""
        return next((kind for kind, clock in returning.CLOCKS.items() if clock == self.kind), None)


@dataclass(frozen=True)
class Incident:
    """An episode as closing a case counts it, with its steps."""

    number: int
    opened_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    steps: tuple[Step, ...]
    missing: returning.Missing
    found_dead: bool = False


_EPISODES = text("""
SELECT e.id, e.number, e.opened_at, e.ended_at, e.end_reason, e.opened_by_message_id, e.found_dead,
    k.owed_by_unit_id, k.due_at, k.met_at IS NOT NULL AS told, k.missed_at IS NOT NULL AS missed
FROM episode e
LEFT JOIN clock k ON k.case_id = e.case_id AND k.message_id = e.opened_by_message_id
    AND k.kind = 'ukmpu'
WHERE e.case_id = :case_id ORDER BY e.number
""")
_INTERVIEWS = text("""
SELECT i.id, i.episode_id, i.kind, i.owed_by_unit_id, i.state, i.opened_by_message_id,
    i.record_message_id, k.due_at, k.missed_at IS NOT NULL AS missed,
    o.kind = 'local-authority' AS of_authority
FROM interview i JOIN episode e ON e.id = i.episode_id
JOIN unit u ON u.id = i.owed_by_unit_id JOIN organisation o ON o.id = u.organisation_id
LEFT JOIN clock k ON k.message_id = i.opened_by_message_id
    AND k.kind = CASE i.kind WHEN 'rhi' THEN 'rhi' ELSE 'prevention-interview' END
WHERE e.case_id = :case_id ORDER BY e.number, i.kind
""")


def incidents(session: Session, case_id: UUID) -> list[Incident]:
    """Return the episodes of a case, first to last, each with its statutory steps."""
    interviews: dict[UUID, list[Step]] = {}
    numbers = session.execute(_EPISODES, {"case_id": case_id}).all()
    if not numbers:
        return []
    by_id = {row.id: row.number for row in numbers}
    for row in session.execute(_INTERVIEWS, {"case_id": case_id}):
        kind: returning.Kind = "rhi" if row.kind == "rhi" else "prevention"
        interviews.setdefault(row.episode_id, []).append(
            Step(
                returning.CLOCKS[kind], by_id[row.episode_id], row.owed_by_unit_id, row.state,
                row.due_at, row.missed, row.opened_by_message_id, row.record_message_id,
                row.of_authority, row.id,
            )
        )  # fmt: skip
    found = []
    for row in numbers:
        steps = interviews.get(row.id, [])
        owed = row.end_reason in (None, "located") and row.owed_by_unit_id is not None
        due = row.due_at if owed and not row.told else None
        missing = returning.Missing(
            tuple(as_rules(step) for step in steps), row.opened_at, row.ended_at, due
        )
        over = due is not None and row.ended_at is not None and row.ended_at >= due
        if owed and (row.ended_at is None or over):
            steps = [
                *steps,
                Step(
                    "ukmpu", row.number, row.owed_by_unit_id,
                    "recorded" if row.told else "owed", row.due_at, row.missed,
                    row.opened_by_message_id, None, False,
                ),
            ]  # fmt: skip
        found.append(
            Incident(
                row.number,
                row.opened_at,
                row.ended_at,
                row.end_reason,
                tuple(steps),
                missing,
                row.found_dead,
            )
        )
    return found


def of_joined(session: Session, case_id: UUID) -> list[Incident]:
    """Return the episodes of a case that was joined to another, with the interviews that they owe.

    The UK Missing Persons Unit is told of the child once: in the case that goes on.
    """
    return [
        replace(
            one, steps=tuple(step for step in one.steps if step.interview),
            missing=replace(one.missing, ukmpu_due=None),
        )
        for one in incidents(session, case_id)
    ]  # fmt: skip


def as_rules(step: Step) -> returning.Interview:
    """Return an interview as the pure rules know it."""
    assert step.interview is not None  # noqa: S101  # asked of interviews alone
    state: returning.State = "owed"
    if step.state in ("recorded", "not-done"):
        state = "recorded" if step.state == "recorded" else "not-done"
    return returning.Interview(step.interview, step.owed_by, state, step.record)


def interviews(found: Iterable[Incident]) -> list[Step]:
    """Return the interviews of episodes."""
    return [step for one in found for step in one.steps if step.interview]


def outstanding(found: Iterable[Incident]) -> list[Step]:
    """Return the steps of ended episodes that have neither a record nor a reason."""
    return [
        step
        for one in found
        if one.ended_at is not None
        for step in one.steps
        if step.state == "owed"
    ]
