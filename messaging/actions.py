"""Open actions of a case: whose they are, by when, and that the lead's go with the lead."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_PASS = text("""
WITH passed AS (
    UPDATE action SET owner_unit_id = :to
    WHERE case_id = :case AND of_lead AND state = 'open' RETURNING id
)
UPDATE clock SET owed_by_unit_id = :to FROM passed
WHERE clock.action_id = passed.id AND clock.met_at IS NULL AND clock.ended_at IS NULL
""")


def pass_on(session: Session, case_id: UUID, to: UUID) -> None:
    """Hand the open actions of the lead to the unit that leads now."""
    session.execute(_PASS, {"case": case_id, "to": to})


@dataclass(frozen=True)
class OpenAction:
    """An action that is not done: which of its record's, whose, by when; its words are there."""

    id: UUID
    message_id: UUID
    message_number: int
    number: int
    owner: UUID
    of_lead: bool
    due_at: datetime
    told: bool


_OPEN = text("""
SELECT x.id, x.message_id, m.number AS message_number, x.number, x.owner_unit_id, x.of_lead,
    x.due_at, k.started_at IS NOT NULL AS told
FROM action x JOIN message m ON m.id = x.message_id
LEFT JOIN clock k ON k.action_id = x.id AND k.ended_at IS NULL
WHERE x.case_id = :case AND x.state = 'open' ORDER BY x.due_at, m.number, x.number
""")


def open_actions(session: Session, case_id: UUID) -> list[OpenAction]:
    """Return the open actions of a case, the next due first."""
    return [OpenAction(*row) for row in session.execute(_OPEN, {"case": case_id})]
