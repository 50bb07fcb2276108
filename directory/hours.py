"""When a contact is open: weekly spans, bank holidays of the right nation, dated exceptions. Pure.

Spans are wall-clock times of Europe/London, so a clock change moves nothing but the length of a
night. A span is `{"days": [1..7, Monday first], "opens": "08:00", "closes": "16:00"}`; one that
closes at or before it opens runs past midnight, and "24:00" is the end of the day.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

import holidays

from hub.clock import LONDON

Span = tuple[datetime, datetime]
AHEAD_DAYS = 15
NATIONS = {"England": "ENG", "Wales": "WLS", "Scotland": "SCT", "Northern Ireland": "NIR"}


@dataclass(frozen=True)
class Hours:
    """The hours of a contact; `weekly` None is always (or not known to close)."""

    weekly: Sequence[Mapping[str, Any]] | None = None
    bank_holiday_rule: str = "as-weekday"
    exceptions: Sequence[Mapping[str, Any]] = field(default=())


@lru_cache(maxsize=64)
def bank_holidays(nation: str, year: int) -> frozenset[date]:
    """Return the bank holidays of a nation (England, Wales …) in a year."""
    found = holidays.country_holidays("GB", subdiv=NATIONS.get(nation, "ENG"), years=year)
    return frozenset(found)


def is_open(hours: Hours, at: datetime, nation: str = "England") -> bool:
    """Say whether it is open at a moment (aware)."""
    if hours.weekly is None and not hours.exceptions:
        return True
    return any(begins <= at < ends for begins, ends in _spans(hours, at, nation, 1))


def opens_at(hours: Hours, at: datetime, nation: str = "England") -> datetime | None:
    """Return when it opens next (aware UTC): the moment itself when it is open, None if never."""
    if is_open(hours, at, nation):
        return at
    later = [begins for begins, _ in _spans(hours, at, nation, AHEAD_DAYS) if begins > at]
    return min(later, default=None)


def _spans(hours: Hours, at: datetime, nation: str, days: int) -> Iterator[Span]:
    """Yield the spans that begin from the day before the moment to so many days after it."""
    today = at.astimezone(LONDON).date()
    for offset in range(-1, days + 1):
        day = today + timedelta(days=offset)
        for opens, closes in _of_day(hours, day, nation):
            begins = _moment(day, opens)
            ends = _moment(day, closes) if closes > opens else _moment(day + timedelta(1), closes)
            if begins < ends:
                yield begins, ends


def _of_day(hours: Hours, day: date, nation: str) -> Iterator[tuple[str, str]]:
    for exception in hours.exceptions:
        if exception["date"] == day.isoformat():
            for span in exception.get("spans", ()):
                yield span["opens"], span["closes"]
            return
    weekday = day.isoweekday()
    if day in bank_holidays(nation, day.year):
        if hours.bank_holiday_rule == "closed":
            return
        if hours.bank_holiday_rule == "as-sunday":
            weekday = 7
    if hours.weekly is None:
        yield "00:00", "24:00"
        return
    for span in hours.weekly:
        if weekday in span["days"]:
            yield span["opens"], span["closes"]


def _moment(day: date, clock: str) -> datetime:
    """Return a wall-clock time of a London day in UTC; of an hour that comes twice, the first."""
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    return datetime.combine(day, time.fromisoformat(clock), LONDON).astimezone(UTC)
