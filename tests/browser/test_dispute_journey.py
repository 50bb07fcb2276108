"""A dispute decided on record: both forces refuse, the coordinator directs, Kent acknowledges."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from seed import cast
from tests.browser.steps import SignIn, act, choose_unit, lead_of, offer, recorded_by
from tests.browser.test_case_pages import faults

BROKEN = r"""[...document.querySelectorAll("dt")].flatMap(key => {
    const text = key.firstChild;
    return [...text.data.matchAll(/\S+/g)].filter(word => {
        const range = document.createRange();
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        return range.getClientRects().length > 1;
    }).map(String);
})"""


def broken_words(page: Page) -> list[str]:
    """Return the words of a page's keys, in summary lists, that are broken at some width."""
    found = []
    for width in (1280, 1000, 700, 320):
        page.set_viewport_size({"width": width, "height": 900})
        found += [f"{word} at {width}" for word in page.evaluate(BROKEN)]
    page.set_viewport_size({"width": 1280, "height": 900})
    return found


@pytest.fixture
def checked() -> Iterator[list[str]]:
    """Collect the faults of every page walked, and fail at the end with all of them."""
    found: list[str] = []
    yield found
    assert found == []


def _open(page: Page, reference: str) -> None:
    page.goto("/inbox")
    page.locator(".hub-row").filter(has_text=reference).get_by_role("link").first.click()


def test_a_dispute_is_directed_and_the_lead_moves_when_it_is_acknowledged(
    sign_in: SignIn, checked: list[str]
) -> None:
    met, kent = sign_in(cast.MET_OFFICER), sign_in(cast.KENT_OFFICER)
    reference = recorded_by(met)
    offer(met, "Canterbury", "East Kent")
    _open(kent, reference)
    assert broken_words(kent) == []
    act(kent, "Decline the lead")
    assert broken_words(kent) == [], "the offer is quoted"
    kent.get_by_label("Most enquiries are not here").check()
    act(kent, "Decline the lead")

    met.goto(f"/cases/{reference}")
    act(met, "Dispute who leads, with East Kent")
    expect(met.get_by_text("To East Kent.")).to_be_visible()
    checked += faults(met)
    act(met, "Send the dispute")
    expect(met.get_by_role("alert")).to_be_visible()
    checked += faults(met)
    met.get_by_label("Your grounds").fill("EXERCISE. The child was seen in Canterbury.")
    act(met, "Send the dispute")
    expect(met.get_by_role("heading", name="Who leads is disputed")).to_be_visible()
    expect(met.get_by_text("Central North disputes it with East Kent")).to_be_visible()
    assert lead_of(met) == "Central North"
    checked += faults(met)

    inspector = sign_in(cast.KENT_INSPECTOR)
    inspector.goto("/inbox")
    expect(inspector.locator(".hub-row").filter(has_text=reference).first).to_be_visible()
    checked += faults(inspector)

    coordinator = sign_in(cast.COORDINATOR)
    coordinator.goto("/inbox")
    checked += faults(coordinator)
    row = coordinator.locator(".hub-row").filter(has_text=reference)
    expect(row).to_contain_text("left")
    row.get_by_role("link", name="Decide who leads").click()
    coordinator.get_by_label("I am to decide who leads").check()
    coordinator.get_by_role("button").last.click()
    expect(coordinator.get_by_text("No adjudicator is on the hub now")).to_have_count(0)
    grounds = coordinator.get_by_text("EXERCISE. The child was seen in Canterbury.")
    expect(grounds.first).to_be_visible()
    checked += faults(coordinator)
    act(coordinator, "Direct that East Kent leads")
    expect(coordinator.get_by_label("Which unit leads")).to_have_value("kent/east")
    checked += faults(coordinator)
    assert broken_words(coordinator) == []
    coordinator.get_by_label("Your reasons").fill("EXERCISE. Most enquiries are in Kent.")
    act(coordinator, "Direct it")
    expect(coordinator.get_by_text("The lead has not moved: Central North leads")).to_be_visible()
    checked += faults(coordinator)

    _open(kent, reference)
    assert lead_of(kent) == "Central North"
    checked += faults(kent)
    act(kent, "Acknowledge the direction: the lead moves")
    expect(kent.get_by_label("Officer who leads")).to_have_value("Tom Hurst")
    checked += faults(kent)
    act(kent, "Acknowledge: the lead moves now")
    met.goto(f"/cases/{reference}")
    assert lead_of(kent) == lead_of(met) == "East Kent"
    expect(met.get_by_text("An adjudicator directed it")).to_have_count(2)
    for path in ("", "/send/direction", "/looks", "/script/5"):
        shown = coordinator.goto(f"/cases/{reference}{path}")
        assert shown is not None
        assert shown.status == 404, path


def test_a_unit_away_is_rung_about_an_enquiry_and_answers_by_a_link(
    sign_in: SignIn, checked: list[str]
) -> None:
    met = sign_in(cast.MET_OFFICER)
    reference = recorded_by(met)
    act(met, "Ask another unit")
    checked += faults(met)
    choose_unit(met, "Devon and Cornwall", "Devon & Cornwall Police")
    met.get_by_label("What you ask").fill("EXERCISE. Is the child at the address?")
    met.get_by_label("Yes").check()
    checked += faults(met)
    act(met, "Ask")
    expect(met.get_by_role("heading", name="Open questions")).to_be_visible()
    expect(met.get_by_role("heading", name="Ring Devon & Cornwall Police")).to_be_visible()
    checked += faults(met)
    met.get_by_role("link", name="What to say, and a print of it").click()
    expect(met.get_by_text("We ask you to answer questions")).to_be_visible()
    expect(met.get_by_text("Robin")).to_have_count(0)
    checked += faults(met)
    act(met, "Record the call")
    met.get_by_label("I told them about this message").check()
    met.get_by_label("Whom you spoke to").fill("Sergeant Pascoe")
    act(met, "Put the call on record")
    expect(met.get_by_text("Told by telephone by")).to_be_visible()
    act(met, "Send a guest link to missing@devon-cornwall.example.org")
    assert re.search(r"\d{3} \d{3}", met.locator(".hub-code").inner_text())
    met.get_by_role("link", name="Attach a signed reply").click()
    expect(met.get_by_label("It refuses to answer")).to_be_visible()
    checked += faults(met)
    met.goto(f"/cases/{reference}")
    act(met, "Hand over to another officer")
    checked += faults(met)
