"""Contacts by spreadsheet on the page: seen first, errors by row, then made; without scripts too."""

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from directory.model import ContactPoint
from hub.db import Database
from seed import cast
from tests.browser.steps import SignIn, act
from tests.browser.test_case_pages import faults


def exported(page: Page, folder: Path) -> str:
    with page.expect_download() as waiting:
        page.get_by_role("link", name="The contacts that you keep (CSV)").click()
    path = folder / "out.csv"
    waiting.value.save_as(path)
    return path.read_text(encoding="utf-8-sig")


def choose(page: Page, folder: Path, text: str, coding: str = "utf-8") -> None:
    path = folder / "in.csv"
    path.write_text(text, encoding=coding)
    page.set_input_files("#file", path)
    act(page, "See what it would change")


def with_semicolons(text: str) -> str:
    """Return a file as a spreadsheet set up for another country writes it."""
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=";").writerows(csv.reader(io.StringIO(text, newline="")))
    return written.getvalue()


@pytest.mark.parametrize("js", [True, False])
def test_a_file_is_seen_corrected_and_made(
    sign_in: SignIn, database: Database, tmp_path: Path, *, js: bool
) -> None:
    page = sign_in(cast.ADMINISTRATOR, js=js)
    page.goto("/directory/exchange")
    text = exported(page, tmp_path)
    assert "01632 960202" in text

    act(page, "See what it would change")
    expect(page.get_by_role("link", name="Choose the CSV file.")).to_be_visible()
    choose(page, tmp_path, text)
    expect(page.get_by_text("The file changes nothing.")).to_be_visible()

    row = next(line for line in text.splitlines() if "01632 960202" in line)
    wrong = text.replace(row, row.replace("01632 960202", "12"))
    choose(page, tmp_path, wrong)
    problem = page.get_by_role("link", name="value: This is not a telephone number")
    expect(problem).to_be_visible()
    problem.click()
    assert "#row-" in page.url

    right = text.replace(row, row.replace("01632 960202", "01632 960299"))
    choose(page, tmp_path, with_semicolons(right), "cp1252")
    expect(page.get_by_text("To add: 0. To change: 1. To close: 0.")).to_be_visible()
    expect(page.locator("del", has_text="01632 960202")).to_be_visible()
    expect(page.locator("ins", has_text="01632 960299")).to_be_visible()
    act(page, "Make these changes")
    expect(page.get_by_role("link", name="Say why you change this")).to_be_visible()
    page.get_by_label("Why").fill("EXERCISE: the number moved")
    act(page, "Make these changes")
    expect(page.get_by_text("Added: 0. Changed: 1. Closed: 0.")).to_be_visible()
    with database.unit_of_work() as session:
        assert session.scalar(select(ContactPoint.id).filter_by(value="01632 960299"))

    choose(page, tmp_path, right)
    expect(page.get_by_role("link", name="since the file was written")).to_be_visible()


def test_axe_finds_nothing_at_any_step(sign_in: SignIn, tmp_path: Path) -> None:
    page = sign_in(cast.ADMINISTRATOR)
    page.goto("/directory/exchange")
    found = faults(page)
    text = exported(page, tmp_path)
    row = next(line for line in text.splitlines() if "01632 960202" in line)
    choose(page, tmp_path, text.replace(row, row.replace("01632 960202", "12")))
    found += faults(page)
    changed = row.replace("01632 960202", "07700 900123")
    new = "x,kent/east,,media,email,a.long.name.of.a.mailbox.of.the.press.office@example.org,,,,,"
    choose(page, tmp_path, text.replace(row, changed) + new + ",,,,,\r\n")
    found += faults(page)
    act(page, "Make these changes")
    found += faults(page)
    assert found == []


def test_who_keeps_no_entry_has_no_such_page(sign_in: SignIn) -> None:
    page = sign_in(cast.KENT_OFFICER)
    page.goto("/directory/exchange")
    expect(page.get_by_text("Your role does not allow this here.")).to_be_visible()


def test_what_is_taken_away_is_linked(sign_in: SignIn, chromium: Browser) -> None:
    page = sign_in(cast.ADMINISTRATOR)
    page.goto("/directory/exchange")
    for name in ("PDF", "vCard", "CSV", "JSON"):
        with page.expect_download() as waiting:
            page.get_by_role("list", name="To take away").get_by_role("link", name=name).click()
        assert waiting.value.suggested_filename.startswith("EXERCISE-directory-national-")
