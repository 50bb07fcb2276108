"""The contracts of the messages: one definition for API, forms and storage (DOMAIN.md 8).

Few fields are required. A field's `json_schema_extra` says how a form asks for it, and its
`audience` where that is narrower than its type's.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic.config import JsonDict

from messaging import codes

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
Telephone = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=3, max_length=40, pattern=r"^[0-9+() x-]+$"
    ),
]


def ask(label: str, hint: str = "", **how: Any) -> JsonDict:
    """Return what a form needs of a field."""
    return {"label": label, **({"hint": hint} if hint else {}), **how}


def long(label: str, hint: str = "", **how: Any) -> JsonDict:
    """Return what a form needs of a field of several lines."""
    return ask(label, hint, widget="textarea", **how)


class Contract(BaseModel):
    """The body of a message type."""

    model_config = ConfigDict(extra="forbid")


class Child(Contract):
    """The child, as far as the message needs; a name, and an age or a date of birth."""

    family_name: Line | None = Field(None, json_schema_extra=ask("Family name"))
    given_name: Line = Field(json_schema_extra=ask("Given name"))
    preferred_name: Line | None = Field(None, json_schema_extra=ask("Known as", more=True))
    date_of_birth: date | None = Field(
        None, json_schema_extra=ask("Date of birth", "For example, 27 3 2012. An age will do.")
    )
    age: int | None = Field(
        None,
        ge=0,
        le=25,
        validate_default=True,
        json_schema_extra=ask("Age in years", width=3),
    )
    sex: Literal["female", "male", "other", "not-known"] | None = Field(
        None, json_schema_extra=ask("Sex", more=True)
    )
    ethnicity: Line | None = Field(
        None, json_schema_extra=ask("Ethnicity", "As they describe themselves", more=True)
    )
    language: Line | None = Field(
        None, json_schema_extra=ask("Language, and whether an interpreter is needed", more=True)
    )
    home_address: Line | None = Field(None, json_schema_extra=ask("Home address", more=True))
    placement_address: Line | None = Field(
        None, json_schema_extra=ask("Placement address", more=True)
    )
    description: Words | None = Field(
        None,
        json_schema_extra=long(
            "Description", "Height, build, hair, distinguishing features", more=True
        ),
    )
    identifiers: list[Line] | None = Field(
        None,
        max_length=20,
        json_schema_extra=ask("Identifiers", "One a line, such as “NHS 999 000 0000”", more=True),
    )

    @field_validator("age")
    @classmethod
    def _old_enough_to_know(cls, age: int | None, info: ValidationInfo) -> int | None:
        if age is None and info.data.get("date_of_birth", "unreadable") is None:
            raise ValueError("Give a date of birth or an age")
        return age


class MissingEpisodeReport(Contract):
    """A child is missing: police record it, or a practitioner tells police."""

    child: Child = Field(json_schema_extra=ask("The child"))
    last_seen_at: AwareDatetime = Field(json_schema_extra=ask("Last seen, when"))
    last_seen_place: Line = Field(json_schema_extra=ask("Last seen, where"))
    risk: Literal["high", "medium", "low", "no-apparent-risk"] = Field(
        json_schema_extra=ask("Risk", labels=codes.RISKS)
    )
    why: Words = Field(
        json_schema_extra=long(
            "Why this risk, and what is known", "What makes this child’s absence dangerous"
        )
    )
    callback_telephone: Telephone = Field(
        json_schema_extra=ask("Number to call back", widget="tel", width=20)
    )
    reported_at: AwareDatetime | None = Field(
        None, json_schema_extra=ask("Reported, when", more=True)
    )
    reported_by: Line | None = Field(
        None, json_schema_extra=ask("Reported by, and relationship to the child", more=True)
    )
    category: Literal["M", "A"] | None = Field(
        None, json_schema_extra=ask("Category", labels=codes.CATEGORIES, more=True)
    )
    clothing: Line | None = Field(None, json_schema_extra=ask("Clothing", more=True))
    out_of_character: bool | None = Field(
        None, json_schema_extra=ask("Is this out of character?", more=True)
    )
    likely_places: Words | None = Field(None, json_schema_extra=long("Likely places", more=True))
    associates: Words | None = Field(
        None, json_schema_extra=long("Associates", more=True, audience="police")
    )
    telephone_and_online: Words | None = Field(
        None, json_schema_extra=long("Telephone and social media", more=True)
    )
    transport_and_money: Line | None = Field(
        None, json_schema_extra=ask("Transport and money", more=True)
    )
    medication: Line | None = Field(None, json_schema_extra=ask("Medication and health", more=True))
    previous_episodes: Words | None = Field(
        None, json_schema_extra=long("Missing before: when, and where found", more=True)
    )
    risk_flags: list[Line] | None = Field(
        None,
        max_length=20,
        json_schema_extra=ask(
            "Risk flags", "One a line: CSE, CCE, county lines, self-harm …", more=True
        ),
    )
    live_lines: Words | None = Field(
        None,
        json_schema_extra=long(
            "Live lines of enquiry, with their expiry", more=True, audience="police"
        ),
    )
    warnings: Words | None = Field(
        None, json_schema_extra=long("Warnings to officers", more=True, audience="police")
    )
    review_at: AwareDatetime | None = Field(
        None, json_schema_extra=ask("Supervisor’s next review", more=True)
    )
    also_wanted: bool | None = Field(
        None,
        json_schema_extra=ask(
            "Is the child also wanted?", "They stay missing all the same.", more=True
        ),
    )
    publicity: Line | None = Field(
        None, json_schema_extra=ask("Publicity: agreed, refused, by whom", more=True)
    )
    named_officer: Line | None = Field(
        None,
        json_schema_extra=ask(
            "Officer who leads", "You, unless you name another. Police only.", more=True
        ),
    )


class TelephoneRecord(Contract):
    """A call that was made or taken, about a report or another message (DOMAIN.md 4.2, 4.5)."""

    called_at: AwareDatetime = Field(json_schema_extra=ask("When you spoke"))
    outcome: Literal["taken", "refused", "told-to-wait", "handed-over"] = Field(
        json_schema_extra=ask("What came of it", labels=codes.CALLS)
    )
    with_name: Line = Field(json_schema_extra=ask("Whom you spoke to"))
    with_collar: Line | None = Field(
        None,
        validate_default=True,
        json_schema_extra=ask(
            "Their collar or staff number", "Needed when they took the report", width=10
        ),
    )
    their_reference: Line | None = Field(
        None,
        validate_default=True,
        json_schema_extra=ask(
            "Their reference or incident number", "Needed when they took the report", width=20
        ),
    )
    number: Telephone | None = Field(
        None, json_schema_extra=ask("Number you rang", widget="tel", width=20)
    )
    reason: Words | None = Field(
        None,
        validate_default=True,
        json_schema_extra=long(
            "What they said", "Their reason, when they refused or told you to wait"
        ),
    )
    unit: str | None = Field(None, max_length=200, json_schema_extra=ask("", hidden=True))

    @field_validator("with_collar", "their_reference")
    @classmethod
    def _proved(cls, number: str | None, info: ValidationInfo) -> str | None:
        if number is None and info.data.get("outcome") == "taken":
            raise ValueError(
                "Give their incident number and collar number, or say that they told you to wait"
            )
        return number

    @field_validator("reason")
    @classmethod
    def _reasoned(cls, reason: str | None, info: ValidationInfo) -> str | None:
        if reason is None and info.data.get("outcome") == "refused":
            raise ValueError("Say what reason they gave for refusing")
        return reason


class ReportNotAccepted(Contract):
    """Police do not accept a report: why, what would change it, what the reporter can do."""

    reason: Literal[
        "known-whereabouts", "not-met-definition", "duplicate", "wrong-force", "other"
    ] = Field(json_schema_extra=ask("Why", labels=codes.NOT_ACCEPTED))
    explanation: Words = Field(json_schema_extra=long("Explain it to the reporter"))
    what_would_change_it: Words | None = Field(
        None, json_schema_extra=long("What would change the decision")
    )
    readdress_to: str | None = Field(
        None,
        max_length=200,
        validate_default=True,
        json_schema_extra=ask(
            "Which unit must take it",
            "Needed for “another police unit”: its code, such as kent/east",
        ),
    )

    @field_validator("readdress_to")
    @classmethod
    def _says_where(cls, unit: str | None, info: ValidationInfo) -> str | None:
        if "reason" in info.data and (info.data["reason"] == "wrong-force") != bool(unit):
            raise ValueError("Name the unit that must take it, when and only when it is another’s")
        return unit


class LeadTransferRequest(Contract):
    """An offer of the lead, with everything that the next officer needs."""

    rationale: Literal[
        "majority-of-enquiries", "best-opportunity-to-locate", "agreed-plan", "other"
    ] = Field(json_schema_extra=ask("Why they should lead", labels=codes.RATIONALES))
    circumstances: Words = Field(json_schema_extra=long("Circumstances, in short"))
    kind: Literal["transfer-lead"] = Field("transfer-lead", json_schema_extra=ask("", hidden=True))
    rationale_text: Words | None = Field(None, json_schema_extra=long("More about why"))
    risk: Literal["high", "medium", "low", "no-apparent-risk"] | None = Field(
        None, json_schema_extra=ask("Risk", labels=codes.RISKS, more=True)
    )
    actions_done: Words | None = Field(None, json_schema_extra=long("Done so far", more=True))
    actions_outstanding: Words | None = Field(
        None, json_schema_extra=long("Still to do", more=True)
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
    family_liaison: Line | None = Field(None, json_schema_extra=ask("Family liaison", more=True))
    warnings: Words | None = Field(
        None, json_schema_extra=long("Warnings to officers", more=True, audience="police")
    )
    authorised_by: Line | None = Field(
        None, json_schema_extra=ask("Authorised by, rank and name", more=True)
    )
    withdraws: UUID | None = Field(None, json_schema_extra=ask("", hidden=True))


class LeadTransferAccept(Contract):
    """The lead is taken, without conditions, at the hub's commit."""

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
    supervisor: Line | None = Field(None, json_schema_extra=ask("Supervisor", more=True))
    next_review_at: AwareDatetime | None = Field(
        None, json_schema_extra=ask("Next review", more=True)
    )


