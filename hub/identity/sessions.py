"""Signing in and staying so: throttled tries, a session row for each browser, and the actor of it."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from hub.db import fetch, new_id
from hub.errors import HubError
from hub.identity import people
from hub.identity.actor import Actor
from hub.identity.model import Membership, Person, SignInAttempt, WebSession
from hub.organisations import Organisation, Unit, units_below
from hub.records import audit

WINDOW = timedelta(minutes=15)
FAILURES_PER_ACCOUNT = 10
FAILURES_PER_ADDRESS = 50
TOUCH = timedelta(minutes=1)


def sign_in(
    session: Session,
    *,
    email: str,
    password: str,
    address: str,
    secret: bytes,
    lasts: timedelta,
    now: datetime,
) -> str | None:
    """Check e-mail and password; return the token of a new session, or None when they are wrong.

    The attempt is written either way, so commit even after None. `address` is the network
    address; it and the account are kept as keyed hashes only.

    Raises:
        HubError: 429 when this account or address has failed too often; with the wait in seconds.
    """
    account_hash = _keyed(secret, "account", email.strip().lower())
    address_hash = _keyed(secret, "address", address)
    _throttle(session, account_hash, address_hash, now)
    person = session.scalar(select(Person).where(Person.email == email.strip().lower()))
    right = people.password_matches(password, person.password_hash if person else None)
    allowed = right and person is not None and person.suspended_at is None
    session.add(
        SignInAttempt(account=account_hash, address=address_hash, at=now, succeeded=allowed)
    )
    session.flush()
    if not allowed or person is None:
        audit.record(session, audit.Who("public"), "sign-in.refuse", now=now)
        return None
    people.refresh_hash(person, password)
    memberships = people.current_memberships(session, person.id, now)
    token = secrets.token_urlsafe(32)
    row = WebSession(
        id=new_id(),
        token_hash=token_hash(token),
        person_id=person.id,
        unit_id=memberships[0].unit_id if memberships else None,
        created_at=now,
        last_seen_at=now,
        expires_at=now + lasts,
    )
    session.add(row)
    session.flush()
    who = audit.Who("person", person.id, person.name, unit_id=row.unit_id, session_id=row.id)
    audit.record(session, who, "sign-in", now=now, object_kind="person", object_id=person.id)
    return token


def _throttle(session: Session, account: bytes, address: bytes, now: datetime) -> None:
    """Refuse when too many tries of late have failed, for the account or from the address."""
    since = now - WINDOW
    for column, value, most in (
        (SignInAttempt.account, account, FAILURES_PER_ACCOUNT),
        (SignInAttempt.address, address, FAILURES_PER_ADDRESS),
    ):
        failures, oldest = session.execute(
            select(func.count(), func.min(SignInAttempt.at)).where(
                column == value, SignInAttempt.at > since, SignInAttempt.succeeded.is_(False)
            )
        ).one()
        if failures >= most:
            wait = max(1, int((oldest + WINDOW - now).total_seconds()))
            raise HubError(
                "too-many-attempts",
                429,
                f"There were too many tries to sign in. Wait {-(-wait // 60)} minutes, or ask your"
                " administrator for a new password.",
                extra={"retry_after": wait},
            )


def forget_attempts(session: Session, now: datetime) -> None:
    """Drop attempts that no throttle looks at any more."""
    session.execute(delete(SignInAttempt).where(SignInAttempt.at < now - 4 * WINDOW))


def load_actor(
    session: Session, token: str, *, idle: timedelta, now: datetime, automatic: bool = False
) -> Actor | None:
    """Return who the session's cookie stands for, or None when it stands for nobody any more.

    Revoked, idle too long, past its absolute end, suspended, or without a membership left: nobody.
    What a screen asks for by itself (`automatic`) keeps no session from being idle.
    """
    row = session.execute(
        select(WebSession, Person)
        .join(Person, Person.id == WebSession.person_id)
        .where(
            WebSession.token_hash == token_hash(token),
            WebSession.revoked_at.is_(None),
            WebSession.expires_at > now,
            WebSession.last_seen_at > now - idle,
            Person.suspended_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    web_session, person = row
    memberships = people.current_memberships(session, person.id, now)
    if not memberships:
        return None
    if not automatic and now - web_session.last_seen_at > TOUCH:
        session.execute(
            update(WebSession).where(WebSession.id == web_session.id).values(last_seen_at=now)
        )
    return _actor(session, person, web_session, memberships)


_STANDING = text("""
SELECT w.token_hash, concat(w.unit_id, (SELECT string_agg(concat(m.unit_id, m.role), ','
        ORDER BY m.unit_id, m.role) FROM membership m WHERE m.person_id = w.person_id
    AND m.valid_from <= :now AND (m.valid_to IS NULL OR m.valid_to > :now))) AS acts_as
