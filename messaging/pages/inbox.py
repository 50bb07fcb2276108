"""The inbox and the list of cases: references, types, units and times, never content."""

from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.errors import invalid
from hub.identity.policy import allows
from hub.web import context
from hub.web.guards import page, permission
from messaging import wording
from messaging.inbox import CaseRow, InboxRow, cases, inbox
from messaging.pages.blueprint import blueprint

NEEDS = {"mine": "answer", "new": "new", "others": "waiting"}
STATES = {"": None, "open": True, "closed": False}
PAGE = 50


@page(blueprint, "/inbox", guard=permission("inbox.read"), endpoint="inbox")
def show() -> ResponseReturnValue:
    """Show what needs my answer, most urgent first; then what is new, and what waits for others."""
    show_only = request.args.get("show", "")
    if show_only not in ("", *NEEDS):
        show_only = ""
    with context.database().unit_of_work() as session:
        found = inbox(session, context.current_actor(), need=NEEDS.get(show_only))
    parts = {name: [_row(r) for r in found if r.need == need] for name, need in NEEDS.items()}
    return render_template(
        "messaging/inbox.html",
        **parts,
        show=show_only,
        now=context.now(),
        filters=[
            ("", _("All")),
            ("mine", _("Needs your answer")),
            ("new", _("New")),
            ("others", _("Waiting for others")),
        ],
    )


def _row(row: InboxRow) -> dict[str, Any]:
    named = {
        "answer": wording.need(row.type),
        "waiting": _("%(unit)s has not answered", unit=row.to_unit),
    }
    return {
        "need": named.get(row.need, wording.type_name(row.type)),
        "kind": row.need,
        "reference": row.reference,
        "status": row.status,
        "type_name": wording.type_name(row.type),
        "from_unit": row.from_unit,
        "to_unit": row.to_unit,
        "urgent": row.priority == "urgent",
        "sent_at": row.sent_at,
        "due_at": row.due_at,
        "missed": row.missed,
        "request_no": row.request_no,
        "waits_for_call": row.need == "waiting" and row.due_at is None,
        "address": url_for("messaging.case", reference=row.reference)
        + (f"#message-{row.number}" if row.need == "new" else ""),
    }


@page(blueprint, "/cases", guard=permission("case.list"), endpoint="cases")
def listing() -> ResponseReturnValue:
    """Show my unit's cases, newest first."""
    actor = context.current_actor()
    state = request.args.get("show", "")
    if state not in STATES:
        state = ""
    with context.database().unit_of_work() as session:
        found = cases(session, actor, before=_before(), open_=STATES[state], most=PAGE + 1)
    more = None
    if len(found) > PAGE:
        more = url_for("messaging.cases", show=state or None, before=found[PAGE - 1].id)
    return render_template(
        "messaging/cases.html",
        rows=[_case(row) for row in found[:PAGE]],
        more=more,
        show=state,
        may_open=allows(actor, "case.open"),
        filters=[("", _("All")), ("open", _("Open")), ("closed", _("Closed"))],
    )


def _before() -> UUID | None:
    given = request.args.get("before")
    try:
        return UUID(given) if given else None
    except ValueError:
        raise invalid("cursor", "This is no page of the list: start at its beginning.") from None


def _case(row: CaseRow) -> dict[str, Any]:
    if row.closed_at is not None:
        state, colour = _("Closed"), "grey"
    elif row.lead is not None:
        state, colour = _("Missing"), "red"
    elif row.report_state in ("awaiting-police", "not-accepted", "recorded-by-telephone"):
        state = str(wording.REPORT_STATES[row.report_state])
        colour = "yellow"
    else:
        state, colour = _("Between episodes"), "green"
    return {
        "reference": row.reference,
        "status": row.status,
        "lead_unit": row.lead,
        "opened_at": row.opened_at,
        "state_name": state,
        "colour": colour,
    }
