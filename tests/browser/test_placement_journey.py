"""From placement to plan to lead: Islington places a child in Margate, and Kent finds them gone."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from hub.clock import utcnow
from seed import cast
from tests.browser.steps import SignIn, act, choose_unit, fill_report, lead_of
from tests.browser.test_case_pages import faults


@pytest.fixture
def checked() -> Iterator[list[str]]:
    """Collect the faults of every page walked, and fail at the end with all of them."""
    found: list[str] = []
    yield found
    assert found == []


def _fill_day(page: Page, name: str, days: int) -> None:
    day = utcnow().date() + timedelta(days=days)
    group = page.get_by_role("group", name=name)
    for part, value in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
        group.get_by_label(part).fill(str(value))


def _open(page: Page, reference: str) -> None:
    page.goto("/inbox")
    page.locator(".hub-row").filter(has_text=reference).get_by_role("link").first.click()


def test_a_placement_a_plan_and_the_lead_that_comes_by_it(
    sign_in: SignIn, checked: list[str]
) -> None:
    worker = sign_in(cast.SOCIAL_WORKER, js=False)
    worker.goto("/cases")
    act(worker, "Tell police of a placement")
    worker.get_by_label("Given name").fill("Robin")
    worker.get_by_label("Age in years").fill("13")
    worker.get_by_label("Address of the placement").fill("EXERCISE House")
    worker.get_by_label("Postcode of the placement").fill("EH1 1YZ")
    _fill_day(worker, "First day of the placement", 0)
    worker.get_by_label("Social worker’s telephone").fill("020 7946 0201")
    act(worker, "Tell police of the placement")
    expect(worker.get_by_role("alert")).to_contain_text("Choose the police unit")
    assert worker.get_by_label("Given name").input_value() == "Robin"
    act(worker, "Choose the police unit of the address by hand")
    choose_unit(worker, "Canterbury", "East Kent")
    expect(worker.locator("[name=destination_unit]")).to_have_value("kent/east")
    assert worker.get_by_label("Given name").input_value() == "Robin"
    worker.locator("[name=destination_unit]").fill("")
    worker.get_by_label("Postcode of the placement").fill("CT9 1EZ")
    act(worker, "Tell police of the placement")
    reference = worker.url.rsplit("/", 1)[-1]
    expect(worker.get_by_text("from Central North to East Kent")).to_be_visible()
    expect(worker.get_by_text("Told on time")).to_be_visible()
    expect(worker.get_by_role("heading", name="Ring Kent", exact=False)).to_be_visible()

    met, kent = sign_in(cast.MET_OFFICER), sign_in(cast.KENT_OFFICER)
    _open(met, reference)
    checked += faults(met)
    act(met, "Propose a plan: Central North leads")
    expect(met.get_by_label("Which unit leads")).to_have_value("metropolitan/central-north")
    checked += faults(met)
    met.get_by_label("First actions of the home side").fill("EXERCISE. Search the family home.")
    met.get_by_label("First actions of the destination side").fill("EXERCISE. Search the pier.")
    met.get_by_label("Whom to ring in hours").fill("EXERCISE 020 7946 0101")
    met.get_by_label("Whom to ring out of hours").fill("EXERCISE 020 7946 0102")
    _fill_day(met, "Review date", 30)
    act(met, "Propose the plan")
    _open(kent, reference)
    expect(kent.get_by_text("Until it is agreed it is not in force.")).to_be_visible()
    act(kent, "Agree or decline the plan")
    kent.get_by_label("We agree").check()
    checked += faults(kent)
    act(kent, "Send the answer")
    expect(kent.get_by_text("In force", exact=True)).to_be_visible()
    act(kent, "Record the report")
    assert kent.get_by_label("Given name").input_value() == "Robin", "nothing is typed twice"
    fill_report(kent)
    act(kent, "Record the report: my unit leads")
    assert lead_of(kent) == "East Kent"
    expect(kent.get_by_text("The agreed plan names Central North to lead")).to_be_visible()
    expect(kent.get_by_text("EXERCISE. Search the pier.").first).to_be_visible()
    checked += faults(kent)
    kent.get_by_role("link", name="The plan on one page").click()
    expect(kent.get_by_text("EXERCISE. Search the family home.")).to_be_visible()
    expect(kent.get_by_role("heading", name="Now at Central North")).to_be_visible()
    checked += faults(kent)
    _open(met, reference)
    act(met, "Accept the lead")
    act(met, "Accept the lead now")
    assert lead_of(met) == "Central North"
    expect(met.get_by_text("under the agreed joint response plan").first).to_be_visible()

    worker.goto("/cases/placement")
    essex = sign_in(cast.ESSEX_OFFICER)
    essex.goto("/cases/new")
    fill_report(essex)
    essex.get_by_label("Reference of the child’s placement").fill("EX-2222-2222")
    act(essex, "Record the report: my unit leads")
    expect(essex.get_by_role("alert")).to_contain_text("There is no such placement reference")
    checked += faults(essex)
    assert essex.goto(f"/cases/{reference}/plan").status == 404  # type: ignore[union-attr]
