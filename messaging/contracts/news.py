"""News of an open case."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, ValidationInfo, field_validator

from messaging import codes
from messaging.contracts.fields import Contract, Line, Words, ask, long


class Update(Contract):
    """News, under a heading."""

    TYPE = "update"
    AUDIENCE = "statutory"
    NAME = "Update"
    ACT = "Send an update"
    COMPUTED = ("risk_list_version",)

    heading: Literal[
        "sighting", "risk-change", "phone-contact", "action", "review", "ukmpu-told",
        "new-information", "other",
    ] = Field(json_schema_extra=ask("What kind of news", labels=codes.HEADINGS))  # fmt: skip
    text: Words = Field(
        json_schema_extra=long("What happened, or what is new", "When, where, and who says so")
    )
    new_risk: Literal["high", "medium", "low", "no-apparent-risk"] | None = Field(
        None, json_schema_extra=ask("New risk", "Only when it has changed.", labels=codes.RISKS)
    )
    ukmpu_not_told: Words | None = Field(
        None,
        json_schema_extra=long(
            "Why the UK Missing Persons Unit was not told",
            "Only once the child is back.",
            more=True,
        ),
    )
    risk_assessor: Line | None = Field(
        None,
        json_schema_extra=ask("Who assessed the risk", "You, unless you name another.", more=True),
    )
    review_at: AwareDatetime | None = Field(
        None,
        json_schema_extra=ask(
            "Supervisor’s next review", "Only with a change of risk, or a review.", more=True
        ),
    )
    risk_list_version: Line | None = Field(
        None, json_schema_extra=ask("Version of the list of risks", more=True)
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
    police_only: Words | None = Field(
        None,
        json_schema_extra=long(
            "For police only", "Live lines, warnings, associates", more=True, audience="police"
        ),
    )
    live_line: Words | None = Field(
        None,
        json_schema_extra=long(
            "A live line of enquiry",
            "What it is and who follows it, such as CCTV of the bus station, kept by the operator."
            " It goes with the lead, and alarms when it runs out.",
            more=True,
            audience="police",
        ),
    )
    live_until: AwareDatetime | None = Field(
        None,
        validate_default=True,
        json_schema_extra=ask(
            "Live until, at the latest", "After that it is lost.", more=True, audience="police"
        ),
    )
    action_done: UUID | None = Field(None, json_schema_extra=ask("", hidden=True))

    @field_validator("live_until")
    @classmethod
    def _both(cls, until: datetime | None, info: ValidationInfo) -> datetime | None:
        if (until is None) != (info.data.get("live_line") is None):
            raise ValueError(
                "A live line of enquiry has its words and the time until which it lives"
            )
        return until

    @property
    def settles(self) -> bool:
        """An action that is done is, wherever it was given."""
        return self.action_done is not None

    @property
    def permission(self) -> str:
        """Whoever owns an action says that it is done, though they see no more of the case."""
        return "action.done" if self.action_done else super().permission
