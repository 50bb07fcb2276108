"""The placement of a case, and the plan agreed for it, as they stand on a day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.clock import LONDON
from messaging import plans
from messaging.state import CaseState


@dataclass(frozen=True)
class PlacementState:
    """A placement of a case; its units are those that stand in their place now."""

    id: UUID
    message_id: UUID
    number: int
    told_by: UUID
    starts_on: date
    ends_on: date | None
    destination: UUID
    host: UUID | None
    emergency: bool
    at_a_distance: bool
    working_days_late: int
    current: bool
    """It is not over; one that is told ahead is current before it begins."""
    ended: bool
    end_id: UUID | None
    """The message that ended it, or says when it ends."""
    called_off: bool
    """It was taken back before its first day, and never began."""


@dataclass(frozen=True)
class PlanState:
    """One version of the plan; its units are those that stand in their place now."""

    id: UUID
    placements: frozenset[UUID]
    """The placement that it was made for, and those that follow it with the same police."""
    version: int
    message_id: UUID
    number: int
    proposed_by: UUID
    other: UUID
    lead: UUID
    review_on: date
    state: plans.State
    placement_current: bool
    begins_on: date
    destination: UUID
    home: UUID | None
    sides: frozenset[UUID]
    """The police between whom it is."""
    answered_at: datetime | None
    answer_id: UUID | None
    answered_by_name: str | None

    def as_rules(self) -> plans.Plan:
        """Return it as the pure rules know it."""
        return plans.Plan(
            self.lead, self.state, self.review_on, self.placement_current, self.begins_on,
            self.sides, frozenset(unit for unit in (self.home, self.destination) if unit),
        )  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """What is prepared in a case: placements, the agreed plan of each, a version that is proposed."""

    placement: PlacementState | None
    """Where the child is placed, or is to be; or was last."""
    following: PlacementState | None
    """Where they move to from there, as it was told ahead."""
    agreed: PlanState | None
    """What is agreed for where the child is, or else was agreed before."""
    agreed_following: PlanState | None
    """What is agreed for the move, where its police are others."""
    proposed: PlanState | None
    every: tuple[PlanState, ...]
    """Every version of the plan, the first one first."""
    today: date

    @property
    def versions(self) -> int:
        """How many versions there have been."""
        return len(self.every)

    @property
    def current(self) -> PlacementState | None:
        """The placement, where it is current."""
        return self.placement if self.placement and self.placement.current else None

    @property
    def end_told(self) -> date | None:
        """The last day of where the child is, as it was told; not the day before a move."""
        now, then = self.current, self.following
        if now is None or now.end_id is None or now.ends_on is None:
            return None
        moved = then is not None and then.starts_on == now.ends_on + timedelta(days=1)
        return None if moved else now.ends_on

    def last_day_of(self, plan: PlanState) -> date | None:
        """Return the last day of what a plan is for, where its end was told; else None."""
        its = [p for p in (self.current, self.following) if p and p.id in plan.placements]
        return its[-1].ends_on if its and its[-1].end_id else None

    @property
    def to_plan(self) -> PlacementState | None:
        """The placement that a plan is made for now: of a move told ahead, where other police answer."""
        now, then = self.current, self.following
        return then if now and then and then.destination != now.destination else now

    @property
    def lapse(self) -> plans.Lapse | None:
        """Why the agreed plan is not in force; None where it is, or there is none."""
        return self.lapse_of(self.agreed) if self.agreed else None

    def lapse_of(self, plan: PlanState) -> plans.Lapse | None:
        """Return why a plan is not in force, or None where it is."""
        return plans.lapse(plan.as_rules(), self.today)

    @property
    def in_force(self) -> PlanState | None:
        """The plan in force."""
        return self.agreed if self.agreed and self.lapse is None else None


_PLACEMENTS = text("""
SELECT l.*, m.number, m.sender_unit_id, e.sent_at AS end_told_at
FROM placement l JOIN message m ON m.id = l.message_id
LEFT JOIN message e ON e.id = l.end_message_id
WHERE l.case_id = :case_id ORDER BY m.number
""")
_PLANS = text("""
SELECT p.*, m.number FROM plan p JOIN message m ON m.id = p.message_id
WHERE p.case_id = :case_id ORDER BY p.version
""")


def of_case(session: Session, case: CaseState) -> Prepared:
    """Return what is prepared in a case at its moment."""
    today = case.at.astimezone(LONDON).date()
    rows = session.execute(_PLACEMENTS, {"case_id": case.id}).all()
    told = [_placement(case, row, today) for row in rows]
    if not told:
        return Prepared(None, None, None, None, None, (), today)
    live = sorted((one for one in told if one.current), key=lambda one: one.starts_on)
    now = live[0] if live else max(told, key=lambda one: (not one.called_off, one.number))
    then = live[1] if len(live) > 1 else None
    rows = session.execute(_PLANS, {"case_id": case.id}).all()
    versions = [_plan(case, row, told) for row in rows]
    agreed = [one for one in versions if one.state == "agreed"]
    for_now, for_then = _last_for(now, agreed), _last_for(then, agreed)
    of_others = [one for one in agreed if one is not for_then]
    for_now = for_now or (of_others[-1] if of_others else None)
    return Prepared(
        now,
        then,
        for_now,
        None if for_then is for_now else for_then,
        next((one for one in versions if one.state == "proposed"), None),
        tuple(versions),
        today,
    )


def _last_for(placement: PlacementState | None, versions: Iterable[PlanState]) -> PlanState | None:
    found = [one for one in versions if placement and placement.id in one.placements]
    return found[-1] if found else None


def _placement(case: CaseState, row: Any, today: date) -> PlacementState:
    return PlacementState(
        row.id, row.message_id, row.number, case.standing(row.sender_unit_id),
        row.starts_on, row.ends_on, case.standing(row.destination_unit_id),
        case.standing(row.host_unit_id) if row.host_unit_id else None,
        row.emergency, row.at_a_distance, row.working_days_late,
        plans.placement_current(
            row.state == "ended", row.end_message_id is not None, row.ends_on, today
        ),
        row.state == "ended", row.end_message_id,
        row.state == "ended" and row.ends_on is None
        and row.end_told_at.astimezone(LONDON).date() < row.starts_on,
    )  # fmt: skip


def _plan(case: CaseState, row: Any, told: Sequence[PlacementState]) -> PlanState:
    by, other = case.standing(row.proposed_by_unit_id), case.standing(row.other_unit_id)
    its = _goes_on_for(row.placement_id, told)
    live = [one for one in its if one.current]
    return PlanState(
        row.id, frozenset(one.id for one in its), row.version, row.message_id, row.number, by, other,
        case.standing(row.lead_unit_id), row.review_on, row.state, bool(live),
        min(one.starts_on for one in live or its), its[0].destination,
        case.standing(case.home) if case.home else None,
        frozenset(unit for unit in (by, other) if case.parties[unit].police),
        row.answered_at, row.answer_message_id, row.answered_by_name,
    )  # fmt: skip


def _goes_on_for(placement_id: UUID, told: Sequence[PlacementState]) -> list[PlacementState]:
    """Return the placement that a plan was made for, and those that follow it with the same police."""
    found = [one for one in told if one.id == placement_id]
    for one in told:
        if (one.message_id, one.destination) == (found[-1].end_id, found[-1].destination):
            found.append(one)
    return found
