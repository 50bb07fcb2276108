"""Reporting a child missing: police record it and lead, a practitioner tells the police unit."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from hub.errors import HubError
from hub.identity.actor import Actor
from hub.organisations import find_unit
from hub.web import context
from hub.web.guards import page, permission
from messaging import attachments, wording
from messaging.contracts import Command
from messaging.contracts.reports import OFFICER
from messaging.pages import attaching, opening, picking, ringing
from messaging.pages.attaching import Attaching
from messaging.pages.blueprint import blueprint
from messaging.pages.forms import MessageForm
from messaging.pages.once import FIELD, token

TYPE = "missing-episode-report"
OPEN = permission("case.open")
CARRIED = ("to", "authority", "draft")


def _form(actor: Actor) -> MessageForm:
    """Return the form: who leads is for police alone to say."""
    return MessageForm(TYPE, leave_out=() if actor.police else OFFICER, names_placement=True)


def _address(carried: dict[str, str], **more: str) -> str:
    """Return this page's address, with what it carries."""
    known = {**carried, **more}
    return url_for("messaging.report", **known)  # type: ignore[arg-type]  # url_for takes any value


def _names_council(actor: Actor) -> bool:
    """Say whether they report who are neither police nor of a council: a home, a school, health."""
    return not actor.police and actor.organisation_kind != "local-authority"


@page(blueprint, "/cases/new", guard=OPEN, endpoint="report")
def show() -> ResponseReturnValue:
    """Show the form; a practitioner first chooses the police unit to tell, and a council if they like."""
    actor, carried = context.current_actor(), opening.carried(CARRIED)
    form = _form(actor)
    with context.database().unit_of_work() as session:
        kept = opening.take_up(session, actor, form, carried)
        for name in ("to", "authority"):
            if form.values.get(name):
                carried.setdefault(name, form.values[name])
        if not actor.police and "to" not in carried:
            return picking.page(
                session,
                None,
                actor.status or "actual",
                _("Which police unit do you tell?"),
                lambda code: _address(carried, to=code),
                {name: value for name, value in carried.items() if name != "to"},
                url_for("messaging.cases"),
                _("The place where the child was last seen, or the placement. Police there must"
                  " record your report."),
            )  # fmt: skip
        if _names_council(actor) and "q" in request.args:
            return picking.page(
                session,
                None,
                actor.status or "actual",
                _("Which council is responsible for the child?"),
                lambda code: _address(carried, authority=code),
                carried,
                _address(carried),
                kinds=picking.COUNCILS,
            )
    files = attaching.carried(TYPE, kept)
    with context.database().unit_of_work() as session:
        return _page(session, actor, form, files, carried)


@page(blueprint, "/cases/new", guard=OPEN, methods=("POST",), endpoint="report_send")
def send() -> ResponseReturnValue:
    """Open the case once, or keep a draft; a refusal keeps what was typed."""
    actor, carried = context.current_actor(), opening.carried(CARRIED)
    form = _form(actor)
    envelope: dict[str, Any] = {"to": [carried[n] for n in ("to", "authority") if n in carried]}
    envelope["priority"] = "routine" if actor.police else "urgent"
    files = attaching.received(
        TYPE, lambda session, earlier: attachments.place_of_new_case(session, actor, earlier)
    )
    command = form.read(request.form, {**envelope, "attachments": files.ids})
    if request.form.get("do") == "draft" and not files.problems:
        carried["draft"] = opening.keep(actor, TYPE, carried, files)
        flash(_("Your draft is saved."))
        return redirect(_address(carried), 303)
    if request.form.get("do") == "find" and not files.problems:
        carried["draft"] = opening.keep(actor, TYPE, carried, files)
        return redirect(_address(carried, q=""), 303)
    refused, status = None, 422
    if command is not None and not files.problems:
        try:
            return _opened(actor, command, carried)
        except HubError as error:
            if error.status not in (403, 409, 422):
                raise
            form.refuse(error)
            refused = error
            if error.code == "authority-known":
                carried.pop("authority", None)
            if "ring" in error.extra:
                status = error.status
    carried["draft"] = opening.keep(actor, TYPE, carried, files)
    with context.database().unit_of_work() as session:
        shown = _page(session, actor, form, files, carried, refused)
    return shown, 200 if "more_rows" in request.form else status


def _opened(actor: Actor, command: Command, carried: dict[str, str]) -> ResponseReturnValue:
    reference = opening.open_once(actor, command, carried)
    flash(
        _("Recorded. Your unit leads.")
        if actor.police
        else _("Sent. The police do not have it until someone answers: ring now.")
    )
    return redirect(url_for("messaging.case", reference=reference), 303)


def _council_asked(actor: Actor, carried: dict[str, str]) -> str:
    """Return what the button says that leads to the search for the council."""
    if not _names_council(actor):
        return ""
    if "authority" in carried:
        return _("Choose another council")
    return _("Say which council is responsible for the child")


def _page(
    session: Session,
    actor: Actor,
    form: MessageForm,
    files: Attaching,
    carried: dict[str, str],
    refused: HubError | None = None,
) -> str:
    """Return the form; a unit that leads, or was told of the child already, is rung instead."""
    status = actor.status or "actual"
    unit = find_unit(session, carried["to"]) if "to" in carried else None
    council = find_unit(session, carried["authority"]) if "authority" in carried else None
    extra = refused.extra if refused is not None else {}
    told = find_unit(session, extra["unit"]["code"]) if "ring" in extra else None
    before, rung, need = [], told, ringing.need_of(TYPE)
    sentence = ""
    if not actor.police:
        sentence = _("The police do not have this until someone answers: ring.")
        rung = told or unit
        if unit is not None:
            before.append(_("To %(unit)s.", unit=unit.name))
        if council is not None:
            before.append(
                _("And to %(unit)s, as the responsible authority: it hears what police do.",
                  unit=council.name)
            )  # fmt: skip
    elif told is None:
        before.append(
            _("%(unit)s leads from the second that you record this.", unit=actor.unit_name)
        )
    if refused is not None and refused.code == "episode-open" and told is not None:
        sentence, need = _("%(unit)s leads: ring it.", unit=told.name), "open-case"
    return render_template(
        "messaging/compose.html",
        find=_council_asked(actor, carried),
        ref=None,
        status=status,
        heading=_("Report a child missing"),
        send_label=wording.send_label(TYPE) if actor.police else _("Send the report"),
        back=url_for("messaging.cases"),
        action=url_for("messaging.report_send"),
        hidden=[*carried.items(), (FIELD, token())],
        fields=form.fields,
        files=files.shown(),
        others=form.others,
        problems=form.problems,
        before=before,
        known=None if told is not None else extra.get("case_reference"),
        overtaken=_("What you typed is kept as a draft.") if told is not None else "",
        draft=carried.get("draft"),
        ring=ringing.numbers(rung.id, need, context.now(), actor, status) if rung else [],
        ring_sentence=sentence,
        draftable=True,
    )
