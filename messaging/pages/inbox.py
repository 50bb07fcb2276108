"""The inbox and the list of cases: references, types, units and times, never content."""

from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.errors import invalid
from hub.identity.actor import Actor
from hub.identity.policy import allows
from hub.web import context, paging
from hub.web.guards import page, permission
from messaging import wording
from messaging.case_list import CaseRow, cases
from messaging.contracts import CONTRACTS
from messaging.inbox import InboxRow, Wanted, counts, inbox
from messaging.pages import filters, live, ringing
from messaging.pages.blueprint import blueprint

NEEDS = {"mine": "answer", "new": "new", "others": "waiting"}
SHOWS = ("mine", "new", "others", "overdue")
STATES = {"": None, "open": True, "closed": False}
PAGE = 50


@page(blueprint, "/inbox", guard=permission("inbox.read"), endpoint="inbox")
def show() -> ResponseReturnValue:
    """Show what needs my answer, most urgent first; then what is new, and what waits for others."""
    actor, now = context.current_actor(), context.now()
    mark = live.marks().get("inbox")
    chosen = {
        "show": filters.one_of("show", SHOWS),
        "urgent": filters.one_of("urgent", ("yes",)),
        "type": filters.one_of("type", CONTRACTS),
        "unit": request.args.get("unit", "")[:200].replace("\0", ""),
        "q": request.args.get("q", "")[:40].replace("\0", "").strip(),
    }
    overdue = chosen["show"] == "overdue"
    place = filters.after("moment", "flag", "id")
    with context.database().unit_of_work() as session:
        wanted = Wanted(
            need=NEEDS.get(chosen["show"]), overdue=overdue, urgent=bool(chosen["urgent"]),
            type=chosen["type"] or None, text=chosen["q"],
            within=filters.within(session, actor, chosen["unit"]),
        )  # fmt: skip
        how_many = counts(session, actor, wanted, now=now)
        found = inbox(
            session, actor, wanted, now=now, after=(place[0], place[1], place[2]) if place else None,
            most=PAGE + 1,
        )  # fmt: skip
        units = filters.units(session, actor)
    parts = []
    for name, need in NEEDS.items():
        rows = [row for row in found if row.need == need]
        if chosen["show"] not in ("", "overdue", name) or (overdue and not rows):
            continue
        more = None
        if len(rows) > PAGE:
            more = filters.address(
                "messaging.inbox", chosen, show="overdue" if overdue else name,
                after=paging.encode(*rows[PAGE - 1].cursor),
            )  # fmt: skip
        parts.append(
            {
                "id": name,
                "rows": _rows(rows[:PAGE], actor, now),
                "count": None if overdue else getattr(how_many, need),
                "more": more,
            }
        )
    tabs = [
        ("", _("All"), None),
        ("mine", _("Needs your answer"), how_many.answer),
        ("new", _("New"), how_many.new),
        ("others", _("Waiting for others"), how_many.waiting),
        ("overdue", _("Overdue"), how_many.overdue),
    ]
    return render_template(
        "messaging/inbox.html",
        parts=parts,
        chosen=chosen,
        filtered=any(chosen[name] for name in ("urgent", "type", "unit", "q")),
        now=now,
        units=units,
        types=sorted(((code, wording.type_name(code)) for code in CONTRACTS), key=itemgetter(1)),
        live_mark=mark,
        tabs=[
            (name, label, count, filters.address("messaging.inbox", chosen, show=name))
            for name, label, count in tabs
        ],
    )


def _rows(rows: list[InboxRow], actor: Actor, now: datetime) -> list[dict[str, Any]]:
    return [_row(row, actor, now) for row in rows]


