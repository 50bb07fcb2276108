"""Strategy meetings and actions, as tables."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base, new_id
from messaging.placement_model import Placement as Placement
from messaging.placement_model import Plan as Plan


class Meeting(Base):
    """A strategy meeting: who convenes it, when it is, and whether it was recorded; no content."""

    __tablename__ = "meeting"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    convenor_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    state: Mapped[str] = mapped_column(default="called")
    sequence: Mapped[int] = mapped_column(default=0)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    record_message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"))


class MeetingInvitation(Base):
    """One message about a meeting, new, changed or cancelled, numbered as its calendar entry is."""

    __tablename__ = "meeting_invitation"

    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), primary_key=True)
    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"))
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    sequence: Mapped[int]
    act: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class MeetingAttendee(Base):
    """A unit that is asked for a named person, and in what role."""

    __tablename__ = "meeting_attendee"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    role: Mapped[str]
    asked_at: Mapped[datetime]
    dropped_at: Mapped[datetime | None]


class MeetingReply(Base):
    """What a unit said of one person; the latest of each stands, the rest is history."""

    __tablename__ = "meeting_reply"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"))
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    person_name: Mapped[str]
    attendance: Mapped[str]
    replied_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]


class MeetingAttendance(Base):
    """Who came to a meeting, and who did not, by its record."""

    __tablename__ = "meeting_attendance"

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"), primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    person_name: Mapped[str] = mapped_column(primary_key=True)
    attended: Mapped[bool]


class CaseAction(Base):
    """An action of a meeting: who owes it by when; its words are in the record alone.

    One that is `of_lead` is owed by whoever leads.
    """

    __tablename__ = "action"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    number: Mapped[int]
    owner_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    of_lead: Mapped[bool]
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="open")
    opened_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answer_message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"))
    answered_by_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    answered_by_name: Mapped[str | None]
