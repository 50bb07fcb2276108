"""Steps that the journeys share: fill a report, choose a unit, offer the lead."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

SignIn = Callable[..., Page]


def lead_of(page: Page) -> str:
    return page.locator(".hub-lead__unit").inner_text()


def history_of(page: Page) -> list[str]:
    rows = page.locator("table tbody tr")
    return [" ".join(row.split()) for row in rows.all_inner_texts()]


def act(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def fill_report(page: Page) -> None:
    page.get_by_label("Given name").fill("Robin")
    page.get_by_label("Age in years").fill("13")
    seen = page.get_by_role("group", name="Last seen, when")
    seen.get_by_label("Date").fill("2026-11-01")
    seen.get_by_label("Time").fill("21:30")
    page.get_by_label("Last seen, where").fill("EXERCISE bus stop")
    page.get_by_label("Medium").check()
    page.get_by_label("Why this risk").fill("EXERCISE. Did not come home.")
    page.get_by_label("Number to call back").fill("020 7946 0201")


def choose_unit(page: Page, text: str, unit: str) -> None:
    page.get_by_label("Postcode, district, force or unit").fill(text)
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=unit, exact=True).first.click()


def offer(page: Page, text: str, unit: str) -> None:
    act(page, "Offer the lead to another unit")
    choose_unit(page, text, unit)
    page.get_by_label("Urgent").check()
    page.get_by_label("Most enquiries are there").check()
    act(page, "Offer the lead")


def report_to_the_met(worker: Page) -> str:
    worker.goto("/cases/new")
    choose_unit(worker, "Camden", "Central North")
    expect(worker.get_by_text("The police do not have this until someone answers")).to_be_visible()
    fill_report(worker)
    act(worker, "Send the report")
    return reference_of(worker)


def recorded_by(police: Page) -> str:
    police.goto("/cases/new")
    fill_report(police)
    act(police, "Record the report: my unit leads")
    return reference_of(police)


def reference_of(page: Page) -> str:
    """Return the reference of the case whose page comes next."""
    page.wait_for_url(re.compile(r"/cases/EX-\w{4}-\w{4}$"))
    return page.url.rsplit("/", 1)[-1]


def attach_signed_reply(page: Page) -> None:
    page.get_by_label("Lead accepted").check()
    page.get_by_label("Name of the officer who signed").fill("Joan Tremayne")
    page.get_by_label("Collar number").fill("4471")
    paper = {"name": "reply.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 signed %%EOF"}
    page.set_input_files("#file", paper)
    act(page, "Attach, and ask a supervisor")
