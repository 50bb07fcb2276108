"""The saved copy holds what its reader may see, all of it, in one file that refers to nothing else."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest

from directory.hours import Hours
from directory.ladder import NEEDS, Reader
from directory.lookup import Answer, Asked, Lookup
from directory.postcodes import Postcodes
from directory.saved_copy import hours_in_words, saved_copy
from directory.snapshot import Contact, Problem, Snapshot, Unit
from hub.clock import utcnow
from hub.db import Database, new_id
from tests.conftest import TestServers
from tests.directories import read

AT = datetime(2026, 11, 24, 3, tzinfo=UTC)
PUBLIC = Reader()
PROFESSIONAL = Reader(frozenset({"public", "professional"}))
POLICE = Reader(frozenset({"public", "professional", "police"}))
HOSTILE = '</script><script>alert(1)</script><img src="x" onerror="alert(2)">&'
OFFICE: list[dict[str, Any]] = [{"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "16:00"}]

LINE = re.compile(r'<li id="c(\d+)".*?class="value"[^>]*>(.*?)</(?:a|span)>(.*?)</li>', re.S)


@pytest.fixture(scope="module")
def snapshot(servers: TestServers, template: str) -> Snapshot:
    database = Database(servers.database(servers.app_url, template))
    try:
        return read(database, utcnow())
    finally:
        database.dispose()


def contact(unit: Unit, purpose: str, value: str, **more: Any) -> Contact:
    plain = Contact(
        new_id(), unit.id, purpose, "telephone", value, "public", 100, Hours(), None, "actual",
        "the test", "2026-11-01", "verified", AT - timedelta(days=10), "EXERCISE Editor",
    )  # fmt: skip
    return replace(plain, **more)


def having(snapshot: Snapshot, contacts: Sequence[Contact]) -> Snapshot:
    of: dict[UUID, tuple[Contact, ...]] = dict(snapshot.contacts)
    for one in contacts:
        of[one.unit_id] = (*of.get(one.unit_id, ()), one)
    return replace(snapshot, contacts=of, cache={})


def of_kent(snapshot: Snapshot) -> Snapshot:
    """Return a directory with contacts of every standing and audience in East Kent."""
    unit = snapshot.by_code
    east, team = unit["kent/east"], unit["kent/east/missing-children-team"]
    problem = Problem("rang-out", AT - timedelta(days=4), new_id(), new_id())
    return having(
        snapshot,
        [
            contact(unit["kent/control-room"], "control-room", "01632 960001"),
            contact(team, "missing-children-team", "01632 960002", hours=Hours(OFFICE, "closed")),
            contact(east, "duty-inspector", "01632 960003", audience="professional"),
            contact(east, "coordinator", "01632 960004", audience="police"),
            contact(team, "missing-children-team", "01632 960005", verification="unverified",
                    verified_at=None, verified_by=None, note=HOSTILE, problems=(problem,)),
            contact(team, "missing-children-team", "01632 960006", verification="suggested",
                    verified_at=None, verified_by=None),
            contact(unit["kent"], "media", "01632 960007", due_at=AT - timedelta(days=1)),
            contact(team, "missing-children-team", "team@kent.example.org", channel="email",
                    bounced_at=AT),
            contact(unit["kent"], "general", "https://kent.example.org", channel="web"),
            contact(unit["kent/control-room"], "control-room", "01632 960099", status="exercise"),
        ],
    )  # fmt: skip


class Parsed(HTMLParser):
    """The elements of a file, its text, and what its scripts read."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(file)
        found = re.search(r'<script type="application/json" id="data">(.*?)</script>', file, re.S)
        assert found is not None
        self.data = json.loads(found[1])
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] not in ("script", "style"):
            self.texts.append(data)


@pytest.fixture(scope="module")
def file(snapshot: Snapshot, postcodes: Postcodes) -> str:
    return saved_copy(of_kent(snapshot), postcodes, POLICE, AT)


@pytest.fixture(scope="module")
def parsed(file: str) -> Parsed:
    return Parsed(file)


def place(parsed: Parsed, name: str, kind: str = "district") -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for one in parsed.data["places"] if (one["name"], one["kind"]) == (name, kind)
    )
    return found


