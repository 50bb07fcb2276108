"""Disputes over who leads, and how they are decided (DOMAIN.md 4.1, 6)."""

from uuid import UUID

from pydantic import AwareDatetime, Field

from messaging.contracts.fields import Contract, Line, Telephone, Words, ask, long


class Dispute(Contract):
    """A side says why another unit should lead, or why it should not; who leads goes on leading."""

    TYPE = "dispute"
    AUDIENCE = "police"
    NAME = "Dispute over who leads"
    ACT = "Dispute who leads"
    SEND = "Send the dispute"
    NEED = "Decide who leads"
    ASKS = True
    SENT = "The dispute is sent. Who leads goes on leading until it is decided."

    grounds: Words = Field(
        json_schema_extra=long(
            "Your grounds",
            "Where most enquiries are, and who can best locate the child",
            read="Grounds",
        )
    )
    proposed_lead: Line | None = Field(None, json_schema_extra=ask("Who should lead, and why"))
    authorised_by: Line | None = Field(
        None, json_schema_extra=ask("Authorised by, rank and name", more=True)
    )


class DisputeWithdraw(Contract):
    """The side that disputed takes it back; nothing moves."""

    TYPE = "dispute-withdraw"
    AUDIENCE = "police"
    NAME = "Dispute withdrawn"
    ACT = "Withdraw the dispute"
    SEND = "Withdraw the dispute"
    ANSWERS = True

    reason: Words = Field(json_schema_extra=long("Why you withdraw it", read="Why it is withdrawn"))


class Direction(Contract):
    """An adjudicator's decision: which unit leads, and why (4.1c)."""

    TYPE = "direction"
    AUDIENCE = "police"
    NAME = "Direction by an adjudicator"
    ACT = "Direct who leads"
    SEND = "Direct it"
    NEED = "Acknowledge the direction"
    ASKS = True
    SENT = "Your direction is sent. The lead moves when it is acknowledged."
    JOINS = True

    lead: str = Field(
        max_length=200,
        json_schema_extra=ask("Which unit leads", "Its code, such as kent/east."),
    )
    reasons: Words = Field(
        json_schema_extra=long(
            "Your reasons", "What weighed, and what did not: both sides read it", read="Reasons"
        )
    )
    match: UUID | None = Field(None, json_schema_extra=ask("", hidden=True))
    """The other case of the same child, whose episode ends in this one as it is acknowledged."""


class DirectionAcknowledge(Contract):
    """The directed unit takes the lead, or the adjudicator says whom there they told (4.1c)."""

    TYPE = "direction-acknowledge"
    AUDIENCE = "police"
    NAME = "Direction acknowledged"
    ACT = "Acknowledge the direction: the lead moves"
    SEND = "Acknowledge: the lead moves now"
    ANSWERS = True
    SENT = "The direction is acknowledged. The lead has moved."
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
    told_by_telephone: Line | None = Field(
        None,
        json_schema_extra=ask(
            "If you told them by telephone: whom, on which number, and when",
            "Adjudicators only.",
            more=True,
            read="Told by telephone: whom, on which number, and when",
        ),
    )
