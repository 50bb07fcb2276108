"""That a unit's team is closed now, and who was told in its place: what its sender must know."""

from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from directory import public as directory
from hub.identity.actor import Actor
from messaging import wording
from messaging.pages import ringing


def sentence(session: Session, unit: UUID, status: str, now: datetime) -> str:
    """Return that a unit's team is closed, when it opens, and who is told; nothing while it is open."""
    plan = directory.plan(directory.doors(session, unit, status, now))
    if not plan.closed:
        return ""
    parts = [
        _("Its team is closed until %(at)s.", at=wording.moment(plan.opens_at))
        if plan.opens_at
        else _("Its team is closed now."),
        _(
            "The hub tells %(who)s, %(unit)s.",
            who=directory.PURPOSES[plan.instead.purpose],
            unit=plan.instead.unit_name,
        )
        if plan.instead
        else _("Nobody who is on can be told by mail: ring."),
    ]
    return " ".join(parts)


def with_number(session: Session, actor: Actor, unit: UUID, status: str, now: datetime) -> str:
    """Return the same, with the number to ring."""
    said = sentence(session, unit, status, now)
    numbers = ringing.numbers(unit, "open-case", now, actor, status) if said else []
    if not numbers:
        return said
    ring = _("Ring %(value)s (%(label)s).", value=numbers[0].value, label=numbers[0].label)
    return f"{said} {ring}"
