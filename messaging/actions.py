"""Actions of a case: whose they are, by when, what came of them; the lead's go with the lead."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

LINE = "live-line"
"""The kind of clock of a live line of enquiry: an action of the lead's, for police alone (4.8)."""

_PASS = text("""
WITH RECURSIVE one AS (
    SELECT CAST(:case AS uuid) AS id
    UNION SELECT c.id FROM one JOIN cases c ON c.joined_into_id = one.id
), passed AS (
    UPDATE action SET owner_unit_id = :to
    WHERE case_id IN (SELECT id FROM one) AND of_lead AND state = 'open' RETURNING id
)
UPDATE clock SET owed_by_unit_id = :to FROM passed
WHERE clock.action_id = passed.id AND clock.met_at IS NULL AND clock.ended_at IS NULL
""")


def pass_on(session: Session, case_id: UUID, to: UUID) -> None:
    """Hand the open actions of the lead to the unit that leads now, those of joined cases too."""
    session.execute(_PASS, {"case": case_id, "to": to})


@dataclass(frozen=True)
class Action:
    """An action: which of its record's, whose, by when; its words are there."""

    id: UUID
    message_id: UUID
    message_number: int
    number: int
    owner: UUID
    of_lead: bool
    due_at: datetime
    told: bool
    state: str = "open"
    answered_at: datetime | None = None
    answered_by: str | None = None
    line: bool = False


_ACTIONS = text("""
SELECT x.id, x.message_id, m.number AS message_number, x.number, x.owner_unit_id, x.of_lead,
    x.due_at, k.started_at IS NOT NULL AS told, x.state, x.answered_at, x.answered_by_name,
    EXISTS (SELECT FROM clock l WHERE l.action_id = x.id AND l.kind = 'live-line') AS line
FROM action x JOIN message m ON m.id = x.message_id
LEFT JOIN clock k ON k.action_id = x.id AND k.ended_at IS NULL
WHERE x.case_id = :case AND (:settled OR x.state = 'open')
ORDER BY x.due_at, m.number, x.number
""")


def open_actions(session: Session, case_id: UUID) -> list[Action]:
    """Return the open actions of a case, the next due first."""
    return _actions(session, case_id, settled=False)


def every_action(session: Session, case_id: UUID) -> list[Action]:
    """Return the actions of a case, those done and those overtaken too, the first due first."""
    return _actions(session, case_id, settled=True)


def _actions(session: Session, case_id: UUID, *, settled: bool) -> list[Action]:
    rows = session.execute(_ACTIONS, {"case": case_id, "settled": settled})
    return [Action(*row) for row in rows]
