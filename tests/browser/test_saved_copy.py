"""The saved copy in a browser with no network: searched by keyboard, and right by its own clock."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from directory.hours import Hours, opens_at
from directory.ladder import Reader
from directory.postcodes import Postcodes
from directory.saved_copy import saved_copy
from directory.snapshot import Snapshot
from hub.clock import utcnow
from hub.db import Database
from tests.browser.test_case_pages import faults
from tests.conftest import TestServers
from tests.directories import read
from tests.unit.test_saved_copy import AT, POLICE, contact, having, of_kent

Open = Callable[..., Page]
MONDAY_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
SPANS: list[dict[str, Any]] = [
    {"days": [1, 2, 3, 4, 5, 6, 7], "opens": "00:00", "closes": "24:00"},
    {"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "16:00"},
    {"days": [1, 3], "opens": "13:30", "closes": "17:00"},
    {"days": [6, 7], "opens": "22:00", "closes": "06:00"},
    {"days": [7], "opens": "01:30", "closes": "01:45"},
    {"days": [6], "opens": "20:00", "closes": "01:30"},
]


@pytest.fixture(scope="module")
def snapshot(servers: TestServers, template: str) -> Snapshot:
    database = Database(servers.database(servers.app_url, template))
    try:
        return of_kent(read(database, utcnow()))
    finally:
        database.dispose()


@pytest.fixture
def opened(
    snapshot: Snapshot, postcodes: Postcodes, chromium: Browser, tmp_path: Path
) -> Iterator[Open]:
    """Return a function that opens a copy from the disk, offline, at a moment."""
    contexts = []

    def open_(
        at: datetime = AT, *, js: bool = True, reader: Reader = POLICE, of: Snapshot = snapshot
    ) -> Page:
        path = tmp_path / "copy.html"
        path.write_text(saved_copy(of, postcodes, reader, AT), encoding="utf-8")
        context = chromium.new_context(
            offline=True, java_script_enabled=js, timezone_id="America/New_York"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.clock.set_fixed_time(at)
        page.goto(path.as_uri())
        return page

    asked: list[str] = []
    errors: list[str] = []
    yield open_
    for context in contexts:
        context.close()
    assert errors == []
    assert all(url.startswith("file:") for url in asked)


def search(page: Page, text: str) -> None:
    page.locator("#q").fill(text)
    page.keyboard.press("Enter")


def test_a_search_by_keyboard_shows_numbers_and_what_is_open(opened: Open) -> None:
    page = opened()
    page.keyboard.type("cantrbury")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Canterbury", exact=True)).to_be_focused()
    answer = page.locator("#answer")
    first = answer.locator("ol").first.locator("li")
    expect(first.first).to_contain_text("01632 960001 OPEN NOW Control room")
    expect(first.first.get_by_role("link")).to_have_attribute("href", "tel:01632960001")
    team = answer.locator("ol").nth(1).locator("li").first
    expect(team).to_contain_text("01632 960002 CLOSED, opens Tuesday 08:00")
    expect(answer.get_by_text("UNVERIFIED", exact=True).first).to_be_visible()
    expect(answer.get_by_text("where you are; ask for Kent Police").first).to_be_visible()
    page.clock.set_fixed_time(MONDAY_NOON)
    search(page, "Canterbury")
    expect(team).to_contain_text("01632 960002 OPEN NOW")


@pytest.mark.parametrize(
    ("typed", "heading"),
    [
        ("ct1 2rb", "Canterbury"),
        ("CT12RB", "Canterbury"),
        ("kent", "Kent Police"),
        ("the met", "Metropolitan Police Service"),
        ("Caerdydd", "Cardiff"),
        ("hackney council", "Hackney"),
        ("east kent", "East Kent"),
        ("EH1 1YZ", "Police Scotland"),
        ("surrey county council", "Surrey"),
        ("dvon cornwal", "Devon & Cornwall Police"),
    ],
)
def test_what_people_type_is_found(opened: Open, typed: str, heading: str) -> None:
    page = opened()
    search(page, typed)
    expect(page.locator("#answer h2")).to_have_text(heading)


def test_where_several_are_meant_the_reader_chooses_by_keyboard(opened: Open) -> None:
    page = opened()
    search(page, "SW1A 1AA")
    expect(page.get_by_text("it spans districts: choose")).to_be_visible()
    expect(page.locator("#answer h2")).to_have_count(0)
    expect(page.get_by_role("button", name="Westminster")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#answer h2")).to_have_text("Westminster")
    for typed, words in (("zzzzzz", "Nothing in this copy"), ("ZZ9 9ZZ", "does not know this")):
        search(page, typed)
        expect(page.get_by_text(words)).to_be_visible()


def test_it_says_that_it_is_stale_and_that_the_clock_is_wrong(opened: Open) -> None:
    page = opened(AT + timedelta(days=7))
    alert = page.locator("#stale")
    expect(alert).to_be_hidden()
    page = opened(AT + timedelta(days=7, seconds=1))
    expect(page.locator("#stale")).to_contain_text("STALE")
    page = opened(AT - timedelta(hours=1))
    expect(page.locator("#stale")).to_contain_text("clock of this computer")


def test_axe_finds_nothing(opened: Open) -> None:
    page = opened(AT + timedelta(days=8))
    found = faults(page)
    search(page, "Canterbury")
    found += faults(page)
    search(page, "SW1A")
    found += faults(page)
    found += faults(opened(reader=Reader(POLICE.audiences, "exercise")))
    assert found == []


def test_without_scripts_everything_is_a_plain_list_with_contents(opened: Open) -> None:
    page = opened(js=False)
    expect(page.locator("#search")).to_be_hidden()
    expect(page.get_by_text("Scripts are off")).to_be_visible()
    page.get_by_role("link", name="Kent Police").first.click()
    assert "#s" in page.url
    for number in range(1, 8):
        expect(page.get_by_text(f"01632 96000{number}", exact=True)).to_be_visible()
    expect(page.get_by_text("Monday to Friday 08:00 to 16:00")).to_be_visible()


def test_an_exercise_is_marked_in_words(opened: Open) -> None:
    page = opened(reader=Reader(POLICE.audiences, "exercise"))
    assert page.title().startswith("EXERCISE – ")
    expect(page.get_by_text("EXERCISE EXERCISE EXERCISE")).to_be_visible()
    search(page, "Canterbury")
    expect(page.locator("#answer li").first).to_contain_text("01632 960099 OPEN NOW EXERCISE")


def test_open_is_what_the_hub_says_is_open(opened: Open, snapshot: Snapshot) -> None:
    draw = random.Random(43)
    unit = snapshot.by_code["kent"]
    every = [
        Hours(weekly, rule, exceptions)
        for weekly in (None, [], SPANS[1:3], *([span] for span in SPANS), SPANS[3:])
        for rule in ("as-weekday", "as-sunday", "closed")
        for exceptions in (
            [],
            [{"date": "2026-12-24", "spans": [{"opens": "10:00", "closes": "02:00"}]}],
            [{"date": "2027-01-05", "spans": []}],
        )
    ]
    contacts = [
        contact(unit, "media", f"01632 960{at + 100}", hours=hours)
        for at, hours in enumerate(every)
    ]
    page = opened(of=having(snapshot, contacts))
    changes = [datetime(2027, 3, 28, tzinfo=UTC), datetime(2027, 10, 31, tzinfo=UTC),
               datetime(2026, 12, 24, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)]  # fmt: skip
    moments = [
        draw.choice(changes) + timedelta(minutes=draw.randrange(-2880, 4320)) for _ in range(40)
    ]
    moments += [one + timedelta(minutes=at) for one in changes[:2] for at in range(0, 240, 15)]
    found = page.evaluate(
        """([values, moments]) => values.map((value) => {
          const line = [...document.querySelectorAll("[data-clock]")]
            .find((one) => one.querySelector(".value").textContent === value);
          const hours = data.hours[Number(line.dataset.clock)];
          return moments.map((at) => opensAt(hours, at));
        })""",
        [[one.value for one in contacts], [int(at.timestamp() * 1000) for at in moments]],
    )
    for hours, said in zip(every, found, strict=True):
        for at, opens in zip(moments, said, strict=True):
            expected = opens_at(hours, at)
            assert opens == (expected and int(expected.timestamp() * 1000)), (hours, at)
