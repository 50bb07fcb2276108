"""What a reader of a case is shown, as records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from messaging.attachments import AttachmentView
from messaging.choices import Action
from messaging.matters import Matters
from messaging.placements import Prepared


@dataclass(frozen=True)
class UnitName:
    """A unit as it is shown."""

    id: UUID
    code: str
    name: str
    organisation: str
    police: bool


@dataclass(frozen=True)
class Fact:
    """One fact about a recipient: delivered, told-by-telephone, opened, acknowledged, answered."""

    kind: str
    at: datetime
    who: str


@dataclass
class RecipientView:
    """A unit that a message went to: its reach then, its reach now, and what is known of it."""

    unit: UnitName
    reach: str
    reach_now: str
    facts: dict[str, Fact] = field(default_factory=dict)


@dataclass
class MessageView:
    """A message with the parts that the reader may see; `withheld` says that there are others."""

    id: UUID
    number: int
    type: str
    schema_version: str
    status: str
    classification: str
    priority: str
    request_no: int | None
    sent_at: datetime
    reply_due_at: datetime | None
    in_reply_to: UUID | None
    sender_unit: UnitName
    sender_kind: str
    sender_name: str
    sender_rank: str | None
    sender_collar: str | None
    audience: str
    body: dict[str, Any] = field(default_factory=dict)
    envelope: dict[str, Any] = field(default_factory=dict)
    withheld: bool = False
    mine: bool = False
    to_me: tuple[UUID, ...] = ()
    recipients: list[RecipientView] = field(default_factory=list)
    attachments: list[AttachmentView] = field(default_factory=list)


@dataclass(frozen=True)
class OfficerView:
    """A named officer of a lead from when until when, and the message by which they came to it.

    `name` is None where they handed over before the hub kept it: the messages say who it was.
    """

    name: str | None
    rank: str | None
    collar: str | None
    since: datetime
    until: datetime | None
    message_id: UUID


@dataclass(frozen=True)
class TenureView:
    """Which unit led from when until when, on what basis, with its named officers in order.

    `on_duty_until` is the present officer's, or the last one's.
    """

    unit: UnitName
    on_duty_until: datetime | None
    since: datetime
    until: datetime | None
    basis: str
    episode: int
    officers: tuple[OfficerView, ...]

    @property
    def officer(self) -> OfficerView:
        """The present officer, or the last."""
        return self.officers[-1]


@dataclass(frozen=True)
class RequestView:
    """The open offer of the lead. `due_at` is None until a unit that must be rung was told."""

    message_id: UUID
    number: int
    kind: str
    from_unit: UnitName
    to_unit: UnitName
    to_reach: str
    priority: str
    opened_at: datetime
    due_at: datetime | None
    told: bool
    request_no: int = 1
    held_until: datetime | None = None
    held_by: str | None = None
    basis: str = "accepted"


@dataclass(frozen=True)
class ClaimView:
    """An unanswered claim that the child is located."""

    message_id: UUID
    number: int
    unit: UnitName
    due_at: datetime | None


@dataclass(frozen=True)
class ReportView:
    """The practitioner's report of the case, and what came of it."""

    message_id: UUID
    number: int
    state: str
    since: datetime
    reporter: UnitName
    addressed: UnitName
    addressed_reach: str
    due_at: datetime | None


@dataclass
class CaseView:
    """A case as its reader may see it."""

    id: UUID
    reference: str
    status: str
    opened_at: datetime
    closed_at: datetime | None
    unit: UUID
    full: bool
    risk: str | None
    lead: TenureView | None
    home: UnitName | None
    tenures: list[TenureView]
    request: RequestView | None
    claims: list[ClaimView]
    report: ReportView | None
    messages: list[MessageView]
    actions: list[Action]
    child: dict[str, Any]
    located_at: datetime | None = None
    """When the last episode ended with the child located; None while one is open."""
    matters: Matters = field(default_factory=Matters)
    prepared: Prepared | None = None
    names: dict[UUID, UnitName] = field(default_factory=dict)
    asked_only: bool = False
    """The reader answers an enquiry and is no party: how the case stands is not shown (4.8)."""
    adjudicates: bool = False
    """The reader is let in as an adjudicator, and is no party."""
    incident_from: int = 0
    """The number of the last message of the incident before this one."""

    @property
    def state(self) -> str:
        """closed, asked (no more is shown), open (an episode is), the report's, or between-episodes."""
        if self.closed_at is not None:
            return "closed"
        if self.asked_only:
            return "asked"
        if self.lead is not None:
            return "open"
        if self.report is None or self.report.state == "recorded":
            return "between-episodes"
        return self.report.state


@dataclass(frozen=True)
class Known:
    """What a form of a type is filled in with, and the messages that its reader may see.

    `dispute` is the open one's message, and the unit that it is with; `names` are the names of the
    case's units by their codes.
    """

    status: str
    body: dict[str, Any]
    messages: Sequence[MessageView] = ()
    dispute: tuple[UUID, UUID | None] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
