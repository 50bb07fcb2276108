"""What a contact point may be: its value checked and written as people read it. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any
from urllib.parse import urlsplit

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from hub.errors import invalid

SHORT_NUMBERS = frozenset({"101", "999", "111", "112", "116000", "116111", "105", "61016", "18000"})
MOBILE = re.compile(r"^(\+44|0)7")
TEAM_WORDS = re.compile(
    r"team|duty|control|missing|misper|safeguard|enquir|contact|children|service|coordinat|police|"
    r"switch|office|social|placement|meeting|(?:^|[._-])(?:mash|admin|desk|unit|hub|info|edt|"
    r"press|media|room|force|mfh|no-?reply)s?(?:[._-]|\d|$)"
)
PERSONAL = re.compile(r"^[a-z]+[._-][a-z]+\d{0,3}$|^[a-z]\.?[a-z]{3,}\d{3,6}$")
EXTENSION = re.compile(r" (?:x|ext\.?) ?(\d+)$")


def normalised(channel: str, value: str) -> str:
    """Return the value as it is kept and shown: a number in national form, an address checked.

    Raises:
        HubError: 422 at `/value`, with one sentence that says what is wrong.
    """
    value = " ".join(value.split())
    if not value or len(value) > 300:
        raise invalid("value", "Give the number or address of the contact.", "/value")
    if channel in ("telephone", "mobile", "text"):
        return _number(value, channel)
    if channel in ("email", "secure-email"):
        return _address(value)
    return _page(value)


def warnings(channel: str, value: str) -> list[str]:
    """Return what an editor should think about: the directory lists teams, not people."""
    if channel in ("telephone", "mobile", "text") and MOBILE.match(value.replace(" ", "")):
        return [f"{value} is a mobile number. Is it the team’s, whoever is on duty?"]
    if channel in ("email", "secure-email"):
        name = value.partition("@")[0].lower()
        if PERSONAL.match(name) and not TEAM_WORDS.search(name):
            return [f"{value} looks like one person’s mailbox. Give the team’s where it has one."]
    return []


def dialled(value: str) -> str:
    """Return a number as a `tel:` address dials it (RFC 3966), its extension after it."""
    found = EXTENSION.search(value)
    number = re.sub(r"[^\d+]", "", value[: found.start()] if found else value)
    return f"{number};ext={found[1]}" if found else number


def _number(value: str, channel: str) -> str:
    digits = re.sub(r"[\s().-]", "", value)
    if digits in SHORT_NUMBERS:
        return digits
    wrong = invalid(
        "value",
        "This is not a telephone number that can be rung from the United Kingdom: check its"
        " digits, such as 020 7946 0123.",
        "/value",
    )
    try:
        number = phonenumbers.parse(value, "GB")
    except phonenumbers.NumberParseException:
        raise wrong from None
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise wrong
    national = str(number.national_number)
    if number.country_code == 44 and not (
        phonenumbers.is_valid_number(number)
        or (len(national) in (9, 10) and national[0] not in "46")
    ):
        raise wrong  # drama and new numbers are not known to be valid: their form alone is checked
    if number.country_code != 44:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    if channel == "mobile" and not MOBILE.match(digits.replace("+440", "+44")):
        raise invalid("value", "A mobile number begins with 07. Choose telephone.", "/value")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)


def _address(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        raise invalid(
            "value", "Give an e-mail address such as team@example.org.", "/value"
        ) from None


def _page(value: str) -> str:
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", None
    if parts is None or parts.scheme not in ("https", "http") or "." not in host or " " in value:
        raise invalid(
            "value", "Give the page’s whole address, such as https://example.org.", "/value"
        )
    return value


def check_hours(weekly: Sequence[Mapping[str, Any]] | None) -> None:
    """Refuse weekly spans that are not days 1 to 7 and times of a day.

    Raises:
        HubError: 422 at `/hours`.
    """
    for span in weekly or ():
        days = span.get("days")
        if (
            not isinstance(days, Sequence)
            or not days
            or any(not isinstance(day, int) or not 1 <= day <= 7 for day in days)
        ):
            raise invalid("hours", "The days of the hours are numbers, Monday is 1.", "/hours")
        _times(span, "/hours")


def check_exceptions(exceptions: Sequence[Mapping[str, Any]]) -> None:
    """Refuse dated exceptions that are not a date with spans.

    Raises:
        HubError: 422 at `/exceptions`.
    """
    for one in exceptions:
        try:
            date.fromisoformat(str(one["date"]))
        except (KeyError, ValueError):
            raise invalid(
                "exceptions", "An exception has a date: 2026-12-24.", "/exceptions"
            ) from None
        for span in one.get("spans", ()):
            _times(span, "/exceptions")


def _times(span: Mapping[str, Any], pointer: str) -> None:
    for name in ("opens", "closes"):
        value = str(span.get(name, ""))
        if value == "24:00" and name == "closes":
            continue
        try:
            found = time.fromisoformat(value)
        except ValueError:
            found = None
        if found is None or not re.fullmatch(r"\d\d:\d\d", value):
            raise invalid("hours", "Times are written 08:00 to 18:00.", pointer)
