"""The tables of people, memberships, sessions, clients and idempotency keys."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base, new_id, register_constraint


class Person(Base):
    """Somebody who signs in. `status` says for life whether for actual cases or exercises."""

    __tablename__ = "person"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str]
    name: Mapped[str]
    rank_or_role: Mapped[str | None]
    collar_number: Mapped[str | None]
    password_hash: Mapped[str]
    status: Mapped[str]
    suspended_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Membership(Base):
    """A person's role at a unit, from and to; it acts for every unit below that one too."""

    __tablename__ = "membership"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    role: Mapped[str]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]


class WebSession(Base):
    """One signed-in browser. The cookie holds the token; only its hash is here."""

    __tablename__ = "web_session"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    token_hash: Mapped[bytes]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class SignInAttempt(Base):
    """One try to sign in; account and address as keyed hashes, for throttling alone."""

    __tablename__ = "sign_in_attempt"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account: Mapped[bytes]
    address: Mapped[bytes]
    at: Mapped[datetime]
    succeeded: Mapped[bool]


class OAuthClient(Base):
    """A partner system of an organisation, which answers for a unit and those below it."""

    __tablename__ = "oauth_client"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    client_id: Mapped[str]
    name: Mapped[str]
    secret_hash: Mapped[bytes]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class IdempotencyKey(Base):
    """A key that its owner (client or person) used once, with what was asked and answered."""

    __tablename__ = "idempotency_key"

    owner_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes]
    reply: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    at: Mapped[datetime]


register_constraint(
    "uq_person_email", "person-exists", 409, "Somebody with this e-mail address is there already."
)
register_constraint(
    "uq_membership_person_id_unit_id_role_open",
    "membership-exists",
    409,
    "This person has this role at this unit already.",
)