def test_nothing_outside_the_file_is_referred_to(file: str, parsed: Parsed) -> None:
    for tag, attributes in parsed.elements:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "audio", "video")
        assert not {"src", "srcset", "action", "style", "onclick", "onerror"} & set(attributes)
        assert re.match(r"(#|tel:|mailto:|$)", attributes.get("href") or ""), attributes
    assert "url(" not in file
    assert "@import" not in file
    assert "fetch(" not in file
    assert "default-src 'none'" in file


def test_what_editors_wrote_is_text_and_never_markup(file: str, parsed: Parsed) -> None:
    assert len([tag for tag, _ in parsed.elements if tag == "script"]) == 3
    assert HOSTILE in parsed.text
    assert "alert(1)</script>" not in file


def test_it_says_when_it_was_saved_for_whom_and_until_when(parsed: Parsed) -> None:
    assert "saved copy of the directory, made at 03:00 GMT on 24 November 2026" in parsed.text
    assert "Fetch a new one from the hub after 03:00 GMT on 1 December 2026" in parsed.text
    assert "Audience: police." in parsed.text
    assert "do not publish it" in parsed.text
    assert parsed.text.index("immediate risk of harm, ring 999") < parsed.text.index("101 connects")
    assert "ask for Kent Police" in parsed.text


@pytest.mark.parametrize(
    ("reader", "tier", "shown", "hidden"),
    [
        (PUBLIC, "Audience: public.", {"960001"}, {"960003", "960004", "960099"}),
        (PROFESSIONAL, "Audience: professional.", {"960001", "960003"}, {"960004", "960099"}),
        (POLICE, "Audience: police.", {"960001", "960003", "960004"}, {"960099"}),
        (replace(POLICE, status="exercise"), "EXERCISE EXERCISE", {"960099"}, {"960001"}),
    ],
)
def test_each_reader_gets_what_they_may_see(
    snapshot: Snapshot, postcodes: Postcodes, reader: Reader, tier: str,
    shown: set[str], hidden: set[str],
) -> None:  # fmt: skip
    found = saved_copy(of_kent(snapshot), postcodes, reader, AT)
    assert tier in found
    assert ("EXERCISE –" in found) == (reader.status == "exercise")
    assert all(f"01632 {number}" in found for number in shown)
    assert not any(number in found for number in hidden)


def test_every_contact_is_there_once_with_how_far_to_trust_it(
    snapshot: Snapshot, file: str, parsed: Parsed
) -> None:
    actual = [
        one
        for found in of_kent(snapshot).contacts.values()
        for one in found
        if one.status == "actual"
    ]
    numbers = {attributes["id"] for tag, attributes in parsed.elements if tag == "li"
               and (attributes.get("id") or "").startswith("c")}  # fmt: skip
    assert len(numbers) == len(actual)
    lines = {value: " ".join(rest.split()) for _, value, rest in LINE.findall(file)}
    assert "Verified 03:00 GMT on 14 November 2026 by EXERCISE Editor." in lines["01632 960001"]
    assert "Monday to Friday 08:00 to 16:00; closed on bank holidays." in lines["01632 960002"]
    assert "<strong>UNVERIFIED</strong>; source: the test, 2026-11-01" in lines["01632 960005"]
    assert "1 person has reported 01632 960005 as wrong since Friday" in lines["01632 960005"]
    assert "<strong>SUGGESTED, UNVERIFIED</strong>" in lines["01632 960006"]
    assert "overdue for verification" in lines["01632 960007"]
    assert "came back" in lines["team@kent.example.org"]
    assert "https://kent.example.org" in lines
    assert "UNVERIFIED" not in lines["101"]


def test_the_order_is_the_ladders_at_any_hour(
    snapshot: Snapshot, postcodes: Postcodes, file: str, parsed: Parsed
) -> None:
    lookup = Lookup(of_kent(snapshot), postcodes)
    value = {int(number): value for number, value, _ in LINE.findall(file)}
    for name, code in (("Canterbury", "E07000106"), ("Hackney", "E09000012")):
        ladders = [parsed.data["ladders"][number][0] for number in place(parsed, name)["ladders"]]
        for hours in range(0, 24 * 7, 9):
            at = AT + timedelta(hours=hours)
            answer = lookup.answer(Asked(local_authority=code), NEEDS, POLICE, at)
            assert isinstance(answer, Answer)
            for need, items in zip(NEEDS, ladders, strict=True):
                one = answer.ladders[need]
                climbed = [
                    rung.value
                    for rung in (*one.rungs, *one.write_to)
                    if rung.value and (rung.purpose, rung.value) != ("control-room", "101")
                ]
                assert [value[item] for item in items] == climbed


