"""Placements away from home, and the plan agreed for a later missing incident (DOMAIN.md 8)."""

from datetime import date
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from messaging import codes
from messaging.contracts.fields import Contract, Line, Telephone, Words, ask, long
from messaging.contracts.reports import Child


class PlacementNotification(Contract):
    """A child is placed away from home, moves, or comes back: police of both areas are told."""

    TYPE = "placement-notification"
    AUDIENCE = "statutory"
    NAME = "Placement notification"
    ACT = "Tell of a change or the end of the placement"
    SEND = "Tell police of the placement"
    NEED = "Read of the placement"
    SENT = "The notification is sent. See below who has it, and whom you must ring."
    REPEATED = ("child.placement_address",)

    action: Literal["new", "change", "end"] = Field(
        "new",
        json_schema_extra=ask(
            "What you tell", labels=codes.PLACEMENTS, asked=True, read="What is told"
        ),
    )
    child: Child = Field(json_schema_extra=ask("The child"))
    placement_address: Line = Field(
        json_schema_extra=ask("Address of the placement", "Without the postcode")
    )
    placement_postcode: Line = Field(
        max_length=20,
        json_schema_extra=ask(
            "Postcode of the placement", "The whole postcode: it tells which police.", width=10
        ),
    )
    starts_on: date = Field(
        json_schema_extra=ask(
            "First day of the placement",
            "Of a move, the first day at the new address. For example, 27 3 2026",
        )
    )
    social_worker_telephone: Telephone = Field(
        json_schema_extra=ask("Social worker’s telephone", widget="tel", width=20)
    )
    ends_on: date | None = Field(
        None,
        validate_default=True,
        json_schema_extra=ask("Last day of the placement", "Needed when it ends."),
    )
    emergency: bool | None = Field(
        None,
        json_schema_extra=ask(
            "Is it an emergency placement?", "Then police may be told within 5 working days."
        ),
    )
    at_a_distance: bool | None = Field(
        None,
        json_schema_extra=ask(
            "Is it a placement at a distance?", "Outside your area and those next to it", more=True
        ),
    )
    destination_unit: str | None = Field(
        None,
        max_length=200,
        json_schema_extra=ask(
            "Police unit of the placement’s address",
            "Leave it empty: the hub finds it from the postcode, and asks where it cannot be sure.",
        ),
    )
    home_unit: str | None = Field(
        None,
        max_length=200,
        json_schema_extra=ask(
            "Police unit of the home area",
            "Leave it empty: the hub takes that of your council’s area.",
            more=True,
        ),
    )
    legal_status: Line | None = Field(
        None,
        json_schema_extra=ask("Legal status", "Such as: section 20, care order, remand", more=True),
    )
    social_worker: Line | None = Field(
        None, json_schema_extra=ask("Social worker", "Name and team", more=True)
    )
    edt_telephone: Telephone | None = Field(
        None,
        json_schema_extra=ask(
            "Emergency duty team’s telephone",
            "One that answers from outside your area",
            widget="tel",
            width=20,
            more=True,
        ),
    )
    reviewing_officer: Line | None = Field(
        None, json_schema_extra=ask("Independent reviewing officer (IRO)", more=True)
    )
    carer: Line | None = Field(
        None, json_schema_extra=ask("Carer or provider", "Name of the carer or home", more=True)
    )
    carer_telephone: Telephone | None = Field(
        None, json_schema_extra=ask("Carer’s telephone", widget="tel", width=20, more=True)
    )
    provider_urn: Line | None = Field(
        None, json_schema_extra=ask("Provider’s URN (Ofsted or CIW)", width=20, more=True)
    )
    reasons_for_placement: Words | None = Field(
        None,
        json_schema_extra=long("Reasons for the placement, as far as police need them", more=True),
    )
    needs_assessment_reference: Line | None = Field(
        None, json_schema_extra=ask("Needs assessment: its reference", width=20, more=True)
    )
    care_plan_reference: Line | None = Field(
        None, json_schema_extra=ask("Care plan: its reference", width=20, more=True)
    )
    risk_flags: list[Line] | None = Field(
        None,
        max_length=20,
        json_schema_extra=ask(
            "Risk flags",
            "One a line: CSE, CCE, county lines, gang, trafficked, UASC, self-harm, previous missing, wanted …",
            more=True,
        ),
    )
    missing_history: Words | None = Field(
        None,
        json_schema_extra=long(
            "Missing before: when, and where found",
            "How often, for how long, and with whom",
            more=True,
        ),
    )
    vital_information_held: bool | None = Field(
        None,
        json_schema_extra=ask(
            "Does the carer hold a vital-information form?",
            "Philomena form or grab pack",
            more=True,
        ),
    )
    vital_information_on: date | None = Field(
        None, json_schema_extra=ask("Date of that form", more=True)
    )

    @field_validator("ends_on")
    @classmethod
    def _ends_in_order(cls, ends_on: date | None, info: ValidationInfo) -> date | None:
        if ends_on is None and info.data.get("action") == "end":
            raise ValueError("Give the last day of the placement")
        starts_on = info.data.get("starts_on")
        if ends_on is not None and starts_on is not None and ends_on < starts_on:
            raise ValueError("The last day cannot be before the first")
        return ends_on


