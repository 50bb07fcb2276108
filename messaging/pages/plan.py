"""The agreed plan on a page of its own, to act from at night and to print."""

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from hub.errors import not_found
from hub.web import context
from hub.web.guards import page, permission
from messaging import views
from messaging.pages.blueprint import blueprint
from messaging.pages.case import ask_reason
from messaging.pages.preparing import prepared


@page(blueprint, "/cases/<reference>/plan", guard=permission("inbox.read"), endpoint="plan")
def show(reference: str) -> ResponseReturnValue:
    """Show the plan, or the version that is proposed; there is none to whoever sees but a part."""
    actor, vault, now = context.current_actor(), context.vault(), context.now()
    with context.database().unit_of_work() as session:
        why = views.reason_for(session, actor, vault, reference, now)
        if why is None:
            return ask_reason(reference, request.full_path.rstrip("?"), {})
        view = views.case_view(
            session,
            actor,
            vault,
            reference,
            now,
            reason_code=why.code,
            reason=why.text,
            shows=("joint-response-plan",),
        )
        g.page_status = view.status
        shown = prepared(view, actor, now)
        if not (shown["plan"] or shown["following_plan"] or shown["proposed"]):
            raise not_found("There is no plan in this case.")
        return render_template(
            "messaging/plan.html", v=shown, ref=view.reference, status=view.status, now=now
        )
