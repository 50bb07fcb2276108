"""What a file of contacts would do, row by row, against what is on record.

A row is a contact by its `contact_id`, a new one without. A contact that is not in the file stays
as it is; it is closed where its row says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from directory import contact_rules, hours_text, keepers
from directory.contact_csv import GIVEN, Row, RowProblem, contact_cells
from directory.entry_contracts import ContactIn
from directory.model import (
    AUDIENCES,
    BANK_HOLIDAY_RULES,
    CHANNELS,
    PURPOSES,
    ContactPoint,
    still_kept,
)
from hub.clock import LONDON
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.identity.policy import allows
from hub.organisations import Unit

YES = frozenset({"yes", "y", "x", "true", "1", "close"})
NO = frozenset({"", "no", "n", "false", "0"})
DEFAULTS = {"audience": "professional", "priority": "100", "bank_holidays": "as-weekday"}
ALIASES = {"e-mail": "email", "secure-e-mail": "secure-email", "phone": "telephone"}
CLOSED_LISTS = {
    "purpose": PURPOSES, "channel": CHANNELS, "audience": AUDIENCES,
    "bank_holidays": BANK_HOLIDAY_RULES,
}  # fmt: skip
Kind = Literal["addition", "change", "closing"]
Key = tuple[UUID, str, str, str]


@dataclass(frozen=True)
class Difference:
    """What one row would do: `fields` are column, before and after; `doubts` are to think about."""

    row: int
    kind: Kind
    unit: Unit
    contact: ContactPoint | None
    given: ContactIn | None
    fields: tuple[tuple[str, str, str], ...]
    doubts: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The contact in a line: as it is, or as it would come to be."""
        held: Any = self.contact or self.given
        return f"{held.purpose}, {held.channel} {held.value}"


@dataclass(frozen=True)
class Plan:
    """What a file would do, and what is wrong with it. `unchanged` counts rows that do nothing."""

    differences: tuple[Difference, ...]
    problems: tuple[RowProblem, ...]
    unchanged: int

    def count(self, kind: Kind) -> int:
        """Return how many differences there are of a kind."""
        return sum(one.kind == kind for one in self.differences)


def fields_of(contact: ContactPoint) -> dict[str, Any]:
    """Return the fields of a contact that its row has."""
    names = ("id", "version", "verification", "verified_at", "verified_by", *GIVEN.values())
    return {name: getattr(contact, name) for name in names}


def open_contacts(
    session: Session, actor: Actor, units: Iterable[UUID], now: datetime
) -> Sequence[ContactPoint]:
    """Return the contacts of units that can be changed, in the order of their rows."""
    return session.scalars(
        select(ContactPoint)
        .where(
            ContactPoint.unit_id.in_(units),
            ContactPoint.status == (actor.status or "actual"),
            still_kept(now),
        )
        .order_by(ContactPoint.purpose, ContactPoint.priority, ContactPoint.id)
    ).all()


