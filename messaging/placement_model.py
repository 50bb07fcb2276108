"""The tables of placements and of the plans agreed for them; what was said is in the messages."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base, new_id, register_constraint


class Placement(Base):
    """Where a child is placed: the police unit of the address, and how soon it was told.

    Dates are calendar dates in Europe/London. A placement whose end, or the move from it, was told
    ahead stays current until that day has gone by.
    """

    __tablename__ = "placement"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    state: Mapped[str] = mapped_column(default="current")
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    destination_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    host_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    emergency: Mapped[bool]
    at_a_distance: Mapped[bool]
    working_days_late: Mapped[int]
    end_message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"))


class Plan(Base):
    """One version of the joint response plan: proposed by one side, answered by the other."""

    __tablename__ = "plan"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    placement_id: Mapped[UUID] = mapped_column(ForeignKey("placement.id"))
    version: Mapped[int]
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    proposed_by_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    other_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    lead_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    review_on: Mapped[date]
    state: Mapped[str] = mapped_column(default="proposed")
    opened_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answer_message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"))
    answered_by_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    answered_by_name: Mapped[str | None]


for _name, _code, _sentence in (
    (
        "uq_placement_case_id_current",
        "placement-current",
        "A placement is current in this case: say that it changes, or ends.",
    ),
    (
        "uq_plan_case_id_proposed",
        "plan-proposed",
        "A version of the plan waits for its answer already.",
    ),
    (
        "ck_placement_alone",
        "placement-current",
        "A placement is current in this case: say that it changes, or ends.",
    ),
    ("uq_plan_placement_id_agreed", "plan-agreed", "A version of the plan is agreed already."),
    ("ck_plan_way", "plan-answered", "This version of the plan was answered already."),
    (
        "ck_lead_request_plan",
        "plan-not-in-force",
        "No agreed plan that is in force names this unit.",
    ),
):
    register_constraint(_name, _code, 409, _sentence)
