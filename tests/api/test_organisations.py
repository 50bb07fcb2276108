"""An organisation's page and its API: seen, changed with a reason, nobody overwritten, put back."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from directory import holder
from directory.model import DirectoryChange
from hub.clock import LONDON, utcnow
from hub.db import Database
from hub.identity.actor import PUBLIC, Actor
from hub.organisations import find_organisation
from tests.api.conftest import Partner
from tests.api.test_directory_api import API, add
from tests.api.test_unit_page import said
from tests.conftest import Someone

KENT = "/directory/organisations/kent"


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> list[Actor]:
    """Return the list whose last actor is signed in."""
    monkeypatch.setattr(holder, "POLL_SECONDS", 0.0)
    actors: list[Actor] = [PUBLIC]
    monkeypatch.setattr("hub.web.guards.from_cookie", lambda: actors[-1])
    return actors


@pytest.fixture
def client(app: Flask, acting: list[Actor]) -> Iterator[FlaskClient]:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_client() as client:
        yield client


def test_a_page_shows_it_and_its_administrator_keeps_its_names_alone(
    client: FlaskClient, acting: list[Actor], someone: Someone
) -> None:
    assert "Kent Police" in said(client.get(KENT))
    assert "Change this organisation" not in said(client.get(KENT))
    assert client.get(f"{KENT}/edit").status_code == 302
    assert client.get("/directory/organisations/nowhere").status_code == 404
    acting.append(someone("kent", "officer", status="actual"))
    for path in ("edit", "history/1/revert"):
        assert client.post(f"{KENT}/{path}", data={"name": "EXERCISE"}).status_code in (403, 404)
    acting.append(someone("kent", "administrator", status="actual"))
    form = {"version": "1", "name": "EXERCISE Kent", "name_welsh": "", "other_names": "Garden"}
    wrong = client.post(f"{KENT}/edit", data=form)
    assert (wrong.status_code, 'href="#why"' in wrong.text) == (422, True)
    assert 'value="EXERCISE Kent"' in wrong.text
    assert "national administrators" in said(wrong)
    form["why"] = "EXERCISE: renamed"
    meanwhile = client.post(f"{KENT}/edit", data={**form, "version": "0"})
    assert meanwhile.status_code == 409
    assert "Name. On record now: Kent Police. Yours: EXERCISE Kent." in said(meanwhile)
    done = client.post(f"{KENT}/edit", data=form, follow_redirects=True)
    today = utcnow().astimezone(LONDON).date()
    assert f"Kent Police (until {today.day} {today:%B %Y})" in said(done)
    history = client.get(f"{KENT}/history")
    assert "EXERCISE: renamed" in said(history)
    undo = re.search(r'action="([^"]+/revert)"', history.text)
    assert undo is not None
    back = client.post(undo[1], data={"version": "2", "why": "not yet"}, follow_redirects=True)
    assert "EXERCISE Kent" not in said(back)
    assert client.post(undo[1], data={"version": "2", "why": "again"}).status_code == 409


def test_a_national_administrator_keeps_days_and_parent(
    client: FlaskClient, acting: list[Actor], someone: Someone, database: Database
) -> None:
    acting.append(someone("kent", "national-administrator", status="actual"))
    day = utcnow().astimezone(LONDON).date() + timedelta(days=9)
    form = {
        "version": "1", "name": "Kent Police", "name_welsh": "", "other_names": "",
        "parent": "Essex Police", "valid_from": "2025-04-01", "valid_to": day.isoformat(),
        "why": "EXERCISE: the two are one",
    }  # fmt: skip
    wrong = client.post(f"{KENT}/edit", data=form)
    assert (wrong.status_code, 'href="#valid_to"' in wrong.text) == (422, True)
    for fields in ({"valid_to": "soon"}, {"valid_from": ""}, {"parent": "Nobody"}, {"name": "x"}):
        reply = client.post(f"{KENT}/edit", data={**form, **fields})
        assert (reply.status_code, f'href="#{next(iter(fields))}"' in reply.text) == (422, True)
    form["valid_to"] = ""
    done = client.post(f"{KENT}/edit", data=form, follow_redirects=True)
    assert "Part of Essex Police" in said(done)
    assert "Its parts Kent Police" in said(client.get("/directory/organisations/essex"))
    assert "Part of nothing Essex Police" in said(client.get(f"{KENT}/history"))
    shown = client.get(f"{API}/organisations/kent").get_json()
    assert (shown["parent"], shown["version"]) == ("essex", 2)
    add(database, "kent/east", value="01632 960001")
    services = client.get("/oruk/services?per_page=200").get_json()["contents"]
    (of_east,) = [one for one in services if one["name"].startswith("East Kent")]
    whole = client.get(f"/oruk/services/{of_east['id']}").get_json()["organization"]
    essex = client.get(f"{API}/organisations/essex").get_json()
    assert whole["parent_organization_id"] == essex["id"]
    assert "parent_organization_id" not in of_east["organization"]


def test_a_system_keeps_its_own_organisations_names_and_overwrites_nothing_unseen(
    client: FlaskClient, partner: Callable[..., Partner], database: Database
) -> None:
    kent = partner("kent", "directory:read directory:write")
    path = f"{API}/organisations/kent"
    held = kent.get(path)
    names = ("name", "name_welsh", "other_names", "parent", "valid_from", "valid_to")
    given = {name: held.get_json()[name] for name in names} | {"why": "EXERCISE: renamed"}
    tag = {"If-Match": held.headers["ETag"]}
    mine = {**given, "name": "EXERCISE Kent", "other_names": ["Garden"]}
    assert kent.send("PUT", path, mine).status_code == 428
    done = kent.send("PUT", path, mine, **tag)
    assert (done.status_code, done.headers["ETag"]) == (200, '"2"')
    shown = kent.get(path)
    assert (shown.get_json()["name"], shown.headers["ETag"][:3]) == ("EXERCISE Kent", '"2-')
    assert shown.get_json()["former_names"][-1] == "Kent Police"
    late = kent.send("PUT", path, mine, **tag)
    problem = late.get_json()
    assert (late.status_code, problem["code"]) == (412, "changed-meanwhile")
    assert (problem["present"]["version"], problem["yours"]["name"]) == (2, "EXERCISE Kent")
    tag = {"If-Match": '"2"'}
    for more, status, pointer in (
        ({"name": ""}, 422, "/name"), ({"parent": "nowhere"}, 422, "/parent"),
        ({"valid_to": "x"}, 422, "/valid_to"), ({"code": "x"}, 422, "/code"),
        ({"valid_from": "2025-04-02"}, 403, None), ({"parent": "essex"}, 403, None),
    ):  # fmt: skip
        reply = kent.send("PUT", path, {**mine, **more}, **tag)
        assert reply.status_code == status, (more, reply.text)
        if pointer:
            assert reply.get_json()["errors"][0]["pointer"] == pointer
    other = kent.send("PUT", f"{API}/organisations/essex", given, **{"If-Match": '"1"'})
    assert other.status_code == 403
    nowhere = kent.send("PUT", f"{API}/organisations/nowhere", given, **{"If-Match": '"1"'})
    assert nowhere.status_code == 404
    with database.unit_of_work() as session:
        there = find_organisation(session, "kent")
        assert there is not None
        change = session.scalars(
            select(DirectoryChange)
            .where(DirectoryChange.object_id == there.id)
            .order_by(DirectoryChange.id.desc())
            .limit(1)
        ).one()
    assert (change.who, change.why) == ("EXERCISE kent", "EXERCISE: renamed")
