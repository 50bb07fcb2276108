"""The directory pass: a signed cookie of twelve hours with which somebody who signed in goes on
reading the directory while the database is away, and does nothing else.

It is good in the browser alone that holds the session's cookie it was made for, even one that has
run out meanwhile, and is cleared at sign-out.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Response, g, request
from itsdangerous import BadData, URLSafeSerializer

from hub.identity import policy
from hub.identity.actor import PASS, PUBLIC, Actor
from hub.web.context import now, runtime

COOKIE = "hub_directory"
LIFE = timedelta(hours=12)
RENEW = timedelta(minutes=10)
"""How old a pass becomes before a page renews it."""


def _name() -> str:
    return f"__Host-{COOKIE}" if runtime().settings.secure else COOKIE


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(
        runtime().keys.session,
        salt="directory-pass",
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )


def _browser(session_token: str) -> str:
    return hashlib.sha256(session_token.encode()).hexdigest()[:32]


def _content(actor: Actor, session_token: str) -> dict[str, Any]:
    return {
        "person": str(actor.id),
        "name": actor.name,
        "organisation": actor.organisation_name,
        "audiences": sorted(policy.audiences(actor)),
        "status": actor.status,
        "browser": _browser(session_token),
    }


def keep(actor: Actor, session_token: str) -> None:
    """Give or renew the pass with this answer, where the one that the browser has is not this."""
    content = _content(actor, session_token)
    held = _read()
    if held is not None:
        until = datetime.fromisoformat(held.pop("until"))
        if held == content and until > now() + LIFE - RENEW:
            return
    g.directory_pass = _signer().dumps({**content, "until": (now() + LIFE).isoformat()})


def clear() -> None:
    """Take the pass away with this answer."""
    g.directory_pass = ""


def write(response: Response) -> Response:
    """Put on the answer what was decided about the pass."""
    made = g.get("directory_pass")
    if response.mimetype != "text/html":
        return response  # nothing that a cache may keep for others
    secure = runtime().settings.secure
    if made:
        response.set_cookie(
            _name(), made, max_age=LIFE, httponly=True, secure=secure, samesite="Lax", path="/"
        )
    elif made == "" and request.cookies.get(_name()):
        response.delete_cookie(_name(), httponly=True, secure=secure, samesite="Lax", path="/")
    return response


def holder(session_token: str | None) -> Actor:
    """Return who reads the directory by their pass; the public where there is none that is good."""
    held = _read()
    if (
        held is None
        or not session_token
        or not hmac.compare_digest(held["browser"], _browser(session_token))
        or datetime.fromisoformat(held["until"]) <= now()
        or runtime().last_known.suspended(UUID(held["person"]))
    ):
        return PUBLIC
    return Actor(
        PASS,
        name=held["name"],
        organisation_name=held["organisation"],
        scopes=frozenset(held["audiences"]),
        status=held["status"],
    )


def _read() -> dict[str, Any] | None:
    """Return what the hub itself once signed, or None."""
    try:
        held: dict[str, Any] = _signer().loads(request.cookies.get(_name(), ""))
    except BadData:
        return None
    return held
