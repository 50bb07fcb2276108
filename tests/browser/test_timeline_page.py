"""The timeline without scripts: a picture in a box of its own, the same as a table, no fault of axe."""

from playwright.sync_api import expect

from seed import cast
from tests.browser.steps import SignIn, offer, recorded_by
from tests.browser.test_case_pages import faults


def test_the_picture_and_its_table(sign_in: SignIn) -> None:
    page = sign_in(cast.MET_OFFICER, js=False)
    ref = recorded_by(page)
    offer(page, "kent", "East Kent")
    page.get_by_role("link", name="Timeline, as a picture and a table").click()
    expect(page.get_by_role("img").first).to_be_visible()
    rows = page.get_by_role("row").all_inner_texts()
    assert any("Lead offered by" in row and "goes on" in row and "GMT" in row for row in rows)
    kent = sign_in(cast.KENT_OFFICER)
    found: list[str] = []
    for where in ("timeline", "pack"):
        kent.goto(f"/cases/{ref}/{where}")
        expect(kent.get_by_role("heading", level=1)).to_be_visible()
        found += faults(kent)
    kent.goto("/inbox")
    kent.get_by_role("link", name="Skip to “Needs your answer”").press("Enter")
    kent.keyboard.press("Tab")
    kent.keyboard.press("Tab")
    expect(kent.locator("section[aria-labelledby=mine] .hub-rows a").first).to_be_focused()
    assert found + faults(kent) == []
