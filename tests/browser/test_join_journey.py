"""One child, two forces: contested on both pages, joined with one lead, found again; or told apart."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from seed import cast
from tests.browser.steps import SignIn, act, fill_report, lead_of
from tests.browser.test_case_pages import faults


@pytest.fixture
def checked() -> Iterator[list[str]]:
    """Collect the faults of every page walked, and fail at the end with all of them."""
    found: list[str] = []
    yield found
    assert found == []


def _fill(page: Page, family: str, year: str = "2012") -> None:
    page.goto("/cases/new")
    fill_report(page)
    page.get_by_label("Family name").fill(family)
    born = page.get_by_role("group", name="Date of birth")
    for label, value in (("Day", "27"), ("Month", "3"), ("Year", year)):
        born.get_by_label(label).fill(value)
    act(page, "Record the report: my unit leads")


def _recorded(page: Page, family: str, year: str = "2012") -> str:
    _fill(page, family, year)
    return page.url.rsplit("/", 1)[-1]


def test_two_forces_with_one_child_join_and_find_it_again(
    sign_in: SignIn, checked: list[str]
) -> None:
    met, kent = sign_in(cast.MET_OFFICER), sign_in(cast.KENT_OFFICER, js=False)
    one, other = _recorded(met, "Example-Smith"), _recorded(kent, "smith example")
    expect(kent.get_by_role("heading", name="Contested")).to_be_visible()
    expect(kent.get_by_text("Ring Central North now.")).to_be_visible()
    expect(kent.locator(".hub-state .hub-number").first).to_be_visible()
    expect(kent.get_by_text(one)).to_have_count(0)
    met.goto("/cases")
    expect(met.locator(".hub-row").filter(has_text=one)).to_contain_text("Contested")
    checked += faults(met)
    met.goto("/inbox")
    met.get_by_role("link", name="Another unit may have this child: ring East Kent").click()
    if met.get_by_label("I am working on this child’s case").count():
        met.get_by_label("I am working on this child’s case").check()
        act(met, "Show the case")
    checked += faults(met)
    act(met, "Ask East Kent to join the two episodes")
    expect(
        met.get_by_label("The unit that is asked leads: the other episode ends in its own")
    ).to_be_checked()
    checked += faults(met)
    met.get_by_label("Urgent").check()
    met.get_by_label("Most enquiries are there").check()
    act(met, "Ask to join")
    assert lead_of(met) == "Central North"

    kent.goto(f"/cases/{one}")
    act(kent, "Accept the lead")
    act(kent, "Accept the lead now")
    assert lead_of(kent) == "East Kent"
    expect(kent.get_by_role("heading", name="Contested")).to_have_count(0)
    kent.get_by_role("link", name=f"Earlier conversation under {other}").click()
    expect(kent.get_by_text("This case was joined to another and goes on there")).to_be_visible()
    expect(kent.get_by_text("East Kent leads there.")).to_be_visible()
    expect(kent.get_by_role("heading", name="What you can do now")).to_have_count(0)

    met.goto("/cases")
    met.get_by_label("Find a case", exact=True).fill(one.lower().replace("-", " "))
    act(met, "Find")
    assert met.url.endswith(f"/cases/{one}")
    met.goto("/cases/search?q=nothing")
    expect(met.get_by_text("Your unit is a party of no such case.")).to_be_visible()
    checked += faults(met)
    met.get_by_role("link", name="Find a case by the child’s name").click()
    met.get_by_label("Family name").fill("EXAMPLE SMITH")
    act(met, "Find")
    expect(met.get_by_role("alert")).to_be_visible()
    expect(met.get_by_label("Family name")).to_have_value("EXAMPLE SMITH")
    checked += faults(met)
    met.get_by_label("Why you look").fill("EXERCISE. To find it again.")
    for label, value in (("Day", "27"), ("Month", "3"), ("Year", "2012")):
        met.get_by_label(label).fill(value)
    act(met, "Find")
    expect(met.get_by_role("link", name=one)).to_be_visible()
    assert "SMITH" not in met.url
    checked += faults(met)

    _fill(met, "Example Smith")
    expect(met.get_by_role("alert")).to_contain_text(one)
    checked += faults(met)
    met.get_by_role("link", name=f"Record it in {one} with what you typed").click()
    expect(met.get_by_label("Family name")).to_have_value("Example Smith")


def test_two_children_are_told_apart_by_both_sides(sign_in: SignIn, checked: list[str]) -> None:
    met, kent = sign_in(cast.MET_OFFICER), sign_in(cast.KENT_OFFICER)
    one, other = _recorded(met, "Twin", "2011"), _recorded(kent, "Twin", "2011")
    for page, reference in ((met, one), (kent, other)):
        page.goto(f"/cases/{reference}")
        act(page, "Say that it is another child")
        page.get_by_label("How you know").fill("EXERCISE. We have spoken to both.")
        act(page, "Say that it is another child")
    checked += faults(kent)
    met.goto(f"/cases/{one}")
    expect(met.get_by_role("heading", name="Contested")).to_have_count(0)