def test_a_step_that_nothing_is_on_record_for_is_named(parsed: Parsed) -> None:
    ladders = [parsed.data["ladders"][number] for number in place(parsed, "Hackney")["ladders"]]
    assert "Control room" in ladders[0][1]
    assert "Missing-children team" in ladders[1][1]
    kent = [parsed.data["ladders"][number] for number in place(parsed, "Canterbury")["ladders"]]
    assert "Control room" not in kent[0][1]


def test_a_service_without_a_number_has_999_and_ukmpu(parsed: Parsed) -> None:
    number = place(parsed, "Guernsey Police", "force")["ladders"][0]
    items = parsed.data["ladders"][number][0]
    assert items[0][0] == "999"
    assert "no number is on record" in items[0][1]
    assert len(items) == 2


def test_every_district_force_and_unit_can_be_found(snapshot: Snapshot, parsed: Parsed) -> None:
    places = parsed.data["places"]
    kinds = [one["kind"] for one in places]
    assert kinds.count("district") == 318
    assert kinds.count("force") == 51
    units = [unit for unit in snapshot.units.values() if unit.kind == "bcu"]
    assert kinds.count("unit") >= len(units)
    for one in places:
        assert one["sections"]
        assert one["names"]
        if one["kind"] in ("district", "force"):
            assert len(one["ladders"]) == len(NEEDS)
    assert "caerdydd" in place(parsed, "Cardiff")["names"]
    assert "gmp" in place(parsed, "Greater Manchester Police", "force")["names"]


@pytest.mark.parametrize(
    ("outcode", "first"),
    [("CT1", "Canterbury"), ("SW1A", "Westminster"), ("EH1", "Police Scotland"),
     ("JE2", "States of Jersey Police"), ("BT1", "Police Service of Northern Ireland")],
)  # fmt: skip
def test_an_outward_code_leads_to_its_districts(parsed: Parsed, outcode: str, first: str) -> None:
    found = [parsed.data["places"][number] for number in parsed.data["outcodes"][outcode]]
    assert found[0]["name"] == first


def test_a_full_directory_is_under_a_megabyte_and_a_half(
    snapshot: Snapshot, postcodes: Postcodes
) -> None:
    wanted = {
        "force": ("switchboard-from-outside", "duty-inspector", "coordinator", "media", "general"),
        "bcu": ("duty-inspector", "placement", "meeting"),
        "control-room": ("control-room",),
        "missing-children-team": ("missing-children-team", "missing-children-team"),
        "childrens-social-care": ("childrens-social-care", "mash"),
        "edt": ("edt",),
    }
    contacts = [
        contact(unit, purpose, f"01632 96{number:04}", hours=Hours(OFFICE), note="A note " * 8)
        for unit in snapshot.units.values()
        for number, purpose in enumerate(wanted.get(unit.kind, ()))
    ]
    assert len(contacts) > 1_300
    file = saved_copy(having(snapshot, contacts), postcodes, POLICE, AT)
    assert len(file.encode()) < 1_500_000


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (Hours(), "at all times"),
        (Hours([]), "closed"),
        (Hours(OFFICE, "closed"), "Monday to Friday 08:00 to 16:00; closed on bank holidays"),
        (
            Hours(OFFICE, "as-weekday", [
                {"date": "2026-12-24", "spans": []},
                {"date": "2026-12-31", "spans": [{"opens": "10:00", "closes": "12:00"}]},
                {"date": "2026-11-01", "spans": []},
            ]),
            "Monday to Friday 08:00 to 16:00; 24 December 2026 closed;"
            " 31 December 2026 10:00 to 12:00",
        ),
    ],
)  # fmt: skip
def test_hours_are_said_as_people_say_them(hours: Hours, words: str) -> None:
    assert hours_in_words(hours, date(2026, 11, 24)) == words
