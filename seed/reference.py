"""Loading the reference data: adds, updates and supersedes; never deletes, never overrules people.

A row that people have edited or verified is theirs: where a file differs from it, the load says so
and leaves it, and with a unit its team and coverage. A row that is gone from the files is closed
with the day's date.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from directory.changes import because
from directory.model import Area, ContactPoint, Coverage
from hub.clock import LONDON
from hub.db import Base, advisory_lock, new_id
from hub.organisations import Organisation, Unit
from hub.records import audit
from seed import files, wanted

SINCE = date(2025, 4, 1)  # the codes of the first edition hold since then
LOCK = 0x4D43_4855_4200_0005  # one load at a time
LISTED = 40


@dataclass(frozen=True)
class Changes:
    """What a load did to one table, by the public keys of the rows."""

    title: str
    added: tuple[str, ...]
    updated: tuple[str, ...]
    closed: tuple[str, ...]
    kept: tuple[str, ...]
    unchanged: int

    @property
    def any(self) -> bool:
        """Whether a row was written."""
        return bool(self.added or self.updated or self.closed)

    def lines(self) -> Iterable[str]:
        """Yield the counts, then the rows that somebody may want to look at."""
        yield (
            f"{self.title}: {len(self.added)} added, {len(self.updated)} updated,"
            f" {len(self.closed)} closed, {len(self.kept)} kept as people left them,"
            f" {self.unchanged} unchanged."
        )
        fresh = not (self.unchanged or self.updated or self.closed or self.kept)
        for verb, keys in (
            ("added", () if fresh else self.added),
            ("updated", self.updated),
            ("closed, gone from the files", self.closed),
            ("kept, differs from the files", self.kept),
        ):
            if keys:
                more = f" and {len(keys) - LISTED} more" if len(keys) > LISTED else ""
                yield f"  {verb}: {', '.join(keys[:LISTED])}{more}"


@dataclass(frozen=True)
class Report:
    """What one load did."""

    tables: tuple[Changes, ...]

    @property
    def changed(self) -> bool:
        """Whether any row was written."""
        return any(table.any for table in self.tables)

    def of(self, title: str) -> Changes:
        """Return the changes of one table, by its title."""
        return next(table for table in self.tables if table.title == title)

    def __str__(self) -> str:
        return "\n".join(line for table in self.tables for line in table.lines())


class _Rows:
    """One table as it stands, and the ids of rows that are or will be in it."""

    def __init__(
        self,
        session: Session,
        model: type[Base],
        title: str,
        key: Callable[[RowMapping], str],
        *,
        reopens: bool,
    ) -> None:
        table = model.__table__
        assert isinstance(table, Table)  # noqa: S101  # every model of ours is one table
        self.session, self.table, self.title, self.reopens = session, table, title, reopens
        self.keys: dict[UUID, str] = {}
        self.latest: dict[str, RowMapping] = {}
        for row in session.execute(
            select(table).order_by(table.c.valid_from, table.c.id)
        ).mappings():
            self.keys[row["id"]] = key(row)
            known = self.latest.get(key(row))
            if known is None or known["valid_to"] is not None:
                self.latest[key(row)] = row
        self.first = not self.latest
        self.made: dict[str, UUID] = {}

    def id(self, key: str) -> UUID:
        """Return the id of the row of a key: the one there, or the one that it will get."""
        row = self.latest.get(key)
        if row is not None and (row["valid_to"] is None or self.reopens):
            found: UUID = row["id"]
            return found
        return self.made.setdefault(key, new_id())

    def apply(
        self,
        rows: wanted.Rows,
        today: date,
        *,
        key_column: str | None,
        successors: Mapping[str, UUID] | None = None,
        ours: Callable[[str], bool] = lambda _key: True,
    ) -> Changes:
        """Write what differs, and say what was done."""
        added: list[dict[str, Any]] = []
        updated: list[dict[str, Any]] = []
        kept: list[str] = []
        names: dict[str, list[str]] = {"added": [], "updated": []}
        unchanged = 0
        for key, values in rows.items():
            row = self.latest.get(key)
            if row is None or (
                row["valid_to"] is not None and not self.reopens and not _theirs(row)
            ):
                since = SINCE if self.first else today
                own = {key_column: key} if key_column else {}
                added.append({"id": self.id(key), **own, **values, "valid_from": since})
                names["added"].append(key)
            elif row["valid_to"] is None and all(row[name] == values[name] for name in values):
                unchanged += 1
            elif _theirs(row):
                kept.append(key)
            else:
                updated.append({"_id": row["id"], **{f"_{name}": values[name] for name in values}})
                names["updated"].append(key)
        closed: list[dict[str, Any]] = []
        closed_names: list[str] = []
        for key, row in self.latest.items():
            if key in rows or row["valid_to"] is not None or not ours(key):
                continue
            if _theirs(row):
                kept.append(key)
                continue
            change: dict[str, Any] = {"_id": row["id"], "_valid_to": max(today, row["valid_from"])}
            if successors is not None:
                change["_superseded_by_id"] = successors.get(key)
            closed.append(change)
            closed_names.append(key)
        if added:
            self.session.execute(insert(self.table), added)
        self._update(updated, reopening=True)
        self._update(closed, reopening=False)
        return Changes(
            self.title,
            tuple(names["added"]),
            tuple(names["updated"]),
            tuple(closed_names),
            tuple(kept),
            unchanged,
        )

    def _update(self, changes: list[dict[str, Any]], *, reopening: bool) -> None:
        if not changes:
            return
        values: dict[str, Any] = {
            name.removeprefix("_"): bindparam(name) for name in changes[0] if name != "_id"
        }
        if reopening:
            values["valid_to"] = None
            if "superseded_by_id" in self.table.c:
                values["superseded_by_id"] = None
        if "version" in self.table.c:
            values["version"] = self.table.c.version + 1
        statement = update(self.table).where(self.table.c.id == bindparam("_id")).values(values)
        self.session.connection().execute(statement, changes)


def _theirs(row: RowMapping) -> bool:
    return row["edited_at"] is not None or row.get("verification") == "verified"


def load(
    session: Session,
    now: datetime,
    progress: Callable[[str], None] | None = None,
    *,
    folder: Path | None = None,
) -> Report:
    """Bring the directory to the reference files of a folder, by default the bundled edition.

    A second load of the same files writes nothing. What changed is put on record.

    Raises:
        HubError: `reference-invalid`, with file, line and column; nothing is written then.
    """
    say = progress or (lambda _sentence: None)
    say("Reading the reference files …")
    reference = files.read(folder)
    advisory_lock(session, LOCK)
    because(session, audit.SYSTEM, "loaded from the reference data", now, coverage_may_lapse=True)
    today = now.astimezone(LONDON).date()

    organisations = _Rows(session, Organisation, "Organisations", _code, reopens=True)
    units = _Rows(session, Unit, "Units", _code, reopens=True)
    areas = _Rows(session, Area, "Districts", _code, reopens=True)
    say("Writing organisations, units and districts …")
    wanted_units = wanted.units(reference, organisations.id, units.id)
    staying = {
        code for code, row in units.latest.items() if code not in wanted_units and _theirs(row)
    }
    reports = [
        organisations.apply(wanted.organisations(reference), today, key_column="code"),
        units.apply(
            wanted_units,
            today,
            key_column="code",
            ours=lambda code: code.rpartition("/")[0] not in staying,
        ),
        areas.apply(
            wanted.areas(reference, organisations.id),
            today,
            key_column="code",
            successors={
                old: areas.id(district.code)
                for district in reference.districts
                for old in district.previous_codes
            },
        ),
    ]
    unit_codes = units.keys | {units.id(code): code for code in units.made}
    area_codes = areas.keys | {areas.id(code): code for code in areas.made}
    coverage = _Rows(
        session,
        Coverage,
        "Coverage",
        lambda row: wanted.coverage_key(unit_codes[row["unit_id"]], area_codes[row["area_id"]]),
        reopens=False,
    )
    contacts = _Rows(
        session,
        ContactPoint,
        "Contacts",
        lambda row: row["reference_key"] or str(row["id"]),
        reopens=False,
    )
    say("Writing coverage and contacts …")
    reports += [
        coverage.apply(
            wanted.coverage(reference, units.id, areas.id),
            today,
            key_column=None,
            ours=lambda key: key.partition(" in ")[0] not in staying,
        ),
        contacts.apply(
            wanted.contact_points(reference, units.id),
            today,
            key_column="reference_key",
            ours=lambda key: key.startswith(wanted.OWN_KEY),
        ),
    ]
    report = Report(tuple(reports))
    if report.changed:
        audit.record(
            session,
            audit.SYSTEM,
            "directory.reference-loaded",
            now=now,
            detail={
                table.title.lower(): {
                    "added": len(table.added),
                    "updated": len(table.updated),
                    "closed": len(table.closed),
                    "kept": len(table.kept),
                }
                for table in report.tables
            },
        )
    return report


def _code(row: RowMapping) -> str:
    code: str = row["code"]
    return code
