"""A message sent in another session shows within five seconds, without reloading (issue 4.7)."""

import re
import time
from datetime import timedelta

from playwright.sync_api import Page, expect
from sqlalchemy import text

from hub.clock import utcnow
from hub.db import Database
from messaging import alarms
from seed import cast
from tests.browser.steps import SignIn, act, choose_unit, recorded_by
from tests.browser.test_case_pages import faults

NOW = re.compile(r"^\(2\) Needs you: ")


def offer(met: Page) -> float:
    """Offer the lead to East Kent, urgently, and return when the sender was told that it was sent."""
    act(met, "Offer the lead to another unit")
    choose_unit(met, "Canterbury", "East Kent")
    met.get_by_label("Urgent").check()
    met.get_by_label("Most enquiries are there").check()
    act(met, "Offer the lead")
    return time.monotonic()


def test_a_screen_says_within_five_seconds_that_it_needs_its_reader(
    sign_in: SignIn, database: Database
) -> None:
    kent, met = sign_in(cast.KENT_OFFICER), sign_in(cast.MET_OFFICER)
    kent.goto("/inbox")
    board = kent.context.new_page()
    board.goto("/board")
    expect(kent.get_by_role("status")).to_contain_text("Needs your answer: 1")
    kent.locator("#q").focus()
    sound = kent.get_by_role("button", name="Sound on alarms: off")
    expect(sound).to_have_attribute("aria-pressed", "false")
    reference = recorded_by(met)
    began = offer(met)
    expect(kent).to_have_title(NOW, timeout=6000)
    assert time.monotonic() - began < 5
    expect(kent.get_by_role("status")).to_contain_text("Needs your answer: 2")
    line = kent.locator("#lines .hub-row").filter(has_text=reference)
    expect(line).to_contain_text("left")
    assert kent.evaluate("document.activeElement.id") == "q"
    expect(board).to_have_title(NOW)
    expect(board.locator("#cases")).to_contain_text(reference)
    assert faults(kent) == []
    assert faults(board) == []
    sound.click()
    with database.unit_of_work() as session:
        alarms.escalate(session, utcnow() + timedelta(minutes=11))
    expect(kent.get_by_role("alert")).to_contain_text(re.compile(r"Urgent and overdue: \d"))
    expect(kent).to_have_title(re.compile(r"^⚠ OVERDUE \(2\) Needs you: "))
    expect(kent.locator("html")).to_have_attribute("data-hub-rang", re.compile(r"\d"))
    assert faults(kent) == []
    met.goto("/inbox?show=others")
    waits = met.locator(".hub-row").filter(has_text=reference)
    expect(waits).to_contain_text("Ring now: 01632 9602")
    expect(waits).to_contain_text("Opened: not yet")
    assert faults(met) == []
    waits.get_by_role("link", name="What to say").click()
    expect(met.get_by_text("Will you open it now?")).to_be_visible()
    kent.locator("#lines .hub-skip").first.focus()
    kent.keyboard.press("Tab")
    kent.keyboard.press("Enter")
    kent.wait_for_url(re.compile(r"/cases/EX-"))


def test_it_says_that_the_session_ended_and_that_the_hub_is_away(
    sign_in: SignIn, database: Database
) -> None:
    kent = sign_in(cast.KENT_OFFICER)
    kent.goto("/inbox")
    kent.get_by_role("button", name="Sound on alarms: off").click()
    kent.reload()
    expect(kent.get_by_role("button", name="Sound on alarms: on")).to_be_visible()
    kent.route("**/live", lambda route: route.abort())
    expect(kent.get_by_role("status")).to_contain_text("The hub does not answer")
    kent.unroute("**/live")
    expect(kent.get_by_role("status")).to_contain_text("Needs your answer: 1")
    with database.unit_of_work() as session:
        session.execute(text("UPDATE web_session SET revoked_at = now()"))
    expect(kent.get_by_role("alert")).to_contain_text("You are signed out")
    expect(kent.get_by_role("link", name="Sign in again")).to_be_visible()
    assert kent.title().startswith("Signed out:")
    assert faults(kent) == []


def test_without_scripts_there_is_a_link_that_refreshes(sign_in: SignIn) -> None:
    kent = sign_in(cast.KENT_OFFICER, js=False)
    for path in ("/inbox", "/board"):
        kent.goto(path)
        expect(kent.locator("#live")).to_be_hidden()
        kent.get_by_role("link", name="Refresh").click()
        assert kent.url.split("?")[0].endswith(path)
