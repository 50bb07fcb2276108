"""Search in the process: today's directory, and one of 100 times as many names made from it."""

import random
import statistics
import string
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid5

from directory.holder import Directory
from directory.rows import read_rows
from directory.search import index, search, suggest
from directory.snapshot import Area, Organisation, Snapshot, Unit
from hub.clock import LONDON, utcnow
from hub.db import Database
from hub.embedded import Servers
from hub.migrating import upgrade
from seed import reference

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

Named = Area | Organisation | Unit
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


def _names(one: Named, words: Words) -> dict[str, object]:
    names: dict[str, object] = {"name": words(one.name)}
    if one.name_welsh:
        names["name_welsh"] = words(one.name_welsh)
    if isinstance(one, Area):
        return names | {"official_name": words(one.official_name) if one.official_name else None}
    return names | {
        "other_names": tuple(map(words, one.other_names)),
        "former_names": tuple(map(words, one.former_names)),
    }


def larger(snapshot: Snapshot, times: int) -> Snapshot:
    """Return a directory of so many times the names, codes and coverage of another."""
    organisations = dict(snapshot.organisations)
    units = dict(snapshot.units)
    areas = dict(snapshot.areas)
    covered = dict(snapshot.covered)
    pool = sorted({w for a in areas.values() for w in a.name.split() if len(w) > 3})
    for copy in range(1, times):
        words = _mixed(copy, pool)
        moved = partial(uuid5, name=str(copy))
        code = partial("{1}~{0}".format, copy)
        for one in snapshot.organisations.values():
            at = moved(one.id)
            organisations[at] = replace(one, id=at, code=code(one.code), **_names(one, words))
        for unit in snapshot.units.values():
            at = moved(unit.id)
            units[at] = replace(
                unit, id=at, code=code(unit.code),
                organisation=organisations[moved(unit.organisation.id)], **_names(unit, words),
            )  # fmt: skip
        for area in {one.id: one for one in snapshot.areas.values()}.values():
            at = moved(area.id)
            areas[code(area.code)] = replace(
                area, id=at, code=code(area.code), previous_codes=(), force_id=moved(area.force_id),
                csa_id=moved(area.csa_id) if area.csa_id else None, **_names(area, words),
            )  # fmt: skip
        for unit_id, found in snapshot.covered.items():
            covered[moved(unit_id)] = tuple(map(moved, found))
    return replace(
        snapshot, organisations=organisations, units=units, areas=areas, covered=covered,
        by_code={one.code: one for one in units.values()},
        organisation_by_code={one.code: one for one in organisations.values()}, cache={},
    )  # fmt: skip


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


def searches(snapshot: Snapshot) -> None:
    """Measure search and suggestions in a directory and in one of 100 times its size."""
    say(
        "Search in the process, one thread: names, slips, beginnings, codes, common words, nonsense"
    )
    for times in (1, TIMES):
        held = larger(snapshot, times)
        began = time.perf_counter()
        names = len(index(held).entries)
        built = time.perf_counter() - began
        texts = asked(held)
        say(f"  {times} x: {names:,} names, index made in {built * 1000:,.0f} ms, once a snapshot")
        for name, ask in (("search", search), ("suggest", suggest)):
            median, p99 = timed(partial(ask, held), texts)
            say(
                f"    {name:8} p50 {median:.2f} ms, p99 {p99:.2f} ms (wanted: under {WANTED_MS:.0f})"
            )
    say("  limited by scoring the names that could be near; common words leave the most of them")
    say()


def stored(url: str) -> Snapshot:
    """Return the directory of a database as it is now."""
    database = Database(url)
    now = utcnow()
    try:
        return Directory(read_rows(database, now)).on(now.astimezone(LONDON).date())
    finally:
        database.dispose()


def main() -> None:
    """Measure on the reference data, in a database of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="hub-bench-") as folder,
        Servers(Path(folder), durable=False) as servers,
    ):
        upgrade(servers.addresses.database_owner_url)
        database = Database(servers.addresses.database_url)
        with database.unit_of_work() as session:
            reference.load(session, utcnow())
        database.dispose()
        searches(stored(servers.addresses.database_url))


if __name__ == "__main__":
    main()
