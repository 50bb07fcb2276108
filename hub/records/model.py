"""Tables of the records: keys, the audit log, its seals, and reasons for looking."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from hub.db import Base


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Return the type's name."""
        return "xid8"


ischema_names["xid8"] = Xid8  # so that a reflected table has it too


class KeyCheck(Base):
    """What a key file must answer, so that a wrong one is found at start."""

    __tablename__ = "key_check"

    name: Mapped[str] = mapped_column(primary_key=True)
    hmac: Mapped[bytes] = mapped_column(LargeBinary)


class DataKey(Base):
    """The data key of one subject (a case or a draft), wrapped by a key-encryption key."""

    __tablename__ = "data_key"
    __table_args__ = (
        CheckConstraint("(destroyed_at IS NULL) = (wrapped IS NOT NULL)", "destroyed"),
    )

    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes | None] = mapped_column(LargeBinary)
    kek_epoch: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    destroyed_at: Mapped[datetime | None]


class AuditRecord(Base):
    """One fact: who did what to which object, when and why. Insert-only."""

    __tablename__ = "audit_record"
    __table_args__ = (
        CheckConstraint(
            "who_kind IN ('person', 'client', 'guest', 'system', 'public')", "who_kind"
        ),
        CheckConstraint("who_kind NOT IN ('person', 'client') OR who_id IS NOT NULL", "who_id"),
        CheckConstraint("action ~ '^[a-z][a-z0-9-]*([.][a-z][a-z0-9-]*)*$'", "action"),
        CheckConstraint("(object_id IS NULL) OR (object_kind IS NOT NULL)", "object"),
        CheckConstraint("jsonb_typeof(detail) = 'object'", "detail"),
        Index("ix_audit_record_xid_id", "xid", "id"),
        Index(
            "ix_audit_record_case_id_at",
            "case_id",
            "at",
            postgresql_where=text("case_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    xid: Mapped[str] = mapped_column(Xid8(), server_default=text("pg_current_xact_id()"))
    at: Mapped[datetime]
    who_kind: Mapped[str]
    who_id: Mapped[UUID | None]
    who_name: Mapped[str]
    who_organisation_id: Mapped[UUID | None]
    who_unit_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    action: Mapped[str]
    case_id: Mapped[UUID | None]
    object_kind: Mapped[str | None]
    object_id: Mapped[UUID | None]
    reason_code: Mapped[str | None]
    reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    automatic: Mapped[bool] = mapped_column(server_default=text("false"))


class AuditSeal(Base):
    """One link of the HMAC chain over the audit records, in commit order. Insert-only."""

    __tablename__ = "audit_seal"
    __table_args__ = (
        CheckConstraint("octet_length(mac) = 32", "mac"),
        CheckConstraint("seq > 0", "seq"),
    )

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audit_record.id"), unique=True)
    mac: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_at: Mapped[datetime]


class ConsultationReason(Base):
    """Why a person looked at a case in one session: asked once, then remembered."""

    __tablename__ = "consultation_reason"

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    reason_code: Mapped[str]
    reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    at: Mapped[datetime]
