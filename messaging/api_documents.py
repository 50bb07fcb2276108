"""What the API of cases takes and gives: documents of cases, messages, the inbox."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from messaging.contracts import Line


class UnitOut(BaseModel):
    """A unit."""

    id: str
    code: str
    name: str
    organisation: str


class OfficerOut(BaseModel):
    """A named officer."""

    name: str
    rank: str | None
    collar_number: str | None


class NamedOfficerOut(OfficerOut):
    """The officer who leads now; until when they are on duty is for police who see the whole case."""

    on_duty_until: datetime | None


class OfficerThenOut(BaseModel):
    """A named officer of a tenure, from when until when.

    `name` is null of who handed over before the hub kept it: the messages say who it was.
    """

    name: str | None
    rank: str | None
    collar_number: str | None
    since: datetime
    until: datetime | None


class SentOut(BaseModel):
    """What became of a message. `reply_due_at` is null where nothing is owed, or a call comes first."""

    case_reference: str
    message_id: str
    number: int
    type: str
    status: str
    sent_at: datetime
    reply_due_at: datetime | None
    recipients: list["ReachOut"]


class ReachOut(BaseModel):
    """A recipient and how it is reached; `not-on-hub` has received nothing: ring it."""

    unit: UnitOut
    reach: Literal["staffed", "connected", "not-on-hub"]
    delivered: bool
    ring: list["RingOut"]


class RingOut(BaseModel):
    """A number to ring at once, where the message is urgent or the unit is not on the hub."""

    value: str
    label: str
    note: str


class FactOut(BaseModel):
    """One fact about a recipient."""

    kind: str
    at: datetime
    who: str


class RecipientOut(BaseModel):
    """A recipient with its facts; delivered, opened, acknowledged and answered are different."""

    unit: UnitOut
    reach: str
    facts: list[FactOut]


class AttachmentOut(BaseModel):
    """A file that came with a message; GET it under the case's attachments."""

    id: str
    number: int
    kind: str
    name: str
    audience: str
    media_type: str
    size: int
    scan: Literal["clean", "not-scanned"]


class SenderOut(BaseModel):
    """Who sent a message: a person of the unit, or its client.

    A guest answers for a unit without accounts, by link or signed reply; the system is the hub itself.
    """

    unit: UnitOut
    kind: Literal["person", "client", "guest", "system"]
    name: str
    rank: str | None
    collar_number: str | None


class MessageOut(BaseModel):
    """A message, as far as the reader may see it."""

    message_id: str
    case_reference: str
    number: int
    type: str
    schema_version: str
    status: str
    classification: str
    priority: str
    request_no: int | None
    sent_at: datetime
    reply_due_at: datetime | None
    in_reply_to: str | None
    sender: SenderOut
    audience: str
    withheld: bool
    handling: str | None
    purpose: str | None
    sender_reference: str | None
    callback_telephone: str | None
    body: dict[str, Any]
    attachments: list[AttachmentOut]
    recipients: list[RecipientOut]


class MessagesOut(BaseModel):
    """Messages by rising number; `next` is the `after` of the following page, or null."""

    messages: list[MessageOut]
    next: int | None


class TenureOut(BaseModel):
    """Who led, from when until when. `named_officer` is the last of its `officers`.

    Whoever does not see the whole case is shown the present officer alone.
    """

    unit: UnitOut
    named_officer: OfficerOut
    officers: list[OfficerThenOut]
    since: datetime
    until: datetime | None
    basis: str
    episode: int


class RequestOut(BaseModel):
    """The open offer of the lead.

    `request_no` rises to 3 as the hub repeats it; its message stays as it was sent. After a holding
    reply, `held_until` is when `held_by` decides.
    """

    message_id: str
    kind: str
    to: UnitOut
    from_: UnitOut = Field(alias="from")
    priority: str
    opened_at: datetime
    reply_due_at: datetime | None
    request_no: int
    held_until: datetime | None
    held_by: str | None
    basis: Literal["accepted", "agreed-plan"]


class EpisodeOut(BaseModel):
    """The open episode; its risk is for those who see the whole case."""

    number: int
    risk: str | None


class LeadOut(BaseModel):
    """Who leads, since when and on what basis; nulls where no episode is open.

    Nulls too with `asked_only`: your unit answers an enquiry, and is no party.

    `case_reference` is another than was asked for where that case was joined to it.
    """

    case_reference: str
    asked_only: bool
    episode: EpisodeOut | None
    lead: UnitOut | None
    named_officer: NamedOfficerOut | None
    since: datetime | None
    basis: str | None
    tenures: list[TenureOut]
    open_request: RequestOut | None


class CaseRowOut(BaseModel):
    """A case in a list: no content."""

    reference: str
    status: str
    opened_at: datetime
    closed_at: datetime | None
    lead: str | None
    risk: str | None
    report_state: str | None
    contested: bool
    asked_only: bool


