"""The page on which a reorganisation that has not come is withdrawn: seen first, with a reason."""

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from directory import reorganisations, withdrawing
from directory.pages.asking import editor
from directory.pages.blueprint import blueprint
from directory.pages.editing import day_said, sign_in
from directory.reading import holder, lookup
from directory.snapshot import Organisation
from hub.errors import HubError, not_found
from hub.web.context import database, now
from hub.web.guards import page, public


@page(blueprint, "/directory/forces/<code>/planned", guard=public, methods=("GET", "POST"))
def planned(code: str) -> ResponseReturnValue:
    """Show what is to change of a force's units, and withdraw it when told to."""
    actor = editor()
    if not actor.signed_in:
        return sign_in()
    force = lookup().snapshot.organisation_by_code.get(code)
    if force is None or force.kind != "police":
        raise not_found()
    if request.method == "GET":
        return _page(force, {})
    try:
        with database().unit_of_work() as session:
            withdrawing.withdraw(
                session, actor, force.id, _day(), why=request.form.get("why", ""), now=now()
            )
    except HubError as error:
        if error.status not in (409, 422):
            raise
        return _page(force, {"why": error.sentence}, error.status)
    holder().look_again()
    flash(_("The change is withdrawn. The units stay as they are, and the history has both."))
    return redirect(url_for("directory.force", code=code), 303)


def _day() -> date:
    try:
        return date.fromisoformat(request.form.get("day", ""))
    except ValueError:
        return date.min


def _page(force: Organisation, wrong: dict[str, str], status: int = 200) -> ResponseReturnValue:
    actor = editor()
    with database().unit_of_work() as session:
        reorganisations.allowed(session, actor, force.id)
        found = withdrawing.planned(session, force.id, now())
    page_ = render_template(
        "directory/planned.html", force=force, planned=found, said=day_said(found.day if found else None),
        problems=wrong, why=request.form.get("why", ""), exercise=actor.status == "exercise",
    )  # fmt: skip
    return page_, status
