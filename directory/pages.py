"""The front page, whom to call now, and the page of a unit."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from directory import mailboxes
from directory.ladder import NEEDS, Need, Rung
from directory.lookup import Answer, Asked, Choice
from directory.model import MAILBOX_CHANNELS
from directory.public import PURPOSES
from directory.reading import MOMENTS, holder, lookup, reader
from directory.snapshot import Contact, Unit
from hub.clock import LONDON
from hub.errors import HubError, not_found
from hub.identity.policy import allows
from hub.web import ratelimit
from hub.web.context import current_actor, database, now
from hub.web.guards import page, permission, public

blueprint = Blueprint("directory", __name__)

SIDE_BY_SIDE: tuple[Need, Need] = ("report-missing", "open-case")


def _needs() -> dict[str, str]:
    return {
        "report-missing": _("To report a child missing now"),
        "open-case": _("About a case, or to hand over"),
        "placement": _("About a placement"),
        "meeting": _("To invite to a meeting"),
        "child-social-care": _("To reach the child’s social worker"),
    }


def _moment() -> tuple[datetime, str]:
    """Return the moment that was asked for, and what to say where it cannot be read."""
    typed = request.args.get("at", "").strip()
    if not typed:
        return now(), ""
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        return now(), _("The other moment must be a date and time, such as 2026-12-25T03:00")
    at = at if at.tzinfo else at.replace(tzinfo=LONDON)
    if not MOMENTS[0] <= at < MOMENTS[1]:
        return now(), _("The other moment must be between the years 2000 and 2100")
    return at.astimezone(UTC), ""


@page(blueprint, "/", guard=public)
def whom_to_call() -> ResponseReturnValue:
    """Show the search box, and the answer to what was typed in it."""
    typed = request.args.get("q", "").strip()[:200]
    at, problem = _moment()
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
            opening=_opening,
        ),
        status,
    )


def _opening(rung: Rung) -> str:
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


def _unit(unit_id: UUID) -> Unit:
    unit = lookup().snapshot.units.get(unit_id)
    if unit is None:
        raise not_found()
    return unit


@page(blueprint, "/directory/units/<uuid:unit_id>", guard=public)
def unit(unit_id: UUID) -> ResponseReturnValue:
    """Show a unit: what it covers, its teams, and the contacts that the reader may see."""
    return _unit_page(unit_id, {})


def _unit_page(unit_id: UUID, problems: dict[str, str], status: int = 200) -> ResponseReturnValue:
    shown = _unit(unit_id)
    snapshot = lookup().snapshot
    who = reader(current_actor())
    areas = {area.id: area for area in snapshot.areas.values()}
    page_ = render_template(
        "directory/unit.html",
        unit=shown,
        parent=snapshot.units.get(shown.parent_id) if shown.parent_id else None,
        below=snapshot.children.get(shown.id, ()),
        covers=sorted(
            (areas[one] for one in snapshot.covered.get(shown.id, ()) if one in areas),
            key=lambda area: area.name,
        ),
        contacts=[
            c
            for c in snapshot.contacts.get(shown.id, ())
            if c.audience in who.audiences and c.status in ("actual", who.status)
        ],
        reach=snapshot.reach(shown, who.status, now()),
        purposes=PURPOSES,
        verifies=[c for c in snapshot.contacts.get(shown.id, ()) if _may_verify(c, shown)],
        adds=_may_keep(shown),
        asked=str((request.view_args or {}).get("contact_id", "")),
        problems=problems,
        typed=request.form,
    )
    return page_, status


def _may_verify(contact: Contact, of: Unit) -> bool:
    return (
        contact.channel in MAILBOX_CHANNELS
        and contact.status == reader(current_actor()).status
        and _may_keep(of)
    )


def _may_keep(of: Unit) -> bool:
    """Say whether the reader may put mailboxes of a unit on record, and verify them."""
    actor = current_actor()
    relation = "own" if actor.organisation_id == of.organisation.id else "any"
    return allows(actor, mailboxes.VERIFY, relation)


@page(
    blueprint,
    "/directory/units/<uuid:unit_id>/mailboxes",
    guard=permission("directory.read-professional"),
    methods=("POST",),
)
def add_mailbox(unit_id: UUID) -> ResponseReturnValue:
    """Put a mailbox of a unit on record, unverified until somebody rings back."""
    try:
        with database().unit_of_work() as session:
            mailboxes.add_mailbox(
                session,
                current_actor(),
                unit_id,
                address=request.form.get("address", "").strip(),
                now=now(),
            )
    except HubError as error:
        if error.status != 422:
            raise
        return _unit_page(unit_id, {f.pointer.strip("/"): f.sentence for f in error.fields}, 422)
    holder().look_again()
    flash(_("The mailbox is on record. Ring the unit to verify it."))
    return redirect(url_for("directory.unit", unit_id=unit_id), 303)


@page(
    blueprint,
    "/directory/units/<uuid:unit_id>/mailboxes/<uuid:contact_id>",
    guard=permission("directory.read-professional"),
    methods=("POST",),
)
def verify_mailbox(unit_id: UUID, contact_id: UUID) -> ResponseReturnValue:
    """Record that a mailbox was proved by ringing back: who, whom, on which number."""
    try:
        with database().unit_of_work() as session:
            mailboxes.record_verification(
                session,
                current_actor(),
                contact_id,
                spoke_to=request.form.get("spoke_to", ""),
                number_rung=request.form.get("number_rung", ""),
                now=now(),
            )
    except HubError as error:
        if error.status != 422:
            raise
        return _unit_page(unit_id, {f.pointer.strip("/"): f.sentence for f in error.fields}, 422)
    holder().look_again()
    flash(_("The mailbox is on record as verified by call-back."))
    return redirect(url_for("directory.unit", unit_id=unit_id), 303)
