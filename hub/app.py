"""The application: the one place where the platform and the features are put together."""

from typing import Any

from flask import Flask, Request, Response, g, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_babel import Babel, format_timedelta, get_locale
from flask_babel import lazy_gettext as _
from flask_wtf.csrf import CSRFProtect
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader
from sqlalchemy.exc import SQLAlchemyError

import directory.actors  # its jobs, so that each can be woken
import directory.api
import directory.api_documents  # these add operations to directory.api
import directory.api_editing
import directory.api_organisations
import directory.api_oruk
import directory.pages
import directory.post_api  # its route
import directory.reading
import messaging.actors  # its jobs, so that each can be woken
import messaging.api
import messaging.api_attachments  # its operations
import messaging.api_meetings  # it adds operations to messaging.api
import messaging.api_search
import messaging.pages
from hub.clock import said
from hub.identity.actor import PUBLIC, Actor
from hub.identity.policy import allows
from hub.jobs import broker
from hub.records.keys import Keys
from hub.settings import Settings
from hub.web import accounts, assets, directory_pass, health, information, oauth, problems
from hub.web.context import EXTENSION, Runtime, now
from hub.web.guards import automatic, from_cookie

MOST_BYTES = 12 * 1024 * 1024
MOST_WITH_FILES = 100 * 1024 * 1024
TAKES_FILES = frozenset({
    "messaging.compose_send", "messaging.placement_send", "messaging.report_send",
})  # fmt: skip
"""Forms to which people attach files; of those who are signed in."""

PAGE_HEADERS = tuple(
    {
        "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none';"
        " base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }.items()
)
MACHINE_HEADERS = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"))

NAVIGATION = (
    ("directory.whom_to_call", _("Whom to call"), None),
    ("directory.forces", _("Forces"), None),
    ("directory.nation_", _("State of the nation"), "directory.oversee-any"),
    ("messaging.inbox", _("Inbox"), "inbox.read"),
    ("messaging.board", _("Board"), "case.list"),
    ("messaging.cases", _("Cases"), "case.list"),
    ("messaging.report", _("Report a child missing"), "case.open"),
    ("messaging.drafts", _("Drafts"), "case.open"),
    ("messaging.figures", _("Empty chairs"), "meeting.figures"),
    ("directory.tasks", _("Directory tasks"), "directory.keep"),
    ("messaging.settings", _("Clocks"), "lead.decide-own"),
    ("messaging.exercise", _("Exercise"), "exercise.reset"),
)


class PagesOnly(SecureCookieSessionInterface):
    """The cookie that protects forms: for pages alone, since systems send tokens and no cookies."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of a page; systems have none."""
        if problems.is_machine(request.path):
            return SecureCookieSession()
        return super().open_session(app, request)


def create_app(settings: Settings, *, keys: Keys | None = None) -> Flask:
    """Return the application of one process; nothing connects before its first request.

    Raises:
        HubError: the keys are missing or wrong.
    """
    runtime = Runtime(settings, keys or Keys.load(settings.keys_dir))
    app = Flask("hub", static_folder=None, template_folder=None)
    app.extensions[EXTENSION] = runtime
    runtime.last_known = directory.reading.LastKnown()
    app.config.update(
        SECRET_KEY=runtime.keys.session,
        MAX_CONTENT_LENGTH=MOST_BYTES,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        SESSION_COOKIE_NAME="hub_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=True,
        BABEL_DEFAULT_LOCALE="en",
        BABEL_DEFAULT_TIMEZONE="Europe/London",
    )
    app.session_interface = PagesOnly()
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of the default provider
    app.jinja_loader = ChoiceLoader(
        [
            PackageLoader("hub.web"),
            PackageLoader("directory"),
            PackageLoader("messaging"),
            PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        ]
    )
    Babel(app, locale_selector=lambda: "en")
    health.measure(app)  # before whatever may refuse a request
    app.before_request(_let_files_in)  # before the check against forged forms reads the form
    csrf = CSRFProtect(app)
    for blueprint in (
        assets.blueprint,
        health.blueprint,
        accounts.blueprint,
        information.blueprint,
        directory.pages.blueprint,
        messaging.pages.blueprint,
        oauth.blueprint,
        directory.api.blueprint,
        messaging.api.blueprint,
    ):
        app.register_blueprint(blueprint)
    for machine in (oauth.blueprint, directory.api.blueprint, messaging.api.blueprint):
        csrf.exempt(machine)  # bearer tokens, never cookies
    problems.install(app)
    broker.install(settings)
    app.jinja_env.filters.setdefault("moment", said)
    app.jinja_env.globals.update(
        static_url=assets.static_url, allows=allows, navigation=NAVIGATION, get_locale=get_locale,
        counts={"directory.tasks": directory.pages.reports.waiting}, screen="messaging/_live.html",
    )  # fmt: skip
    app.context_processor(_everywhere)
    app.after_request(_headers)
    app.after_request(directory_pass.write)
    messaging.pages.live.install(app)
    return app


def _everywhere() -> dict[str, Any]:
    """Return what every page has: who is acting, and whether this is an exercise."""
    if "actor" not in g:
        g.actor = _whoever()
    actor = g.actor
    found: dict[str, Any] = {"actor": actor, "status": g.get("page_status") or actor.status}
    found["automatic"] = automatic()
    if g.get("offline") and request.blueprint == "directory":
        at, away = directory.reading.as_of()
        found["directory_as_of"] = at if away else None
        found["directory_age"] = format_timedelta(now() - at, granularity="minute", threshold=1)
    return found


def _let_files_in() -> None:
    """Let a form with files be larger than others, of somebody who is signed in."""
    large = (request.content_length or 0) > MOST_BYTES
    if large and request.endpoint in TAKES_FILES and _whoever().signed_in:
        request.max_content_length = MOST_WITH_FILES


def _whoever() -> Actor:
    """Return who sees an error that came before any guard, such as an address that is no page."""
    try:
        return from_cookie()
    except SQLAlchemyError:
        return PUBLIC


def _headers(response: Response) -> Response:
    headers = response.headers
    for name, value in MACHINE_HEADERS if problems.wants_json() else PAGE_HEADERS:
        if name not in headers:
            headers.add(name, value)
    if request.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