class JointResponsePlan(Contract):
    """What home and destination agree in advance about a missing incident: who leads, what first."""

    TYPE = "joint-response-plan"
    AUDIENCE = "statutory"
    NAME = "Joint response plan"
    ACT = "Propose a joint response plan"
    SEND = "Propose the plan"
    NEED = "Agree, amend or decline the plan"
    ASKS = True
    SENT = (
        "The plan is proposed. It is in force once the other side agrees and the placement begins."
    )

    lead_unit: str = Field(
        max_length=200,
        json_schema_extra=ask(
            "Which unit leads if the child goes missing",
            "The home or the destination unit. The unit that records the report leads until that one"
            " accepts.",
        ),
    )
    first_actions_home: Words = Field(
        json_schema_extra=long("First actions of the home side", "What, who does it, and how soon")
    )
    first_actions_destination: Words = Field(
        json_schema_extra=long(
            "First actions of the destination side", "What, who does it, and how soon"
        )
    )
    contacts_in_hours: Words = Field(
        json_schema_extra=long("Whom to ring in hours", "Both sides: names, units and numbers")
    )
    contacts_out_of_hours: Words = Field(
        json_schema_extra=long("Whom to ring out of hours", "Both sides: names, units and numbers")
    )
    review_on: date = Field(
        json_schema_extra=ask("Review date", "After that day the plan is in force no more.")
    )
    trigger_places: Words | None = Field(
        None, json_schema_extra=long("Trigger places", "Where the child may go, and why", more=True)
    )
    associates: Words | None = Field(
        None,
        json_schema_extra=long(
            "Associates",
            "Name, age, address, and what they are to the child",
            more=True,
            audience="police",
        ),
    )
    strategy_meeting: Words | None = Field(
        None,
        json_schema_extra=long(
            "Strategy meeting", "Who calls it, within what time, who attends", more=True
        ),
    )


class PlanReply(Contract):
    """The other side agrees to the proposed version, amends it, or declines it with a reason."""

    TYPE = "plan-reply"
    AUDIENCE = "statutory"
    NAME = "Answer to the joint response plan"
    ACT = "Agree or decline the plan"
    SEND = "Send the answer"
    ANSWERS = True
    SENT = "Your answer to the plan is sent."

    answer: Literal["agrees", "amends", "declines"] = Field(
        json_schema_extra=ask(
            "Your answer", labels=codes.PLAN_ANSWERS, offered=("agrees", "declines"), read="Answer"
        )
    )
    named_person: Line = Field(json_schema_extra=ask("Who answers, by name and rank or role"))
    reason: Words | None = Field(
        None,
        validate_default=True,
        json_schema_extra=long(
            "Why, if you decline", "Needed when you decline", read="Why it is declined"
        ),
    )
    plan: JointResponsePlan | None = Field(
        None,
        validate_default=True,
        json_schema_extra=ask("The plan as you amend it", hidden=True),
    )

    @field_validator("reason")
    @classmethod
    def _reasoned(cls, reason: str | None, info: ValidationInfo) -> str | None:
        if reason is None and info.data.get("answer") == "declines":
            raise ValueError("Say why you decline")
        return reason

    @field_validator("plan")
    @classmethod
    def _amended(
        cls, plan: JointResponsePlan | None, info: ValidationInfo
    ) -> JointResponsePlan | None:
        if "answer" in info.data and (info.data["answer"] == "amends") != (plan is not None):
            raise ValueError("Give the whole plan as you amend it, when and only when you amend it")
        return plan
