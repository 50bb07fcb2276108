"""The timeline of a case: a picture on one axis, and the same as a table."""

from typing import Any

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from hub.web import context
from hub.web.guards import automatic, page
from messaging import history, timeline, views, wording
from messaging.pages.blueprint import blueprint
from messaging.pages.case import READ, ask_reason
from messaging.timeline import Record, Span


def table(records: list[Record]) -> list[dict[str, Any]]:
    """Return every span and point in order, in words."""
    return [
        {
            "since": timeline.moment_of(one),
            "until": one.until if isinstance(one, Span) else None,
            "lasts": isinstance(one, Span),
            "lane": wording.LANES.get(one.lane, one.lane),
            "label": one.label,
            "number": one.number,
        }
        for one in records
    ]


@page(blueprint, "/cases/<reference>/timeline", guard=READ, endpoint="timeline")
def show(reference: str) -> ResponseReturnValue:
    """Show the timeline; first ask why, where no message to my unit answers that.

    It shows no message's words, so none counts as opened; the look is on record all the same.
    """
    actor, vault, now = context.current_actor(), context.vault(), context.now()
    with context.database().unit_of_work() as session:
        why = views.reason_for(session, actor, vault, reference, now)
        if why is None:
            return ask_reason(reference, request.full_path.rstrip("?"), {})
        view = views.case_view(
            session, actor, vault, reference, now, reason_code=why.code, reason=why.text,
            automatic=automatic(), shows=(),
        )  # fmt: skip
        records = history.records(session, view)
    g.page_status = view.status
    return render_template(
        "messaging/timeline.html", ref=view.reference, status=view.status, now=now,
        strips=timeline.layout(records, history.until(view, now)), rows=table(records),
        lanes=wording.LANES, closed=view.closed_at,
    )  # fmt: skip
