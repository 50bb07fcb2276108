"""Finding a case again: one box for numbers, and a form that asks why for the child's name."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.web import context
from hub.web.forms import fields_of
from hub.web.guards import page, permission
from hub.web.typed import parse
from messaging import searching
from messaging.case_list import CaseRow
from messaging.pages.blueprint import blueprint
from messaging.pages.inbox import case_line

LONGEST = 200


@page(blueprint, "/cases/search", guard=permission("case.list"), endpoint="search")
def by_number() -> ResponseReturnValue:
    """Go to the one case of a reference or own case number, or list what is found."""
    number = request.args.get("q", "").strip()[:LONGEST]
    if not number:
        return redirect(url_for("messaging.cases"))
    with context.database().unit_of_work() as session:
        found = searching.by_number(session, context.current_actor(), context.vault(), number)
    if len(found) == 1:
        return redirect(url_for("messaging.case", reference=found[0].reference))
    return render_template("messaging/search.html", q=number, rows=_lines(found))


@page(blueprint, "/cases/search/child", guard=permission("case.search"), endpoint="search_child")
def ask() -> ResponseReturnValue:
    """Ask whom to look for, and why."""
    return _page({}, {}, None)


@page(
    blueprint,
    "/cases/search/child",
    guard=permission("case.search"),
    methods=("POST",),
    endpoint="search_child_send",
)
def by_child() -> ResponseReturnValue:
    """List the cases of a child; a search without a reason finds nothing."""
    asked = parse(searching.ChildSearch, request.form)
    if asked.instance is None:
        return _page(asked.values, asked.problems, None), 422
    with context.database().unit_of_work() as session:
        found = searching.by_child(
            session, context.current_actor(), context.vault(), asked.instance, context.now()
        )
    return _page(asked.values, {}, _lines(found))


def _lines(found: list[CaseRow]) -> list[dict[str, Any]]:
    return [case_line(row) for row in found]


def _page(
    values: dict[str, str], problems: dict[str, str], rows: list[dict[str, Any]] | None
) -> str:
    fields = fields_of(searching.ChildSearch, values, problems)
    shown = {one.name for one in fields}
    return render_template(
        "messaging/search_child.html",
        fields=fields,
        others=[sentence for name, sentence in problems.items() if name not in shown],
        rows=rows,
    )
