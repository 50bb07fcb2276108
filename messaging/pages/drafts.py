"""My drafts: listed, opened again in their form, thrown away."""

from uuid import UUID

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from hub.web import context
from hub.web.guards import page, permission
from messaging import drafts, wording
from messaging.drafts import DraftRow
from messaging.pages.blueprint import blueprint


@page(blueprint, "/cases/drafts", guard=permission("inbox.read"), endpoint="drafts")
def listing() -> ResponseReturnValue:
    """Show what I have typed and not sent."""
    with context.database().unit_of_work() as session:
        rows = drafts.listing(session, context.current_actor())
    shown = [
        {
            "id": row.id,
            "name": wording.act_name(row.type)
            if row.case_reference
            else wording.type_name(row.type),
            "case_reference": row.case_reference,
            "updated_at": row.updated_at,
            "address": _address(row),
        }
        for row in rows
    ]
    return render_template("messaging/drafts.html", drafts=shown)


def _address(row: DraftRow) -> str:
    if row.case_reference is None and row.type == "placement-notification":
        return url_for("messaging.placement", draft=row.id)
    if row.case_reference is None:
        return url_for("messaging.report", draft=row.id)
    return url_for(
        "messaging.compose", reference=row.case_reference, message_type=row.type, draft=row.id
    )


@page(
    blueprint,
    "/cases/drafts/<uuid:draft_id>/discard",
    guard=permission("inbox.read"),
    methods=("POST",),
    endpoint="drafts_discard",
)
def discard(draft_id: UUID) -> ResponseReturnValue:
    """Throw a draft of mine away."""
    with context.database().unit_of_work() as session:
        drafts.discard(session, context.current_actor(), context.vault(), draft_id, context.now())
    return redirect(url_for("messaging.drafts"), 303)
