"""Forces and their state, claims, confirmations and reorganisations: by touch, keyboard, no script."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from directory import links
from hub.clock import utcnow
from hub.db import Database
from hub.organisations import find_organisation, find_unit
from hub.records.keys import Keys
from seed import cast
from tests.browser.steps import SignIn, act
from tests.browser.test_case_pages import faults

FORCE = "devon-and-cornwall"


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
def visitor(hub_url: str, chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = chromium.new_context(base_url=hub_url, java_script_enabled=request.param)
    yield context.new_page()
    context.close()


def mailed(database: Database, keys: Keys, purpose: str, unit: str = "") -> str:
    """Return the path of a link, as if its mail had come."""
    with database.unit_of_work() as session:
        organisation = find_organisation(session, FORCE)
        assert organisation is not None
        found = find_unit(session, unit) if unit else None
        link = links.issue(
            session, keys, purpose=purpose, organisation_id=organisation.id,
            address="team@example.org", sent_by="Gareth Pritchard", now=utcnow(),
            unit_id=found.id if found else None, status="exercise" if found else "actual",
        )  # fmt: skip
        return f"/directory/{purpose}/{links.token(keys, link.id)}"


def test_devon_and_cornwall_is_in_the_directory_minutes_later(
    visitor: Page, database: Database, keys: Keys
) -> None:
    visitor.goto(mailed(database, keys, "claim"))
    visitor.locator("#name").fill("Inspector Joan Tremayne")
    act(visitor, "Start")
    visitor.get_by_role("link", name="Enter your units").click()
    visitor.get_by_label("Name of unit 1").fill("Plymouth")
    visitor.locator("label", has_text="Plymouth").locator("xpath=..").locator(
        "select"
    ).select_option("1")
    act(visitor, "Show what it would do")
    expect(
        visitor.get_by_role("row", name="Plymouth the force as a whole Plymouth")
    ).to_be_visible()
    visitor.get_by_label("Why").fill("Our units")
    visitor.get_by_role("button", name="Put it on record").click()
    team = visitor.get_by_role("group", name="Devon & Cornwall Police the force as a whole")
    team.get_by_label("Telephone of the missing-children team").fill("no number")
    act(visitor, "Save, and finish")
    visitor.get_by_role("alert").get_by_role("link").click()
    visitor.keyboard.press("Control+A")
    visitor.keyboard.type("01632 960301")
    team.get_by_label("Number that reaches").fill("01632 960300")
    act(visitor, "Save, and finish")
    expect(visitor.get_by_text("2 contacts were saved just now")).to_be_visible()
    visitor.goto("/?q=Exeter")
    expect(visitor.get_by_text("01632 960300").first).to_be_visible()


def test_axe_finds_nothing_behind_mailed_links(
    hub_url: str, chromium: Browser, database: Database, keys: Keys
) -> None:
    context = chromium.new_context(base_url=hub_url)
    page = context.new_page()
    found: list[str] = []
    page.goto("/directory/access")
    found += faults(page)
    act(page, "Mail me the link")
    expect(page.get_by_role("alert")).to_be_visible()
    found += faults(page)
    page.get_by_label("Your work e-mail address").fill("somebody@example.org")
    act(page, "Mail me the link")
    expect(page.get_by_role("heading", name="Look at your mailbox")).to_be_visible()
    found += faults(page)
    page.goto("/directory/claim/nothing")
    found += faults(page)
    page.goto(mailed(database, keys, "editor"))
    found += faults(page)
    page.goto(mailed(database, keys, "claim"))
    found += faults(page)
    page.locator("#name").fill("Inspector Joan Tremayne")
    act(page, "Start")
    found += faults(page)
    page.goto(mailed(database, keys, "verify", cast.DEVON_AND_CORNWALL_TEAM))
    expect(page.get_by_text("01632 960301")).to_be_visible()
    found += faults(page)
    act(page, "All of this is right")
    expect(page.get_by_role("alert")).to_be_visible()
    found += faults(page)
    page.locator("#name").fill("EXERCISE PS Penrose")
    act(page, "All of this is right")
    expect(page.get_by_text("EXERCISE PS Penrose confirmed")).to_be_visible()
    found += faults(page)
    context.close()
    assert found == []


def test_the_map_and_the_list_lead_to_the_same_force(visitor: Page) -> None:
    visitor.goto("/directory/forces")
    on_map = visitor.locator(".dir-map svg a")
    assert on_map.count() == 43
    hrefs = {link.get_attribute("href") for link in on_map.all()}
    listed = visitor.get_by_role("navigation", name="Forces").get_by_role("link")
    assert hrefs <= {link.get_attribute("href") for link in listed.all()}
    listed.get_by_text("Kent Police").click()
    expect(visitor.get_by_role("link", name="East Kent", exact=True)).to_be_visible()
    visitor.goto("/directory/forces")
    visitor.locator('.dir-map a[href$="/kent"]').focus()
    visitor.keyboard.press("Enter")
    expect(visitor.get_by_role("heading", name="Kent Police")).to_be_visible()


def test_a_coordinator_sees_the_nation_and_reminds(sign_in: SignIn) -> None:
    page = sign_in(cast.COORDINATOR)
    page.goto("/directory/nation")
    found = faults(page)
    rows = page.locator("tbody")
    assert rows.count() == 43
    expect(page.locator("#force-kent")).to_contain_text("Incomplete or unverified")
    page.get_by_role("button", name="Remind Avon and Somerset Police").click()
    expect(page.get_by_role("alert").first).to_contain_text("Nothing was sent")
    act(page, "Mail the claim link")
    expect(page.get_by_role("alert").get_by_role("link").first).to_be_visible()
    found += faults(page)
    page.get_by_label("Force", exact=True).select_option("avon-and-somerset")
    page.get_by_label("Its address").fill("missing@avon.example.org")
    act(page, "Mail the claim link")
    expect(page.get_by_text("Claim links on their way: 1.")).to_be_visible()
    expect(page.locator("#force-avon-and-somerset")).to_contain_text("missing@avon.example.org")
    page.get_by_role("button", name="Remind Avon and Somerset Police").click()
    expect(page.get_by_role("alert")).to_contain_text("Avon and Somerset Police: 1")
    act(page, "Remind these five")
    expect(page.get_by_role("alert").first).to_contain_text("Avon and Somerset Police: 1")
    expect(page.get_by_role("alert").last).to_contain_text("Bedfordshire Police; Cambridgeshire")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert download.value.suggested_filename.startswith("state-of-the-directory-")
    assert found == []


def test_an_editor_sees_how_the_entry_is_kept_and_what_a_change_would_do(sign_in: SignIn) -> None:
    page = sign_in(cast.KENT_EDITOR, js=False)
    page.goto("/directory/forces/kent")
    expect(page.get_by_role("heading", name="How this entry is kept")).to_be_visible()
    page.get_by_role("link", name="Reorganise").click()
    page.get_by_role("link", name="Merge units into one").click()
    page.get_by_label("East Kent").check()
    act(page, "Show what it would do")
    expect(page.get_by_text("Choose at least two units to merge.")).to_be_visible()
    page.get_by_label("North Kent & Medway").check()
    page.get_by_label("Name of the new unit").fill("East and North")
    page.get_by_label("From which day").fill("2030-04-01")
    act(page, "Show what it would do")
    expect(page.get_by_role("heading", name="What this does on 1 April 2030")).to_be_visible()
    expect(page.get_by_role("row", name="Thanet East Kent East and North")).to_be_visible()
    expect(page.get_by_role("button", name="Put it on record")).to_have_count(0)


def test_axe_finds_nothing_on_forces_and_reorganisations(sign_in: SignIn) -> None:
    page = sign_in(cast.KENT_EDITOR)
    found: list[str] = []
    for path in ("", "/kent", "/kent/reorganise", "/kent/reorganise?kind=merge",
                 "/kent/reorganise?kind=split", "/kent/reorganise?kind=move",
                 "/kent/reorganise?kind=found"):  # fmt: skip
        page.goto("/directory/forces" + path)
        found += faults(page)
    act(page, "Show what it would do")
    expect(page.get_by_role("alert")).to_be_visible()
    found += faults(page)
    page.goto("/directory/forces/kent/reorganise?kind=rename")
    page.get_by_label("The unit").select_option(label="East Kent")
    page.get_by_label("Its new name").fill("Garden of England")
    act(page, "Show what it would do")
    expect(page.get_by_text("The old name still finds it.")).to_be_visible()
    found += faults(page)
    assert found == []
