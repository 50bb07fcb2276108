"""Every route says at registration who may use it; one that does not say cannot be registered."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from hub.errors import HubError
from hub.identity import policy, sessions
from hub.identity.actor import PUBLIC, Actor
from hub.presence import BRIEF, NO_ANSWER
from hub.web import directory_pass, ratelimit
from hub.web.context import database, now, runtime
from hub.web.openapi import Operation, describe

View = Callable[..., ResponseReturnValue]

COOKIE = "hub_session"
AUTOMATIC = "X-Hub-Automatic"
"""The header of what a screen asks for by itself."""


@dataclass(frozen=True)
class Guard:
    """Who may use a route: `kind` is public, signed-in, permission or scope."""

    kind: str
    needs: str = ""


public = Guard("public")
signed_in = Guard("signed-in")


def permission(action: str) -> Guard:
    """Return the guard of those whom the map allows this action, whatever its object."""
    if action not in policy.PERMISSIONS:
        raise KeyError(action)
    return Guard("permission", action)


def cookie_name() -> str:
    """Return the name of the session's cookie: bound to this host where TLS allows it."""
    return f"__Host-{COOKIE}" if runtime().settings.secure else COOKIE


def page(
    blueprint: Blueprint,
    rule: str,
    *,
    guard: Guard,
    methods: tuple[str, ...] = ("GET",),
    endpoint: str | None = None,
    offline: bool = False,
) -> Callable[[View], View]:
    """Register a page behind its guard.

    `offline` pages answer from the directory in memory while the database is away: to anyone, and
    to who has a directory pass as what they were when it was given. All others are away with it.
    """

    def register(view: View) -> View:
        @wraps(view)
        def guarded(**arguments: Any) -> ResponseReturnValue:
            try:
                actor = from_cookie()
            except NO_ANSWER:
                if not offline:
                    raise
                actor = directory_pass.holder(request.cookies.get(cookie_name()))
            g.actor, g.offline = actor, offline
            if guard.kind != "public" and not actor.signed_in:
                if request.method == "GET":
                    target = request.full_path.rstrip("?")
                    return redirect(url_for("accounts.sign_in", next=target))
                raise HubError(
                    "signed-out",
                    401,
                    "You have been signed out. Sign in again in another tab, then send this again.",
                )
            if guard.kind == "permission":
                policy.require(actor, guard.needs)
            return view(**arguments)

        guarded.hub_guard = guard  # type: ignore[attr-defined]  # a test reads it
        blueprint.add_url_rule(rule, endpoint, guarded, methods=list(methods))
        return guarded

    return register


def api(
    blueprint: Blueprint,
    rule: str,
    operation: Operation,
    *,
    scope: str | None,
    public_tier: bool = False,
) -> Callable[[View], View]:
    """Register an API operation: behind a scope, open to the public tier too, or public (None).

    Reading the directory goes on while the database is away, as far as the view needs no database.
    """
    offline = operation.method == "GET" and scope == "directory:read"

    def register(view: View) -> View:
        @wraps(view)
        def guarded(**arguments: Any) -> ResponseReturnValue:
            g.actor = _from_token(scope, public_tier, offline)
            return view(**arguments)

        guarded.hub_guard = Guard("scope", scope or "")  # type: ignore[attr-defined]
        blueprint.add_url_rule(rule, None, guarded, methods=[operation.method])
        describe(rule, operation, scope=scope, public_tier=public_tier)
        return guarded

    return register


def automatic() -> bool:
    """Say whether a screen asks for this by itself, and nobody looks (DOMAIN.md 4.12)."""
    return request.method == "GET" and AUTOMATIC in request.headers


def from_cookie() -> Actor:
    """Return whom the session's cookie stands for; the public where it stands for nobody."""
    token = request.cookies.get(cookie_name())
    if not token:
        return PUBLIC
    idle = timedelta(minutes=runtime().settings.session_idle_minutes)
    with database().unit_of_work(seconds=BRIEF) as session:
        actor = sessions.load_actor(session, token, idle=idle, now=now(), automatic=automatic())
    if actor is None:
        return PUBLIC
    directory_pass.keep(actor, token)
    return actor


def _from_token(scope: str | None, public_tier: bool, offline: bool) -> Actor:
    if scope is None:
        return PUBLIC
    header = request.headers.get("Authorization", "")
    if not header:
        if public_tier:
            ratelimit.public(request.remote_addr or "")
            return PUBLIC
        raise HubError(
            "token-needed",
            401,
            f"Send an access token of scope {scope} as `Authorization: Bearer …`.",
        )
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HubError("token-invalid", 401, "Send `Authorization: Bearer` and an access token.")
    try:
        actor = runtime().tokens.actor(token.strip(), database(), now())
    except NO_ANSWER:
        if not offline:
            raise
        actor = runtime().tokens.last_known_actor(token.strip(), runtime().last_known, now())
    if scope not in actor.scopes:
        raise HubError(
            "insufficient-scope",
            403,
            f"This token lacks the scope {scope}.",
            extra={"scope": scope},
        )
    return actor
