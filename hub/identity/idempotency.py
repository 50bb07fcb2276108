"""A request with the same key takes effect once, for ever (DOMAIN.md 4.6)."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hub.errors import invalid
from hub.identity.model import IdempotencyKey


def claim(
    session: Session, owner_id: UUID, key: str, request: bytes, now: datetime
) -> dict[str, Any] | None:
    """Take the key for this request in the caller's transaction; return the earlier reply if used.

    A second request with the key waits here until the first has committed or rolled back.

    Raises:
        HubError: 422 when the key was used for another request.
    """
    digest = hashlib.sha256(request).digest()
    taken = session.execute(
        insert(IdempotencyKey)
        .values(owner_id=owner_id, key=key, request_hash=digest, at=now)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    ).first()
    if taken is not None:
        return None
    earlier = session.execute(
        select(IdempotencyKey.request_hash, IdempotencyKey.reply).where(
            IdempotencyKey.owner_id == owner_id, IdempotencyKey.key == key
        )
    ).one()
    if bytes(earlier.request_hash) != digest:
        raise invalid(
            "idempotency-key-reused",
            "This Idempotency-Key was used for another request: give each request its own.",
        )
    return dict(earlier.reply or {})


def keep(session: Session, owner_id: UUID, key: str, reply: dict[str, Any]) -> None:
    """Keep what is answered; codes, references and ids only."""
    session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.owner_id == owner_id, IdempotencyKey.key == key)
        .values(reply=reply)
    )
