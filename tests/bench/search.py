"""Look-ups and search in the process: today's directory, and one of 100 times its size made from it."""

import pickle
import random
import statistics
import string
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID, uuid5

from directory.holder import Directory
from directory.ladder import Reader
from directory.lookup import Asked, Lookup
from directory.postcodes import Postcodes
from directory.rows import Row, Rows, read_rows
from directory.search import index, search, suggest
from directory.snapshot import Snapshot
from hub.clock import LONDON, utcnow
from hub.db import Database

TIMES = 100
ASKED = 3000
WANTED_MS = 5.0
KEPT = frozenset(
    {
        "and", "the", "of", "on", "in", "upon", "with", "north", "south", "east", "west", "central",
        "greater", "city", "county", "council", "borough", "district", "metropolitan", "royal",
        "london", "police", "constabulary", "service", "area", "division",
    }
)  # fmt: skip
"""Words that names share: they stay as they are in a larger directory too."""

NAMES = ("name", "name_welsh", "official_name", "other_names", "former_names")
POSTCODES = ("SW1A 1AA", "CT1 2RB", "CF10 1EP", "M1 1AE", "LS1 4DY", "EX1 1HS", "N1 9GU", "B1 1BB")

Words = Callable[[str], str]


def say(line: str = "") -> None:
    print(line, flush=True)  # a bench prints


def _mixed(copy: int, pool: Sequence[str]) -> Words:
    """Return how one copy alters its names: half of each word with half of another's."""
    draw = random.Random(copy)
    made: dict[str, str] = {}

    def word(text: str) -> str:
        if text.lower() in KEPT or len(text) < 4:
            return text
        if text not in made:
            other = draw.choice(pool)
            made[text] = text[: (len(text) + 1) // 2] + other[len(other) // 2 :].lower()
        return made[text]

    return lambda name: " ".join(word(one) for one in name.split())


def _copied(row: Row, copy: int, words: Words) -> Row:
    """Return a row of a copy: ids moved, codes marked, names altered, the rest as it was."""
    made = dict(row)
    for name, value in row.items():
        if isinstance(value, UUID):
            made[name] = uuid5(value, str(copy))
        elif name == "code":
            made[name] = f"{value}~{copy}"
        elif name in NAMES and value:
            made[name] = words(value) if isinstance(value, str) else [words(one) for one in value]
    return made | ({"previous_codes": []} if "previous_codes" in row else {})


def larger(rows: Rows, times: int) -> Rows:
    """Return a directory of so many times the organisations, units, areas and contacts."""
    pool = sorted({w for a in rows.tables["areas"] for w in a["name"].split() if len(w) > 3})
    copies = [(copy, _mixed(copy, pool)) for copy in range(1, times)]
    tables = dict(rows.tables)
    for table in ("organisations", "units", "areas", "coverage", "contacts"):
        own = rows.tables[table]
        tables[table] = [
            *own,
            *(_copied(row, copy, words) for copy, words in copies for row in own),
        ]
    return replace(rows, tables=tables)


def _slipped(draw: random.Random, text: str) -> str:
    at = draw.randrange(len(text))
    letter = draw.choice(string.ascii_lowercase + " ")
    return draw.choice(
        [text[:at] + letter + text[at:], text[:at] + letter + text[at + 1 :],
         text[:at] + text[at + 1 :], text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :]]
    )  # fmt: skip


def asked(snapshot: Snapshot) -> list[str]:
    """Return what people may type: names, beginnings, slips, codes, common words and nonsense."""
    draw = random.Random(3)
    entries = draw.choices(index(snapshot).entries, k=ASKED)
    texts = [entry.text for entry in entries if len(entry.text) > 2]
    codes = draw.choices(sorted(snapshot.areas), k=ASKED // 20)
    beginnings = [text[: draw.randint(2, len(text))] for text in texts[: ASKED // 3]]
    slips = [_slipped(draw, text) for text in texts[: ASKED // 2]]
    common = sorted(KEPT) * (ASKED // 20 // len(KEPT) + 1)
    nonsense = ["".join(draw.choices(string.ascii_lowercase + " ", k=draw.randint(2, 80)))
                for _ in range(ASKED // 20)]  # fmt: skip
    return [*texts, *beginnings, *slips, *codes, *common, *nonsense]


def timed(ask: Callable[[str], object], texts: Sequence[str]) -> tuple[float, float]:
    """Return the median and the 99th percentile of a call, in milliseconds."""
    took = []
    for text in texts:
        began = time.perf_counter()
        ask(text)
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took), sorted(took)[int(len(took) * 0.99)]


def searches(rows: Rows, postcodes: Postcodes) -> None:
    """Measure look-ups, search and suggestions in a directory and in one of 100 times its size."""
    say(
        "Look-up, search and suggestions in the process, one thread, at 1 and 100 times today's names"
    )
    now = rows.taken_at
    lookups: list[float] = []
    for times in (1, TIMES):
        held = larger(rows, times)
        built = _took(lambda held=held: Directory(held).on(now.astimezone(LONDON).date()))
        snapshot = Directory(held).on(now.astimezone(LONDON).date())
        kept = _took(lambda held=held: pickle.dumps(held))
        indexed = _took(lambda snapshot=snapshot: index(snapshot))
        names = len(index(snapshot).entries)
        say(f"  {times} x: {names:,} names; after a change the snapshot is built in {built:,.0f} ms,"
            f" written out in {kept:,.0f} ms, its search index made in {indexed:,.0f} ms")  # fmt: skip
        look = Lookup(snapshot, postcodes)
        found = timed(
            lambda text, look=look: look.answer(Asked(q=text), ("open-case",), Reader(), now),
            POSTCODES * (ASKED // len(POSTCODES)),
        )
        lookups.append(found[0])
        say(f"    look-up by postcode p50 {found[0]:.3f} ms, p99 {found[1]:.3f} ms")
        texts = asked(snapshot)
        for name, ask in (("search", search), ("suggest", suggest)):
            median, p99 = timed(partial(ask, snapshot), texts)
            say(
                f"    {name:19} p50 {median:.2f} ms, p99 {p99:.2f} ms (wanted: under {WANTED_MS:.0f})"
            )
    say(
        f"  look-up at {TIMES} x takes {lookups[1] / lookups[0]:.2f} of what it takes now (wanted: flat)"
    )
    say("  search is limited by scoring the names that could be near, of which common words leave the"
        " most; a change by building the whole snapshot anew")  # fmt: skip
    say()


def _took(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def stored(url: str) -> Rows:
    """Return the directory of a database as it is now."""
    database = Database(url)
    try:
        return read_rows(database, utcnow())
    finally:
        database.dispose()
