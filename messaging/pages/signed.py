"""Signed replies: attached by an officer, read and decided on by a supervisor."""

from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.errors import HubError
from hub.web import context
from hub.web.guards import page, permission
from messaging import codes, open_questions, signed_replies, wording
from messaging.open_questions import Question
from messaging.pages.blueprint import blueprint
from messaging.signed_replies import ReplyCard, Upload

READ = permission("case.list")


@page(
    blueprint,
    "/cases/<reference>/signed-reply/<int:number>",
    guard=READ,
    endpoint="signed_reply_new",
)
def form(reference: str, number: int) -> ResponseReturnValue:
    """Ask for the paper and what it says."""
    return _form(reference, number, {})


@page(
    blueprint,
    "/cases/<reference>/signed-reply/<int:number>",
    guard=READ,
    methods=("POST",),
    endpoint="signed_reply_attach",
)
def attach(reference: str, number: int) -> ResponseReturnValue:
    """Keep the paper for a supervisor."""
    actor, now = context.current_actor(), context.now()
    problems = _problems()
    file = request.files.get("file")
    if file is None or not file.filename:
        problems["file"] = _("Choose the file of the signed reply")
    if problems or file is None:
        return _form(reference, number, problems, 422)
    try:
        with context.database().unit_of_work() as session:
            question = open_questions.asked(session, actor, reference, number, _unit())
            signed_replies.attach(
                session,
                actor,
                context.vault(),
                Upload(
                    message_id=question.message_id,
                    unit_id=question.unit_id,
                    answer="accept" if request.form["answer"] == "accept" else "decline",
                    fields={
                        name: request.form.get(name, "").strip()
                        for name in (*SIGNER, "code")
                        if request.form.get(name, "").strip()
                    },
                    file=file.stream,
                ),
                now,
            )
    except HubError as error:
        if error.status not in (409, 422):
            raise
        name = error.fields[0].pointer.strip("/") if error.fields else ""
        return _form(reference, number, {name: error.sentence}, error.status)
    flash(
        _("The reply is attached. A supervisor of your unit must authorise it; nothing moves yet.")
    )
    return redirect(url_for("messaging.case", reference=reference), 303)


SIGNER = (
    "officer_name", "officer_rank", "officer_collar_number", "supervisor", "their_reference",
    "explanation",
)  # fmt: skip


def _unit() -> str:
    """Return the code of the unit whose reply it is, where several were asked."""
    return request.args.get("unit", "")


def says(answer_type: str | None, way: str) -> str:
    """Return what a paper says: which answer it is, the affirmative or the other."""
    if answer_type == "information-response":
        return _("It answers") if way == "accept" else _("It refuses to answer")
    if answer_type == "plan-reply":
        return _("It agrees to the plan") if way == "accept" else _("It declines the plan")
    return wording.type_name(answer_type or "")


def _problems() -> dict[str, str]:
    form = request.form
    problems = {}
    if not form.get("answer"):
        problems["answer"] = _("Choose what the reply says")
    if not form.get("officer_name", "").strip():
        problems["officer_name"] = _("Enter the name of the officer who signed")
    if not form.get("officer_collar_number", "").strip():
        problems["officer_collar_number"] = _("Enter the collar number of the officer who signed")
    return problems