class LeadTransferDecline(Contract):
    """The lead is not taken; it stays where it is."""

    reason: Literal[
        "not-most-enquiries", "insufficient-information", "wrong-area", "already-located",
        "duplicate", "other",
    ] = Field(json_schema_extra=ask("Why", labels=codes.DECLINES))  # fmt: skip
    explanation: Words | None = Field(
        None,
        validate_default=True,
        json_schema_extra=long("Explain it", "Needed for “another reason”"),
    )
    information_needed: Words | None = Field(
        None, json_schema_extra=long("Information you would need")
    )
    suggested_lead: Line | None = Field(None, json_schema_extra=ask("Who should lead instead"))
    authorised_by: Line | None = Field(None, json_schema_extra=ask("Authorised by", more=True))

    @field_validator("explanation")
    @classmethod
    def _explained(cls, explanation: str | None, info: ValidationInfo) -> str | None:
        if explanation is None and info.data.get("reason") == "other":
            raise ValueError("Explain the reason")
        return explanation


class LeadTransferWithdraw(Contract):
    """The offer is taken back."""

    reason: Words = Field(json_schema_extra=long("Why you withdraw it"))


class Update(Contract):
    """News, under a heading."""

    heading: Literal[
        "sighting", "risk-change", "phone-contact", "action", "new-information", "other"
    ] = Field(json_schema_extra=ask("What kind of news", labels=codes.HEADINGS))
    text: Words = Field(json_schema_extra=long("What happened"))
    new_risk: Literal["high", "medium", "low", "no-apparent-risk"] | None = Field(
        None, json_schema_extra=ask("New risk", "Only when it has changed.", labels=codes.RISKS)
    )
    police_only: Words | None = Field(
        None,
        json_schema_extra=long(
            "For police only", "Live lines, warnings, associates", more=True, audience="police"
        ),
    )


