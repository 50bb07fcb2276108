"""The pages of a guest link: a GET shows a reference and a form; the code opens the message."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from uuid import UUID

from flask import flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.errors import HubError, conflict
from hub.records import audit
from hub.web import context
from hub.web.guards import page, permission, public
from hub.web.typed import typed_from
from messaging import (
    downloads,
    guest_links,
    guests,
    open_questions,
    receipts,
    sending,
    serving,
    views,
    wording,
)
from messaging.attachments import AttachmentView
from messaging.contracts.reports import OFFICER
from messaging.guest_secrets import Guest
from messaging.guests import Opened, WrongCode
from messaging.model import Message
from messaging.open_questions import ANSWERS, FURTHER
from messaging.pages import further
from messaging.pages.blueprint import blueprint
from messaging.pages.forms import MessageForm
from messaging.pages.further import OFFER
from messaging.pages.reading import Row, rows

NOT_TAKEN_OVER = (
    *OFFICER, "risk_assessor", "risk_list_version", "review_at", "callback_telephone",
)  # fmt: skip
"""What whoever records a report says of it themselves."""

TAKEN = {*FURTHER, *(code for codes in ANSWERS.values() for code in codes)}
View = Callable[..., ResponseReturnValue]


def _closed(view: View) -> View:
    """Keep the page out of caches, search and the Referer of whatever is opened from it.

    It is marked as the case is, whatever it comes to show: nobody has signed in for an exercise.
    """

    @wraps(view)
    def closed(**arguments: Any) -> ResponseReturnValue:
        with context.database().unit_of_work() as session:
            g.page_status = guests.status_of(session, arguments["token"])
        response = make_response(view(**arguments))
        response.headers["Cache-Control"] = "no-store"
        # Not no-referrer: the check against forged forms wants to see our own address over TLS.
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return closed


@page(blueprint, "/answer/<token>", guard=public, endpoint="guest")
@_closed
def show(token: str) -> ResponseReturnValue:
    """Ask who it is and for the code; nothing is changed, and no content shown."""
    return _ask(token, {})


def _ask(token: str, problems: dict[str, str], status: int = 200) -> ResponseReturnValue:
    with context.database().unit_of_work() as session:
        card = guests.card(session, token, context.now())
    html = render_template(
        "messaging/guest_code.html",
        token=token,
        card=card,
        status=card.status,
        sentence=guests.SENTENCES.get(card.state, ""),
        problems=problems,
        typed=request.form,
    )
    return html, status if card.state == "open" else 410


@page(blueprint, "/answer/<token>", guard=public, methods=("POST",), endpoint="guest_open")
@_closed
def open_(token: str) -> ResponseReturnValue:
    """Take name, collar number and code; the right code opens the message, on record."""
    who = Guest(
        name=request.form.get("name", "").strip()[:200],
        collar_number=request.form.get("collar_number", "").strip()[:40],
        rank=request.form.get("rank", "").strip()[:100],
    )
    try:
        with context.database().unit_of_work() as session:
            opened = guests.give_code(
                session, context.runtime().keys, token, request.form.get("code", "")[:40],
                who, context.now(),
            )  # fmt: skip
            if isinstance(opened, Opened):
                return _message(session, token, opened, {}, consulted=True)
    except HubError as error:
        if error.status not in (409, 422):
            raise
        return _ask(token, {f.pointer.strip("/"): f.sentence for f in error.fields}, error.status)
    return _ask(token, {"code": _wrong(opened)}, 422)


def _wrong(wrong: WrongCode) -> str:
    if wrong.left == 0:
        return _(
            "The code is wrong. The link is revoked: ring the unit that sent it for a new one."
        )
    return _("The code is wrong. It can be tried %(left)s more times.", left=wrong.left)


@page(
    blueprint,
    "/answer/<token>/answer",
    guard=public,
    methods=("POST",),
    endpoint="guest_answer",
)
@_closed
def answer(token: str) -> ResponseReturnValue:
    """Take the answer, once: the link is used up in the same moment."""
    now, keys = context.now(), context.runtime().keys
    pass_ = request.form.get("pass", "")[:2000]
    answer_type = request.form.get("answer", "")
    if answer_type not in TAKEN:
        raise HubError("answer-missing", 422, "Go back, and choose one of the answers.")
    form = _form(answer_type)
    try:
        with context.database().unit_of_work() as session:
            opened = guests.return_with_pass(session, keys, token, pass_, now)
            if answer_type not in opened.takes:
                raise conflict("answer-other", "This link does not take that: open it again.")
            if "choose" in request.form:
                blank = _blank(session, opened, answer_type, {})
                return _message(session, token, opened, {answer_type: blank})
            to = request.form.get("to", "")
            command = form.read(request.form, further.known(session, opened, answer_type, to, now))
            if command is None:
                shown = _message(session, token, opened, {form.message_type: form})
                return shown, 200 if "more_rows" in request.form else 422
            guests.consume(session, token, now)
            sending.send(session, opened.actor, context.vault(), opened.answered_in, command, now)
    except HubError as error:
        if error.status == 422:
            form.refuse(error)
            with context.database().unit_of_work() as session:
                opened = guests.return_with_pass(session, keys, token, pass_, now)
                return _message(session, token, opened, {form.message_type: form}), 422
        if error.status not in (403, 409):
            raise
        return _ask(token, {"": error.sentence}, error.status)
    return _done(form.message_type, opened)


def _form(answer_type: str) -> MessageForm:
    """Return the form of what a guest sends; only an offer says how it is to be answered."""
    offers = answer_type == OFFER
    return MessageForm(answer_type, envelope=offers, leave_out=("lead_after",) if offers else ())


def _message(
    session: Session,
    token: str,
    opened: Opened,
    tried: Mapping[str, MessageForm],
    *,
    consulted: bool = False,
) -> str:
    """Return the page with the message, and a form for each answer; the reading is on record."""
    now, actor = context.now(), opened.actor
    message = views.one_message(session, actor, context.vault(), opened.message_id, now)
    if consulted:
        receipts.opened(session, actor, [(message.id, unit) for unit in message.to_me], now)
    audit.record(
        session, actor.who, audit.CONSULTATION, now=now,
        case_id=session.get_one(Message, message.id).case_id, object_kind="message",
        object_id=message.id, reason_code=views.ADDRESSED,
    )  # fmt: skip
    card = guests.card(session, token, now)
    report = _report(session, opened, message.id)
    answers = []
    acts = opened.takes == FURTHER
    for answer_type in tried if acts else opened.takes:
        form = tried.get(answer_type) or _blank(session, opened, answer_type, message.body)
        label = wording.act_name(answer_type) if acts else wording.send_label(answer_type)
        answers.append(_Answer(answer_type, label, _says(answer_type), form))
    return render_template(
        "messaging/guest_answer.html",
        token=token,
        pass_=opened.pass_,
        card=card,
        status=card.status,
        guest=actor,
        message={
            "name": wording.type_name(message.type),
            "from_unit": message.sender_unit.name,
            "fields": rows(message.type, message.body),
            "files": [_file(one) for one in message.attachments],
            "withheld": message.withheld,
        },
        child=report,
        answers=answers,
        acts=further.acts(session, opened, now),
        offers_to=further.offers_to(session, opened, now) if OFFER in tried else [],
        offered=request.form.get("to", ""),
        problems=next((one.form.problems for one in answers if one.form.problems), {}),
        now=now,
    )


def _file(one: AttachmentView) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "said": f"{wording.FILE_KINDS[one.kind]}, {wording.size(one.size)},"
        f" {wording.SCANS[one.scan]}",
    }


@page(
    blueprint,
    "/answer/<token>/attachments/<uuid:attachment_id>",
    guard=public,
    methods=("POST",),
    endpoint="guest_attachment",
)
@_closed
def attachment(token: str, attachment_id: UUID) -> ResponseReturnValue:
    """Hand out a file that came with the message, to whoever gave the code; on record."""
    now, pass_ = context.now(), request.form.get("pass", "")[:2000]
    try:
        with context.database().unit_of_work() as session:
            opened = guests.return_with_pass(session, context.runtime().keys, token, pass_, now)
            found = downloads.open_(
                session, opened.actor, context.vault(), opened.reference, attachment_id, now,
                reason_code=views.ADDRESSED, only_of=opened.message_id,
            )  # fmt: skip
    except HubError as error:
        if error.status not in (403, 409):
            raise
        return _ask(token, {"": error.sentence}, error.status)
    return serving.file(found)


def _report(session: Session, opened: Opened, message_id: UUID) -> list[Row]:
    """Return who the child is and where they were last seen, as last reported; on record too."""
    actor, now = opened.actor, context.now()
    case_id = session.get_one(Message, message_id).case_id
    last = session.scalar(
        select(Message.id)
        .where(Message.case_id == case_id, Message.type == "missing-episode-report")
        .order_by(Message.number.desc())
        .limit(1)
    )
    if last is None or last == message_id:
        return []
    try:
        found = views.one_message(session, actor, context.vault(), last, now)
    except HubError as error:
        if error.status != 404:
            raise
        return []  # none of the report is for this unit
    audit.record(
        session, actor.who, audit.CONSULTATION, now=now, case_id=case_id, object_kind="message",
        object_id=last, reason_code=views.ADDRESSED,
    )  # fmt: skip
    shown = ("child", "last_seen_at", "last_seen_place", "risk", "why")
    return rows(found.type, {n: v for n, v in found.body.items() if n in shown})


def _blank(
    session: Session, opened: Opened, answer_type: str, asked: Mapping[str, Any]
) -> MessageForm:
    """Return the form of an answer, filled in with who the guest said they are, and what was told."""
    form, actor = _form(answer_type), opened.actor
    if answer_type in FURTHER:
        known = views.prefill(
            session, actor, context.vault(), opened.reference, answer_type, context.now()
        )
        form.values = typed_from(known.body)
    officer = {
        "named_officer": actor.name,
        "officer_rank": actor.rank_or_role,
        "officer_collar": actor.collar_number,
    }
    if answer_type == "missing-episode-report":
        told = {name: value for name, value in asked.items() if name not in NOT_TAKEN_OVER}
        form.values = typed_from({**told, **officer})
    if answer_type == "lead-transfer-accept":
        form.values = typed_from(officer)
    if answer_type == "plan-reply":
        form.values = {"named_person": f"{actor.rank_or_role or ''} {actor.name}".strip()}
    return form


def _says(answer_type: str) -> str:
    if answer_type in ("lead-transfer-accept", "missing-episode-report"):
        return _("Your unit leads the investigation from the moment you send this.")
    if answer_type == "lead-transfer-decline":
        return _("The lead stays where it is.")
    if answer_type == OFFER:
        return _("Your unit leads until they accept.")
    return ""


def _done(message_type: str, opened: Opened) -> ResponseReturnValue:
    lines = [_("You can close this page. The link cannot be used again.")]
    if message_type in ("lead-transfer-accept", "missing-episode-report"):
        lines.insert(0, _("%(unit)s leads from this moment.", unit=opened.actor.unit_name))
    elif message_type == "located":
        lines.append(
            _("Your unit owes the prevention interview within 24 hours. The unit that rang you can"
              " put it on record for you: ring it.")
        )  # fmt: skip
    elif message_type in FURTHER:
        lines.append(_("For the next step, ask the unit that rang you for a fresh link."))
    elif message_type == "lead-transfer-decline":
        lines.insert(0, _("The lead has not moved: the other unit leads."))
    return render_template(
        "messaging/guest_done.html",
        ref=opened.reference,
        done=wording.type_name(message_type),
        lines=lines,
    )


@page(
    blueprint,
    "/cases/<reference>/guest-link/<int:number>",
    guard=permission("case.list"),
    methods=("POST",),
    endpoint="guest_link_send",
)
def send_link(reference: str, number: int) -> ResponseReturnValue:
    """Send a link to the verified mailbox of a unit without accounts, for one message of mine."""
    actor, now = context.current_actor(), context.now()
    with context.database().unit_of_work() as session:
        question = open_questions.asked(
            session, actor, reference, number, request.args.get("unit", "")
        )
        guest_links.issue(
            session, actor, context.runtime().keys, question.message_id, question.unit_id, now
        )
    return _sent(reference)


@page(
    blueprint,
    "/cases/<reference>/guest-link/lead",
    guard=permission("case.list"),
    methods=("POST",),
    endpoint="lead_link_send",
)
def send_lead_link(reference: str) -> ResponseReturnValue:
    """Send a lead that is not on the hub a link for one further act, where my unit rings it."""
    with context.database().unit_of_work() as session:
        guest_links.issue_to_lead(
            session, context.current_actor(), context.runtime().keys, reference, context.now()
        )
    return _sent(reference)


def _sent(reference: str) -> ResponseReturnValue:
    flash(_("The link is on its way. Read the code below out on the telephone."))
    return redirect(url_for("messaging.case", reference=reference), 303)


@dataclass
class _Answer:
    """One way to answer, as a form of its own."""

    type: str
    label: str
    says: str
    form: MessageForm = field(repr=False)

    @property
    def fields(self) -> list[Any]:
        return self.form.fields

    @property
    def others(self) -> list[str]:
        return self.form.others
