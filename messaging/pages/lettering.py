"""Lines of text for paper: broken by measure, joined and turned where a script runs from the right.

Pure. fpdf2 sets one letter after another from the left; what it leaves out is done here.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache

from fpdf.bidi import BidiParagraph

FROM_THE_RIGHT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
UNPRINTED = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
FORMS = ("<isolated>", "<final>", "<initial>", "<medial>")
LETTERS = re.compile("\u0644[\u0622\u0623\u0625\u0627]|.", re.DOTALL)
"""Letters one by one, but lam with alef as the one shape that they have together."""

Measure = Callable[[str], float]


def clean(text: str) -> str:
    """Return text without what has no shape on paper; tabs and the like become a space."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = UNPRINTED.sub(lambda found: " " if found[0].isspace() else "", text)
    return unicodedata.normalize("NFC", text)


def lines(text: str, wide: float, measure: Measure) -> list[str]:
    """Return text in lines no wider than `wide`, each in the order in which it is drawn.

    A line ends at a space; a word that is wider than a line is cut where it must be.
    """
    found = []
    for paragraph in clean(text).split("\n"):
        turned = FROM_THE_RIGHT.search(paragraph) is not None
        broken = _broken(joined(paragraph) if turned else paragraph, wide, measure)
        found += [BidiParagraph(line).get_reordered_string() if turned else line for line in broken]
    return found


def _broken(paragraph: str, wide: float, measure: Measure) -> Iterator[str]:
    space = measure(" ")
    line: list[str] = []
    used = 0.0
    for word in paragraph.split(" "):
        width = measure(word)
        if line and used + space + width > wide:
            yield " ".join(line)
            line, used = [], 0.0
        while width > wide and len(word) > 1:
            head = _head(word, wide, measure)
            yield head
            word = word[len(head) :]
            width = measure(word)
        used += width + (space if line else 0.0)
        line.append(word)
    yield " ".join(line)


def _head(word: str, wide: float, measure: Measure) -> str:
    """Return as much of a word as a line takes: a letter at least, never parted from its accent."""
    used, end = 0.0, 0
    for letter in word:
        used += measure(letter)
        if end and used > wide and not unicodedata.combining(letter):
            break
        end += 1
    return word[:end]


@cache
def _forms() -> dict[str, dict[str, str]]:
    """Return the shapes of Arabic letters, and of lam with alef, as Unicode lists them."""
    found: dict[str, dict[str, str]] = {}
    for code in (*range(0xFB50, 0xFBFF), *range(0xFE80, 0xFEFD)):
        form, _, letters = unicodedata.decomposition(chr(code)).partition(" ")
        if form in FORMS:
            of = "".join(chr(int(letter, 16)) for letter in letters.split())
            found.setdefault(of, {}).setdefault(form, chr(code))
    return found


def joined(text: str) -> str:
    """Return text with each Arabic letter in the shape that its neighbours give it."""
    forms = _forms()
    units = LETTERS.findall(text)
    seen = [n for n, unit in enumerate(units) if not unicodedata.combining(unit[0])]
    shapes = [forms.get(units[n], {}) for n in seen]
    joins_on = False
    for place, n in enumerate(seen):
        here = shapes[place]
        after = shapes[place + 1] if place + 1 < len(seen) else {}
        to_next = "<initial>" in here and "<final>" in after
        form = FORMS[(1 if joins_on else 0) + (2 if to_next else 0)]
        units[n] = here.get(form, units[n])
        joins_on = to_next
    return "".join(units)
