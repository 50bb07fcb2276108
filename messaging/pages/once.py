"""A form takes effect once, however often its button is pressed (DOMAIN.md 4.6)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from flask import json, request
from sqlalchemy.orm import Session

from hub.errors import invalid
from hub.identity import idempotency

FIELD = "form_id"


def token() -> str:
    """Return the name of one showing of a form, carried in it."""
    return uuid4().hex


def once(
    session: Session, owner_id: UUID, now: datetime, effect: Callable[[], Mapping[str, Any]]
) -> dict[str, Any]:
    """Do what a form asks, or return what came of it when it was sent before.

    The effect's reply is kept: references, numbers and ids only.

    Raises:
        HubError: 422 `form-missing` without the form's name, 422 when it was sent with other words.
    """
    name = request.form.get(FIELD, "")
    if not 16 <= len(name) <= 64:
        raise invalid("form-missing", "Open the form again, and send it from there.")
    words = json.dumps(sorted((k, v) for k, v in request.form.items() if k != "csrf_token"))
    key = f"form:{name}"
    earlier = idempotency.claim(session, owner_id, key, words.encode(), now)
    if earlier is not None:
        return earlier
    reply = dict(effect())
    idempotency.keep(session, owner_id, key, reply)
    return reply
