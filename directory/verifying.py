"""Contacts are confirmed every 90 days: whom to ask, when, and who comes next if nobody answers.

The mail goes to the unit's own mailbox 14, 7 and 0 days before the day, then to the administrators
of its organisation; after that it stands on the coordinator's page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from directory import links
from directory.model import MAILBOX_CHANNELS, ContactPoint, DirectoryLink, still_kept
from hub.clock import LONDON
from hub.identity.model import Membership, Person
from hub.organisations import Unit, lineage
from hub.records.keys import Keys

REMINDERS = (14, 7, 0)
TO_ADMINISTRATORS = timedelta(days=7)
MOST_AT_ONCE = 50


@dataclass(frozen=True)
class Due:
    """A unit whose entry is to be confirmed, and by when (aware)."""

    unit: Unit
    due_at: datetime


def due_units(session: Session, now: datetime, every: timedelta) -> list[Due]:
    """Return the units with an actual contact that is due within a fortnight, earliest first.

    What people entered or changed without saying that it works is due as long after that.
    """
    today = now.astimezone(LONDON).date()
    given = func.coalesce(ContactPoint.verified_at, ContactPoint.edited_at)
    oldest = func.min(given)
    rows = session.execute(
        select(Unit, oldest)
        .join(ContactPoint, ContactPoint.unit_id == Unit.id)
        .where(
            ContactPoint.status == "actual",
            ContactPoint.verification != "suggested",
            given.is_not(None),
            still_kept(now),
            ContactPoint.valid_from <= today,
            Unit.valid_to.is_(None) | (Unit.valid_to > today),
        )
        .group_by(Unit.id)
        .having(oldest <= now - every + timedelta(days=REMINDERS[0]))
        .order_by(oldest, Unit.id)
    )
    return [Due(unit, since + every) for unit, since in rows]


def remind(session: Session, keys: Keys, now: datetime, every: timedelta) -> int:
    """Mail the reminders that are due and were not sent yet; return how many were."""
    sent = 0
    for due in due_units(session, now, every):
        if sent >= MOST_AT_ONCE:
            break
        sent += _remind_unit(session, keys, due, now)
    return sent


def _remind_unit(session: Session, keys: Keys, due: Due, now: datetime) -> int:
    left = due.due_at - now
    step = min((days for days in REMINDERS if left <= timedelta(days=days)), default=None)
    if step is None:
        return 0
    since = due.due_at - timedelta(days=REMINDERS[0])
    steps = set(
        session.scalars(
            select(DirectoryLink.days_left).where(
                DirectoryLink.unit_id == due.unit.id,
                DirectoryLink.purpose == "verify",
                DirectoryLink.created_at >= since,
            )
        )
    )
    if left <= -TO_ADMINISTRATORS:
        if -TO_ADMINISTRATORS.days in steps:
            return 0
        return ask_administrators(session, keys, due.unit, now)
    if step in steps:
        return 0
    return ask(session, keys, due.unit, "the hub", now, days_left=step)


def ask_administrators(session: Session, keys: Keys, unit: Unit, now: datetime) -> int:
    """Mail the administrators and editors of a unit that did not answer; the first of them answers."""
    addresses = administrators(session, unit.organisation_id, now)
    for address in addresses:
        links.issue(
            session, keys, purpose="verify", organisation_id=unit.organisation_id,
            unit_id=unit.id, address=address, sent_by="the hub", now=now,
            days_left=-TO_ADMINISTRATORS.days, beside=address != addresses[0],
        )  # fmt: skip
    return len(addresses)


def ask(
    session: Session, keys: Keys, unit: Unit, sent_by: str, now: datetime, *,
    days_left: int | None = None, status: str = "actual",
) -> int:  # fmt: skip
    """Mail a unit the link by which it confirms or corrects its entry; 0 where nobody can be."""
    to = nearest_mailbox(session, unit, status, now)
    if to is None and status == "actual":
        to = next(iter(administrators(session, unit.organisation_id, now)), None)
    if to is None:
        return 0
    links.issue(
        session, keys, purpose="verify", organisation_id=unit.organisation_id, unit_id=unit.id,
        address=to, sent_by=sent_by, now=now, days_left=days_left, status=status,
    )  # fmt: skip
    return 1


def nearest_mailbox(session: Session, unit: Unit, status: str, now: datetime) -> str | None:
    """Return a unit's mailbox; else its team's, else that of the unit above it, and so on up."""
    today = now.astimezone(LONDON).date()
    for unit_id in lineage(session, unit.id):
        found = mailbox_of(session, unit_id, status, now)
        if found is None:
            team = session.scalar(
                select(Unit.id).where(
                    Unit.parent_id == unit_id,
                    Unit.kind == "missing-children-team",
                    Unit.valid_to.is_(None) | (Unit.valid_to > today),
                )
            )
            found = mailbox_of(session, team, status, now) if team else None
        if found is not None:
            return found
    return None


def mailbox_of(session: Session, unit_id: UUID, status: str, now: datetime) -> str | None:
    """Return the mailbox that a unit is asked at, its missing-children team's by choice."""
    return session.scalar(
        select(ContactPoint.value)
        .where(
            ContactPoint.unit_id == unit_id,
            ContactPoint.status == status,
            ContactPoint.channel.in_(MAILBOX_CHANNELS),
            still_kept(now),
            ContactPoint.bounced_at.is_(None),
            ContactPoint.verification != "suggested",
        )
        .order_by(
            ContactPoint.purpose != "missing-children-team", ContactPoint.priority, ContactPoint.id
        )
        .limit(1)
    )


def administrators(session: Session, organisation_id: UUID, now: datetime) -> list[str]:
    """Return the addresses of an organisation's administrators and editors, oldest first."""
    return list(
        session.scalars(
            select(Person.email)
            .join(Membership, Membership.person_id == Person.id)
            .join(Unit, Unit.id == Membership.unit_id)
            .where(
                Unit.organisation_id == organisation_id,
                Membership.role.in_(("administrator", "directory-editor")),
                Membership.valid_from <= now,
                Membership.valid_to.is_(None) | (Membership.valid_to > now),
                Person.suspended_at.is_(None),
                Person.status == "actual",
            )
            .order_by(Membership.role, Person.created_at, Person.id)
        )
    )


def asked_last(
    session: Session, unit_ids: frozenset[UUID], status: str
) -> Mapping[UUID, DirectoryLink]:
    """Return the last verification link of each unit that was ever asked, actual or exercise."""
    rows = session.scalars(
        select(DirectoryLink)
        .where(
            DirectoryLink.unit_id.in_(unit_ids),
            DirectoryLink.purpose == "verify",
            DirectoryLink.status == status,
        )
        .order_by(DirectoryLink.created_at, DirectoryLink.id)
    )
    return {row.unit_id: row for row in rows if row.unit_id is not None}
