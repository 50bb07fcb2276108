"""The placement of a case, and the plan agreed for it, as they stand on a day."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.clock import LONDON
from messaging import plans
from messaging.state import CaseState


@dataclass(frozen=True)
class PlacementState:
    """The latest placement of a case; its units are those that stand in their place now."""

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
    ended: bool


@dataclass(frozen=True)
class PlanState:
    """One version of the plan; its units are those that stand in their place now."""

    id: UUID
    placement_id: UUID
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
    sides: frozenset[UUID]
    """The police between whom it is."""
    police: frozenset[UUID]
    """The police of home and placement today."""
    answered_at: datetime | None
    answer_id: UUID | None
    answered_by_name: str | None

    def as_rules(self) -> plans.Plan:
        """Return it as the pure rules know it."""
        return plans.Plan(
            self.lead, self.state, self.review_on, self.placement_current, self.begins_on,
            self.sides, self.police,
        )  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """What is prepared in a case: its placement, the agreed plan, a version that is proposed."""

    placement: PlacementState | None
    agreed: PlanState | None
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
    def lapse(self) -> plans.Lapse | None:
        """Why the agreed plan is not in force; None where it is, or there is none."""
        return plans.lapse(self.agreed.as_rules(), self.today) if self.agreed else None

    @property
    def in_force(self) -> PlanState | None:
        """The plan in force."""
        return self.agreed if self.agreed and self.lapse is None else None


_PLACEMENT = text("""
SELECT l.*, m.number, m.sender_unit_id FROM placement l JOIN message m ON m.id = l.message_id
WHERE l.case_id = :case_id ORDER BY l.state = 'current' DESC, m.number DESC LIMIT 1
""")
_PLANS = text("""
SELECT p.*, m.number FROM plan p JOIN message m ON m.id = p.message_id
WHERE p.case_id = :case_id ORDER BY p.version
""")


def of_case(session: Session, case: CaseState) -> Prepared:
    """Return what is prepared in a case at its moment."""
    today = case.at.astimezone(LONDON).date()
    found = session.execute(_PLACEMENT, {"case_id": case.id}).one_or_none()
    if found is None:
        return Prepared(None, None, None, (), today)
    placement = PlacementState(
        found.id, found.message_id, found.number, case.standing(found.sender_unit_id),
        found.starts_on, found.ends_on, case.standing(found.destination_unit_id),
        case.standing(found.host_unit_id) if found.host_unit_id else None,
        found.emergency, found.at_a_distance, found.working_days_late,
        plans.placement_current(
            found.state == "ended", found.end_message_id is not None, found.ends_on, today
        ),
        found.state == "ended",
    )  # fmt: skip
    rows = session.execute(_PLANS, {"case_id": case.id}).all()
    versions = [_plan(case, row, placement) for row in rows]
    return Prepared(
        placement,
        next((one for one in versions if one.state == "agreed"), None),
        next((one for one in versions if one.state == "proposed"), None),
        tuple(versions),
        today,
    )


def _plan(case: CaseState, row: Any, placement: PlacementState) -> PlanState:
    by, other = case.standing(row.proposed_by_unit_id), case.standing(row.other_unit_id)
    home = case.standing(case.home) if case.home else None
    return PlanState(
        row.id, row.placement_id, row.version, row.message_id, row.number, by, other,
        case.standing(row.lead_unit_id), row.review_on, row.state,
        row.placement_id == placement.id and placement.current, placement.starts_on,
        frozenset(unit for unit in (by, other) if case.parties[unit].police),
        frozenset(unit for unit in (home, placement.destination) if unit),
        row.answered_at, row.answer_message_id, row.answered_by_name,
    )  # fmt: skip
