"""Contacts out to a spreadsheet and in again: seen first as differences, then all of it or nothing.

docs/directory-csv.md is for those who fill it in.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from directory import editing, keepers
from directory.contact_csv import Row, RowProblem, unit_rows
from directory.exchange_plan import Difference, Kind, Plan, Planning, fields_of, open_contacts
from directory.model import ContactPoint
from hub.clock import LONDON
from hub.errors import FieldProblem, HubError
from hub.identity.actor import Actor
from hub.identity.policy import allows, require
from hub.organisations import Organisation, Unit
from hub.records import audit

__all__ = ["Difference", "Plan", "apply", "export", "plan"]


def export(
    session: Session, actor: Actor, now: datetime, organisation_id: UUID | None = None
) -> list[dict[str, str]]:
    """Return the rows of everything that somebody keeps, or of one organisation of those.

    Raises:
        HubError: 401, 403.
    """
    require(actor, "directory.keep")
    chosen = (
        select(Unit, Organisation)
        .join(Organisation, Organisation.id == Unit.organisation_id)
        .where(or_(Unit.valid_to.is_(None), Unit.valid_to > now.astimezone(LONDON).date()))
        .order_by(Organisation.name, Organisation.code, Unit.code, Unit.id)
    )
    if organisation_id is not None:
        chosen = chosen.where(Unit.organisation_id == organisation_id)
    if not allows(actor, keepers.EDIT, "any"):
        chosen = chosen.where(Unit.organisation_id.in_(keepers.kept_by(session, actor)))
    found = [(unit, organisation) for unit, organisation in session.execute(chosen)]
    if organisation_id is not None and not found:
        require(actor, keepers.EDIT, "any")
    contacts: dict[UUID, list[ContactPoint]] = {}
    for one in open_contacts(session, actor, {unit.id for unit, _ in found}, now):
        contacts.setdefault(one.unit_id, []).append(one)
    return [
        row
        for unit, organisation in found
        for row in unit_rows(
            organisation.name, unit.code, unit.name, map(fields_of, contacts.get(unit.id, ()))
        )
    ]


def plan(session: Session, actor: Actor, rows: Sequence[Row], now: datetime) -> Plan:
    """Return what the rows would add, change and close, and every problem by row and column.

    Raises:
        HubError: 401, 403.
    """
    require(actor, "directory.keep")
    return Planning(session, actor, rows, now).plan()


def apply(
    session: Session, actor: Actor, rows: Sequence[Row], *, why: str, now: datetime,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Plan:  # fmt: skip
    """Do what the rows say, all of it; return what was done.

    Raises:
        HubError: 401, 403; 422 `why`; `rows-refused`, 422 or (for what changed since the export)
            409, with the problems as fields: nothing is to be committed then.
    """
    found = plan(session, actor, rows, now)
    _refuse(found.problems)
    order: tuple[Kind, ...] = ("closing", "change", "addition")
    steps = [one for kind in order for one in found.differences if one.kind == kind]
    begun: dict[int, editing.Begun] = {}

    def begin(one: Difference) -> None:
        """Do a step; a change is held against the rest only when all of them are written."""
        if one.kind == "change" and one.contact is not None and one.given is not None:
            begun[one.row] = editing.begin_change(
                session, actor, one.contact.id, one.given, version=one.contact.version, why=why,
                now=now,
            )  # fmt: skip
        elif one.kind == "closing" and one.contact is not None:
            editing.close_contact(
                session, actor, one.contact.id, version=one.contact.version, why=why, now=now
            )

    def finish(one: Difference) -> None:
        if one.row in begun:
            editing.finish_change(session, actor, begun[one.row], now)
        elif one.kind == "addition" and one.given is not None:
            editing.add_contact(session, actor, one.unit.id, one.given, why=why, now=now)

    problems = _each(steps, begin)
    _refuse(problems)
    problems = _each(steps, finish, progress)
    _refuse(problems)
    if steps:
        audit.record(
            session, actor.who, "directory.imported", now=now, object_kind="directory",
            detail={kind: found.count(kind) for kind in order},
        )  # fmt: skip
    return found


def _each(
    steps: Sequence[Difference], act: Callable[[Difference], None],
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[RowProblem]:  # fmt: skip
    """Act on every step; return what is wrong, by row.

    Raises:
        HubError: 422 `why`, which is of no row.
    """
    problems = []
    for done, one in enumerate(steps, 1):
        try:
            act(one)
        except HubError as error:
            if error.code == "why":
                raise
            problems.append(RowProblem(one.row, "", error.sentence, error.status == 409))
        progress(done, len(steps))
    return problems


def _refuse(problems: Sequence[RowProblem]) -> None:
    if problems:
        fields = [FieldProblem(f"/{p.row}/{p.column}", "row", str(p)) for p in problems]
        conflicts = any(one.conflict for one in problems)
        raise HubError(
            "rows-refused", 409 if conflicts else 422,
            f"Nothing was changed: {len(problems)} problems. {problems[0]}"
            if len(problems) > 1 else f"Nothing was changed. {problems[0]}",
            fields=fields,
        )  # fmt: skip
