"""Every page of a case: nothing that axe finds, no sideways scrolling at 320 px, no script needed."""

import re
from collections.abc import Iterator
from importlib.resources import files

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from hub.db import Database
from hub.records.keys import Keys
from messaging import guest_secrets
from messaging.guest_model import GuestLink
from seed import cast
from tests.browser.steps import (
    SignIn,
    act,
    attach_signed_reply,
    fill_report,
    lead_of,
    offer,
    recorded_by,
    report_to_the_met,
)

AXE = files("hub.web").joinpath("static/build/dev/axe.min.js").read_text()
VIOLATIONS = """axe.run(document, {resultTypes: ["violations"], selectors: false}).then(found =>
    found.violations.map(violation => `${violation.id}: ${violation.nodes[0].html}`))"""
"""Every rule; the rest of the report, about what passes, is long and nobody reads it."""


def faults(page: Page) -> list[str]:
    """Return what axe finds on a page, wide and narrow, and where it scrolls sideways."""
    found = []
    page.wait_for_load_state()
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate("typeof axe === 'undefined'"):
            page.evaluate(AXE)
        found += [f"{page.url} at {width}: {fault}" for fault in page.evaluate(VIOLATIONS)]
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            found.append(f"{page.url} at {width}: scrolls sideways")
    page.set_viewport_size({"width": 1280, "height": 900})
    return found


@pytest.fixture
def checked() -> Iterator[list[str]]:
    """Collect the faults of every page walked, and fail at the end with all of them."""
    found: list[str] = []
    yield found
    assert found == []


def test_axe_finds_nothing_on_a_practitioners_pages(sign_in: SignIn, checked: list[str]) -> None:
    worker = sign_in(cast.SOCIAL_WORKER)
    for path in (
        "/inbox", "/cases", "/cases?show=closed", "/cases/drafts", "/cases/new", "/cases/placement",
        "/cases/placement?q=Canterbury",
    ):  # fmt: skip
        worker.goto(path)
        checked += faults(worker)
    worker.goto("/cases/new?q=zzzzzzzz")
    checked += faults(worker)
    worker.goto("/cases/new?q=Camden")
    checked += faults(worker)
    worker.get_by_role("link", name="Central North", exact=True).first.click()
    checked += faults(worker)
    act(worker, "Send the report")
    checked += faults(worker)
    worker.goto("/cases/drafts")
    checked += faults(worker)
    report_to_the_met(worker)
    checked += faults(worker)
    act(worker, "Record the call")
    checked += faults(worker)
    worker.go_back()
    worker.get_by_role("link", name="What to say, and a print of it").click()
    checked += faults(worker)
    worker.goto(worker.url.rpartition("/script")[0] + "/looks")
    checked += faults(worker)


def test_axe_finds_nothing_on_an_officers_pages(sign_in: SignIn, checked: list[str]) -> None:
    met = sign_in(cast.MET_OFFICER)
    reference = recorded_by(met)
    case = met.url
    for message_type in ("update", "located", "lead-transfer-request", "lead-transfer-accept",
                         "lead-transfer-decline", "lead-transfer-withdraw", "located-confirm",
                         "located-refuse", "closure", "report-not-accepted",
                         "telephone-record"):  # fmt: skip
        met.goto(f"{case}/send/{message_type}")
        checked += faults(met)
    met.goto(f"{case}/send/lead-transfer-request?q=Exeter")
    checked += faults(met)
    met.goto(case)
    offer(met, "Exeter", "Devon & Cornwall Police")
    act(met, "Send a guest link to missing@devon-cornwall.example.org")
    checked += faults(met)
    met.get_by_role("link", name="Attach a signed reply").click()
    checked += faults(met)
    act(met, "Attach, and ask a supervisor")
    checked += faults(met)
    attach_signed_reply(met)
    met.get_by_role("link", name="Look at it").click()
    checked += faults(met)
    inspector = sign_in(cast.MET_INSPECTOR)
    inspector.goto(met.url)
    checked += faults(inspector)
    act(inspector, "Authorise: it takes effect")
    met.reload()
    checked += faults(met)
    met.goto("/inbox")
    checked += faults(met)
    inspector.goto(f"/cases/{reference}")
    checked += faults(inspector)


