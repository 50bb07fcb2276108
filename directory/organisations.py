"""Keeping organisations: what they are called, from when to when they are, what they are part of.

Names are its own administrators' to keep; days and parents are a national matter. Nothing is
deleted, and what people changed is theirs: no load of reference data overrules it (`edited_at`).
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from directory.changes import because
from directory.editing import check_version
from directory.model import Area, DirectoryChange
from directory.organisation_rules import (
    Days,
    Names,
    days_problems,
    parent_problem,
    put_back,
    renamed,
)
from hub.clock import LONDON
from hub.db import register_constraint
from hub.errors import FieldProblem, HubError, conflict, forbidden, invalid, not_found
from hub.identity.actor import Actor
from hub.identity.policy import allows, require
from hub.organisations import Organisation, Unit, find_organisation
from hub.records import audit

NAME = "organisation.name"
RESTRUCTURE = "organisation.restructure"
LONGEST_NAME = 120

for _constraint, _code, _sentence in (
    ("ck_organisation_parent", "parent-above", "An organisation is no part of itself."),
    ("ck_organisation_parent_above", "parent-above", "Two organisations would be part of each other."),
    ("ck_organisation_units", "organisation-has-units", "An organisation has units on every day of"
     " theirs: look again at both."),
    ("ck_organisation_districts", "organisation-has-districts", "It would answer for districts on a"
     " day on which it is no more: look again."),
):  # fmt: skip
    register_constraint(_constraint, _code, 409, _sentence)


class OrganisationIn(BaseModel):
    """What is kept of an organisation: `parent` by its code, `valid_to` the first day without it."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=2, max_length=LONGEST_NAME)
    name_welsh: str | None = Field(None, max_length=LONGEST_NAME)
    other_names: list[str] = Field(default_factory=list, max_length=20)
    parent: str | None = Field(
        None, max_length=LONGEST_NAME, description="A code, UUID or name of an organisation"
    )
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True)
class _State:
    """What is kept of an organisation, the parent found, the names tidied."""

    names: Names
    name_welsh: str | None
    other_names: tuple[str, ...]
    parent_id: UUID | None
    days: Days

    @property
    def structure(self) -> tuple[UUID | None, Days]:
        """What is a national matter."""
        return self.parent_id, Days("", self.days.valid_from, self.days.valid_to)


def may_name(actor: Actor, organisation_id: UUID) -> bool:
    """Say whether somebody keeps the names of an organisation."""
    return allows(actor, NAME, _relation(actor, organisation_id))


def may_restructure(actor: Actor, organisation_id: UUID) -> bool:
    """Say whether somebody keeps the days and the parent of an organisation."""
    return allows(actor, RESTRUCTURE, _relation(actor, organisation_id))


def _relation(actor: Actor, organisation_id: UUID) -> str:
    if actor.organisation_id != organisation_id or actor.kind == "guest":
        return "any"
    return "own-system" if actor.kind == "client" else "own"


def named(session: Session, text: str) -> Organisation | None:
    """Return the organisation of a code, UUID or present name that no other has, in any case."""
    by_name = select(Organisation).where(
        func.lower(Organisation.name) == text.lower(), Organisation.valid_to.is_(None)
    )
    found = find_organisation(session, text)
    same = [] if found else session.scalars(by_name.limit(2)).all()
    return same[0] if len(same) == 1 else found


