"""Suggestions in the search box: by keyboard, by touch, said aloud, and never in the way."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import SECONDS
from tests.browser.test_case_pages import faults

MOST_BYTES = 100_000
ANSWERS = re.compile(r"/directory/suggestions\?")


@pytest.fixture
def visitor(hub_url: str, chromium: Browser) -> Iterator[Page]:
    """Open the front page, and fail for whatever the browser refuses or a script throws."""
    context = chromium.new_context(base_url=hub_url)
    context.set_default_timeout(SECONDS)
    page = context.new_page()
    page.request.get("/directory/suggestions?q=kent")  # the first one reads the directory
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto("/")
    expect(page.get_by_role("combobox")).to_be_focused()
    yield page
    context.close()
    assert [one for one in wrong if "404 (NOT FOUND)" not in one] == []


def test_a_suggestion_is_chosen_by_keyboard_and_looked_up_by_its_code(visitor: Page) -> None:
    box = visitor.get_by_role("combobox")
    visitor.keyboard.type("caerd")
    first = visitor.get_by_role("option").first
    expect(first).to_contain_text("Cardiff district, South Wales Police, part of the Welsh name")
    expect(box).to_have_attribute("aria-expanded", "true")
    said = visitor.get_by_role("status").filter(has_text="suggestion")
    expect(said).to_have_text(re.compile(r"^(One suggestion|[2-8] suggestions)\.\s*$"))
    assert faults(visitor) == []
    visitor.keyboard.press("ArrowDown")
    expect(first).to_be_focused()
    expect(visitor.get_by_role("status").filter(has_text="highlighted")).to_contain_text(
        "Cardiff, 1 of"
    )
    assert faults(visitor) == []
    visitor.keyboard.press("Enter")
    visitor.wait_for_url("**/?q=W06000015")
    expect(visitor.get_by_role("heading", name="Cardiff", exact=True)).to_be_visible()


def test_a_suggestion_is_chosen_by_touch_for_the_moment_that_was_asked(visitor: Page) -> None:
    visitor.get_by_text("At another moment").click()
    visitor.get_by_label("Date and time in London").fill("2026-12-25T03:00")
    visitor.get_by_role("combobox").click()
    visitor.keyboard.type("east ke")
    visitor.get_by_role("option").filter(has_text="Kent Police").first.click()
    visitor.wait_for_url("**/?q=kent%2Feast&at=2026-12-25T03%3A00")
    expect(visitor.get_by_text(re.compile(r"^As of .*25 December 2026"))).to_be_visible()


def test_enter_looks_up_what_was_typed_though_suggestions_are_open(visitor: Page) -> None:
    visitor.keyboard.type("hackny")
    expect(visitor.get_by_role("option").first).to_be_visible()
    visitor.keyboard.press("Enter")
    visitor.wait_for_url("**/?q=hackny&at=")
    expect(visitor.get_by_text("Taken to mean Hackney")).to_be_visible()
    expect(visitor.get_by_text("close to “Hackney”")).to_be_visible()
    box = visitor.get_by_role("combobox")
    expect(box).to_have_value("hackny")
    box.click()
    expect(visitor.get_by_role("option").first).to_be_hidden()
    visitor.keyboard.press("End")
    visitor.keyboard.press("Backspace")
    expect(visitor.get_by_role("option").first).to_be_visible()


def test_escape_closes_and_keeps_what_was_typed_and_the_place_in_it(visitor: Page) -> None:
    box = visitor.get_by_role("combobox")
    option = visitor.get_by_role("option").first
    for keys in ((), ("ArrowDown", "ArrowDown")):
        box.fill("")
        visitor.keyboard.type("hack")
        expect(option).to_be_visible()
        for key in keys:
            visitor.keyboard.press(key)
        visitor.keyboard.press("Escape")
        expect(option).to_be_hidden()
        expect(box).to_be_focused()
        expect(box).to_have_value("hack")
    visitor.keyboard.press("Tab")
    expect(visitor.get_by_role("button", name="Find whom to call")).to_be_focused()
    expect(box).to_have_value("hack")


def test_a_postcode_is_typed_undisturbed(visitor: Page) -> None:
    visitor.keyboard.type("ct1 2rb")
    expect(visitor.get_by_role("status").filter(has_text="Press Enter")).to_have_count(1)
    expect(visitor.get_by_role("option")).to_have_count(0)
    visitor.keyboard.press("Enter")
    expect(visitor.get_by_role("heading", name="Canterbury")).to_be_visible()


def test_each_pause_asks_once_and_what_was_asked_before_is_given_up(visitor: Page) -> None:
    held: list[Route] = []
    given_up: list[str] = []
    visitor.on("requestfailed", lambda request: given_up.append(request.url.partition("?")[2]))
    visitor.route(ANSWERS, lambda route: held.append(route))
    for typed, asked in (("wrex", 1), ("ham", 2)):
        visitor.keyboard.type(typed)
        while len(held) < asked:
            visitor.wait_for_timeout(20)
    visitor.keyboard.press("Escape")
    while len(given_up) < 2:
        visitor.wait_for_timeout(20)
    assert [route.request.url.partition("?")[2] for route in held] == ["q=wrex", "q=wrexham"]
    assert given_up == ["q=wrex", "q=wrexham"]
    visitor.unroute(ANSWERS)
    visitor.keyboard.press("Backspace")
    expect(visitor.get_by_role("option").filter(has_text="Wrexham")).to_be_visible()


@pytest.mark.parametrize("status", [429, 503])
def test_where_no_suggestions_come_the_search_goes_on(
    hub_url: str, chromium: Browser, status: int
) -> None:
    context = chromium.new_context(base_url=hub_url)
    page = context.new_page()
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=status, headers={"Retry-After": "60"}, body="")

    page.route(ANSWERS, refuse)
    page.goto("/")
    with page.expect_response(ANSWERS):
        page.keyboard.type("hac")
    page.keyboard.type("kney", delay=60)
    expect(page.get_by_role("status").filter(has_text="Press Enter")).to_have_count(1)
    assert len(asked) == (1 if status == 429 else len(asked))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Hackney")).to_be_visible()
    context.close()


def test_names_are_shown_as_text_and_never_run(visitor: Page) -> None:
    bad = "<img src=x onerror=document.title='run'>"
    body = {"suggestions": [{"code": "x", "name": bad, "about": bad}]}
    visitor.route(ANSWERS, lambda route: route.fulfill(json=body))
    visitor.keyboard.type("bad")
    expect(visitor.get_by_role("option").first).to_have_text(f"{bad} {bad}")
    assert visitor.title() != "run"


def test_an_error_goes_on_describing_the_box(visitor: Page) -> None:
    visitor.keyboard.type("asdkjh qwe")
    visitor.keyboard.press("Enter")
    box = visitor.get_by_role("combobox")
    expect(box).to_have_accessible_description(re.compile("Nothing in the directory has this name"))
    box.fill("")
    box.press_sequentially("ha")
    expect(visitor.get_by_role("option").first).to_be_visible()
    expect(box).to_have_accessible_description(re.compile("Nothing in the directory has this name"))
    assert faults(visitor) == []


def test_without_scripts_the_box_is_plain(hub_url: str, chromium: Browser) -> None:
    context = chromium.new_context(base_url=hub_url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_role("combobox")).to_have_count(0)
    box = page.get_by_role("textbox", name="Postcode, district or council")
    box.fill("south")
    box.press("Enter")
    expect(page.get_by_role("heading", name="Which do you mean?")).to_be_visible()
    page.get_by_role("link", name="South", exact=True).first.click()
    expect(page.get_by_role("heading", name="To report a child missing now")).to_be_visible()
    context.close()


def test_what_was_typed_before_the_script_came_stays(hub_url: str, chromium: Browser) -> None:
    context = chromium.new_context(base_url=hub_url)
    page = context.new_page()
    scripts: list[Route] = []
    page.route("**/suggestions.js*", lambda route: scripts.append(route))
    page.goto("/", wait_until="commit")
    page.locator("#q").wait_for()
    page.locator("#q").focus()
    page.keyboard.type("hack")
    while not scripts:
        page.wait_for_timeout(20)
    scripts[0].continue_()
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("ne")
    expect(page.get_by_role("combobox")).to_have_value("hackne")
    expect(page.get_by_role("option").first).to_contain_text("Hackney")
    context.close()


def test_the_front_page_is_light(hub_url: str, chromium: Browser) -> None:
    """With its assets, compressed, under 100 KB (DESIGN.md 6)."""
    context = chromium.new_context(base_url=hub_url)
    page = context.new_page()
    took = 0

    def weigh(sent: dict[str, float]) -> None:
        nonlocal took
        took += int(sent["encodedDataLength"])

    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", weigh)
    page.goto("/?q=sw1a+1aa", wait_until="networkidle")
    context.close()
    assert 20_000 < took < MOST_BYTES
