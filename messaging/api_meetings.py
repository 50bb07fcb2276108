"""The API of meetings: who comes, who is missing, and the calendar entry.

They are called, replied to and recorded by messages, as everything is.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask.typing import ResponseReturnValue
from pydantic import BaseModel

from hub.errors import not_found
from hub.web.context import current_actor, database, now
from hub.web.guards import api
from hub.web.openapi import Operation
from hub.web.requests import reply
from messaging import meeting_views, who_leads
from messaging.api import REFERENCE, blueprint
from messaging.meeting_views import Chair, MeetingView
from messaging.pages.meetings import calendar_file


class PersonOut(BaseModel):
    """What stands of one person; `attended` is null before the record."""

    person: str
    attendance: str | None
    at: datetime | None
    attended: bool | None


class ChairOut(BaseModel):
    """A unit that is asked. `standing` is waiting, attending, report-only or declined."""

    unit: str
    role: str
    standing: str
    reply_due_at: datetime | None
    persons: list[PersonOut]


class MeetingOut(BaseModel):
    """A meeting. `empty_chairs` are the police roles for which nobody is named who comes."""

    meeting_id: str
    state: str
    message_id: str
    convenor: str
    starts_at: datetime
    ends_at: datetime
    sequence: int
    chairs: list[ChairOut]
    waiting: list[str]
    empty_chairs: list[str]


class ActionOut(BaseModel):
    """An open action: its words are in the message, at its place in the list, counted from 1."""

    action_id: str
    message_id: str
    number: int
    owner: str
    of_lead: bool
    due_at: datetime


class MeetingsOut(BaseModel):
    """The meetings of a case, the latest first, and its open actions, the next due first."""

    meetings: list[MeetingOut]
    open_actions: list[ActionOut]


@api(
    blueprint,
    "/api/v1/cases/<reference>/meetings",
    Operation(
        "GET", "Read a case's meetings: who comes, who is missing, open actions",
        {200: MeetingsOut}, path=REFERENCE, errors=(404,),
    ),
    scope="cases:read",
)  # fmt: skip
def read_meetings(reference: str) -> ResponseReturnValue:
    """Read meetings and actions; no content."""
    actor = current_actor()
    with database().unit_of_work() as session:
        found, open_ = meeting_views.with_actions(session, actor, reference, now())
        codes = {
            one.id: one.code for one in who_leads.unit_names(session, [o.owner for o in open_])
        }
        convenors = who_leads.unit_names(session, [one.convenor_id for one in found])
        codes |= {one.id: one.code for one in convenors}
    return reply(
        {
            "meetings": [_meeting(one, codes) for one in found],
            "open_actions": [
                {
                    "action_id": str(one.id), "message_id": str(one.message_id),
                    "number": one.number, "owner": codes[one.owner], "of_lead": one.of_lead,
                    "due_at": one.due_at.isoformat(),
                }
                for one in open_
            ],
        }
    )  # fmt: skip


def _meeting(one: MeetingView, codes: dict[UUID, str]) -> dict[str, Any]:
    return {
        "meeting_id": str(one.id), "state": one.state, "message_id": str(one.message_id),
        "convenor": codes[one.convenor_id], "starts_at": one.starts_at.isoformat(),
        "ends_at": one.ends_at.isoformat(), "sequence": one.sequence,
        "chairs": [_chair(chair) for chair in one.chairs],
        "waiting": [chair.code for chair in one.missing], "empty_chairs": one.empty,
    }  # fmt: skip


def _chair(chair: Chair) -> dict[str, Any]:
    return {
        "unit": chair.code,
        "role": chair.role,
        "standing": chair.standing,
        "reply_due_at": chair.due_at.isoformat() if chair.due_at else None,
        "persons": [
            {
                "person": said.person, "attendance": said.attendance,
                "at": said.at.isoformat() if said.at else None, "attended": said.attended,
            }
            for said in chair.said
        ],
    }  # fmt: skip


@api(
    blueprint,
    "/api/v1/cases/<reference>/meetings/<meeting_id>/calendar",
    Operation(
        "GET", "Read your unit's calendar entry of a meeting (text/calendar)", {200: None},
        path={**REFERENCE, "meeting_id": "The meeting's UUID"}, errors=(404,),
    ),
    scope="cases:read",
)  # fmt: skip
def read_calendar(reference: str, meeting_id: str) -> ResponseReturnValue:
    """Read the entry: reference, time and link."""
    try:
        key = UUID(meeting_id)
    except ValueError:
        raise not_found() from None
    return calendar_file(reference, key)
