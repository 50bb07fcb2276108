"""The numbers of a unit, as a page shows them beside what must be rung about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from hub.identity.actor import Actor


@dataclass(frozen=True)
class Number:
    """One number: as written, as dialled, whose it is, and what to know before ringing."""

    value: str
    dial: str
    label: str
    note: str


def numbers(
    session: Session, unit_id: UUID, need: str, now: datetime, actor: Actor, status: str
) -> list[Number]:
    """Return whom to ring at a unit now, first choice first."""
    return []
