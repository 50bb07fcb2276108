"""The end of a case."""

from datetime import date

from pydantic import Field

from messaging.contracts.fields import Contract, Line, Words, ask, long


class Closure(Contract):
    """The case ends."""

    TYPE = "closure"
    AUDIENCE = "all-parties"
    NAME = "Case closed"
    ACT = "Close the case"
    SEND = "Close the case"
    SENT = "The case is closed."

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
