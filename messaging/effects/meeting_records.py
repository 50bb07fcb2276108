"""Strategy meetings answered and recorded: replies by person, attendance, actions given out."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import select, text, update

from hub.errors import invalid
from messaging import audiences, contracts, lead, meetings
from messaging.act import Act
from messaging.choices import Knowing
from messaging.effects.actions import give_out
from messaging.effects.meeting_rows import (
    REPLY_CLOCKS,
    attendees_of,
    end_clocks,
    found_meeting,
    messages_of,
    write_reply,
)
from messaging.effects.steps import meet, note
from messaging.meeting_model import Meeting, MeetingAttendee, MeetingReply
from messaging.sending import everyone, unit_named
from messaging.state import PartyUnit


def reply(act: Act) -> None:
    """Name who comes, or who does not: the latest for a person stands, until the start."""
    body = cast(contracts.StrategyMeetingReply, act.body)
    meeting = found_meeting(act)
    attendees = attendees_of(act, meeting)
    mine = [
        unit
        for unit in act.case.mine(act.actor)
        if unit in attendees and not attendees[unit].dropped_at
    ]
    if not mine:
        raise lead.Refused("not-asked")
    meetings.may_reply(meeting.state, meeting.starts_at, act.at)
    person = " ".join(body.person.split())
    act.unit = _answering(act, meeting, mine, person)
    ids = messages_of(act, meeting)
    asked = act.in_reply_to or ids[-1]
    act.in_reply_to = asked
    act.to_all = False
    convenor = act.case.standing(meeting.convenor_unit_id)
    act.to = {convenor: act.case.parties[convenor]}
    for message_id in ids:
        meet(act, message_id, *REPLY_CLOCKS, owed_by=act.unit)
    if act.unit != convenor:
        note(act, ids[-1], act.unit, "answered")
    act.later(lambda: write_reply(act, meeting.id, person, body.attendance))


def _answering(act: Act, meeting: Meeting, mine: list[UUID], person: str) -> UUID:
    """Return for which of one's units a reply is: the first that has said nothing yet.

    Once all have, it is for the one that named this person, or else the first.
    """
    query = select(MeetingReply).where(
        MeetingReply.meeting_id == meeting.id, MeetingReply.superseded_at.is_(None)
    )
    said = [(one.unit_id, one.person_name) for one in act.session.scalars(query)]
    heard = {unit for unit, _ in said}
    named = {unit for unit, name in said if meetings.same_person(name, person)}
    return min(mine, key=lambda unit: (unit in heard, unit not in named))


def record(act: Act) -> None:
    """Put on record who came, what was decided, and what is to be done, each action by a clock."""
    body = cast(contracts.StrategyMeetingRecord, act.body)
    meeting = found_meeting(act)
    convenor = act.case.standing(meeting.convenor_unit_id)
    if convenor not in act.case.mine(act.actor):
        raise lead.Refused("not-convenor")
    meetings.may_record(meeting.state, meeting.starts_at, act.at)
    act.unit = convenor
    ids = messages_of(act, meeting)
    act.in_reply_to = act.in_reply_to or ids[-1]
    act.to_all = False
    act.to |= everyone(act)
    attendees = attendees_of(act, meeting)
    came = _attendance(act, body, attendees)
    owners = _owners(act, body)
    for unit in owners:
        if unit is not None and unit.unit_id != act.unit:
            act.to.setdefault(unit.unit_id, unit)
            if not unit.police and unit.part not in audiences.STATUTORY:
                act.audience = "all-parties"
    end_clocks(act, ids, REPLY_CLOCKS)
    for message_id in ids:
        meet(act, message_id, "meeting-record")
    act.later(
        lambda: act.session.execute(
            update(Meeting)
            .where(Meeting.id == meeting.id)
            .values(state="recorded", record_message_id=act.message_id)
        )
    )
    act.insert(
        "meeting_attendance",
        *(
            {"meeting_id": meeting.id, "unit_id": unit, "person_name": name, "attended": here}
            for (unit, name), here in came.items()
        ),
    )
    _give_out(act, body, owners)


def _attendance(
    act: Act,
    body: contracts.StrategyMeetingRecord,
    attendees: Mapping[UUID, MeetingAttendee],
) -> dict[tuple[UUID, str], bool]:
    found: dict[tuple[UUID, str], bool] = {}
    for index, row in enumerate(body.attendance):
        pointer = f"/body/attendance/{index}"
        unit = unit_named(act.session, row.unit, f"{pointer}/unit", act.at)
        if unit.unit_id not in attendees:
            raise invalid("attendee-not-invited", "This unit was not invited.", f"{pointer}/unit")
        key = (unit.unit_id, " ".join((row.person or "").split()))
        if key in found:
            raise invalid("attendee-twice", "This person is named already.", f"{pointer}/person")
        found[key] = row.attended == "attended"
    return found


LEAD_OWNS = "lead"


def _owners(act: Act, body: contracts.StrategyMeetingRecord) -> list[PartyUnit]:
    """Return who owns each action; the lead's go with the lead.

    Raises:
        HubError: 422 `nobody-leads`, `unit-unknown`, `in-past`, at the row.
    """
    found = []
    for index, row in enumerate(body.actions):
        pointer = f"/body/actions/{index}"
        if row.due <= act.at:
            raise invalid("in-past", "This must be later than now.", f"{pointer}/due")
        if row.owner == LEAD_OWNS:
            if act.case.episode is None:
                raise invalid(
                    "nobody-leads", "Nobody leads now: name the unit.", f"{pointer}/owner"
                )
            found.append(act.case.parties[act.case.episode.lead])
        else:
            unit = unit_named(act.session, row.owner, f"{pointer}/owner", act.at)
            found.append(act.case.parties.get(unit.unit_id, unit))
    return found


def _give_out(act: Act, body: contracts.StrategyMeetingRecord, owners: list[PartyUnit]) -> None:
    for number, (row, owner) in enumerate(zip(body.actions, owners, strict=True), start=1):
        of_lead = row.owner == LEAD_OWNS
        give_out(act, number, owner, row.due, of_lead=of_lead, kind="meeting-action")


def known_reply(known: Knowing) -> dict[str, Any]:
    """Take it that the reader comes."""
    return {"person": known.actor.name, "person_role": known.actor.rank_or_role}


def known_record(known: Knowing) -> dict[str, Any]:
    """Fill in who was to come, by the replies that stand."""
    if known.session is None or known.in_reply_to is None:
        return {}
    rows = known.session.execute(
        text("""
            SELECT u.code, r.person_name, r.attendance FROM meeting_invitation i
            JOIN meeting_attendee a ON a.meeting_id = i.meeting_id AND a.dropped_at IS NULL
            JOIN unit u ON u.id = a.unit_id
            LEFT JOIN meeting_reply r ON r.meeting_id = a.meeting_id AND r.unit_id = a.unit_id
                AND r.superseded_at IS NULL
            WHERE i.message_id = :id ORDER BY a.asked_at, u.code, r.replied_at, r.id
        """),
        {"id": known.in_reply_to},
    )
    return {
        "attendance": [
            {
                "unit": row.code,
                "person": row.person_name,
                "attended": "attended" if row.attendance in meetings.COMES else "absent",
            }
            for row in rows
        ]
    }
