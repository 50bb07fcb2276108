"""Changes in words: what a row is called, what its fields are called, before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from directory import hours_text
from directory.changes import Change
from directory.public import PURPOSES


@dataclass(frozen=True)
class Worded:
    """A change as its reader sees it; `fields` are name, before and after."""

    id: int
    at: datetime
    who: str
    why: str
    title: str
    fields: tuple[tuple[str, str, str], ...]
    reverts: bool


def wording(change: Change) -> Worded:
    """Return a change in words."""
    labels = field_labels()
    fields = tuple(
        (labels.get(one.name, one.name.replace("_", " ").capitalize()),
         value(one.name, one.before), value(one.name, one.after))
        for one in change.fields
        if one.name in labels
    )  # fmt: skip
    reverts = change.kind == "contact_point" and (
        change.new or any(one.name in REVERTS for one in change.fields)
    )
    return Worded(change.id, change.at, change.who, change.why, _title(change), fields, reverts)


REVERTS = {
    "purpose", "channel", "value", "audience", "priority", "hours", "bank_holiday_rule",
    "exceptions", "note", "closed_at",
}  # fmt: skip


def field_labels() -> dict[str, str]:
    """Return what the fields of entries are called; those not here are bookkeeping."""
    return {
        "purpose": _("Purpose"),
        "channel": _("Kind"),
        "value": _("Number or address"),
        "audience": _("Who may see it"),
        "priority": _("Order"),
        "hours": _("Hours"),
        "bank_holiday_rule": _("Bank holidays"),
        "exceptions": _("Other days"),
        "note": _("Note"),
        "verification": _("Verification"),
        "verified_at": _("Verified on"),
        "verified_by": _("Verified by"),
        "bounced_at": _("Mail came back on"),
        "closed_at": _("Closed on"),
        "valid_from": _("From"),
        "valid_to": _("Until"),
        "name": _("Name"),
        "name_welsh": _("Welsh name"),
        "kind_label": _("What it is called"),
        "other_names": _("Other names"),
        "former_names": _("Former names"),
        "sectors": _("Postcode sectors"),
    }


def _title(change: Change) -> str:
    row = change.row
    if change.kind == "contact_point":
        what = f"{PURPOSES.get(row['purpose'], row['purpose'])}: {row['value']}"
    elif change.kind == "coverage":
        what = _("Coverage of a district")
    else:
        what = str(row.get("name", ""))
    if change.new:
        return _("%(what)s, added", what=what)
    if any(one.name == "closed_at" and one.after for one in change.fields):
        return _("%(what)s, closed", what=what)
    return what


def value(name: str, held: Any) -> str:
    """Return a field's value as people read it."""
    if held is None or held == [] or held == "":
        return _("always") if name == "hours" else ""
    if name == "hours":
        return hours_text.write(held)
    if name == "exceptions":
        return exceptions_text(held)
    if name in ("verified_at", "bounced_at", "closed_at"):
        return str(held)[:10]
    if isinstance(held, list):
        return ", ".join(str(one) for one in held)
    return str(held)


def exceptions_text(exceptions: Sequence[Mapping[str, Any]]) -> str:
    """Return dated exceptions as an editor writes them: "2026-12-24 09:00-12:00", one a line."""
    return "\n".join(
        f"{one['date']} "
        + (
            ", ".join(f"{span['opens']}-{span['closes']}" for span in one.get("spans", ()))
            or "closed"
        )
        for one in exceptions
    )
