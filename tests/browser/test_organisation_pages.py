"""An organisation kept in a browser: seen, changed with a reason, refused in words, put back."""

from playwright.sync_api import Browser, expect

from hub.clock import utcnow
from hub.db import Database
from hub.identity import people
from hub.records import audit
from tests.browser.steps import act
from tests.browser.test_case_pages import faults

EMAIL, PASSWORD = "keeper@example.org", "three words of it"


def test_an_organisation_is_kept_without_a_mouse_or_a_fault(
    hub_url: str, chromium: Browser, database: Database
) -> None:
    with database.unit_of_work() as session:
        people.add_person_with_membership(
            session, audit.Who("system", name="test"), email=EMAIL, name="EXERCISE Keeper",
            organisation="npcc", unit="npcc/missing-persons", role="national-administrator",
            status="actual", password=PASSWORD, now=utcnow(),
        )  # fmt: skip
    context = chromium.new_context(base_url=hub_url)
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: not url.endswith("/sign-in"))
    page.goto("/directory/organisations/essex")
    found = []
    expect(page.get_by_role("heading", name="Essex Police")).to_be_visible()
    found += faults(page)
    page.get_by_role("link", name="Change this organisation").click()
    found += faults(page)
    page.get_by_label("Part of (optional)").fill("Kent Police")
    page.get_by_label("From which day it is no more").fill("2030-04-01")
    act(page, "Save")
    expect(page.get_by_role("alert")).to_contain_text("It has units on that day")
    found += faults(page)
    page.get_by_role("alert").get_by_role("link").first.click()
    page.get_by_label("From which day it is no more").fill("")
    page.get_by_label("Why do you change this?").fill("EXERCISE")
    act(page, "Save")
    expect(page.get_by_role("link", name="Kent Police")).to_be_visible()
    page.get_by_role("link", name="History").click()
    page.get_by_text("Put back what was before").first.click()
    found += faults(page)
    page.get_by_label("Why do you put it back?").first.fill("EXERCISE: it never was")
    act(page, "Put it back")
    expect(page.get_by_role("link", name="Kent Police")).to_have_count(0)
    page.goto("/directory/forces/kent/planned")
    found += faults(page)
    context.close()
    assert found == []
