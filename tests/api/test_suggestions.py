"""Suggestions over HTTP: names for everybody, none for postcodes, and a limit of their own."""

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient

from directory.pages import suggesting
from hub.db import Database
from hub.web import ratelimit

PATH = "/directory/suggestions"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def names(client: FlaskClient, typed: str, at: str = "") -> list[str]:
    reply = client.get(PATH, query_string={"q": typed, "at": at})
    assert reply.status_code == 200
    return [one["name"] for one in reply.get_json()["suggestions"]]


def test_each_has_a_code_to_look_up_a_name_and_what_it_is(client: FlaskClient) -> None:
    reply = client.get(PATH, query_string={"q": "caerd"})
    assert reply.get_json()["suggestions"][0] == {
        "code": "W06000015",
        "name": "Cardiff",
        "about": "district, South Wales Police, part of the Welsh name “Caerdydd”",
    }
    assert reply.headers["Cache-Control"] == "private, max-age=60"
    assert names(client, "hackn")[0] == "Hackney"
    plain = client.get(PATH, query_string={"q": "hackn"}).get_json()["suggestions"][0]
    assert plain["about"] == "district, Metropolitan Police Service"


def test_what_is_suggested_is_what_its_code_answers(client: FlaskClient) -> None:
    for typed in ("ha", "kent", "south", "gmp", "dors", "devon", "missing", "national"):
        for one in client.get(PATH, query_string={"q": typed}).get_json()["suggestions"]:
            reply = client.get("/api/v1/directory/lookup", query_string={"q": one["code"]})
            found = reply.get_json()
            assert reply.status_code == 200, one
            assert found["call_now"], one
            said = {(found["area"] or {}).get("name"), (found["area"] or {}).get("council"),
                    found["force"]["name"], (found["unit"] or {}).get("name")}  # fmt: skip
            assert one["name"] in said or one["about"].startswith("council"), one


@pytest.mark.parametrize(
    "typed", ["s1", "sw1a", "SW1A 1", "sw1a 1aa", "SW1A1AA", "m1  1a", " e10 ", "CT1 2RB"]
)
def test_a_postcode_is_left_alone(client: FlaskClient, typed: str) -> None:
    assert names(client, typed) == []


@pytest.mark.parametrize("typed", ["", "x", "\0", "'; DROP TABLE unit;--", "😀", "x" * 10_000, "%"])
def test_nothing_is_suggested_for_nothing_near(client: FlaskClient, typed: str) -> None:
    assert names(client, typed) == []


def test_they_are_of_the_moment_that_was_asked(client: FlaskClient, database: Database) -> None:
    assert names(client, "hackn", "2031-01-01T03:00")[0] == "Hackney"
    assert names(client, "hackn", "never") == []


def test_typing_takes_nothing_from_the_look_ups_and_has_a_limit(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ratelimit, "WINDOW_SECONDS", 10**9)  # the minute does not turn meanwhile
    monkeypatch.setattr(ratelimit, "PUBLIC_PER_WINDOW", 1)
    monkeypatch.setattr(suggesting, "PER_WINDOW", 5)
    address = {"REMOTE_ADDR": "192.0.2.77"}
    for _ in range(5):
        reply = client.get(PATH, query_string={"q": "hackn"}, environ_overrides=address)
        assert json.loads(reply.data)["suggestions"]
    refused = client.get(PATH, query_string={"q": "hackn"}, environ_overrides=address)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert client.get("/?q=hackney", environ_overrides=address).status_code == 200
    other = {"REMOTE_ADDR": "192.0.2.78"}
    assert client.get(PATH, query_string={"q": "ha"}, environ_overrides=other).status_code == 200


def test_the_page_says_why_each_match_was_found(client: FlaskClient) -> None:
    page = client.get("/?q=kingston").text
    assert "Which do you mean?" in page
    assert "part of the name “Kingston upon Thames”" in page
    assert "Found by district (Welsh name: Caerdydd)." in client.get("/?q=Caerdydd").text
    beside = client.get("/?q=Dorset").text
    assert "Or:" in beside
    found = client.get("/api/v1/directory/lookup?q=kingston").get_json()
    assert {one["why"] for one in found["matches"]} >= {"part of the name “Kingston upon Thames”"}
    found = client.get("/api/v1/directory/lookup?q=Caerdydd").get_json()
    assert found["match"]["why"] == "Welsh name: Caerdydd"


def test_two_forces_units_of_one_name_are_a_choice(client: FlaskClient) -> None:
    found = client.get("/api/v1/directory/lookup?q=South").get_json()
    assert found["call_now"] is None
    assert {one["code"] for one in found["matches"]} >= {"essex/south", "warwickshire/south"}
