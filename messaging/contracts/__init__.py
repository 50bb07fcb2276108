"""The contracts of the messages: one definition for API, forms and storage (DOMAIN.md 8).

Few fields are required. A field's `json_schema_extra` says how a form asks for it, and its
`audience` where that is narrower than its type's.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from messaging.contracts.closing import Closure, RecordedInError, Reopen
from messaging.contracts.disputes import (
    Direction,
    DirectionAcknowledge,
    Dispute,
    DisputeWithdraw,
)
from messaging.contracts.enquiries import InformationRequest, InformationResponse
from messaging.contracts.fields import Contract, Line, Telephone, Words, ask, long
from messaging.contracts.handover import OfficerHandover
from messaging.contracts.joining import AdmitRecording, NotSameChild
from messaging.contracts.locating import Located, LocatedConfirm, LocatedRefuse
from messaging.contracts.meetings import (
    Attendee,
    MeetingAction,
    StrategyMeetingInvitation,
    StrategyMeetingRecord,
    StrategyMeetingReply,
)
from messaging.contracts.news import Update
from messaging.contracts.offers import (
    HoldingReply,
    LeadTransferAccept,
    LeadTransferDecline,
    LeadTransferRequest,
    LeadTransferWithdraw,
)
from messaging.contracts.placements import (
    JointResponsePlan,
    PlacementNotification,
    PlanReply,
)
from messaging.contracts.reports import (
    Child,
    MissingEpisodeReport,
    ReportNotAccepted,
    SupervisorRequest,
    TelephoneRecord,
)
from messaging.contracts.returning import AuthorityNamed, InterviewRecord

__all__ = [
    "CONTRACTS",
    "AdmitRecording",
    "Attendee",
    "AuthorityNamed",
    "Child",
    "Closure",
    "Command",
    "Contract",
    "Direction",
    "DirectionAcknowledge",
    "Dispute",
    "DisputeWithdraw",
    "HoldingReply",
    "InformationRequest",
    "InformationResponse",
    "InterviewRecord",
    "JointResponsePlan",
    "LeadTransferAccept",
    "LeadTransferDecline",
    "LeadTransferRequest",
    "LeadTransferWithdraw",
    "Line",
    "Located",
    "LocatedConfirm",
    "LocatedRefuse",
    "MeetingAction",
    "MissingEpisodeReport",
    "NotSameChild",
    "OfficerHandover",
    "PlacementNotification",
    "PlanReply",
    "RecordedInError",
    "Reopen",
    "ReportNotAccepted",
    "StrategyMeetingInvitation",
    "StrategyMeetingRecord",
    "StrategyMeetingReply",
    "SupervisorRequest",
    "Telephone",
    "TelephoneRecord",
    "TypeName",
    "Update",
    "Words",
    "ask",
    "long",
]

CONTRACTS: Mapping[str, type[Contract]] = {
    one.TYPE: one
    for one in (
        MissingEpisodeReport,
        TelephoneRecord,
        ReportNotAccepted,
        SupervisorRequest,
        LeadTransferRequest,
        LeadTransferAccept,
        LeadTransferDecline,
        LeadTransferWithdraw,
        HoldingReply,
        Dispute,
        DisputeWithdraw,
        Direction,
        DirectionAcknowledge,
        OfficerHandover,
        InformationRequest,
        InformationResponse,
        Update,
        Located,
        LocatedConfirm,
        LocatedRefuse,
        StrategyMeetingInvitation,
        StrategyMeetingReply,
        StrategyMeetingRecord,
        RecordedInError,
        InterviewRecord,
        AuthorityNamed,
        AdmitRecording,
        NotSameChild,
        Closure,
        Reopen,
        PlacementNotification,
        JointResponsePlan,
        PlanReply,
    )
}

if TYPE_CHECKING:
    TypeName = str
else:
    TypeName = Literal[tuple(CONTRACTS)]


class Command(BaseModel):
    """What is asked of the hub: a type, its body, and as much of the envelope as the sender has."""

    model_config = ConfigDict(extra="forbid")

    type: TypeName
    to: list[Annotated[str, StringConstraints(min_length=1, max_length=200)]] = Field(
        default_factory=list, max_length=20, description="Units, by code or UUID"
    )
    priority: Literal["urgent", "routine"] = "routine"
    status: Literal["actual", "exercise", "test"] | None = Field(
        None, description="Needed to open a case; a case keeps it for life"
    )
    classification: Literal["OFFICIAL", "OFFICIAL-SENSITIVE"] = "OFFICIAL-SENSITIVE"
    handling: Line | None = Field(
        None, description="Handling instructions and descriptors, beside the classification"
    )
    purpose: Words | None = Field(
        None,
        description="Why this is disclosed, and on what basis; questions and enquiries need it",
    )
    in_reply_to: UUID | None = None
    sender_reference: Line | None = Field(None, description="The sender's own case number")
    callback_telephone: Telephone | None = None
    attachments: list[UUID] = Field(
        default_factory=list, max_length=10, description="Files uploaded for this case, by id"
    )
    placement_reference: Line | None = Field(
        None,
        description="The case of the child’s placement: a missing-episode-report that would open a"
        " case goes into that one",
    )
    body: dict[str, Any]
