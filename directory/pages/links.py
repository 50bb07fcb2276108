"""The pages behind mailed links: a GET shows and changes nothing; the POST names who answers."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import access, claims, editing, hours_text, links
from directory.claims import ClaimedUnit
from directory.hours import Hours
from directory.model import ContactPoint, still_kept
from directory.pages.asking import admit, came_by_link, dismiss
from directory.pages.blueprint import blueprint
from directory.pages.editing import seen
from directory.pages.trust import reported
from directory.problems import open_reports
from directory.public import PURPOSES
from directory.reading import holder
from hub.clock import LONDON
from hub.errors import HubError, invalid
from hub.organisations import Organisation, Unit
from hub.web import ratelimit
from hub.web.context import database, now, runtime
from hub.web.guards import page, public

View = Callable[..., ResponseReturnValue]


def _closed(view: View) -> View:
    """Keep the page out of caches and search, and say plainly what became of a link."""

    @wraps(view)
    def closed(**arguments: Any) -> ResponseReturnValue:
        try:
            answer = view(**arguments)
        except HubError as error:
            if error.code != "link-gone":
                raise
            answer = render_template("directory/link_gone.html", sentence=error.sentence), 410
        response = make_response(answer)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return closed


def _name() -> str:
    name = " ".join(request.form.get("name", "").split())
    if not 2 <= len(name) <= 120:
        raise invalid("name", _("Give your name, and your rank or role."), "/name")
    return name


@page(blueprint, "/directory/verify/<token>", guard=public, methods=("GET", "POST"))
@_closed
def verify(token: str) -> ResponseReturnValue:
    """Show one unit's contacts, and take "all right" or "correct this" from who names themselves."""
    wrong: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        try:
            return _verified(token)
        except HubError as error:
            if error.status not in (409, 422):
                raise
            status = error.status
            wrong = {"name" if status == 422 else "contacts": error.sentence}
    with database().unit_of_work() as session:
        link = links.find(session, token, "verify", now())
        unit = session.get_one(Unit, link.unit_id)
        contacts = _contacts(session, unit.id, link.status)
        page_ = render_template(
            "directory/verify.html", token=token, link=link, unit=unit,
            organisation=session.get_one(Organisation, link.organisation_id),
            contacts=contacts, says={
                one.id: hours_text.say(
                    Hours(one.hours, one.bank_holiday_rule, tuple(one.exceptions))
                )
                for one in contacts
            },
            reports={
                id_: reported(people, since)
                for id_, (people, since) in open_reports(
                    session, [one.id for one in contacts]
                ).items()
            },
            purposes=PURPOSES, problems=wrong,
            typed=request.form, status=link.status,
        )  # fmt: skip
    return page_, status


def _verified(token: str) -> ResponseReturnValue:
    name, corrects = _name(), request.form.get("do") == "correct"
    with database().unit_of_work() as session:
        link = links.find(session, token, "verify", now(), hold=True)
        guest = links.guest(session, link, name)
        unit = session.get_one(Unit, link.unit_id)
        links.use(session, link, guest, now())
        if not corrects:
            editing.confirm_contacts(session, guest, unit.id, now(), seen=seen())
            page_ = render_template(
                "directory/verified.html", unit=unit, name=name, status=link.status
            )
    holder().look_again()
    if not corrects:
        return page_
    admit(link, name)
    flash(_("Correct what has changed. What you save counts as coming from %(name)s.", name=name))
    return redirect(url_for("directory.edit", unit_id=unit.id), 303)


def _contacts(session: Session, unit_id: UUID, status: str) -> list[ContactPoint]:
    return list(
        session.scalars(
            select(ContactPoint)
            .where(
                ContactPoint.unit_id == unit_id,
                ContactPoint.status == status,
                still_kept(now()),
            )
            .order_by(ContactPoint.purpose, ContactPoint.priority, ContactPoint.id)
        )
    )


@page(blueprint, "/directory/claim/<token>", guard=public, methods=("GET", "POST"))
@_closed
def claim(token: str) -> ResponseReturnValue:
    """Ask who answers for a force; from then on their browser may enter its contacts."""
    wrong: dict[str, str] = {}
    if request.method == "POST":
        try:
            name = _name()
        except HubError as error:
            wrong = {"name": error.sentence}
        else:
            with database().unit_of_work() as session:
                link = links.find(session, token, "claim", now(), hold=True)
                links.use(session, link, links.guest(session, link, name), now())
            admit(link, name)
            return redirect(url_for("directory.claimed"), 303)
    with database().unit_of_work() as session:
        link = links.find(session, token, "claim", now())
        organisation = session.get_one(Organisation, link.organisation_id)
        page_ = render_template(
            "directory/claim_start.html", link=link, organisation=organisation, problems=wrong,
            typed=request.form, token=token, status=link.status,
        )  # fmt: skip
    return page_, 422 if wrong else 200


FIELDS = ("telephone", "mailbox", "hours", "duty_inspector", "switchboard")


