"""The directory as a web process reads it: one snapshot, one table of postcodes, the reader's tier."""

import threading
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import UUID

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from directory.holder import POLL_SECONDS, Holder, Kept
from directory.ladder import Reader
from directory.lookup import Lookup
from directory.postcodes import Postcodes
from hub.identity.actor import Actor
from hub.identity.clients import roles
from hub.identity.policy import audiences
from hub.logs import get_logger
from hub.web.context import now, runtime

log = get_logger(__name__)

EXTENSION = "directory.holder"
MOMENTS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
"""Between which moments a look-up is asked for; bank holidays are known for these years."""


@cache
def _postcodes(data_dir: Path) -> Postcodes:
    return Postcodes.open(data_dir)


def holder() -> Holder:
    """Return the snapshot's holder of this process."""
    held = current_app.extensions.get(EXTENSION)
    if held is None:
        here = runtime()
        kept = Kept(here.settings.data_dir, here.keys)
        held = current_app.extensions.setdefault(
            EXTENSION, Holder(here.database, kept, here.settings.verify_every)
        )
    assert isinstance(held, Holder)  # noqa: S101  # put there above
    return held


class LastKnown:
    """Who may read while the database is away, as the snapshot of this process has it."""

    def client(self, client_id: UUID) -> Actor | None:
        """Return the actor of a partner system that was not revoked."""
        row = holder().directory(now()).systems.get(client_id)
        if row is None:
            return None
        facts = {name: row[name] for name in row if name not in ("id", "scopes")}
        kind = row["organisation_kind"]
        return Actor(
            "client", client_id, roles=roles(row["scopes"], kind), scopes=frozenset(row["scopes"]),
            status=None, **facts,
        )  # fmt: skip

    def suspended(self, person_id: UUID) -> bool:
        """Say whether a person's account was suspended."""
        return person_id in holder().directory(now()).suspended


def as_of() -> tuple[datetime, bool]:
    """Return when the directory was last known to be current, and whether the database is away."""
    held = holder()
    held.directory(now())
    return held.current_at or now(), held.away_since is not None or runtime().database.away


def moment() -> datetime:
    """Return the moment that the directory is of: now, or while the database is away, before."""
    current, stale = as_of()
    return current if stale else now()


def keep_current(app: Flask) -> None:
    """Have a thread look for changes every second, whether anybody looks anything up or not.

    What a process last knew when the database goes is then a second old, revocations included.
    """

    def look() -> None:
        while True:
            try:
                with app.app_context():
                    holder().current(now())
            except SQLAlchemyError:
                log.warning("no-directory")
            time.sleep(POLL_SECONDS)

    threading.Thread(target=look, name="directory-poll", daemon=True).start()


def lookup(at: datetime | None = None) -> Lookup:
    """Return the look-ups of this process at a moment (now), a second stale at most."""
    snapshot = holder().current(now(), at)
    held = snapshot.cache.get("lookup")
    if held is None:
        held = Lookup(snapshot, _postcodes(runtime().settings.data_dir))
        snapshot.cache["lookup"] = held
    assert isinstance(held, Lookup)  # noqa: S101  # put there above
    return held


def reader(actor: Actor) -> Reader:
    """Return what somebody may see: the public tier, professionals', police's; actual or exercise."""
    if not actor.signed_in:
        return Reader()
    return Reader(audiences(actor), "exercise" if actor.status == "exercise" else "actual")
