"""What the pages say of a placement, and what they offer for it."""

from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient

from hub.app import create_app
from hub.db import Database
from hub.identity.actor import PUBLIC, Actor
from hub.records.keys import Keys
from hub.records.vault import Vault
from hub.settings import Settings
from messaging import wording
from tests.integration.test_placements import day, place
from tests.worlds import MET, World


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> list[Actor]:
    actors: list[Actor] = [PUBLIC]
    monkeypatch.setattr("hub.web.guards.from_cookie", lambda: actors[-1])
    return actors


@pytest.fixture
def client(settings: Settings, keys: Keys, acting: list[Actor]) -> Iterator[FlaskClient]:
    app = create_app(settings, keys=keys)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_client() as client:
        yield client
    app.extensions["hub"].database.dispose()


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def test_a_placement_that_has_not_begun_says_when_it_does(
    client: FlaskClient, acting: list[Actor], world: World
) -> None:
    with client.application.app_context():
        soon = place(world, starts_on=day(world, 3).isoformat()).case_reference
        now = place(world, starts_on=day(world).isoformat()).case_reference
    acting.append(world.kent)
    begins = f"Begins on {wording.day(day(world, 3))}"
    page = client.get(f"/cases/{soon}").text
    assert begins in page
    assert ">Current<" not in page
    page = client.get(f"/cases/{now}").text
    assert ">Current<" in page
    assert "Begins on" not in page


def test_a_report_from_a_placement_offers_its_police_first(
    client: FlaskClient, acting: list[Actor], world: World
) -> None:
    with client.application.app_context():
        ref = place(world, starts_on=day(world).isoformat()).case_reference
        later = place(world, starts_on=day(world, 3).isoformat()).case_reference
    acting.append(world.social_worker)
    for case in (ref, later):
        client.post(f"/cases/{case}/reason", data={"reason_code": "working-on-it"})
    path = f"/cases/{ref}/send/missing-episode-report"
    page = client.get(path).text
    assert "Where the child is placed" in page
    assert f'href="{path}?to=kent/east"' in page
    assert page.index("?to=kent/east") < page.index('name="q"'), "with the search below"
    chosen = client.get(f"{path}?to=kent/east").text
    assert "To East Kent." in chosen
    page = client.get(f"{path}?q=Camden").text
    assert f"?to={MET}" in page
    page = client.get(f"/cases/{later}/send/missing-episode-report").text
    assert "Where the child is placed" not in page, "the child is not there yet"
