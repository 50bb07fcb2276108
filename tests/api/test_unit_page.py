"""The page of a unit, where an editor puts a mailbox on record and proves it by ringing back."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from directory.mailboxes import verified_mailbox
from directory.model import ContactPoint
from hub.app import create_app
from hub.db import Database
from hub.identity.actor import Actor
from hub.organisations import find_unit
from hub.records.keys import Keys
from hub.settings import Settings
from tests.conftest import Someone


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> list[Actor]:
    """Return the list whose last actor is signed in."""
    actors: list[Actor] = []
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
def address(database: Database) -> str:
    with database.unit_of_work() as session:
        unit = find_unit(session, "kent/east")
        assert unit is not None
        return f"/directory/units/{unit.id}"


def test_an_editor_adds_a_mailbox_and_proves_it(
    client: FlaskClient, acting: list[Actor], address: str, database: Database, someone: Someone
) -> None:
    acting.append(someone("kent", "directory-editor"))
    wrong = client.post(f"{address}/mailboxes", data={"address": "no address"})
    assert wrong.status_code == 422
    assert 'href="#address"' in wrong.text
    assert 'value="no address"' in wrong.text
    added = client.post(
        f"{address}/mailboxes", data={"address": "east@example.org"}, follow_redirects=True
    )
    assert "The mailbox is on record." in added.text
    assert "Unverified" in added.text
    with database.unit_of_work() as session:
        contact = session.query(ContactPoint).filter_by(value="east@example.org").one()
        there, unit_id = f"{address}/mailboxes/{contact.id}", contact.unit_id
    wrong = client.post(there, data={"spoke_to": "Sergeant EXERCISE", "number_rung": "?"})
    assert wrong.status_code == 422
    assert wrong.text.count('id="number_rung"') == 1
    assert 'value="Sergeant EXERCISE"' in wrong.text
    proved = client.post(
        there,
        data={"spoke_to": "Sergeant EXERCISE", "number_rung": "01632 960001"},
        follow_redirects=True,
    )
    assert "verified by call-back" in proved.text
    assert f"by {acting[-1].name}" in proved.text
    with database.unit_of_work() as session:
        found = verified_mailbox(session, unit_id, "exercise")
        assert found is not None
        assert found.address == "east@example.org"


def test_nobody_else_has_the_forms_or_may_send_them(
    client: FlaskClient, acting: list[Actor], address: str, someone: Someone
) -> None:
    for actor in (
        someone("kent", "officer"),
        someone("surrey", "directory-editor"),
        someone("kent", "practitioner"),
    ):
        acting.append(actor)
        assert "Put a mailbox on record" not in client.get(address).text
        refused = client.post(f"{address}/mailboxes", data={"address": "east@example.org"})
        assert refused.status_code == 403
