"""The saved copy: the whole directory of one's audience as one file, for when there is no network."""

from flask import Response, request
from flask.typing import ResponseReturnValue

from directory.pages.blueprint import blueprint
from directory.reading import lookup, moment, reader
from directory.saved_copy import saved_copy as write
from hub.clock import LONDON
from hub.web import ratelimit
from hub.web.context import current_actor
from hub.web.guards import page, public

MOST_KEPT = 8


@page(blueprint, "/directory/saved-copy", guard=public, offline=True)
def saved_copy() -> ResponseReturnValue:
    """Answer the file; while the database is away, with the time that the directory is of."""
    if not current_actor().signed_in:
        ratelimit.public(request.remote_addr or "")
    here, who = lookup(), reader(current_actor())
    saved = moment().replace(second=0, microsecond=0)
    held = here.snapshot.cache.setdefault("saved-copies", {})
    file: bytes | None = held.get((who, saved))
    if file is None:
        if len(held) >= MOST_KEPT:
            held.clear()
        file = held[who, saved] = write(here.snapshot, here.postcodes, who, saved).encode()
    audience = next(one for one in ("police", "professional", "public") if one in who.audiences)
    mark = "EXERCISE-" if who.status == "exercise" else ""
    name = f"{mark}whom-to-call-{audience}-{saved.astimezone(LONDON):%Y-%m-%d}.html"
    response = Response(file, mimetype="text/html")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
