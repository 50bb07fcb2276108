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
    act(met, "Record the report")
    act(met, "Record the report: my unit leads")
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


def test_a_refused_report_says_on_one_screen_who_why_what_to_do_and_whom_to_ring(
    sign_in: SignIn, checked: list[str]
) -> None:
    worker, met = sign_in(cast.SOCIAL_WORKER), sign_in(cast.MET_OFFICER)
    reference = report_to_the_met(worker)
    _from_inbox(met, reference, "Record the report")
    act(met, "Do not accept the report")
    met.get_by_label("Does not meet the definition of missing").check()
    met.get_by_label("Explain it to the reporter").fill("EXERCISE. Late, and known to be safe.")
    met.get_by_label("What would change the decision").fill("EXERCISE. Not back by midnight.")
    act(met, "Send to the reporter")
    checked += faults(met)

    worker.set_viewport_size({"width": 320, "height": 900})
    worker.goto(f"/cases/{reference}")
    box = worker.get_by_role("region", name="Police have not accepted this report")
    for words in ("PC Daniel Okafor, 1482CN, Central North", "Does not meet the definition",
                  "EXERCISE. Late, and known to be safe.", "EXERCISE. Not back by midnight.",
                  "Nobody leads.", "ring 999"):  # fmt: skip
        expect(box).to_contain_text(words)
    expect(box.locator(".hub-number").first).to_be_visible()
    checked += faults(worker)
    act(worker, "Ask for a supervisor’s decision")
    checked += faults(worker)
    worker.get_by_label("Why the report should be accepted").fill("EXERCISE. She is 13.")
    act(worker, "Ask the duty inspector")
    expect(box).to_contain_text("A supervisor of Central North is asked to decide")
    checked += faults(worker)

    inspector = sign_in(cast.MET_INSPECTOR)
    _from_inbox(inspector, reference, "Decide on the report, as supervisor")
    checked += faults(inspector)
    act(worker, "Add information")
    checked += faults(worker)
    worker.get_by_label("What happened, or what is new").fill("EXERCISE. Not back.")
    act(worker, "Add information")
    expect(worker.get_by_text("The police do not have this until someone answers")).to_be_visible()
    inspector.goto(f"/cases/{reference}")
    act(inspector, "Record the report")
    act(inspector, "Record the report: my unit leads")
    assert lead_of(inspector) == "Central North"
    act(inspector, "End an episode that was recorded in error")
    checked += faults(inspector)
    inspector.get_by_label("The child was never missing").check()
    inspector.get_by_label("Explain it").fill("EXERCISE. She was in her room.")
    inspector.get_by_label("Authorised by, besides you: name").fill("Ruth Adeyemi")
    act(inspector, "End the episode: it was recorded in error")
    expect(inspector.get_by_role("alert")).to_contain_text("A second person authorises this")
    inspector.get_by_label("Authorised by, besides you: name").fill("Chief Inspector Bell")
    act(inspector, "End the episode: it was recorded in error")
    expect(inspector.get_by_text("The last episode was recorded in error")).to_be_visible()
    checked += faults(inspector)
