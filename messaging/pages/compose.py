"""Writing a message in a case: what is on the case already is filled in, and it is sent once."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from hub.errors import HubError, not_found
from hub.identity.actor import Actor
from hub.organisations import find_unit
from hub.web import context
from hub.web.guards import page, permission
from hub.web.typed import typed_from
from messaging import attachments, drafts, sending, views, wording
from messaging.contracts import CONTRACTS, Command
from messaging.contracts.reports import OFFICER
from messaging.contracts.returning import PREVENTION, RHI
from messaging.pages import addressing, attaching, choosing, explaining, quoting, returning, ringing
from messaging.pages.attaching import Attaching
from messaging.pages.blueprint import blueprint
from messaging.pages.case import ask_reason, known_reason
from messaging.pages.forms import PURPOSES, MessageForm
from messaging.pages.once import FIELD, once, token
from messaging.pages.writing import CARRIED, Writing, writing_of
from messaging.shown import Known

READ = permission("inbox.read")
OTHERS = {"prevention": RHI, "rhi": PREVENTION}
"""What the form of an interview does not ask: the fields of the other."""

BY_POLICE = (
    "new_risk", "ukmpu_not_told", "risk_assessor", "review_at", "also_wanted", "live_line",
    "live_until",
)  # fmt: skip
"""What the form of news does not ask of others: police say it."""


@page(blueprint, "/cases/<reference>/send/<message_type>", guard=READ, endpoint="compose")
def show(reference: str, message_type: str) -> ResponseReturnValue:
    """Show the form, filled in as far as the case or a draft knows.

    It shows what is on the case: first ask why, as the case's page does, then whom to ask.
    """
    writing = writing_of(reference, message_type)
    actor = context.current_actor()
    kept: dict[str, list[str]] = {}
    with context.database().unit_of_work() as session:
        if known_reason(session, reference) is None:
            return ask_reason(reference, request.full_path.rstrip("?"), {})
        known = views.prefill(
            session, actor, context.vault(), reference, message_type, context.now(),
            _replied_to(writing), writing.carried,
        )  # fmt: skip
        if "draft" in writing.carried:
            kept = drafts.load(session, actor, context.vault(), UUID(writing.carried["draft"]))
            typed = {name: values[0] for name, values in kept.items() if values}
            drafted = {name: typed[name] for name in CARRIED if typed.get(name)}
            writing.carried = drafted | writing.carried
            form = _form(actor, writing)
            form.values = typed
        else:
            form = _form(actor, writing)
            form.values = typed_from(known.body)
            if message_type == "information-request":
                form.values["purpose"] = PURPOSES[actor.police]
            if message_type == "lead-transfer-request":
                number = ringing.own_number(actor, context.now(), known.status)
                form.values.setdefault("callback_telephone", number)
            if "action_done" in writing.carried:
                form.values["heading"] = "action"
            if writing.joins:
                form.values["lead_after"] = "theirs"
            if known.body.get("risk") == "high":
                form.values["priority"] = "urgent"
        search = addressing.search(session, actor, writing, known.status)
        if search is not None:
            return search
        if request.args.get("readdress"):
            form.values |= {
                "reason": "wrong-force",
                "readdress_to": request.args["readdress"][:200],
            }
        if request.args.get("destination"):
            form.values |= {"destination_unit": request.args["destination"][:200]}
        if message_type == "joint-response-plan" and request.args.get("lead"):
            form.values |= {"lead_unit": request.args["lead"][:200]}
        if message_type == "direction" and request.args.get("lead"):
            form.values |= {"lead": request.args["lead"][:200]}
    files = attaching.carried(message_type, kept.get(attaching.FILES, []))
    with context.database().unit_of_work() as session:
        return _page(session, writing, form, files, known)


def _replied_to(writing: Writing) -> UUID | None:
    return UUID(writing.carried["re"]) if "re" in writing.carried else None


def _form(actor: Actor, writing: Writing) -> MessageForm:
    """Return the form of a type; who leads is for police alone to say."""
    interview = writing.carried.get("interview", "")
    if writing.message_type == "interview-record" and interview in OTHERS:
        return MessageForm(writing.message_type, leave_out=OTHERS[interview], unseen=("interview",))
    if writing.adds:
        return MessageForm("update", leave_out=BY_POLICE, unseen=("heading",))
    police_only: tuple[str, ...] = () if actor.police else OFFICER
    if writing.message_type == "update" and not actor.police:
        police_only = BY_POLICE
    of_joining = () if writing.joins else ("lead_after",)
    return MessageForm(writing.message_type, leave_out=police_only + of_joining)


@page(
    blueprint,
    "/cases/<reference>/send/<message_type>",
    guard=READ,
    methods=("POST",),
    endpoint="compose_send",
)
def send(reference: str, message_type: str) -> ResponseReturnValue:
    """Send the message once, or keep it as a draft; a refusal keeps what was typed."""
    writing = writing_of(reference, message_type)
    form = _form(context.current_actor(), writing)
    files = attaching.received(
        message_type,
        lambda session, _earlier: attachments.place(
            session, context.current_actor(), reference, context.now()
        ),
    )
    command = form.read(request.form, {**writing.envelope, "attachments": files.ids})
    if request.form.get("do") == "draft" and not files.problems:
        _keep(writing, files)
        flash(_("Your draft is saved."))
        return redirect(writing.address(), 303)
    if request.form.get("do") == "find" and not files.problems:
        _keep(writing, files)
        return redirect(writing.address(q=""), 303)
    overtaken = ""
    status = 200 if "more_rows" in request.form and not files.problems else 422
    if command is not None and not files.problems:
        try:
            return _sent(writing, command)
        except HubError as error:
            if error.status not in (403, 409, 422):
                raise
            form.refuse(error)
            status, overtaken = error.status, winner(error)
    _keep(writing, files)
    with context.database().unit_of_work() as session:
        known = views.prefill(
            session,
            context.current_actor(),
            context.vault(),
            reference,
            message_type,
            context.now(),
            _replied_to(writing),
        )
        return _page(session, writing, form, files, known, overtaken), status


def _sent(writing: Writing, command: Command) -> ResponseReturnValue:
    actor, vault, now = context.current_actor(), context.vault(), context.now()
    with context.database().unit_of_work() as session:

        def effect() -> dict[str, Any]:
            sent = sending.send(session, actor, vault, writing.reference, command, now)
            if "draft" in writing.carried:
                drafts.discard(session, actor, vault, UUID(writing.carried["draft"]), now)
            return {"number": sent.number}

        if actor.id is None:
            raise not_found()
        done = once(session, actor.id, now, effect)
    flash(said(writing.message_type))
    address = url_for("messaging.case", reference=writing.reference)
    return redirect(f"{address}#message-{done['number']}", 303)


def said(message_type: str) -> str:
    """Return what the case page says once a message is sent."""
    sent = CONTRACTS[message_type].SENT
    return _(sent) if sent else _("Sent: %(name)s.", name=wording.type_name(message_type))


def winner(error: HubError) -> str:
    """Return what happened first, of a request that somebody else has answered."""
    found = error.extra.get("winner")
    if not isinstance(found, dict):
        return ""
    return _(
        "%(what)s by %(name)s, %(unit)s, %(at)s. What you typed is still here.",
        what=wording.type_name(str(found.get("type", ""))),
        name=found.get("name", ""),
        unit=found.get("unit", ""),
        at=wording.moment_of_text(str(found.get("at", ""))),
    )


def _keep(writing: Writing, files: Attaching) -> None:
    """Save what was typed as a draft, and carry its id."""
    fields = {
        name: values
        for name, values in request.form.to_dict(flat=False).items()
        if name not in ("csrf_token", "do", "draft", "more_rows", attaching.DROP, FIELD)
    } | {attaching.FILES: files.ids}
    actor = context.current_actor()
    with context.database().unit_of_work() as session:
        draft = UUID(writing.carried["draft"]) if "draft" in writing.carried else None
        kept = drafts.save(
            session,
            actor,
            context.vault(),
            message_type=writing.message_type,
            fields=fields,
            now=context.now(),
            case_id=views.case_id(session, actor, writing.reference, context.now()),
            draft_id=draft if draft and drafts.mine(session, actor, draft) else None,
        )
        writing.carried["draft"] = str(kept)


def _quoted(writing: Writing, known: Known) -> list[dict[str, Any]]:
    """Return what the form is an answer to, or the reasons of both sides of a dispute."""
    if writing.message_type == "direction" and known.dispute is not None:
        return quoting.sides(known.messages, *known.dispute)
    if writing.message_type in quoting.ANSWERING:
        asked = _replied_to(writing)
        return [quoting.quoted(one, known.names) for one in known.messages if one.id == asked]
    return []


def _heading(writing: Writing) -> str:
    if addressing.reports(context.current_actor(), writing):
        return _("Report a child missing")
    if writing.adds:
        return _("Add information")
    kinds = {"prevention": _("Prevention interview"), "rhi": _("Return home interview")}
    return kinds.get(writing.carried.get("interview", ""), wording.act_name(writing.message_type))


def _page(
    session: Session,
    writing: Writing,
    form: MessageForm,
    files: Attaching,
    known: Known,
    overtaken: str = "",
) -> str:
    actor, status = context.current_actor(), known.status
    reports = addressing.reports(actor, writing)
    to = find_unit(session, writing.carried["to"]) if "to" in writing.carried else None
    form.offered = choosing.offered(session, actor, writing.reference,
                                    writing.message_type, context.now())  # fmt: skip
    before = [_("To %(unit)s.", unit=to.name)] if to is not None else []
    before += explaining.before(
        session, actor, writing.reference, writing.message_type, context.now(),
        joins=writing.joins, withdraws="withdraws" in writing.carried, adds=writing.adds,
    )  # fmt: skip
    owed: list[dict[str, Any]] = []
    if writing.message_type == "closure":
        owed, elsewhere, episodes = returning.before_closing(
            session, actor, writing.reference, context.now()
        )
        before += [elsewhere] if elsewhere else []
        before += [_("The hub writes of its episodes itself:"), *episodes] if episodes else []
    heading = [("heading", "new-information")] if writing.adds else []
    return render_template(
        "messaging/compose.html",
        find=addressing.finds(actor, writing),
        owing=owed,
        now=context.now(),
        ref=writing.reference,
        status=status,
        heading=_("Ask to join the two episodes") if writing.joins else _heading(writing),
        send_label=_("Ask to join")
        if writing.joins
        else _("Send the report")
        if reports
        else _("Add information")
        if writing.adds
        else wording.send_label(writing.message_type),
        ring=ringing.numbers(to.id, "report-missing", context.now(), actor, status)
        if to is not None and reports
        else [],
        ring_sentence=_("The police do not have this until someone answers: ring.")
        if reports
        else "",
        back=url_for("messaging.case", reference=writing.reference),
        action=url_for(
            "messaging.compose_send",
            reference=writing.reference,
            message_type=writing.message_type,
        ),
        hidden=[*writing.carried.items(), *heading, (FIELD, token())],
        fields=form.fields,
        files=files.shown(),
        others=form.others,
        problems=form.problems,
        overtaken=overtaken,
        before=before,
        quoted=_quoted(writing, known),
        history=url_for("messaging.case", reference=writing.reference, _anchor="history")
        if writing.message_type == "direction"
        else "",
        draftable=True,
    )
