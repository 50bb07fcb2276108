"""Filling the directory: a force is mailed a link, enters its contacts, and names its editors."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import contact_rules, links
from directory.editing import add_contact, confirm_contacts
from directory.entry_contracts import ContactIn
from directory.hours_text import Spans, parse
from directory.model import ContactPoint, DirectoryLink
from hub.errors import FieldProblem, HubError, invalid, not_found
from hub.identity import people
from hub.identity.actor import Actor
from hub.identity.policy import require
from hub.organisations import Organisation, Unit, find_organisation
from hub.records import audit
from hub.records.keys import Keys

WHY = "entered by claim link"
MOST_ROWS = 2000


@dataclass(frozen=True)
class Invitation:
    """An organisation and the address that its claim link goes to."""

    organisation: Organisation
    address: str


def invite(
    session: Session, actor: Actor, keys: Keys, organisation: str, address: str, now: datetime
) -> DirectoryLink:
    """Mail an organisation its claim link; an earlier one no longer works.

    Raises:
        HubError: 401, 403; 422 `organisation` or `address`.
    """
    require(actor, "directory.invite")
    found = _invitation(session, organisation, address)
    return _issue(session, actor, keys, found, now)


def invite_all(
    session: Session, actor: Actor, keys: Keys, text: str, now: datetime
) -> list[Invitation]:
    """Mail claim links by a CSV of two columns, organisation and address: all of it or none.

    Raises:
        HubError: 401, 403; 422 with every row that cannot be read.
    """
    require(actor, "directory.invite")
    rows = [row for row in csv.reader(io.StringIO(text.lstrip("\ufeff"))) if any(row)]
    if rows and [one.strip().lower() for one in rows[0]][:2] == ["organisation", "address"]:
        rows = rows[1:]
    if not rows or len(rows) > MOST_ROWS:
        raise invalid("rows", "Give one line for each force: its name or code, and the address.")
    found, problems = [], []
    for number, row in enumerate(rows, 1):
        if len(row) < 2:
            problems.append(FieldProblem(f"/{number}", "row", f"Line {number}: give two columns."))
            continue
        try:
            found.append(_invitation(session, row[0], row[1]))
        except HubError as error:
            problems.append(
                FieldProblem(f"/{number}", error.code, f"Line {number}: {error.sentence}")
            )
    if problems:
        raise HubError("rows-refused", 422, problems[0].sentence, fields=problems)
    for one in found:
        _issue(session, actor, keys, one, now)
    return found


def _invitation(session: Session, organisation: str, address: str) -> Invitation:
    name = organisation.strip()
    found = find_organisation(session, name) or session.scalar(
        select(Organisation).where(Organisation.name == name, Organisation.valid_to.is_(None))
    )
    if found is None:
        raise invalid(
            "organisation", "There is no organisation of this code or name.", "/organisation"
        )
    try:
        return Invitation(found, contact_rules.normalised("email", address))
    except HubError as error:
        raise invalid("address", error.sentence, "/address") from None


def _issue(
    session: Session, actor: Actor, keys: Keys, invitation: Invitation, now: datetime
) -> DirectoryLink:
    link = links.issue(
        session, keys, purpose="claim", organisation_id=invitation.organisation.id,
        address=invitation.address, sent_by=actor.name, now=now, status=actor.status or "actual",
    )  # fmt: skip
    audit.record(
        session, actor.who, "directory.invited", now=now, object_kind="organisation",
        object_id=invitation.organisation.id,
    )  # fmt: skip
    return link


class ClaimedUnit(BaseModel):
    """What a team enters for one of its units; what is left empty is left as it is."""

    model_config = ConfigDict(extra="forbid")
    unit_id: UUID
    telephone: str = Field("", max_length=40)
    mailbox: str = Field("", max_length=254)
    hours: str = Field("", max_length=300)
    duty_inspector: str = Field("", max_length=40)
    switchboard: str = Field("", max_length=40)


SHORTHAND: Mapping[str, tuple[str, str, str]] = {
    "telephone": ("missing-children-team", "telephone", "professional"),
    "mailbox": ("missing-children-team", "email", "professional"),
    "duty_inspector": ("duty-inspector", "telephone", "police"),
    "switchboard": ("switchboard-from-outside", "telephone", "public"),
}
"""What each field of the short form is: purpose, channel, audience."""
COUNCILS = ("childrens-social-care", "edt")
"""Kinds of a council's units, whose telephone and mailbox are for that."""


