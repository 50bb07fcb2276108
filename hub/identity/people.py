"""People and their memberships."""

from datetime import datetime
from functools import cache
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from hub.errors import invalid
from hub.identity.model import Membership, Person, WebSession
from hub.identity.naming import organisation_and_unit
from hub.identity.policy import ROLES
from hub.records import audit

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256

_hasher = PasswordHasher()


@cache
def _nobody() -> str:
    """Return what a password is compared with where nobody has the address; it takes a while."""
    return _hasher.hash("nobody has this password")


def add_person_with_membership(
    session: Session,
    who: audit.Who,
    *,
    email: str,
    name: str,
    organisation: str,
    unit: str | None,
    role: str,
    status: str,
    password: str,
    now: datetime,
    rank_or_role: str | None = None,
    collar_number: str | None = None,
) -> Person:
    """Add a person with one membership; for one that is there, add the membership alone.

    Raises:
        HubError: 422 for an address, role, organisation or unit that cannot be; 409 for a repeat.
    """
    address = clean_email(email)
    if role not in ROLES:
        raise invalid("role-unknown", f"The role must be one of: {', '.join(ROLES)}.", "/role")
    _, at_unit = organisation_and_unit(session, organisation, unit)
    person = session.scalar(select(Person).where(Person.email == address))
    if person is None:
        person = Person(
            email=address,
            name=name.strip()[:200],
            rank_or_role=rank_or_role,
            collar_number=collar_number,
            password_hash=hash_password(password),
            status=status,
            created_at=now,
        )
        session.add(person)
        session.flush()
        audit.record(session, who, "person.add", now=now, object_kind="person", object_id=person.id)
    elif person.status != status:
        raise invalid(
            "status-mismatch",
            f"This address is an account for {person.status} cases: use another for {status} ones.",
            "/email",
        )
    session.add(Membership(person_id=person.id, unit_id=at_unit.id, role=role, valid_from=now))
    session.flush()
    audit.record(
        session,
        who,
        "membership.add",
        now=now,
        object_kind="person",
        object_id=person.id,
        detail={"unit": at_unit.code, "role": role},
    )
    return person


def current_memberships(session: Session, person_id: UUID, now: datetime) -> list[Membership]:
    """Return what the person may act as now, oldest first."""
    return list(
        session.scalars(
            select(Membership)
            .where(
                Membership.person_id == person_id,
                Membership.valid_from <= now,
                or_(Membership.valid_to.is_(None), Membership.valid_to > now),
            )
            .order_by(Membership.valid_from, Membership.id)
        )
    )


def clean_email(email: str) -> str:
    """Return the address as the hub keeps it: checked, lower case.

    Raises:
        HubError: 422 when it is no address.
    """
    try:
        found = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise invalid(
            "email", "Give an e-mail address such as name@example.org.", "/email"
        ) from None
    return found.normalized.lower()


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password.

    Raises:
        HubError: 422 when it is too short or too long.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise invalid(
            "password",
            f"A password has between {SHORTEST_PASSWORD} and {LONGEST_PASSWORD} characters.",
            "/password",
        )
    return _hasher.hash(password)


def password_matches(password: str, stored: str | None) -> bool:
    """Say whether it is the password; takes as long when there is none to compare with."""
    try:
        return (
            _hasher.verify(stored or _nobody(), password[:LONGEST_PASSWORD]) and stored is not None
        )
    except (Argon2Error, InvalidHashError):
        return False


def change_password(
    session: Session,
    who: audit.Who,
    person: Person,
    *,
    current: str,
    new: str,
    keep_session: UUID | None,
    now: datetime,
) -> None:
    """Set a new password, and sign out every other browser of this person.

    Raises:
        HubError: 422 when the current one is wrong or the new one will not do.
    """
    if not password_matches(current, person.password_hash):
        raise invalid("password-wrong", "This is not your current password.", "/current")
    person.password_hash = hash_password(new)
    session.execute(
        update(WebSession)
        .where(
            WebSession.person_id == person.id,
            WebSession.revoked_at.is_(None),
            WebSession.id != keep_session,
        )
        .values(revoked_at=now)
    )
    session.flush()
    audit.record(
        session, who, "password.change", now=now, object_kind="person", object_id=person.id
    )


def refresh_hash(person: Person, password: str) -> None:
    """Hash again, where the parameters have grown since."""
    if _hasher.check_needs_rehash(person.password_hash):
        person.password_hash = _hasher.hash(password)
