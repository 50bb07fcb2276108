"""Mailed links that work once and without an account: to claim, to verify, to read.

A GET changes nothing (mail scanners follow links); the answering POST names who answers and uses
the link up. The token is derived from a key outside the database, which holds its hash alone.
"""

import base64
import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, true, update
from sqlalchemy.orm import Session

from directory.model import DirectoryLink
from hub.clock import LONDON
from hub.db import new_id
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.jobs import outbox
from hub.organisations import Organisation, Unit
from hub.records import audit
from hub.records.keys import Keys

BY_ADDRESS = ("access", "editor")
MAIL_JOB = "directory-link"
LIVES = {"claim": timedelta(days=30), "verify": timedelta(days=21), "access": timedelta(hours=24),
         "editor": timedelta(days=14)}  # fmt: skip


def token(keys: Keys, link_id: UUID) -> str:
    """Return the secret part of a link's address."""
    code = keys.mac(b"directory link", link_id.bytes)
    return base64.urlsafe_b64encode(code).rstrip(b"=").decode()


def token_hash(value: str) -> bytes:
    """Return what the database keeps of a token."""
    return hashlib.sha256(value.encode()).digest()


def issue(
    session: Session, keys: Keys, *, purpose: str, organisation_id: UUID, address: str,
    sent_by: str, now: datetime, unit_id: UUID | None = None, days_left: int | None = None,
    status: str = "actual", beside: bool = False,
) -> DirectoryLink:  # fmt: skip
    """Make a link and put its mail in the outbox; an earlier one for the same is revoked.

    With `beside`, an earlier one to another address stays good: whoever is first answers.
    """
    session.execute(
        update(DirectoryLink)
        .where(
            DirectoryLink.purpose == purpose,
            DirectoryLink.status == status,
            DirectoryLink.organisation_id == organisation_id,
            DirectoryLink.unit_id == unit_id if unit_id else DirectoryLink.unit_id.is_(None),
            DirectoryLink.address == address if beside or purpose in BY_ADDRESS else true(),
            DirectoryLink.used_at.is_(None),
            DirectoryLink.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )  # fmt: skip
    link_id = new_id()
    link = DirectoryLink(
        id=link_id, purpose=purpose, organisation_id=organisation_id, unit_id=unit_id,
        address=address, token_hash=token_hash(token(keys, link_id)), days_left=days_left, status=status,
        sent_by=sent_by, created_at=now, expires_at=now + LIVES[purpose],
    )  # fmt: skip
    session.add(link)
    session.flush()
    outbox.enqueue(session, MAIL_JOB, link_id, now=now)
    return link


def find(
    session: Session, value: str, purpose: str, now: datetime, *, hold: bool = False
) -> DirectoryLink:
    """Return the link of a token while it is good.

    Raises:
        HubError: 410, saying what became of it.
    """
    chosen = select(DirectoryLink).where(
        DirectoryLink.token_hash == token_hash(value), DirectoryLink.purpose == purpose
    )
    link = session.scalar(chosen.with_for_update() if hold else chosen)
    if link is None:
        raise _gone("There is no such link. Check that the whole address was opened.")
    if link.used_at is not None:
        day = f"{link.used_at.astimezone(LONDON):%d %B %Y}"
        raise _gone(f"This link was used by {link.used_by} on {day}. It works once.")
    if link.revoked_at is not None:
        raise _gone("A newer link was mailed in place of this one, or somebody else has answered.")
    if link.expires_at <= now:
        raise _gone("This link has run out. Ask for a new one, or sign in.")
    return link


def _gone(sentence: str) -> HubError:
    return HubError("link-gone", 410, sentence)


def guest(session: Session, link: DirectoryLink, name: str) -> Actor:
    """Return who answers by a link, with the units that it opens and no others."""
    organisation = session.get_one(Organisation, link.organisation_id)
    units = (
        {link.unit_id}
        if link.unit_id
        else set(session.scalars(select(Unit.id).where(Unit.organisation_id == organisation.id)))
    )
    return Actor(
        "guest", link.id, " ".join(name.split())[:120], organisation_id=organisation.id,
        organisation_code=organisation.code, organisation_name=organisation.name,
        organisation_kind=organisation.kind, unit_id=link.unit_id, unit_ids=frozenset(units),
        roles=frozenset({"directory-editor"}), status=link.status,
    )  # fmt: skip


def use(session: Session, link: DirectoryLink, actor: Actor, now: datetime) -> None:
    """Use a link up, on record, by whoever named themselves.

    Others were asked to verify the same unit: their links end too.
    """
    link.used_at, link.used_by = now, actor.name
    if link.unit_id is not None:
        session.execute(
            update(DirectoryLink)
            .where(
                DirectoryLink.unit_id == link.unit_id,
                DirectoryLink.status == link.status,
                DirectoryLink.id != link.id,
                DirectoryLink.used_at.is_(None),
                DirectoryLink.revoked_at.is_(None),
            )
            .values(revoked_at=now)
        )
    session.flush()
    audit.record(
        session, actor.who, f"directory.{link.purpose}-link-used", now=now,
        object_kind="directory-link", object_id=link.id,
    )  # fmt: skip
