"""A photo goes with a report and a document with an offer, with and without JavaScript."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from hub.db import Database
from seed import cast
from tests.browser.steps import SignIn, act, choose_unit, fill_report
from tests.browser.test_case_pages import checked, faults
from tests.documents import PDF, picture

__all__ = ["checked"]


def choose(page: Page, row: int, name: str, kind: str, content: bytes) -> None:
    if page.locator("#attach").get_attribute("open") is None:
        page.get_by_text("Attach files (optional)").click()
    page.get_by_label(f"Choose file {row}").set_input_files(
        {"name": name, "mimeType": kind, "buffer": content}
    )


@pytest.mark.parametrize("js", [True, False], ids=["with-scripts", "without-scripts"])
def test_files_are_attached_kept_over_errors_and_read_by_whom_they_are_for(
    sign_in: SignIn, database: Database, tmp_path: Path, checked: list[str], js: bool
) -> None:
    met = sign_in(cast.MET_OFFICER, js=js)
    met.goto("/cases/new")
    choose(met, 1, "EXERCISE face.jpeg", "image/jpeg", picture(width=900, height=600))
    choose(met, 2, "EXERCISE tool.exe", "image/png", b"MZ EXERCISE")
    met.get_by_label("What file 1 is").select_option("photo")
    if js:
        checked += faults(met)
    act(met, "Record the report: my unit leads")
    problem = met.get_by_role("alert")
    expect(problem.get_by_text("EXERCISE tool.exe: The hub does not take")).to_be_visible()
    expect(met.get_by_text("Leave out EXERCISE face.jpg")).to_be_visible()
    expect(met.get_by_text("Photo of the child, ", exact=False).first).to_be_visible()
    if js:
        checked += faults(met)
    fill_report(met)
    act(met, "Record the report: my unit leads")
    reference = met.url.rsplit("/", 1)[-1]
    expect(met.get_by_role("link", name="EXERCISE face.jpg")).to_be_visible()
    expect(met.get_by_text("Not scanned for viruses")).to_be_visible()
    shown = met.get_by_role("img", name="Small picture of EXERCISE face.jpg")
    shown.scroll_into_view_if_needed()
    expect(shown).to_be_visible()
    if js:
        expect(shown).to_have_js_property("naturalWidth", 320)
        checked += faults(met)
    act(met, "Offer the lead to another unit")
    choose_unit(met, "Thanet", "East Kent")
    choose(met, 1, "EXERCISE lines.pdf", "application/pdf", PDF)
    met.get_by_label("Urgent").check()
    act(met, "Save draft")
    expect(met.get_by_text("Leave out EXERCISE lines.pdf")).to_be_visible()
    choose(met, 1, "EXERCISE wrong.pdf", "application/pdf", PDF)
    act(met, "Save draft")
    met.get_by_label("Leave out EXERCISE wrong.pdf").check()
    met.get_by_label("Most enquiries are there").check()
    act(met, "Offer the lead")
    kent = sign_in(cast.KENT_OFFICER, js=js)
    kent.goto(f"/cases/{reference}")
    expect(kent.get_by_role("link", name="EXERCISE wrong.pdf")).to_have_count(0)
    with kent.expect_download() as waited:
        kent.get_by_role("link", name="EXERCISE lines.pdf").click()
    assert waited.value.suggested_filename == "EXERCISE lines.pdf"
    assert Path(waited.value.path()).read_bytes() == PDF
    if js:
        checked += faults(kent)
    with database.unit_of_work() as session:
        looked = session.execute(
            text("SELECT action, who_name FROM audit_record WHERE object_kind = 'attachment'"
                 " AND action IN ('consultation', 'disclosure') ORDER BY at")
        ).all()  # fmt: skip
    assert ("disclosure", cast.KENT_OFFICER.name) in [tuple(row) for row in looked]
    assert ("consultation", cast.MET_OFFICER.name) in [tuple(row) for row in looked]
