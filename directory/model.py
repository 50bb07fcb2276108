"""The tables of the directory: areas, who covers them, how to reach them, and who proved it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from hub.clock import LONDON
from hub.db import Base, new_id

PURPOSES = (
    "missing-children-team",
    "coordinator",
    "duty-inspector",
    "control-room",
    "switchboard-from-outside",
    "non-emergency",
    "placement",
    "meeting",
    "childrens-social-care",
    "edt",
    "national-advice",
    "helpline",
    "anonymous-information",
    "mash",
    "media",
    "general",
)
CHANNELS = ("telephone", "mobile", "text", "email", "secure-email", "web")
MAILBOX_CHANNELS = ("email", "secure-email")
AUDIENCES = ("public", "professional", "police")
VERIFICATIONS = ("unverified", "verified", "suggested")
PROBLEMS = ("rang-out", "wrong-team", "unobtainable", "mailbox-closed", "other")
ANSWERS = ("corrected", "works", "closed")
BANK_HOLIDAY_RULES = ("as-weekday", "as-sunday", "closed")


class Area(Base):
    """A local authority district (or county), its one force and its children's services authority.

    `code` is the ONS code. Dates are calendar dates in Europe/London; `valid_to` is the first day
    on which the area is no more. `previous_codes` are the codes of the areas that it took the place
    of. `edited_at` set means that people keep the row.
    """

    __tablename__ = "area"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    name_welsh: Mapped[str | None]
    official_name: Mapped[str | None]
    authority_type: Mapped[str | None]
    country: Mapped[str]
    region_code: Mapped[str | None]
    region_name: Mapped[str | None]
    force_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    csa_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    previous_codes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    superseded_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("area.id"))
    source: Mapped[str]
    source_date: Mapped[str]
    confidence: Mapped[str | None]
    verification: Mapped[str] = mapped_column(default="unverified")
    edited_at: Mapped[datetime | None]
    edited_by: Mapped[str | None]


class Coverage(Base):
    """Which unit answers for an area, on what basis (stated, inferred …) and as of when.

    `sectors` (such as "CT9 1") are the part of the area that it answers for; null is the whole of
    it, or what is left of it.
    """

    __tablename__ = "coverage"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    area_id: Mapped[UUID] = mapped_column(ForeignKey("area.id"))
    sectors: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    basis: Mapped[str]
    confidence: Mapped[str | None]
    as_of: Mapped[str]
    source: Mapped[str]
    verification: Mapped[str] = mapped_column(default="unverified")
    edited_at: Mapped[datetime | None]
    edited_by: Mapped[str | None]


class ContactPoint(Base):
    """One telephone number, mailbox or page of a unit, for one purpose and audience.

    `hours` is null (always, or not known to close) or a list of weekly spans in local time,
    `{"days": [1..7, Monday first], "opens": "08:00", "closes": "16:00"}`, a span that closes at or
    before it opens running past midnight. `exceptions` are dates, `{"date": "2026-12-24",
    "spans": [{"opens": …, "closes": …}]}`, no spans meaning closed. A lower `priority` is rung
    first. A row of status `exercise` is never shown in actual mode. One that a reader suggested
    (`verification`) waits for its force to take or refuse it. Nothing is deleted: `closed_at`.
    """

    __tablename__ = "contact_point"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    reference_key: Mapped[str | None]
    purpose: Mapped[str]
    channel: Mapped[str]
    value: Mapped[str]
    audience: Mapped[str]
    priority: Mapped[int] = mapped_column(default=100)
    hours: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    bank_holiday_rule: Mapped[str] = mapped_column(default="as-weekday")
    exceptions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    note: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="actual")
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    source: Mapped[str]
    source_date: Mapped[str]
    verification: Mapped[str] = mapped_column(default="unverified")
    verified_at: Mapped[datetime | None]
    verified_by: Mapped[str | None]
    suggested_by: Mapped[str | None]
    suggested_by_id: Mapped[UUID | None]
    bounced_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    edited_at: Mapped[datetime | None]
    edited_by: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)


def still_kept(now: datetime) -> ColumnElement[bool]:
    """Say which contacts are kept today: not closed, and their last day (London) not past."""
    today = now.astimezone(LONDON).date()
    return ContactPoint.closed_at.is_(None) & (
        ContactPoint.valid_to.is_(None) | (ContactPoint.valid_to > today)
    )


class MailboxVerification(Base):
    """A call-back that proved a mailbox: which address, whom was spoken to, on which number.

    Only ever added to. It stands for `value` alone: a changed address has to be proved again.
    """

    __tablename__ = "mailbox_verification"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    contact_point_id: Mapped[UUID] = mapped_column(ForeignKey("contact_point.id"))
    value: Mapped[str]
    method: Mapped[str] = mapped_column(default="call-back")
    spoke_to: Mapped[str]
    number_rung: Mapped[str]
    verified_by_id: Mapped[UUID | None]
    verified_by_name: Mapped[str]
    at: Mapped[datetime]


class DirectoryVersion(Base):
    """The one row whose version rises, in commit order, with every change of what is shown."""

    __tablename__ = "directory_version"

    one: Mapped[bool] = mapped_column(primary_key=True, default=True)
    version: Mapped[int] = mapped_column(BigInteger)


class DirectoryChange(Base):
    """One change of one row, as the database itself recorded it: before, after, who, when and why.

    `kind` is the table. `version` is the directory's, given at the commit: null until then.
    """

    __tablename__ = "directory_change"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    version: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str]
    object_id: Mapped[UUID]
    unit_id: Mapped[UUID | None]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)
    who_id: Mapped[UUID | None]
    who: Mapped[str]
    why: Mapped[str]
    at: Mapped[datetime]


class DirectoryPosition(Base):
    """The version at which an organisation, unit or area last changed, with all that is its own."""

    __tablename__ = "directory_position"

    kind: Mapped[str] = mapped_column(primary_key=True)
    object_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)


class Delegation(Base):
    """One organisation's editors may keep the entries of another, until it is ended."""

    __tablename__ = "directory_delegation"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    to_organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    granted_by: Mapped[str]
    granted_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class DirectoryLink(Base):
    """A mailed link that works once, without an account: to claim, to verify, or to read.

    `claim` is for an organisation's entries, `verify` for one unit's, `access` for a reader at a
    registered domain. Only the token's hash is kept. `days_left` is the reminder it came with.
    What is entered by a link of status `exercise` is an exercise's.
    """

    __tablename__ = "directory_link"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    purpose: Mapped[str]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    address: Mapped[str]
    status: Mapped[str] = mapped_column(default="actual")
    token_hash: Mapped[bytes]
    days_left: Mapped[int | None]
    sent_by: Mapped[str]
    created_at: Mapped[datetime]
    mailed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[str | None]
    revoked_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]


class ContactProblem(Base):
    """One person's report that a contact point does not work; open until its editors answer."""

    __tablename__ = "contact_problem"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    contact_point_id: Mapped[UUID] = mapped_column(ForeignKey("contact_point.id"))
    value: Mapped[str]
    kind: Mapped[str]
    note: Mapped[str | None]
    reported_by_id: Mapped[UUID]
    reported_by: Mapped[str]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]
    answer: Mapped[str | None]