def organisation_to_edit(session: Session, actor: Actor, organisation_id: UUID) -> Organisation:
    """Return an organisation whose names at least the actor may change, its row held.

    Raises:
        HubError: 404, 401, 403.
    """
    found = session.get(Organisation, organisation_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise not_found()
    require(actor, NAME, _relation(actor, organisation_id))
    return found


def change_organisation(
    session: Session, actor: Actor, organisation_id: UUID, given: OrganisationIn, *,
    version: int | None, why: str, now: datetime,
) -> Organisation:  # fmt: skip
    """Change what is kept of an organisation; a name that it no longer has is a former one.

    Raises:
        HubError: 404, 401; 403, `actual-only` in an exercise; 422 by field; 409
            `changed-meanwhile`.
    """
    held = organisation_to_edit(session, actor, organisation_id)
    check_version(held.version, version)
    today = now.astimezone(LONDON).date()
    was = _state(held)
    name = _tidy(given.name)
    others = dict.fromkeys(_tidy(one)[:LONGEST_NAME] for one in given.other_names)
    wanted = _State(
        renamed(was.names, name, today),
        _tidy(given.name_welsh or "") or None,
        tuple(one for one in others if one),
        _parent(session, held, given.parent),
        Days(name, given.valid_from, given.valid_to),
    )
    return _save(session, actor, held, wanted, why, now, "directory.organisation-changed")


def revert_organisation(
    session: Session, actor: Actor, change_id: int, *, version: int | None, why: str,
    now: datetime,
) -> Organisation:  # fmt: skip
    """Put back what one change of an organisation changed, as a change of its own.

    Raises:
        HubError: 404, 401, 403; 422; 409 `changed-meanwhile`, or `not-reverted` for what cannot be
            put back.
    """
    row = session.get(DirectoryChange, change_id)
    if row is None or row.kind != "organisation":
        raise not_found()
    held = organisation_to_edit(session, actor, row.object_id)
    check_version(held.version, version)
    before, after = row.before or {}, row.after
    changed = {one for one in REVERTED if row.before and before.get(one) != after.get(one)}
    if not changed:
        raise conflict("not-reverted", "This change has nothing that can be put back.")
    was = _state(held)
    parent = before["parent_id"] if "parent_id" in changed else held.parent_id
    wanted = _State(
        put_back(was.names, after["name"], before["name"], now.astimezone(LONDON).date())
        if "name" in changed
        else was.names,
        before["name_welsh"] if "name_welsh" in changed else was.name_welsh,
        tuple(before["other_names"]) if "other_names" in changed else was.other_names,
        UUID(str(parent)) if parent else None,
        Days(
            before["name"],
            date.fromisoformat(before["valid_from"])
            if "valid_from" in changed
            else held.valid_from,
            _day(before["valid_to"]) if "valid_to" in changed else held.valid_to,
        ),
    )
    return _save(session, actor, held, wanted, why, now, "directory.organisation-reverted")


REVERTED = ("name", "name_welsh", "other_names", "parent_id", "valid_from", "valid_to")


def _save(
    session: Session, actor: Actor, held: Organisation, wanted: _State, why: str, now: datetime,
    action: str,
) -> Organisation:  # fmt: skip
    was = _state(held)
    if wanted.structure != was.structure:
        require(actor, RESTRUCTURE, _relation(actor, held.id))
    if actor.status == "exercise":
        raise forbidden("actual-only", "An exercise changes no actual organisation.")
    if len(wanted.names.name) < 2:
        raise invalid("name", "Give the organisation’s name.", "/name")
    _check_structure(session, held, was, wanted, now.astimezone(LONDON).date())
    because(session, actor.who, why, now)
    held.name = wanted.names.name
    held.former_names = list(wanted.names.former)
    held.former_until = dict(wanted.names.until or {})
    held.name_welsh, held.other_names = wanted.name_welsh, list(wanted.other_names)
    held.parent_id = wanted.parent_id
    held.valid_from, held.valid_to = wanted.days.valid_from, wanted.days.valid_to
    held.version += 1
    held.edited_at, held.edited_by = now, actor.name
    session.flush()
    audit.record(
        session, actor.who, action, now=now, object_kind="organisation", object_id=held.id,
        detail={"organisation": held.code},
    )  # fmt: skip
    return held


def _check_structure(
    session: Session, held: Organisation, was: _State, wanted: _State, today: date
) -> None:
    problems: dict[str, str] = {}
    if wanted.parent_id != was.parent_id:
        rows = session.execute(select(Organisation.id, Organisation.parent_id))
        parents = {row.id: row.parent_id for row in rows}
        if sentence := parent_problem(held.id, wanted.parent_id, parents):
            problems["parent"] = sentence
    if wanted.structure[1] != was.structure[1]:
        units = session.execute(
            select(Unit.name, Unit.valid_from, Unit.valid_to)
            .where(Unit.organisation_id == held.id)
            .order_by(Unit.name, Unit.id)
        )
        districts = session.execute(
            select(Area.name, Area.valid_from, Area.valid_to)
            .where(or_(Area.force_id == held.id, Area.csa_id == held.id))
            .order_by(Area.name, Area.id)
        )
        problems |= days_problems(
            was.days, wanted.days, [Days(*one) for one in units], [Days(*one) for one in districts],
            today,
        )  # fmt: skip
    if problems:
        fields = [FieldProblem(f"/{at}", at, sentence) for at, sentence in problems.items()]
        raise HubError(fields[0].code, 422, fields[0].sentence, fields=fields)


def _state(held: Organisation) -> _State:
    return _State(
        Names(held.name, tuple(held.former_names), held.former_until),
        held.name_welsh,
        tuple(held.other_names),
        held.parent_id,
        Days(held.name, held.valid_from, held.valid_to),
    )


def _parent(session: Session, held: Organisation, identifier: str | None) -> UUID | None:
    """Return the parent that is meant; one that is no more can be kept, and not be chosen."""
    if not (identifier or "").strip():
        return None
    found = named(session, _tidy(identifier or ""))
    if found is None or (found.valid_to is not None and found.id != held.parent_id):
        raise invalid(
            "parent", "Give the code or name of another organisation that there is.", "/parent"
        )
    return found.id


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _day(held: Any) -> date | None:
    return date.fromisoformat(held) if held else None
