"""Signing in and out, choosing the unit to act for, and changing one's password."""

from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import text
from werkzeug.wrappers import Response

from hub.errors import HubError, unavailable
from hub.identity import people, sessions
from hub.identity.model import Person
from hub.organisations import Organisation, Unit
from hub.presence import BRIEF, NO_ANSWER
from hub.web import directory_pass
from hub.web.context import current_actor, database, now, runtime
from hub.web.guards import cookie_name, page, public, signed_in

blueprint = Blueprint("accounts", __name__)


def _local(target: str) -> str:
    """Return the target if it is a page of ours, and else the inbox or front page."""
    parts = urlsplit(target)
    if (
        not target.startswith("/")
        or target.startswith(("//", "/\\"))
        or parts.netloc
        or "\\" in target
    ):
        return url_for("accounts.start")
    return target


@page(blueprint, "/sign-in", guard=public)
def sign_in() -> ResponseReturnValue:
    """Show the form."""
    if current_actor().signed_in:
        return redirect(url_for("accounts.start"))
    try:
        with database().unit_of_work(seconds=BRIEF) as session:
            session.execute(text("SELECT 1"))
    except NO_ANSWER:
        raise _nobody_now() from None
    return _form(request.args.get("next", ""))


def _nobody_now() -> HubError:
    return unavailable(
        "sign-in-away",
        _(
            "Nobody can sign in just now: the hub cannot reach its database. “Whom to call now”"
            " still answers. Try again in a minute."
        ),
    )


def _form(
    target: str, email: str = "", problem: str = "", status: int = 200
) -> ResponseReturnValue:
    problems = {"email": problem} if problem else {}
    page = render_template("accounts/sign_in.html", next=target, email=email, problems=problems)
    return page, status


@page(blueprint, "/sign-in", guard=public, methods=("POST",), endpoint="sign_in_post")
def sign_in_post() -> ResponseReturnValue:
    """Check the account, and begin a session with a token of its own."""
    email = request.form.get("email", "")[:300].replace("\0", "")
    password = request.form.get("password", "").replace("\0", "")
    target = request.form.get("next", "")
    if not email.strip() or not password:
        return _form(target, email, _("Enter your e-mail address and your password"), 422)
    made = runtime()
    try:
        with database().unit_of_work() as session:
            token = sessions.sign_in(
                session,
                email=email,
                password=password,
                address=request.remote_addr or "",
                secret=made.keys.session,
                lasts=timedelta(hours=made.settings.session_hours),
                now=now(),
            )
    except HubError as error:
        if error.status != 429:
            raise
        return _form(target, email, error.sentence, 429)
    if token is None:
        return _form(target, email, _("The e-mail address or the password is wrong"), 422)
    if current_actor().signed_in:
        with database().unit_of_work() as session:
            sessions.sign_out(session, current_actor(), now=now())
    cookie.clear()
    response = redirect(_local(target) if target else url_for("accounts.start"), 303)
    _set_cookie(response, token)
    return response


def _set_cookie(response: Response, token: str) -> None:
    response.set_cookie(
        cookie_name(),
        token,
        httponly=True,
        secure=runtime().settings.secure,
        samesite="Lax",
        path="/",
    )


@page(blueprint, "/start", guard=signed_in)
def start() -> ResponseReturnValue:
    """Go where this person's work is."""
    from hub.identity.policy import allows

    where = "messaging.inbox" if allows(current_actor(), "inbox.read") else "directory.whom_to_call"
    return redirect(url_for(where))


@page(blueprint, "/sign-out", guard=public, methods=("POST",), offline=True)
def sign_out() -> ResponseReturnValue:
    """Revoke the session; its cookie is worth nothing from here on.

    While the database is away, the session and the directory pass go from this browser alone.
    """
    if current_actor().kind == "person":
        with database().unit_of_work() as session:
            sessions.sign_out(session, current_actor(), now=now())
    cookie.clear()
    directory_pass.clear()
    response = redirect(url_for("directory.whom_to_call"), 303)
    response.delete_cookie(cookie_name(), path="/", secure=runtime().settings.secure, httponly=True)
    return response


@page(blueprint, "/account", guard=signed_in)
def account() -> ResponseReturnValue:
    """Show who one is, one's units, and the form of a new password."""
    return _account({})


def _account(problems: dict[str, str], status: int = 200) -> ResponseReturnValue:
    actor = current_actor()
    assert actor.id is not None  # noqa: S101  # a person has an id
    with database().unit_of_work() as session:
        person = session.get_one(Person, actor.id)
        units: dict[UUID, dict[str, object]] = {}
        for membership in people.current_memberships(session, actor.id, now()):
            unit = session.get_one(Unit, membership.unit_id)
            organisation = session.get_one(Organisation, unit.organisation_id)
            entry = units.setdefault(
                unit.id,
                {"id": unit.id, "name": unit.name, "organisation": organisation.name, "roles": []},
            )
            roles = entry["roles"]
            assert isinstance(roles, list)  # noqa: S101  # made two lines above
            roles.append(membership.role)
        page = render_template(
            "accounts/account.html",
            email=person.email,
            units=list(units.values()),
            problems=problems,
        )
    return page, status


@page(blueprint, "/account/unit", guard=signed_in, methods=("POST",))
def choose_unit() -> ResponseReturnValue:
    """Act for another of one's units."""
    try:
        wanted = UUID(request.form.get("unit", ""))
    except ValueError:
        raise HubError("unit-not-yours", 422, "Choose one of your own units.") from None
    with database().unit_of_work() as session:
        sessions.choose_unit(session, current_actor(), wanted, now=now())
    flash(_("You now act for another of your units."))
    return redirect(url_for("accounts.account"), 303)


@page(blueprint, "/account/password", guard=signed_in, methods=("POST",))
def password() -> ResponseReturnValue:
    """Change the password, and sign out one's other browsers."""
    actor = current_actor()
    try:
        with database().unit_of_work() as session:
            people.change_password(
                session,
                actor.who,
                session.get_one(Person, actor.id),
                current=request.form.get("current", ""),
                new=request.form.get("password", ""),
                keep_session=actor.session_id,
                now=now(),
            )
    except HubError as error:
        if error.status != 422:
            raise
        return _account({field.pointer.strip("/"): field.sentence for field in error.fields}, 422)
    flash(_("Your password is changed, and your other browsers are signed out."))
    return redirect(url_for("accounts.account"), 303)
