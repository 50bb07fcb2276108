"""What the form of a message says before its questions: what sending it does, and does not do."""

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from sqlalchemy.orm import Session

from hub.identity.actor import Actor
from hub.identity.reach import reach
from messaging import clocks, references, who_leads, wording
from messaging.act import clock_settings
from messaging.state import load

SAID = {
    "dispute": later(
        "Who leads goes on leading. An adjudicator of neither force reads both sides’ words."
    ),
    "direction": later(
        "The guidance: the owner is where most enquiries are, and who has the greatest opportunity"
        " of locating the person (NPCC). Nothing moves until the unit that you name acknowledges,"
        " or you record whom there you told."
    ),
    "lead-transfer-request": later(
        "You lead until they accept. A decline or silence moves nothing."
    ),
    "recorded-in-error": later(
        "A second person authorises it. It starts no interview, and stays in the history."
    ),
    "authority-named": later(
        "It sees the case, hears what police say of the report, and owes any return home interview."
        " A council that only reported the child missing becomes the host authority."
    ),
    "joint-response-plan": later(
        "It is in force once the other side agrees, from the first day of the placement until its"
        " review date, while the child is placed there. Whoever records the report leads until that"
        " unit accepts."
    ),
}


def before(
    session: Session,
    actor: Actor,
    reference: str,
    message_type: str,
    now: datetime,
    *,
    joins: bool = False,
    withdraws: bool = False,
    adds: bool = False,
) -> list[str]:
    """Return the sentences of a form.

    An offer may join two episodes, or withdraw one before it; an update may add to a refused report.
    """
    said = [str(SAID[message_type])] if message_type in SAID else []
    if joins:
        said.insert(
            0,
            _(
                "One episode goes on with one lead, and the other ends. Nothing is lost from either."
            ),
        )
    if withdraws:
        said.append(_("Your open offer is withdrawn in the same moment."))
    if adds:
        said.append(_("The police unit that did not accept the report looks at it again."))
    if message_type == "supervisor-request":
        said += _supervisor(session, actor, reference, now)
    return said


def _supervisor(session: Session, actor: Actor, reference: str, now: datetime) -> list[str]:
    """Return who is asked to decide on a refused report, and by when, if they are asked now (6)."""
    case = load(session, actor, references.clean(reference), now, lock=False)
    if case.report is None:
        return []
    owing = case.report.addressed
    (unit,) = who_leads.unit_names(session, [owing])
    settings = clock_settings(session, [owing])[owing]
    within = wording.duration(clocks.minutes("supervisor-decision", settings))
    said = [_("It goes to %(unit)s, which refused, and to its duty inspector.", unit=unit.name)]
    if reach(session, owing, case.status, now) == "not-on-hub":
        said.append(
            _(
                "It is not on the hub: a supervisor there decides within %(within)s of your call.",
                within=within,
            )
        )
    else:
        said.append(
            _(
                "A supervisor there decides within %(within)s: by %(at)s if you ask now.",
                within=within,
                at=wording.moment(clocks.due("supervisor-decision", now, settings)),
            )
        )
    return [" ".join([*said, _("Ring as well: the numbers are on the case’s page.")])]
