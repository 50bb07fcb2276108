"""What was changed of a unit's entry, by whom and why, and putting it back."""

from functools import partial
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from directory import changes, editing, keepers
from directory.model import ContactPoint, DirectoryChange
from directory.pages.asking import editor
from directory.pages.blueprint import blueprint
from directory.pages.changed import wording
from directory.pages.editing import UNIT, back, sign_in, version_given
from directory.reading import lookup, reader
from hub.errors import HubError, not_found
from hub.identity.policy import require
from hub.organisations import Unit
from hub.web.context import database, now
from hub.web.guards import page, public

PAGE = 30


@page(blueprint, f"{UNIT}/history", guard=public)
def history(unit_id: UUID) -> ResponseReturnValue:
    """Show what was changed, by whom and why, newest first; an editor can put a change back."""
    return _history(unit_id, {}) if editor().signed_in else sign_in()


def _history(unit_id: UUID, wrong: dict[str, str], status: int = 200) -> ResponseReturnValue:
    actor = editor()
    require(actor, "directory.read-professional")
    who = reader(actor)
    areas = {str(area.id): area.name for area in lookup().snapshot.areas.values()}
    before_id = before_asked()
    with database().unit_of_work() as session:
        row = session.get(Unit, unit_id)
        if row is None:
            raise not_found()
        edits = keepers.may_edit(session, actor, row)
        found = changes.of_unit(session, unit_id, before_id=before_id, limit=PAGE)
        audiences = frozenset({"public", "professional", "police"}) if edits else who.audiences
        versions = {
            one.id: one.version
            for one in session.scalars(
                select(ContactPoint).where(
                    ContactPoint.unit_id == unit_id,
                    ContactPoint.status == (actor.status or "actual"),
                )
            )
            if edits
        }
        versions |= {row.id: row.version} if edits else {}
        page_ = render_template(
            "directory/history.html",
            subject=row,
            back_url=url_for("directory.edit" if edits else "directory.unit", unit_id=unit_id),
            revert_url=partial(_revert_url, unit_id),
            changes=[wording(one, areas) for one in found if _readable(one, audiences, who.status)],
            versions=versions,
            edits=edits,
            older_url=url_for("directory.history", unit_id=unit_id, before=found[-1].id)
            if len(found) == PAGE
            else "",
            problems=wrong,
            typed=request.form,
            status=who.status,
        )
    return page_, status


def before_asked() -> int | None:
    """Return before which change the page of the history ends."""
    before = request.args.get("before", "")
    return int(before) if before.isdecimal() and len(before) < 19 else None


def _revert_url(unit_id: UUID, change_id: int) -> str:
    return url_for("directory.revert", unit_id=unit_id, change_id=change_id)


def _readable(change: changes.Change, audiences: frozenset[str], status: str) -> bool:
    """A reader sees the history of contacts that they may see, as they were and as they are."""
    if change.kind != "contact_point":
        return True
    return change.audiences <= audiences and change.status in ("actual", status)


@page(blueprint, f"{UNIT}/history/<int:change_id>/revert", guard=public, methods=("POST",))
def revert(unit_id: UUID, change_id: int) -> ResponseReturnValue:
    """Put back what one change changed."""
    try:
        with database().unit_of_work() as session:
            row = session.get(DirectoryChange, change_id)
            put_back = editing.revert_unit if row and row.kind == "unit" else editing.revert
            put_back(
                session, editor(), change_id, version=version_given(),
                why=request.form.get("why", ""), now=now(),
            )  # fmt: skip
    except HubError as error:
        if error.status not in (409, 422):
            raise
        return _history(unit_id, {f"why-{change_id}": error.sentence}, error.status)
    return back(unit_id, _("It is put back. A number that was put back has to be verified again."))
