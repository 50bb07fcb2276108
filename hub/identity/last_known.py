"""Who may read the directory while the database is away, as far as is known."""

from typing import Protocol
from uuid import UUID

from hub.identity.actor import Actor


class LastKnown(Protocol):
    """What was last known of accounts and partner systems; the directory's snapshot carries it."""

    def client(self, client_id: UUID) -> Actor | None:
        """Return the actor of a partner system, or None where it was revoked or is not known."""

    def suspended(self, person_id: UUID) -> bool:
        """Say whether a person's account was suspended."""


class NothingKnown:
    """Where nothing is known, nobody is let in."""

    def client(self, _client_id: UUID) -> Actor | None:
        """Return None."""
        return None

    def suspended(self, _person_id: UUID) -> bool:
        """Say that it was."""
        return True
