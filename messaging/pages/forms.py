"""The form of a message: the fields of its contract, and those of the envelope that people fill."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from hub.errors import HubError
from hub.web.forms import FormField, Values, fields_of
from hub.web.typed import as_shown, from_problems, parse
from messaging import codes
from messaging.contracts import CONTRACTS, Command, Contract, Line, Telephone, Words, ask, long

PRIORITIES = {
    "urgent": "Urgent: an answer within 10 minutes",
    "routine": "Routine: an answer within an hour",
}


PURPOSES = {
    True: "To find and safeguard a missing child (policing purpose)",
    False: "To find and safeguard a missing child (Children Act 1989)",
}
"""What a purpose is filled in with, where one is needed, of police and of others."""
PRIORITY_ASKED = ("lead-transfer-request", "strategy-meeting-invitation")
"""Types whose sender says how soon the answer is needed."""


class Envelope(BaseModel):
    """What a sender may say beside the message itself."""

    priority: Literal["urgent", "routine"] = Field(
        json_schema_extra=ask("How soon do you need the answer?", labels=PRIORITIES)
    )
    callback_telephone: Telephone | None = Field(
        None, json_schema_extra=ask("Number to call you back", widget="tel", width=20)
    )
    placement_reference: Line | None = Field(
        None,
        json_schema_extra=ask(
            "Reference of the child’s placement, if you have it",
            "Such as MC-7K3Q-9XJ2: the report then goes to everybody who knows the child.",
            width=20,
        ),
    )
    classification: Literal["OFFICIAL-SENSITIVE", "OFFICIAL"] | None = Field(
        None,
        json_schema_extra=ask(
            "Classification",
            "OFFICIAL-SENSITIVE, unless you say otherwise.",
            labels=codes.CLASSIFICATIONS,
            more=True,
        ),
    )
    handling: Line | None = Field(
        None,
        json_schema_extra=ask(
            "Handling instructions", "Such as: not to be shown to the family", more=True
        ),
    )
    sender_reference: Line | None = Field(
        None, json_schema_extra=ask("Your own reference", more=True, width=20)
    )
    purpose: Words | None = Field(
        None,
        json_schema_extra=long(
            "Purpose and lawful basis",
            "Such as: to find and safeguard a missing child (policing purpose)",
            more=True,
        ),
    )


class Asking(Envelope):
    """The envelope of questions and enquiries: what the answer is for must be said (DOMAIN.md 7)."""

    purpose: Words = Field(
        json_schema_extra=long("What the answer is for, and on what lawful basis")
    )


class Offering(Envelope):
    """The envelope of an offer of the lead: whoever is asked can ring who asks (DOMAIN.md 8)."""

    callback_telephone: Telephone = Field(
        json_schema_extra=ask("Number to call you back", widget="tel", width=20)
    )


ENVELOPES: Mapping[str, type[Envelope]] = {
    "information-request": Asking,
    "lead-transfer-request": Offering,
}


@dataclass
class MessageForm:
    """One form as it is shown: its questions, and problems that belong to no question.

    `offered` are, by a field's name, the values to choose from, with their words.
    """

    message_type: str
    values: Values = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    leave_out: tuple[str, ...] = ()
    envelope: bool = True
    offered: Mapping[str, list[tuple[str, str]]] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    """Fields that the form carries without asking."""
    names_placement: bool = False

    @property
    def contract(self) -> type[Contract]:
        """The contract of the message."""
        return CONTRACTS[self.message_type]

    @property
    def _left_out(self) -> tuple[str, ...]:
        """What the form does not have: what the page leaves out, and what its contract does."""
        return (*self.leave_out, *self.contract.COMPUTED, *self.contract.REPEATED)

    @property
    def _not_asked(self) -> tuple[str, ...]:
        """The envelope's fields that this type does not ask for, or asks for itself."""
        if not self.envelope:
            return tuple(Envelope.model_fields)
        own = tuple(name for name in Envelope.model_fields if name in self.contract.model_fields)
        urgent = () if self.message_type in PRIORITY_ASKED else ("priority",)
        ring = () if self.message_type == "lead-transfer-request" else ("callback_telephone",)
        placement = () if self.names_placement else ("placement_reference",)
        return own + urgent + ring + placement

    @property
    def fields(self) -> list[FormField]:
        """The questions, in order: what must be answered first, the rest behind "Add more"."""
        left_out = (*self._left_out, *self.unseen)
        body = fields_of(self.contract, self.values, self.problems, leave_out=left_out)
        rest = fields_of(_envelope(self.message_type, self._not_asked), self.values, self.problems)
        for cell in (cell for one in body for cell in one.flat):
            offered = self.offered.get(cell.name.rsplit(".", 1)[-1])
            if offered:
                cell.kind = "select" if cell.kind == "text" else cell.kind
                cell.options = offered
        return sorted(
            [*(one for one in rest if one.required), *body, *(x for x in rest if not x.required)],
            key=lambda one: one.more,
        )

    @property
    def others(self) -> list[str]:
        """The problems that no question shows."""
        shown = {one.name for field in self.fields for one in field.flat}
        return [sentence for name, sentence in self.problems.items() if name not in shown]

    def read(self, form: Mapping[str, str], known: Mapping[str, Any]) -> Command | None:
        """Read what was typed; return the command, or None and keep the problems.

        Who asks for one more row is shown that, and sends nothing. `known` is what the page knows:
        `to`, `in_reply_to`, `status`, and hidden `body`.
        """
        body = parse(self.contract, form, leave_out=self._left_out)
        rest = parse(_envelope(self.message_type, self._not_asked), form)
        self.values = {**body.values, **rest.values}
        if "more_rows" in form:
            self.values["more_rows"] = form["more_rows"]
            return None
        self.problems = {**rest.problems, **body.problems}
        if body.instance is None or rest.instance is None:
            return None
        words = {
            **body.instance.model_dump(mode="json", exclude_none=True),
            **known.get("body", {}),
        }
        given = rest.instance.model_dump(mode="json", exclude_none=True)
        return Command.model_validate({**known, **given, "type": self.message_type, "body": words})

    def refuse(self, error: HubError) -> None:
        """Keep a service's refusal beside the questions that it is about."""
        found = {
            as_shown(name, self.values): sentence
            for name, sentence in from_problems(error.fields).items()
        }
        self.problems = found or {"": error.sentence}


def _envelope(message_type: str, not_asked: tuple[str, ...]) -> type[BaseModel]:
    """Return the envelope of a type without the fields that are not asked."""
    whole = ENVELOPES.get(message_type, Envelope)
    kept = {name: info for name, info in whole.model_fields.items() if name not in not_asked}
    if len(kept) == len(whole.model_fields):
        return whole
    fields: dict[str, Any] = {name: (info.annotation, info) for name, info in kept.items()}
    return create_model("Envelope", **fields)
