"""What happened to a request first, told to whoever answers it late (DOMAIN.md 4.3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.clock import LONDON
from hub.organisations import Unit
from messaging.model import Episode, LeadRequest, LocatedClaim

TYPES = {
    "accepted": "lead-transfer-accept",
    "declined": "lead-transfer-decline",
    "withdrawn": "lead-transfer-withdraw",
    "confirmed": "located-confirm",
    "refused": "located-refuse",
}
"""The type of the message that brought each outcome about."""


@dataclass(frozen=True)
class Winner:
    """The answer that took effect: what it was, whose, and when (aware UTC)."""

    outcome: str
    unit: str
    name: str
    at: datetime
    message_id: UUID | None

    def sentence(self) -> str:
        """Say it."""
        by = f" by {self.name}, {self.unit}," if self.name else ""
        return f"This was {self.outcome} already{by} at {self.at.astimezone(LONDON):%H:%M}."

    def document(self) -> dict[str, Any]:
        """Return it for problem details."""
        return {
            "type": TYPES.get(self.outcome, self.outcome),
            "outcome": self.outcome,
            "unit": self.unit,
            "name": self.name,
            "at": self.at.isoformat(),
            "message_id": str(self.message_id) if self.message_id else None,
        }


def winner(session: Session, case_id: UUID, message_id: UUID | None) -> Winner | None:
    """Return what ended the request or claim that this message made, if anything did."""
    tables: tuple[Any, ...] = (LeadRequest, LocatedClaim)
    for table in tables:
        row = session.execute(
            select(table, Unit.name)
            .join(Episode, Episode.id == table.episode_id)
            .outerjoin(Unit, Unit.id == table.answered_by_unit_id)
            .where(
                Episode.case_id == case_id, table.message_id == message_id, table.state != "open"
            )
            .execution_options(populate_existing=True)
        ).one_or_none()
        if row is not None:
            request, unit = row
            return Winner(
                request.state, unit or "", request.answered_by_name or "", request.answered_at,
                request.answer_message_id,
            )  # fmt: skip
    return None
