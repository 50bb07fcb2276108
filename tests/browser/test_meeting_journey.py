"""A strategy meeting: called, answered for by name, an empty chair seen, recorded, acted on."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from hub.clock import LONDON, utcnow
from hub.db import Database
from seed import cast
from tests.browser.steps import SignIn, act, offer, recorded_by
from tests.browser.test_case_pages import faults


@pytest.fixture
def checked() -> Iterator[list[str]]:
    """Collect the faults of every page walked, and fail at the end with all of them."""
    found: list[str] = []
    yield found
    assert found == []


def _when(page: Page, group: str, hours: float) -> None:
    at = (utcnow() + timedelta(hours=hours)).astimezone(LONDON)
    part = page.get_by_role("group", name=group).first
    part.get_by_label("Date").fill(f"{at:%Y-%m-%d}")
    part.get_by_label("Time").fill(f"{at:%H:%M}")


def _call(met: Page) -> None:
    act(met, "Call a strategy meeting")
    met.get_by_label("Routine").check()
    met.get_by_label("Yes").check()
    _when(met, "When it starts", 30)
    met.get_by_label("Place or link").fill("EXERCISE room 1")
    met.get_by_label("Its purpose").fill("EXERCISE. To agree who does what.")
    met.get_by_label("Telephone of the convenor").fill("020 7946 0201")
    for number, role, unit in (
        (1, "Home police", "metropolitan/central-north"),
        (2, "Destination police", "kent/east"),
    ):
        row = met.get_by_role("group", name=f"Attendee {number}", exact=True)
        row.get_by_label("Role").select_option(label=role)
        row.get_by_label("Unit").fill(unit)


def test_a_meeting_is_called_replied_to_recorded_and_acted_on(
    sign_in: SignIn, database: Database, checked: list[str]
) -> None:
    met = sign_in(cast.MET_OFFICER, js=False)
    reference = recorded_by(met)
    offer(met, "Canterbury", "East Kent")
    _call(met)
    act(met, "Add another to “Who must attend”")
    expect(met.get_by_role("group", name="Attendee 5", exact=True)).to_be_visible()
    expect(met.get_by_label("Place or link")).to_have_value("EXERCISE room 1")
    row = met.get_by_role("group", name="Attendee 3", exact=True)
    row.get_by_label("Role").select_option(label="Education")
    act(met, "Send the invitation")
    expect(met.get_by_role("alert")).to_contain_text("name the unit by its code")
    row = met.get_by_role("group", name="Attendee 3", exact=True)
    expect(row.get_by_text("name the unit by its code")).to_be_visible()
    row.get_by_label("Role").select_option(label="Choose")
    act(met, "Send the invitation")
    expect(met.get_by_role("heading", name="Strategy meeting", exact=True)).to_be_visible()
    expect(met.get_by_text("Empty chair: nobody is named for Destination police.")).to_be_visible()
    expect(met.get_by_text("Not replied: East Kent.")).to_be_visible()

    kent = sign_in(cast.KENT_OFFICER)
    kent.goto("/inbox")
    checked += faults(kent)
    kent.locator(".hub-row").filter(has_text=reference).get_by_role(
        "link", name="Say who comes to the meeting"
    ).click()
    act(kent, "Say who comes to the meeting")
    checked += faults(kent)
    kent.get_by_label("Declined").check()
    act(kent, "Send the reply")
    expect(kent.get_by_role("alert")).to_contain_text("Say why you decline")
    kent.get_by_label("A deputy attends").check()
    kent.get_by_label("Who", exact=True).fill("Exercise Deputy")
    act(kent, "Send the reply")
    expect(kent.get_by_text("Exercise Deputy: A deputy attends")).to_be_visible()
    checked += faults(kent)
    with kent.expect_download() as downloaded:
        kent.get_by_role("link", name="Add it to a calendar").click()
    assert downloaded.value.suggested_filename == f"{reference}-meeting.ics"
    met.goto(f"/cases/{reference}")
    expect(met.get_by_text("Empty chair")).to_have_count(0)
    act(met, "Change or cancel the meeting")
    expect(met.get_by_label("Place or link")).to_have_value("EXERCISE room 1")

    with database.unit_of_work() as session:
        session.execute(
            text("UPDATE meeting SET starts_at = now() - interval '2 hours',"
                 " ends_at = now() - interval '1 hour'")
        )  # fmt: skip
    inspector = sign_in(cast.MET_OFFICER)
    inspector.goto("/inbox")
    inspector.locator(".hub-row").filter(has_text=reference).get_by_role(
        "link", name="Record the meeting"
    ).click()
    act(inspector, "Record the meeting")
    checked += faults(inspector)
    expect(inspector.get_by_role("textbox", name="Person").first).to_have_value("Exercise Deputy")
    inspector.get_by_label("What was decided").fill("EXERCISE. To look again in a week.")
    row = inspector.get_by_role("group", name="Action 1", exact=True)
    row.get_by_label("What is to be done").fill("EXERCISE: ask the carer")
    row.get_by_label("Which unit does it").select_option(label="East Kent")
    _when(inspector, "By when", 40)
    act(inspector, "Send the record")
    expect(inspector.get_by_role("heading", name="Open actions")).to_be_visible()
    checked += faults(inspector)
    inspector.get_by_role("link", name="Print this meeting").click()
    expect(inspector.get_by_text("EXERCISE. To look again in a week.")).to_be_visible()
    checked += faults(inspector)

    kent.goto("/inbox")
    kent.locator(".hub-row").filter(has_text=reference).get_by_role(
        "link", name="Carry out the actions of the meeting"
    ).click()
    expect(kent.get_by_role("heading", name="EXERCISE: ask the carer")).to_be_visible()
    checked += faults(kent)
    act(kent, "Done EXERCISE: ask the carer")
    expect(kent.get_by_text("The action is done, and off the clock.")).to_be_visible()
    expect(kent.get_by_role("heading", name="Open actions")).to_have_count(0)
    supervisor = sign_in(cast.KENT_INSPECTOR)
    supervisor.goto("/meetings/empty-chairs")
    expect(supervisor.get_by_text("Exercises are never counted.")).to_be_visible()
    checked += faults(supervisor)
    stranger = sign_in(cast.ESSEX_OFFICER)
    for path in (f"/cases/{reference}/meetings", "/meetings/empty-chairs"):
        shown = stranger.goto(path)
        assert shown is not None
        assert shown.status in (403, 404)
