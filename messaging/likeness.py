"""When two ways of writing a child down are the same: pure (DOMAIN.md 4.10).

A name counts without case, accents, punctuation, spaces and the order of its parts; an identifier
by its system and its signs. What differs by a letter is another name: no guess is made.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from datetime import date

_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ı": "i", "ħ": "h"}
)
_NOT_A_SYSTEM = frozenset({"no", "nr", "number", "id", "ref", "reference", "the"})


def plain(text: str) -> list[str]:
    """Return the words of a text without case, accents and punctuation."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(" " if not sign.isalnum() else sign for sign in bare if not _is_mark(sign))
    return kept.casefold().translate(_LETTERS).split()


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign) in ("Mn", "Me", "Cf")


def names(name: str) -> frozenset[str]:
    """Return the forms of a name; two names are alike when they share one.

    "O'Brien" is "OBrien" and "O Brien"; "Smith-Jones" is "Jones Smith".
    """
    words = plain(name)
    return frozenset({"".join(words), "".join(sorted(words))} - {""})


def identifier(text: str) -> str | None:
    """Return an identifier as system and value: "nhs:9990000000"; None where it has no digit."""
    words = plain(text)
    system = ""
    while words and words[0].isalpha():
        word = words.pop(0)
        system = system or ("" if word in _NOT_A_SYSTEM else word)
    value = "".join(words)
    if len(value) < 4 or not any(sign.isdigit() for sign in value):
        return None
    if not system and is_nhs_number(value):
        system = "nhs"
    return f"{system}:{value}"


def is_nhs_number(value: str) -> bool:
    """Say whether ten digits end in the check digit of an NHS number (modulus 11)."""
    if re.fullmatch(r"[0-9]{10}", value) is None:
        return False
    total = sum(int(sign) * weight for sign, weight in zip(value, range(10, 1, -1), strict=False))
    return (11 - total % 11) % 11 == int(value[9])


def of_child(
    family: str | None, given: str | None, born: date | None, identifiers: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Return what a child is found by: kinds and words, to be made into keys.

    `birth` is family name and full birth date together, `person` the given name too.
    """
    if family and born is not None:
        for one in sorted(names(family)):
            yield "birth", f"{one}|{born.isoformat()}"
            for other in sorted(names(given or "")):
                yield "person", f"{one}|{other}|{born.isoformat()}"
    for text in identifiers:
        found = identifier(text)
        if found is not None:
            yield "identifier", found


def own_reference(text: str) -> str:
    """Return an organisation's own case number without case, spaces and punctuation."""
    return "".join(plain(text))