class Located(Contract):
    """Somebody saw the child, face to face (DOMAIN.md 4.9)."""

    located_at: AwareDatetime = Field(json_schema_extra=ask("When the child was seen"))
    seen_by: Line = Field(
        json_schema_extra=ask(
            "Who saw the child, face to face", "A telephone call is an update, not this."
        )
    )
    place: Line = Field(json_schema_extra=ask("Where"))
    how: Literal["self", "police", "carer", "family", "other"] = Field(
        json_schema_extra=ask("How", labels=codes.LOCATED_HOW)
    )
    harm_or_crime_disclosed: bool | None = Field(
        None, json_schema_extra=ask("Was harm or a crime disclosed?", more=True)
    )
    safe_to_return: bool | None = Field(
        None, json_schema_extra=ask("Is it safe to return?", more=True)
    )
    returned_to: Line | None = Field(None, json_schema_extra=ask("Returned to", more=True))
    details: Words | None = Field(None, json_schema_extra=long("More", more=True))


class LocatedConfirm(Contract):
    """The lead confirms: the missing clock stops."""

    confirmed_how: Words | None = Field(
        None, json_schema_extra=long("How you made sure", "Optional, and useful later")
    )


class LocatedRefuse(Contract):
    """The lead does not confirm: the child stays missing."""

    reason: Words = Field(json_schema_extra=long("Why you do not confirm"))