@page(blueprint, "/directory/claim", guard=public, methods=("GET", "POST"))
@_closed
def claimed() -> ResponseReturnValue:
    """Take a force's contacts, unit by unit, and its editors, on one page."""
    actor = came_by_link()
    if actor is None or actor.unit_id is not None:
        raise HubError(
            "link-gone", 410, _("Open the link of the mail again, or ask for a new one.")
        )
    wrong: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        try:
            with database().unit_of_work() as session:
                entered = claims.confirm(session, actor, seen("right"), now())
                entered += claims.enter(session, actor, _given(), now())
                named = claims.name_editors(
                    session, actor, runtime().keys, request.form.get("editors", "").split(), now()
                )
        except HubError as error:
            if error.status not in (409, 422):
                raise
            status = error.status
            wrong = {f.pointer.strip("/").replace("/", "-"): f.sentence for f in error.fields}
            wrong = wrong or {"units" if status == 409 else "editors": error.sentence}
        else:
            holder().look_again()
            if request.form.get("do") == "finish":
                dismiss()
                return render_template(
                    "directory/claim_done.html", entered=entered, named=named, name=actor.name,
                    status=actor.status, organisation=actor,
                )  # fmt: skip
            flash(_("%(count)s contacts are on record.", count=entered))
            return redirect(url_for("directory.claimed"), 303)
    today = now().astimezone(LONDON).date()
    with database().unit_of_work() as session:
        organisation = session.get_one(Organisation, actor.organisation_id)
        units = session.scalars(
            select(Unit)
            .where(
                Unit.organisation_id == organisation.id,
                Unit.kind.in_(("force", "bcu", "childrens-social-care", "edt")),
                Unit.valid_to.is_(None) | (Unit.valid_to > today),
            )
            .order_by(Unit.kind != "force", Unit.name)
        ).all()
        page_ = render_template(
            "directory/claim.html", organisation=organisation, units=units, guest=actor,
            there={
                unit.id: _contacts(session, unit.id, actor.status or "actual") for unit in units
            },
            typed=request.form, right=set(request.form.getlist("right")), problems=wrong,
            purposes=PURPOSES, status=actor.status,
            divided=any(unit.kind == "bcu" for unit in units),
        )  # fmt: skip
    return page_, status


def _given() -> list[ClaimedUnit]:
    """Return what was typed, by unit; a unit with nothing typed is left out."""
    ids = dict.fromkeys(name.partition(".")[0] for name in request.form if "." in name)
    found = []
    for text in ids:
        try:
            unit_id = UUID(text)
        except ValueError:
            continue
        typed = {name: request.form.get(f"{text}.{name}", "").strip()[:250] for name in FIELDS}
        if any(typed.values()):
            typed["telephone"] = typed["telephone"][:40]
            typed["duty_inspector"] = typed["duty_inspector"][:40]
            typed["switchboard"] = typed["switchboard"][:40]
            found.append(ClaimedUnit(unit_id=unit_id, **typed))
    return found


@page(blueprint, "/directory/access", guard=public, methods=("GET", "POST"))
@_closed
def ask_access() -> ResponseReturnValue:
    """Mail a link to a mailbox at a registered domain; the answer is the same for any mailbox."""
    wrong: dict[str, str] = {}
    if request.method == "POST":
        ratelimit.public(request.remote_addr or "")
        try:
            with database().unit_of_work() as session:
                access.ask(session, runtime().keys, request.form.get("address", ""), now())
        except HubError as error:
            if error.status != 422:
                raise
            wrong = {"address": error.sentence}
        else:
            return render_template("directory/access_asked.html")
    page_ = render_template("directory/access_ask.html", problems=wrong, typed=request.form)
    return page_, 422 if wrong else 200


@page(
    blueprint, "/directory/<any(access, editor):purpose>/<token>", guard=public,
    methods=("GET", "POST"),
)  # fmt: skip
@_closed
def enter(purpose: str, token: str) -> ResponseReturnValue:
    """Make the account that a mailed link is for."""
    wrong: dict[str, str] = {}
    if request.method == "POST":
        try:
            with database().unit_of_work() as session:
                link = links.find(session, token, purpose, now(), hold=True)
                access.enter(
                    session, link, name=request.form.get("name", ""),
                    password=request.form.get("password", ""), now=now(),
                )  # fmt: skip
        except HubError as error:
            if error.status != 422:
                raise
            wrong = {(f.pointer.strip("/") or "name"): f.sentence for f in error.fields}
        else:
            flash(_("Your account is made. Sign in with your address and password."))
            return redirect(url_for("accounts.sign_in"), 303)
    with database().unit_of_work() as session:
        link = links.find(session, token, purpose, now())
        page_ = render_template(
            "directory/enter.html", link=link, purpose=purpose, token=token, problems=wrong,
            organisation=session.get_one(Organisation, link.organisation_id), typed=request.form,
            known=access.known(session, link) is not None, status=link.status,
        )  # fmt: skip
    return page_, 422 if wrong else 200
