"""The words of a message as a page reads them out: labels of its contract, values in words."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _

from hub.web.forms import FormField, fields_of
from messaging import wording
from messaging.contracts import CONTRACTS

Row = dict[str, str]
UNITS = ("unit", "owner", "lead_unit", "lead")
"""Fields that take the code of a unit."""


def rows(
    message_type: str, body: Mapping[str, Any], names: Mapping[str, str] | None = None
) -> list[Row]:
    """Return what was given, as readers call it, in the contract's order.

    A unit that was given by its code is said by its name, where `names` has it.
    """
    contract = CONTRACTS.get(message_type)
    if contract is None:
        return []
    found = []
    for one in fields_of(contract):
        value = _at(body, one.name)
        if value not in (None, "", []):
            found.append({"label": one.read, "value": _said(one, value, names or {})})
    return found


WANTED = ("missing-episode-report", "placement-notification")
"""Types whose reader is told what was not given: the next officer asks for it (DOMAIN.md 8)."""


def not_given(message_type: str, body: Mapping[str, Any], *, whole: bool) -> list[Row]:
    """Return, in one row, what a message could have said and does not.

    Not the `whole` of it is shown to those for whom part of it is not: of that nothing is said.
    """
    if message_type not in WANTED:
        return []
    contract = CONTRACTS[message_type]
    lacks = [
        one.read
        for one in fields_of(contract, leave_out=(*contract.COMPUTED, *contract.REPEATED))
        if _at(body, one.name) in (None, "", []) and (whole or not one.audience)
    ]
    return [{"label": _("Not given"), "value": "; ".join(lacks)}] if lacks else []


def child_rows(child: Mapping[str, Any]) -> list[Row]:
    """Return the child as given."""
    return rows("missing-episode-report", {"child": child})


def _row_said(columns: list[FormField], row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return one row of a list in a line: its values, in the contract's order."""
    said = [
        _said(one, row[one.name.rsplit(".", 1)[-1]], names)
        for one in columns
        if row.get(one.name.rsplit(".", 1)[-1]) not in (None, "")
    ]
    return ", ".join(said)


def _at(body: Mapping[str, Any], name: str) -> Any:
    value: Any = body
    for step in name.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value


def _said(one: FormField, value: Any, names: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if one.kind == "rows":
        return "\n".join(_row_said(one.rows[0], row, names) for row in value)
    if one.name.rsplit(".", 1)[-1] in UNITS:
        return names.get(str(value), str(value))
    if isinstance(value, list):
        return "\n".join(dict(one.options).get(str(part), str(part)) for part in value)
    if one.options:
        return dict(one.options).get(str(value), str(value))
    if one.kind == "datetime":
        at = value if isinstance(value, datetime) else None
        return wording.moment(at) if at else wording.moment_of_text(str(value))
    if one.kind == "date":
        day = value if isinstance(value, date) else date.fromisoformat(str(value))
        return wording.day(day)
    return str(value)
