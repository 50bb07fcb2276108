"""The offer of the lead and its answers."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, ValidationInfo, field_validator

from messaging import codes
from messaging.contracts.fields import Contract, Line, Telephone, Words, ask, long


class LeadTransferRequest(Contract):
    """An offer of the lead, with everything that the next officer needs."""

    TYPE = "lead-transfer-request"
    AUDIENCE = "police"
    NAME = "Offer of the lead"
    ACT = "Offer the lead to another unit"
    SEND = "Offer the lead"
    NEED = "Accept or decline the lead"
    ADDRESSED = "Whom do you offer the lead?"
    ASKS = True
    SENT = "The lead is offered. You lead until they accept."

    rationale: Literal[
        "majority-of-enquiries", "best-opportunity-to-locate", "agreed-plan", "other"
    ] = Field(
        json_schema_extra=ask(
            "Why they should lead",
            labels=codes.RATIONALES,
            read="Why the unit that is asked should lead",
        )
    )
    circumstances: Words = Field(
        json_schema_extra=long("Circumstances, in short", "What happened, and why they are at risk")
    )
    kind: Literal["transfer-lead", "join-episodes"] = Field(
        "transfer-lead", json_schema_extra=ask("", hidden=True)
    )
    match: UUID | None = Field(None, json_schema_extra=ask("", hidden=True))
    lead_after: Literal["theirs", "ours"] | None = Field(
        None, json_schema_extra=ask("Who leads once they are joined", labels=codes.LEADS_AFTER)
    )
    rationale_text: Words | None = Field(
        None,
        validate_default=True,
        json_schema_extra=long("More about why", "Needed for “another reason”"),
    )
    last_seen_at: AwareDatetime | None = Field(
        None, json_schema_extra=ask("Last seen, when", more=True)
    )
    last_seen_place: Line | None = Field(None, json_schema_extra=ask("Last seen, where", more=True))
    risk: Literal["high", "medium", "low", "no-apparent-risk"] | None = Field(
        None, json_schema_extra=ask("Risk", labels=codes.RISKS, more=True)
    )
    actions_done: Words | None = Field(
        None,
        json_schema_extra=long(
            "Done so far", "Searches, calls, addresses: when, and what came of it", more=True
        ),
    )
    actions_outstanding: Words | None = Field(
        None, json_schema_extra=long("Still to do", "What, who does it, by when", more=True)
    )
    live_lines: Words | None = Field(
        None,
        json_schema_extra=long(
            "Live lines of enquiry",
            "Telephone, bank, CCTV, each with its expiry",
            more=True,
            audience="police",
        ),
    )
    family_liaison: Line | None = Field(
        None,
        json_schema_extra=ask(
            "Family liaison", "Who speaks with family and carer, and when they last did", more=True
        ),
    )
    warnings: Words | None = Field(
        None,
        json_schema_extra=long(
            "Warnings to officers",
            "Weapons, violence, dogs, self-harm: of whom, or at which address",
            more=True,
            audience="police",
        ),
    )
    authorised_by: Line | None = Field(
        None, json_schema_extra=ask("Authorised by, rank and name", more=True)
    )
    withdraws: UUID | None = Field(None, json_schema_extra=ask("", hidden=True))

    @field_validator("rationale_text")
    @classmethod
    def _explained(cls, words: str | None, info: ValidationInfo) -> str | None:
        if words is None and info.data.get("rationale") == "other":
            raise ValueError("Explain the reason")
        return words


class LeadTransferAccept(Contract):
    """The lead is taken, without conditions, at the hub's commit."""

    TYPE = "lead-transfer-accept"
    AUDIENCE = "police"
    NAME = "Lead accepted"
    ACT = "Accept the lead"
    SEND = "Accept the lead now"
    ANSWERS = True
    SENT = "Your unit leads now."
    JOINS = True

    named_officer: Line = Field(json_schema_extra=ask("Officer who leads"))
    officer_rank: Line | None = Field(None, json_schema_extra=ask("Rank", width=20))
    officer_collar: Line | None = Field(None, json_schema_extra=ask("Collar number", width=10))
    on_duty_until: AwareDatetime | None = Field(
        None,
        json_schema_extra=ask(
            "On duty until", "8 hours from now unless you say otherwise.", more=True
        ),
    )
    contact_telephone: Telephone | None = Field(
        None, json_schema_extra=ask("Telephone of the officer", widget="tel", width=20)
    )
    supervisor: Line | None = Field(
        None,
        json_schema_extra=ask(
            "Supervisor who authorises it", "Where your organisation asks for one.", more=True
        ),
    )
    next_review_at: AwareDatetime | None = Field(
        None, json_schema_extra=ask("Next review", "When a supervisor looks at it next", more=True)
    )


class LeadTransferDecline(Contract):
    """The lead is not taken; it stays where it is."""

    TYPE = "lead-transfer-decline"
    AUDIENCE = "police"
    NAME = "Lead declined"
    ACT = "Decline the lead"
    SEND = "Decline the lead"
    ANSWERS = True
    SENT = "You have declined. The lead is where it was."

    reason: Literal[
        "not-most-enquiries", "insufficient-information", "wrong-area", "already-located",
        "duplicate", "other",
    ] = Field(json_schema_extra=ask("Why", labels=codes.DECLINES))  # fmt: skip
    explanation: Words | None = Field(
        None,
        validate_default=True,
        json_schema_extra=long("Explain it", "Needed for “another reason”", read="Explanation"),
    )
    information_needed: Words | None = Field(
        None,
        json_schema_extra=long(
            "Information you would need",
            "What would let you decide otherwise",
            read="Information that is needed first",
        ),
    )
    suggested_lead: Line | None = Field(
        None, json_schema_extra=ask("Who should lead instead", "The unit, and why it")
    )
    authorised_by: Line | None = Field(None, json_schema_extra=ask("Authorised by", more=True))

    @field_validator("explanation")
    @classmethod
    def _explained(cls, explanation: str | None, info: ValidationInfo) -> str | None:
        if explanation is None and info.data.get("reason") == "other":
            raise ValueError("Explain the reason")
        return explanation


class LeadTransferWithdraw(Contract):
    """The offer is taken back."""

    TYPE = "lead-transfer-withdraw"
    AUDIENCE = "police"
    NAME = "Offer of the lead withdrawn"
    ACT = "Withdraw the offer"
    SEND = "Withdraw the offer"
    ANSWERS = True

    reason: Words = Field(json_schema_extra=long("Why you withdraw it", read="Why it is withdrawn"))


class HoldingReply(Contract):
    """The unit that is asked says by when it decides: once for each request; nothing moves."""

    TYPE = "holding-reply"
    AUDIENCE = "police"
    NAME = "Holding reply"
    ACT = "Say by when you decide"
    SEND = "Send the holding reply"
    ANSWERS = True

    decide_by: AwareDatetime = Field(
        json_schema_extra=ask(
            "By when you decide", "At most 1 hour from now if urgent, else 8.", read="Decides by"
        )
    )
    reason: Words = Field(json_schema_extra=long("Why not now", "What you wait for"))
