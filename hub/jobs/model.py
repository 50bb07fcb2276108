"""The table of the outbox."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base


class OutboxJob(Base):
    """One piece of work: due at `run_at`, leased while someone is at it, finished once."""

    __tablename__ = "outbox_job"
    __table_args__ = (
        CheckConstraint("attempts >= 0", "attempts"),
        Index("ix_outbox_job_due", "run_at", "id", postgresql_where=text("finished_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    dedupe_key: Mapped[str | None] = mapped_column(unique=True)
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    lease_until: Mapped[datetime | None]
    woken_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    last_error_code: Mapped[str | None]
    created_at: Mapped[datetime]
