"""Tables of attachments: files that were uploaded, their pieces, and what messages took."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base, register_constraint


class AttachmentFile(Base):
    """An uploaded file; `case_id` is its case's, or of the case that its message is to open."""

    __tablename__ = "attachment_file"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("data_key.subject_id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    uploaded_by: Mapped[UUID]
    uploaded_by_name: Mapped[str]
    uploaded_at: Mapped[datetime]
    kind: Mapped[str]
    audience: Mapped[str | None]
    media_type: Mapped[str]
    size: Mapped[int]
    scan: Mapped[str]
    name: Mapped[bytes]
    thumbnail: Mapped[bytes | None] = mapped_column(deferred=True)


class AttachmentChunk(Base):
    """A piece of a file, encrypted under the case's key."""

    __tablename__ = "attachment_chunk"

    file_id: Mapped[UUID] = mapped_column(ForeignKey("attachment_file.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    ciphertext: Mapped[bytes]


class Attachment(Base):
    """A file that a message took, with whom it is for."""

    __tablename__ = "attachment"

    file_id: Mapped[UUID] = mapped_column(ForeignKey("attachment_file.id"), primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    number: Mapped[int]
    audience: Mapped[str]


UNKNOWN = (
    "There is no such file waiting: it was sent already, it is of another case, or it waited longer"
    " than a day. Attach it again."
)

register_constraint("pk_attachment", "attachment-unknown", 422, UNKNOWN)
register_constraint("fk_attachment_file_id", "attachment-unknown", 422, UNKNOWN)
register_constraint(
    "ck_attachment_not_wider",
    "attachment-audience",
    422,
    "What is attached is for no more readers than its message is.",
)
