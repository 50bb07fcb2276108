"""Organisations and units as an operator names them."""

from collections.abc import Mapping, Sequence

from rapidfuzz import process
from rapidfuzz.utils import default_process
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.errors import invalid
from hub.organisations import Organisation, Unit, find_organisation, find_unit

MOST_NEAR = 5
LEAST_ALIKE = 70
"""Of 100: what is less like what was given is not named."""


def organisation_and_unit(
    session: Session, organisation: str, unit: str | None
) -> tuple[Organisation, Unit]:
    """Return the organisation, and its unit of that name or else its top or first one.

    Raises:
        HubError: 422, with the nearest codes that there are.
    """
    body = find_organisation(session, organisation)
    if body is None:
        names = {
            row.code: (row.name, *row.other_names)
            for row in session.execute(
                select(Organisation.code, Organisation.name, Organisation.other_names)
                .where(Organisation.valid_to.is_(None))
                .order_by(Organisation.code)
            )
        }
        raise invalid(
            "organisation-unknown", _nearest("organisation", organisation, names), "/organisation"
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
        names = {
            row.code: (row.name, *row.other_names)
            for row in session.execute(
                select(Unit.code, Unit.name, Unit.other_names)
                .where(Unit.organisation_id == body.id)
                .order_by(Unit.code)
            )
        }
        raise invalid("unit-unknown", _nearest(f"unit of {body.name}", unit, names), "/unit")
    return body, found


def _nearest(kind: str, given: str, names: Mapping[str, Sequence[str]]) -> str:
    """Say that there is none, and which codes have the nearest codes or names."""
    texts = {(code, text): text for code, of in names.items() for text in (code, *of)}
    near: dict[str, str] = {}
    for _text, _score, (code, _) in process.extract(
        given, texts, processor=default_process, score_cutoff=LEAST_ALIKE, limit=4 * MOST_NEAR
    ):
        near.setdefault(code, f"{code} ({names[code][0]})")
    told = f" The nearest: {', '.join([*near.values()][:MOST_NEAR])}." if near else ""
    return f"There is no {kind} “{given[:60]}”.{told}"
