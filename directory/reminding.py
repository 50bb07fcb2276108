"""One click of a coordinator: a force is asked again for what its entry lacks."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import claims, verifying
from directory.model import DirectoryLink
from hub.identity.actor import Actor
from hub.identity.policy import allows, require
from hub.organisations import Organisation, Unit
from hub.records import audit
from hub.records.keys import Keys


def remind(
    session: Session, actor: Actor, keys: Keys, force: UUID, asked: Collection[UUID],
    now: datetime, *, lacks: bool,
) -> int:  # fmt: skip
    """Mail a force: each of the units `asked` to confirm or correct its contacts.

    Where none is asked or has a mailbox, and the entry `lacks` something, a claim link goes out:
    to the address that it went to last, else to the force's own mailbox. In an exercise only the
    exercise's own mailboxes are written to. Returns how many mails.

    Raises:
        HubError: 401, 403.
    """
    require(actor, "directory.oversee-any")
    status = actor.status or "actual"
    organisation = session.get_one(Organisation, force)
    sent = sum(
        verifying.ask(session, keys, unit, actor.name, now, status=status)
        for unit in session.scalars(select(Unit).where(Unit.id.in_(asked)).order_by(Unit.code))
    )
    if not sent and lacks and allows(actor, "directory.invite"):
        to = _claim_address(session, force, status, now)
        if to is not None:
            claims.invite(session, actor, keys, organisation.code, to, now)
            sent = 1
    if sent:
        audit.record(
            session, actor.who, "directory.reminded", now=now, object_kind="organisation",
            object_id=force, detail={"mails": sent},
        )  # fmt: skip
    return sent


def _claim_address(session: Session, force: UUID, status: str, now: datetime) -> str | None:
    last = session.scalars(
        select(DirectoryLink)
        .where(
            DirectoryLink.organisation_id == force,
            DirectoryLink.purpose == "claim",
            DirectoryLink.status == status,
        )
        .order_by(DirectoryLink.created_at.desc(), DirectoryLink.id.desc())
    ).first()
    if last is not None:
        return last.address
    top = session.scalars(
        select(Unit).where(Unit.organisation_id == force, Unit.kind == "force").order_by(Unit.code)
    ).first()
    return verifying.nearest_mailbox(session, top, status, now) if top else None
