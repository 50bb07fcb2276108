"""One message that is being written in a case, as its form carries it from page to page."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import request, url_for

from hub.errors import not_found
from messaging.contracts import CONTRACTS

CARRIED = ("to", "re", "withdraws", "unit", "match", "draft", "action_done", "interview", "adds")
"""What a form carries unseen from one showing to the next."""


@dataclass
class Writing:
    """One message being written: where, of what type, and what is known of it."""

    reference: str
    message_type: str
    carried: dict[str, str] = field(default_factory=dict)

    @property
    def joins(self) -> bool:
        """Whether it asks to join two episodes of one child."""
        return self.message_type == "lead-transfer-request" and "match" in self.carried

    @property
    def adds(self) -> bool:
        """Whether it adds to a report that police did not accept."""
        return self.message_type == "update" and "adds" in self.carried

    @property
    def envelope(self) -> dict[str, Any]:
        """What the page knows of the message beside the words typed."""
        envelope: dict[str, Any] = {}
        if self.carried.get("to"):
            envelope["to"] = [self.carried["to"]]
        if self.carried.get("re"):
            envelope["in_reply_to"] = self.carried["re"]
        hidden: dict[str, str] = {
            name: self.carried[name]
            for name in ("withdraws", "unit", "match", "action_done")
            if name in self.carried
        }
        if self.joins:
            hidden["kind"] = "join-episodes"
        if hidden:
            envelope["body"] = hidden
        return envelope

    def address(self, **more: object) -> str:
        """Return this page's address, with what it carries."""
        return url_for(
            "messaging.compose",
            reference=self.reference,
            message_type=self.message_type,
            **{**self.carried, **more},  # type: ignore[arg-type]  # url_for takes any value
        )


def writing_of(reference: str, message_type: str) -> Writing:
    """Return the message that the request is about, with what its form carries.

    Raises:
        HubError: `not-found` for a type that there is not, or a name that is none.
    """
    if message_type not in CONTRACTS:
        raise not_found()
    carried = {
        name: request.values[name][:200] for name in CARRIED if request.values.get(name, "").strip()
    }
    for name in ("re", "withdraws", "match", "draft", "action_done"):
        try:
            UUID(carried.get(name, str(UUID(int=0))))
        except ValueError:
            raise not_found() from None
    return Writing(reference, message_type, carried)
