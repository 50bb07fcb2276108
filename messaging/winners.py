"""What happened to a request first, told to whoever answers it late (DOMAIN.md 4.3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from hub.clock import said
from hub.organisations import Unit
from messaging.model import (
    Direction,
    Dispute,
    InformationRequest,
    LeadRequest,
    LocatedClaim,
    Message,
    Plan,
)

TABLES: tuple[Any, ...] = (LeadRequest, LocatedClaim, Dispute, Direction, InformationRequest, Plan)

WORDS = {
    "kept": "decided", "directed": "decided", "provided": "answered", "part": "answered",
    "none-held": "answered", "replaced": "replaced by a later direction",
}  # fmt: skip
"""Outcomes as a sentence says them, where they are no words of it."""


@dataclass(frozen=True)
class Winner:
    """The answer that took effect: what it was, whose, and when (aware UTC).

    `type` is that of the message that brought the outcome about; the outcome where none did.
    """

    outcome: str
    type: str
    unit: str
    name: str
    at: datetime
    message_id: UUID | None

    def sentence(self) -> str:
        """Say it."""
        by = f" by {self.name}, {self.unit}," if self.name else ""
        what = WORDS.get(self.outcome, self.outcome)
        return f"This was {what} already{by} at {said(self.at)}."

    def document(self) -> dict[str, Any]:
        """Return it for problem details."""
        return {
            "type": self.type,
            "outcome": self.outcome,
            "unit": self.unit,
            "name": self.name,
            "at": self.at.isoformat(),
            "message_id": str(self.message_id) if self.message_id else None,
        }


def winner(session: Session, case_id: UUID, message_id: UUID | None) -> Winner | None:
    """Return what ended the request, claim, dispute or question that this message made, if any."""
    answer = aliased(Message)
    for table in TABLES:
        # A question goes over to the case that its own was joined to; its message stays where it is.
        of = table.case_id if table is InformationRequest else Message.case_id
        row = session.execute(
            select(table, Unit.name, answer.type)
            .join(Message, Message.id == table.message_id)
            .outerjoin(Unit, Unit.id == table.answered_by_unit_id)
            .outerjoin(answer, answer.id == table.answer_message_id)
            .where(
                of == case_id,
                table.message_id == message_id,
                table.state != "open",
                table.answered_at.is_not(None),
            )
            .order_by(table.answered_at)
            .limit(1)
            .execution_options(populate_existing=True)
        ).one_or_none()
        if row is not None:
            request, unit, message_type = row
            return Winner(
                request.state, message_type or request.state, unit or "",
                request.answered_by_name or "", request.answered_at, request.answer_message_id,
            )  # fmt: skip
    return None
