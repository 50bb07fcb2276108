"""Who is at a page of the directory (signed in, or come by a mailed link), and of which moment."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import g, request
from flask import session as cookie
from flask_babel import gettext as _

from directory import links
from directory.model import DirectoryLink
from directory.reading import MOMENTS, lookup, reader
from directory.snapshot import Contact, Unit
from hub.clock import LONDON
from hub.errors import not_found
from hub.identity.actor import Actor
from hub.identity.policy import allows
from hub.presence import NO_ANSWER
from hub.web.context import current_actor, database, now

PASS = "directory_pass"  # noqa: S105  # a name in the signed cookie
PASS_LIFE = timedelta(hours=4)


def admit(link: DirectoryLink, name: str) -> None:
    """Let whoever used a link go on for a few hours, in this browser alone."""
    until = now() + PASS_LIFE
    cookie[PASS] = {"link": str(link.id), "name": name, "until": until.isoformat()}


def dismiss() -> None:
    """End what a link allowed."""
    cookie.pop(PASS, None)


def editor() -> Actor:
    """Return who keeps what the page shows: for the unit or organisation that a link opened in
    this browser, who came by it; for anything else, who is signed in.

    Signing in or out ends what a link allowed, so that nobody acts under another's name.
    """
    guest, asked = came_by_link(), request.view_args or {}
    if guest is None:
        return current_actor()
    whole = guest.unit_id is None and asked.get("code") == guest.organisation_code
    return guest if whole or asked.get("unit_id") in guest.unit_ids else current_actor()


def came_by_link() -> Actor | None:
    """Return who used a mailed link in this browser in the last hours, signed in or not."""
    held = cookie.get(PASS)
    if not held or datetime.fromisoformat(held["until"]) <= now():
        return None
    if "directory_guest" not in g:
        g.directory_guest = None
        try:
            with database().unit_of_work() as session:
                link = session.get(DirectoryLink, UUID(held["link"]))
                if link is not None and link.revoked_at is None:
                    g.directory_guest = links.guest(session, link, held["name"])
        except NO_ANSWER:
            if not g.get("offline"):
                raise
    found: Actor | None = g.directory_guest
    return found


def known_contacts() -> Mapping[UUID, Contact]:
    """Return the contacts of today's directory by their id, whoever may see them."""
    snapshot = lookup().snapshot
    held = snapshot.cache.get("contacts by id")
    if held is None:
        held = {one.id: one for some in snapshot.contacts.values() for one in some}
        snapshot.cache["contacts by id"] = held
    found: Mapping[UUID, Contact] = held
    return found


def reportable(actor: Actor, contact: Contact | None) -> bool:
    """Say whether somebody may report a contact: signed in, and of the status they are here for."""
    return (
        contact is not None
        and actor.kind == "person"
        and allows(actor, "directory.report")
        and contact.status == reader(actor).status
        and contact.audience in reader(actor).audiences
    )


def shown_unit(unit_id: UUID) -> Unit:
    """Return a unit of today's directory, or one that is yet to be.

    Raises:
        HubError: 404.
    """
    unit = lookup().snapshot.units.get(unit_id)
    if unit is None:
        raise not_found()
    return unit


def moment_asked() -> tuple[datetime, str]:
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
