"""Screens ask by themselves: nothing new is 304 and costs no query; who is signed out is told so."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from hub.clock import utcnow
from hub.db import Database, new_id
from hub.identity import sessions
from hub.identity.actor import Actor
from hub.identity.model import WebSession
from hub.records.vault import Vault
from messaging import alarms
from tests.worlds import KENT, World

AUTOMATIC = {"X-Hub-Automatic": "1"}


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def browser(app: Flask, world: World, actor: Actor) -> FlaskClient:
    token, now = uuid4().hex, utcnow()
    with world.database.unit_of_work() as session:
        session.add(
            WebSession(
                id=new_id(), token_hash=sessions.token_hash(token), person_id=actor.id,
                unit_id=actor.unit_id, created_at=now, last_seen_at=now,
                expires_at=now + timedelta(hours=12),
            )
        )  # fmt: skip
    client = app.test_client()
    client.set_cookie("hub_session", token)
    return client


def test_a_question_that_changes_nothing_is_304_without_a_query(app: Flask, world: World) -> None:
    client = browser(app, world, world.kent)
    first = client.get("/live", headers=AUTOMATIC)
    assert first.status_code == 200
    assert first.json["need"] == 0
    asked: list[str] = []
    engine = app.extensions["hub"].database.engine
    event.listen(engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    for _ in range(20):
        again = client.get("/live", headers={**AUTOMATIC, "If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304
        assert again.data == b""
        assert again.headers["Cache-Control"] == "no-store"
    assert len(asked) <= 8  # one look, if the second is over meanwhile
    assert client.get("/live").json == first.json


def test_whoever_is_signed_out_is_sent_to_sign_in(app: Flask, world: World) -> None:
    client = browser(app, world, world.kent)
    assert client.get("/live").status_code == 200
    with world.database.unit_of_work() as session:
        session.execute(text("UPDATE web_session SET revoked_at = now()"))
    app.extensions["messaging.screens"].screens._looked_at = float("-inf")
    assert client.get("/live").status_code == 302
    client.set_cookie("hub_session", "nobody")
    assert client.get("/live").status_code == 302
    assert app.test_client().post("/live").status_code in (400, 405)


def test_lists_open_nothing_and_a_case_read_by_itself_is_marked(app: Flask, world: World) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "update", to=[KENT], heading="other", text="EXERCISE")
    client = browser(app, world, world.kent)
    for path in ("/inbox", "/board", f"/cases/{ref}"):
        assert client.get(path, headers=AUTOMATIC).status_code == 200
    with world.database.unit_of_work() as session:
        opened = session.execute(text("SELECT count(*) FROM receipt WHERE kind = 'opened'"))
        assert opened.scalar_one() == 0
        looks = session.execute(
            text("SELECT automatic FROM audit_record WHERE action = 'consultation'")
        )
        assert list(looks.scalars()) == [True]


def test_what_the_lead_has_missed_is_named_as_overdue_with_its_case(
    app: Flask, world: World
) -> None:
    world.now = utcnow() - timedelta(hours=9)
    ref = world.open(world.met).case_reference
    client = browser(app, world, world.met)
    assert "Nothing is overdue" in client.get("/inbox?show=overdue").text
    with world.database.unit_of_work() as session:
        assert alarms.escalate(session, utcnow())
    page = client.get("/inbox?show=overdue").text
    (line,) = page.split('<li class="hub-row')[1:]
    assert f'href="/cases/{ref}">Handover at shift end' in line
    assert "Overdue</strong>" in line
    assert "Alarm</strong>" in client.get("/board").text
    assert client.get("/live").json["alarms"] == 1


def test_filters_stay_in_the_address_and_pages_go_on(app: Flask, world: World) -> None:
    references = []
    for _ in range(52):
        references.append(ref := world.open(world.met).case_reference)
        world.send(world.met, ref, "update", to=[KENT], heading="other", text="EXERCISE")
    client = browser(app, world, world.kent)
    page = client.get("/inbox?show=new&type=update").text
    assert page.count('class="hub-row"') == 50
    assert 'New <span class="hub-count">(52)</span>' in page
    more = page.partition("/inbox?show=new&amp;type=update&amp;after=")[2].partition('"')[0]
    rest = client.get(f"/inbox?show=new&type=update&after={more}").text
    assert rest.count('class="hub-row"') == 2
    assert all((ref in page) ^ (ref in rest) for ref in references)
    assert client.get(f"/inbox?q={references[3].lower()}").text.count('class="hub-row"') == 1
    assert client.get("/inbox?urgent=yes").text.count('class="hub-row') == 0
    board = client.get("/board").text
    assert board.count('data-label="Case"') == 50
    after = board.partition("/board?after=")[2].partition('"')[0]
    assert client.get(f"/board?after={after}").text.count('data-label="Case"') == 2
    for nonsense in ("x", "WyJhIiwiYiIsImMiXQ", "W3RydWUsMSwyXQ", "WzEsMiwzXQ"):
        assert client.get(f"/inbox?after={nonsense}").status_code == 422, nonsense
        assert client.get(f"/board?after={nonsense}").status_code == 422, nonsense
