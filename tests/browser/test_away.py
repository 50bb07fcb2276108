"""The directory in a browser when everything else is down: with its age, and as a saved file."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from hub.app import create_app
from hub.db import Database
from hub.records.keys import Keys
from hub.settings import Settings
from hub.web.context import EXTENSION
from seed import cast, demo
from tests.browser.test_case_pages import faults
from tests.conftest import POLL_SECONDS, TestServers

SignIn = Callable[..., Page]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Flask]:
    """Return the list into which the served application comes."""
    apps: list[Flask] = []

    def keep(settings: Settings, *, keys: Keys) -> Flask:
        apps.append(create_app(settings, keys=keys))
        return apps[-1]

    monkeypatch.setattr("tests.browser.conftest.create_app", keep)
    return apps


def go_away(servers: TestServers, name: str, app: Flask) -> None:
    servers.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    servers.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    app.extensions[EXTENSION].database.look()


def test_the_pages_say_how_old_they_are_and_what_is_away(
    served: list[Flask], hub_url: str, sign_in: SignIn, servers: TestServers, database_name: str
) -> None:
    officer = sign_in(cast.KENT_OFFICER)
    officer.goto("/?q=Canterbury")
    unit = officer.get_by_role("link", name="East Kent").first.get_attribute("href")
    go_away(servers, database_name, served[0])
    found = []
    officer.goto("/?q=Canterbury")
    expect(officer.get_by_text("This is the directory of")).to_be_visible()
    expect(officer.get_by_text("Directory pass: for reading alone")).to_be_visible()
    found += faults(officer)
    officer.goto(unit or "")
    expect(officer.get_by_text("This is the directory of")).to_be_visible()
    found += faults(officer)
    officer.goto("/inbox")
    expect(officer.get_by_text("The hub cannot reach its database just now")).to_be_visible()
    found += faults(officer)
    officer.goto("/")
    officer.get_by_role("button", name="Sign out").click()
    officer.goto("/?q=Canterbury")
    expect(officer.get_by_text("the public tier alone")).to_be_visible()
    found += faults(officer)
    officer.goto("/sign-in")
    expect(officer.get_by_text("Nobody can sign in just now")).to_be_visible()
    found += faults(officer)
    servers.execute(f"ALTER DATABASE {database_name} ALLOW_CONNECTIONS true")
    assert found == []


def test_a_copy_saved_from_the_front_page_answers_with_the_server_gone(
    settings: Settings, keys: Keys, database: Database, chromium: Browser,
    tmp_path: Path, servers: TestServers,
) -> None:  # fmt: skip
    app = create_app(settings, keys=keys)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,))
    thread.start()
    context = chromium.new_context(
        base_url=f"http://127.0.0.1:{server.server_port}", accept_downloads=True
    )
    try:
        page = context.new_page()
        page.goto("/sign-in")
        page.get_by_label("E-mail address").fill(cast.KENT_OFFICER.email)
        page.locator("#password").fill(demo.password(keys))
        page.get_by_role("button", name="Sign in").click()
        page.goto("/")
        with page.expect_download() as saving:
            page.get_by_role("link", name="Save the whole directory as one file").click()
        file = tmp_path / saving.value.suggested_filename
        saving.value.save_as(file)
    finally:
        context.close()
        server.shutdown()
        server.server_close()
        thread.join()
        app.extensions[EXTENSION].database.dispose()
    assert file.name.startswith("EXERCISE-whom-to-call-police-20")
    offline = chromium.new_context(offline=True)
    copy = offline.new_page()
    copy.goto(file.as_uri())
    copy.keyboard.type("canterbury")
    copy.keyboard.press("Enter")
    expect(copy.get_by_role("heading", name="Canterbury", exact=True)).to_be_focused()
    expect(copy.get_by_text("This is a saved copy of the directory")).to_be_visible()
    expect(copy.locator("#answer").get_by_role("link", name="101").first).to_be_visible()
    offline.close()
