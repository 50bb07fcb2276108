"""What fields of contracts are made of, and how a form asks for them."""

from typing import Annotated, Any, ClassVar

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
    """The body of a message type, and what else the hub needs to know of the type.

    Words are in English; pages translate them.
    """

    model_config = ConfigDict(extra="forbid")

    TYPE: ClassVar[str] = ""
    AUDIENCE: ClassVar[str] = "all-parties"
    """Whom a message is for, unless a field narrows it (DOMAIN.md 4.8)."""
    NAME: ClassVar[str] = ""
    """What a message of the type is called."""
    ACT: ClassVar[str] = ""
    """What the button says that leads to its form."""
    SEND: ClassVar[str] = "Send"
    """What the button says that sends it."""
    SENT: ClassVar[str] = ""
    """What the page says once it is sent."""
    NEED: ClassVar[str] = ""
    """What it asks of its reader, in the inbox."""
    ADDRESSED: ClassVar[str] = ""
    """How its form asks whom to send it to, where the sender chooses that first."""
    ASKS: ClassVar[bool] = False
    """Whether it asks for an answer: it is to be opened sooner (6)."""
    ANSWERS: ClassVar[bool] = False
    """Whether it answers another, so that a late one is told what happened first (4.3)."""
    SETTLES: ClassVar[bool] = False
    """Whether it settles what is open, so that a case which goes on as another takes it still."""
    JOINS: ClassVar[bool] = False
    """Whether it may change the case of a match, or a joined one: all are held, by their ids."""
    COMPUTED: ClassVar[tuple[str, ...]] = ()
    """Fields that the hub writes itself: no form asks for them."""
    REPEATED: ClassVar[tuple[str, ...]] = ()
    """Fields of its parts for which it has a field of its own: no form asks twice."""
    OPENS: ClassVar[bool] = False
    """Whether it is sent in a closed case, and opens it again."""

    @property
    def settles(self) -> bool:
        """Whether this message settles what is open in its case."""
        return self.SETTLES

    @property
    def permission(self) -> str:
        """What the permission map calls sending this."""
        return f"send.{self.TYPE}"
