"""The return of a child: the interviews that are owed, and who else is to know (DOMAIN.md 6 to 8)."""

from datetime import date
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from messaging import codes
from messaging.contracts.fields import Contract, Line, Words, ask, long

PREVENTION = ("how", "with_whom", "engaged", "disclosure", "outcome")
RHI = ("offered", "accepted", "completed_on")


class InterviewRecord(Contract):
    """A prevention interview or a return home interview: its record, or why it was not done."""

    TYPE = "interview-record"
    AUDIENCE = "statutory"
    NAME = "Interview on record"
    ACT = "Record an interview"
    SEND = "Put the interview on record"
    SENT = "The interview is on record."
    SETTLES = True

    interview: Literal["prevention", "rhi"] = Field(
        json_schema_extra=ask("Which interview", labels=codes.INTERVIEWS)
    )
    how: Literal["face-to-face", "phone", "not-done"] | None = Field(
        None,
        validate_default=True,
        json_schema_extra=ask("How it was done", labels=codes.INTERVIEW_HOW, asked=True),
    )
    with_whom: Literal["child", "parent-or-carer"] | None = Field(
        None,
        validate_default=True,
        json_schema_extra=ask("With whom", labels=codes.INTERVIEW_WITH),
    )
    engaged: bool | None = Field(None, json_schema_extra=ask("Did they engage?"))
    disclosure: bool | None = Field(
        None, json_schema_extra=ask("Was harm or a crime disclosed?", "Yes or no, and no more.")
    )
    outcome: Words | None = Field(
        None,
        json_schema_extra=long(
            "Outcome", "What is done about it. Never what the child told you: that is further down."
        ),
    )
    offered: Literal["yes", "no", "not-applicable"] | None = Field(
        None,
        validate_default=True,
        json_schema_extra=ask("Was it offered?", labels=codes.OFFERED, asked=True),
    )
    accepted: bool | None = Field(
        None, validate_default=True, json_schema_extra=ask("Was it accepted?")
    )
    completed_on: date | None = Field(
        None, validate_default=True, json_schema_extra=ask("Completed on")
    )
    reason: Words | None = Field(
        None,
        validate_default=True,
        json_schema_extra=long("Why it was not done", "Needed where it was not done."),
    )
    interviewer: Line | None = Field(
        None, json_schema_extra=ask("Interviewer", "The same as before, where the child wants it.")
    )
    account: Words | None = Field(
        None,
        validate_default=True,
        json_schema_extra=long(
            "The child’s own account",
            "Only what is to be shared. Read by the unit that led and the responsible authority,"
            " and by nobody else.",
            more=True,
            audience="units",
        ),
    )
    account_may_be_shared: bool | None = Field(
        None,
        validate_default=True,
        json_schema_extra=ask(
            "Is the account marked for sharing?", "The child knows, and it is safe.", more=True
        ),
    )

    @field_validator("how")
    @classmethod
    def _says_how(cls, how: str | None, info: ValidationInfo) -> str | None:
        if how is None and info.data.get("interview") == "prevention":
            raise ValueError("Say how it was done, or that it was not")
        return how

    @field_validator("with_whom")
    @classmethod
    def _says_with_whom(cls, whom: str | None, info: ValidationInfo) -> str | None:
        if whom is None and info.data.get("how") in ("face-to-face", "phone"):
            raise ValueError("Say with whom")
        return whom

    @field_validator("offered")
    @classmethod
    def _says_offered(cls, offered: str | None, info: ValidationInfo) -> str | None:
        if offered is None and info.data.get("interview") == "rhi":
            raise ValueError("Say whether it was offered")
        return offered

    @field_validator("accepted")
    @classmethod
    def _says_accepted(cls, accepted: bool | None, info: ValidationInfo) -> bool | None:
        if accepted is None and info.data.get("offered") == "yes":
            raise ValueError("Say whether it was accepted")
        return accepted

    @field_validator("completed_on")
    @classmethod
    def _says_when(cls, on: date | None, info: ValidationInfo) -> date | None:
        if on is None and info.data.get("accepted") and info.data.get("offered") == "yes":
            raise ValueError("Give the date; until it is done it stays owed")
        return on

    @field_validator("reason")
    @classmethod
    def _says_why_not(cls, reason: str | None, info: ValidationInfo) -> str | None:
        known = info.data
        undone = (
            known.get("how") == "not-done"
            or known.get("offered") in ("no", "not-applicable")
            or (known.get("offered") == "yes" and known.get("accepted") is False)
        )
        if reason is None and undone:
            raise ValueError("Say why it was not done")
        return reason

    @field_validator("account_may_be_shared")
    @classmethod
    def _marked(cls, marked: bool | None, info: ValidationInfo) -> bool | None:
        if info.data.get("account") is not None and not marked:
            raise ValueError("Mark the account for sharing, or leave it out")
        return marked

    @model_validator(mode="after")
    def _of_its_kind(self) -> "InterviewRecord":
        others = RHI if self.interview == "prevention" else PREVENTION
        given = [name for name in others if getattr(self, name) is not None]
        if given:
            raise ValueError(f"Leave out what the other interview asks: {', '.join(given)}")
        return self

    @property
    def done(self) -> bool:
        """Whether the interview took place."""
        if self.interview == "prevention":
            return self.how in ("face-to-face", "phone")
        return self.offered == "yes" and bool(self.accepted)


class AuthorityNamed(Contract):
    """The responsible authority of the child, where none was known: it sees the case from now on.

    So does a council that only reported the child missing: as the host authority, if another is named.
    """

    TYPE = "authority-named"
    AUDIENCE = "statutory"
    NAME = "Responsible authority named"
    ACT = "Name the responsible authority"
    SEND = "Name it: it sees the case"
    ADDRESSED = "Which council’s children’s social care is responsible?"
    SENT = "The responsible authority sees the case now, and owes any return home interview."
    JOINS = True

    why: Words = Field(json_schema_extra=long("Why this authority", "Whose child in care it is"))
