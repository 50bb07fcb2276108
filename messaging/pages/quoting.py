"""What a form, a box or an answer quotes: the question that was asked, both sides of a dispute."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext as _

from messaging import wording
from messaging.pages.reading import rows
from messaging.shown import MessageView

Shown = dict[str, Any]
REASONED = (
    "dispute", "lead-transfer-decline", "lead-transfer-request", "lead-transfer-withdraw",
)  # fmt: skip
"""Messages in which a unit says why it should lead, or not."""


ANSWERING = (
    "information-response", "lead-transfer-accept", "lead-transfer-decline", "holding-reply",
    "plan-reply",
)  # fmt: skip
"""Answers whose form quotes what they answer: the questions, the offer, the plan."""


def quoted(message: MessageView, names: Mapping[str, str] | None = None) -> Shown:
    """Return a message as it is quoted: who said it, when, and what the reader may see of it."""
    sender = " ".join(part for part in (message.sender_rank, message.sender_name) if part)
    said = rows(message.type, message.body, names)
    body, by = message.body, message.reply_due_at
    if message.type == "information-request" and body and by and not body.get("needed_by"):
        said.append({"label": _("Needed by"), "value": wording.moment(by)})
    return {
        "unit": message.sender_unit.name,
        "who": sender,
        "name": wording.type_name(message.type),
        "number": message.number,
        "at": message.sent_at,
        "fields": said,
    }


def sides(messages: Sequence[MessageView], dispute: UUID, other: UUID | None) -> list[Shown]:
    """Return a dispute's grounds, and beside them what the other side last gave as its reasons."""
    grounds = [one for one in messages if one.id == dispute]
    theirs = [one for one in messages if one.sender_unit.id == other and one.type in REASONED]
    return [quoted(one) for one in (*grounds, *theirs[-1:])]


def question(messages: Sequence[MessageView], asked: UUID | None) -> str:
    """Return the words of the question that a message answers, where the reader may see it."""
    found = next((one for one in messages if one.id == asked), None)
    return str(found.body.get("questions", "")) if found is not None else ""
