"""The board: every open case of my units, what alarms first; references and times, no content."""

from datetime import datetime
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.identity.actor import Actor
from hub.web import context, paging
from hub.web.guards import page, permission
from messaging import wording
from messaging.board import PAGE, RISKS, BoardRow, Wanted, board
from messaging.codes import RISKS as NAMES
from messaging.pages import filters, live
from messaging.pages.blueprint import blueprint


@page(blueprint, "/board", guard=permission("case.list"), endpoint="board")
def show() -> ResponseReturnValue:
    """Show the open cases of my units and those below, by what is due first."""
    actor, now = context.current_actor(), context.now()
    mark = live.marks().get("board")
    chosen = {
        "unit": request.args.get("unit", "")[:200].replace("\0", ""),
        "risk": filters.one_of("risk", RISKS),
    }
    place = filters.after("flag", "moment", "id")
    with context.database().unit_of_work() as session:
        wanted = Wanted(filters.within(session, actor, chosen["unit"]), chosen["risk"] or None)
        found = board(
            session, actor, wanted, after=(place[0], place[1], place[2]) if place else None,
            most=PAGE + 1,
        )  # fmt: skip
        units = filters.units(session, actor)
    more = None
    if len(found) > PAGE:
        more = filters.address(
            "messaging.board", chosen, after=paging.encode(*found[PAGE - 1].cursor)
        )
    return render_template(
        "messaging/board.html",
        rows=[_row(row, actor, now) for row in found[:PAGE]],
        more=more,
        first=place is None,
        chosen=chosen,
        filtered=any(chosen.values()),
        units=units,
        risks=[(code, NAMES[code].partition(":")[0]) for code in RISKS],
        now=now,
        live_mark=mark,
    )


def _row(row: BoardRow, actor: Actor, now: datetime) -> dict[str, Any]:
    marks = [_("Contested")] if row.contested else []
    if row.offered_to:
        marks.append(_("Lead on offer to %(unit)s", unit=row.offered_to))
    if row.disputed:
        marks.append(_("Who leads is disputed"))
    if row.directed_to:
        marks.append(_("%(unit)s is directed to lead", unit=row.directed_to))
    if row.questions:
        marks.append(_("Open questions: %(n)s", n=row.questions))
    if row.lead is None and row.report_state and row.report_state != "recorded":
        marks.append(str(wording.REPORT_STATES[row.report_state]))
    return {
        "reference": row.reference,
        "status": row.status,
        "address": url_for("messaging.case", reference=row.reference),
        "lead": row.lead,
        "officer": row.officer,
        "asked_only": row.asked_only,
        "home": row.home,
        "mine": row.lead_id in actor.unit_ids,
        "risk": NAMES[row.risk].partition(":")[0] if row.risk else "",
        "high": row.risk == "high",
        "alarm": row.alarm,
        "next": wording.CLOCKS[row.next_kind] if row.next_kind else "",
        "due_at": row.next_due_at,
        "owed_by": row.owed_by or (_("an adjudicator") if row.next_kind else ""),
        "owed_by_me": row.owed_by_id in actor.unit_ids,
        "overdue": row.next_due_at is not None and row.next_due_at <= now,
        "marks": marks,
    }
