"""Strategy meetings: who is asked, who comes, what was decided and who does it (DOMAIN.md 7, 8)."""

from datetime import datetime
from typing import Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from messaging import codes
from messaging.contracts.fields import Contract, Line, Telephone, Words, ask, long

Role = Literal[
    "home-police", "destination-police", "responsible-authority", "host-authority", "health",
    "education", "carer", "other",
]  # fmt: skip
MOST_ROWS = 30
NEEDED = {
    "section_47": "Say whether it is held under section 47",
    "starts_at": "Enter when it starts",
    "held_at": "Enter the place or the link",
    "meeting_purpose": "Enter its purpose",
    "convenor": "Enter who convenes it",
    "convenor_telephone": "Enter the telephone of the convenor",
    "attendees": "Name at least one who must attend",
}
"""What an invitation lacks that lacks a field, unless it cancels."""


class Row(BaseModel):
    """One row of a list that a form asks for."""

    model_config = ConfigDict(extra="forbid")


class Attendee(Row):
    """One unit that is asked for a named person, by its role."""

    role: Role = Field(json_schema_extra=ask("Role", labels=codes.MEETING_ROLES, widget="select"))
    unit: Line | None = Field(
        None,
        json_schema_extra=ask(
            "Unit",
            "Its code, such as kent/east: of this case, or another. Empty: the hub finds it among"
            " the parties.",
            widget="suggested",
        ),
    )


class Attended(Row):
    """One person, or unit without a named person, that came or did not."""

    unit: Line = Field(json_schema_extra=ask("Unit"))
    person: Line | None = Field(None, json_schema_extra=ask("Person"))
    attended: Literal["attended", "absent"] = Field(
        json_schema_extra=ask("Did they come?", labels=codes.ATTENDED, widget="select")
    )


class MeetingAction(Row):
    """One action: what, who does it, by when. Owned by "lead", it goes with the lead."""

    what: Words = Field(json_schema_extra=ask("What is to be done"))
    owner: Line = Field(json_schema_extra=ask("Which unit does it"))
    owner_name: Line | None = Field(None, json_schema_extra=ask("Who there"))
    due: AwareDatetime = Field(json_schema_extra=ask("By when"))


class StrategyMeetingInvitation(Contract):
    """A meeting is called, changed or cancelled; each unit is asked for a named person."""

    TYPE = "strategy-meeting-invitation"
    AUDIENCE = "statutory"
    NAME = "Invitation to a strategy meeting"
    ACT = "Call a strategy meeting"
    SEND = "Send the invitation"
    NEED = "Say who comes to the meeting"
    ASKS = True
    SENT = "The invitation is sent. Who comes is on this page."
    SETTLES = True

    meeting_act: Literal["new", "change", "cancel"] = Field(
        "new", json_schema_extra=ask("What is this?", labels=codes.MEETING_ACTS, asked=True)
    )
    why_changed: Words | None = Field(
        None,
        validate_default=True,
        json_schema_extra=long("Why it is changed or cancelled", more=True),
    )
    section_47: bool | None = Field(
        None,
        validate_default=True,
        json_schema_extra=ask("Is it held under section 47 of the Children Act 1989?", asked=True),
    )
    starts_at: AwareDatetime | None = Field(
        None, validate_default=True, json_schema_extra=ask("When it starts", asked=True)
    )
    ends_at: AwareDatetime | None = Field(
        None, json_schema_extra=ask("When it ends", "An hour after its start, if empty.")
    )
    held_at: Line | None = Field(
        None, validate_default=True, json_schema_extra=ask("Place or link", asked=True)
    )
    meeting_purpose: Words | None = Field(
        None,
        validate_default=True,
        json_schema_extra=long("Its purpose", "What must be decided", asked=True),
    )
    convenor: Line | None = Field(
        None, validate_default=True, json_schema_extra=ask("Convenor", asked=True)
    )
    convenor_telephone: Telephone | None = Field(
        None,
        validate_default=True,
        json_schema_extra=ask("Telephone of the convenor", widget="tel", width=20, asked=True),
    )
    attendees: list[Attendee] = Field(
        default_factory=list,
        validate_default=True,
        max_length=MOST_ROWS,
        json_schema_extra=ask(
            "Who must attend",
            "Each unit is asked for a named person.",
            row="Attendee",
            rows=4,
            asked=True,
        ),
    )

    @field_validator("why_changed")
    @classmethod
    def _says_why(cls, words: str | None, info: ValidationInfo) -> str | None:
        if words is None and info.data.get("meeting_act") in ("change", "cancel"):
            raise ValueError("Say why it is changed or cancelled")
        return words

    @field_validator(*NEEDED)
    @classmethod
    def _needed(cls, value: Any, info: ValidationInfo) -> Any:
        if value in (None, []) and info.data.get("meeting_act") in ("new", "change"):
            raise ValueError(NEEDED[str(info.field_name)])
        return value

    @field_validator("ends_at")
    @classmethod
    def _ends_later(cls, ends: datetime | None, info: ValidationInfo) -> datetime | None:
        starts = info.data.get("starts_at")
        if ends is not None and starts is not None and ends <= starts:
            raise ValueError("It must end after its start")
        return ends

    @property
    def settles(self) -> bool:
        """A meeting that was called is changed or called off, wherever its case goes on."""
        return self.meeting_act != "new"


