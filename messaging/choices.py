"""What somebody may send in a case now, and what a form of it is filled in with.

Each room of effects/ says so of its own types, by the map and the rules that sending uses.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.identity import policy
from hub.identity.actor import Actor
from messaging.state import CaseState


@dataclass(frozen=True)
class Action:
    """Something that the reader may send now, with what the page fills in.

    `instead_of` is the council that counts as responsible until another is named.
    """

    type: str
    in_reply_to: UUID | None = None
    withdraws: UUID | None = None
    to: UUID | None = None
    interview: str | None = None
    match: UUID | None = None
    instead_of: UUID | None = None


@dataclass
class Choosing:
    """A reader before an open case, who asks what they may send."""

    session: Session
    case: CaseState
    actor: Actor

    @cached_property
    def mine(self) -> list[UUID]:
        """The parties that the reader acts for."""
        return self.case.mine(self.actor)

    @cached_property
    def police(self) -> bool:
        """Whether one of them is police."""
        return any(self.case.parties[unit].police for unit in self.mine)

    def may(self, message_type: str) -> bool:
        """Say whether the map lets one of their units send this now."""
        return any(
            policy.allows(self.actor, f"send.{message_type}", *self.case.relations(unit))
            for unit in self.mine
        )

    def messages(self, query: str, **values: object) -> list[UUID]:
        """Return the messages that a query of the case's tables finds."""
        found = self.session.execute(text(query), {"case": self.case.id, **values})
        return list(found.scalars())


Choices = Iterator[Action]


@dataclass
class Knowing:
    """What is known when a form is opened: of every field, what was last given in the case.

    `said` are the messages that the reader may see, with id and type, first to last; `carried` is
    what the form's address says of it. `answered` is the body of the message that is replied to,
    `codes` the parties' codes by unit, `own_number` the last on which the reader's unit said to call
    it back.
    """

    case: CaseState
    actor: Actor
    latest: Mapping[str, Any]
    now: datetime
    session: Session
    in_reply_to: UUID | None = None
    answered: Mapping[str, Any] = field(default_factory=dict)
    codes: Mapping[UUID, str] = field(default_factory=dict)
    said: Sequence[tuple[UUID, str, Mapping[str, Any]]] = ()
    carried: Mapping[str, str] = field(default_factory=dict)
    own_number: str | None = None
    incident: Sequence[Mapping[str, Any]] = ()
    """What was said of the present incident, first to last."""

    def last(self, *names: str) -> str:
        """Return what was last given in this incident under any of these names; "" for nothing."""
        said = (body.get(name) for body in reversed(self.incident) for name in names)
        return str(next((words for words in said if words), ""))

    def given(self, *names: str) -> dict[str, Any]:
        """Return what was last given of these fields."""
        return {name: self.latest[name] for name in names if name in self.latest}
