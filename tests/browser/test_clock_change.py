"""A form asks which of two times is meant as the clocks go back; nothing that was typed is lost."""

from playwright.sync_api import expect

from seed import cast
from tests.browser.steps import SignIn, recorded_by
from tests.browser.test_case_pages import faults


def test_a_time_that_came_twice_is_asked_about_and_then_taken(sign_in: SignIn) -> None:
    page = sign_in(cast.MET_OFFICER)
    ref = recorded_by(page)
    page.goto(f"/cases/{ref}/send/located")
    page.locator("#f-located_at-date").fill("2025-10-26")
    page.locator("#f-located_at-time").fill("01:30")
    page.get_by_label("Where", exact=True).fill("EXERCISE Road")
    send = page.locator("main form button.govuk-button").last
    send.click()
    which = page.get_by_label("Which of the two")
    expect(which).to_be_visible()
    expect(page.locator("#f-located_at-time")).to_have_value("01:30")
    expect(page.get_by_label("Where", exact=True)).to_have_value("EXERCISE Road")
    assert faults(page) == []
    which.select_option("GMT")
    page.locator("main form button.govuk-button").last.click()
    expect(page.locator("#f-located_at-error")).to_have_count(0)
    expect(which).to_have_value("GMT")
