"""The page of a case: who leads, what is open, what was said, and what I may do now."""

from dataclasses import asdict
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from hub.errors import invalid
from hub.records import audit, consultation
from hub.records.consultation import Reason
from hub.web import context
from hub.web.guards import automatic, page, permission
from messaging import receipts, signed_replies, standing, views, wording
from messaging.pages import calls, joined, showing
from messaging.pages.blueprint import blueprint
from messaging.pages.signed import sentence
from messaging.state import ADJUDICATOR

READ = permission("inbox.read")


def reasons() -> list[tuple[str, str]]:
    """Return why somebody may look at a case that no message brought to their unit."""
    return [
        ("working-on-it", _("I am working on this child’s case")),
        ("supervision", _("I supervise or review this work")),
        ("handover", _("I am taking over from a colleague")),
        (ADJUDICATOR, _("I am to decide who leads, or what was escalated")),
        ("other", _("Another reason")),
    ]


@page(blueprint, "/cases/<reference>", guard=READ, endpoint="case")
def show(reference: str) -> ResponseReturnValue:
    """Show the case; first ask why, where no message to my unit answers that."""
    actor, vault, now = context.current_actor(), context.vault(), context.now()
    with context.database().unit_of_work() as session:
        why = views.reason_for(session, actor, vault, reference, now)
        if why is None:
            return ask_reason(reference, request.full_path.rstrip("?"), {})
        view = views.case_view(
            session, actor, vault, reference, now, reason_code=why.code, reason=why.text,
            automatic=automatic(),
        )  # fmt: skip
        g.page_status = view.status
        replies = [
            {**asdict(card), "sentence": sentence(card)}
            for card in signed_replies.of_case(session, actor, vault, view.id)
        ]
        shown = showing.case(session, actor, context.runtime().keys, view, now)
        stands = standing.standing(session, view) if view.lead and view.full else None
        before = (
            joined.standing_of(session, actor, vault, view, why, now, automatic=automatic())
            if view.lead
            else []
        )
        v = {**shown, "replies": replies, "stands": stands, "joined_stands": before}
        return render_template(
            "messaging/case.html", v=v, now=now, status=view.status, clocks=wording.CLOCKS,
            taken_over=wording.TAKEN_OVER,
        )  # fmt: skip


def ask_reason(
    reference: str, target: str, problems: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    """Return the page that asks why; it shows the reference that the reader came with, no more."""
    html = render_template(
        "messaging/reason.html",
        ref=reference,
        next=target,
        reasons=[
            one
            for one in reasons()
            if one[0] != ADJUDICATOR or ADJUDICATOR in context.current_actor().roles
        ],
        typed=request.form,
        problems=problems,
    )
    return html, status


def known_reason(session: Session, reference: str) -> Reason | None:
    """Return why the present reader looks at the case, or None when they must be asked first."""
    return views.reason_for(
        session, context.current_actor(), context.vault(), reference, context.now()
    )


@page(
    blueprint,
    "/cases/<reference>/reason",
    guard=READ,
    methods=("POST",),
    endpoint="case_reason",
)
def give_reason(reference: str) -> ResponseReturnValue:
    """Keep the reason for this session, and go on to what was asked for."""
    actor, now = context.current_actor(), context.now()
    code, words = request.form.get("reason_code", ""), request.form.get("reason", "").strip()[:500]
    home = url_for("messaging.case", reference=reference)
    target = request.form.get("next", "")
    problems = {}
    if code not in dict(reasons()):
        problems["reason_code"] = _("Choose a reason")
    elif code == "other" and not words:
        problems["reason"] = _("Say why in your own words")
    with context.database().unit_of_work() as session:
        case_id = views.case_id(session, actor, reference, now)
        if problems:
            return ask_reason(reference, target, problems, 422)
        if actor.session_id is not None:
            consultation.remember_reason(
                session, context.vault(), actor.session_id, case_id, code, words or None, now=now
            )
    return redirect(target if target.startswith(home) else home, 303)


@page(
    blueprint,
    "/cases/<reference>/acknowledge/<uuid:message_id>",
    guard=READ,
    methods=("POST",),
    endpoint="acknowledge",
)
def acknowledge(reference: str, message_id: UUID) -> ResponseReturnValue:
    """Say that a message was seen; no lead moves by it."""
    with context.database().unit_of_work() as session:
        receipts.acknowledge(session, context.current_actor(), message_id, context.now())
    flash(_("Acknowledged. This does not accept anything, and moves no lead."))
    return redirect(url_for("messaging.case", reference=reference), 303)


@page(blueprint, "/cases/<reference>/looks", guard=READ, endpoint="case_looks")
def looks(reference: str) -> ResponseReturnValue:
    """Show who outside my unit has looked at what my unit sent."""
    actor, vault, now = context.current_actor(), context.vault(), context.now()
    with context.database().unit_of_work() as session:
        case_id = views.case_id(session, actor, reference, now)
        mine = showing.sent_by_me(session, actor, case_id)
        found = audit.looks_at(session, case_id, mine, vault=vault) if mine else []
        others = [look for look in found if look.who.unit_id not in actor.unit_ids]
        names = showing.unit_names(session, {look.who.unit_id for look in others})
        status = showing.status_of(session, case_id)
        audit.record(
            session, actor.who, "looks.read", now=now, case_id=case_id,
            object_kind="case", object_id=case_id,
        )  # fmt: skip
    shown = [
        {
            "at": look.at,
            "name": look.who.name or wording.who_kind(look.who.kind),
            "unit": names.get(look.who.unit_id, ""),
            "what": wording.look(look.action),
            "numbers": ", ".join(str(mine[m]) for m in sorted(look.message_ids & mine.keys())),
            "why": _why(look),
        }
        for look in others
    ]
    g.page_status = status
    return render_template(
        "messaging/looks.html", ref=reference, status=status, looks=shown, now=now
    )


def _why(look: audit.Look) -> str:
    from messaging.pages.pack import purposes  # it asks for its own reason as this page does

    known = {
        **dict(reasons()),
        **dict(purposes()),
        views.ADDRESSED: _("It was addressed to their unit"),
        "opened-it": _("They opened the case"),
        "to-send": _("To write a message"),
    }
    words = [known.get(look.reason_code or "", look.reason_code or ""), look.reason or ""]
    return ": ".join(word for word in words if word)


@page(blueprint, "/cases/<reference>/script/<int:number>", guard=READ, endpoint="script")
def script(reference: str, number: int) -> ResponseReturnValue:
    """Show what to say on the telephone about a message that my unit sent."""
    actor, vault, now = context.current_actor(), context.vault(), context.now()
    with context.database().unit_of_work() as session:
        why = views.reason_for(session, actor, vault, reference, now)
        if why is None:
            return ask_reason(reference, request.full_path.rstrip("?"), {})
        view = views.case_view(
            session, actor, vault, reference, now, reason_code=why.code, reason=why.text, shows=(),
        )  # fmt: skip
        g.page_status = view.status
        shown = calls.script(session, actor, view, number, request.args.get("unit", ""), now)
    if shown is None:
        raise invalid("nobody-to-ring", "Nobody has to be rung about this message.")
    return render_template("messaging/script.html", status=view.status, now=now, **shown)