def _form(
    reference: str, number: int, problems: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    actor, now = context.current_actor(), context.now()
    with context.database().unit_of_work() as session:
        question = open_questions.asked(session, actor, reference, number, _unit())
        html = render_template(
            "messaging/signed_reply_new.html",
            ref=reference,
            status=question.status,
            unit=question.unit_name,
            answers=[
                (answer, says(open_questions.answer_type(question.message_type, answer), answer))
                for answer in ("accept", "decline")
            ],
            codes=list(codes.DECLINES.items()) if question.declines_with_code else [],
            fields=[
                ("officer_name", _("Name of the officer who signed"), "", 20),
                ("officer_rank", _("Rank or role (optional)"), "", 20),
                ("officer_collar_number", _("Collar number"), "", 10),
                *_supervisor(question),
                ("their_reference", _("Their reference (optional)"), "", 20),
                ("explanation", _("What else it says (optional)"), "", 30),
            ],
            typed=request.form,
            problems=problems,
            now=now,
        )
    return html, status


def _supervisor(question: Question) -> list[tuple[str, str, str, int]]:
    """Return the field of who authorised an acceptance of the lead; none where no lead is offered."""
    if question.message_type != "lead-transfer-request":
        return []
    hint = _("If they accept, and their organisation asks for a supervisor’s authority")
    return [("supervisor", _("Supervisor who authorised it, rank and name"), hint, 20)]


@page(blueprint, "/cases/signed-replies/<uuid:reply_id>", guard=READ, endpoint="signed_reply")
def show(reply_id: UUID) -> ResponseReturnValue:
    """Show what the paper is said to say, and to a supervisor the two ways to decide."""
    return _card(reply_id, {})


def _card(reply_id: UUID, problems: dict[str, str], status: int = 200) -> ResponseReturnValue:
    with context.database().unit_of_work() as session:
        card = signed_replies.read(
            session, context.current_actor(), context.vault(), reply_id, context.now()
        )
    return render_template(
        "messaging/signed_reply.html",
        card=card,
        status=card.status,
        sentence=sentence(card),
        rows=_rows(card),
        kind=card.file_type.rsplit("/", 1)[-1].upper(),
        size=_("%(size)s KB", size=max(1, card.file_size // 1024)),
        problems=problems,
    ), status


def sentence(card: ReplyCard) -> str:
    """Return where a signed reply stands, in words."""
    if card.state == "pending":
        return _(
            "Waits for a supervisor of your unit, other than %(name)s, to authorise it."
            " Nothing has moved.",
            name=card.uploaded_by_name,
        )
    at = wording.moment(card.decided_at) if card.decided_at else ""
    if card.state == "authorised":
        return _("Authorised by %(name)s, %(at)s.", name=card.decided_by_name, at=at)
    return _("Refused by %(name)s, %(at)s. Nothing has moved.", name=card.decided_by_name, at=at)


def _rows(card: ReplyCard) -> list[dict[str, str]]:
    fields = card.fields
    signer = ", ".join(
        fields[name]
        for name in ("officer_rank", "officer_name", "officer_collar_number")
        if fields.get(name)
    )
    rows = [
        (_("The reply says"), says(card.answer, card.way)),
        (_("Why they decline"), str(codes.DECLINES.get(fields.get("code", ""), ""))),
        (_("Signed by"), signer),
        (_("Authorised by their supervisor"), fields.get("supervisor", "")),
        (_("It also says"), fields.get("explanation", "")),
        (_("Their reference"), fields.get("their_reference", "")),
        (_("Attached by"), f"{card.uploaded_by_name}, {wording.moment(card.uploaded_at)}"),
    ]
    return [{"label": label, "value": value} for label, value in rows if value]


@page(
    blueprint,
    "/cases/signed-replies/<uuid:reply_id>/file",
    guard=READ,
    endpoint="signed_reply_file",
)
def file(reply_id: UUID) -> ResponseReturnValue:
    """Hand out the paper; that it was looked at is on record."""
    with context.database().unit_of_work() as session:
        card, content = signed_replies.file(
            session, context.current_actor(), context.vault(), reply_id, context.now()
        )
    return Response(
        content,
        mimetype=card.file_type,
        headers={
            "Content-Disposition": f'attachment; filename="{card.file_name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
        },
    )


@page(
    blueprint,
    "/cases/signed-replies/<uuid:reply_id>/decision",
    guard=READ,
    methods=("POST",),
    endpoint="signed_reply_decide",
)
def decide(reply_id: UUID) -> ResponseReturnValue:
    """Authorise the reply, so that it takes effect, or refuse it."""
    decision = request.form.get("decision", "")
    if decision not in ("authorise", "refuse"):
        return _card(
            reply_id, {"": _("Choose whether to authorise the reply or to refuse it")}, 422
        )
    try:
        with context.database().unit_of_work() as session:
            actor = context.current_actor()
            signed_replies.decide(
                session, actor, context.vault(), reply_id,
                authorise=decision == "authorise", now=context.now(),
            )  # fmt: skip
            card = signed_replies.read(session, actor, context.vault(), reply_id, context.now())
    except HubError as error:
        if error.status not in (403, 409, 422):
            raise
        return _card(reply_id, {"": error.sentence}, error.status)
    flash(sentence(card))
    return redirect(url_for("messaging.case", reference=card.case_reference), 303)
