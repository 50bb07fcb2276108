"""The one place that reads the wall clock; everything else is given `now`."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def said(at: datetime) -> str:
    """Return a moment as London's clocks show it, always with the zone: "03:04 BST on 4 May 2026"."""
    local = at.astimezone(LONDON)
    return f"{local:%H:%M} {local.tzname()} on {local.day} {local:%B %Y}"


def utcnow() -> datetime:
    """Return the present moment as an aware UTC datetime."""
    return datetime.now(UTC)
