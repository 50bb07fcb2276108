"""“This number is wrong”: reported by readers in two steps, open until the unit's editors answer."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, true, update
from sqlalchemy.orm import Session

from directory.keepers import unit_to_edit
from directory.model import ANSWERS, PROBLEMS, ContactPoint, ContactProblem
from hub.db import new_id, register_constraint
from hub.errors import conflict, invalid, not_found
from hub.identity.actor import Actor
from hub.identity.policy import require
from hub.organisations import Unit
from hub.records import audit

register_constraint(
    "uq_contact_problem_open", "reported-already", 409,
    "You have reported this contact already; its unit has been asked to answer.",
)  # fmt: skip


@dataclass(frozen=True)
class Task:
    """A contact that readers reported, for its editors: how often, since when, and as what."""

    contact: ContactPoint
    unit: Unit
    reports: tuple[ContactProblem, ...]


def report(
    session: Session, actor: Actor, contact_id: UUID, *, kind: str, note: str, now: datetime,
    value: str | None = None,
) -> ContactProblem:  # fmt: skip
    """Report that a contact does not work as it stands; `value` is what its reader tried.

    Raises:
        HubError: 404, 401, 403; 422 `kind`; 409 `reported-already`, `contact-closed`,
            `changed-meanwhile`.
    """
    require(actor, "directory.report")
    contact = session.get(ContactPoint, contact_id, with_for_update={"read": True})
    if contact is None or contact.status != (actor.status or "actual"):
        raise not_found()
    if contact.closed_at is not None:
        raise conflict("contact-closed", "This contact is closed: look the unit up again.")
    if value is not None and value != contact.value:
        raise conflict(
            "changed-meanwhile", "This was changed while you looked at it. Try what is there now."
        )
    if kind not in PROBLEMS:
        raise invalid("kind", "Choose what is wrong with it.", "/kind")
    if actor.id is None or actor.organisation_id is None:
        raise not_found()
    problem = ContactProblem(
        id=new_id(),
        contact_point_id=contact.id,
        value=contact.value,
        kind=kind,
        note=" ".join(note.split())[:300] or None,
        reported_by_id=actor.id,
        reported_by=f"{actor.name}, {actor.organisation_name}",
        organisation_id=actor.organisation_id,
        at=now,
    )
    session.add(problem)
    session.flush()
    audit.record(
        session, actor.who, "directory.problem-reported", now=now, object_kind="contact-point",
        object_id=contact.id, detail={"kind": kind},
    )  # fmt: skip
    return problem


def answer(session: Session, actor: Actor, contact_id: UUID, *, answer: str, now: datetime) -> int:
    """Answer every open report of a contact, and return how many there were.

    Raises:
        HubError: 404, 401, 403; 422 `answer`.
    """
    contact = session.get(ContactPoint, contact_id, with_for_update=True)
    if contact is None or contact.status != (actor.status or "actual"):
        raise not_found()
    unit_to_edit(session, actor, contact.unit_id)
    if answer not in ANSWERS:
        raise invalid("answer", "Choose an answer.", "/answer")
    answered = session.execute(
        update(ContactProblem)
        .where(ContactProblem.contact_point_id == contact.id, ContactProblem.answered_at.is_(None))
        .values(answered_at=now, answered_by=actor.name, answer=answer)
        .returning(ContactProblem.id)
    ).all()
    audit.record(
        session, actor.who, "directory.problem-answered", now=now, object_kind="contact-point",
        object_id=contact.id, detail={"answer": answer},
    )  # fmt: skip
    return len(answered)


def tasks(session: Session, actor: Actor, organisation_ids: Collection[UUID] | None) -> list[Task]:
    """Return what readers reported of these organisations' contacts (None: any), oldest first."""
    rows = session.execute(
        select(ContactProblem, ContactPoint, Unit)
        .join(ContactPoint, ContactPoint.id == ContactProblem.contact_point_id)
        .join(Unit, Unit.id == ContactPoint.unit_id)
        .where(
            _kept(organisation_ids),
            ContactProblem.answered_at.is_(None),
            ContactPoint.closed_at.is_(None),
            ContactPoint.status == (actor.status or "actual"),
        )
        .order_by(ContactProblem.at, ContactProblem.id)
    )
    found: dict[UUID, tuple[ContactPoint, Unit, list[ContactProblem]]] = {}
    for problem, contact, unit in rows:
        found.setdefault(contact.id, (contact, unit, []))[2].append(problem)
    return [Task(contact, unit, tuple(reports)) for contact, unit, reports in found.values()]


def open_reports(
    session: Session, contact_ids: Collection[UUID]
) -> dict[UUID, tuple[int, datetime]]:
    """Return by how many people contacts are reported as they stand, and since when."""
    rows = session.execute(
        select(
            ContactPoint.id,
            func.count(ContactProblem.reported_by_id.distinct()),
            func.min(ContactProblem.at),
        )
        .join(ContactProblem, ContactProblem.contact_point_id == ContactPoint.id)
        .where(
            ContactPoint.id.in_(contact_ids),
            ContactProblem.value == ContactPoint.value,
            ContactProblem.answered_at.is_(None),
        )
        .group_by(ContactPoint.id)
    )
    return {contact_id: (people, since) for contact_id, people, since in rows}


def suggestions(
    session: Session, actor: Actor, organisation_ids: Collection[UUID] | None
) -> list[tuple[ContactPoint, Unit]]:
    """Return what readers suggested for these organisations (None: any), oldest first."""
    rows = session.execute(
        select(ContactPoint, Unit)
        .join(Unit, Unit.id == ContactPoint.unit_id)
        .where(
            _kept(organisation_ids),
            ContactPoint.verification == "suggested",
            ContactPoint.closed_at.is_(None),
            ContactPoint.status == (actor.status or "actual"),
        )
        .order_by(ContactPoint.id)
    )
    return [(contact, unit) for contact, unit in rows]


def waiting(session: Session, actor: Actor, organisation_ids: Collection[UUID] | None) -> int:
    """Return how many contacts wait for their editors: reported, or suggested."""
    reported = (
        select(ContactProblem.id)
        .where(
            ContactProblem.contact_point_id == ContactPoint.id,
            ContactProblem.answered_at.is_(None),
        )
        .exists()
    )
    return (
        session.scalar(
            select(func.count(ContactPoint.id))
            .join(Unit, Unit.id == ContactPoint.unit_id)
            .where(
                _kept(organisation_ids),
                ContactPoint.closed_at.is_(None),
                ContactPoint.status == (actor.status or "actual"),
                or_(reported, ContactPoint.verification == "suggested"),
            )
        )
        or 0
    )


def _kept(organisation_ids: Collection[UUID] | None) -> ColumnElement[bool]:
    return true() if organisation_ids is None else Unit.organisation_id.in_(organisation_ids)
