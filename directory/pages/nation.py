"""The forces on a map and in a list, and how well each keeps its entry."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import access, claims, keepers, organisations, reminding, reorganisations, verifying
from directory.contact_csv import MOST_BYTES, decode, guarded
from directory.force_map import force_paths
from directory.model import Delegation, DirectoryLink
from directory.nation import STATES, WANTED, ForceState, force_state, nation
from directory.pages.blueprint import blueprint
from directory.reading import holder, lookup, reader
from directory.snapshot import Organisation, Snapshot
from hub.clock import LONDON
from hub.errors import HubError, conflict, invalid, not_found
from hub.identity.actor import Actor
from hub.identity.policy import allows
from hub.organisations import Organisation as OrganisationRow
from hub.organisations import find_organisation
from hub.web.context import current_actor, database, now, runtime
from hub.web.guards import page, permission, public


def states() -> dict[str, str]:
    """Return what a state is called."""
    return {
        "complete": _("Complete and confirmed"),
        "incomplete": _("Incomplete or unverified"),
        "overdue": _("Overdue for confirmation"),
        "problem": _("Reported wrong, or mail came back"),
        "none": _("Nothing given yet"),
    }


def _status() -> str:
    return reader(current_actor()).status


@page(blueprint, "/directory/forces", guard=public, offline=True)
def forces() -> ResponseReturnValue:
    """Show every police service, on a map and in a list: a way in without typing."""
    snapshot = lookup().snapshot
    found = sorted(
        (one for one in snapshot.organisations.values() if one.kind == "police"),
        key=lambda one: one.name,
    )
    mapped = [
        {"code": one.code, "name": one.name, "state": "",  "state_text": "",
         "url": url_for("directory.force", code=one.code)}
        for one in found if one.police_kind == "territorial"
    ]  # fmt: skip
    actor = current_actor()
    kept = [one for one in found if actor.organisation_id == one.id and _keeps(actor, one)]
    return render_template(
        "directory/forces.html", forces=found, mapped=mapped, paths=force_paths(), kept=kept,
        status=_status(),
    )  # fmt: skip


@page(blueprint, "/directory/forces/<code>", guard=public, offline=True)
def force(code: str) -> ResponseReturnValue:
    """Show a police service: its units and teams; to those who keep it, how well it is kept."""
    actor, snapshot = current_actor(), lookup().snapshot
    found = _force(snapshot, code)
    keeps = _keeps(actor, found)
    state = force_state(snapshot, found, now(), _status())
    delegations: list[tuple[Delegation, str]] = []
    asked: Mapping[UUID, DirectoryLink] = {}
    edits = False
    if keeps or allows(actor, keepers.EDIT, "own", "delegated", "any"):
        with database().unit_of_work() as session:
            edits = reorganisations.may(session, actor, found.id)
            if keeps:
                delegations, asked = _delegations(session, found.id), _asked(session, state)
    return render_template(
        "directory/force.html", force=found, state=state, top=snapshot.force_unit(found.id),
        children=snapshot.children, keeps=keeps, administers=_administers(actor, found), states=states(),
        wanted=WANTED, delegations=delegations, asked=asked, status=_status(),
        divided=any(one.unit.kind == "bcu" for one in state.units), edits=edits, problems={},
        typed={},
    )  # fmt: skip


def _keeps(actor: Actor, organisation: Organisation) -> bool:
    return allows(actor, "directory.oversee-any") or (
        actor.organisation_id == organisation.id and allows(actor, "directory.oversee-own")
    )


def _administers(actor: Actor, organisation: Organisation) -> bool:
    own = actor.organisation_id == organisation.id
    return allows(actor, "directory.administer", "own" if own else "any")


def _delegations(session: Session, organisation_id: UUID) -> list[tuple[Delegation, str]]:
    held = session.scalars(
        select(Delegation)
        .where(Delegation.organisation_id == organisation_id, Delegation.ended_at.is_(None))
        .order_by(Delegation.granted_at, Delegation.id)
    )
    return [(one, session.get_one(OrganisationRow, one.to_organisation_id).name) for one in held]


def _asked(session: Session, state: ForceState) -> Mapping[UUID, DirectoryLink]:
    """Return the last link by which each unit, or its team, was asked."""
    links = verifying.asked_last(
        session, frozenset(unit.id for one in state.units for unit in one.own), _status()
    )
    found = {}
    for one in state.units:
        sent = [links[unit.id] for unit in one.own if unit.id in links]
        if sent:
            found[one.unit.id] = max(sent, key=lambda link: link.created_at)
    return found


def _asked_at(session: Session, forces: Sequence[ForceState]) -> Mapping[UUID, datetime]:
    """Return when each force was last asked to confirm anything."""
    units = frozenset(u.id for one in forces for state in one.units for u in state.own)
    found: dict[UUID, datetime] = {}
    for link in verifying.asked_last(session, units, _status()).values():
        at = found.get(link.organisation_id, link.created_at)
        found[link.organisation_id] = max(at, link.created_at)
    return found


def _force(snapshot: Snapshot, code: str) -> Organisation:
    found = snapshot.organisation_by_code.get(code)
    if found is None or found.kind != "police":
        raise not_found()
    return found


@page(blueprint, "/directory/nation", guard=permission("directory.oversee-any"))
def nation_() -> ResponseReturnValue:
    """Show how every force keeps its entry, the worst first where asked."""
    return _nation({})


def _nation(wrong: dict[str, str], status: int = 200) -> ResponseReturnValue:
    found = nation(lookup().snapshot, now(), _status())
    order = request.args.get("order", "worst")
    listed = sorted(found, key=lambda one: one.badness) if order == "worst" else found
    mapped = [
        {"code": one.force.code, "name": one.force.name, "state": one.state,
         "state_text": states()[one.state], "url": f"#force-{one.force.code}"}
        for one in found
    ]  # fmt: skip
    with database().unit_of_work() as session:
        asked = _asked_at(session, found)
        invited = {
            link.organisation_id: link
            for link in session.scalars(
                select(DirectoryLink)
                .where(DirectoryLink.purpose == "claim", DirectoryLink.status == _status())
                .order_by(DirectoryLink.created_at, DirectoryLink.id)
            )
        }
    page_ = render_template(
        "directory/nation.html", forces=listed, mapped=mapped, paths=force_paths(),
        states=states(), counts={name: sum(f.state == name for f in found) for name in STATES},
        wanted=WANTED, invited=invited, asked=asked, order=order, problems=wrong, typed=request.form, at=now(),
        may_invite=allows(current_actor(), "directory.invite"),
        status=_status(),
    )  # fmt: skip
    return page_, status


@page(blueprint, "/directory/nation.csv", guard=permission("directory.oversee-any"))
def nation_csv() -> ResponseReturnValue:
    """Hand out the table of units, as a spreadsheet reads it."""
    return _csv(nation(lookup().snapshot, now(), _status()), "state-of-the-directory")


@page(blueprint, "/directory/forces/<code>/kept.csv", guard=permission("directory.oversee-own"))
def force_csv(code: str) -> ResponseReturnValue:
    """Hand a force its own part of that table."""
    snapshot = lookup().snapshot
    found = _force(snapshot, code)
    if not _keeps(current_actor(), found):
        raise not_found()
    return _csv([force_state(snapshot, found, now(), _status())], f"state-of-{code}")


def _csv(forces: Sequence[ForceState], name: str) -> Response:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([
        "force", "unit", "unit_code", "state", "missing", "contacts", "unverified", "overdue",
        "suggested", "reported", "mail_came_back", "oldest_verification",
    ])  # fmt: skip
    for one in forces:
        for unit in one.units:
            writer.writerow([
                one.force.name, guarded(unit.unit.name), unit.unit.code, unit.state,
                "; ".join(unit.missing), unit.contacts, unit.unverified, unit.overdue,
                unit.suggested, unit.reported, unit.bounced,
                unit.verified_at.astimezone(LONDON).date().isoformat() if unit.verified_at else "",
            ])  # fmt: skip
    named = f"{name}-{now().astimezone(LONDON).date()}.csv"
    return Response(
        ("\ufeff" + text.getvalue()).encode(), mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{named}"'},
    )  # fmt: skip


@page(
    blueprint, "/directory/nation/invitations", guard=permission("directory.invite"),
    methods=("POST",),
)  # fmt: skip
def invite() -> ResponseReturnValue:
    """Mail one force its claim link, or many by a file."""
    actor, keys = current_actor(), runtime().keys
    file = request.files.get("file")
    try:
        with database().unit_of_work() as session:
            if file is not None and file.filename:
                text = decode(file.stream.read(MOST_BYTES + 1))
                count = len(claims.invite_all(session, actor, keys, text, now()))
            else:
                claims.invite(
                    session, actor, keys, request.form.get("organisation", ""),
                    request.form.get("address", ""), now(),
                )  # fmt: skip
                count = 1
    except HubError as error:
        if error.status != 422:
            raise
        where = "file" if file is not None and file.filename else ""
        wrong = {where or f.pointer.strip("/") or "organisation": f.sentence for f in error.fields}
        if where:
            wrong = {"file": " ".join(f.sentence for f in error.fields[:8])}
        return _nation(wrong or {"organisation": error.sentence}, 422)
    flash(_("Claim links on their way: %(count)s.", count=count))
    return redirect(url_for("directory.nation_"), 303)


@page(
    blueprint, "/directory/nation/reminders", guard=permission("directory.oversee-any"),
    methods=("POST",),
)  # fmt: skip
def remind() -> ResponseReturnValue:
    """Ask forces to confirm or enter their contacts: the mail that the state of each calls for."""
    actor, keys, snapshot = current_actor(), runtime().keys, lookup().snapshot
    chosen = [_force(snapshot, code) for code in dict.fromkeys(request.form.getlist("force"))]
    if not chosen:
        raise invalid("force", _("Say which force is to be asked."), "/force")
    asked, kept, unheard = [], [], []
    with database().unit_of_work() as session:
        for found in chosen:
            state = force_state(snapshot, found, now(), _status())
            units = {unit.id for one in state.units for unit in one.to_ask}
            sent = reminding.remind(
                session, actor, keys, found.id, units, now(), lacks=bool(state.missing)
            )
            if sent:
                asked.append(_("%(force)s: %(count)s", force=found.name, count=sent))
            elif units or state.missing:
                unheard.append(found.name)
            else:
                kept.append(found.name)
    if asked:
        flash(_("Asked again, by so many mails: %(forces)s.", forces="; ".join(asked)))
    if kept:
        flash(
            _("Nothing to ask, all is there and confirmed: %(forces)s.", forces="; ".join(kept)),
            "warning",
        )
    if unheard:
        said = _(
            "Nothing was sent, there is no mailbox to ask at: %(forces)s. Give an address for a"
            " claim link.", forces="; ".join(unheard),
        )  # fmt: skip
        if actor.status == "exercise":
            said += " " + _("An exercise writes to the exercise’s own mailboxes alone.")
        flash(said, "warning")
    order = "name" if request.form.get("order") == "name" else None
    return redirect(url_for("directory.nation_", order=order), 303)


@page(
    blueprint, "/directory/organisations/<code>/keeping",
    guard=permission("directory.oversee-own"), methods=("GET", "POST"),
)  # fmt: skip
def keeping(code: str) -> ResponseReturnValue:
    """Register domains, and let another organisation's editors keep this one's entry or stop."""
    actor = current_actor()
    organisation = lookup().snapshot.organisation_by_code.get(code)
    if organisation is None or not _keeps(actor, organisation):
        raise not_found()
    if request.method == "GET":
        return _keeping(actor, organisation, {})
    try:
        with database().unit_of_work() as session:
            _keep(session, actor, code)
    except HubError as error:
        if error.status not in (409, 422):
            raise
        at = "domains" if "domains" in request.form else "to"
        return _keeping(actor, organisation, {at: error.sentence}, error.status)
    holder().look_again()
    flash(_("Saved."))
    if organisation.kind == "police":
        return redirect(url_for("directory.force", code=code), 303)
    return redirect(url_for("directory.keeping", code=code), 303)


def _keeping(
    actor: Actor, organisation: Organisation, wrong: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    with database().unit_of_work() as session:
        delegations = _delegations(session, organisation.id)
    page_ = render_template(
        "directory/keeping.html", force=organisation, delegations=delegations,
        administers=_administers(actor, organisation), status=_status(), problems=wrong,
        typed=request.form,
    )  # fmt: skip
    return page_, status


def _keep(session: Session, actor: Actor, code: str) -> None:
    organisation = find_organisation(session, code)
    if organisation is None:
        raise not_found()
    if actor.status == "exercise":
        raise conflict(
            "exercise-keeping", _("An exercise does not change who keeps or reads the real entry.")
        )
    if "domains" in request.form:
        access.set_domains(session, actor, organisation, request.form["domains"].split(), now())
    elif request.form.get("end"):
        keepers.end_delegation(session, actor, _uuid(request.form["end"]), now())
    else:
        other = organisations.named(session, " ".join(request.form.get("to", "").split()))
        if other is None or other.id == organisation.id:
            raise invalid(
                "organisation", _("Give another organisation’s name, such as Essex Police."), "/to"
            )
        keepers.delegate(session, actor, organisation.id, other.id, now())


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise not_found() from None
