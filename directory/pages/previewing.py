"""What a caller would see now, tonight, on Sunday and on the next bank holiday."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from flask_babel import gettext as _

from directory import ladder
from directory.hours import bank_holidays
from directory.ladder import Need, Reader, Rung
from directory.lookup import unit_place
from directory.snapshot import Contact, Snapshot, Unit
from hub.clock import LONDON

ALL = frozenset({"public", "professional", "police"})


@dataclass(frozen=True)
class Seen:
    """One moment: what it is called, when, and what is rung first for each need."""

    label: str
    at: datetime
    calls: tuple[tuple[str, Rung | None], ...]


def preview(
    snapshot: Snapshot, unit: Unit, status: str, now: datetime,
    contacts: Sequence[Contact] | None = None,
) -> list[Seen]:  # fmt: skip
    """Return what police callers would see of a unit, with other contacts than are on record."""
    if contacts is not None:
        held = {**snapshot.contacts, unit.id: tuple(contacts)}
        snapshot = replace(snapshot, contacts=held, cache={})
    place = unit_place(snapshot, unit)
    needs: tuple[Need, ...] = ("report-missing", "open-case")
    if unit.organisation.kind == "local-authority":
        needs = ("child-social-care",)
    reader = Reader(ALL, status)
    names = {
        "report-missing": _("To report a child missing"),
        "open-case": _("About a case"),
        "child-social-care": _("To reach the social worker"),
    }
    return [
        Seen(label, at, tuple(
            (names[need], ladder.climb(snapshot, place, need, reader, at).call_now)
            for need in needs
        ))
        for label, at in moments(now, place.nation)
    ]  # fmt: skip


def moments(now: datetime, nation: str) -> list[tuple[str, datetime]]:
    """Return the moments that editors should think of, in words and as aware datetimes."""
    today = now.astimezone(LONDON).date()
    tonight = datetime.combine(today + timedelta(days=1), time(3), LONDON)
    sunday = today + timedelta(days=(6 - today.weekday()) % 7 or 7)
    days = (today + timedelta(days=ahead) for ahead in range(1, 400))
    holiday = next(day for day in days if day in bank_holidays(nation, day.year))
    return [
        (_("Now"), now),
        (_("Tonight at 03:00"), tonight),
        (_("On Sunday at noon"), datetime.combine(sunday, time(12), LONDON)),
        (_("On the next bank holiday, at noon"), datetime.combine(holiday, time(12), LONDON)),
    ]
