"""A hub to ask by API: the application, clients of units, and a live server."""

import threading
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from hub.app import create_app
from hub.clock import utcnow
from hub.db import Database
from hub.identity import clients
from hub.identity.actor import PUBLIC, Actor
from hub.records import audit
from hub.records.keys import Keys
from hub.settings import Settings
from tests.conftest import POLL_SECONDS


class Partner:
    """A partner system of a unit, with a token."""

    def __init__(self, client: FlaskClient, token: str, name: str) -> None:
        self.client, self.token, self.name = client, token, name

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers={"Authorization": f"Bearer {self.token}", **headers})

    def send(self, method: str, path: str, body: object, **headers: str) -> TestResponse:
        headers["Authorization"] = f"Bearer {self.token}"
        return self.client.open(path, method=method, json=body, headers=headers)

    def post(self, path: str, body: object, key: str | None = None) -> TestResponse:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": key or uuid4().hex,
        }
        return self.client.post(path, json=body, headers=headers)


@pytest.fixture
def app(settings: Settings, keys: Keys) -> Iterator[Flask]:
    app = create_app(settings, keys=keys)
    app.extensions["hub"].redis.flushdb()  # how often others asked is not this test's affair
    yield app
    app.extensions["hub"].database.dispose()
    app.extensions["hub"].redis.close()


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> list[Actor]:
    """Return the list whose last actor is signed in."""
    actors: list[Actor] = [PUBLIC]
    monkeypatch.setattr("hub.web.guards.from_cookie", lambda: actors[-1])
    return actors


@pytest.fixture
def client(app: Flask, acting: list[Actor]) -> Iterator[FlaskClient]:  # who acts
    """Return a browser of whoever acts."""
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_client() as client:
        yield client


@pytest.fixture
def credentials(database: Database) -> Callable[..., tuple[str, str]]:
    """Return a function that adds a client of a unit, and gives its id and secret."""

    def add(unit: str, scope: str = "directory:read cases:read cases:write") -> tuple[str, str]:
        with database.unit_of_work() as session:
            return clients.add_client(
                session,
                audit.Who("system", name="test"),
                name=f"EXERCISE {unit}",
                organisation=unit.partition("/")[0],
                unit=unit,
                scopes=scope.split(),
                now=utcnow(),
            )

    return add


@pytest.fixture
def partner(app: Flask, credentials: Callable[..., tuple[str, str]]) -> Callable[..., Partner]:
    """Return a function that gives a partner of a unit, signed in."""

    def make(unit: str, scope: str = "directory:read cases:read cases:write") -> Partner:
        client = app.test_client()
        reply = client.post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=credentials(unit, scope),
        )
        assert reply.status_code == 200, reply.text
        return Partner(client, reply.json["access_token"], f"EXERCISE {unit}")

    return make


@pytest.fixture
def server(app: Flask) -> Iterator[str]:
    """Return the address of a live server of the application."""
    serving = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=serving.serve_forever, args=(POLL_SECONDS,))
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()
    thread.join()
    serving.server_close()
