"""The pages that need no account: whom to call by keyboard alone, and nothing that axe finds."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from seed import cast
from tests.browser.steps import SignIn
from tests.browser.test_case_pages import faults

PATHS = (
    "/",
    "/?q=sw1a+1aa",
    "/?q=hackny",
    "/?q=zz9+9zz",
    "/?q=EH1+1YZ",
    "/?q=richmond",
    "/?q=kent&need=placement",
    "/?q=kent&need=child-social-care",
    "/?q=kent&at=2026-12-25T03:00",
    "/?q=kent&at=never",
    "/sign-in",
    "/accessibility",
    "/privacy",
    "/api/v1/docs",
    "/nothing-here",
)


@pytest.fixture
def visitor(hub_url: str, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(base_url=hub_url)
    yield context.new_page()
    context.close()


def test_axe_finds_nothing_on_open_pages(visitor: Page) -> None:
    found: list[str] = []
    for path in PATHS:
        visitor.goto(path)
        found += faults(visitor)
    visitor.goto("/?q=kent/east")
    visitor.get_by_role("link", name="East Kent", exact=True).first.click()
    found += faults(visitor)
    assert found == []


def test_axe_finds_nothing_on_an_account_and_a_unit_in_an_exercise(sign_in: SignIn) -> None:
    page = sign_in(cast.KENT_OFFICER)
    found: list[str] = []
    for path in ("/", "/?q=ct1+2rb", "/account", "/nothing-here"):
        page.goto(path)
        expect(page.get_by_text("EXERCISE EXERCISE EXERCISE")).to_be_visible()
        found += faults(page)
    page.goto("/?q=kent/east")
    page.get_by_role("link", name="East Kent", exact=True).first.click()
    found += faults(page)
    assert found == []


def test_whom_to_call_by_keyboard(visitor: Page) -> None:
    visitor.goto("/")
    expect(visitor.locator("#q")).to_be_focused()
    visitor.keyboard.type("ct1 2rb")
    visitor.keyboard.press("Enter")
    expect(visitor.get_by_role("heading", name="To report a child missing now")).to_be_visible()
    number = visitor.locator(".dir-number").first
    expect(number).to_have_text("101")
    expect(number).to_have_attribute("href", "tel:101")
    expect(visitor.get_by_text("ask for Kent Police").first).to_be_visible()


def test_open_pages_and_the_account_work_without_scripts(
    hub_url: str, chromium: Browser, sign_in: SignIn
) -> None:
    context = chromium.new_context(base_url=hub_url, java_script_enabled=False)
    visitor = context.new_page()
    visitor.goto("/")
    visitor.locator("#q").fill("hackny")
    visitor.keyboard.press("Enter")
    expect(visitor.get_by_role("heading", name="To report a child missing now")).to_be_visible()
    context.close()
    page = sign_in(cast.KENT_OFFICER, js=False)
    page.goto("/account")
    page.locator("#current").fill("wrong")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("button", name="Sign out").first.click()
    page.goto("/account")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
