"""The tables of exercises that were reset. Their cases carry `reset_at`, which only they set."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base, new_id, register_constraint


class ExerciseReset(Base):
    """One reset: whose exercise, when, and who did it; why is in the audit record."""

    __tablename__ = "exercise_reset"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    at: Mapped[datetime]
    by_name: Mapped[str]


class ExerciseResetCase(Base):
    """A case that a reset put out of sight."""

    __tablename__ = "exercise_reset_case"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    reset_id: Mapped[UUID] = mapped_column(ForeignKey("exercise_reset.id"))
    reference: Mapped[str]


register_constraint(
    "ck_cases_reset", "reset-exercise-only", 409, "Only the cases of an exercise can be reset."
)
