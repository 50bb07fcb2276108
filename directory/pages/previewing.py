"""What a caller would see now, tonight, on Sunday and on the next bank holiday."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from flask_babel import gettext as _

from directory import ladder
from directory.hours import bank_holidays, opens_at
from directory.ladder import Need, Reader
from directory.lookup import unit_place
from directory.snapshot import Contact, Snapshot, Unit
from hub.clock import LONDON

TIERS = (("public",), ("public", "professional"), ("public", "professional", "police"))


@dataclass(frozen=True)
class Call:
    """What one need is answered with: each number, and who is told it, widest audience first."""

    need: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Seen:
    """One moment: what it is called, when, what is rung, and whether the contact is open then."""

    label: str
    at: datetime
    calls: tuple[Call, ...]
    contact: str


def preview(
    snapshot: Snapshot, unit: Unit, status: str, now: datetime, draft: Contact | None = None
) -> list[Seen]:
    """Return what callers would be told of a unit, with a contact as it is typed among its own."""
    if draft is not None:
        others = [one for one in snapshot.contacts.get(unit.id, ()) if one.id != draft.id]
        among = tuple(sorted([*others, draft], key=lambda one: one.priority))
        snapshot = replace(snapshot, contacts={**snapshot.contacts, unit.id: among}, cache={})
    place = unit_place(snapshot, unit)
    needs: tuple[Need, ...] = ("report-missing", "open-case")
    if unit.organisation.kind == "local-authority":
        needs = ("child-social-care",)
    said = {
        "report-missing": _("To report a child missing"),
        "open-case": _("About a case"),
        "child-social-care": _("To reach the social worker"),
    }
    return [
        Seen(
            label, at,
            tuple(Call(said[need], _answers(snapshot, place, need, status, at)) for need in needs),
            _opening(draft, at, place.nation) if draft else "",
        )
        for label, at in moments(now, place.nation)
    ]  # fmt: skip


def _answers(
    snapshot: Snapshot, place: ladder.Place, need: Need, status: str, at: datetime
) -> tuple[tuple[str, str], ...]:
    told: list[tuple[str, str]] = []
    for tier, label in zip(TIERS, (_("Anyone"), _("Professionals"), _("Police")), strict=True):
        first = ladder.climb(snapshot, place, need, Reader(frozenset(tier), status), at).call_now
        value = (first.value or "") if first else _("no number")
        if told and told[-1][0] == value:
            continue
        told.append((value, label))
    if len(told) == 1:
        return ((told[0][0], _("everybody")),)
    return tuple(told)


def _opening(contact: Contact, at: datetime, nation: str) -> str:
    opens = opens_at(contact.hours, at, nation)
    if opens is None:
        return _("closed, and not known to open")
    if opens <= at:
        return _("open")
    local = opens.astimezone(LONDON)
    return _("closed, opens %(day)s at %(time)s", day=day_name(local), time=f"{local:%H:%M}")


def day_name(local: datetime) -> str:
    """Return a day as people say it: "Monday 7 December"."""
    days = (
        _("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"),
        _("Sunday"),
    )  # fmt: skip
    return f"{days[local.weekday()]} {local.day} {local:%B}"


def moments(now: datetime, nation: str) -> Sequence[tuple[str, datetime]]:
    """Return the moments that editors should think of, in words and as aware datetimes."""
    local = now.astimezone(LONDON)
    today = local.date()
    tonight = today if local.hour < 3 else today + timedelta(days=1)
    sunday = today + timedelta(days=(6 - today.weekday()) % 7 or 7)
    days = (today + timedelta(days=ahead) for ahead in range(1, 400))
    holiday = next(day for day in days if day in bank_holidays(nation, day.year))
    return (
        (_("Now"), now),
        (_("Tonight at 03:00"), datetime.combine(tonight, time(3), LONDON)),
        (_("On Sunday at noon"), datetime.combine(sunday, time(12), LONDON)),
        (_("On the next bank holiday, at noon"), datetime.combine(holiday, time(12), LONDON)),
    )
