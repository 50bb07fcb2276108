"""The page on which editors take their contacts out to a spreadsheet, and bring them in again."""

import base64
import binascii
import zlib

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from directory import contact_csv, exchange
from directory.contact_csv import Row, RowProblem
from directory.exchange import Plan
from directory.pages.asking import editor
from directory.pages.blueprint import blueprint
from directory.reading import holder
from hub.clock import LONDON
from hub.errors import HubError, invalid, not_found
from hub.organisations import find_organisation
from hub.web.context import database, now
from hub.web.guards import page, permission

MOST_SHOWN = 200
KEEPER = permission("directory.keep")


@page(blueprint, "/directory/exchange", guard=KEEPER)
def exchange_() -> ResponseReturnValue:
    """Show how contacts are taken out and brought in."""
    return _page({})


@page(blueprint, "/directory/exchange.csv", guard=KEEPER)
def exchange_csv() -> ResponseReturnValue:
    """Hand out everything that the editor keeps, or one organisation of it."""
    code = request.args.get("organisation", "").strip()
    with database().unit_of_work() as session:
        organisation = find_organisation(session, code) if code else None
        if code and organisation is None:
            raise not_found()
        rows = exchange.export(
            session, editor(), now(), organisation.id if organisation else None
        )  # fmt: skip
    name = f"contacts-{code or 'all'}-{now().astimezone(LONDON).date()}.csv"
    return Response(
        contact_csv.write(rows).encode(), mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # fmt: skip


@page(blueprint, "/directory/exchange", guard=KEEPER, methods=("POST",), endpoint="exchange_in")
def exchange_in() -> ResponseReturnValue:
    """Show what a file would change; then, with a reason, change it: all of it or nothing."""
    applies = request.form.get("do") == "apply"
    text, rows, plan = "", [], None
    try:
        text = _carried() if applies else _uploaded()
        rows = contact_csv.read(text)
        with database().unit_of_work() as session:
            plan = exchange.plan(session, editor(), rows, now())
        if applies and not plan.problems:
            return _apply(rows)
    except HubError as error:
        if error.status not in (409, 422):
            raise
        pointer = error.fields[0].pointer.strip("/") if error.fields else ""
        wrong = {"why" if pointer == "why" else "file": error.sentence}
        return _page(wrong, text, plan if pointer == "why" else None, error.status)
    if not plan.problems:
        return _page({}, text, plan)
    conflicts = any(one.conflict for one in plan.problems)
    wrong = {_anchor(one): str(one) for one in plan.problems[:MOST_SHOWN]}
    return _page(wrong, "", plan, 409 if conflicts else 422)


def _apply(rows: list[Row]) -> ResponseReturnValue:
    why = request.form.get("why", "")
    with database().unit_of_work() as session:
        done = exchange.apply(session, editor(), rows, why=why, now=now())
    holder().look_again()
    flash(
        _("Added: %(added)s. Changed: %(changed)s. Closed: %(closed)s. Every change can be put back"
          " from its unit’s history.", added=done.count("addition"), changed=done.count("change"),
          closed=done.count("closing"))
    )  # fmt: skip
    return redirect(url_for("directory.exchange_"), 303)


def _anchor(problem: RowProblem) -> str:
    return f"row-{problem.row}-{problem.column or 'all'}"


def _uploaded() -> str:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise invalid("file", _("Choose the CSV file."), "/file")
    return contact_csv.decode(file.stream.read(contact_csv.MOST_BYTES + 1))


def _carried() -> str:
    """Return the file as it was shown, carried in the form from one step to the next."""
    again = invalid("file", _("Choose the file again."), "/file")
    try:
        packed = base64.b64decode(request.form.get("carried", ""), validate=True)
        opened = zlib.decompressobj()
        content = opened.decompress(packed, contact_csv.MOST_BYTES)
    except (binascii.Error, zlib.error):
        raise again from None
    if not content or not opened.eof:
        raise again
    return contact_csv.decode(content)


def _page(
    wrong: dict[str, str], text: str = "", plan: Plan | None = None, status: int = 200
) -> ResponseReturnValue:
    actor = editor()
    carried = base64.b64encode(zlib.compress(text.encode(), 9)).decode() if text and plan else ""
    page_ = render_template(
        "directory/exchange.html",
        problems=wrong,
        rows=plan.problems[:MOST_SHOWN] if plan else (),
        more=max(0, len(plan.problems) - MOST_SHOWN) if plan else 0,
        anchor=_anchor,
        plan=plan,
        shown=plan.differences[:MOST_SHOWN] if plan else (),
        carried=carried,
        why=request.form.get("why", ""),
        columns=contact_csv.COLUMNS,
        status="exercise" if actor.status == "exercise" else "actual",
    )
    return page_, status
