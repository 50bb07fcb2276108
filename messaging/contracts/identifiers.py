"""What other systems know a child by (DOMAIN.md 8)."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from messaging import codes, likeness
from messaging.contracts.fields import Line, ask

_CODES = {name.casefold(): code for code, name in codes.IDENTIFIERS.items()}
_WRITTEN = {"other": "", "local-authority-id": "LA"}
"""How a system is written before a value, where that is not its code."""


def structured(given: Any) -> Any:
    """Return an identifier as system and value, where it is a line of text as it was at first."""
    return {"system": "other", "value": given} if isinstance(given, str) else given


class Identifier(BaseModel):
    """One identifier: of which system, and what it is there.

    A line of text is taken as a value of system "other".
    """

    model_config = ConfigDict(extra="forbid")

    system: Line = Field(
        json_schema_extra=ask(
            "System", "Choose one, or write the name of another.", labels=codes.IDENTIFIERS
        )
    )
    value: Line = Field(json_schema_extra=ask("Number or reference there", width=20))

    @model_validator(mode="before")
    @classmethod
    def _from_line(cls, given: Any) -> Any:
        return structured(given)

    @field_validator("system")
    @classmethod
    def _coded(cls, system: str) -> str:
        return _CODES.get(system.casefold(), system)

    @field_validator("value")
    @classmethod
    def _whole(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("system") != "nhs-number":
            return value
        number = "".join(value.split())
        if not likeness.is_nhs_number(number):
            raise ValueError("Check the NHS number: it has 10 digits, and the last must fit them")
        return number

    @property
    def line(self) -> str:
        """The identifier in a line of text, as it is looked for."""
        return f"{_WRITTEN.get(self.system, self.system)} {self.value}".strip()
