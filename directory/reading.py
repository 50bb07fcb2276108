"""The directory as a web process reads it: one snapshot, one table of postcodes, the reader's tier."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from flask import current_app

from directory.holder import Holder, Kept
from directory.ladder import Reader
from directory.lookup import Lookup
from directory.postcodes import Postcodes
from hub.identity.actor import Actor
from hub.identity.policy import allows
from hub.web.context import now, runtime

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
    audiences = {"public"}
    if allows(actor, "directory.read-professional"):
        audiences.add("professional")
    if actor.police and allows(actor, "directory.read-police"):
        audiences.add("police")
    return Reader(frozenset(audiences), "exercise" if actor.status == "exercise" else "actual")
