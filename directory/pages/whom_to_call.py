"""The front page: whom to call now."""

from datetime import datetime
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from directory.ladder import NEEDS, Need, Rung
from directory.lookup import Answer, Asked, Choice
from directory.pages.asking import known_contacts, moment_asked, reportable
from directory.pages.blueprint import blueprint
from directory.pages.suggesting import kinds, words
from directory.public import PURPOSES
from directory.reading import lookup, reader
from directory.snapshot import Contact
from hub.clock import LONDON
from hub.errors import HubError
from hub.identity.policy import allows
from hub.web import ratelimit
from hub.web.context import current_actor, now
from hub.web.guards import page, public

SIDE_BY_SIDE: tuple[Need, Need] = ("report-missing", "open-case")


def _needs() -> dict[str, str]:
    return {
        "report-missing": _("To report a child missing now"),
        "open-case": _("About a case, or to hand over"),
        "placement": _("About a placement"),
        "meeting": _("To invite to a meeting"),
        "child-social-care": _("To reach the child’s social worker"),
    }


@page(blueprint, "/", guard=public, offline=True)
def whom_to_call() -> ResponseReturnValue:
    """Show the search box, and the answer to what was typed in it."""
    typed = request.args.get("q", "").strip()[:200]
    at, problem = moment_asked()
    need = request.args.get("need", "")
    others: tuple[Need, ...] = tuple(one for one in NEEDS if one == need)
    needs = others if others and need not in SIDE_BY_SIDE else SIDE_BY_SIDE
    answer: Answer | None = None
    choice: Choice | None = None
    status = 200
    problems = {"at": problem} if problem else {}
    if typed and not problem:
        if not current_actor().signed_in:
            ratelimit.public(request.remote_addr or "")
        try:
            found = lookup(at).answer(Asked(q=typed), needs, reader(current_actor()), at)
        except HubError as error:
            if error.status not in (404, 422):
                raise
            if units := error.extra.get("units"):
                return redirect(url_for("directory.unit", unit_id=units[0]))
            problems, status = {"q": error.sentence}, error.status
        else:
            answer = found if isinstance(found, Answer) else None
            choice = found if isinstance(found, Choice) else None
    return (
        render_template(
            "directory/whom_to_call.html",
            typed=typed,
            typed_at=request.args.get("at", "").strip()[:40],
            at=at,
            elsewhen=bool(request.args.get("at", "").strip()),
            needs=needs,
            all_needs=_needs(),
            answer=answer,
            choice=choice,
            problems=problems,
            purposes=PURPOSES,
            kinds=kinds(),
            suggesting=words(),
            opening=opening,
            units=lookup().snapshot.by_code,
            reportable=_reportable(answer) if answer else {},
            report=_report(answer) if answer and not request.args.get("at", "").strip() else None,
        ),
        status,
    )


def _reportable(answer: Answer) -> dict[UUID, Contact]:
    """Return the contacts of an answer that its reader may report as wrong, by their id."""
    known, actor = known_contacts(), current_actor()
    rungs = [rung for one in answer.ladders.values() for rung in (*one.rungs, *one.write_to)]
    ids = {rung.contact_id for rung in rungs if rung.contact_id is not None}
    return {one: known[one] for one in ids if reportable(actor, known.get(one))}


def _report(answer: Answer) -> tuple[str, str] | None:
    """Return where to report a child missing there, and the words for it; None to who may not.

    Police record and lead whoever answers for the place; others tell the police unit of the answer.
    """
    actor, unit = current_actor(), answer.place.bcu or answer.place.force_unit
    if not allows(actor, "case.open"):
        return None
    if actor.police:
        return url_for("messaging.report"), _("Record a missing child")
    if unit is None:
        return None
    return (
        url_for("messaging.report", to=unit.code),
        _("Report a child missing to %(unit)s", unit=unit.name),
    )


def opening(rung: Rung) -> str:
    """Return when a closed rung opens, as people say it: "Monday 08:00"."""
    if rung.opens_at is None:
        return _("no opening time on record")
    local = rung.opens_at.astimezone(LONDON)
    return _("opens %(day)s %(time)s", day=_day(local), time=f"{local:%H:%M}")


def _day(local: datetime) -> str:
    days = (
        _("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"),
        _("Sunday"),
    )  # fmt: skip
    ahead = (local.date() - now().astimezone(LONDON).date()).days
    name = days[local.weekday()]
    return name if 0 <= ahead < 7 else f"{name} {local.day} {local:%B}"
