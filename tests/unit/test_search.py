"""What people type finds what they mean: names, Welsh, nicknames, codes, and slips of a letter."""

import random
import string
from collections.abc import Iterator

import pytest

from directory import search
from directory.snapshot import Snapshot
from hub.clock import utcnow
from hub.db import Database
from tests.conftest import TestServers
from tests.directories import read

SAMPLE = 12
"""Slips tried of each name, drawn with a fixed seed; there are 244,000 in all."""


@pytest.fixture(scope="module")
def snapshot(servers: TestServers, template: str) -> Snapshot:
    database = Database(servers.database(servers.app_url, template))
    try:
        return read(database, utcnow())
    finally:
        database.dispose()


def first(snapshot: Snapshot, text: str) -> tuple[str, str]:
    found = search.search(snapshot, text)
    return found[0].kind, found[0].code


@pytest.mark.parametrize(
    ("typed", "kind", "code"),
    [
        ("Hackney", "district", "E09000012"),
        ("hackny", "district", "E09000012"),
        ("London Borough of Hackney", "district", "E09000012"),
        ("Caerdydd", "district", "W06000015"),
        ("  cÂerdydd ", "district", "W06000015"),
        ("the Met", "force", "metropolitan"),
        ("GMP", "force", "greater-manchester"),
        ("BTP", "force", "btp"),
        ("West Mids", "force", "west-midlands"),
        ("Heddlu Gwent", "force", "gwent"),
        ("Devon and Cornwall", "force", "devon-and-cornwall"),
        ("devon-and-cornwall", "force", "devon-and-cornwall"),
        ("E23000032", "force", "kent"),
        ("E09000012", "district", "E09000012"),
        ("e09000012", "district", "E09000012"),
        ("kent/east", "unit", "kent/east"),
        ("East Kent", "unit", "kent/east"),
        ("metropolitan/central-north", "unit", "metropolitan/central-north"),
        ("St Helens", "district", "E08000013"),
        ("hull", "district", "E06000010"),
    ],
)
def test_a_name_or_code_is_found(snapshot: Snapshot, typed: str, kind: str, code: str) -> None:
    assert first(snapshot, typed) == (kind, code)


def test_a_code_of_before_leads_to_its_successor(snapshot: Snapshot) -> None:
    former = [(code, area) for code, area in snapshot.areas.items() if code in area.previous_codes]
    assert former
    for code, area in former:
        assert first(snapshot, code) == ("district", area.code)


@pytest.mark.parametrize("typed", ["", " ", "x", "!!!", "asdkjh qwe", "18:00", "\u202e", "9" * 200])
def test_what_is_near_nothing_finds_nothing(snapshot: Snapshot, typed: str) -> None:
    assert search.search(snapshot, typed) == []


def test_a_force_and_a_district_of_one_name_are_both_found(snapshot: Snapshot) -> None:
    for typed in ("dorset", "Dorset ", "Wiltshire"):
        found = search.search(snapshot, typed)
        assert [one.kind for one in found[:2]] == ["force", "district"]


def test_the_reader_chooses_where_two_are_as_near(snapshot: Snapshot) -> None:
    assert search.winner(search.search(snapshot, "surry")) is None
    assert search.winner(search.search(snapshot, "kingston")) is None


def slips(name: str) -> Iterator[str]:
    """Yield every one-letter edit: put in, put for another, left out, and two changed about."""
    for at in range(len(name) + 1):
        for letter in string.ascii_lowercase + " ":
            yield name[:at] + letter + name[at:]
            yield name[:at] + letter + name[at + 1 :]
        yield name[:at] + name[at + 1 :]
        yield name[:at] + name[at + 1 : at + 2] + name[at : at + 1] + name[at + 2 :]


def test_a_slip_of_one_letter_has_the_name_among_the_first_three(snapshot: Snapshot) -> None:
    districts = {area.id: area.name for area in snapshot.areas.values()}
    forces = {
        one.id: one.name
        for one in snapshot.organisations.values()
        if one.police_kind == "territorial"
    }
    assert (len(districts), len(forces)) == (318, 43)
    draw = random.Random(43)
    missed = [
        (name, typed)
        for wanted, name in (districts | forces).items()
        if len(name) >= 5
        for typed in draw.sample(sorted(set(slips(name.lower()))), SAMPLE)
        if wanted not in [one.id for one in search.search(snapshot, typed, 3)]
    ]
    assert missed == []


@pytest.mark.parametrize(
    ("name", "typed"),
    [("Barnet", "barney"), ("Bedford", "badford"), ("Boston", "bolton"), ("Lewes", "lewis"),
     ("Dorset", "sorset"), ("Slough", "slouth"), ("Stafford", "stalford")],
)  # fmt: skip
def test_the_hardest_slips(snapshot: Snapshot, name: str, typed: str) -> None:
    assert name in [one.name for one in search.search(snapshot, typed, 3)]