FROM web_session w JOIN person p ON p.id = w.person_id
WHERE w.token_hash = ANY(CAST(:hashes AS bytea[])) AND w.revoked_at IS NULL AND w.expires_at > :now
    AND w.last_seen_at > :idle_since AND p.suspended_at IS NULL
""")


def standing(
    session: Session, hashes: Collection[bytes], *, idle: timedelta, now: datetime
) -> dict[bytes, str]:
    """Return which of these sessions stand for somebody still, by token hash, and as what they act.

    Whoever acts as something else now is somebody else: load them anew.
    """
    if not hashes:
        return {}
    found = {"hashes": list(hashes), "now": now, "idle_since": now - idle}
    return {bytes(row.token_hash): row.acts_as for row in fetch(session, _STANDING, found)}


def _actor(
    session: Session, person: Person, web_session: WebSession, memberships: list[Membership]
) -> Actor:
    at = {membership.unit_id for membership in memberships}
    unit_id = web_session.unit_id if web_session.unit_id in at else memberships[0].unit_id
    unit, organisation = session.execute(
        select(Unit, Organisation)
        .join(Organisation, Organisation.id == Unit.organisation_id)
        .where(Unit.id == unit_id)
    ).one()
    return Actor(
        kind="person",
        id=person.id,
        name=person.name,
        rank_or_role=person.rank_or_role,
        collar_number=person.collar_number,
        organisation_id=organisation.id,
        organisation_code=organisation.code,
        organisation_name=organisation.name,
        organisation_kind=organisation.kind,
        unit_id=unit_id,
        unit_name=unit.name,
        unit_ids=units_below(session, unit_id),
        roles=frozenset(m.role for m in memberships if m.unit_id == unit_id),
        status=person.status,
        session_id=web_session.id,
    )


def choose_unit(session: Session, actor: Actor, unit_id: UUID, *, now: datetime) -> None:
    """Act for another of the person's own units from here on.

    Raises:
        HubError: 422 when the person has no membership there.
    """
    own = people.current_memberships(session, actor.id, now) if actor.id else []
    if unit_id not in {membership.unit_id for membership in own}:
        raise HubError("unit-not-yours", 422, "Choose one of your own units.")
    session.execute(
        update(WebSession).where(WebSession.id == actor.session_id).values(unit_id=unit_id)
    )
    audit.record(session, actor.who, "unit.choose", now=now, object_kind="unit", object_id=unit_id)


def sign_out(session: Session, actor: Actor, *, now: datetime) -> None:
    """Revoke the actor's session: its cookie is worth nothing from now on."""
    session.execute(
        update(WebSession)
        .where(WebSession.id == actor.session_id, WebSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    audit.record(session, actor.who, "sign-out", now=now)


def token_hash(token: str) -> bytes:
    """Return what is kept of a session's token."""
    return hashlib.sha256(token.encode()).digest()


def _keyed(secret: bytes, kind: str, value: str) -> bytes:
    return hmac.new(secret, f"{kind}\0{value}".encode(), hashlib.sha256).digest()
