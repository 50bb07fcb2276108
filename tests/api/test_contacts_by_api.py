"""A partner system keeps its own organisation's contacts, and overwrites nothing that it has not seen."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select, text

from directory import holder, problems
from directory.model import ContactPoint, DirectoryChange
from hub.clock import utcnow
from hub.db import Database
from tests.api.conftest import Partner
from tests.api.test_directory_api import API, add
from tests.conftest import Someone

SCOPE = "directory:read directory:write cases:read"
GIVEN = {
    "purpose": "coordinator", "channel": "telephone", "value": "01632960001",
    "audience": "professional", "why": "EXERCISE: a new desk",
    "hours": [{"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "18:00"}],
}  # fmt: skip
HERE = f"{API}/units/kent/east/contacts"


@pytest.fixture
def kent(
    app: Flask, partner: Callable[..., Partner], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Partner]:
    monkeypatch.setattr(holder, "POLL_SECONDS", 0.0)
    return partner("kent", SCOPE)


def added(kent: Partner, **fields: object) -> str:
    reply = kent.post(HERE, {**GIVEN, **fields})
    assert reply.status_code == 201, reply.text
    return f"{API}/contacts/{reply.get_json()['id']}"


def test_a_contact_is_added_once_unverified_with_who_and_why(
    kent: Partner, database: Database
) -> None:
    first, again = kent.post(HERE, GIVEN, "k-1"), kent.post(HERE, GIVEN, "k-1")
    assert (first.status_code, first.headers["ETag"]) == (201, '"1"')
    assert again.get_json() == first.get_json()
    shown = kent.get(f"{API}/contacts/{first.get_json()['id']}").get_json()
    assert (shown["value"], shown["verification"]) == ("01632 960001", "unverified")
    assert shown["hours"] == GIVEN["hours"]
    with database.unit_of_work() as session:
        change = session.scalars(
            select(DirectoryChange).order_by(DirectoryChange.id.desc()).limit(1)
        ).one()
    assert (change.who, change.why) == ("EXERCISE kent", GIVEN["why"])
    assert kent.post(HERE, GIVEN).get_json()["code"] == "contact-there"


def test_the_etag_of_a_contact_is_what_a_change_names(kent: Partner) -> None:
    path = added(kent)
    tag = kent.get(path).headers["ETag"]
    changed = kent.send("PUT", path, {**GIVEN, "value": "01632 960002"}, **{"If-Match": tag})
    assert (changed.status_code, changed.get_json()["version"]) == (200, 2)
    assert kent.get(path).get_json()["value"] == "01632 960002"
    assert kent.get(path).headers["ETag"].startswith('"2-')
    follow = kent.send("PUT", path, GIVEN, **{"If-Match": changed.headers["ETag"]})
    assert follow.get_json()["version"] == 3


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("tag", [None, "*", ""])
def test_without_a_version_nothing_is_changed(kent: Partner, method: str, tag: str | None) -> None:
    path = added(kent)
    body = GIVEN if method == "PUT" else {"why": "EXERCISE"}
    headers = {} if tag is None else {"If-Match": tag}
    reply = kent.send(method, path, body, **headers)
    assert (reply.status_code, reply.get_json()["code"]) == (428, "if-match-required")
    assert kent.get(path).get_json()["version"] == 1


@pytest.mark.parametrize("tag", ['"1"', 'W/"2"', '"x"', '"22"', ",", '"1", "3"'])
def test_who_comes_second_gets_both_versions_and_overwrites_nothing(
    kent: Partner, tag: str
) -> None:
    path = added(kent)
    kent.send("PUT", path, {**GIVEN, "value": "01632 960002"}, **{"If-Match": '"1"'})
    mine = {**GIVEN, "value": "01632 960003"}
    late = kent.send("PUT", path, mine, **{"If-Match": tag})
    problem = late.get_json()
    assert (late.status_code, problem["code"]) == (412, "changed-meanwhile")
    assert late.mimetype == "application/problem+json"
    assert (problem["version"], problem["present"]["value"]) == (2, "01632 960002")
    assert problem["yours"]["value"] == "01632 960003"
    assert kent.get(path).get_json()["value"] == "01632 960002"
    closing = kent.send("DELETE", path, {"why": "EXERCISE"}, **{"If-Match": tag})
    assert (closing.status_code, closing.get_json()["yours"]) == (412, None)
    right = kent.send("PUT", path, mine, **{"If-Match": f'"7", "{problem["version"]}"'})
    assert right.status_code == 200


def test_a_report_in_between_is_no_other_version(
    kent: Partner, database: Database, someone: Someone
) -> None:
    path = added(kent)
    tag = kent.get(path).headers["ETag"]
    with database.unit_of_work() as session:
        contact = session.scalars(select(ContactPoint).where(ContactPoint.value == "01632 960001"))
        problems.report(
            session, someone("essex", status="actual"), contact.one().id, kind="rang-out",
            note="", now=utcnow(),
        )  # fmt: skip
    assert kent.get(path).headers["ETag"] != tag
    reply = kent.send("PUT", path, {**GIVEN, "note": "Ring twice"}, **{"If-Match": tag})
    assert reply.status_code == 200


def test_deleting_closes_and_keeps(kent: Partner, database: Database) -> None:
    path = added(kent)
    closed = kent.send("DELETE", path, {"why": "EXERCISE: moved"}, **{"If-Match": '"1"'})
    assert (closed.status_code, closed.get_json()["version"]) == (200, 2)
    assert kent.get(path).status_code == 404
    with database.unit_of_work() as session:
        row = session.execute(
            text("SELECT closed_at IS NOT NULL FROM contact_point WHERE value = '01632 960001'")
        ).one()
    assert row == (True,)
    again = kent.send("DELETE", path, {"why": "EXERCISE: moved"}, **{"If-Match": '"2"'})
    assert (again.status_code, again.get_json()["code"]) == (409, "contact-closed")


def test_a_partner_keeps_its_own_organisation_alone(
    kent: Partner, partner: Callable[..., Partner], database: Database
) -> None:
    path, other = added(kent), partner("essex", SCOPE)
    with database.unit_of_work() as session:  # what is delegated is delegated to people
        session.execute(
            text("INSERT INTO directory_delegation SELECT gen_random_uuid(), k.id, e.id, 'x', now()"
                 " FROM organisation k, organisation e WHERE k.code = 'kent' AND e.code = 'essex'")
        )  # fmt: skip
    assert other.post(HERE, GIVEN).status_code == 403
    for method, body in (("PUT", GIVEN), ("DELETE", {"why": "EXERCISE"})):
        reply = other.send(method, path, body, **{"If-Match": '"9"'})
        assert reply.status_code == 403
        assert "01632" not in reply.text
    reader = partner("kent", "directory:read")
    reply = reader.post(HERE, GIVEN)
    assert (reply.status_code, reply.get_json()["code"]) == (403, "insufficient-scope")


def test_what_is_wrong_is_named(kent: Partner, database: Database) -> None:
    for fields, pointer in (
        ({"why": ""}, "/why"),
        ({"why": "  x  "}, "/why"),
        ({"value": "12"}, "/value"),
        ({"channel": "email"}, "/value"),
        ({"hours": [{"days": [8], "opens": "08:00", "closes": "18:00"}]}, "/hours"),
        ({"status": "exercise"}, "/status"),
    ):
        reply = kent.post(HERE, {**GIVEN, **fields})
        assert reply.status_code == 422, fields
        assert reply.get_json()["errors"][0]["pointer"] == pointer
    assert kent.post(f"{API}/units/nowhere/contacts", GIVEN).status_code == 404
    exercise = add(database, "kent/east", value="01632 960099", status="exercise")
    reply = kent.send("PUT", f"{API}/contacts/{exercise.id}", GIVEN, **{"If-Match": '"1"'})
    assert reply.status_code == 404
    with database.unit_of_work() as session:
        session.execute(text("UPDATE unit SET valid_to = '2026-01-01' WHERE code = 'kent/east'"))
    assert kent.post(HERE, GIVEN).get_json()["code"] == "unit-ended"


def test_what_looks_personal_is_kept_with_a_warning(kent: Partner) -> None:
    reply = kent.post(HERE, {**GIVEN, "channel": "mobile", "value": "07700900123"})
    assert reply.status_code == 201
    assert "is a mobile number" in reply.get_json()["warnings"][0]
