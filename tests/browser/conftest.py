"""A hub that answers over HTTP with the exercise in it, and browsers signed in to it."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from werkzeug.serving import make_server

from hub.app import create_app
from hub.records.keys import Keys
from hub.settings import Settings
from hub.web.context import EXTENSION
from seed import demo
from seed.cast import Player
from tests.conftest import BROWSER, POLL_SECONDS

HERE = Path(__file__).parent
SECONDS = 10_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the exercise in the database of each of these tests."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.exercise)


_running: list[tuple[Playwright, Browser]] = []


@pytest.fixture
def chromium() -> Browser:
    """Return the system's Chromium, started once; each test opens windows of its own."""
    if not _running:
        playwright = sync_playwright().start()
        _running.append((playwright, playwright.chromium.launch(executable_path=BROWSER)))
    return _running[0][1]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """Stop Chromium before tests of other folders: Playwright holds the event loop."""
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path.parent != HERE:
            for playwright, browser in _running:
                browser.close()
                playwright.stop()
            _running.clear()


@pytest.fixture
def hub_url(settings: Settings, keys: Keys) -> Iterator[str]:
    """Serve a hub on this test's own database, and return its address."""
    app = create_app(settings, keys=keys)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = False  # type: ignore[attr-defined]  # closing waits for who still asks
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
    app.extensions[EXTENSION].database.dispose()


@pytest.fixture
def sign_in(hub_url: str, chromium: Browser, keys: Keys) -> Iterator[Callable[..., Page]]:
    """Return a function that signs a player of the exercise in, each in a browser of their own."""
    with ExitStack() as opened:

        def enter(player: Player, *, js: bool = True) -> Page:
            context = chromium.new_context(base_url=hub_url, java_script_enabled=js)
            opened.callback(context.close)
            context.set_default_timeout(SECONDS)
            page = context.new_page()
            page.goto("/sign-in")
            page.get_by_label("E-mail address").fill(player.email)
            page.locator("#password").fill(demo.password(keys))
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(lambda url: not url.endswith("/sign-in"))
            return page

        yield enter
