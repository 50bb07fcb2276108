"""The tables of matches: blind keys of children, and two cases that may be of one child (4.10)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base, new_id


class ChildKey(Base):
    """What a case can be found by, as a code that only this hub can make; never the words."""

    __tablename__ = "child_key"

    key: Mapped[bytes] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), primary_key=True)
    kind: Mapped[str]


class Match(Base):
    """Two cases of one status that may be of one child; the one with the lower id comes first."""

    __tablename__ = "match"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    one_case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    other_case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    status: Mapped[str]
    one_message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    other_message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    state: Mapped[str] = mapped_column(default="open")
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by_message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"))


class MatchDenial(Base):
    """One side's word that the two cases are of different children; it takes both."""

    __tablename__ = "match_denial"

    match_id: Mapped[UUID] = mapped_column(ForeignKey("match.id"), primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    at: Mapped[datetime]
