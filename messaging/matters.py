"""What is open in a case beside the offer of the lead: disputes, directions, questions, alarms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from hub.identity.reach import reach_of
from messaging import alarms, owing
from messaging.actions import LINE
from messaging.alarms import Step
from messaging.model import Message
from messaging.state import CaseState


@dataclass(frozen=True)
class DisputeView:
    """The open dispute over who leads."""

    message_id: UUID
    number: int
    by: UUID
    other: UUID
    opened_at: datetime
    due_at: datetime | None


@dataclass(frozen=True)
class DirectionView:
    """A direction that waits for its acknowledgement; until then the old lead leads."""

    message_id: UUID
    number: int
    to: UUID
    to_reach: str
    opened_at: datetime
    due_at: datetime | None


@dataclass(frozen=True)
class QuestionView:
    """A question that waits for its answer: of whom, by when (None until they are told)."""

    message_id: UUID
    number: int
    asked_by: UUID
    to: UUID
    to_reach: str
    immediate: bool
    needed_by: datetime
    told: bool


@dataclass(frozen=True)
class Matters:
    """Everything of the kind that is open, for a party that sees the whole case."""

    dispute: DisputeView | None = None
    direction: DirectionView | None = None
    questions: list[QuestionView] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    incidents: list[owing.Incident] = field(default_factory=list)
    owed: list[owing.Step] = field(default_factory=list)
    """The statutory steps that the reader owes, or may see."""
    unjudged: bool = False
    """It waits for an adjudicator, and nobody on the hub may be one in this case now (6)."""

    @property
    def units(self) -> set[UUID]:
        """The units that are named."""
        named = {one.told for one in self.steps} | {one.owed_by for one in self.steps}
        named |= {one.owed_by for one in self.owed}
        named |= {one.asked_by for one in self.questions} | {one.to for one in self.questions}
        if self.dispute:
            named |= {self.dispute.by, self.dispute.other}
        if self.direction:
            named.add(self.direction.to)
        return {one for one in named if one is not None}


def of_case(session: Session, case: CaseState, mine: frozenset[UUID], full: bool) -> Matters:
    """Return what is open; a party of less than the whole case sees its own questions alone."""
    questions = _questions(session, case)
    incidents = owing.incidents(session, case.id)
    steps = [step for one in incidents for step in one.steps]
    reported = case.opener in mine or bool(case.report and case.report.reporter in mine)
    unjudged = case.to_adjudicate and not alarms.adjudicators(session, case.id, case.at)
    if not full:
        return Matters(
            questions=[one for one in questions if one.to in mine or one.asked_by in mine],
            steps=_told_in_part(session, case, mine, reported=reported and case.report is not None),
            incidents=incidents if reported else [],
            owed=[one for one in steps if reported or one.owed_by in mine],
            unjudged=reported and unjudged,
        )
    return Matters(
        _dispute(session, case), _direction(session, case), questions,
        _told(session, case, mine), incidents, steps, unjudged,
    )  # fmt: skip


def _told(session: Session, case: CaseState, mine: frozenset[UUID]) -> list[Step]:
    """Return the steps up of missed clocks; those of live lines are for police alone (4.8)."""
    police = any(case.parties[unit].police for unit in mine if unit in case.parties)
    return [one for one in alarms.steps_of(session, case.id) if police or one.kind != LINE]


def _told_in_part(
    session: Session, case: CaseState, mine: frozenset[UUID], *, reported: bool
) -> list[Step]:
    """Return the steps up because nobody answers a report, to its reporter, or what mine sent (4.2).

    That a report was not opened is not among them: its outcome is what is owed.
    """
    sent = select(Message.id).where(
        Message.case_id == case.id, Message.sender_unit_id.in_(mine),
        Message.type.not_in(("missing-episode-report", "supervisor-request")),
    )  # fmt: skip
    ours = set(session.scalars(sent))
    return [
        step
        for step in alarms.steps_of(session, case.id)
        if step.message_id in ours
        or (reported and step.kind in ("report-outcome", "supervisor-decision"))
    ]


def _dispute(session: Session, case: CaseState) -> DisputeView | None:
    if case.episode is None or case.episode.dispute_id is None:
        return None
    row = session.execute(
        text("""
            SELECT d.message_id, m.number, d.by_unit_id, d.other_unit_id, d.opened_at, k.due_at
            FROM dispute d JOIN message m ON m.id = d.message_id
            LEFT JOIN clock k ON k.message_id = d.message_id AND k.kind LIKE 'dispute-%'
            WHERE d.id = :id
        """),
        {"id": case.episode.dispute_id},
    ).one()
    return DisputeView(*row)


def _direction(session: Session, case: CaseState) -> DirectionView | None:
    if case.episode is None or case.episode.direction_id is None:
        return None
    row = session.execute(
        text("""
            SELECT d.message_id, m.number, d.to_unit_id, d.opened_at, k.due_at
            FROM direction d JOIN message m ON m.id = d.message_id
            LEFT JOIN clock k ON k.message_id = d.message_id AND k.kind = 'direction'
            WHERE d.id = :id
        """),
        {"id": case.episode.direction_id},
    ).one()
    reach = reach_of(session, [row.to_unit_id], case.status, case.at)[row.to_unit_id]
    return DirectionView(
        row.message_id, row.number, row.to_unit_id, reach, row.opened_at, row.due_at
    )


def _questions(session: Session, case: CaseState) -> list[QuestionView]:
    rows = session.execute(
        text("""
            SELECT i.message_id, m.number, i.from_unit_id, i.to_unit_id, i.immediate, i.needed_by,
                EXISTS (SELECT FROM receipt r WHERE r.message_id = i.message_id
                    AND r.unit_id = i.to_unit_id AND r.kind = 'told-by-telephone') AS told
            FROM information_request i JOIN message m ON m.id = i.message_id
            WHERE i.case_id = :id AND i.state = 'open'
            ORDER BY i.needed_by, m.number, i.to_unit_id
        """),
        {"id": case.id},
    ).all()
    reaches: Mapping[UUID, str] = (
        reach_of(session, {row.to_unit_id for row in rows}, case.status, case.at) if rows else {}
    )
    return [
        QuestionView(
            row.message_id, row.number, row.from_unit_id, row.to_unit_id,
            reaches[row.to_unit_id], row.immediate, row.needed_by, row.told,
        )
        for row in rows
    ]  # fmt: skip
