"""What fields of contracts are made of, and how a form asks for them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic.config import JsonDict

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
Telephone = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=3, max_length=40, pattern=r"^[0-9+() x-]+$"
    ),
]


def ask(label: str, hint: str = "", **how: Any) -> JsonDict:
    """Return what a form needs of a field."""
    return {"label": label, **({"hint": hint} if hint else {}), **how}


def long(label: str, hint: str = "", **how: Any) -> JsonDict:
    """Return what a form needs of a field of several lines."""
    return ask(label, hint, widget="textarea", **how)


class Contract(BaseModel):
    """The body of a message type."""

    model_config = ConfigDict(extra="forbid")
