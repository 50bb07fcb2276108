"""Reports of a missing child, and what police and reporters say of them."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field, ValidationInfo, field_validator

from messaging import codes
from messaging.contracts.fields import Contract, Line, Telephone, Words, ask, long
from messaging.contracts.identifiers import Identifier

Ethnicity = Literal[
    "W1", "W2", "W3", "W9", "M1", "M2", "M3", "M9", "A1", "A2", "A3", "A4", "A9", "B1", "B2", "B9", "O2",
    "O9", "NS",
]  # fmt: skip


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
    birth_date_accuracy: Literal["exact", "month-and-year", "year", "estimated"] | None = Field(
        None,
        json_schema_extra=ask(
            "How exact is the date of birth?", labels=codes.BIRTH_DATES, more=True
        ),
    )
    sex: Literal["female", "male", "other", "not-known"] | None = Field(
        None, json_schema_extra=ask("Sex", more=True)
    )
    gender: Line | None = Field(
        None, json_schema_extra=ask("Gender", "As they describe it, if they do", more=True)
    )
    ethnicity: Ethnicity | None = Field(
        None,
        json_schema_extra=ask(
            "Ethnicity", "As they describe themselves", labels=codes.ETHNICITIES, more=True,
            widget="select",
        ),
    )  # fmt: skip
    language: Line | None = Field(
        None,
        json_schema_extra=ask(
            "Language, and whether an interpreter is needed",
            "Such as: Vietnamese, interpreter needed",
            more=True,
        ),
    )
    home_address: Line | None = Field(
        None, json_schema_extra=ask("Home address", "Whose home it is, too", more=True)
    )
    placement_address: Line | None = Field(
        None,
        json_schema_extra=ask("Placement address", "The name of the home or carer, too", more=True),
    )
    description: Words | None = Field(
        None,
        json_schema_extra=long(
            "Description", "Height, build, hair, distinguishing features", more=True
        ),
    )
    identifiers: list[Identifier] | None = Field(
        None,
        max_length=20,
        json_schema_extra=ask("Identifiers", row="Identifier", more=True),
    )

    @field_validator("age")
    @classmethod
    def _old_enough_to_know(cls, age: int | None, info: ValidationInfo) -> int | None:
        if age is None and info.data.get("date_of_birth", "unreadable") is None:
            raise ValueError("Give a date of birth or an age")
        return age


OFFICER = ("named_officer", "officer_rank", "officer_collar", "on_duty_until")
"""What police say in a report of who leads."""


class MissingEpisodeReport(Contract):
    """A child is missing: police record it, or a practitioner tells police."""

    TYPE = "missing-episode-report"
    AUDIENCE = "all-parties"
    NAME = "Report of a missing child"
    ACT = "Record the report"
    SEND = "Record the report: my unit leads"
    NEED = "Record the report, or say why not"
    ASKS = True
    COMPUTED = ("risk_list_version",)

    child: Child = Field(json_schema_extra=ask("The child"))
    last_seen_at: AwareDatetime = Field(json_schema_extra=ask("Last seen, when"))
    last_seen_place: Line = Field(
        json_schema_extra=ask("Last seen, where", "The place, and who saw them there")
    )
    risk: Literal["high", "medium", "low", "no-apparent-risk"] = Field(
        json_schema_extra=ask("Risk", labels=codes.RISKS)
    )
    why: Words = Field(
        json_schema_extra=long(
            "Why this risk, and what is known", "What makes this child’s absence dangerous"
        )
    )
    callback_telephone: Telephone = Field(
        json_schema_extra=ask(
            "Number to call back",
            "Answered now, by somebody who knows the child",
            widget="tel",
            width=20,
        )
    )
    reported_at: AwareDatetime | None = Field(
        None, json_schema_extra=ask("Reported, when", more=True)
    )
    reported_by: Line | None = Field(
        None,
        json_schema_extra=ask(
            "Reported by, and relationship to the child", "Such as: J. Hall, night carer", more=True
        ),
    )
    category: Literal["M", "A"] | None = Field(
        None, json_schema_extra=ask("Category", labels=codes.CATEGORIES, more=True)
    )
    clothing: Line | None = Field(
        None, json_schema_extra=ask("Clothing", "What they had on, shoes and bag too", more=True)
    )
    out_of_character: bool | None = Field(
        None,
        json_schema_extra=ask(
            "Is this out of character?", "Yes, if they have not gone like this before.", more=True
        ),
    )
    likely_places: Words | None = Field(
        None,
        json_schema_extra=long(
            "Likely places",
            "Where they go, were found before, or have family: with the address",
            more=True,
        ),
    )
    associates: Words | None = Field(
        None,
        json_schema_extra=long(
            "Associates",
            "Name, age, address, and what they are to the child",
            more=True,
            audience="police",
        ),
    )
    telephone_and_online: Words | None = Field(
        None,
        json_schema_extra=long(
            "Telephone and social media",
            "Numbers, network, account names, and when last active",
            more=True,
        ),
    )
    transport_and_money: Line | None = Field(
        None,
        json_schema_extra=ask(
            "Transport and money", "Travel card, bicycle, bank card, cash", more=True
        ),
    )
    medication: Line | None = Field(
        None,
        json_schema_extra=ask(
            "Medication and health", "What, how often, and what happens without it", more=True
        ),
    )
    previous_episodes: Words | None = Field(
        None,
        json_schema_extra=long(
            "Missing before: when, and where found",
            "How often, for how long, and with whom",
            more=True,
        ),
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
            "Live lines of enquiry, with their expiry",
            "Telephone, bank, CCTV: who holds it, and when it is lost",
            more=True,
            audience="police",
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
    strategy: Words | None = Field(
        None,
        json_schema_extra=long(
            "Investigation strategy",
            "What is done first, and by whom",
            more=True,
            audience="police",
        ),
    )
    text_safe_requested: bool | None = Field(
        None,
        json_schema_extra=ask(
            "Was TextSafe asked for?",
            "The charity Missing People sends the child a text message.",
            more=True,
        ),
    )
    review_at: AwareDatetime | None = Field(
        None,
        json_schema_extra=ask(
            "Supervisor’s next review", "Left empty: when the level of risk asks for it.", more=True
        ),
    )
    also_wanted: bool | None = Field(
        None,
        json_schema_extra=ask(
            "Is the child also wanted?",
            "They stay missing all the same.",
            more=True,
            audience="police",
        ),
    )
    publicity: Line | None = Field(
        None,
        json_schema_extra=ask(
            "Publicity: agreed, refused, by whom",
            "Whether the photo may be used, and what must not be said",
            more=True,
        ),
    )
    risk_assessor: Line | None = Field(
        None,
        json_schema_extra=ask("Who assessed the risk", "You, unless you name another.", more=True),
    )
    risk_list_version: Line | None = Field(
        None, json_schema_extra=ask("Version of the list of risks", more=True)
    )
    named_officer: Line | None = Field(
        None,
        json_schema_extra=ask(
            "Officer who leads", "You, unless you name another. Police only.", more=True
        ),
    )
    officer_rank: Line | None = Field(
        None, json_schema_extra=ask("Rank of the officer who leads", width=20, more=True)
    )
    officer_collar: Line | None = Field(
        None, json_schema_extra=ask("Collar number of the officer who leads", width=10, more=True)
    )
    on_duty_until: AwareDatetime | None = Field(
        None,
        json_schema_extra=ask(
            "Officer who leads is on duty until",
            "8 hours from now unless you say otherwise.",
            more=True,
        ),
    )


class TelephoneRecord(Contract):
    """A call that was made or taken, about a report or another message (DOMAIN.md 4.2, 4.5)."""

    TYPE = "telephone-record"
    AUDIENCE = "all-parties"
    NAME = "Telephone call on record"
    ACT = "Record the call"
    SEND = "Put the call on record"
    SENT = "The call is on record."

    called_at: AwareDatetime = Field(
        json_schema_extra=ask("When you spoke", read="Time of the call")
    )
    outcome: Literal["taken", "refused", "told-to-wait", "handed-over"] = Field(
        json_schema_extra=ask("What came of it", labels=codes.CALLS)
    )
    with_name: Line = Field(json_schema_extra=ask("Whom you spoke to", read="Spoke to"))
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
    call: Literal["made", "taken"] | None = Field(
        None, json_schema_extra=ask("Who rang?", labels=codes.CALL_WAYS, more=True)
    )
    number: Telephone | None = Field(
        None, json_schema_extra=ask("Number that was rung", widget="tel", width=20)
    )
    reason: Words | None = Field(
        None,
        validate_default=True,
        json_schema_extra=long(
            "What they said",
            "Their reason, when they refused or told you to wait",
            read="What was said",
        ),
    )
    unit: str | None = Field(None, max_length=200, json_schema_extra=ask("", hidden=True))

    @field_validator("with_collar", "their_reference")
    @classmethod
    def _proved(cls, number: str | None, info: ValidationInfo) -> str | None:
        if number is None and info.data.get("outcome") == "taken":
            what = "incident number" if info.field_name == "their_reference" else "collar number"
            raise ValueError(f"Give their {what}, or say that they told you to wait")
        return number

    @field_validator("reason")
    @classmethod
    def _reasoned(cls, reason: str | None, info: ValidationInfo) -> str | None:
        if reason is None and info.data.get("outcome") == "refused":
            raise ValueError("Say what reason they gave for refusing")
        return reason


class ReportNotAccepted(Contract):
    """Police do not accept a report: why, what would change it, what the reporter can do."""

    TYPE = "report-not-accepted"
    AUDIENCE = "all-parties"
    NAME = "Report not accepted"
    ACT = "Do not accept the report"
    SEND = "Send to the reporter"
    NEED = "Read what police say"
    ANSWERS = True
    COMPUTED = ("may_do",)

    reason: Literal[
        "known-whereabouts", "not-met-definition", "duplicate", "wrong-force", "other"
    ] = Field(json_schema_extra=ask("Why", labels=codes.NOT_ACCEPTED))
    explanation: Words = Field(
        json_schema_extra=long(
            "Explain it to the reporter",
            "What you know and what you checked: they read it as you write it",
            read="Explanation to the reporter",
        )
    )
    what_would_change_it: Words | None = Field(
        None,
        json_schema_extra=long("What would change the decision", "Such as: not back by midnight"),
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

    may_do: list[Literal["add-information", "ask-a-supervisor", "ring"]] | None = Field(
        None, json_schema_extra=ask("What the reporter may do", labels=codes.MAY_DO)
    )

    @field_validator("readdress_to")
    @classmethod
    def _says_where(cls, unit: str | None, info: ValidationInfo) -> str | None:
        if "reason" in info.data and (info.data["reason"] == "wrong-force") != bool(unit):
            raise ValueError("Name the unit that must take it, when and only when it is another’s")
        return unit


class SupervisorRequest(Contract):
    """Whose report police did not accept asks a supervisor of theirs to decide."""

    TYPE = "supervisor-request"
    AUDIENCE = "all-parties"
    NAME = "Supervisor’s decision asked for"
    ACT = "Ask for a supervisor’s decision"
    SEND = "Ask the duty inspector"
    NEED = "Decide on the report, as supervisor"
    ASKS = True
    SENT = "The force’s duty inspector is told, and owes a decision. Ring as well."

    why: Words = Field(
        json_schema_extra=long("Why the report should be accepted", "What the first answer missed")
    )
