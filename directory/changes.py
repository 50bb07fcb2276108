"""What was changed in the directory: who, when, why, field by field, as the database recorded it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from directory.model import DirectoryChange
from hub.errors import invalid
from hub.records.audit import Who

LONGEST_WHY = 300
BOOKKEEPING = frozenset({
    "id", "version", "edited_at", "edited_by", "source", "source_date", "reference_key",
    "suggested_by_id",
})  # fmt: skip


@dataclass(frozen=True)
class FieldChange:
    """One field of one change; `before` is None where the row is new."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """One change of one row. `kind` is unit, contact_point, coverage, organisation or area."""

    id: int
    kind: str
    object_id: UUID
    at: datetime
    who: str
    why: str
    new: bool
    fields: tuple[FieldChange, ...]
    row: Mapping[str, Any]
    before: Mapping[str, Any] | None

    @property
    def audiences(self) -> frozenset[str]:
        """The audiences of a contact, as it was and as it came to be."""
        rows = (self.row, self.before or {})
        return frozenset(row["audience"] for row in rows if row.get("audience"))

    @property
    def status(self) -> str:
        """Whether a contact is actual or an exercise's."""
        return str(self.row.get("status", "actual"))


def because(
    session: Session, who: Who, why: str, now: datetime, *, coverage_may_lapse: bool = False
) -> None:
    """Say who changes the directory in this transaction, and why; the database writes it down.

    Raises:
        HubError: 422 `why` when no reason is given, or one that is too long.
    """
    why = " ".join(why.split())
    if not 3 <= len(why) <= LONGEST_WHY:
        raise invalid("why", "Say why you change this, in a few words.", "/why")
    cause = {"who": who.name or who.kind, "why": why, "at": now.isoformat()}
    if who.id is not None:
        cause["who_id"] = str(who.id)
    session.execute(
        text("SELECT set_config('hub.change', :cause, true),"
             " set_config('hub.coverage_may_lapse', :lapse, true)"),
        {"cause": json.dumps(cause), "lapse": "on" if coverage_may_lapse else ""},
    )  # fmt: skip


def of_unit(
    session: Session, unit_id: UUID, *, before_id: int | None = None, limit: int = 50
) -> list[Change]:
    """Return what was changed of a unit, its contacts and its coverage, newest first."""
    chosen = select(DirectoryChange).where(DirectoryChange.unit_id == unit_id)
    if before_id is not None:
        chosen = chosen.where(DirectoryChange.id < before_id)
    rows = session.scalars(chosen.order_by(DirectoryChange.id.desc()).limit(limit))
    return [change(row) for row in rows]


def of_organisation(
    session: Session, organisation_id: UUID, *, before_id: int | None = None, limit: int = 50
) -> list[Change]:
    """Return what was changed of an organisation itself, newest first."""
    chosen = select(DirectoryChange).where(
        DirectoryChange.object_id == organisation_id, DirectoryChange.kind == "organisation"
    )
    if before_id is not None:
        chosen = chosen.where(DirectoryChange.id < before_id)
    rows = session.scalars(chosen.order_by(DirectoryChange.id.desc()).limit(limit))
    return [change(row) for row in rows]


def change(row: DirectoryChange) -> Change:
    """Return a change with the fields that people read, those that differ alone."""
    before, after = row.before or {}, row.after
    names: Sequence[str] = [name for name in after if name not in BOOKKEEPING]
    fields = tuple(
        FieldChange(name, before.get(name), after[name])
        for name in names
        if before.get(name) != after[name] and (row.before is not None or after[name])
    )
    return Change(
        row.id, row.kind, row.object_id, row.at, row.who, row.why, row.before is None,
        fields, after, row.before,
    )  # fmt: skip