class StrategyMeetingReply(Contract):
    """A unit names who comes, or says that nobody does and why; the latest for a person stands."""

    TYPE = "strategy-meeting-reply"
    SETTLES = True
    AUDIENCE = "statutory"
    NAME = "Reply to a strategy meeting"
    ACT = "Say who comes to the meeting"
    SEND = "Send the reply"
    SENT = "Your reply is sent. You can change it until the meeting starts."

    attendance: Literal["attending", "deputy", "report-only", "declined"] = Field(
        json_schema_extra=ask("Do you attend?", labels=codes.ATTENDANCE, read="Attendance")
    )
    person: Line = Field(json_schema_extra=ask("Who", "The person who comes, or who declines"))
    person_role: Line | None = Field(None, json_schema_extra=ask("Rank or role", width=20))
    person_contact: Line | None = Field(
        None, json_schema_extra=ask("How to reach them", "Telephone or e-mail")
    )
    reason: Words | None = Field(
        None,
        validate_default=True,
        json_schema_extra=long(
            "Why, where you decline or send a report only",
            read="Why, of a decline or a report only",
        ),
    )

    @field_validator("reason")
    @classmethod
    def _says_why(cls, reason: str | None, info: ValidationInfo) -> str | None:
        if reason is None and info.data.get("attendance") == "declined":
            raise ValueError("Say why you decline")
        return reason


class StrategyMeetingRecord(Contract):
    """What came of a meeting: who was there, what was decided, who does what by when."""

    TYPE = "strategy-meeting-record"
    SETTLES = True
    AUDIENCE = "statutory"
    NAME = "Record of a strategy meeting"
    ACT = "Record the meeting"
    SEND = "Send the record"
    NEED = "Carry out the actions of the meeting"
    SENT = "The record is sent. Its actions run as clocks."

    attendance: list[Attended] = Field(
        max_length=MOST_ROWS,
        min_length=1,
        json_schema_extra=ask("Who attended", row="Person", rows=1, audience="statutory"),
    )
    decisions: Words = Field(
        json_schema_extra=long("What was decided", "One a line", audience="statutory")
    )
    actions: list[MeetingAction] = Field(
        default_factory=list,
        max_length=MOST_ROWS,
        json_schema_extra=ask(
            "Actions",
            "A unit outside police, councils and health that owns one sees the actions, and"
            " nothing else of the record.",
            row="Action",
            rows=3,
        ),
    )
