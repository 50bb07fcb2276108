"""News of an open case."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from messaging import codes
from messaging.contracts.fields import Contract, Words, ask, long


class Update(Contract):
    """News, under a heading."""

    TYPE = "update"
    AUDIENCE = "statutory"
    NAME = "Update"
    ACT = "Send an update"

    heading: Literal[
        "sighting", "risk-change", "phone-contact", "action", "review", "ukmpu-told",
        "ukmpu-not-told", "new-information", "other",
    ] = Field(json_schema_extra=ask("What kind of news", labels=codes.HEADINGS))  # fmt: skip
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
    action_done: UUID | None = Field(None, json_schema_extra=ask("", hidden=True))

    @property
    def permission(self) -> str:
        """Whoever owns an action says that it is done, though they see no more of the case."""
        return "action.done" if self.action_done else super().permission
