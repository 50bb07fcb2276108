"""The named officer of a lead, from shift to shift (DOMAIN.md 6)."""

from pydantic import AwareDatetime, Field

from messaging.contracts.fields import Contract, Line, Telephone, Words, ask, long


class OfficerHandover(Contract):
    """The lead's named officer goes off duty and hands over to another of the unit, by name."""

    TYPE = "officer-handover"
    AUDIENCE = "police"
    NAME = "Handover between officers"
    ACT = "Hand over to another officer"
    SEND = "Hand over"
    COMPUTED = ("from_officer",)

    from_officer: Line | None = Field(
        None, json_schema_extra=ask("Officer who hands over", "Written by the hub", more=True)
    )
    to_officer: Line = Field(json_schema_extra=ask("Officer who takes over"))
    officer_rank: Line | None = Field(None, json_schema_extra=ask("Rank", width=20))
    officer_collar: Line | None = Field(None, json_schema_extra=ask("Collar number", width=10))
    on_duty_until: AwareDatetime | None = Field(
        None, json_schema_extra=ask("On duty until", "8 hours from now unless you say otherwise.")
    )
    contact_telephone: Telephone | None = Field(
        None, json_schema_extra=ask("Telephone of the officer", widget="tel", width=20)
    )
    open_actions: Words | None = Field(
        None,
        json_schema_extra=long("Open actions, with their owners", "What, who does it, by when"),
    )
    live_lines: Words | None = Field(
        None,
        json_schema_extra=long(
            "Live lines of enquiry, with their expiry",
            "Telephone, bank, CCTV: who holds it, and when it is lost",
            audience="police",
        ),
    )
