"""A meeting as its effects find it: its row, its messages, who is asked, and the clocks of their replies."""

from uuid import UUID

from sqlalchemy import func, select, update

from messaging import lead
from messaging.act import Act
from messaging.meeting_model import Meeting, MeetingAttendee, MeetingInvitation, MeetingReply
from messaging.model import Clock

REPLY_CLOCKS = ("meeting-reply", "meeting-reply-urgent")


def write_reply(act: Act, meeting_id: UUID, person: str, attendance: str) -> None:
    """Write what stands of a person; what stood before is history."""
    act.session.execute(
        update(MeetingReply)
        .where(
            MeetingReply.meeting_id == meeting_id,
            MeetingReply.unit_id == act.unit,
            func.lower(MeetingReply.person_name) == person.lower(),
            MeetingReply.superseded_at.is_(None),
        )
        .values(superseded_at=act.at)
    )
    act.session.add(
        MeetingReply(
            meeting_id=meeting_id, case_id=act.case.id, unit_id=act.unit,
            message_id=act.message_id, person_name=person, attendance=attendance,
            replied_at=act.at,
        )
    )  # fmt: skip
    act.session.flush()


def end_clocks(act: Act, ids: list[UUID], kinds: tuple[str, ...], unit: UUID | None = None) -> None:
    query = update(Clock).where(
        Clock.message_id.in_(ids),
        Clock.kind.in_(kinds),
        Clock.met_at.is_(None),
        Clock.ended_at.is_(None),
    )
    if unit is not None:
        query = query.where(Clock.owed_by_unit_id == unit)
    act.session.execute(query.values(ended_at=act.at))


def found_meeting(act: Act) -> Meeting:
    """Return the meeting that is meant: of the invitation replied to, or the only one called.

    Raises:
        Refused: `meeting-unknown`.
    """
    query = select(Meeting).where(Meeting.case_id == act.case.id)
    if act.in_reply_to is not None:
        query = query.join(MeetingInvitation, MeetingInvitation.meeting_id == Meeting.id).where(
            MeetingInvitation.message_id == act.in_reply_to
        )
    else:
        query = query.where(Meeting.state == "called")
    found = list(act.session.scalars(query.execution_options(populate_existing=True)))
    if len(found) != 1:
        raise lead.Refused("meeting-unknown")
    return found[0]


def messages_of(act: Act, meeting: Meeting) -> list[UUID]:
    """Return the messages that called and changed a meeting, first to last."""
    return list(
        act.session.scalars(
            select(MeetingInvitation.message_id)
            .where(MeetingInvitation.meeting_id == meeting.id)
            .order_by(MeetingInvitation.sequence)
        )
    )


def first_message(act: Act, meeting: Meeting) -> UUID:
    return messages_of(act, meeting)[0]


def attendees_of(act: Act, meeting: Meeting) -> dict[UUID, MeetingAttendee]:
    rows = act.session.scalars(
        select(MeetingAttendee).where(MeetingAttendee.meeting_id == meeting.id)
    )
    return {row.unit_id: row for row in rows}
