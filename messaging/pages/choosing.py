"""What the forms of a case are chosen from: the units that it knows."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from directory.public import UnitFound
from hub.identity.actor import Actor
from messaging import codes, placements, references, who_leads
from messaging.effects.meeting_records import LEAD_OWNS
from messaging.state import load

NAMES_UNITS = ("joint-response-plan", "strategy-meeting-invitation", "strategy-meeting-record")
BY_POLICE = ("risk-change", "review", "ukmpu-told")
"""Headings of what police alone say."""
Offered = dict[str, list[tuple[str, str]]]


def offered(
    session: Session, actor: Actor, reference: str, message_type: str, now: datetime
) -> Offered:
    """Return what some of a form's fields are chosen from, with their words, by the field's name.

    They name units; of an update, what kind of news it is: police alone review and set the risk.
    """
    if message_type == "update" and not actor.police:
        said = {code: text for code, text in codes.HEADINGS.items() if code not in BY_POLICE}
        return {"heading": [(code, _(text)) for code, text in said.items()]}
    if message_type not in NAMES_UNITS:
        return {}
    case = load(session, actor, references.clean(reference), now, lock=False)
    if message_type == "joint-response-plan":
        planned = placements.of_case(session, case).to_plan
        sides = {case.home, planned.destination if planned else None} - {None}
        return {"lead_unit": _named(session, sides)}
    units = _named(session, case.parties.keys() - case.heirs.keys())
    if message_type == "strategy-meeting-invitation":
        return {"unit": units}
    leads = [(LEAD_OWNS, _("Whoever leads"))] if case.episode else []
    return {"unit": units, "owner": [*leads, *units]}


def _named(session: Session, units: Collection[UUID | None]) -> list[tuple[str, str]]:
    found = who_leads.unit_names(session, [unit for unit in units if unit is not None])
    return [(one.code, one.name) for one in found]


def police_of_placement(
    session: Session, actor: Actor, reference: str, now: datetime
) -> list[UnitFound]:
    """Return the police of where the child is placed today, to whoever sees the whole case."""
    case = load(session, actor, references.clean(reference), now, lock=False)
    prepared = placements.of_case(session, case)
    current = prepared.current
    if current is None or current.starts_on > prepared.today:
        return []
    if not case.parties[who_leads.reading_unit(case, actor)].full:
        return []
    return [
        UnitFound(unit.id, unit.code, unit.name, unit.organisation)
        for unit in who_leads.unit_names(session, [current.destination])
    ]
