"""Partner systems: their credentials, and the actor that a token of theirs stands for."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.errors import invalid
from hub.identity.actor import Actor
from hub.identity.model import OAuthClient
from hub.identity.naming import organisation_and_unit
from hub.organisations import Organisation, Unit, units_below
from hub.records import audit

SCOPES = ("directory:read", "directory:write", "cases:read", "cases:write")


def add_client(
    session: Session,
    who: audit.Who,
    *,
    name: str,
    organisation: str,
    unit: str | None,
    scopes: list[str],
    now: datetime,
) -> tuple[str, str]:
    """Add a partner system; return its client_id and its secret, which is kept only as a hash.

    Raises:
        HubError: 422 for an unknown scope, organisation or unit.
    """
    wanted = list(dict.fromkeys(scopes))
    if not wanted or set(wanted) - set(SCOPES):
        raise invalid("scope-unknown", f"Scopes are: {', '.join(SCOPES)}.", "/scope")
    body, of_unit = organisation_and_unit(session, organisation, unit)
    client_id = f"{body.code.lower()}-{secrets.token_hex(6)}"
    secret = secrets.token_urlsafe(32)
    client = OAuthClient(
        client_id=client_id,
        name=name.strip()[:200] or client_id,
        secret_hash=_hash(secret),
        organisation_id=body.id,
        unit_id=of_unit.id,
        scopes=wanted,
        created_at=now,
    )
    session.add(client)
    session.flush()
    audit.record(
        session,
        who,
        "client.add",
        now=now,
        object_kind="client",
        object_id=client.id,
        detail={"unit": of_unit.code, "scopes": wanted},
    )
    return client_id, secret


def authenticate(session: Session, client_id: str, secret: str) -> OAuthClient | None:
    """Return the client whose credentials these are, or None; in the same time either way."""
    client = session.scalar(select(OAuthClient).where(OAuthClient.client_id == client_id))
    stored = client.secret_hash if client else bytes(32)
    right = hmac.compare_digest(bytes(stored), _hash(secret))
    return client if client and right and client.revoked_at is None else None


def load_actor(session: Session, key: UUID) -> Actor | None:
    """Return the actor of a client by its id, or None when it is revoked or unknown."""
    row = session.execute(
        select(OAuthClient, Unit, Organisation)
        .join(Unit, Unit.id == OAuthClient.unit_id)
        .join(Organisation, Organisation.id == OAuthClient.organisation_id)
        .where(OAuthClient.id == key, OAuthClient.revoked_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    client, unit, organisation = row
    return Actor(
        kind="client",
        id=client.id,
        name=client.name,
        organisation_id=organisation.id,
        organisation_code=organisation.code,
        organisation_name=organisation.name,
        organisation_kind=organisation.kind,
        unit_id=unit.id,
        unit_name=unit.name,
        unit_ids=units_below(session, unit.id),
        roles=roles(client.scopes, organisation.kind),
        scopes=frozenset(client.scopes),
        status=None,
    )


def roles(scopes: Collection[str], organisation_kind: str) -> frozenset[str]:
    """Return what a partner system acts as: one that has to do with cases as its unit's staff."""
    found = {"directory-reader"}
    if any(scope.startswith("cases:") for scope in scopes):
        found = {"officer" if organisation_kind == "police" else "practitioner"}
    if "directory:write" in scopes:
        found.add("directory-editor")
    return frozenset(found)


def _hash(secret: str) -> bytes:
    """A random 256-bit secret needs no slow hash."""
    return hashlib.sha256(secret.encode()).digest()
