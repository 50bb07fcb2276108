"""A request with the same key takes effect once, for ever (DOMAIN.md 4.6)."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from hub.errors import invalid

# Every message passes here: written once, not built for each request.
_CLAIM = text("""
INSERT INTO idempotency_key (owner_id, key, request_hash, at) VALUES (:owner, :key, :digest, :at)
ON CONFLICT DO NOTHING RETURNING true
""")
_EARLIER = text("""
SELECT request_hash, reply FROM idempotency_key WHERE owner_id = :owner AND key = :key
""").columns(reply=JSONB)
_KEEP = text("""
UPDATE idempotency_key SET reply = :reply WHERE owner_id = :owner AND key = :key
""").bindparams(bindparam("reply", type_=JSONB))


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
        _CLAIM, {"owner": owner_id, "key": key, "digest": digest, "at": now}
    ).first()
    if taken is not None:
        return None
    earlier = session.execute(_EARLIER, {"owner": owner_id, "key": key}).one()
    if bytes(earlier.request_hash) != digest:
        raise invalid(
            "idempotency-key-reused",
            "This Idempotency-Key was used for another request: give each request its own.",
        )
    return dict(earlier.reply or {})


def keep(session: Session, owner_id: UUID, key: str, reply: dict[str, Any]) -> None:
    """Keep what is answered; codes, references and ids only."""
    session.execute(_KEEP, {"owner": owner_id, "key": key, "reply": reply})