class Closure(Contract):
    """The case ends."""

    outcome: Words = Field(json_schema_extra=long("Outcome"))
    authorised_by: Line = Field(json_schema_extra=ask("Authorised by"))
    actions_outstanding: Words | None = Field(
        None, json_schema_extra=long("Actions outstanding, with their owners", more=True)
    )
    placement_review: Line | None = Field(
        None, json_schema_extra=ask("Placement review", more=True)
    )
    retention_review_on: date | None = Field(
        None, json_schema_extra=ask("Retention review on", more=True)
    )


CONTRACTS: Mapping[str, type[Contract]] = {
    "missing-episode-report": MissingEpisodeReport,
    "telephone-record": TelephoneRecord,
    "report-not-accepted": ReportNotAccepted,
    "lead-transfer-request": LeadTransferRequest,
    "lead-transfer-accept": LeadTransferAccept,
    "lead-transfer-decline": LeadTransferDecline,
    "lead-transfer-withdraw": LeadTransferWithdraw,
    "update": Update,
    "located": Located,
    "located-confirm": LocatedConfirm,
    "located-refuse": LocatedRefuse,
    "closure": Closure,
}

AUDIENCES: Mapping[str, str] = {
    "missing-episode-report": "all-parties",
    "telephone-record": "all-parties",
    "report-not-accepted": "all-parties",
    "lead-transfer-request": "police",
    "lead-transfer-accept": "police",
    "lead-transfer-decline": "police",
    "lead-transfer-withdraw": "police",
    "update": "statutory",
    "located": "all-parties",
    "located-confirm": "all-parties",
    "located-refuse": "statutory",
    "closure": "all-parties",
}
"""Whom a message is for unless its sender narrows it (DOMAIN.md 4.8)."""

TypeName = Literal[
    "missing-episode-report", "telephone-record", "report-not-accepted", "lead-transfer-request",
    "lead-transfer-accept", "lead-transfer-decline", "lead-transfer-withdraw", "update", "located",
    "located-confirm", "located-refuse", "closure",
]  # fmt: skip


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
    purpose: Words | None = Field(None, description="Why this is disclosed, and on what basis")
    in_reply_to: UUID | None = None
    sender_reference: Line | None = Field(None, description="The sender's own case number")
    callback_telephone: Telephone | None = None
    body: dict[str, Any]