class CasesOut(BaseModel):
    """Cases, newest first; `next` is the cursor of the following page, or null."""

    cases: list[CaseRowOut]
    next: str | None


class ContestedOut(BaseModel):
    """Another unit may have this child: whom to ring, and who has said that it is another child."""

    match: str
    since: datetime
    unit: UnitOut
    ring: list[RingOut]
    denied_here: bool
    denied_there: bool


class CaseOut(BaseModel):
    """A case as its reader may see it.

    `joined_into` is the reference of the case that this one goes on as, `aliases` are those of the
    cases that go on as this one.
    """

    reference: str
    status: str
    state: str
    opened_at: datetime
    closed_at: datetime | None
    risk: str | None
    report_state: str | None
    child: dict[str, Any]
    lead: LeadOut
    placement: "PlacementOut | None"
    following_placement: "PlacementOut | None"
    plan: "PlanOut | None"
    following_plan: "PlanOut | None"
    actions: list[str]
    contested: list[ContestedOut]
    joined_into: str | None
    aliases: list[str]
    messages: list[MessageOut]


class PlacementOut(BaseModel):
    """A placement, for who sees the whole case; 0 working days late is on time.

    It is current from when it is told of, before `starts_on` too, until the end of `ends_on` where
    that is told. `placement` is where the child is or is to be, or was last; `following_placement`
    where they move to from there, as it was told ahead.
    """

    message_id: str
    current: bool
    starts_on: date
    ends_on: date | None
    home: UnitOut | None
    destination: UnitOut
    host_authority: UnitOut | None
    emergency: bool
    at_a_distance: bool
    working_days_late: int


class PlanOut(BaseModel):
    """The agreed plan, and the version that waits for an answer; its words are in its message.

    `following_plan` is the one agreed for `following_placement`, where its police are others.
    `lapse` says why an agreed plan is not in force, and `lapse_words` says it to a reader.
    """

    message_id: str | None
    version: int | None
    lead: UnitOut | None
    review_on: date | None
    in_force: bool
    lapse: Literal["placement-ended", "home-changed", "review-past", "placement-not-begun"] | None
    lapse_words: str | None
    proposed_message_id: str | None


class InboxRowOut(BaseModel):
    """A line of the inbox. `need` is answer, new or waiting.

    `to_ring`: your own message, which a unit that is not on the hub knows of only when you ring it.
    `expires_at`: when a live line of enquiry is lost; `due_at` is earlier, by when it is to be secured.
    `clock`: what your unit owes of the case itself and has missed, such as `shift-end` or `review-high`;
    the line names the message it began with, which asks nothing.
    """

    message_id: str
    number: int
    case_reference: str
    status: str
    type: str
    priority: str
    sent_at: datetime
    from_unit: str
    to_unit: str
    need: str
    due_at: datetime | None
    seconds_left: int | None
    delivered_at: datetime | None
    opened_at: datetime | None
    opened_by: str | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    request_no: int
    missed: bool
    to_ring: bool
    expires_at: datetime | None
    clock: str | None


class InboxOut(BaseModel):
    """The inbox: what needs an answer first, by when it is due; acknowledged news is gone."""

    rows: list[InboxRowOut]


class OpenedBy(BaseModel):
    """The person who saw a message in their own system."""

    model_config = {"extra": "forbid"}

    name: Line
    rank: Line | None = None
    collar_number: Line | None = None

    def __str__(self) -> str:
        name = " ".join(part for part in (self.rank, self.name) if part)
        return ", ".join(part for part in (name, self.collar_number) if part)


class Acknowledgement(BaseModel):
    """The system has the message; `opened_by` says which of its people saw it, if one has.

    `name` is theirs alone, as partners sent it before.
    """

    model_config = {"extra": "forbid"}

    name: Line | None = None
    opened_by: OpenedBy | None = None

    @property
    def seen_by(self) -> str | None:
        """Whoever saw the message, in words."""
        return str(self.opened_by) if self.opened_by else self.name


class AcknowledgedOut(BaseModel):
    """The message is acknowledged. That moves no lead."""

    message_id: str
    case_reference: str
    acknowledged: bool


class CasesQuery(BaseModel):
    """Which cases."""

    cursor: str | None = Field(None, max_length=500)
    open: bool | None = None
    status: Literal["actual", "exercise", "test"] | None = None
    reference: str | None = Field(None, min_length=1, max_length=40)
    own_reference: str | None = Field(
        None, min_length=1, max_length=200, description="Your organisation's own case number"
    )


class MessagesQuery(BaseModel):
    """Which messages."""

    after: int = Field(0, ge=0, le=2_000_000_000)


class InboxQuery(BaseModel):
    """Which lines."""

    need: Literal["answer", "new", "waiting"] | None = None
    status: Literal["actual", "exercise", "test"] | None = None
