"""Guest links and signed replies of units that are not on the hub, as tables."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base, new_id
from messaging.placement_model import Placement as Placement
from messaging.placement_model import Plan as Plan


class GuestLink(Base):
    """A single-use way for a unit without accounts to answer one message (DOMAIN.md 3)."""

    __tablename__ = "guest_link"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    token_hash: Mapped[bytes]
    code_hash: Mapped[bytes]
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    contact_point_id: Mapped[UUID] = mapped_column(ForeignKey("contact_point.id"))
    mailbox: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    issued_by: Mapped[UUID | None]


class SignedReply(Base):
    """A unit's answer on paper, waiting for another supervisor's authority (DOMAIN.md 4.5)."""

    __tablename__ = "signed_reply"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    answer: Mapped[str]
    fields: Mapped[bytes]
    file_name: Mapped[str]
    file_type: Mapped[str]
    file_size: Mapped[int]
    uploaded_by: Mapped[UUID]
    uploaded_by_name: Mapped[str]
    uploaded_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="pending")
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    answer_message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"))


class SignedReplyChunk(Base):
    """A piece of a signed reply's file, encrypted under the case's key."""

    __tablename__ = "signed_reply_chunk"

    signed_reply_id: Mapped[UUID] = mapped_column(ForeignKey("signed_reply.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    ciphertext: Mapped[bytes]
