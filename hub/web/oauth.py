"""The token endpoint: client credentials with a secret, for tokens of fifteen minutes."""

import base64
import binascii
from urllib.parse import unquote_plus

from flask import Blueprint, Response, json, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel

from hub.identity import clients
from hub.identity.tokens import LIFETIME
from hub.records import audit
from hub.web import ratelimit
from hub.web.context import database, now, runtime
from hub.web.guards import api
from hub.web.openapi import Operation

blueprint = Blueprint("oauth", __name__)

TRIES_PER_MINUTE = 120


class TokenRequest(BaseModel):
    """What a client asks for; its id and secret here, or by HTTP Basic."""

    grant_type: str
    scope: str | None = None
    client_id: str | None = None
    client_secret: str | None = None


class TokenReply(BaseModel):
    """The token, its life in seconds and its scopes."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class TokenError(BaseModel):
    """A refusal as RFC 6749 has it."""

    error: str
    error_description: str | None = None


class Metadata(BaseModel):
    """Authorisation server metadata (RFC 8414)."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    scopes_supported: list[str]
    response_types_supported: list[str]


class KeySet(BaseModel):
    """The public keys that tokens are signed with."""

    keys: list[dict[str, str]]


def _error(status: int, error: str, description: str) -> Response:
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="hub"'
    document = {"error": error, "error_description": description}
    return Response(json.dumps(document), status, headers, mimetype="application/json")


def _credentials() -> tuple[str, str] | None:
    header = request.headers.get("Authorization", "")
    if header:
        scheme, _, value = header.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            text = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeError, ValueError):
            return None
        name, _, secret = text.partition(":")
        return unquote_plus(name), unquote_plus(secret)
    name, secret = request.form.get("client_id", ""), request.form.get("client_secret", "")
    return (name, secret) if name and secret else None


@api(
    blueprint,
    "/oauth/token",
    Operation(
        "POST",
        "Get an access token",
        {200: TokenReply, 400: TokenError, 401: TokenError},
        request=TokenRequest,
        form=True,
    ),
    scope=None,
)
def token() -> ResponseReturnValue:
    """Answer client credentials with a signed token."""
    ratelimit.count("token", request.remote_addr or "", TRIES_PER_MINUTE)
    grant = request.form.get("grant_type", "")
    if not grant:
        return _error(400, "invalid_request", "Send grant_type=client_credentials as a form.")
    if grant != "client_credentials":
        return _error(400, "unsupported_grant_type", "The one grant is client_credentials.")
    given = _credentials()
    if given is None or "\0" in "".join(given):
        return _error(401, "invalid_client", "Send the client's id and secret.")
    with database().unit_of_work() as session:
        client = clients.authenticate(session, *given)
        if client is None:
            audit.record(session, audit.Who("public"), "token.refuse", now=now())
            return _error(401, "invalid_client", "The client's id or secret is wrong.")
        scopes = request.form.get("scope", "").split() or list(client.scopes)
        if not set(scopes) <= set(client.scopes):
            return _error(400, "invalid_scope", f"This client has: {' '.join(client.scopes)}.")
        issued = runtime().tokens.issue(client, scopes, now())
        who = audit.Who("client", client.id, client.name, client.organisation_id, client.unit_id)
        audit.record(session, who, "token.issue", now=now(), detail={"scopes": scopes})
    answer = TokenReply(
        access_token=issued,
        token_type="Bearer",  # noqa: S106  # the type of the token, not a secret
        expires_in=int(LIFETIME.total_seconds()),
        scope=" ".join(scopes),
    )
    return Response(
        answer.model_dump_json(), 200, {"Cache-Control": "no-store"}, mimetype="application/json"
    )


@api(
    blueprint,
    "/.well-known/oauth-authorization-server",
    Operation("GET", "Where and how to get tokens", {200: Metadata}),
    scope=None,
)
def metadata() -> ResponseReturnValue:
    """Answer the server's metadata."""
    at = runtime().settings.public_url
    document = Metadata(
        issuer=at,
        token_endpoint=f"{at}/oauth/token",
        jwks_uri=f"{at}/oauth/jwks",
        grant_types_supported=["client_credentials"],
        token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"],
        scopes_supported=list(clients.SCOPES),
        response_types_supported=[],
    )
    return Response(document.model_dump_json(), mimetype="application/json")


@api(
    blueprint,
    "/oauth/jwks",
    Operation("GET", "The public keys of tokens", {200: KeySet}),
    scope=None,
)
def jwks() -> ResponseReturnValue:
    """Answer the public keys."""
    return Response(json.dumps(runtime().tokens.public_keys()), mimetype="application/json")
