"""From located to closed and open again: interviews, what is outstanding, reasons (DOMAIN.md 6, 8)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from seed import cast
from tests.browser.steps import SignIn, act, lead_of, report_to_the_met
from tests.browser.test_case_pages import faults


@pytest.fixture
def checked() -> Iterator[list[str]]:
    """Collect the faults of every page walked, and fail at the end with all of them."""
    found: list[str] = []
    yield found
    assert found == []


def _from_inbox(page: Page, reference: str, name: str) -> None:
    page.goto("/inbox")
    page.locator(".hub-row").filter(has_text=reference).get_by_role("link", name=name).click()


def test_located_interviews_closed_and_opened_again(sign_in: SignIn, checked: list[str]) -> None:
    worker, met = sign_in(cast.SOCIAL_WORKER), sign_in(cast.MET_OFFICER)
    reference = report_to_the_met(worker)
    _from_inbox(met, reference, "Record the report")
    act(met, "Record the report: my unit leads")
    act(met, "Record it: my unit leads")
    expect(met.get_by_text("the UK Missing Persons Unit is told")).to_be_visible()
    checked += faults(met)
    act(met, "Say that the child is located")
    met.get_by_label("Who saw the child, face to face").fill("PC Okafor")
    met.get_by_label("Where").fill("EXERCISE station")
    met.get_by_label("Found by police").check()
    act(met, "Send")
    assert lead_of(met) == "Nobody leads"
    checked += faults(met)

    act(met, "Close the case")
    expect(met.get_by_role("heading", name="Before the case can close")).to_be_visible()
    checked += faults(met)
    met.get_by_label("Outcome").fill("EXERCISE. Found well.")
    act(met, "Close the case")
    expect(met.get_by_role("alert")).to_contain_text("The case still owes")
    expect(met.get_by_label("Outcome")).to_have_value("EXERCISE. Found well.")
    checked += faults(met)
    act(met, "Record the prevention interview, or why not")
    expect(met.get_by_label("Was it offered?")).to_have_count(0)
    act(met, "Put the interview on record")
    expect(met.get_by_role("alert")).to_contain_text("Say how it was done")
    checked += faults(met)
    met.get_by_label("Face to face").check()
    met.get_by_label("The child", exact=True).check()
    met.get_by_label("Interviewer").fill("PC Okafor")
    act(met, "Put the interview on record")
    expect(met.get_by_text("Done, and on record")).to_be_visible()
    checked += faults(met)

    _from_inbox(worker, reference, "Record the interview, or why not")
    checked += faults(worker)
    act(worker, "Record the return home interview, or why not")
    checked += faults(worker)
    worker.get_by_role("group", name="Was it offered?").get_by_label("No", exact=True).check()
    act(worker, "Put the interview on record")
    expect(worker.get_by_role("alert")).to_contain_text("Say why it was not done")
    worker.get_by_label("Why it was not done").fill("EXERCISE. Not before Monday.")
    act(worker, "Put the interview on record")
    expect(worker.get_by_text("Not done: the reason is on record")).to_be_visible()
    checked += faults(worker)

    met.goto(f"/cases/{reference}")
    act(met, "Close the case")
    expect(met.get_by_text("Episode 1:")).to_be_visible()
    met.get_by_label("Outcome").fill("EXERCISE. Found well.")
    act(met, "Close the case")
    expect(met.get_by_text("The case is closed. Nobody leads.")).to_be_visible()
    checked += faults(met)
    act(met, "Open the case again")
    met.get_by_label("Why it is opened again").fill("EXERCISE. New information.")
    met.get_by_label("Authorised by").fill("Inspector Adeyemi")
    checked += faults(met)
    act(met, "Open the case again")
    went = met.get_by_role("region", name="How the case went on")
    expect(went).to_contain_text("Case closed")
    expect(went).to_contain_text("Case opened again")
    checked += faults(met)
