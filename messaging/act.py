"""A message on its way: what its effect reads, and what it decides."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Insert, insert, text
from sqlalchemy.orm import Session

from hub.db import new_id
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import clocks
from messaging.contracts import Command, Contract
from messaging.model import Case
from messaging.state import CaseState, PartyUnit

TABLES = Case.metadata.tables


@dataclass(frozen=True)
class Further:
    """A message that follows from another, and is sent with it: in its case, or in a joined one."""

    command: Command
    unit: UUID
    actor: Actor
    reference: str | None = None


@dataclass
class Act:
    """A message on its way: what effects read, and what they decide.

    Where the sender names nobody and it is `to_all`, it goes to whoever may read it.
    """

    session: Session
    actor: Actor
    vault: Vault
    command: Command
    body: Contract
    case: CaseState
    unit: UUID
    message_id: UUID = field(default_factory=new_id)
    to: dict[UUID, PartyUnit] = field(default_factory=dict)
    to_all: bool = True
    audience: str = "all-parties"
    in_reply_to: UUID | None = None
    priority: str = "routine"
    reply_due_at: datetime | None = None
    request_no: int | None = None
    reach: dict[UUID, str] = field(default_factory=dict)
    replies_to_alias: bool = False
    """What it answers was asked in a case that was joined to this one."""
    after: list[Callable[[], object]] = field(default_factory=list)
    further: list["Further"] = field(default_factory=list)
    waits_for_call: bool = False
    """Something is owed by a unit that hears of it only when it is rung (4.5)."""
    _settings: dict[UUID | None, Mapping[str, int]] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        """The moment at which this takes effect."""
        return self.case.at

    def settings(self, owed_by: UUID | None) -> Mapping[str, int]:
        """Return the minutes of clocks that count for a debtor, read once a clock needs them (6)."""
        if owed_by not in self._settings:
            units = {owed_by, *self.case.parties, *self.to}
            self._settings |= clock_settings(self.session, units)
        return self._settings[owed_by]

    def insert(self, table: str, *rows: dict[str, Any]) -> None:
        """Insert rows once the message itself is there."""
        if rows:
            self.after.append(lambda: insert_rows(self.session, table, list(rows)))

    def later(self, write: Callable[[], object]) -> None:
        """Do a write once the message itself is there."""
        self.after.append(write)

    def send_further(
        self, command: Command, unit: UUID, actor: Actor, reference: str | None = None
    ) -> None:
        """Have the hub send another message once this is there: in the same commit, by the same rules.

        It is from a unit, in the name of whoever acts, or of the hub itself; in this case, or in that
        of the reference, which was joined to it.
        """
        self.further.append(Further(command, unit, actor, reference))

    def add_party(self, unit: PartyUnit) -> None:
        """Let a unit into the case, or keep it as it is there."""
        known = self.case.parties.get(unit.unit_id)
        if known is not None and (known.full or not unit.full):
            return
        self.case.parties[unit.unit_id] = unit
        row = {
            "case_id": self.case.id,
            "unit_id": unit.unit_id,
            "part": unit.part,
            "sees": "full" if unit.full else "limited",
        }
        if known is None:
            self.insert("party", {**row, "since": self.at})
        else:
            self.later(lambda: _promote(self.session, row))
        if unit.full:
            # What was joined to this case is seen, and answered for, by whoever comes to it later.
            self.later(lambda: self.session.execute(_IN_JOINED, {**row, "at": self.at}))

    def clock(
        self, kind: str, owed_by: UUID | None, *, started: bool = True,
        due: datetime | None = None,
    ) -> datetime | None:  # fmt: skip
        """Start a clock that a unit owes; unstarted, it waits for the telephone.

        It is due when its kind says, or then. Owed by nobody in particular: by adjudicators.
        """
        due = (due or clocks.due(kind, self.at, self.settings(owed_by))) if started else None
        self.waits_for_call |= not started
        self.later(lambda: self._start(kind, owed_by, due))
        return due

    def start_clock(self, kind: str, owed_by: UUID, *, due: datetime) -> None:
        """Start a clock now: the message is there already."""
        self._start(kind, owed_by, due)

    def _start(self, kind: str, owed_by: UUID | None, due: datetime | None) -> None:
        row = {
            "id": new_id(), "case_id": self.case.id, "kind": kind,
            "message_id": self.message_id, "owed_by_unit_id": owed_by,
            "started_at": self.at if due else None, "due_at": due, "escalates_at": due,
        }  # fmt: skip
        insert_rows(self.session, "clock", [row])


def insert_rows(session: Session, table: str, rows: list[dict[str, Any]]) -> None:
    session.execute(_insert_into(table), rows)


@cache
def _insert_into(table: str) -> Insert:
    return insert(TABLES[table])


_IN_JOINED = text("""
WITH RECURSIVE one AS (
    SELECT id FROM cases WHERE joined_into_id = :case_id
    UNION SELECT c.id FROM one JOIN cases c ON c.joined_into_id = one.id
)
INSERT INTO party (case_id, unit_id, part, sees, since)
SELECT one.id, :unit_id, :part, 'full', :at FROM one
ON CONFLICT (case_id, unit_id) DO UPDATE SET part = EXCLUDED.part, sees = EXCLUDED.sees
WHERE party.sees = 'limited'
""")


def _promote(session: Session, row: dict[str, Any]) -> None:
    party = TABLES["party"]
    session.execute(
        party.update()
        .where(party.c.case_id == row["case_id"], party.c.unit_id == row["unit_id"])
        .values(part=row["part"], sees=row["sees"])
    )


_SETTINGS = text("""
SELECT u.id AS unit_id, s.kind, s.minutes
FROM clock_setting s LEFT JOIN unit u ON u.organisation_id = s.organisation_id
    AND u.id = ANY(CAST(:units AS uuid[]))
WHERE s.organisation_id IS NULL OR u.id IS NOT NULL
ORDER BY s.organisation_id IS NOT NULL
""")


def clock_settings(
    session: Session, owed_by: Collection[UUID | None]
) -> dict[UUID | None, dict[str, int]]:
    """Return the minutes of clocks that count for what each unit owes, by unit (6).

    They are those that the nation changed, and over them its own organisation's. What nobody in
    particular owes has the nation's.
    """
    found: dict[UUID | None, dict[str, int]] = {unit: {} for unit in owed_by}
    units = [unit for unit in owed_by if unit is not None]
    for row in session.execute(_SETTINGS, {"units": units}):
        for unit in found if row.unit_id is None else (row.unit_id,):
            found[unit][row.kind] = row.minutes
    return found
