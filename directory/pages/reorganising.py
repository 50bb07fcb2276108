"""A reorganisation, guided: what, when, a preview of what moves, and only then the change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from pydantic import ValidationError

from directory import reorganisations
from directory.pages.asking import editor
from directory.pages.blueprint import blueprint
from directory.reading import holder, lookup
from directory.reorganising import Held, Plan, ReorganisationIn, after
from directory.snapshot import Organisation
from hub.clock import LONDON
from hub.errors import HubError, not_found
from hub.identity.actor import Actor
from hub.web.context import database, now
from hub.web.guards import page, public

MOST_PARTS = 6
KINDS = ("merge", "split", "rename", "move", "found")


@dataclass(frozen=True)
class Moving:
    """One line of the preview: what passes from whom to whom, all by name."""

    area: str
    sectors: str
    from_unit: str
    to_unit: str


@page(
    blueprint, "/directory/forces/<code>/reorganise", guard=public, methods=("GET", "POST")
)  # fmt: skip
def reorganise(code: str) -> ResponseReturnValue:
    """Ask for a change of units, show what it would do, and carry it out when told to."""
    actor = editor()
    if not actor.signed_in:
        return redirect(url_for("accounts.sign_in", next=request.full_path.rstrip("?")))
    force = lookup().snapshot.organisation_by_code.get(code)
    if force is None or force.kind != "police":
        raise not_found()
    do = request.form.get("do", "") if request.method == "POST" else ""
    if do != "carry-out":
        return _page(force, actor, {}, previews=do == "preview")
    try:
        wanted = _wanted()
        with database().unit_of_work() as session:
            reorganisations.reorganise(
                session, actor, force.id, wanted, why=request.form.get("why", ""), now=now()
            )
    except ValidationError as error:
        return _page(force, actor, _problems(error), 422)
    except HubError as error:
        if error.status not in (409, 422):
            raise
        return _page(force, actor, _fields(error), error.status)
    holder().look_again()
    flash(_("The change is on record from %(day)s.", day=_said(wanted.effective_on)))
    if actor.kind == "guest":
        return redirect(url_for("directory.claimed"), 303)
    return redirect(url_for("directory.force", code=code), 303)


def _page(
    force: Organisation, actor: Actor, wrong: dict[str, str], status: int = 200, *,
    previews: bool = True,
) -> ResponseReturnValue:  # fmt: skip
    form = request.form
    kind = form.get("kind") or request.args.get("kind", "")
    today = now().astimezone(LONDON).date()
    day = max(_date(form.get("effective_on", "")) or today, today)
    found: Plan | None = None
    with database().unit_of_work() as session:
        reorganisations.allowed(session, actor, force.id)
        units = reorganisations.units_on(session, force.id, day)
        areas = reorganisations.areas_of(session, force.id, day)
        cover = reorganisations.cover_on(session, force.id, day)
        if request.method == "POST" and previews and not set(wrong) - {"why"}:
            try:
                found = reorganisations.preview(session, actor, force.id, _wanted(), now())
                wrong = {**wrong, **_numbered(found.problems)}
            except ValidationError as error:
                wrong = _problems(error)
            except HubError as error:
                if error.status not in (409, 422):
                    raise
                wrong = _fields(error)
    moving = _moving(found, units, areas) if found and not found.problems else []
    held = after(cover)
    owners = {area: _owners(one, units) for area, one in held.items()}
    chosen = form.get("units") or request.args.get("unit", "")
    if kind == "split":
        areas = {
            key: name for key, name in areas.items()
            if key in held and any(str(u) == chosen for u, _s in held[key].by_unit())
        }  # fmt: skip
    status = 422 if wrong and status == 200 else status
    return render_template(
        "directory/reorganise.html", force=force, kind=kind if kind in KINDS else "", units=units,
        areas=areas, owners=owners, typed=form, chosen=chosen,
        chosen_units=set(form.getlist("units")), chosen_areas=set(form.getlist("areas")),
        plan=found if found and not found.problems else None, moving=moving, problems=wrong,
        day=form.get("effective_on") or today.isoformat(), said=_said(day), today=today,
        most_parts=MOST_PARTS, editor=actor, exercise=actor.status == "exercise",
    ), status  # fmt: skip


def _owners(held: Held, units: Mapping[UUID, str]) -> str:
    """Return who answers for an area now, and for which sectors of it where that is another."""
    found = []
    for unit, sectors in sorted(held.by_unit(), key=lambda row: (row[1] or (), str(row[0]))):
        name = units.get(unit, "") if isinstance(unit, UUID) else unit
        found.append(f"{name} ({', '.join(sectors)})" if sectors else name)
    return ", ".join(found)


def _moving(found: Plan, units: Mapping[UUID, str], areas: Mapping[UUID, str]) -> list[Moving]:
    lines = [
        Moving(
            areas.get(one.area_id, _("a district")), ", ".join(one.sectors or ()),
            units.get(one.from_unit, "") if one.from_unit else "",
            one.to_unit if isinstance(one.to_unit, str) else units.get(one.to_unit, ""),
        )
        for one in found.moves
    ]  # fmt: skip
    return sorted(lines, key=lambda one: (one.area, one.sectors))


def _said(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _numbered(problems: tuple[str, ...]) -> dict[str, str]:
    return {f"plan-{number}": sentence for number, sentence in enumerate(problems)}


def _problems(error: ValidationError) -> dict[str, str]:
    sentences = {
        "effective_on": _("Give the day from which it holds."),
        "units": _("Choose the unit."),
        "to": _("Choose the unit that the districts pass to."),
        "parts": _("Give every new unit a name of at least two letters."),
        "kind": _("Choose what changes."),
    }
    fields = dict.fromkeys(str(one["loc"][0]) for one in error.errors())
    return {name: sentences.get(name, _("Check what you chose.")) for name in fields}


def _fields(error: HubError) -> dict[str, str]:
    if error.code == "reorganisation-refused":
        return _numbered(tuple(one.sentence for one in error.fields))
    return {
        one.pointer.strip("/") or "plan": one.sentence for one in error.fields
    } or {"plan": error.sentence}  # fmt: skip


def _wanted() -> ReorganisationIn:
    """Return what the form asks for; what belongs to another kind of change is left out."""
    form = request.form
    kind = form.get("kind", "")
    parts = []
    for number in range(1, MOST_PARTS + 1):
        name = form.get(f"part-{number}", "").strip()
        chosen = [
            key[5:] for key in form if key.startswith("area-") and form.get(key) == str(number)
        ]
        if name or chosen:
            parts.append({"name": name, "areas": chosen})
    sectors = form.get("sectors", "").replace("\n", ",").split(",")
    moves = kind == "move"
    return ReorganisationIn.model_validate({
        "kind": kind,
        "effective_on": form.get("effective_on", ""),
        "units": form.getlist("units") if kind in ("merge", "split", "rename") else [],
        "name": form.get("name", "").strip()[:120],
        "parts": parts if kind in ("split", "found") else [],
        "areas": form.getlist("areas") if moves else [],
        "to": (form.get("to") or None) if moves else None,
        "sectors": [one.strip() for one in sectors if one.strip()] if moves else [],
    })  # fmt: skip
