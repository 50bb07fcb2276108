"""What screens ask by themselves: answered before Flask where nothing has to be looked up."""

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, Response, current_app, request
from flask.typing import ResponseReturnValue

from hub.clock import utcnow
from hub.web import context
from hub.web.guards import cookie_name, page, permission
from messaging.live import Screens
from messaging.pages.blueprint import blueprint

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    Application = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]

EXTENSION = "messaging.screens"
PATH = "/live"
HEADERS = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
)


class Polls:
    """Answers the screens that are known from memory, and hands all else on."""

    def __init__(self, app: Flask) -> None:
        self._next = cast("Application", app.wsgi_app)
        with app.app_context():
            self._cookie = f"{cookie_name()}="
            runtime = context.runtime()
        idle = timedelta(minutes=runtime.settings.session_idle_minutes)
        self._made: Callable[[], Screens] = lambda: Screens(runtime.database, idle)
        self._screens: Screens | None = None

    @property
    def screens(self) -> Screens:
        """The screens of this process, made once it is asked."""
        if self._screens is None:
            self._screens = self._made()
        return self._screens

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] != "GET":
            return self._next(environ, start_response)
        token = self._token(environ.get("HTTP_COOKIE", ""))
        told = self.screens.told(token, utcnow()) if token else None
        if told is None:
            return self._next(environ, start_response)
        if self.screens.away:
            headers = [*HEADERS, ("Retry-After", "5"), ("Content-Length", "2")]
            start_response("503 Service Unavailable", headers)
            return [b"{}"]
        if environ.get("HTTP_IF_NONE_MATCH") == told.etag:
            start_response("304 Not Modified", [("ETag", told.etag), ("Cache-Control", "no-store")])
            return []
        length = ("Content-Length", str(len(told.body)))
        start_response("200 OK", [*HEADERS, ("ETag", told.etag), length])
        return [told.body]

    def _token(self, cookies: str) -> str:
        for one in cookies.split("; "):
            if one.startswith(self._cookie):
                return one[len(self._cookie) :]
        return ""


def install(app: Flask) -> None:
    """Have the application's screens answered first."""
    polls = app.extensions[EXTENSION] = Polls(app)
    app.wsgi_app = polls  # type: ignore[method-assign]


def _polls() -> Polls:
    return cast(Polls, current_app.extensions[EXTENSION])


def marks() -> dict[str, Any]:
    """Return what this reader's screens were told last; nothing where they have not asked yet.

    Read it before what the page shows: a page is never older than its mark.
    """
    token = request.cookies.get(cookie_name(), "")
    told = _polls().screens.told(token, context.now())
    return json.loads(told.body) if told is not None else {}


@page(blueprint, PATH, guard=permission("inbox.read"), endpoint="live")
def live() -> ResponseReturnValue:
    """Tell a screen how much needs its reader; from here on it is answered from memory."""
    token = request.cookies.get(cookie_name(), "")
    told = _polls().screens.enter(token, context.current_actor(), context.now())
    response = Response(told.body, headers=dict(HEADERS) | {"ETag": told.etag})
    response.make_conditional(request)
    return response
