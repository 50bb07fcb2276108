"""Access tokens: signed, of fifteen minutes, as RFC 9068 has them; and their checking, in memory."""

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from hub.db import Database
from hub.errors import HubError
from hub.identity import clients
from hub.identity.actor import Actor
from hub.identity.last_known import LastKnown
from hub.identity.model import OAuthClient
from hub.presence import BRIEF

LIFETIME = timedelta(minutes=15)
ALGORITHM = "ES256"
CACHE_SIZE = 4096
RECHECK_SECONDS = 1.0
"""How long a process may go on trusting a client without asking whether it was revoked."""


@dataclass
class _Known:
    actor: Actor
    expires: float
    checked: float


class Tokens:
    """Issues and checks the access tokens of one hub.

    A checked token is remembered by its hash until it expires, so that a busy partner costs one
    signature a token and one query a second.
    """

    def __init__(self, private_key: bytes, issuer: str) -> None:
        self._key = ECKey.import_key(private_key)
        self._key_id = self._key.thumbprint()
        self._issuer = issuer
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def public_keys(self) -> dict[str, object]:
        """Return the JSON Web Key Set that partners may check tokens with."""
        public = self._key.as_dict(private=False)
        return {"keys": [{**public, "kid": self._key_id, "use": "sig", "alg": ALGORITHM}]}

    def issue(self, client: OAuthClient, scopes: list[str], now: datetime) -> str:
        """Return a token of these scopes for this client."""
        issued = int(now.timestamp())
        return jwt.encode(
            {"alg": ALGORITHM, "typ": "at+jwt", "kid": self._key_id},
            {
                "iss": self._issuer,
                "aud": self._issuer,
                "sub": client.client_id,
                "client_id": client.client_id,
                "hub_id": str(client.id),
                "scope": " ".join(scopes),
                "iat": issued,
                "exp": issued + int(LIFETIME.total_seconds()),
                "jti": uuid4().hex,
            },
            self._key,
            algorithms=[ALGORITHM],
        )

    def actor(self, token: str, database: Database, now: datetime) -> Actor:
        """Return the actor whom the token stands for, with the token's scopes.

        Raises:
            HubError: 401 when it is forged, expired, for somebody else, or its client is revoked.
            OperationalError: the database is away.
        """
        mark = hashlib.sha256(token.encode()).digest()
        moment = time.monotonic()
        known = self._known.get(mark)
        fresh = known is not None and moment - known.checked < RECHECK_SECONDS
        if known is not None and fresh and now.timestamp() < known.expires:
            return known.actor
        claims = self._claims(token, now)
        with database.unit_of_work(seconds=BRIEF) as session:
            actor = _within(clients.load_actor(session, UUID(claims["hub_id"])), claims)
        with self._lock:
            self._known[mark] = _Known(actor, float(claims["exp"]), moment)
            self._known.move_to_end(mark)
            while len(self._known) > CACHE_SIZE:
                self._known.popitem(last=False)
        return actor

    def last_known_actor(self, token: str, last_known: LastKnown, now: datetime) -> Actor:
        """Return the actor whom the token stands for as far as is known without the database.

        Raises:
            HubError: 401 when it is forged, expired, or its client was revoked or is not known.
        """
        claims = self._claims(token, now)
        return _within(last_known.client(UUID(claims["hub_id"])), claims)

    def _claims(self, token: str, now: datetime) -> dict[str, str]:
        try:
            found = jwt.decode(token, self._key, algorithms=[ALGORITHM])
        except (JoseError, ValueError, UnicodeError):
            raise _refused() from None
        claims = found.claims
        if (
            found.header.get("typ") != "at+jwt"
            or claims.get("iss") != self._issuer
            or claims.get("aud") != self._issuer
            or not isinstance(claims.get("exp"), int)
            or not isinstance(claims.get("scope"), str)
            or not isinstance(claims.get("hub_id"), str)
            or claims["exp"] <= now.timestamp()
        ):
            raise _refused()
        return claims


def _within(actor: Actor | None, claims: dict[str, str]) -> Actor:
    """Return the actor with those of its scopes that the token has."""
    if actor is None:
        raise _refused()
    return replace(actor, scopes=frozenset(claims["scope"].split()) & actor.scopes)


def _refused() -> HubError:
    return HubError(
        "token-invalid", 401, "The access token is not valid or has expired: ask for a new one."
    )
