"""An organisation: what it is called and was, what it is part of, and keeping that."""

from datetime import date
from functools import partial
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import changes, organisations
from directory.api_documents import documents
from directory.documents import OrganisationOut
from directory.organisations import OrganisationIn
from directory.pages.blueprint import blueprint
from directory.pages.changed import wording
from directory.pages.editing import sign_in, version_given
from directory.pages.history import PAGE, before_asked
from directory.reading import holder, lookup
from hub.errors import FieldProblem, HubError, not_found
from hub.identity.actor import Actor
from hub.identity.policy import allows, require
from hub.organisations import Organisation, find_organisation
from hub.web.context import current_actor, database, now
from hub.web.guards import page, public

ORGANISATION = "/directory/organisations/<code>"
FIELDS = ("name", "name_welsh", "other_names", "parent", "valid_from", "valid_to")


def kinds() -> dict[str, str]:
    """Return what kinds of organisations are called."""
    return {
        "police": _("Police service"),
        "local-authority": _("Council"),
        "health": _("NHS body"),
        "provider": _("Care provider"),
        "voluntary": _("Voluntary organisation"),
        "national": _("National body"),
    }


@page(blueprint, ORGANISATION, guard=public, offline=True)
def organisation(code: str) -> ResponseReturnValue:
    """Show an organisation, or what took the place of one that is no more."""
    here, snapshot, actor = documents(), lookup().snapshot, current_actor()
    shown = _shown(code)
    known = {one: _shown(one) for one in (shown.parent, shown.successor) if one}
    parts = [
        one
        for one in snapshot.organisations.values()
        if one.parent_id == shown.id
    ]  # fmt: skip
    top = [
        unit
        for unit in snapshot.units.values()
        if unit.organisation.id == shown.id and unit.parent_id not in snapshot.units
    ]
    return render_template(
        "directory/organisation.html", organisation=shown, kinds=kinds(),
        parent=known.get(shown.parent or ""), successor=known.get(shown.successor or ""),
        parts=sorted(parts, key=lambda one: (one.name, one.code)),
        units=sorted(top, key=lambda one: (one.name, one.code)),
        edits=organisations.may_name(actor, shown.id), version=here.version,
        reads_history=allows(actor, "directory.read-professional"),
    )  # fmt: skip


def _shown(code: str) -> OrganisationOut:
    found = documents().find("organisation", code)
    if found is None:
        raise not_found()
    document = documents().document("organisation", found, frozenset())
    assert isinstance(document, OrganisationOut)  # noqa: S101  # it was asked for by its kind
    return document


@page(blueprint, f"{ORGANISATION}/edit", guard=public, methods=("GET", "POST"))
def edit_organisation(code: str) -> ResponseReturnValue:
    """Keep what an organisation is called; for national administrators, its days and parent too."""
    actor = current_actor()
    if not actor.signed_in:
        return sign_in()
    if request.method == "GET":
        return _edit(actor, code, {})
    try:
        with database().unit_of_work() as session:
            held = _held(session, code)
            given = _given(_typed_of(session, held))
            organisations.change_organisation(
                session, actor, held.id, given, version=version_given(),
                why=request.form.get("why", ""), now=now(),
            )  # fmt: skip
    except HubError as error:
        if error.status not in (409, 422):
            raise
        wrong = {one.pointer.strip("/").split("/")[0]: one.sentence for one in error.fields}
        return _edit(actor, code, wrong or {"name": error.sentence}, error.status)
    return _kept(code, _("The organisation is saved. What was before stands in its history."))


def _edit(actor: Actor, code: str, wrong: dict[str, str], status: int = 200) -> ResponseReturnValue:
    with database().unit_of_work() as session:
        held = _held(session, code)
        organisations.organisation_to_edit(session, actor, held.id)
        on_record = _typed_of(session, held)
        page_ = render_template(
            "directory/organisation_edit.html", organisation=held, problems=wrong,
            on_record=on_record, typed=_typed(on_record) if wrong else on_record,
            why=request.form.get("why", ""),
            restructures=organisations.may_restructure(actor, held.id),
            exercise=actor.status == "exercise", editor=actor,
        )  # fmt: skip
    return page_, status


def _held(session: Session, code: str) -> Organisation:
    found = find_organisation(session, code)
    if found is None:
        raise not_found()
    return found


def _typed_of(session: Session, held: Organisation) -> dict[str, str]:
    """Return an organisation as its form shows it."""
    parent = session.get_one(Organisation, held.parent_id) if held.parent_id else None
    alone = parent is not None and organisations.named(session, parent.name) is parent
    return {
        "name": held.name,
        "name_welsh": held.name_welsh or "",
        "other_names": "\n".join(held.other_names),
        "parent": (parent.name if alone else parent.code) if parent else "",
        "valid_from": held.valid_from.isoformat(),
        "valid_to": held.valid_to.isoformat() if held.valid_to else "",
    }