def test_axe_finds_nothing_on_a_guests_pages(
    sign_in: SignIn, chromium: Browser, hub_url: str, database: Database, keys: Keys,
    checked: list[str],
) -> None:  # fmt: skip
    met = sign_in(cast.MET_OFFICER)
    recorded_by(met)
    offer(met, "Exeter", "Devon & Cornwall Police")
    act(met, "Send a guest link to missing@devon-cornwall.example.org")
    code = met.locator(".hub-code").inner_text()[:7]
    with database.unit_of_work() as session:
        link = session.scalars(select(GuestLink).order_by(GuestLink.id.desc())).first()
        assert link is not None
        token = guest_secrets.token(keys, link.id)
    for js in (True, False):
        context = chromium.new_context(base_url=hub_url, java_script_enabled=js)
        guest = context.new_page()
        guest.goto(f"/answer/{token}")
        act(guest, "Read the message")
        expect(guest.get_by_role("alert")).to_be_visible()
        if js:
            checked += faults(guest)
        guest.get_by_label("Your name").fill("Joan Tremayne")
        guest.get_by_label("Collar or staff number").fill("4471")
        guest.get_by_label("Code", exact=True).fill(code)
        act(guest, "Read the message")
        expect(guest.get_by_text("EXERCISE bus stop").first).to_be_visible()
        if js:
            checked += faults(guest)
            act(guest, "Decline the lead")
            checked += faults(guest)
            context.close()
    act(guest, "Accept the lead now")
    expect(guest.get_by_text("The link cannot be used again")).to_be_visible()
    context.close()
    again = chromium.new_context(base_url=hub_url)
    used = again.new_page()
    used.goto(f"/answer/{token}")
    checked += faults(used)
    again.close()
    met.reload()
    assert lead_of(met) == "Devon & Cornwall Police"


def test_a_case_is_carried_through_without_scripts(sign_in: SignIn) -> None:
    met = sign_in(cast.MET_OFFICER, js=False)
    met.goto("/cases/new")
    fill_report(met)
    act(met, "Record the report: my unit leads")
    reference = met.url.rsplit("/", 1)[-1]
    offer(met, "Thanet", "East Kent")
    kent = sign_in(cast.KENT_OFFICER, js=False)
    kent.goto("/inbox")
    kent.locator(".hub-row").filter(has_text=reference).get_by_role("link").first.click()
    act(kent, "Accept the lead")
    act(kent, "Accept the lead now")
    assert lead_of(kent) == "East Kent"


@pytest.mark.parametrize("js", [True, False])
def test_the_page_opens_at_the_row_that_was_asked_for(
    sign_in: SignIn, checked: list[str], js: bool
) -> None:
    met = sign_in(cast.MET_OFFICER, js=js)
    met.goto("/cases/new")
    met.get_by_text("Add more (optional)").click()
    for row in (2, 3):
        met.get_by_role("button", name="Add another to “Identifiers").click()
        one = met.get_by_role("group", name=f"Identifier {row}", exact=True)
        expect(one.get_by_label("System")).to_be_focused()
        expect(one).to_be_in_viewport()
    expect(met.get_by_role("group", name="Identifier 4", exact=True)).to_have_count(0)
    checked += faults(met) if js else []


def test_the_lead_is_accepted_by_keyboard_alone(sign_in: SignIn) -> None:
    met = sign_in(cast.MET_OFFICER)
    reference = recorded_by(met)
    offer(met, "Thanet", "East Kent")
    kent = sign_in(cast.KENT_OFFICER)
    kent.goto(f"/cases/{reference}")
    for name in ("Accept the lead", "Accept the lead now"):
        button = kent.get_by_role("button", name=name, exact=True)
        for _ in range(60):
            if button.evaluate("one => one === document.activeElement"):
                break
            kent.keyboard.press("Tab")
        kent.keyboard.press("Enter")
    expect(kent.locator(".hub-lead__unit")).to_have_text("East Kent")


def test_the_script_prints_what_is_said_and_nothing_else(sign_in: SignIn) -> None:
    met = sign_in(cast.MET_OFFICER)
    recorded_by(met)
    offer(met, "Exeter", "Devon & Cornwall Police")
    met.get_by_role("link", name="What to say, and a print of it").click()
    met.emulate_media(media="print")
    expect(met.get_by_text("This call does not move the lead")).to_be_visible()
    expect(met.get_by_text("Their reference: ____")).to_be_visible()
    expect(met.get_by_role("button", name="Record the call")).to_be_hidden()
    expect(met.get_by_role("navigation", name="Main")).to_be_hidden()


def test_an_exercise_says_so_on_its_pages(sign_in: SignIn) -> None:
    met = sign_in(cast.MET_OFFICER)
    recorded_by(met)
    assert "EXERCISE" in met.title(), "before it too may stand what waits"
    expect(met.get_by_role("region", name="Exercise")).to_be_visible()


def test_a_page_of_a_case_weighs_little(sign_in: SignIn) -> None:
    met = sign_in(cast.MET_OFFICER)
    recorded_by(met)
    weights = "performance.getEntries().reduce((all, one) => all + (one.transferSize || 0), 0)"
    assert met.evaluate(weights) < 100_000
    assert re.search(r"EX-", met.title())