def enter(session: Session, actor: Actor, given: Sequence[ClaimedUnit], now: datetime) -> int:
    """Put what a team entered on record as checked by it; return how many contacts that is.

    Raises:
        HubError: 403; 422 with every field at fault, by unit.
    """
    problems: list[FieldProblem] = []
    entered = 0
    units = session.execute(
        select(Unit.id, Unit.kind).where(Unit.id.in_([one.unit_id for one in given]))
    )
    kinds = {unit.id: unit.kind for unit in units}
    for one in given:
        hours, wrong = _hours(one)
        problems += wrong
        for name, (purpose, channel, audience) in SHORTHAND.items():
            value = getattr(one, name).strip()
            if not value:
                continue
            pointer = f"/{one.unit_id}/{name}"
            kind = kinds.get(one.unit_id, "")
            if kind in COUNCILS and name in ("telephone", "mailbox"):
                purpose = kind
                audience = "public" if name == "telephone" else audience
            try:
                contact = ContactIn.model_validate({
                    "purpose": purpose, "channel": channel, "value": value, "audience": audience,
                    "hours": hours if name == "telephone" else None,
                })  # fmt: skip
                add_contact(session, actor, one.unit_id, contact, why=WHY, now=now, checked=True)
            except ValidationError:
                problems.append(FieldProblem(pointer, "value", "This cannot be read: check it."))
            except HubError as error:
                if error.code == "contact-there":
                    entered += _confirm(session, actor, one.unit_id, contact, now)
                    continue
                if error.status != 422:
                    raise
                problems.append(FieldProblem(pointer, error.code, error.sentence))
            else:
                entered += 1
    if problems:
        raise HubError("claim-refused", 422, problems[0].sentence, fields=problems)
    return entered


def _hours(given: ClaimedUnit) -> tuple[Spans | None, list[FieldProblem]]:
    """Return the hours of a unit's telephone, and what is wrong with them."""
    at = f"/{given.unit_id}/hours"
    if given.hours.strip() and not given.telephone.strip():
        sentence = "Give the telephone that these hours are of, or leave them empty."
        return None, [FieldProblem(at, "hours", sentence)]
    try:
        return parse(given.hours), []
    except HubError as error:
        return None, [FieldProblem(at, error.code, error.sentence)]


def confirm(session: Session, actor: Actor, seen: Mapping[UUID, int], now: datetime) -> int:
    """Put on record that contacts which were there already are right; return how many.

    `seen` are the versions that the team saw: nobody vouches for what they have not seen.

    Raises:
        HubError: 403 for a contact of somebody else's unit; 409 `changed-meanwhile`.
    """
    by_unit: dict[UUID, dict[UUID, int]] = {}
    for row in session.execute(
        select(ContactPoint.id, ContactPoint.unit_id)
        .where(ContactPoint.id.in_(seen))
        .order_by(ContactPoint.unit_id, ContactPoint.id)
    ):
        by_unit.setdefault(row.unit_id, {})[row.id] = seen[row.id]
    return sum(
        len(confirm_contacts(session, actor, unit_id, now, ids, seen=ids))
        for unit_id, ids in by_unit.items()
    )


def _confirm(session: Session, actor: Actor, unit_id: UUID, given: ContactIn, now: datetime) -> int:
    """Put on record that a contact which was there already is right, as the team has just said."""
    there = session.scalars(
        select(ContactPoint.id).where(
            ContactPoint.unit_id == unit_id,
            ContactPoint.purpose == given.purpose,
            ContactPoint.channel == given.channel,
            ContactPoint.value == given.columns()["value"],
        )
    ).all()
    return len(confirm_contacts(session, actor, unit_id, now, there))


def name_editors(
    session: Session, actor: Actor, keys: Keys, addresses: Sequence[str], now: datetime
) -> int:
    """Mail the editors that a team names a link by which they make their accounts.

    Raises:
        HubError: 403; 422 `editors` for an address that is none.
    """
    if actor.organisation_id is None:
        raise not_found()
    require(actor, "directory.edit", "own")
    clean = []
    for address in addresses:
        try:
            clean.append(people.clean_email(address))
        except HubError:
            raise invalid(
                "editors",
                "Give each editor’s e-mail address, such as name@example.org.",
                "/editors",
            ) from None
    for address in dict.fromkeys(clean):
        links.issue(
            session, keys, purpose="editor", organisation_id=actor.organisation_id,
            address=address, sent_by=actor.name, now=now, status=actor.status or "actual",
        )  # fmt: skip
        audit.record(
            session, actor.who, "directory.editor-named", now=now, object_kind="organisation",
            object_id=actor.organisation_id,
        )  # fmt: skip
    return len(set(clean))
