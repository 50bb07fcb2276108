"""How far to trust a contact, in a reader's words; in text, and never in colour alone."""

from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from directory.contact_rules import dialled
from directory.pages.blueprint import blueprint
from directory.pages.previewing import day_name
from directory.standing import Standing
from hub.clock import LONDON
from hub.web.context import now


@blueprint.app_template_filter("marks")
def marks(standing: Standing) -> list[str]:
    """Return what a reader is told beside a contact, each a short sentence."""
    said = []
    if standing.verification == "suggested":
        said.append(_("Suggested, unverified."))
    elif standing.verification == "unverified":
        said.append(_("Unverified."))
    elif standing.overdue:
        said.append(_("Overdue for verification."))
    if standing.bounced:
        said.append(_("Mail to it came back."))
    if standing.reports and standing.reported_since is not None:
        said.append(reported(standing.reports, standing.reported_since))
    if standing.lowered:
        said.append(_("Put lower because of that."))
    return said


def reported(people: int, since: datetime) -> str:
    """Return "2 people reported this since Friday."; a day longer ago has its date."""
    local = since.astimezone(LONDON)
    ago = now().astimezone(LONDON).date() - local.date()
    day = day_name(local)
    if ago < timedelta(days=1):
        return ngettext(
            "%(num)s person reported this today.", "%(num)s people reported this today.", people
        )
    if ago < timedelta(days=7):
        day = day.partition(" ")[0]
    return ngettext(
        "%(num)s person reported this since %(day)s.",
        "%(num)s people reported this since %(day)s.",
        people, day=day,
    )  # fmt: skip


@blueprint.app_template_filter("dial")
def dial(value: str) -> str:
    """Return the address by which a number is rung."""
    return f"tel:{dialled(value)}"
