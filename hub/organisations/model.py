"""The tables of organisations and units."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base, new_id


class Organisation(Base):
    """A police service, council, NHS body, provider, charity or national body.

    `code` is its public identifier: the force's slug, the council's ONS code, or a slug.
    Dates are calendar dates in Europe/London; `valid_to` is the first day on which it is no more.
    A mailbox at one of its `mail_domains` can register itself for directory-only access.
    `parent_id` is what it is part of (a trust's board, a provider's group); `former_until` are the
    days on which former names ended, by name, where they are known.
    """

    __tablename__ = "organisation"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str]
    kind: Mapped[str]
    police_kind: Mapped[str | None]
    name: Mapped[str]
    name_welsh: Mapped[str | None]
    other_names: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    former_names: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    former_until: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    mail_domains: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    country: Mapped[str | None]
    website: Mapped[str | None]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    superseded_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    source: Mapped[str]
    source_date: Mapped[str]
    verification: Mapped[str] = mapped_column(default="unverified")
    edited_at: Mapped[datetime | None]
    edited_by: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)


class Unit(Base):
    """A part of an organisation that acts: force, BCU, team, control room, social care, EDT.

    `kind` is what the hub reasons with, `kind_label` what its organisation calls it
    (division, LPA, LCU). `edited_at` set means that people keep it: no load overwrites it.
    """

    __tablename__ = "unit"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    kind: Mapped[str]
    kind_label: Mapped[str]
    name: Mapped[str]
    name_welsh: Mapped[str | None]
    other_names: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    former_names: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    superseded_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    confidence: Mapped[str | None]
    source: Mapped[str]
    source_date: Mapped[str]
    note: Mapped[str | None]
    verification: Mapped[str] = mapped_column(default="unverified")
    edited_at: Mapped[datetime | None]
    edited_by: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)


class UnitSuccession(Base):
    """Which units took the place of one that is no more; of a split there are several.

    The one that took the most, and the lead of its open episodes, is the unit's `superseded_by_id`.
    One that was withdrawn before its day never was.
    """

    __tablename__ = "unit_succession"

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    successor_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    withdrawn_at: Mapped[datetime | None]


class UnitRenaming(Base):
    """A unit's new name from a day (Europe/London) on; applied to the unit on that day."""

    __tablename__ = "unit_renaming"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    name: Mapped[str]
    effective_on: Mapped[date]
    applied_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
