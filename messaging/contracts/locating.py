"""Located is what someone saw (DOMAIN.md 4.9)."""

from typing import Literal

from pydantic import AwareDatetime, Field

from messaging import codes
from messaging.contracts.fields import Contract, Line, Words, ask, long


class Located(Contract):
    """Somebody saw the child, face to face (DOMAIN.md 4.9)."""

    TYPE = "located"
    AUDIENCE = "all-parties"
    NAME = "Child located"
    ACT = "Say that the child is located"
    NEED = "Confirm or refuse"
    ASKS = True

    located_at: AwareDatetime = Field(json_schema_extra=ask("When the child was seen"))
    seen_by: Line = Field(
        json_schema_extra=ask(
            "Who saw the child, face to face", "A telephone call is an update, not this."
        )
    )
    place: Line = Field(json_schema_extra=ask("Where", "The address, or as near as it is known"))
    how: Literal["self", "police", "carer", "family", "other"] = Field(
        json_schema_extra=ask("How", labels=codes.LOCATED_HOW)
    )
    found: Literal["alive", "dead"] | None = Field(
        None, json_schema_extra=ask("The child was found", labels=codes.FOUND)
    )
    ground: Literal["seen", "wanted", "arrested-elsewhere", "known-whereabouts"] | None = Field(
        None,
        json_schema_extra=ask(
            "What this rests on",
            "A child in custody is located once somebody saw them there.",
            labels=codes.GROUNDS,
            more=True,
        ),
    )
    harm_or_crime_disclosed: bool | None = Field(
        None,
        json_schema_extra=ask(
            "Was harm or a crime disclosed?", "Yes or no, and no more.", more=True
        ),
    )
    safe_to_return: bool | None = Field(
        None,
        json_schema_extra=ask(
            "Is it safe to return?", "To the home or placement that they left", more=True
        ),
    )
    returned_to: Line | None = Field(
        None, json_schema_extra=ask("Returned to", "Where they are now, and with whom", more=True)
    )
    details: Words | None = Field(
        None, json_schema_extra=long("More", "How they are, and what they need", more=True)
    )


class LocatedConfirm(Contract):
    """The lead confirms: the missing clock stops."""

    TYPE = "located-confirm"
    AUDIENCE = "all-parties"
    NAME = "Located: confirmed"
    ACT = "Confirm that the child is located"
    SEND = "Confirm: the child is located"
    ANSWERS = True

    confirmed_how: Words | None = Field(
        None,
        json_schema_extra=long(
            "How you made sure", "Optional, and useful later", read="How it was made sure"
        ),
    )


class LocatedRefuse(Contract):
    """The lead does not confirm: the child stays missing."""

    TYPE = "located-refuse"
    AUDIENCE = "statutory"
    NAME = "Located: refused"
    ACT = "Refuse: the child is not located"
    SEND = "Refuse: the child stays missing"
    ANSWERS = True

    reason: Words = Field(
        json_schema_extra=long(
            "Why you do not confirm",
            "What does not fit, or what you still check",
            read="Why it is not confirmed",
        )
    )