def _row(row: InboxRow, actor: Actor, now: datetime) -> dict[str, Any]:
    waits = row.need == "waiting"
    urgent = row.priority == "urgent"
    ours = row.to_unit_id in actor.unit_ids
    ring = None
    if row.type == "match":
        numbers = ringing.numbers(row.from_unit_id, "open-case", now, actor, row.status)
        ring = numbers[0] if numbers else None
    elif waits and not ours and (row.alarm or row.missed or (urgent and row.opened_at is None)):
        of = "report-outcome" if row.adds else ""
        need = ringing.need_of(row.type, of)
        numbers = ringing.numbers(row.to_unit_id, need, now, actor, row.status)
        ring = numbers[0] if numbers else None
    return {
        "need": _need(row, ours=ours),
        "kind": row.need,
        "reference": row.reference,
        "status": row.status,
        "type_name": wording.type_name(row.type),
        "from_unit": row.from_unit,
        "to_unit": row.from_unit if row.type == "match" else row.to_unit,
        "urgent": urgent,
        "sent_at": row.sent_at,
        "due_at": row.due_at,
        "expires_at": row.expires_at,
        "late": _late(row, now),
        "request_no": row.request_no,
        "waits_for_call": row.type == "match" or (waits and row.due_at is None),
        "facts": _facts(row) if waits else [],
        "ring": ring,
        "script": url_for("messaging.script", reference=row.reference, number=row.number)
        if ring and row.from_unit_id in actor.unit_ids
        else None,
        "address": url_for("messaging.case", reference=row.reference)
        + (f"#message-{row.number}" if row.need == "new" else ""),
    }


def _need(row: InboxRow, *, ours: bool) -> str:
    """Return what a line asks of its reader, or whom they wait for: `ours`, of their own unit."""
    waits = row.need == "waiting"
    if row.clock:
        return str(wording.CLOCKS[row.clock])
    if row.type == "match":
        return wording.match(row.from_unit, denied=waits)
    if row.interview and row.need != "new":
        return (
            _("%(unit)s owes an interview", unit=row.to_unit)
            if waits
            else _("Record the interview, or why not")
        )
    if waits and row.type == "supervisor-request" and ours:
        return _("A supervisor of %(unit)s decides", unit=row.to_unit)
    if waits and row.unanswered:
        return _("%(unit)s has not answered", unit=row.to_unit)
    if waits:
        return _("%(unit)s has not opened it", unit=row.to_unit)
    if row.need == "new":
        return wording.type_name(row.type)
    if row.judged and row.type not in ("dispute", "lead-transfer-request"):
        return _("Nobody answers this report: ring the force")
    if row.judged:
        return wording.need("dispute")
    if row.to_ring:
        return _("Ring them: they are not on the hub, and know nothing of it yet")
    if row.expires_at:
        return str(wording.CLOCKS["live-line"])
    mine = row.from_unit_id == row.to_unit_id
    if row.type == "missing-episode-report" and mine and row.decided_by and row.decided_at:
        return _(
            "A supervisor, %(who)s, has not accepted it either, on %(at)s: add information, ring",
            who=row.decided_by,
            at=wording.moment(row.decided_at),
        )
    if row.type == "missing-episode-report" and mine:
        return _("Police have not accepted it: add information, ask a supervisor, ring")
    if row.type == "strategy-meeting-invitation" and mine:
        return wording.act_name("strategy-meeting-record")
    if row.adds:
        return _("New information about a report that your unit did not accept")
    return wording.need(row.type)


def _late(row: InboxRow, now: datetime) -> str:
    """Return what is late: the time that the line shows, or the opening while an answer has time."""
    passed = row.due_at is not None and row.due_at <= now
    if passed and row.unanswered:
        return _("Overdue")
    opening = row.alarm and not row.missed if row.unanswered else passed
    return _("Not opened in time") if opening else ""


def _facts(row: InboxRow) -> list[dict[str, Any]]:
    """Return what is known of the unit that is waited for, each fact for itself."""
    known = (
        ("delivered", row.delivered_at, None),
        ("opened", row.opened_at, row.opened_by),
        ("acknowledged", row.acknowledged_at, row.acknowledged_by),
    )
    return [{"name": wording.RECEIPTS[kind], "at": at, "who": who} for kind, at, who in known]


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
        rows=[case_line(row) for row in found[:PAGE]],
        more=more,
        show=state,
        may_open=allows(actor, "case.open"),
        may_place=actor.organisation_kind == "local-authority"
        and allows(actor, "send.placement-notification"),
        filters=[("", _("All")), ("open", _("Open")), ("closed", _("Closed"))],
    )


def _before() -> UUID | None:
    given = request.args.get("before")
    try:
        return UUID(given) if given else None
    except ValueError:
        raise invalid("cursor", "This is no page of the list: start at its beginning.") from None


def case_line(row: CaseRow) -> dict[str, Any]:
    """Return a line of a list of cases in words."""
    if row.closed_at is not None:
        state, colour = _("Closed"), "grey"
    elif row.asked_only:
        state, colour = _("Asked"), "blue"
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
        "asked_only": row.asked_only,
        "opened_at": row.opened_at,
        "state_name": state,
        "colour": colour,
        "contested": row.contested,
    }
