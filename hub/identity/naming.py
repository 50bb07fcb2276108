"""Organisations and units as an operator names them."""

from rapidfuzz import process
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.errors import invalid
from hub.organisations import Organisation, Unit, find_organisation, find_unit


def organisation_and_unit(
    session: Session, organisation: str, unit: str | None
) -> tuple[Organisation, Unit]:
    """Return the organisation, and its unit of that name or else its top or first one.

    Raises:
        HubError: 422, with the nearest codes that there are.
    """
    body = find_organisation(session, organisation)
    if body is None:
        codes = list(session.scalars(select(Organisation.code)))
        raise invalid(
            "organisation-unknown", _nearest("organisation", organisation, codes), "/organisation"
        )
    of_body = select(Unit).where(Unit.organisation_id == body.id)
    if unit is None:
        top = session.scalar(
            of_body.order_by(Unit.parent_id.is_not(None), Unit.kind, Unit.code).limit(1)
        )
        if top is None:
            raise invalid("unit-unknown", f"{body.name} has no unit on record yet.", "/unit")
        return body, top
    found = find_unit(session, unit)
    if found is None or found.organisation_id != body.id:
        codes = list(session.scalars(select(Unit.code).where(Unit.organisation_id == body.id)))
        raise invalid("unit-unknown", _nearest(f"unit of {body.name}", unit, codes), "/unit")
    return body, found


def _nearest(kind: str, given: str, codes: list[str]) -> str:
    near = ", ".join(match for match, _, _ in process.extract(given, codes, limit=5))
    return f"There is no {kind} “{given[:60]}”. The nearest: {near}."
