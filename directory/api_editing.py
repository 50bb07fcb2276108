"""Contacts kept by partner systems: added, changed and closed, for their own organisation alone.

What comes by API is unverified until a person of the team confirms it.
"""

from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import contact_rules, editing
from directory.api import blueprint
from directory.api_documents import ContactOfUnitOut
from directory.documents import contact_out
from directory.entry_contracts import ContactIn
from directory.model import ContactPoint, ContactProblem
from directory.reading import holder
from hub.errors import HubError, not_found
from hub.organisations import find_unit
from hub.web.context import current_actor, database, now, runtime
from hub.web.guards import api
from hub.web.openapi import Operation
from hub.web.requests import body, once, reply

SCOPE = "directory:write"
WHY = Field(min_length=3, max_length=300, description="Why, for the history that people read")
CONTACT = {"contact": "The contact's UUID"}


class ContactCommand(ContactIn):
    """A contact point, and why it is so from now on."""

    why: str = WHY

    @property
    def contact(self) -> ContactIn:
        """The contact alone."""
        return ContactIn(**self.model_dump(exclude={"why"}))


class ClosingCommand(BaseModel):
    """Why a contact is closed; `on` is the first day without it, today if not given."""

    model_config = ConfigDict(extra="forbid")
    why: str = WHY
    on: date | None = None


class ContactKeptOut(BaseModel):
    """The contact is on record at this version. `warnings` are to be thought about."""

    id: UUID
    unit_id: UUID
    version: int
    warnings: list[str]


@api(
    blueprint,
    "/api/v1/directory/units/<path:unit>/contacts",
    Operation(
        "POST", "Put a contact of a unit on record", {201: ContactKeptOut}, request=ContactCommand,
        path={"unit": "Its code (such as kent/east) or UUID"}, errors=(404, 409), idempotent=True,
    ),
    scope=SCOPE,
)  # fmt: skip
def add_contact(unit: str) -> ResponseReturnValue:
    """Add a contact."""
    command = body(ContactCommand)

    def act(session: Session) -> dict[str, Any]:
        there = find_unit(session, unit)
        if there is None:
            raise not_found("No unit has this code or UUID.")
        added = editing.add_contact(
            session, current_actor(), there.id, command.contact, why=command.why, now=now()
        )
        return _references(added)

    done, _ = once(act)
    return _kept(done, command, 201)


@api(
    blueprint,
    "/api/v1/directory/contacts/<uuid:contact>",
    Operation(
        "PUT", "Change a contact", {200: ContactKeptOut}, request=ContactCommand, path=CONTACT,
        errors=(404, 409), if_match=True,
    ),
    scope=SCOPE,
)  # fmt: skip
def change_contact(contact: UUID) -> ResponseReturnValue:
    """Change a contact whose present version the sender has seen."""
    command = body(ContactCommand)
    with database().unit_of_work() as session:
        _same_version(session, contact, command.contact.model_dump(mode="json"))
        changed = editing.change_contact(
            session, current_actor(), contact, command.contact, version=None, why=command.why,
            now=now(),
        )  # fmt: skip
        done = _references(changed)
    return _kept(done, command, 200)


@api(
    blueprint,
    "/api/v1/directory/contacts/<uuid:contact>",
    Operation(
        "DELETE", "Close a contact: it stays on record, and is shown no more",
        {200: ContactKeptOut}, request=ClosingCommand, path=CONTACT, errors=(404, 409),
        if_match=True,
    ),
    scope=SCOPE,
)  # fmt: skip
def close_contact(contact: UUID) -> ResponseReturnValue:
    """Close a contact whose present version the sender has seen."""
    command = body(ClosingCommand)
    with database().unit_of_work() as session:
        _same_version(session, contact, None)
        closed = editing.close_contact(
            session, current_actor(), contact, version=None, why=command.why, now=now(),
            on=command.on,
        )  # fmt: skip
        done = _references(closed)
    return _kept(done, None, 200)


def _same_version(session: Session, contact_id: UUID, yours: dict[str, Any] | None) -> None:
    """Hold the contact's row, and refuse to change what the sender has not seen.

    Raises:
        HubError: 428 without If-Match; 404, 401, 403, 409 as editing does; 412 with both versions.
    """
    tags = versions_named("contact")
    there = editing.contact_to_edit(session, current_actor(), contact_id, None)
    if str(there.version) in tags:
        return
    row = {column.key: getattr(there, column.key) for column in ContactPoint.__table__.columns}
    problems = session.execute(
        select(ContactProblem.__table__).where(
            ContactProblem.contact_point_id == there.id, ContactProblem.answered_at.is_(None)
        )
    )
    present = contact_out(row, [one._asdict() for one in problems], runtime().settings.verify_every)
    document = ContactOfUnitOut(unit_id=there.unit_id, **dict(present))
    raise changed_meanwhile("contact", there.version, document, yours)


def versions_named(what: str) -> set[str]:
    """Return the versions that the request's If-Match names.

    A tag begins with the version; what follows is of readers' interest alone.

    Raises:
        HubError: 428 without one, or with the star that names any.
    """
    given = request.if_match
    if given.star_tag or not (given or request.headers.get("If-Match")):
        raise HubError(
            "if-match-required", 428,
            f"Send If-Match with the ETag of the {what} as you have it, such as \"3\".",
        )  # fmt: skip
    return {tag.partition("-")[0] for tag in given.as_set()}


def changed_meanwhile(
    what: str, version: int, present: BaseModel, yours: dict[str, Any] | None
) -> HubError:
    """Return the 412 with what is there now and what was sent."""
    return HubError(
        "changed-meanwhile", 412,
        f"Somebody else changed this {what}. Look at `present` and `yours`, and send again what is"
        " right, with the present version in If-Match.",
        extra={"version": version, "present": present.model_dump(mode="json"), "yours": yours},
    )  # fmt: skip


def _references(contact: ContactPoint) -> dict[str, Any]:
    return {
        "id": str(contact.id), "unit_id": str(contact.unit_id), "version": contact.version
    }  # fmt: skip


def _kept(done: dict[str, Any], command: ContactCommand | None, status: int) -> Response:
    holder().look_again()
    warnings = contact_rules.warnings(command.channel, command.value) if command else []
    return reply(
        ContactKeptOut(**done, warnings=warnings), status, {"ETag": f'"{done["version"]}"'}
    )