class _Wrong:
    """What is wrong in one row, by column; the first of each column is told."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.by_column = {one.column: one for one in row.problems}

    def __call__(self, column: str, sentence: str, *, conflict: bool = False) -> None:
        self.by_column.setdefault(column, RowProblem(self.row.number, column, sentence, conflict))

    def __contains__(self, column: str) -> bool:
        return column in self.by_column


class Planning:
    """One file against what is on record, read in a few queries."""

    def __init__(self, session: Session, actor: Actor, rows: Sequence[Row], now: datetime) -> None:
        self.actor, self.rows = actor, rows
        today = now.astimezone(LONDON).date()
        self.kept = keepers.kept_by(session, actor)
        codes = {row.cells["unit"].lower() for row in rows}
        codes |= {row.cells["unit"] for row in rows}
        self.units = {
            unit.code.lower(): unit
            for unit in session.scalars(
                select(Unit)
                .where(Unit.code.in_(codes), or_(Unit.valid_to.is_(None), Unit.valid_to > today))
                .order_by(Unit.valid_to)
            )
        }
        units = {unit.id for unit in self.units.values()}
        self.contacts = {one.id: one for one in open_contacts(session, actor, units, now)}
        given = {row.number: _uuid(row.cells.get("contact_id", "")) for row in rows}
        self.ids = {number: one for number, one in given.items() if one is not None}
        missing = set(self.ids.values()) - set(self.contacts)
        self.elsewhere = {
            one.id: one
            for one in session.scalars(select(ContactPoint).where(ContactPoint.id.in_(missing)))
        }
        self.seen: dict[UUID, int] = {}

    def plan(self) -> Plan:
        """Return the differences of every row that can be taken, and the problems of the others."""
        differences: list[Difference] = []
        problems: list[RowProblem] = []
        unchanged = 0
        for row in self.rows:
            wrong = _Wrong(row)
            found = self._difference(row, wrong)
            problems += wrong.by_column.values()
            if not wrong.by_column:
                differences += [found] if found else []
                unchanged += found is None
        problems += self._repeats(differences)
        problems.sort(key=lambda one: one.row)
        return Plan(tuple(differences), tuple(problems), unchanged)

    def _difference(self, row: Row, wrong: _Wrong) -> Difference | None:
        """Return what a row would do; None where it does nothing, or where it is wrong."""
        unit = self._unit(row.cells["unit"], wrong)
        contact = self._contact(row, unit, wrong)
        close = row.cells.get("close", "").lower()
        if close not in YES | NO:
            wrong("close", "Write yes to close the contact, or leave this empty.")
        cells = {name: row.cells[name] for name in GIVEN if name in row.cells}
        before = contact_cells(fields_of(contact)) if contact else {}
        changed = {name: text for name, text in cells.items() if text != before.get(name)}
        if close in YES:
            if contact is not None and changed:
                wrong("close", "Close the contact or change it, not both.")
            elif contact is None and not row.cells.get("contact_id"):
                wrong("close", "Only a contact that has its contact_id can be closed.")
        elif contact is None and not any(cells.values()):
            return None
        given = _given(changed, contact, wrong) if changed else None
        if unit is None or wrong.by_column:
            return None
        if contact is not None and close in YES:
            return Difference(row.number, "closing", unit, contact, None, ())
        if given is None:
            return None
        if contact is None:
            return _addition(row, unit, given)
        return _change(row, unit, contact, before, given)

    def _unit(self, code: str, wrong: _Wrong) -> Unit | None:
        unit = self.units.get(code.lower())
        if not code:
            wrong("unit", "Give the unit’s code, such as kent/east.")
        elif unit is None:
            wrong("unit", f"There is no unit “{code[:60]}”. Take its code from the export.")
        if unit is None:
            return None
        relation = "delegated" if unit.organisation_id in self.kept else "any"
        if unit.organisation_id == self.actor.organisation_id:
            relation = "own"
        if not allows(self.actor, keepers.EDIT, relation):
            wrong("unit", f"You do not keep the entry of {unit.name}.")
        return unit

    def _contact(self, row: Row, unit: Unit | None, wrong: _Wrong) -> ContactPoint | None:
        if not row.cells.get("contact_id", ""):
            return None
        found = self.ids.get(row.number)
        if found is None:
            wrong("contact_id", "Leave this as the export wrote it, or empty for a new contact.")
            return None
        if found in self.seen:
            wrong(
                "contact_id", f"The contact is in row {self.seen[found]} already: keep one of them."
            )
        self.seen.setdefault(found, row.number)
        contact = self.contacts.get(found)
        if contact is None or (unit is not None and contact.unit_id != unit.id):
            self._elsewhere(contact or self.elsewhere.get(found), unit, wrong)
            return None
        if row.cells.get("version", "") != str(contact.version):
            if not row.cells.get("version", "").isdecimal():
                wrong("version", "Leave the number that the export wrote.")
            by = f" by {contact.edited_by}" if contact.edited_by else ""
            wrong(
                "version",
                f"The contact was changed{by} since the file was written. Export again, and look at"
                " both.",
                conflict=True,
            )
        return contact

    def _elsewhere(self, contact: ContactPoint | None, unit: Unit | None, wrong: _Wrong) -> None:
        if unit is None:
            return  # whether the contact is of it is not known
        if contact is None or contact.status != (self.actor.status or "actual"):
            wrong("contact_id", "There is no such contact. Empty this for a new one.")
        elif contact.unit_id != unit.id:
            wrong(
                "unit",
                f"The contact is not of {unit.name}. To move it, close it there and add it here"
                " in a row without contact_id.",
            )
        else:
            wrong("contact_id", "The contact was closed meanwhile.", conflict=True)

    def _repeats(self, differences: Sequence[Difference]) -> list[RowProblem]:
        """Return the rows after which a unit would have a contact twice for one purpose."""
        gone = {one.contact.id for one in differences if one.contact is not None}
        there: dict[Key, str] = {
            (c.unit_id, c.purpose, c.channel, c.value): "on record"
            for c in self.contacts.values()
            if c.id not in gone
        }
        problems = []
        for one in differences:
            if one.given is None:
                continue
            key = (one.unit.id, one.given.purpose, one.given.channel, one.given.columns()["value"])
            if key in there:
                problems.append(
                    RowProblem(
                        one.row, "value",
                        f"{one.unit.name} has this contact for this purpose already"
                        f" ({there[key]}): change that one.",
                    )
                )  # fmt: skip
            there.setdefault(key, f"row {one.row}")
        return problems


def _addition(row: Row, unit: Unit, given: ContactIn) -> Difference:
    after = contact_cells(given.columns())
    fields = tuple(
        (name, "", after[name]) for name in GIVEN if after[name] != DEFAULTS.get(name, "")
    )
    return Difference(row.number, "addition", unit, None, given, fields, _doubts(given.columns()))


def _change(
    row: Row, unit: Unit, contact: ContactPoint, before: Mapping[str, str], given: ContactIn
) -> Difference | None:
    after = contact_cells(given.columns())
    fields = [(name, before[name], after[name]) for name in GIVEN if before[name] != after[name]]
    if not fields:
        return None
    doubts = _doubts(given.columns()) if after["value"] != before["value"] else ()
    if after["value"] != before["value"] and contact.verification == "verified":
        fields.append(("verification", "verified", "unverified"))
    return Difference(row.number, "change", unit, contact, given, tuple(fields), doubts)


def _given(
    cells: Mapping[str, str], contact: ContactPoint | None, wrong: _Wrong
) -> ContactIn | None:
    """Return the contact that cells make, of a new row or of one on record; every fault is told."""
    document: dict[str, Any] = {}
    if contact is not None:
        document = {name: getattr(contact, name) for name in GIVEN.values()}
    for column, text in cells.items():
        document[GIVEN[column]] = _read(column, text, wrong)
    for column in ("purpose", "channel", "value"):
        if not document.get(column):
            wrong(column, _sentence(column))
    given = None
    try:
        given = ContactIn.model_validate(document)
    except ValidationError as error:
        columns = {field: column for column, field in GIVEN.items()}
        for one in error.errors():
            column = columns.get(str(one["loc"][0]), "")
            wrong(column, _sentence(column))
    for column, check in (
        ("hours", lambda: contact_rules.check_hours(document.get("hours"))),
        ("exceptions", lambda: contact_rules.check_exceptions(document.get("exceptions") or ())),
        ("value", lambda: contact_rules.normalised(document["channel"], document["value"])),
    ):
        if column in wrong or (column == "value" and "channel" in wrong):
            continue
        try:
            check()
        except HubError as error:
            wrong(column, error.sentence)
    return None if wrong.by_column else given


def _read(column: str, text: str, wrong: _Wrong) -> Any:
    """Return a cell as the contact's contract takes it."""
    value: Any = text or DEFAULTS.get(column, "")
    if column in CLOSED_LISTS:
        value = "-".join(value.lower().split())
        return ALIASES.get(value, value)
    try:
        if column == "hours":
            return hours_text.parse(text)
        if column == "exceptions":
            return hours_text.parse_exceptions(text)
    except HubError as error:
        wrong(column, error.sentence)
        return None if column == "hours" else []
    return (value or None) if column == "note" else value


def _sentence(column: str) -> str:
    if column in CLOSED_LISTS:
        return f"Write one of: {', '.join(CLOSED_LISTS[column])}."
    return {
        "value": "Give the number or address of the contact, of 300 characters at most.",
        "priority": "Give a whole number from 1 to 999; the lowest is rung first.",
        "note": "Keep the note under 300 characters.",
        "hours": "Give 40 spans at most.",
        "exceptions": "Give 60 days at most.",
    }.get(column, "This cannot be read: check it.")


def _doubts(columns: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(contact_rules.warnings(columns["channel"], columns["value"]))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
