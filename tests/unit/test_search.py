"""What people type finds what they mean: names, Welsh, nicknames, codes, and slips of a letter."""

import random
import string
from collections.abc import Iterator
from dataclasses import replace

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


def test_units_of_one_name_are_a_choice_and_never_a_guess(snapshot: Snapshot) -> None:
    for typed in ("South", "north", "Central", "London"):
        assert search.winner(search.search(snapshot, typed)) is None, typed
    for typed, code in (("essex/south", "essex/south"), ("essex police south", "essex/south")):
        best = search.winner(search.search(snapshot, typed))
        assert best is not None
        assert best.code == code


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("St Helens", "St. Helens"),
        ("st. helen's", "St. Helens"),
        ("kings lynn and west norfolk", "King's Lynn and West Norfolk"),
        ("King’s Lynn", "King's Lynn and West Norfolk"),
        ("STRATFORD ON AVON", "Stratford-on-Avon"),
        ("stratford–on–avon", "Stratford-on-Avon"),
        ("Ynys Môn", "Isle of Anglesey"),
        ("ynys mon", "Isle of Anglesey"),
        ("Ŵrecsam", "Wrexham"),
        ("\u202ehackney\u202c", "Hackney"),
        ("\0hackney", "Hackney"),
        ("😀 Hackney 😀", "Hackney"),
        ("Ｈａｃｋｎｅｙ", "Hackney"),
        ("  HACK\tNEY  ", "Hackney"),
    ],
)
def test_signs_accents_and_case_make_no_difference(
    snapshot: Snapshot, typed: str, name: str
) -> None:
    assert search.search(snapshot, typed)[0].name == name
    assert search.suggest(snapshot, typed)[0].name == name


@pytest.mark.parametrize(
    "typed",
    ["😀" * 50, "\0\0", "...'’&&&&"[:4], "' OR 1=1 --", "'; DROP TABLE unit; --", "%%%%", "\ud800",
     "هاكني", "x" * 10_000, "hackney " * 1250, "\u0301" * 10_000, "{{7*7}}", "1e309", "ß" * 10_000],
)  # fmt: skip
def test_whatever_is_typed_is_text(snapshot: Snapshot, typed: str) -> None:
    assert search.search(snapshot, typed) == []
    assert search.suggest(snapshot, typed) == []


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


@pytest.mark.parametrize(
    ("typed", "name", "why"),
    [
        ("Hackney", "Hackney", "name"),
        ("hackny", "Hackney", "close to “Hackney”"),
        ("Caerdydd", "Cardiff", "Welsh name: Caerdydd"),
        ("caerdyd", "Cardiff", "part of the Welsh name “Caerdydd”"),
        ("Caerdidd", "Cardiff", "close to the Welsh name “Caerdydd”"),
        ("London Borough of Hackney", "Hackney", "official name: London Borough of Hackney"),
        ("GMP", "Greater Manchester Police", "nickname"),
        ("E09000012", "Hackney", "code"),
        ("W15000002", "Gwent Police", "code"),
        ("kent/east", "East Kent", "code"),
        ("devon-and-cornwall", "Devon & Cornwall Police", "other name: Devon & Cornwall"),
        ("Kent Police", "Kent Police", "name"),
        ("Kent Police East Kent", "East Kent", "name"),
    ],
)
def test_each_match_says_why(snapshot: Snapshot, typed: str, name: str, why: str) -> None:
    found = search.search(snapshot, typed)[0]
    assert (found.name, found.why) == (name, why)


def test_a_former_code_says_that_it_is_one(snapshot: Snapshot) -> None:
    former, area = next(
        (code, area) for code, area in snapshot.areas.items() if code in area.previous_codes
    )
    assert search.search(snapshot, former.lower())[0].why == f"former code of {area.code}"


def test_former_names_of_units_and_organisations_are_found(snapshot: Snapshot) -> None:
    unit = snapshot.by_code["kent/east"]
    kent = snapshot.organisation_by_code["kent"]
    changed = replace(
        snapshot,
        units={**snapshot.units, unit.id: replace(unit, former_names=("Margate Division",))},
        organisations={
            **snapshot.organisations,
            kent.id: replace(kent, former_names=("Weald and Downland Constabulary",)),
        },
        cache={},
    )
    assert search.search(snapshot, "margate division") == []
    for ask in (search.search, search.suggest):
        found = ask(changed, "Margate Division")[0]
        assert (found.code, found.why) == ("kent/east", "former name: Margate Division")
        found = ask(changed, "weald & downlnd constabulary")[0]
        assert found.code == "kent"
        assert found.why == "close to the former name “Weald and Downland Constabulary”"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("ha", "Hart"),
        ("hackn", "Hackney"),
        ("hakcn", "Hackney"),
        ("hacny", "Hackney"),
        ("jackne", "Hackney"),
        ("birmimg", "Birmingham"),
        ("caerd", "Cardiff"),
        ("caredyd", "Cardiff"),
        ("greater man", "Greater Manchester Police"),
        ("GMP", "Greater Manchester Police"),
        ("E09000012", "Hackney"),
        ("kent/east", "East Kent"),
    ],
)
def test_suggestions_come_while_typing(snapshot: Snapshot, typed: str, name: str) -> None:
    assert search.suggest(snapshot, typed)[0].name == name


def test_suggestions_that_begin_so_go_before_those_that_nearly_do(snapshot: Snapshot) -> None:
    found = search.suggest(snapshot, "barn")
    begun = [one.why.startswith("part of") for one in found]
    assert {"Barnet", "Barnsley"} <= {one.name for one in found}
    assert begun == sorted(begun, reverse=True)


@pytest.mark.parametrize("typed", ["", " ", "x", "!!!", "E0900099", "zzzz", "9" * 2000])
def test_nothing_near_suggests_nothing(snapshot: Snapshot, typed: str) -> None:
    assert search.suggest(snapshot, typed) == []


def test_suggestions_are_at_most_so_many_and_of_different_things(snapshot: Snapshot) -> None:
    for typed in ("so", "north", "council", "police"):
        for limit in (1, 8, 30):
            found = search.suggest(snapshot, typed, limit)
            assert len(found) == limit == len({one.id for one in found})


def test_each_name_is_suggested_before_it_is_typed_to_the_end(snapshot: Snapshot) -> None:
    for area in {one.id: one for one in snapshot.areas.values()}.values():
        suggested = [one.id for one in search.suggest(snapshot, area.name[:-1])]
        assert area.id in suggested, area.name


def test_only_kinds_asked_for_are_found_however_many_others_are_nearer(snapshot: Snapshot) -> None:
    for typed in ("north yorkshire council", "south wales"):
        found = search.search(snapshot, typed, 10, ("force",))
        assert found
        assert {one.kind for one in found} == {"force"}


def test_many_results_may_be_asked_for(snapshot: Snapshot) -> None:
    assert len(search.search(snapshot, "council", 250)) == 250