def _typed(on_record: dict[str, str]) -> dict[str, str]:
    """Return what was typed; a field that the form did not have stays as it is on record."""
    return {name: request.form.get(name, on_record[name]) for name in FIELDS}


def _given(on_record: dict[str, str]) -> OrganisationIn:
    """Return what the form asks for.

    Raises:
        HubError: 422 by field.
    """
    typed = {name: text.strip() for name, text in _typed(on_record).items()}
    others = [" ".join(one.split()) for one in typed["other_names"].splitlines() if one.strip()]
    sentences = {
        "name": _("Give the organisation’s name, in 2 to 120 characters."),
        "name_welsh": _("Keep the Welsh name under 120 characters."),
        "other_names": _("Give 20 other names at the most, each under 120 characters, one a line."),
        "parent": _("Give the name or code of another organisation."),
        "valid_from": _("Give the day as a date, such as 2026-04-01."),
        "valid_to": _("Give the day as a date, such as 2026-04-01, or leave this empty."),
    }
    wrong = {name for name in ("valid_from", "valid_to") if typed[name] and not _date(typed[name])}
    wrong |= {"other_names"} if any(len(one) > 120 for one in others) else set()
    try:
        given = OrganisationIn(
            name=" ".join(typed["name"].split()), name_welsh=typed["name_welsh"] or None,
            other_names=others, parent=typed["parent"] or None,
            valid_from=_date(typed["valid_from"]),
            valid_to=_date(typed["valid_to"]),
        )  # fmt: skip
    except ValidationError as error:
        wrong |= {str(one["loc"][0]) for one in error.errors()}
    if wrong:
        fields = [FieldProblem(f"/{one}", one, sentences[one]) for one in FIELDS if one in wrong]
        raise HubError(fields[0].code, 422, fields[0].sentence, fields=fields)
    return given


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _kept(code: str, said: str) -> ResponseReturnValue:
    holder().look_again()
    flash(said)
    return redirect(url_for("directory.organisation", code=code), 303)


@page(blueprint, f"{ORGANISATION}/history", guard=public)
def organisation_history(code: str) -> ResponseReturnValue:
    """Show what was changed of an organisation, by whom and why, newest first."""
    return _history(code, {}) if current_actor().signed_in else sign_in()


def _history(code: str, wrong: dict[str, str], status: int = 200) -> ResponseReturnValue:
    actor = current_actor()
    require(actor, "directory.read-professional")
    with database().unit_of_work() as session:
        held = _held(session, code)
        edits = organisations.may_name(actor, held.id)
        found = changes.of_organisation(session, held.id, before_id=before_asked(), limit=PAGE)
        names = _parents(session, found)
        page_ = render_template(
            "directory/history.html", subject=held,
            back_url=url_for("directory.organisation", code=held.code),
            revert_url=partial(_revert_url, held.code),
            changes=[wording(one, names) for one in found],
            versions={held.id: held.version}, edits=edits,
            older_url=url_for(
                "directory.organisation_history", code=held.code, before=found[-1].id
            ) if len(found) == PAGE else "",
            problems=wrong, typed=request.form, status=actor.status,
        )  # fmt: skip
    return page_, status


def _revert_url(code: str, change_id: int) -> str:
    return url_for("directory.revert_organisation", code=code, change_id=change_id)


def _parents(session: Session, found: list[changes.Change]) -> dict[str, str]:
    """Return the names of the organisations that changes name as a parent, by id."""
    rows = [row for one in found for row in (one.row, one.before or {})]
    ids = {UUID(row["parent_id"]) for row in rows if row.get("parent_id")}
    named = session.scalars(select(Organisation).where(Organisation.id.in_(ids)))
    return {str(one.id): one.name for one in named}


@page(blueprint, f"{ORGANISATION}/history/<int:change_id>/revert", guard=public, methods=("POST",))
def revert_organisation(code: str, change_id: int) -> ResponseReturnValue:
    """Put back what one change of an organisation changed."""
    try:
        with database().unit_of_work() as session:
            organisations.revert_organisation(
                session, current_actor(), change_id, version=version_given(),
                why=request.form.get("why", ""), now=now(),
            )  # fmt: skip
    except HubError as error:
        if error.status not in (409, 422):
            raise
        return _history(code, {f"why-{change_id}": error.sentence}, error.status)
    return _kept(code, _("It is put back."))
