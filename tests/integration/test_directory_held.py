"""The directory of every day in one process, and the one kept on disk: right on any day, sealed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from directory import search
from directory.holder import MOST_DAYS, Directory, Kept
from directory.ladder import Reader
from directory.lookup import Answer, Asked, Choice, Lookup
from directory.postcodes import Postcodes
from directory.rows import Rows, read_rows
from directory.search import EXACT
from directory.snapshot import boundaries
from hub.db import Database, new_id
from hub.records.keys import Keys
from tests.conftest import TestServers

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MERGED = date(2027, 4, 1)
BEFORE, AFTER = MERGED - timedelta(days=1), MERGED


@pytest.fixture(scope="module")
def rows(servers: TestServers, template: str) -> Rows:
    database = Database(servers.database(servers.app_url, template))
    try:
        return read_rows(database, NOW)
    finally:
        database.dispose()


def changed(rows: Rows, table: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Rows:
    return replace(rows, tables={**rows.tables, table: [r | change(r) for r in rows.tables[table]]})


def added(rows: Rows, table: str, *more: dict[str, Any]) -> Rows:
    return replace(rows, tables={**rows.tables, table: [*rows.tables[table], *more]})


def unit_row(rows: Rows, code: str) -> dict[str, Any]:
    return next(row for row in rows.tables["units"] if row["code"] == code)


def ended(rows: Rows, code: str, *heirs: str) -> Rows:
    """Return the rows with a unit that is no more from the day on, and those that follow it."""
    was = unit_row(rows, code)
    new = [
        was | {"id": new_id(), "code": heir, "name": name(heir), "valid_from": MERGED,
               "other_names": [], "former_names": []}
        for heir in heirs
    ]  # fmt: skip
    rows = changed(rows, "units", lambda row: {"valid_to": MERGED} if row is was else {})
    rows = added(rows, "units", *new)
    rows = added(
        rows, "successions", *({"unit_id": was["id"], "successor_id": one["id"]} for one in new)
    )
    moved = [row for row in rows.tables["coverage"] if row["unit_id"] == was["id"]]
    rows = changed(
        rows, "coverage", lambda row: {"valid_to": MERGED} if row["unit_id"] == was["id"] else {}
    )
    return added(
        rows, "coverage",
        *(row | {"id": new_id(), "unit_id": new[0]["id"], "valid_from": MERGED} for row in moved),
    )  # fmt: skip


def name(code: str) -> str:
    return code.rpartition("/")[2].replace("-", " ").title()


def test_days_between_two_changes_are_one_snapshot_and_a_change_makes_another(rows: Rows) -> None:
    held = Directory(ended(rows, "kent/east", "kent/weald-and-coast"))
    assert MERGED in boundaries(held.rows)
    assert held.on(BEFORE) is held.on(BEFORE - timedelta(days=100))
    assert held.on(AFTER) is held.on(AFTER + timedelta(days=5000))
    assert held.on(BEFORE) is not held.on(AFTER)
    assert "kent/weald-and-coast" not in held.on(BEFORE).by_code
    assert "kent/east" not in held.on(AFTER).by_code


def test_a_day_before_the_first_is_taken_for_it(rows: Rows) -> None:
    held = Directory(rows)
    first = min(row["valid_from"] for row in rows.tables["units"])
    assert held.on(date.min) is held.on(date(2000, 1, 1)) is held.on(first)
    assert held.on(date.min).units


def test_an_empty_directory_has_every_day(rows: Rows) -> None:
    held = Directory(replace(rows, tables={name: [] for name in rows.tables}))
    assert held.on(date.min) is held.on(date.max)
    assert search.search(held.on(date(2026, 11, 24)), "hackney") == []


def test_no_more_days_are_kept_than_some_and_today_stays(rows: Rows) -> None:
    days = [date(2027, 1, 1) + timedelta(days=n) for n in range(MOST_DAYS + 6)]
    east = unit_row(rows, "kent/east")
    named = [
        {"unit_id": east["id"], "name": f"East {n}", "effective_on": day}
        for n, day in enumerate(days)
    ]
    held = Directory(added(rows, "renamings", *named))
    today = held.on(date(2026, 11, 24))
    for n, day in enumerate(days):
        assert held.on(day).units[east["id"]].name == f"East {n}"
    assert held.on(date(2026, 11, 24)) is today
    assert len(held._built) == MOST_DAYS


def test_a_renaming_to_come_is_announced_then_takes_effect_with_the_old_name_kept(
    rows: Rows,
) -> None:
    east = unit_row(rows, "kent/east")
    renaming = {"unit_id": east["id"], "name": "Coast", "effective_on": MERGED}
    held = Directory(added(rows, "renamings", renaming))
    before, after = held.on(BEFORE), held.on(AFTER)
    assert before.units[east["id"]].name == "East Kent"
    assert before.renamings == {east["id"]: ("Coast", MERGED)}
    assert search.search(before, "Coast", 3, ("unit",)) == []
    assert after.units[east["id"]].name == "Coast"
    assert after.units[east["id"]].former_names == ("East Kent",)
    assert after.renamings == {}
    found = search.search(after, "east kent")[0]
    assert (found.code, found.why) == ("kent/east", "former name: East Kent")


def test_a_unit_that_is_no_more_leads_to_its_successors_through_several_changes(rows: Rows) -> None:
    later = ended(rows, "kent/east", "kent/weald-and-coast")
    middle = unit_row(later, "kent/weald-and-coast")
    last = middle | {"id": new_id(), "code": "kent/whole", "name": "Whole"}
    later = added(later, "units", last | {"valid_from": date(2028, 4, 1)})
    later = changed(
        later, "units",
        lambda row: {"valid_to": date(2028, 4, 1)} if row["id"] == middle["id"] else {},
    )  # fmt: skip
    later = added(later, "successions", {"unit_id": middle["id"], "successor_id": last["id"]})
    held = Directory(later)
    east: UUID = unit_row(rows, "kent/east")["id"]
    assert east not in held.on(BEFORE).successors
    for day, heir in ((AFTER, "kent/weald-and-coast"), (date(2028, 4, 1), "kent/whole")):
        there = held.on(day)
        for key in (east, "kent/east"):
            assert [unit.code for unit in there.successors[key]] == [heir]
        found = search.search(there, "East Kent")[0]
        assert (found.code, found.score) == (heir, EXACT)
        assert found.why == "former unit: East Kent"
        assert search.suggest(there, "east ken")[0].code == heir


def ask(held: Directory, postcodes: Postcodes, day: date, text: str) -> Answer | Choice:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    found = Lookup(held.on(day), postcodes)
    return found.answer(Asked(q=text), ("open-case",), Reader(), at)


def test_a_merged_unit_answers_by_its_old_name_and_code_before_and_after(
    rows: Rows, postcodes: Postcodes
) -> None:
    held = Directory(ended(rows, "kent/east", "kent/weald-and-coast"))
    for text in ("East Kent", "kent/east", "CT1 2RB"):
        before, after = (ask(held, postcodes, day, text) for day in (BEFORE, AFTER))
        assert isinstance(before, Answer)
        assert isinstance(after, Answer)
        assert before.unit is not None
        assert after.unit is not None
        assert (before.unit.code, after.unit.code) == ("kent/east", "kent/weald-and-coast")


def test_a_split_unit_gives_a_choice_by_its_old_name_and_code(
    rows: Rows, postcodes: Postcodes
) -> None:
    held = Directory(ended(rows, "kent/east", "kent/coast", "kent/downs"))
    for text, why in (
        ("East Kent", "former unit: East Kent"), ("kent/east", "in place of kent/east")
    ):  # fmt: skip
        found = ask(held, postcodes, AFTER, text)
        assert isinstance(found, Choice)
        assert {one.code for one in found.matches[:2]} == {"kent/coast", "kent/downs"}
        assert [one.why for one in found.matches[:2]] == [why, why]


def test_sectors_of_a_district_are_another_units_from_their_day(
    rows: Rows, postcodes: Postcodes
) -> None:
    own = next(r for r in rows.tables["areas"] if r["code"] == "E07000106")
    west = unit_row(rows, "kent/west")
    part = {
        "id": new_id(), "unit_id": west["id"], "area_id": own["id"], "sectors": ["CT1 2"],
        "valid_from": MERGED, "valid_to": None,
    }  # fmt: skip
    held = Directory(added(rows, "coverage", part))
    for day, text, code in (
        (BEFORE, "CT1 2RB", "kent/east"), (AFTER, "CT1 2RB", "kent/west"),
        (AFTER, "CT1 1AA", "kent/east"), (AFTER, "Canterbury", "kent/east"),
    ):  # fmt: skip
        found = ask(held, postcodes, day, text)
        assert isinstance(found, Answer)
        assert found.unit is not None
        assert (text, found.unit.code) == (text, code)


def test_what_is_kept_is_what_was_held_and_is_for_its_owner_alone(
    rows: Rows, keys: Keys, tmp_path: Path
) -> None:
    kept = Kept(tmp_path, keys)
    assert kept.load() is None
    kept.save(rows)
    assert kept.load() == rows
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "tamper",
    [
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: bytes([content[0] ^ 1]) + content[1:],
        lambda content: content[:40],
        lambda _content: b"",
        lambda content: content[32:],
    ],
)
def test_what_was_tampered_with_or_another_hubs_is_never_read(
    rows: Rows,
    keys: Keys,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    tamper: Callable[[bytes], bytes],
) -> None:
    kept = Kept(tmp_path, keys)
    kept.save(rows)
    other = Keys.load(tmp_path_factory.mktemp("other") / "keys", create=True)
    assert Kept(tmp_path, other).load() is None
    (file,) = tmp_path.iterdir()
    file.write_bytes(tamper(file.read_bytes()))
    assert kept.load() is None


def test_where_the_disk_takes_nothing_the_directory_goes_on(
    rows: Rows, keys: Keys, tmp_path: Path
) -> None:
    kept = Kept(tmp_path / "not-there", keys)
    kept.save(rows)
    assert kept.load() is None
