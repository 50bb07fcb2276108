"""The handover pack: on record before it goes, marked on every page, its reader's part alone."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pypdf
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from hub.app import create_app
from hub.db import Database
from hub.identity.actor import PUBLIC, Actor
from hub.records.keys import Keys
from hub.records.model import AuditRecord
from hub.records.vault import Vault
from hub.settings import Settings
from tests.worlds import World

WHY = {"purpose": "court", "why": "EXERCISE hearing"}


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


def test_a_pack_is_marked_and_on_record(
    client: FlaskClient, acting: list[Actor], database: Database, vault: Vault,
    someone: Callable[..., Actor], tmp_path: Path,
) -> None:  # fmt: skip
    world = World(database, vault, someone)
    ref = world.open(world.social_worker, to=["kent/east"]).case_reference
    acting.append(world.kent)
    assert client.post(f"/cases/{ref}/pack.pdf", data={"purpose": "court"}).status_code == 422
    assert client.get(f"/cases/{ref}/pack.pdf").status_code == 303
    with database.unit_of_work() as session:
        assert not session.scalars(select(AuditRecord.id).filter_by(action="disclosure")).all()
    reply = client.post(f"/cases/{ref}/pack.pdf", data=WHY)
    assert reply.status_code == 200
    assert reply.headers["Cache-Control"] == "no-store"
    assert ref in reply.headers["Content-Disposition"]
    pages = pypdf.PdfReader(io.BytesIO(reply.data)).pages
    texts = [" ".join(one.extract_text().split()) for one in pages]
    for number, words in enumerate(texts, 1):
        assert "EXERCISE EXERCISE EXERCISE" in words
        assert "OFFICIAL" in words
        assert f"Printed by {world.kent.name}" in words
        assert f"Page {number} of {len(texts)}" in words
    assert "EXERCISE associate" in " ".join(texts)
    with database.unit_of_work() as session:
        (row,) = session.scalars(select(AuditRecord).filter_by(action="disclosure")).all()
        assert (row.who_id, row.reason_code) == (world.kent.id, "court")
        assert row.reason
    acting.append(world.stranger)
    assert client.post(f"/cases/{ref}/pack.pdf", data=WHY).status_code == 404
    assert client.get(f"/cases/{ref}/pack").status_code == 404
