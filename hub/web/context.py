"""What a request stands on: the process's runtime, the moment, and who is acting."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import cast

from flask import current_app, g
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hub.clock import utcnow
from hub.db import Database
from hub.identity.actor import PUBLIC, Actor
from hub.identity.last_known import LastKnown, NothingKnown
from hub.identity.tokens import Tokens
from hub.records.keys import Keys
from hub.records.vault import Vault
from hub.settings import Settings

EXTENSION = "hub"


@dataclass
class Runtime:
    """The collaborators of one web process, made once; nothing connects before its first use."""

    settings: Settings
    keys: Keys
    last_known: LastKnown = field(default_factory=NothingKnown)

    @cached_property
    def database(self) -> Database:
        """The pool of connections; a database that comes back is checked for being ours."""
        return Database(
            self.settings.database_url,
            pool_size=self.settings.database_pool,
            admit=self.keys.check,
        )

    @cached_property
    def vault(self) -> Vault:
        """Encryption of case content."""
        return Vault(self.keys)

    @cached_property
    def tokens(self) -> Tokens:
        """Access tokens."""
        return Tokens(self.keys.token_signing, self.settings.public_url)

    @cached_property
    def redis(self) -> "Redis":
        """Redis, for rate limits alone."""
        return Redis.from_url(
            self.settings.redis_url,
            socket_timeout=0.2,
            socket_connect_timeout=0.2,
            retry=Retry(NoBackoff(), 0),  # nobody waits for a Redis that is away
        )


def runtime() -> Runtime:
    """Return the runtime of the application that serves this request."""
    return cast(Runtime, current_app.extensions[EXTENSION])


def database() -> Database:
    """Return the application's database."""
    return runtime().database


def vault() -> Vault:
    """Return the application's vault."""
    return runtime().vault


def now() -> datetime:
    """Return the moment of this request: the same, in UTC, however often it is asked."""
    if "now" not in g:
        g.now = utcnow()
    return cast(datetime, g.now)


def current_actor() -> Actor:
    """Return who is acting; the public where nobody has signed in."""
    return cast(Actor, g.get("actor", PUBLIC))
