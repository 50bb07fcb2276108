"""Questions and enquiries that one unit asks of another (DOMAIN.md 4.4, 7)."""

from typing import Literal

from pydantic import AwareDatetime, Field, model_validator

from messaging import codes
from messaging.contracts.fields import Contract, Line, Words, ask, long


class InformationRequest(Contract):
    """Questions to answer or enquiries to carry out; whoever leads, it can be answered (4.4)."""

    TYPE = "information-request"
    AUDIENCE = "statutory"
    NAME = "Questions or enquiries"
    ACT = "Ask another unit"
    SEND = "Ask"
    NEED = "Answer the questions"
    ADDRESSED = "Whom do you ask?"
    ASKS = True

    questions: Words = Field(
        json_schema_extra=long(
            "What you ask", "One a line: questions, or enquiries to carry out", read="What is asked"
        )
    )
    needed_by: AwareDatetime | None = Field(
        None,
        json_schema_extra=ask(
            "Needed by", "Left empty: an hour from now if immediate, else a day."
        ),
    )
    immediate_action: bool | None = Field(
        None,
        json_schema_extra=ask(
            "Is immediate action needed?", "It is urgent then: ring the number that you are shown."
        ),
    )
    address: Line | None = Field(
        None, json_schema_extra=ask("Address that it is about", "With the postcode", more=True)
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


class InformationResponse(Contract):
    """The answer: whole, in part, none held, or refused with a reason; it quotes the question."""

    TYPE = "information-response"
    AUDIENCE = "statutory"
    NAME = "Answer to questions"
    ACT = "Answer the questions"
    SEND = "Send the answer"
    ANSWERS = True

    outcome: Literal["provided", "part", "none-held", "refused"] = Field(
        json_schema_extra=ask("What came of it", labels=codes.INFORMATION)
    )
    answers: Words | None = Field(
        None,
        json_schema_extra=long(
            "Your answers", "One a line, in the order of the questions", read="Answers"
        ),
    )
    reason: Words | None = Field(
        None, json_schema_extra=long("Why, where it is refused or only part")
    )
    handling: Words | None = Field(
        None,
        json_schema_extra=long(
            "Handling conditions", "Such as: ask us before you pass it on", more=True
        ),
    )

    @model_validator(mode="after")
    def _says_what(self) -> "InformationResponse":
        if self.outcome in ("provided", "part") and not self.answers:
            raise ValueError("Give your answers, or say that none are held")
        if self.outcome == "refused" and not self.reason:
            raise ValueError("Say why it is refused")
        return self
