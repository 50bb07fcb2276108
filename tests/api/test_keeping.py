"""Small things of keeping the directory: closed on a later day, tables that spreadsheets read."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from directory import access, changes, contact_csv, holder
from directory.pages import nation
from hub.clock import LONDON, utcnow
from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.identity.naming import organisation_and_unit
from hub.organisations import find_organisation, find_unit
from tests.api.test_directory_api import add
from tests.api.test_unit_page import said
from tests.conftest import Someone
from tests.worlds import refused


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> list[Actor]:
    monkeypatch.setattr(holder, "POLL_SECONDS", 0.0)
    actors: list[Actor] = []
    monkeypatch.setattr("hub.web.guards.from_cookie", lambda: actors[-1])
    return actors


@pytest.fixture
def client(app: Flask, acting: list[Actor]) -> Iterator[FlaskClient]:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_client() as client:
        yield client


def test_a_contact_is_closed_on_a_later_day_and_rung_until_then(
    client: FlaskClient, acting: list[Actor], someone: Someone, database: Database
) -> None:
    contact = add(database, "kent/east", value="01632 960001")
    unit = f"/directory/units/{contact.unit_id}"
    acting.append(someone("kent", "directory-editor", status="actual"))
    today = utcnow().astimezone(LONDON).date()
    day = today + timedelta(days=9)
    form = {"do": "close", "why": "the desk moves", "version": "1", "value": "01632 960001"}
    there = f"{unit}/contacts/{contact.id}"
    for typed in ("soon", (today - timedelta(days=1)).isoformat()):
        wrong = client.post(there, data={**form, "on": typed})
        assert (wrong.status_code, 'href="#on"' in wrong.text) == (422, True)
        assert f'value="{typed}"' in wrong.text
    done = client.post(there, data={**form, "on": day.isoformat()}, follow_redirects=True)
    assert f"closed from {day.day} {day:%B %Y}" in said(done)
    assert f"01632 960001, from {day.day} {day:%B %Y}." in said(done)
    assert "01632 960001" in said(client.get(unit))
    at = f"{day}T12:00"
    assert "01632 960001" not in said(client.get(f"/?q=kent/east&at={at}"))


def test_the_state_of_the_nation_is_a_table_with_londons_days(
    client: FlaskClient, acting: list[Actor], someone: Someone, database: Database
) -> None:
    acting.append(someone("npcc/missing-persons", "adjudicator", status="actual"))
    contact = add(database, "kent/east", value="01632 960001")
    with database.unit_of_work() as session:
        session.execute(
            text("UPDATE contact_point SET verification = 'verified', verified_by = 'x',"
                 " verified_at = :at WHERE id = :id"),
            {"at": datetime(2026, 7, 1, 23, 30, tzinfo=UTC), "id": contact.id},
        )  # fmt: skip
    reply = client.get("/directory/nation.csv")
    assert reply.data.startswith(b"\xef\xbb\xbfforce,")
    assert reply.data.count(b"\r\n") == reply.data.count(b"\n")
    rows = list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))
    (east,) = [row for row in rows if row["unit_code"] == "kent/east"]
    assert east["oldest_verification"] == "2026-07-02"


def test_a_file_of_invitations_is_taken_whole_or_refused(
    client: FlaskClient, acting: list[Actor], someone: Someone, database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for module in (contact_csv, nation):
        monkeypatch.setattr(module, "MOST_BYTES", 1000)
    acting.append(someone("npcc/missing-persons", "adjudicator", status="actual"))
    lines = b"kent,team@kent.example.org\n"
    long = lines + b"x" * 1000
    for content, sentence in (
        (long, "larger than"), (b"PK\x03\x04", "workbook"), (b"", "empty"),
    ):  # fmt: skip
        wrong = client.post(
            "/directory/nation/invitations", data={"file": (io.BytesIO(content), "forces.csv")}
        )
        assert (wrong.status_code, sentence in said(wrong)) == (422, True)
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM directory_link")).scalar_one() == 0
    done = client.post(
        "/directory/nation/invitations", data={"file": (io.BytesIO(lines), "forces.csv")}
    )
    assert done.status_code == 303


def test_a_mail_domain_is_one_organisations(database: Database, someone: Someone) -> None:
    administrator = someone("npcc/missing-persons", "national-administrator", status="actual")

    def register(code: str, *domains: str) -> None:
        with database.unit_of_work() as session:
            found = find_organisation(session, code)
            assert found is not None
            access.set_domains(session, administrator, found, list(domains), utcnow())

    register("kent", "kent.example.org")
    register("kent", "kent.example.org", "police.example.org")
    with database.unit_of_work() as session:
        kent = find_organisation(session, "kent")
        assert kent is not None
        last = changes.of_organisation(session, kent.id)[0]
        assert (last.who, last.why) == (administrator.name, "who may register to read")
    taken = refused("domains", lambda: register("essex", "Police.example.org"))
    assert taken.sentence.startswith("police.example.org is registered for Kent Police.")

    def by_hand() -> None:
        with database.unit_of_work() as session:
            session.execute(
                text("UPDATE organisation SET mail_domains = '{kent.example.org}'"
                     " WHERE code = 'essex'")
            )  # fmt: skip

    refused("domain-taken", by_hand)
    register("kent")
    register("essex", "police.example.org")


def test_who_names_an_organisation_by_its_name_is_told_its_code(database: Database) -> None:
    def nearest(organisation: str, unit: str | None = None) -> str:
        with database.unit_of_work() as session, pytest.raises(HubError) as caught:
            organisation_and_unit(session, organisation, unit)
        return caught.value.sentence

    assert "The nearest: E09000019 (Islington)" in nearest("islington")
    assert "metropolitan (Metropolitan Police" in nearest("metropolitain")
    assert "kent/east (East Kent)" in nearest("kent", "east kent")
    assert nearest("zzzz") == "There is no organisation “zzzz”."


def test_a_merger_to_come_is_seen_and_withdrawn(
    client: FlaskClient, acting: list[Actor], someone: Someone, database: Database
) -> None:
    acting.append(someone("kent", "directory-editor", status="actual"))
    page = "/directory/forces/kent/planned"
    assert "Nothing: no change" in said(client.get(page))
    day = utcnow().astimezone(LONDON).date() + timedelta(days=30)
    with database.unit_of_work() as session:
        units = [find_unit(session, f"kent/{one}") for one in ("east", "west")]
        form = {"kind": "merge", "effective_on": day.isoformat(), "name": "EXERCISE Joined",
                "units": [str(one.id) for one in units if one], "why": "one team"}  # fmt: skip
    done = client.post("/directory/forces/kent/reorganise", data={**form, "do": "carry-out"})
    assert done.status_code == 303
    shown = said(client.get(page))
    assert f"On record from {day.day} {day:%B %Y}" in shown
    assert "Units that end East Kent, West Kent" in shown
    assert "Units that begin EXERCISE Joined" in shown
    for data, status in (({}, 409), ({"day": day.isoformat()}, 422)):
        wrong = client.post(page, data={**data, "why": ""})
        assert (wrong.status_code, 'href="#why"' in wrong.text) == (status, True)
    given = {"day": day.isoformat(), "why": "not agreed"}
    back = client.post(page, data=given, follow_redirects=True)
    assert "The change is withdrawn." in said(back)
    assert "Nothing: no change" in said(client.get(page))
    acting.append(someone("essex", "directory-editor", status="actual"))
    assert client.get(page).status_code == 403
    assert client.post(page, data=given).status_code == 403


def test_a_units_names_are_put_back_from_its_history(
    client: FlaskClient, acting: list[Actor], someone: Someone, database: Database
) -> None:
    acting.append(someone("kent", "directory-editor", status="actual"))
    with database.unit_of_work() as session:
        east = find_unit(session, "kent/east")
        assert east is not None
        unit = f"/directory/units/{east.id}"
        form = {"version": str(east.version), "kind_label": "division", "other_names": "Thanet",
                "why": "what people say"}  # fmt: skip
    assert client.post(f"{unit}/names", data=form).status_code == 303
    history = client.get(f"{unit}/history").text
    undo, version = re.findall(
        r'action="([^"]+/revert)".*?name="version" value="(\d+)"', history, re.S
    )[0]
    given = {"version": version, "why": "a mistake"}
    assert "It is put back." in said(client.post(undo, data=given, follow_redirects=True))
    assert "Thanet" not in said(client.get(unit)).partition("Contacts")[0]
