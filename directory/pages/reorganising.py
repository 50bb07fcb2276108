"""A reorganisation, guided: what, when, a preview of what moves, and only then the change."""

from datetime import date
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from pydantic import ValidationError

from directory import reorganisations
from directory.pages.blueprint import blueprint
from directory.reading import holder, lookup
from directory.reorganising import Part, Plan, ReorganisationIn
from hub.clock import LONDON
from hub.errors import HubError, not_found
from hub.web.context import current_actor, database, now
from hub.web.guards import page, permission

MOST_PARTS = 6


@page(
    blueprint, "/directory/forces/<code>/reorganise", guard=permission("directory.keep"),
    methods=("GET", "POST"),
)  # fmt: skip
def reorganise(code: str) -> ResponseReturnValue:
    """Ask for a change of units, show what it would do, and carry it out when told to."""
    actor = current_actor()
    organisation = lookup().snapshot.organisation_by_code.get(code)
    if organisation is None or organisation.kind != "police":
        raise not_found()
    form = request.form
    kind = form.get("kind") or request.args.get("kind", "")
    wrong: list[str] = []
    found: Plan | None = None
    today = now().astimezone(LONDON).date()
    day = _date(form.get("effective_on", "")) or today
    with database().unit_of_work() as session:
        reorganisations.preview(  # refuses who may not
            session, actor, organisation.id,
            ReorganisationIn(kind="rename", effective_on=today), now(),
        )  # fmt: skip
        units = reorganisations.units_on(session, organisation.id, max(day, today))
        areas = reorganisations.areas_of(session, organisation.id, max(day, today))
        if request.method == "POST" and form.get("do") in ("preview", "carry-out"):
            try:
                wanted = _wanted(kind)
                found = reorganisations.preview(session, actor, organisation.id, wanted, now())
                wrong = list(found.problems)
                if form["do"] == "carry-out" and not wrong:
                    reorganisations.reorganise(
                        session, actor, organisation.id, wanted, why=form.get("why", ""), now=now()
                    )
            except ValidationError:
                wrong = [_("Choose what changes, and give the day from which it holds.")]
            except HubError as error:
                if error.status not in (409, 422):
                    raise
                wrong = [error.sentence]
    if found is not None and not wrong and form.get("do") == "carry-out":
        holder().look_again()
        flash(_("The reorganisation is on record from %(day)s.", day=f"{day:%d %B %Y}"))
        return redirect(url_for("directory.force", code=code), 303)
    page_ = render_template(
        "directory/reorganise.html", force=organisation, kind=kind, units=units, areas=areas,
        typed=form, chosen_units=set(form.getlist("units")), chosen_areas=set(form.getlist("areas")),
        parts=_parts_typed(), plan=found if not wrong else None, wrong=wrong, day=day, today=today,
        cover=lookup().snapshot.coverage, names={**units},
        owners={
            area_id: unit.name
            for area_id in areas
            for unit_id in lookup().snapshot.coverage.get(area_id, ())
            if (unit := lookup().snapshot.units.get(unit_id)) and unit.kind == "bcu"
        },
    )  # fmt: skip
    return page_, 422 if wrong else 200


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _parts_typed() -> list[tuple[str, set[str]]]:
    """Return the parts of a split as typed: name and districts, always some blank ones."""
    form = request.form
    return [
        (form.get(f"part-{n}", ""), {a for a in form if form.get(a) == str(n) and a[:5] == "area-"})
        for n in range(1, MOST_PARTS + 1)
    ]


def _wanted(kind: str) -> ReorganisationIn:
    form = request.form
    parts = []
    for number in range(1, MOST_PARTS + 1):
        name = form.get(f"part-{number}", "").strip()
        chosen = [
            UUID(key[5:])
            for key in form
            if key.startswith("area-") and form.get(key) == str(number)
        ]
        if name or chosen:
            parts.append(Part.model_construct(name=name, areas=chosen))
    return ReorganisationIn.model_validate({
        "kind": kind,
        "effective_on": form.get("effective_on", ""),
        "units": form.getlist("units"),
        "name": form.get("name", "").strip()[:120],
        "parts": [{"name": part.name, "areas": part.areas} for part in parts]
        if kind == "split" else [],
        "areas": form.getlist("areas") if kind == "move" else [],
        "to": form.get("to") or None,
        "sectors": [one for one in form.get("sectors", "").replace("\n", ",").split(",")
                    if one.strip()],
    })  # fmt: skip
