"""The handover pack: what it will hold, why it is wanted, and then the PDF, a disclosure on record."""

from collections.abc import Iterator
from typing import Any

from flask import (
    Response,
    g,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.records import audit
from hub.web import context
from hub.web.guards import page
from messaging import history, timeline, views
from messaging.pages import showing
from messaging.pages.blueprint import blueprint
from messaging.pages.case import READ, ask_reason
from messaging.pages.pack_facts import gathered
from messaging.pages.timeline import table

BEGINS = b"%PDF-"


def purposes() -> list[tuple[str, str]]:
    """Return what a pack may be for."""
    return [
        ("court", _("For a court")),
        ("briefing", _("For a briefing")),
        ("handover", _("To hand over to a colleague")),
        ("review", _("For a review")),
        ("other", _("Something else")),
    ]


@page(blueprint, "/cases/<reference>/pack", guard=READ, endpoint="pack")
def ask(reference: str) -> ResponseReturnValue:
    """Say what the pack will hold, and ask what it is for; nothing is made yet."""
    return _ask(reference, {})


def _ask(reference: str, problems: dict[str, str], status: int = 200) -> ResponseReturnValue:
    actor, vault, now = context.current_actor(), context.vault(), context.now()
    with context.database().unit_of_work() as session:
        why = views.reason_for(session, actor, vault, reference, now)
        if why is None:
            address = url_for("messaging.pack", reference=reference)
            return ask_reason(reference, address, {})
        view = views.case_view(
            session, actor, vault, reference, now, reason_code=why.code, reason=why.text, shows=(),
        )  # fmt: skip
    g.page_status = view.status
    html = render_template(
        "messaging/pack.html", ref=view.reference, status=view.status, now=now,
        count=len(view.messages), withheld=any(one.withheld for one in view.messages),
        purposes=purposes(), typed=request.form, problems=problems,
    )  # fmt: skip
    return html, status


@page(blueprint, "/cases/<reference>/pack.pdf", guard=READ, endpoint="pack_unasked")
def unasked(reference: str) -> ResponseReturnValue:
    """Send whoever follows a link to the page that asks first."""
    return redirect(url_for("messaging.pack", reference=reference), 303)


@page(
    blueprint, "/cases/<reference>/pack.pdf", guard=READ, methods=("POST",), endpoint="pack_made"
)  # fmt: skip
def make(reference: str) -> ResponseReturnValue:
    """Hand out the pack, once the disclosure and its reason are committed.

    It is set after the commit, so that a long case is not held locked meanwhile.
    """
    actor, vault, now = context.current_actor(), context.vault(), context.now()
    purpose, words = request.form.get("purpose", ""), request.form.get("why", "").strip()
    problems = {}
    if purpose not in dict(purposes()):
        problems["purpose"] = _("Choose what it is for")
    if not words:
        problems["why"] = _("Say why in your own words")
    elif len(words) > 500:
        problems["why"] = _("Say it in 500 letters")
    if problems:
        return _ask(reference, problems, 422)
    with context.database().unit_of_work() as session:
        view = views.case_view(
            session, actor, vault, reference, now, reason_code=purpose, reason=words
        )
        shown = showing.case(session, actor, context.runtime().keys, view, now)
        facts = gathered(session, actor, view, shown)
        records = history.records(session, view)
        audit.record(
            session, actor.who, audit.DISCLOSURE, now=now, case_id=view.id, object_kind="case",
            object_id=view.id, reason_code=purpose, reason=words, vault=vault,
            detail={"form": "pack", "messages": [str(one.id) for one in view.messages]},
        )  # fmt: skip
    sensitive = any(one.classification != "OFFICIAL" for one in view.messages)
    who = (actor.rank_or_role, actor.name, actor.collar_number, actor.unit_name)
    document: dict[str, Any] = {
        **shown,
        **facts,
        "classification": "OFFICIAL-SENSITIVE" if sensitive else "OFFICIAL",
        "printed_by": ", ".join(part for part in who if part),
        "now": now,
        "purpose": f"{dict(purposes())[purpose]}: {words}",
        "strips": timeline.layout(records, history.until(view, now)),
        "table": table(records),
    }
    return Response(
        stream_with_context(_begun(document)), mimetype="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{view.reference}.pdf"',
            "Cache-Control": "no-store",
        },
    )  # fmt: skip


def _begun(document: dict[str, Any]) -> Iterator[bytes]:
    """Send how every PDF begins, so that the download shows at once, and the rest when it is set."""
    from messaging.pages.pack_paper import printed  # what sets type is loaded when somebody prints

    yield BEGINS
    yield printed(document).removeprefix(BEGINS)
