"""Units as vCard 4.0 (RFC 6350), for the address books of telephones and mail programs. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime

import phonenumbers

from directory import hours_text
from directory.contact_rules import SHORT_NUMBERS
from directory.downloads import Extract, UnitEntry
from directory.ladder import NATIONAL
from directory.public import PURPOSES
from directory.snapshot import Contact
from directory.standing import standing
from hub.clock import LONDON

LONGEST = 75
TYPES = {"telephone": "voice,work", "mobile": "cell,work", "text": "text,work"}


def as_vcards(extract: Extract) -> str:
    """Return a card for each unit that has a contact."""
    return "".join(
        f"{fold(line)}\r\n"
        for entry in extract.entries
        for one in entry.units
        if one.contacts
        for line in _card(one, extract)
    )


def fold(line: str) -> str:
    """Return a line folded at 75 octets, never inside a letter (RFC 6350, 3.2)."""
    parts, part, size = [], "", 0
    for sign in line:
        octets = len(sign.encode())
        if size + octets > LONGEST:
            parts.append(part)
            part, size = " ", 1
        part, size = part + sign, size + octets
    return "\r\n".join([*parts, part])


def escape(text: str) -> str:
    """Return a text as a value of a card (RFC 6350, 3.4)."""
    for sign in ("\\", ",", ";"):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")


def _card(one: UnitEntry, extract: Extract) -> Iterable[str]:
    unit, organisation = one.unit, one.unit.organisation
    name = unit.name
    if organisation.name not in unit.name:
        name = f"{unit.name}, {organisation.name}"
    yield "BEGIN:VCARD"
    yield "VERSION:4.0"
    yield "PRODID:-//Missing Children Hub//Directory//EN"
    yield f"UID:urn:uuid:{unit.id}"
    yield "KIND:org"
    exercise = "EXERCISE: " if extract.reader.status == "exercise" else ""
    yield f"FN;ALTID=1;LANGUAGE=en-GB:{escape(exercise + name)}"
    if unit.name_welsh:
        yield f"FN;ALTID=1;LANGUAGE=cy:{escape(unit.name_welsh)}"
    below = f";{escape(unit.name)}" if unit.name != organisation.name else ""
    yield f"ORG:{escape(organisation.name)}{below}"
    for number, contact in enumerate(one.contacts, 1):
        yield f"item{number}.{_property(contact, min(number, 100))}"
        label = PURPOSES.get(contact.purpose, contact.purpose)
        yield f"item{number}.X-ABLABEL:{escape(label)}"
    for contact in one.contacts:
        yield f"NOTE:{escape(in_words(contact, extract.at))}"
    day = extract.at.astimezone(LONDON)
    yield f"NOTE:{escape(f'Directory as of {day.day} {day:%B %Y}.')}"
    yield f"REV:{extract.at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield "END:VCARD"


def _property(contact: Contact, preference: int) -> str:
    if contact.channel in TYPES:
        kind = TYPES[contact.channel]
        return f'TEL;VALUE=uri;TYPE="{kind}";PREF={preference}:{telephone_uri(contact.value)}'
    if contact.channel == "web":
        return f"URL;TYPE=work;PREF={preference}:{contact.value}"
    return f"EMAIL;TYPE=work;PREF={preference}:{escape(contact.value)}"


def telephone_uri(value: str) -> str:
    """Return a number as a tel: URI (RFC 3966): 101 and its like in the context of this country."""
    digits = "".join(sign for sign in value if sign.isdigit())
    if digits in SHORT_NUMBERS:
        return f"tel:{digits};phone-context=+44"
    try:
        number = phonenumbers.parse(value, "GB")
    except phonenumbers.NumberParseException:
        return f"tel:{digits};phone-context=+44"
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.RFC3966))


def in_words(contact: Contact, at: datetime) -> str:
    """Return what is to be known of a contact: what for, when, how sure."""
    parts = [
        f"{contact.value}: {PURPOSES.get(contact.purpose, contact.purpose)}",
        f"Open {hours_text.say(contact.hours)}",
        trust(contact, at),
        contact.note or "",
    ]
    return " ".join(part if part.endswith(".") else f"{part}." for part in parts if part)


def trust(contact: Contact, at: datetime) -> str:
    """Return how far to trust a contact, in words."""
    if contact.value in NATIONAL and contact.verification == "unverified":
        return "National number."
    said = standing(contact, at).words(contact.value)
    if contact.verified_at is not None:
        day = contact.verified_at.astimezone(LONDON)
        said.insert(0, f"Verified {day.day} {day:%B %Y} by {contact.verified_by}.")
    return " ".join(said)
