"""What the rows of a form are chosen from: the units of the case."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from hub.identity.actor import Actor
from messaging import references, who_leads
from messaging.effects.meeting_records import LEAD_OWNS
from messaging.state import load

Offered = dict[str, list[tuple[str, str]]]


def offered(
    session: Session, actor: Actor, reference: str, message_type: str, now: datetime
) -> Offered:
    """Return the values of a form's fields in rows, with their words, by the field's name."""
    if message_type != "strategy-meeting-record":
        return {}
    case = load(session, actor, references.clean(reference), now, lock=False)
    parties = [unit for unit in case.parties if unit not in case.heirs]
    units = [(one.code, one.name) for one in who_leads.unit_names(session, parties)]
    leads = [(LEAD_OWNS, _("Whoever leads"))] if case.episode else []
    return {"unit": units, "owner": [*leads, *units]}
