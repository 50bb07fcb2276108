"""Weekly hours in words for readers, and in a short form for editors and CSV. Pure.

The short form: "Mon-Fri 08:00-18:00; Sat,Sun 22:00-06:00". Nothing is always; a span that closes
at or before it opens runs past midnight; 24:00 is the end of the day.

Dated exceptions: "2026-12-24 09:00-12:00" or "2026-12-25 closed", one a line or parted by ";".
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from directory.hours import Hours
from hub.errors import HubError, invalid

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SHORT = tuple(day[:3] for day in DAYS)
ALWAYS = {"", "always", "24/7", "24 hours", "at all times"}
BANK_HOLIDAYS = {
    "as-weekday": "",
    "as-sunday": "bank holidays as on a Sunday",
    "closed": "closed on bank holidays",
}

DOUBTFUL = "hours-doubtful"
Spans = list[dict[str, Any]]
_TIME = re.compile(r"([01]?\d|2[0-4])(?:[:.]?([0-5]\d))?\s*(am|pm)?$")
_TWELVE_HOURS = re.compile(r"[1-9](?:[:.]?\d\d)?|1[0-2]")
"""A time as on a clock of twelve hours, which may be meant of the afternoon: 5, 5:30; never 05:00."""


def write(weekly: Sequence[Mapping[str, Any]] | None) -> str:
    """Return weekly spans in the short form; "" is always."""
    return "; ".join(
        f"{','.join(_runs(span['days'], SHORT, '-'))} {span['opens']}-{span['closes']}"
        for span in weekly or ()
    )


def say(hours: Hours) -> str:
    """Return the hours of a contact in words."""
    parts = [
        f"{' and '.join(_runs(span['days'], DAYS, ' to '))} {span['opens']} to {span['closes']}"
        for span in hours.weekly or ()
    ] or ["at all times"]
    rule = BANK_HOLIDAYS[hours.bank_holiday_rule]
    return "; ".join([*parts, rule] if rule else parts)


def parse(text: str) -> Spans | None:
    """Return the spans of a text in the short form; None is always.

    Full names of days, "to", en dashes, am and pm, and new lines will do too.

    Raises:
        HubError: 422 `hours`, naming the part that cannot be read, or may be meant otherwise.
    """
    clean = " ".join(re.sub("[–—]", "-", text).lower().split(" "))
    clean = re.sub(r"[\n;]+", ";", re.sub(r"\s+to\s+|\s*-\s*", "-", clean))
    if clean.strip(" .;") in ALWAYS:
        return None
    spans: Spans = []
    for part in filter(None, (" ".join(one.split()) for one in clean.split(";"))):
        found = re.match(r"(?P<days>[a-z][a-z ,&-]*?)\s*:?\s+(?P<times>[\d:].*)$", part)
        if found is None:
            raise _unread(part)
        days = _days(found["days"], part)
        for times in re.split(r"\s*(?:,|&|\band\b)\s*", found["times"]):
            opens, _, closes = times.partition("-")
            span = {"days": days, "opens": _time(opens, part), "closes": _time(closes, part)}
            if span["opens"] == "24:00":
                raise _unread(part)
            _refuse_afternoon(span, closes.strip(), times)
            spans.append(span)
    return spans


def write_exceptions(exceptions: Sequence[Mapping[str, Any]], between: str = "\n") -> str:
    """Return dated exceptions as an editor writes them, one a line."""
    return between.join(
        f"{one['date']} "
        + (
            ", ".join(f"{span['opens']}-{span['closes']}" for span in one.get("spans", ()))
            or "closed"
        )
        for one in exceptions
    )


def parse_exceptions(text: str) -> list[dict[str, Any]]:
    """Return the dated exceptions of a text; a date may be written 24/12/2026 too.

    Raises:
        HubError: 422 `exceptions`, naming the line that cannot be read.
    """
    found = []
    for line in filter(None, (" ".join(one.split()) for one in re.split(r"[;\r\n]", text))):
        day, _, rest = line.partition(" ")
        if written := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", day):
            day = f"{written[3]}-{int(written[2]):02}-{int(written[1]):02}"
        try:
            date.fromisoformat(day)
            spans = parse(f"daily {rest}") if rest.lower() not in ("", "closed") else []
        except (HubError, ValueError) as error:
            if isinstance(error, HubError) and error.code == DOUBTFUL:
                raise invalid(DOUBTFUL, error.sentence, "/exceptions") from None
            raise invalid(
                "exceptions",
                f"“{line[:40]}” cannot be read. Write a date and its hours: 2026-12-24 09:00-12:00,"
                " or 2026-12-25 closed.",
                "/exceptions",
            ) from None
        found.append({
            "date": day,
            "spans": [{k: one[k] for k in ("opens", "closes")} for one in spans or ()],
        })  # fmt: skip
    return found


def _days(text: str, part: str) -> list[int]:
    if text.strip() in ("daily", "every day", "all days"):
        return list(range(1, 8))
    days: set[int] = set()
    for piece in filter(None, re.split(r"\s*(?:,|&|\band\b)\s*|\s+", text.strip())):
        first, _, last = piece.partition("-")
        start, end = _day(first, part), _day(last or first, part)
        days |= {(day - 1) % 7 + 1 for day in range(start, end + (7 if end < start else 0) + 1)}
    return sorted(days)


def _day(text: str, part: str) -> int:
    for number, day in enumerate(DAYS, 1):
        if len(text) >= 3 and (day.lower().startswith(text) or text == day.lower() + "s"):
            return number
    raise _unread(part)


def _time(text: str, part: str) -> str:
    found = _TIME.match(text.strip())
    if found is None or (found[1] == "24" and (found[2] or "00") != "00"):
        raise _unread(part)
    hour = int(found[1])
    if found[3]:
        if not 1 <= hour <= 12:
            raise _unread(part)
        hour = hour % 12 + (12 if found[3] == "pm" else 0)
    return f"{hour:02}:{found[2] or '00'}"


def _refuse_afternoon(span: Mapping[str, Any], closes: str, times: str) -> None:
    """Refuse "9-5": whoever writes it means the afternoon, and it would run past midnight."""
    night = span["closes"] <= span["opens"]
    if not night or span["opens"] >= "13" or not _TWELVE_HOURS.fullmatch(closes):
        return
    afternoon = f"{int(span['closes'][:2]) + 12}{span['closes'][2:]}"
    raise invalid(
        DOUBTFUL,
        f"“{times.strip()[:40]}”: did you mean {span['opens']}-{afternoon}? Write that, or"
        f" {span['opens']}-{span['closes']} if it is open past midnight until the morning.",
        "/hours",
    )


def _unread(part: str) -> HubError:
    return invalid(
        "hours",
        f"“{part[:40]}” cannot be read as hours. Write them such as Mon-Fri 08:00-18:00;"
        " Sat,Sun 09:00-12:00, or leave this empty for always.",
        "/hours",
    )


def _runs(days: Sequence[int], names: Sequence[str], to: str) -> list[str]:
    """Return days as runs: Mon-Fri, Sun."""
    runs: list[list[int]] = []
    for day in sorted(set(days)):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [
        part
        for run in runs
        for part in (
            [names[run[0] - 1] + to + names[run[-1] - 1]]
            if len(run) > 2
            else [names[day - 1] for day in run]
        )
    ]
