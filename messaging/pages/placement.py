"""Telling police of a placement: the hub finds both areas’ police, and asks where it is not sure."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.errors import HubError
from hub.identity.actor import Actor
from hub.web import context
from hub.web.guards import page, permission
from messaging import attachments
from messaging.contracts import CONTRACTS
from messaging.pages import attaching, opening, picking
from messaging.pages.attaching import Attaching
from messaging.pages.blueprint import blueprint
from messaging.pages.forms import MessageForm
from messaging.pages.once import FIELD, token

TYPE = "placement-notification"
TELL = permission("send.placement-notification")
CARRIED = ("draft",)


def _form() -> MessageForm:
    return MessageForm(TYPE, leave_out=("action",))


@page(blueprint, "/cases/placement", guard=TELL, endpoint="placement")
def show() -> ResponseReturnValue:
    """Show the form; or the search for the police unit of the address, to choose it by hand."""
    actor, carried, form = context.current_actor(), opening.carried(CARRIED), _form()
    with context.database().unit_of_work() as session:
        kept = opening.take_up(session, actor, form, carried)
        if "q" in request.args:
            return picking.page(
                session,
                None,
                actor.status or "actual",
                _("Which police unit answers for the address?"),
                lambda code: url_for("messaging.placement", destination=code, **_draft(carried)),
                carried,
                url_for("messaging.placement", **_draft(carried)),
            )
        if request.args.get("destination"):
            form.values |= {"destination_unit": request.args["destination"][:200]}
    return _page(actor, form, attaching.carried(TYPE, kept), carried)


@page(blueprint, "/cases/placement", guard=TELL, methods=("POST",), endpoint="placement_send")
def send() -> ResponseReturnValue:
    """Open the case once, or keep a draft; a refusal or a question keeps what was typed."""
    actor, carried, form = context.current_actor(), opening.carried(CARRIED), _form()
    files = attaching.received(
        TYPE, lambda session, earlier: attachments.place_of_new_case(session, actor, earlier)
    )
    command = form.read(request.form, {"attachments": files.ids})
    if request.form.get("do") == "find" and not files.problems:
        carried["draft"] = opening.keep(actor, TYPE, carried, files)
        return redirect(url_for("messaging.placement", q="", **_draft(carried)), 303)
    if request.form.get("do") == "draft" and not files.problems:
        carried["draft"] = opening.keep(actor, TYPE, carried, files)
        flash(_("Your draft is saved."))
        return redirect(url_for("messaging.placement", **_draft(carried)), 303)
    if command is not None and not files.problems:
        try:
            reference = opening.open_once(actor, command, carried)
            flash(_(CONTRACTS[TYPE].SENT))
            return redirect(url_for("messaging.case", reference=reference), 303)
        except HubError as error:
            if error.status not in (403, 409, 422):
                raise
            form.refuse(error)
    carried["draft"] = opening.keep(actor, TYPE, carried, files)
    return _page(actor, form, files, carried), 200 if "more_rows" in request.form else 422


def _draft(carried: dict[str, str]) -> dict[str, Any]:
    return {"draft": carried["draft"]} if "draft" in carried else {}


def _page(actor: Actor, form: MessageForm, files: Attaching, carried: dict[str, str]) -> str:
    return render_template(
        "messaging/compose.html",
        ref=None,
        status=actor.status or "actual",
        heading=_("Tell police of a placement"),
        send_label=_(CONTRACTS[TYPE].SEND),
        back=url_for("messaging.cases"),
        action=url_for("messaging.placement_send"),
        hidden=[*carried.items(), (FIELD, token())],
        fields=form.fields,
        files=files.shown(),
        others=form.others,
        problems=form.problems,
        before=[
            _(
                "Before the placement begins, or within 5 working days in an emergency. The police"
                " of both areas and the council of the address are told, and you see who has it."
            )
        ],
        find=_("Choose the police unit of the address by hand"),
        draftable=True,
    )
