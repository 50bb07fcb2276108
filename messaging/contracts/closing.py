"""The end of an episode in error, and of a case; and a case that is opened again (DOMAIN.md 3, 8)."""

from datetime import date
from typing import Literal

from pydantic import Field

from messaging import codes
from messaging.contracts.fields import Contract, Line, Words, ask, long


class Closure(Contract):
    """The case ends. What the hub knows of its episodes it writes itself."""

    TYPE = "closure"
    AUDIENCE = "all-parties"
    NAME = "Case closed"
    ACT = "Close the case"
    SEND = "Close the case"
    SENT = "The case is closed."
    JOINS = True
    COMPUTED = ("episodes", "final_lead", "home_unit")

    outcome: Words = Field(
        json_schema_extra=long("Outcome", "How it ended, and what keeps the child safe")
    )
    authorised_by: Line = Field(json_schema_extra=ask("Authorised by"))
    ground: Literal["safe", "ended", "wanted", "arrested-elsewhere", "known-whereabouts"] | None = (
        Field(None, json_schema_extra=ask("What it rests on", labels=codes.CLOSING_GROUNDS))
    )
    actions_outstanding: Words | None = Field(
        None,
        json_schema_extra=long(
            "Actions outstanding, with their owners", "What, who does it, by when", more=True
        ),
    )
    placement_review: Line | None = Field(
        None,
        json_schema_extra=ask(
            "Placement review", "Whether it is looked at again, and when", more=True
        ),
    )
    retention_review_on: date | None = Field(
        None,
        json_schema_extra=ask(
            "Retention review on", "When it is decided whether to keep the case", more=True
        ),
    )
    episodes: list[Line] | None = Field(
        None, max_length=1000, json_schema_extra=ask("Episodes", "Written by the hub", more=True)
    )
    final_lead: Line | None = Field(
        None, json_schema_extra=ask("Led last", "Written by the hub", more=True)
    )
    home_unit: Line | None = Field(
        None, json_schema_extra=ask("Home unit", "Written by the hub", more=True)
    )


class Reopen(Contract):
    """A closed case is open again; that it was closed stays on record."""

    TYPE = "reopen"
    AUDIENCE = "all-parties"
    NAME = "Case opened again"
    ACT = "Open the case again"
    SEND = "Open the case again"
    SENT = "The case is open again."
    OPENS = True

    reason: Words = Field(json_schema_extra=long("Why it is opened again"))
    authorised_by: Line = Field(json_schema_extra=ask("Authorised by"))


class RecordedInError(Contract):
    """A supervisor of the unit that leads ends an episode that never was; two persons say so."""

    TYPE = "recorded-in-error"
    AUDIENCE = "all-parties"
    NAME = "Episode recorded in error"
    ACT = "End an episode that was recorded in error"
    SEND = "End the episode: it was recorded in error"
    SENT = "The episode has ended as recorded in error. It stays in the history."

    ground: Literal[
        "never-missing", "duplicate", "wrong-child", "wanted", "arrested-elsewhere",
        "known-whereabouts", "other",
    ] = Field(json_schema_extra=ask("What was wrong", labels=codes.ERRORS))  # fmt: skip
    reason: Words = Field(
        json_schema_extra=long(
            "Explain it", "Nothing is removed: it stays in the history.", read="Explanation"
        )
    )
    authorised_by: Line = Field(
        json_schema_extra=ask(
            "Authorised by, besides you: name",
            "A second person, not yourself.",
            read="Authorised by, besides the sender: name",
        )
    )
    authoriser_rank: Line | None = Field(None, json_schema_extra=ask("Their rank", width=20))
    authoriser_collar: Line | None = Field(
        None, json_schema_extra=ask("Their collar number", width=10)
    )
