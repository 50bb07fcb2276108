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

from directory import contact_rules, editing, hours_text
from directory.contact_csv import GIVEN, Row, RowProblem, contact_cells
from directory.editing import ContactIn
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


class _RefusalError(Exception):
    """A row cannot be taken."""

    def __init__(self, column: str, sentence: str, *, conflict: bool = False) -> None:
        super().__init__(sentence)
        self.column, self.sentence, self.conflict = column, sentence, conflict


class Planning:
    """One file against what is on record, read in a few queries."""

    def __init__(self, session: Session, actor: Actor, rows: Sequence[Row], now: datetime) -> None:
        self.actor, self.rows = actor, rows
        today = now.astimezone(LONDON).date()
        self.kept = editing.kept_by(session, actor)
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
            try:
                found = self._difference(row)
            except _RefusalError as refusal:
                problems.append(
                    RowProblem(row.number, refusal.column, refusal.sentence, refusal.conflict)
                )
            else:
                differences += [found] if found else []
                unchanged += found is None
        problems += self._repeats(differences)
        problems.sort(key=lambda one: one.row)
        return Plan(tuple(differences), tuple(problems), unchanged)

    def _difference(self, row: Row) -> Difference | None:
        unit = self._unit(row.cells["unit"])
        contact = self._contact(row, unit)
        close = row.cells.get("close", "").lower()
        if close not in YES | NO:
            raise _RefusalError("close", "Write yes to close the contact, or leave this empty.")
        cells = {name: row.cells[name] for name in GIVEN if name in row.cells}
        if contact is None:
            if close in YES:
                raise _RefusalError(
                    "close", "Only a contact that has its contact_id can be closed."
                )
            if not any(cells.values()):
                return None
            return self._addition(row, unit, cells)
        before = contact_cells(fields_of(contact))
        changed = {name: text for name, text in cells.items() if text != before[name]}
        if close in YES:
            if changed:
                raise _RefusalError("close", "Close the contact or change it, not both.")
            return Difference(row.number, "closing", unit, contact, None, ())
        return self._change(row, unit, contact, before, changed) if changed else None

    def _unit(self, code: str) -> Unit:
        if not code:
            raise _RefusalError("unit", "Give the unit’s code, such as kent/east.")
        unit = self.units.get(code.lower())
        if unit is None:
            raise _RefusalError(
                "unit", f"There is no unit “{code[:60]}”. Take its code from the export."
            )
        relation = "delegated" if unit.organisation_id in self.kept else "any"
        if unit.organisation_id == self.actor.organisation_id:
            relation = "own"
        if not allows(self.actor, editing.EDIT, relation):
            raise _RefusalError("unit", f"You do not keep the entry of {unit.name}.")
        return unit

    def _contact(self, row: Row, unit: Unit) -> ContactPoint | None:
        text = row.cells.get("contact_id", "")
        if not text:
            return None
        found = self.ids.get(row.number)
        if found is None:
            raise _RefusalError(
                "contact_id", "Leave this as the export wrote it, or empty for a new contact."
            )
        if found in self.seen:
            raise _RefusalError(
                "contact_id", f"The contact is in row {self.seen[found]} already: keep one of them."
            )
        self.seen[found] = row.number
        contact = self.contacts.get(found)
        if contact is None or contact.unit_id != unit.id:
            self._refuse_elsewhere(contact or self.elsewhere.get(found), unit)
            return None
        if row.cells.get("version", "") != str(contact.version):
            if not row.cells.get("version", "").isdecimal():
                raise _RefusalError("version", "Leave the number that the export wrote.")
            by = f" by {contact.edited_by}" if contact.edited_by else ""
            raise _RefusalError(
                "version",
                f"The contact was changed{by} since the file was written. Export again, and look at"
                " both.",
                conflict=True,
            )
        return contact

    def _refuse_elsewhere(self, contact: ContactPoint | None, unit: Unit) -> None:
        if contact is None or contact.status != (self.actor.status or "actual"):
            raise _RefusalError("contact_id", "There is no such contact. Empty this for a new one.")
        if contact.unit_id != unit.id:
            raise _RefusalError(
                "unit",
                f"The contact is not of {unit.name}. To move it, close it there and add it here"
                " in a row without contact_id.",
            )
        raise _RefusalError("contact_id", "The contact was closed meanwhile.", conflict=True)

    def _addition(self, row: Row, unit: Unit, cells: Mapping[str, str]) -> Difference:
        document = _document(cells)
        given = _contact_in(document)
        after = contact_cells(given.columns())
        fields = tuple(
            (name, "", after[name]) for name in GIVEN if after[name] != DEFAULTS.get(name, "")
        )
        return Difference(
            row.number, "addition", unit, None, given, fields, _doubts(given.columns())
        )

    def _change(
        self, row: Row, unit: Unit, contact: ContactPoint, before: Mapping[str, str],
        changed: Mapping[str, str],
    ) -> Difference | None:  # fmt: skip
        held = {name: getattr(contact, name) for name in GIVEN.values()}
        given = _contact_in({**held, **_document(changed, partial=True)})
        after = contact_cells(given.columns())
        fields = [
            (name, before[name], after[name]) for name in GIVEN if before[name] != after[name]
        ]
        if not fields:
            return None
        doubts = _doubts(given.columns()) if after["value"] != before["value"] else ()
        if after["value"] != before["value"] and contact.verification == "verified":
            fields.append(("verification", "verified", "unverified"))
        return Difference(row.number, "change", unit, contact, given, tuple(fields), doubts)

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


def _document(cells: Mapping[str, str], *, partial: bool = False) -> dict[str, Any]:
    """Return the fields of a contact as its contract takes them."""
    document: dict[str, Any] = {}
    for column, text in cells.items():
        value: Any = text or DEFAULTS.get(column, "")
        if column in CLOSED_LISTS:
            value = "-".join(value.lower().split())
            value = ALIASES.get(value, value)
        try:
            if column == "hours":
                value = hours_text.parse(text)
            elif column == "exceptions":
                value = hours_text.parse_exceptions(text)
        except HubError as error:
            raise _RefusalError(column, error.sentence) from None
        document[GIVEN[column]] = (value or None) if column == "note" else value
    if not partial:
        for column in ("purpose", "channel", "value"):
            if not document.get(column):
                raise _RefusalError(column, _sentence(column))
    return document


def _contact_in(document: Mapping[str, Any]) -> ContactIn:
    columns = {field: column for column, field in GIVEN.items()}
    try:
        given = ContactIn.model_validate(document)
        given.columns()
    except ValidationError as error:
        column = columns.get(str(error.errors()[0]["loc"][0]), "")
        raise _RefusalError(column, _sentence(column)) from None
    except HubError as error:
        name = error.fields[0].pointer.strip("/") if error.fields else ""
        raise _RefusalError(columns.get(name, name), error.sentence) from None
    return given


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
