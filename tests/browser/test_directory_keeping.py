"""Editors correct numbers, see the history and put back; readers report, and are answered."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from seed import cast
from tests.browser.steps import SignIn, act
from tests.browser.test_case_pages import faults

OLD, NEW = "01632 960202", "01632 960209"
WRONG = re.compile("This number is wrong.*01632 960201")


@pytest.fixture
def checked() -> Iterator[list[str]]:
    """Collect the faults of every page walked, and fail at the end with all of them."""
    found: list[str] = []
    yield found
    assert found == []


def open_entry(page: Page, unit: str = "East Kent") -> None:
    page.get_by_role("link", name="Directory tasks").click()
    page.get_by_role("link", name=unit, exact=True).click()


def open_form(page: Page, value: str) -> None:
    page.locator("summary").filter(has_text=f"Change or close {value}").click()


def test_an_editor_corrects_a_number_sees_its_history_and_puts_it_back(
    sign_in: SignIn, checked: list[str]
) -> None:
    page = sign_in(cast.KENT_EDITOR)
    open_entry(page)
    checked += faults(page)
    open_form(page, OLD)
    form = page.get_by_role("group").locator("form[data-preview]").filter(visible=True)
    form.get_by_label("Number or address").fill(NEW)
    form.get_by_label("Weekly hours").fill("Sat 09:00-12:00; Sat 13:00-02:00")
    preview = page.get_by_role("region", name="What a caller would see")
    expect(preview.get_by_text("Saturday 09:00 to 12:00; Saturday 13:00 to 02:00")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("This contact is")
    checked += faults(page)
    form.get_by_role("button", name="Save").click()
    expect(
        page.get_by_role("link", name="Say why you change this, in a few words.")
    ).to_be_visible()
    checked += faults(page)
    page.get_by_label("Why do you change this?").fill("the duty desk has moved")
    act(page, "Save")
    expect(page.get_by_role("heading", name=f"Duty inspector: {NEW}")).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("Alison Webb: “the duty desk has moved”")).to_be_visible()
    expect(page.get_by_role("row", name=f"Number or address {OLD} {NEW}")).to_be_visible()
    checked += faults(page)
    page.locator("summary").first.click()
    page.get_by_label("Why do you put it back?").first.fill("the move is off")
    page.get_by_role("button", name="Put it back").first.click()
    expect(page.get_by_role("heading", name=f"Duty inspector: {OLD}")).to_be_visible()
    expect(page.get_by_text("Unverified.").first).to_be_visible()


def test_two_editors_at_once_lose_nothing(sign_in: SignIn, checked: list[str]) -> None:
    first, second = sign_in(cast.KENT_EDITOR), sign_in(cast.ADMINISTRATOR)
    open_entry(first)
    entry = first.url
    second.goto(entry)
    for page, note in ((first, "ask for the desk"), (second, "ask for the duty sergeant")):
        open_form(page, OLD)
        form = page.locator("form[data-preview]").filter(visible=True)
        form.get_by_label("Note (optional)").fill(note)
        form.get_by_label("Why do you change this?").fill("so that callers know")
        form.get_by_role("button", name="Save").click()
    expect(second.get_by_role("alert")).to_contain_text("Alison Webb changed this while you did")
    row = "Note ask for the desk ask for the duty sergeant"
    expect(second.get_by_role("row", name=row)).to_be_visible()
    checked += faults(second)
    act(second, "Save")
    expect(second.get_by_text("ask for the duty sergeant").first).to_be_visible()


@pytest.mark.parametrize("js", [True, False])
def test_a_reader_reports_a_dead_number_and_the_editors_answer_takes_the_badge_away(
    sign_in: SignIn, checked: list[str], js: bool
) -> None:
    worker, editor = sign_in(cast.SOCIAL_WORKER, js=js), sign_in(cast.KENT_EDITOR, js=js)
    worker.goto("/?q=kent/east")
    worker.get_by_role("link", name=WRONG).first.click()
    if js:
        checked += faults(worker)
    act(worker, "Report it")
    expect(worker.get_by_role("link", name="Choose what is wrong with it.")).to_be_visible()
    worker.get_by_label("The number is unobtainable").check()
    act(worker, "Report it")
    badge = worker.get_by_text("1 person reported this today.")
    expect(badge).to_be_visible()
    if js:
        checked += faults(worker)
    worker.goto("/?q=kent/east")
    expect(badge.first).to_be_visible()
    if js:
        checked += faults(worker)
    editor.goto("/directory/tasks")
    expect(editor.get_by_role("link", name="Directory tasks (1)")).to_be_visible()
    if js:
        checked += faults(editor)
    editor.get_by_role("button", name="I tried it: it works").click()
    expect(editor.get_by_text("No report waits for an answer.")).to_be_visible()
    worker.reload()
    expect(badge).to_have_count(0)


def test_a_suggestion_waits_for_the_editors(sign_in: SignIn, checked: list[str]) -> None:
    worker, editor = sign_in(cast.SOCIAL_WORKER), sign_in(cast.KENT_EDITOR)
    worker.goto("/?q=kent/east")
    worker.get_by_role("link", name="East Kent", exact=True).first.click()
    worker.get_by_role("link", name="Suggest a contact").click()
    worker.get_by_label("Number or address").fill("07700 900123")
    act(worker, "Suggest it")
    expect(worker.get_by_text("07700 900123 is a mobile number.")).to_be_visible()
    checked += faults(worker)
    worker.get_by_label("It is right: list it all the same").check()
    act(worker, "Suggest it")
    expect(worker.get_by_text("Suggested, unverified.")).to_be_visible()
    checked += faults(worker)
    editor.goto("/directory/tasks")
    editor.get_by_role("link", name="Take, change or refuse it").click()
    checked += faults(editor)
    editor.get_by_role("button", name="Take it: it is right").click()
    expect(editor.get_by_text("The suggestion is taken.")).to_be_visible()


def test_an_entry_is_kept_without_scripts(sign_in: SignIn) -> None:
    page = sign_in(cast.ADMINISTRATOR, js=False)
    page.goto("/?q=kent/east")
    page.get_by_role("link", name="East Kent", exact=True).first.click()
    page.get_by_role("link", name="Keep this entry").click()
    page.locator("summary").filter(has_text="Add a contact").click()
    form = page.locator("form[data-preview]").filter(visible=True)
    form.get_by_label("Kind of contact").select_option("E-mail")
    form.get_by_label("Number or address").fill("jane.smith@kent.example.org")
    form.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("As you typed it, not saved yet.")).to_be_visible()
    page.get_by_label("Why do you change this?").fill("the team gave it")
    act(page, "Save")
    page.get_by_label("It is right: list it all the same").check()
    act(page, "Save")
    expect(page.get_by_text("The contact is on record.")).to_be_visible()
    page.locator("summary").filter(
        has_text="Record that jane.smith@kent.example.org was verified by call-back"
    ).click()
    act(page, "Record the call-back")
    expect(page.get_by_role("link", name="Give the number that you rang.")).to_have_count(0)
    page.get_by_label("Whom you spoke to").filter(visible=True).fill("Sergeant EXERCISE")
    page.get_by_label("The number you rang").filter(visible=True).fill("01632 960001")
    act(page, "Record the call-back")
    expect(page.get_by_text("The mailbox is on record as verified by call-back.")).to_be_visible()
