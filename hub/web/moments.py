"""Moments as forms take them: a date and a time of London, and which of two where it comes twice."""

from datetime import UTC, datetime

from flask_babel import gettext

from hub.clock import LONDON


def read(label: str, day: str, time: str, zone: str) -> datetime:
    """Return the moment of a London date and time; `zone` tells two of one name apart.

    Raises:
        ValueError: it cannot be read, did not happen, or came twice and nothing says which is
            meant; its text is a sentence for the reader.
    """
    try:
        naive = _naive(day, time)
    except ValueError:
        raise ValueError(
            gettext("%(label)s needs a date, and a time such as 21:30", label=label)
        ) from None
    found = _meant(naive)
    if not found:
        raise ValueError(
            gettext("%(label)s: the clocks went forward, and this time did not happen", label=label)
        )
    if len(found) == 1:
        return next(iter(found.values()))
    if zone not in found:
        raise ValueError(
            gettext(
                "%(label)s: the clocks went back, and this time came twice: choose which",
                label=label,
            )
        )
    return found[zone]


def parts(at: datetime) -> dict[str, str]:
    """Return date, time and, where it comes twice, zone of a moment, as a form shows them."""
    local = at.astimezone(LONDON)
    found = {"date": local.date().isoformat(), "time": f"{local:%H:%M}"}
    if comes_twice(found["date"], found["time"]):
        found["zone"] = str(local.tzname())
    return found


def comes_twice(day: str, time: str) -> bool:
    """Say whether a London date and time comes twice, as the clocks go back."""
    try:
        return len(_meant(_naive(day, time))) == 2
    except (ValueError, OverflowError):
        return False


def _meant(naive: datetime) -> dict[str, datetime]:
    """Return the moments that London's clocks show so, by the name of their zone."""
    found = {}
    for fold in (0, 1):
        at = naive.replace(tzinfo=LONDON, fold=fold).astimezone(UTC)
        local = at.astimezone(LONDON)
        if local.replace(tzinfo=None, fold=0) == naive:
            found[str(local.tzname())] = at
    return found


def _naive(day: str, time: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{_clock(time)}")


def _clock(text: str) -> str:
    """Return a time of day as 21:30, from 2130, 21.30 or 9:30 too."""
    digits = text.replace(".", ":").replace(" ", "")
    if digits.isdigit() and len(digits) in (3, 4):
        digits = f"{digits[:-2]}:{digits[-2:]}"
    hour, _, minute = digits.partition(":")
    if not (hour.isdigit() and minute.isdigit()):
        raise ValueError(text)
    return f"{int(hour):02}:{int(minute):02}"
