"""What is said of a match: that the other case is of this child, or of another (DOMAIN.md 4.10)."""

from uuid import UUID

from pydantic import Field

from messaging.contracts.fields import Contract, Words, ask, long


class AdmitRecording(Contract):
    """A case without an open episode takes in the episode that another unit has recorded."""

    TYPE = "admit-recording"
    AUDIENCE = "all-parties"
    NAME = "Recording admitted"
    ACT = "It is this child: take their episode into this case"
    SEND = "Admit it: who leads there goes on leading"
    SENT = "It is one case now. Who led goes on leading."
    JOINS = True

    reason: Words = Field(
        json_schema_extra=long(
            "Why it is this child", "What tells you: birth date, photo, social worker"
        )
    )
    match: UUID | None = Field(None, json_schema_extra=ask("", hidden=True))


class NotSameChild(Contract):
    """One side says that the other case is of another child; the other side confirms by the same."""

    TYPE = "not-same-child"
    AUDIENCE = "police"
    NAME = "Not the same child"
    ACT = "Say that it is another child"
    SEND = "Say that it is another child"
    SENT = "It is on record. The cases stay contested until the other unit says so too."
    JOINS = True

    reason: Words = Field(
        json_schema_extra=long(
            "How you know that it is another child",
            "What differs: birth date, photo, where they live",
            read="How it is known that it is another child",
        )
    )
    match: UUID | None = Field(None, json_schema_extra=ask("", hidden=True))
