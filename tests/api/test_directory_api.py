"""The directory as documents: by audience, page by page, with old identifiers, and no read twice."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from directory import holder, problems, reorganisations
from directory.model import Area, ContactPoint
from directory.reorganising import ReorganisationIn
from hub.clock import LONDON, utcnow
from hub.db import Database
from hub.organisations import Organisation, find_unit
from hub.web import ratelimit
from tests.api.conftest import Partner
from tests.conftest import Someone

API = "/api/v1/directory"
TIERS = {"public": "01632 960001", "professional": "01632 960002", "police": "01632 960003"}


@pytest.fixture
def client(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    monkeypatch.setattr(ratelimit, "PUBLIC_PER_WINDOW", 1_000_000)
    monkeypatch.setattr(holder, "POLL_SECONDS", 0.0)
    with app.test_client() as client:
        yield client


def add(database: Database, code: str, **values: object) -> ContactPoint:
    now = utcnow()
    plain: dict[str, object] = {
        "purpose": "missing-children-team", "channel": "telephone", "audience": "public",
        "valid_from": now.date() - timedelta(days=2), "source": "the test",
        "source_date": "2026-11-01",
    }  # fmt: skip
    with database.unit_of_work() as session:
        unit = find_unit(session, code)
        assert unit is not None
        contact = ContactPoint(unit_id=unit.id, **(plain | values))
        session.add(contact)
    return contact


def shown(reply: Any) -> set[str]:
    assert reply.status_code == 200, reply.text
    return {one["value"] for one in reply.get_json()["contacts"]}


def test_each_audience_sees_its_contacts_and_an_exercises_are_never_there(
    client: FlaskClient, database: Database, partner: Callable[..., Partner]
) -> None:
    for audience, value in TIERS.items():
        add(database, "kent/east", value=value, audience=audience)
    add(database, "kent/east", value="01632 960099", status="exercise")
    path = f"{API}/units/kent/east"
    police = partner("metropolitan/central-north")
    council = partner("E10000016/childrens-social-care")
    of_police = partner("metropolitan/central-north", "directory:read")
    of_council = partner("E10000016/childrens-social-care", "directory:read")
    assert shown(client.get(path)) == {TIERS["public"]}
    for reader in (council, of_council):
        assert shown(reader.get(path)) == {TIERS["public"], TIERS["professional"]}
    for reader in (police, of_police):
        assert shown(reader.get(path)) == set(TIERS.values())
    for method, rest in (("POST", f"{path}/contacts"), ("GET", "/api/v1/inbox")):
        assert of_police.send(method, rest, {}).status_code == 403


def test_what_is_unchanged_is_not_sent_again_and_tags_are_an_audiences(
    client: FlaskClient, database: Database, partner: Callable[..., Partner]
) -> None:
    add(database, "kent/east", value=TIERS["police"], audience="police")
    police, path = partner("metropolitan/central-north"), f"{API}/units/kent/east"
    open_, theirs = client.get(path), police.get(path)
    assert open_.headers["ETag"] != theirs.headers["ETag"]
    for reply in (open_, theirs):
        assert reply.headers["Vary"] == "Authorization"
        assert "no-cache" in reply.headers["Cache-Control"]
    assert "private" in theirs.headers["Cache-Control"]
    again = police.get(path, **{"If-None-Match": theirs.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == theirs.headers["ETag"]
    assert police.get(path, **{"If-None-Match": open_.headers["ETag"]}).status_code == 200
    add(database, "kent/east", value=TIERS["public"])
    assert police.get(path, **{"If-None-Match": theirs.headers["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    ("kind", "least"), [("organisations", 200), ("units", 600), ("areas", 318)]
)
def test_pages_hold_everything_once_in_order(client: FlaskClient, kind: str, least: int) -> None:
    codes: list[str] = []
    path: str | None = f"{API}/{kind}?limit=200"
    while path:
        reply = client.get(path)
        document = reply.get_json()
        codes += [one.get("lad_code") or one["code"] for one in document[kind]]
        link = reply.headers.get("Link", "")
        assert bool(link) == (document["next"] is not None)
        path = link.partition(">")[0].strip("<") or None
    assert codes == sorted(set(codes))
    assert len(codes) >= least


def test_units_of_one_organisation(client: FlaskClient) -> None:
    found = client.get(f"{API}/units?organisation=kent").get_json()["units"]
    assert {one["organisation"] for one in found} == {"kent"}
    assert "kent/east" in {one["code"] for one in found}
    assert client.get(f"{API}/units?organisation=nowhere").status_code == 404


def test_a_district_names_its_force_council_and_units_by_any_code_it_had(
    client: FlaskClient, database: Database
) -> None:
    found = client.get(f"{API}/areas/E07000106").get_json()
    assert (found["name"], found["force_id"], found["council"]) == (
        "Canterbury", "kent", "E10000016",
    )  # fmt: skip
    assert "kent/east" in {one["code"] for one in found["units"]}
    east = client.get(f"{API}/units/kent/east").get_json()
    assert "E07000106" in {one["lad_code"] for one in east["covers"]}
    with database.unit_of_work() as session:
        district = next(one for one in session.query(Area) if one.previous_codes)
        former = district.previous_codes[0]
    assert client.get(f"{API}/areas/{former}").get_json()["lad_code"] == district.code


@pytest.mark.parametrize("kind", ["organisations", "units", "areas"])
def test_what_is_not_there_is_a_404_that_says_so(client: FlaskClient, kind: str) -> None:
    for identifier in ("nowhere", "00000000-0000-0000-0000-000000000000", "%00"):
        reply = client.get(f"{API}/{kind}/{identifier}")
        assert (reply.status_code, reply.get_json()["code"]) == (404, "not-found")
    assert client.get(f"{API}/{kind}?cursor=nonsense").get_json()["code"] == "cursor"


def test_a_unit_that_is_no_more_answers_with_what_took_its_place(
    client: FlaskClient, database: Database, someone: Someone
) -> None:
    today = utcnow().astimezone(LONDON).date()
    editor = someone("kent", "directory-editor", status="actual")
    with database.unit_of_work() as session:
        east, west = find_unit(session, "kent/east"), find_unit(session, "kent/west")
        assert east is not None
        assert west is not None
    merge = ReorganisationIn(
        kind="merge", effective_on=today + timedelta(days=1), units=[east.id, west.id],
        name="EXERCISE Garden",
    )  # fmt: skip
    with database.unit_of_work() as session:
        reorganisations.reorganise(
            session, editor, east.organisation_id, merge, why="EXERCISE merger", now=utcnow()
        )
    before = client.get(f"{API}/units/kent/east").get_json()
    assert before["valid_to"] == (today + timedelta(days=1)).isoformat()
    assert [one["code"] for one in before["successors"]] == ["kent/exercise-garden"]
    assert client.get(f"{API}/units/{east.id}").get_json() == before
    heir = client.get(f"{API}/units/{before['successors'][0]['id']}").get_json()
    assert heir["valid_from"] == before["valid_to"]
    districts = [{one["lad_code"] for one in unit["covers"]} for unit in (before, heir)]
    assert "E07000106" in districts[0] & districts[1]
    assert {one["code"] for one in client.get(f"{API}/areas/E07000106").get_json()["units"]} >= {
        "kent/east", "kent/exercise-garden",
    }  # fmt: skip


def test_dated_and_closed_contacts_say_so(client: FlaskClient, database: Database) -> None:
    today = utcnow().astimezone(LONDON).date()
    add(database, "kent/east", value="01632 960004", valid_from=today + timedelta(days=3))
    add(database, "kent/east", value="01632 960005", valid_to=today + timedelta(days=3))
    add(database, "kent/east", value="01632 960006", valid_to=today, closed_at=utcnow())
    contacts = client.get(f"{API}/units/kent/east").get_json()["contacts"]
    dates = {one["value"]: (one["valid_from"], one["valid_to"]) for one in contacts}
    assert dates["01632 960004"] == ((today + timedelta(days=3)).isoformat(), None)
    assert dates["01632 960005"][1] == (today + timedelta(days=3)).isoformat()
    assert "01632 960006" not in dates


def test_a_contact_says_what_its_readers_reported(
    client: FlaskClient, database: Database, someone: Someone
) -> None:
    number = add(database, "kent/east", value="01632 960001")
    at = utcnow()
    for unit in ("metropolitan/central-north", "metropolitan/central-north", "essex"):
        person = someone(unit, status="actual")
        with database.unit_of_work() as session:
            problems.report(session, person, number.id, kind="rang-out", note="", now=at)
    found = client.get(f"{API}/contacts/{number.id}").get_json()
    assert (found["reports"], found["verification"]) == (3, "unverified")
    assert found["lowered"] is True
    assert found["unit_id"] == str(number.unit_id)
    rung = next(
        one
        for one in client.get(f"{API}/lookup?unit=kent/east").get_json()["ladder"]
        if one["value"] == "01632 960001"
    )
    assert rung["contact_id"] == str(number.id)
    assert (rung["standing"]["lowered"], rung["standing"]["reports"]) == (True, 3)
    assert "reported 01632 960001 as wrong" in " ".join(rung["standing"]["words"])


def test_a_contact_of_another_audience_is_not_there(
    client: FlaskClient, database: Database
) -> None:
    hidden = add(database, "kent/east", value=TIERS["police"], audience="police")
    exercise = add(database, "kent/east", value="01632 960099", status="exercise")
    for one in (hidden, exercise):
        assert client.get(f"{API}/contacts/{one.id}").status_code == 404


def test_an_organisation_by_code_and_uuid(client: FlaskClient, database: Database) -> None:
    with database.unit_of_work() as session:
        kent = session.query(Organisation).filter_by(code="kent").one()
    found = client.get(f"{API}/organisations/kent").get_json()
    assert (found["id"], found["name"]) == (str(kent.id), "Kent Police")
    assert client.get(f"{API}/organisations/{kent.id}").get_json() == found
    assert client.get(f"{API}/organisations/KENT").get_json() == found
