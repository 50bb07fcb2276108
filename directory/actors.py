"""What workers and the scheduler do for the directory: mails, reminders, reorganised units."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import letters, reorganisations, verifying
from directory.changes import because
from hub.clock import LONDON
from hub.db import new_id
from hub.identity.model import Membership, OAuthClient
from hub.jobs import outbox, schedule
from hub.organisations import Unit
from hub.records import audit
from hub.records.keys import Keys

__all__ = ["letters"]

REMINDERS_JOB = "directory-reminders"


@schedule.tick("directory-reminders", 600)
def ask_for_reminders(session: Session, now: datetime) -> None:
    """Have a worker send the reminders that are due, once an hour."""
    hour = now.astimezone(LONDON).strftime("%Y-%m-%dT%H")
    outbox.enqueue(session, REMINDERS_JOB, new_id(), now=now, dedupe_key=f"{REMINDERS_JOB}:{hour}")


@outbox.handler(REMINDERS_JOB)
def remind(session: Session, _job: outbox.Job, now: datetime) -> None:
    """Mail the units whose entries are to be confirmed."""
    settings = outbox.settings_of(session)
    verifying.remind(session, Keys.load(settings.keys_dir), now, settings.verify_every)


@schedule.tick("reorganised-units", 15)
def reorganised(session: Session, now: datetime) -> None:
    """On its day, give a unit its new name, and people and systems of one that ends its heir."""
    today = now.astimezone(LONDON).date()
    because(session, audit.SYSTEM, "a reorganisation takes effect", now)
    reorganisations.apply_renamings(session, now)
    reorganisations.close_ended(session, now)
    left = session.execute(
        select(Membership, Unit)
        .join(Unit, Unit.id == Membership.unit_id)
        .where(
            Unit.valid_to <= today,
            Unit.superseded_by_id.is_not(None),
            Membership.valid_from < now,
            Membership.valid_to.is_(None) | (Membership.valid_to > now),
        )
        .order_by(Membership.id)
        .limit(500)
        .with_for_update(of=Membership, skip_locked=True)
    ).all()
    for membership, unit in left:
        _move(session, membership, unit, now)
    clients = session.execute(
        select(OAuthClient, Unit)
        .join(Unit, Unit.id == OAuthClient.unit_id)
        .where(
            Unit.valid_to <= today,
            Unit.superseded_by_id.is_not(None),
            OAuthClient.revoked_at.is_(None),
        )
        .order_by(OAuthClient.id)
        .with_for_update(of=OAuthClient, skip_locked=True)
    ).all()
    for client, unit in clients:
        assert unit.superseded_by_id is not None  # noqa: S101  # asked for above
        client.unit_id = unit.superseded_by_id
        audit.record(
            session, audit.SYSTEM, "client.moved", now=now, object_kind="client",
            object_id=client.id, detail={"from": unit.code},
        )  # fmt: skip
    session.flush()


def _move(session: Session, membership: Membership, unit: Unit, now: datetime) -> None:
    """Give a person the same role at the unit's successor; two that become one are one role."""
    assert unit.superseded_by_id is not None  # noqa: S101  # asked for by the caller
    there = session.scalar(
        select(Membership.id).where(
            Membership.person_id == membership.person_id,
            Membership.unit_id == unit.superseded_by_id,
            Membership.role == membership.role,
            Membership.valid_to.is_(None),
        )
    )
    if there is None:
        session.add(
            Membership(
                person_id=membership.person_id, unit_id=unit.superseded_by_id,
                role=membership.role, valid_from=now, valid_to=membership.valid_to,
            )
        )  # fmt: skip
    membership.valid_to = now
    session.flush()
    audit.record(
        session, audit.SYSTEM, "membership.moved", now=now, object_kind="person",
        object_id=membership.person_id, detail={"from": unit.code},
    )  # fmt: skip
