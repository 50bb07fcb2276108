"""What editors and partner systems give of a contact and of a unit: the contracts of both."""

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from directory import contact_rules

Purpose = Literal[
    "missing-children-team", "coordinator", "duty-inspector", "control-room",
    "switchboard-from-outside", "non-emergency", "placement", "meeting",
    "childrens-social-care", "edt", "mash", "national-advice", "helpline",
    "anonymous-information", "media", "general",
]  # fmt: skip
Channel = Literal["telephone", "mobile", "text", "email", "secure-email", "web"]
Audience = Literal["public", "professional", "police"]


class Span(BaseModel):
    """Hours of one or more days: 1 is Monday; "24:00" is the day's end; wall clock of London."""

    model_config = ConfigDict(extra="forbid")
    days: list[int] = Field(min_length=1, max_length=7)
    opens: str
    closes: str


class ExceptionSpan(BaseModel):
    """Hours of one dated exception."""

    model_config = ConfigDict(extra="forbid")
    opens: str
    closes: str


class ExceptionDay(BaseModel):
    """Another day than its week says; without spans it is closed."""

    model_config = ConfigDict(extra="forbid")
    date: date
    spans: list[ExceptionSpan] = Field(default_factory=list, max_length=6)


class ContactIn(BaseModel):
    """A contact point as an editor gives it. `hours` null is always."""

    model_config = ConfigDict(extra="forbid")
    purpose: Purpose
    channel: Channel
    value: str = Field(min_length=1, max_length=300)
    audience: Audience = "professional"
    priority: int = Field(100, ge=1, le=999, description="The lowest is rung first")
    hours: list[Span] | None = Field(None, min_length=1, max_length=40)
    bank_holiday_rule: Literal["as-weekday", "as-sunday", "closed"] = "as-weekday"
    exceptions: list[ExceptionDay] = Field(default_factory=list, max_length=60)
    note: str | None = Field(None, max_length=300)

    def columns(self) -> dict[str, Any]:
        """Return the columns of its row, the value normalised.

        Raises:
            HubError: 422 with the field at fault.
        """
        held = self.model_dump(mode="json")
        contact_rules.check_hours(held["hours"])
        contact_rules.check_exceptions(held["exceptions"])
        held["value"] = contact_rules.normalised(self.channel, self.value)
        held["note"] = " ".join((self.note or "").split()) or None
        return held


class UnitIn(BaseModel):
    """What editors keep of a unit besides its contacts; its name changes by a reorganisation."""

    model_config = ConfigDict(extra="forbid")
    kind_label: str = Field(min_length=2, max_length=60)
    name_welsh: str | None = Field(None, max_length=120)
    other_names: list[str] = Field(default_factory=list, max_length=20)
