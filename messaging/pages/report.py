"""Reporting a child missing: police record it and lead, a practitioner tells the police unit."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from hub.errors import HubError, not_found
from hub.identity.actor import Actor
from hub.organisations import find_unit
from hub.records import consultation
from hub.web import context
from hub.web.guards import page, permission
from messaging import attachments, drafts, sending, views
from messaging.contracts import Command
from messaging.pages import attaching, picking, ringing
from messaging.pages.attaching import Attaching
from messaging.pages.blueprint import blueprint
from messaging.pages.forms import MessageForm
from messaging.pages.once import FIELD, once, token

TYPE = "missing-episode-report"
OPEN = permission("case.open")
CARRIED = ("to", "draft")
OPENED_IT = "opened-it"


def _form(actor: Actor) -> MessageForm:
    """Return the form: who leads is for police alone to say."""
    return MessageForm(TYPE, leave_out=() if actor.police else ("named_officer",))


def _carried() -> dict[str, str]:
    carried = {n: request.values[n][:200] for n in CARRIED if request.values.get(n, "").strip()}
    try:
        UUID(carried.get("draft", str(UUID(int=0))))
    except ValueError:
        raise not_found() from None
    return carried


@page(blueprint, "/cases/new", guard=OPEN, endpoint="report")
def show() -> ResponseReturnValue:
    """Show the form; a practitioner first chooses the police unit to tell."""
    actor, carried = context.current_actor(), _carried()
    form = _form(actor)
    kept: dict[str, list[str]] = {}
    with context.database().unit_of_work() as session:
        if "draft" in carried:
            kept = drafts.load(session, actor, context.vault(), UUID(carried["draft"]))
            form.values = {name: values[0] for name, values in kept.items() if values}
            carried |= {"to": form.values["to"]} if form.values.get("to") else {}
        if not actor.police and "to" not in carried:
            return picking.page(
                session,
                None,
                actor.status or "actual",
                _("Which police unit do you tell?"),
                lambda code: url_for("messaging.report", to=code, draft=carried.get("draft")),
                {name: value for name, value in carried.items() if name != "to"},
                url_for("messaging.cases"),
                _("The place where the child was last seen, or the placement. Police there must"
                  " record your report."),
            )  # fmt: skip
    files = attaching.carried(TYPE, kept.get(attaching.FILES, []))
    with context.database().unit_of_work() as session:
        return _page(session, actor, form, files, carried)


@page(blueprint, "/cases/new", guard=OPEN, methods=("POST",), endpoint="report_send")
def send() -> ResponseReturnValue:
    """Open the case once, or keep a draft; a refusal keeps what was typed."""
    actor, carried = context.current_actor(), _carried()
    form = _form(actor)
    envelope: dict[str, Any] = {"to": [carried["to"]] if "to" in carried else []}
    envelope["priority"] = "routine" if actor.police else "urgent"
    files = attaching.received(
        TYPE, lambda session, earlier: attachments.place_of_new_case(session, actor, earlier)
    )
    command = form.read(request.form, {**envelope, "attachments": files.ids})
    if request.form.get("do") == "draft" and not files.problems:
        carried["draft"] = _keep(actor, carried, files)
        flash(_("Your draft is saved."))
        return redirect(
            url_for("messaging.report", to=carried.get("to"), draft=carried["draft"]), 303
        )
    if command is not None and not files.problems:
        try:
            return _opened(actor, command, carried)
        except HubError as error:
            if error.status not in (403, 409, 422):
                raise
            form.refuse(error)
    carried["draft"] = _keep(actor, carried, files)
    with context.database().unit_of_work() as session:
        return _page(session, actor, form, files, carried), 422


def _opened(actor: Actor, command: Command, carried: dict[str, str]) -> ResponseReturnValue:
    vault, now = context.vault(), context.now()
    with context.database().unit_of_work() as session:

        def effect() -> dict[str, Any]:
            sent = sending.open_case(session, actor, vault, command, now)
            if "draft" in carried:
                drafts.discard(session, actor, vault, UUID(carried["draft"]), now)
            _remember(session, actor, sent.case_reference)
            return {"reference": sent.case_reference}

        if actor.id is None:
            raise not_found()
        done = once(session, actor.id, now, effect)
    flash(
        _("Recorded. Your unit leads.")
        if actor.police
        else _("Sent. The police do not have it until someone answers: ring now.")
    )
    return redirect(url_for("messaging.case", reference=done["reference"]), 303)


def _remember(session: Session, actor: Actor, reference: str) -> None:
    """Keep for this session why the reporter looks at the case: they opened it."""
    if actor.session_id is None:
        return
    case_id = views.case_id(session, actor, reference, context.now())
    consultation.remember_reason(
        session, context.vault(), actor.session_id, case_id, OPENED_IT, now=context.now()
    )


def _keep(actor: Actor, carried: dict[str, str], files: Attaching) -> str:
    fields = {
        name: values
        for name, values in request.form.to_dict(flat=False).items()
        if name not in ("csrf_token", "do", "draft", attaching.DROP, FIELD)
    } | {attaching.FILES: files.ids}
    draft = UUID(carried["draft"]) if "draft" in carried else None
    with context.database().unit_of_work() as session:
        kept = drafts.save(
            session,
            actor,
            context.vault(),
            message_type=TYPE,
            fields=fields,
            now=context.now(),
            draft_id=draft if draft and drafts.mine(session, actor, draft) else None,
        )
    return str(kept)


def _page(
    session: Session,
    actor: Actor,
    form: MessageForm,
    files: Attaching,
    carried: dict[str, str],
) -> str:
    status = actor.status or "actual"
    unit = find_unit(session, carried["to"]) if "to" in carried else None
    before, contacts = [], []
    if actor.police:
        before.append(
            _("%(unit)s leads from the second that you record this.", unit=actor.unit_name)
        )
    elif unit is not None:
        before.append(_("To %(unit)s.", unit=unit.name))
        contacts = ringing.numbers(unit.id, "report-missing", context.now(), actor, status)
    return render_template(
        "messaging/compose.html",
        ref=None,
        status=status,
        heading=_("Report a child missing"),
        send_label=_("Record it: my unit leads") if actor.police else _("Send the report"),
        back=url_for("messaging.cases"),
        action=url_for("messaging.report_send"),
        hidden=[*carried.items(), (FIELD, token())],
        fields=form.fields,
        files=files.shown(),
        others=form.others,
        problems=form.problems,
        before=before,
        ring=contacts,
        ring_sentence=_("The police do not have this until someone answers: ring.")
        if not actor.police
        else "",
        draftable=True,
    )
