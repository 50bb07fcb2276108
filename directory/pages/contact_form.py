"""The form of one contact: what was typed, read into its contract, kept whatever is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from pydantic import ValidationError

from directory import hours_text
from directory.entry_contracts import ContactIn
from directory.model import ContactPoint
from directory.pages.changed import code_words
from directory.public import PURPOSES
from hub.errors import HubError

FIELDS = (
    "purpose", "channel", "value", "audience", "priority", "hours", "bank_holiday_rule",
    "exceptions", "note",
)  # fmt: skip
BLANK = {
    "purpose": "missing-children-team", "channel": "telephone", "audience": "professional",
    "priority": "100", "bank_holiday_rule": "as-weekday",
}  # fmt: skip
NOT_GIVEN = frozenset({"emergency", "national-advice", "helpline", "anonymous-information"})


def typed(contact: ContactPoint) -> dict[str, str]:
    """Return a contact as its form shows it."""
    return as_typed({name: getattr(contact, name) for name in FIELDS})


def as_typed(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the row of a contact, now or as history has it, as its form shows it."""
    return {
        **{name: str(row[name] or "") for name in FIELDS},
        "hours": hours_text.write(row["hours"]),
        "exceptions": hours_text.write_exceptions(row["exceptions"]),
    }


@dataclass(frozen=True)
class Difference:
    """A field that two editors have differently: as it was, on record now, and as I typed it."""

    name: str
    was: str
    theirs: str
    mine: str


def compared(
    was: Mapping[str, str], theirs: Mapping[str, str], mine: Mapping[str, str]
) -> tuple[list[Difference], dict[str, str]]:
    """Return where my version differs from theirs, and a form that keeps what each changed.

    A field that I left as it was has theirs; one that both changed has mine, to be chosen.
    """
    differences, together = [], dict(mine)
    for name in FIELDS:
        typed_ = _plain(mine.get(name, ""))
        if typed_ == _plain(theirs[name]):
            continue
        if typed_ == _plain(was[name]):
            together[name] = theirs[name]
        differences.append(Difference(name, was[name], theirs[name], mine.get(name, "")))
    return differences, together


def _plain(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


def read(form: Mapping[str, str]) -> tuple[ContactIn | None, dict[str, str]]:
    """Return what a form holds, or the problem of each field that cannot be read."""
    problems: dict[str, str] = {}
    document: dict[str, Any] = {name: form.get(name, "").strip() for name in FIELDS}
    for name, reading in (("hours", hours_text.parse), ("exceptions", hours_text.parse_exceptions)):
        try:
            document[name] = reading(document[name])
        except HubError as error:
            problems[name] = error.sentence
            document[name] = None if name == "hours" else []
    document["priority"] = document["priority"] or "100"
    document["note"] = document["note"] or None
    found: ContactIn | None = None
    try:
        found = ContactIn.model_validate(document)
        found.columns()
    except ValidationError as error:
        for one in error.errors():
            problems.setdefault(
                str(one["loc"][0]), _sentences().get(str(one["loc"][0]), _("Check this."))
            )
    except HubError as error:
        for field in error.fields:
            problems.setdefault(field.pointer.strip("/") or "value", field.sentence)
    return (None if problems else found), problems


def _sentences() -> dict[str, str]:
    return {
        "purpose": _("Choose what it is for."),
        "channel": _("Choose what kind of contact it is."),
        "value": _("Give the number or address of the contact."),
        "audience": _("Choose who may see it."),
        "priority": _("Give its order as a number from 1 to 999; the lowest is rung first."),
        "exceptions": _("Write a date and its hours, one a line: 2026-12-24 09:00-12:00."),
        "note": _("Keep the note under 300 characters."),
    }


def choices(purpose: str = "") -> dict[str, list[tuple[str, str]]]:
    """Return the options of each closed list, in words; a purpose that is there already is one."""
    return {
        "purpose": [(k, v) for k, v in PURPOSES.items() if k not in NOT_GIVEN or k == purpose],
        **{name: list(words.items()) for name, words in code_words().items()},
    }
