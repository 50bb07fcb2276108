"""Changes in words: what a row is called, what its fields are called, before and after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _

from directory import hours_text
from directory.changes import Change
from directory.editing import UNIT_REVERTED
from directory.organisations import REVERTED
from directory.public import PURPOSES
from hub.clock import LONDON


@dataclass(frozen=True)
class Worded:
    """A change as its reader sees it; `fields` are name, before and after."""

    id: int
    object_id: UUID
    at: datetime
    who: str
    why: str
    title: str
    fields: tuple[tuple[str, str, str], ...]
    new: bool
    reverts: bool
    exercise: bool


def wording(change: Change, names: Mapping[str, str]) -> Worded:
    """Return a change in words; `names` are of the districts and organisations in it, by id."""
    by_name = {one.name: one for one in change.fields}
    fields = tuple(
        (label, value(name, by_name[name].before), value(name, by_name[name].after))
        for name, label in field_labels().items()
        if name in by_name
    )
    if change.kind == "organisation" and "parent_id" in by_name:
        parent = by_name["parent_id"]
        before, after = (names.get(str(one), "") for one in (parent.before, parent.after))
        fields = (*fields, (_("Part of"), before, after))
    reverts = change.kind == "contact_point" and (
        change.new or any(one.name in REVERTS for one in change.fields)
    )
    if change.kind in (of := {"organisation": REVERTED, "unit": UNIT_REVERTED}) and not change.new:
        reverts = any(one.name in of[change.kind] for one in change.fields)
    return Worded(
        change.id, change.object_id, change.at, change.who, change.why, _title(change, names), fields,
        change.new, reverts, change.status == "exercise",
    )  # fmt: skip


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
        "former_until": _("Former names ended"),
        "mail_domains": _("Mail domains"),
        "website": _("Website"),
        "sectors": _("Postcode sectors"),
    }


def _title(change: Change, names: Mapping[str, str]) -> str:
    row = change.row
    if change.kind == "contact_point":
        what = f"{PURPOSES.get(row['purpose'], row['purpose'])}: {row['value']}"
    elif change.kind == "coverage":
        what = _("Coverage of %(area)s", area=names.get(row["area_id"], _("a district")))
    else:
        what = str(row.get("name", ""))
    if change.new:
        return _("%(what)s, added", what=what)
    if any(one.name == "closed_at" and one.after for one in change.fields):
        return _("%(what)s, closed", what=what)
    return what


def value(name: str, held: Any) -> str:
    """Return a field's value as people read it."""
    if held in (None, [], {}, ""):
        return _("always") if name == "hours" else ""
    if name == "hours":
        return hours_text.write(held)
    if name == "exceptions":
        return hours_text.write_exceptions(held)
    if name in ("verified_at", "bounced_at", "closed_at"):
        return _day(datetime.fromisoformat(str(held)).astimezone(LONDON))
    if name in ("valid_from", "valid_to"):
        return _day(date.fromisoformat(str(held)))
    if name == "purpose":
        return PURPOSES.get(held, str(held))
    if name in (words := code_words()):
        return words[name].get(held, str(held))
    if name == "former_until":
        return "\n".join(
            _("%(name)s on %(day)s", name=one, day=_day(date.fromisoformat(ended)))
            for one, ended in held.items()
        )
    if isinstance(held, list):
        return ", ".join(str(one) for one in held)
    return str(held)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def code_words() -> dict[str, dict[str, str]]:
    """Return the codes of each closed list of a contact, in words."""
    return {
        "channel": {
            "telephone": _("Telephone"), "mobile": _("Mobile"), "email": _("E-mail"),
            "secure-email": _("Secure e-mail (CJSM)"), "web": _("Web page"),
            "text": _("Text message"),
        },
        "audience": {
            "public": _("Anyone"), "professional": _("Professionals, signed in"),
            "police": _("Police only"),
        },
        "bank_holiday_rule": {
            "as-weekday": _("As on any such day"), "as-sunday": _("As on a Sunday"),
            "closed": _("Closed"),
        },
        "verification": {
            "verified": _("Verified"), "unverified": _("Unverified"),
            "suggested": _("Suggested, unverified"),
        },
    }  # fmt: skip
