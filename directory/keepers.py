"""Who keeps an organisation's entries: its own editors, and those whom it lets keep them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from directory.model import Delegation
from hub.db import new_id, register_constraint
from hub.errors import not_found
from hub.identity.actor import Actor
from hub.identity.policy import allows, require
from hub.organisations import Unit
from hub.records import audit

register_constraint(
    "uq_directory_delegation_open", "delegated-already", 409,
    "Its editors may keep this entry already.",
)  # fmt: skip

EDIT = "directory.edit"


def relation(session: Session, actor: Actor, unit: Unit) -> str:
    """Return how somebody stands to a unit's entry: "own", "delegated" or "any".

    Who came by a link has only the units of that link; a partner system only its own organisation's.
    """
    if actor.kind == "guest":
        return "own" if unit.id in actor.unit_ids else "any"
    if actor.organisation_id == unit.organisation_id:
        return "own"
    if actor.kind == "client":
        return "any"
    delegated = session.scalar(
        select(Delegation.id).where(
            Delegation.organisation_id == unit.organisation_id,
            Delegation.to_organisation_id == actor.organisation_id,
            Delegation.ended_at.is_(None),
        )
    )
    return "delegated" if delegated else "any"


def may_edit(session: Session, actor: Actor, unit: Unit) -> bool:
    """Say whether somebody may change a unit's entry."""
    return allows(actor, EDIT, relation(session, actor, unit))


def kept_by(session: Session, actor: Actor) -> frozenset[UUID]:
    """Return the organisations whose entries somebody keeps: their own, and those delegated."""
    delegated = session.scalars(
        select(Delegation.organisation_id).where(
            Delegation.to_organisation_id == actor.organisation_id, Delegation.ended_at.is_(None)
        )
    )
    own = {actor.organisation_id} if actor.organisation_id else set()
    return frozenset({*delegated, *own})


def delegate(
    session: Session, actor: Actor, organisation_id: UUID, to_organisation_id: UUID, now: datetime
) -> Delegation:
    """Let another organisation's editors keep one's entries.

    Raises:
        HubError: 401, 403; 409 for a repeat or for oneself.
    """
    own = actor.organisation_id == organisation_id
    require(actor, "directory.administer", "own" if own else "any")
    made = Delegation(
        id=new_id(), organisation_id=organisation_id, to_organisation_id=to_organisation_id,
        granted_by=actor.name, granted_at=now,
    )  # fmt: skip
    session.add(made)
    session.flush()
    audit.record(
        session, actor.who, "directory.delegated", now=now, object_kind="organisation",
        object_id=organisation_id, detail={"to": str(to_organisation_id)},
    )  # fmt: skip
    return made


def end_delegation(session: Session, actor: Actor, delegation_id: UUID, now: datetime) -> None:
    """Take back what was delegated.

    Raises:
        HubError: 404, 401, 403.
    """
    held = session.get(Delegation, delegation_id, with_for_update=True)
    if held is None:
        raise not_found()
    own = actor.organisation_id == held.organisation_id
    require(actor, "directory.administer", "own" if own else "any")
    held.ended_at = held.ended_at or now
    audit.record(
        session, actor.who, "directory.delegation-ended", now=now, object_kind="organisation",
        object_id=held.organisation_id,
    )  # fmt: skip


def unit_to_edit(session: Session, actor: Actor, unit_id: UUID) -> Unit:
    """Return a unit that the actor may change.

    Raises:
        HubError: 404, 401 or 403.
    """
    unit = session.get(Unit, unit_id)
    if unit is None:
        raise not_found()
    require(actor, EDIT, relation(session, actor, unit))
    return unit
