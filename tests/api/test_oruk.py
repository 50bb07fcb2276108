"""The public tier as Open Referral UK: what a reader of HSDS needs is there, and nothing else is.

SHAPES says in our own words what the profile asks of each object: `!` is required.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from directory import holder
from hub.app import create_app
from hub.db import Database
from hub.records.keys import Keys
from hub.settings import Settings
from hub.web import ratelimit
from tests.api.test_directory_api import add

SHAPES: dict[str, dict[str, str]] = {
    "listed": {
        "id": "!uuid", "organization_id": "uuid", "name": "!text", "description": "text",
        "url": "uri", "email": "email", "status": "!status", "assured_date": "date",
        "alert": "text", "organization": "organization",
    },
    "organization": {
        "id": "!uuid", "name": "!text", "description": "!text", "website": "uri", "uri": "uri",
        "parent_organization_id": "uuid",
        "organization_identifiers": "[identifier]",
    },
    "identifier": {
        "id": "!uuid", "organization_id": "uuid", "identifier_type": "!text",
        "identifier": "!text",
    },
    "schedule": {
        "id": "!uuid", "service_id": "uuid", "valid_from": "date", "valid_to": "date",
        "freq": "freq", "interval": "number", "byday": "byday", "opens_at": "time",
        "closes_at": "time", "description": "text", "notes": "text",
    },
    "area": {
        "id": "!uuid", "service_id": "uuid", "name": "text", "service_area": "text", "uri": "uri",
    },
    "at_location": {
        "id": "!uuid", "service_id": "uuid", "location_id": "uuid", "location": "location",
    },
    "location": {"id": "!uuid", "location_type": "!virtual", "name": "text"},
    "contact": {
        "id": "!uuid", "service_id": "uuid", "name": "text", "title": "text", "email": "email",
        "phones": "[phone]",
    },
    "phone": {
        "id": "!uuid", "contact_id": "uuid", "service_id": "uuid", "number": "!text",
        "type": "text", "description": "text",
    },
    "attribute": {
        "id": "!uuid", "link_id": "uuid", "link_type": "text", "taxonomy_term_id": "uuid",
        "taxonomy_term": "term",
    },
    "term": {
        "id": "!uuid", "name": "!text", "description": "!text", "taxonomy": "text",
        "taxonomy_id": "uuid",
    },
    "page": {
        "total_items": "!number", "total_pages": "!number", "page_number": "!number",
        "size": "!number", "first_page": "!flag", "last_page": "!flag", "empty": "!flag",
    },
}  # fmt: skip
SHAPES["whole"] = SHAPES["listed"] | {
    "schedules": "[schedule]", "service_areas": "[area]", "service_at_locations": "[at_location]",
    "contacts": "[contact]", "attributes": "[attribute]",
}  # fmt: skip
SHAPES["listed_at"] = SHAPES["at_location"] | {"service": "listed"}
SHAPES["whole_at"] = SHAPES["at_location"] | {
    "service": "whole", "name": "!text", "status": "!status",
}  # fmt: skip
FORMS = {
    "text": r".+", "uri": r"https?://\S+", "email": r"\S+@\S+\.\S+",
    "status": "active|inactive|defunct|temporarily closed", "date": r"\d{4}-\d\d-\d\d",
    "freq": "WEEKLY|MONTHLY", "byday": "(MO|TU|WE|TH|FR|SA|SU)(,(MO|TU|WE|TH|FR|SA|SU))*",
    "time": r"([01]\d|2[0-3]):[0-5]\d", "virtual": "virtual",
}  # fmt: skip


def fits(shape: str, value: Any, at: str = "") -> None:
    """Fail where an object is not as the profile asks, or has what no shape names."""
    if shape.startswith("["):
        assert isinstance(value, list), at
        for number, one in enumerate(value):
            fits(shape.strip("[]"), one, f"{at}/{number}")
    elif shape in SHAPES:
        fields = SHAPES[shape]
        required = {name for name, kind in fields.items() if kind.startswith("!")}
        assert required <= set(value) <= set(fields), (at, required ^ set(value))
        for name, part in value.items():
            fits(fields[name].lstrip("!"), part, f"{at}/{name}")
    elif shape == "uuid":
        assert str(UUID(value)) == value, at
    elif shape == "flag":
        assert isinstance(value, bool), at
    elif shape == "number":
        assert isinstance(value, int), at
        assert not isinstance(value, bool), at
    else:
        assert re.fullmatch(FORMS[shape], value, re.DOTALL), (at, value)


@pytest.fixture
def client(
    settings: Settings, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FlaskClient]:
    monkeypatch.setattr(ratelimit, "PUBLIC_PER_WINDOW", 1_000_000)
    monkeypatch.setattr(holder, "POLL_SECONDS", 0.0)
    app = create_app(settings, keys=keys)
    with app.test_client() as client:
        yield client
    app.extensions["hub"].database.dispose()
    app.extensions["hub"].redis.close()


@pytest.fixture
def desk(database: Database) -> datetime:
    """Put East Kent's coordinators on record: a number with hours, a mailbox, both verified."""
    verified = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    common = {"purpose": "coordinator", "verification": "verified", "verified_by": "EXERCISE"}
    add(
        database, "kent/east", value="01632 960001", verified_at=verified, note="Ring twice",
        hours=[
            {"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "18:00"},
            {"days": [7, 6], "opens": "18:00", "closes": "24:00"},
        ],
        exceptions=[{"date": "2026-12-24", "spans": []}], bank_holiday_rule="closed",
        valid_to=date(2099, 1, 1), **common,
    )  # fmt: skip
    add(
        database, "kent/east", channel="email", value="desk@example.org",
        verified_at=verified + timedelta(days=1), **common,
    )  # fmt: skip
    return verified


def get(client: FlaskClient, path: str, **query: object) -> Any:
    reply = client.get(f"/oruk/{path}", query_string=query)
    assert reply.status_code == 200, reply.text
    return reply.get_json()


def names(page: Any) -> set[str]:
    return {one.get("service", one)["name"] for one in page["contents"]}


def the_desk(client: FlaskClient) -> Any:
    page = get(client, "services", search="east coordinator")
    assert names(page) == {"East Kent: Coordinator"}
    return get(client, f"services/{page['contents'][0]['id']}")


def test_it_says_what_it_is(client: FlaskClient) -> None:
    found = get(client, "")
    assert found["version"].startswith("HSDS-UK-3")
    assert found["openapi_url"].endswith("/api/v1/openapi.json")
    assert client.get("/oruk").status_code == 308


@pytest.mark.usefixtures("desk")
def test_every_service_is_as_the_profile_asks(client: FlaskClient) -> None:
    for name, listed, whole in (
        ("services", "listed", "whole"), ("service_at_locations", "listed_at", "whole_at"),
    ):  # fmt: skip
        page = get(client, name, per_page=200)
        contents = page.pop("contents")
        fits("page", page)
        assert len(contents) == page["total_items"] > 40
        for one in contents:
            fits(listed, one)
            fits(whole, get(client, f"{name}/{one['id']}"))


@pytest.mark.usefixtures("desk")
def test_a_service_has_its_hours_numbers_mailboxes_and_districts(client: FlaskClient) -> None:
    found = the_desk(client)
    assert found["email"] == "desk@example.org"
    assert found["assured_date"] == "2026-11-20"  # the earlier one
    assert "alert" not in found
    assert found["organization"]["name"] == "Kent Police"
    weekdays, weekend = found["schedules"]
    assert (weekdays["byday"], weekdays["opens_at"], weekdays["closes_at"]) == (
        "MO,TU,WE,TH,FR", "08:00", "18:00",
    )  # fmt: skip
    assert (weekend["byday"], weekend["closes_at"]) == ("SA,SU", "00:00")
    assert weekend["valid_to"] == "2098-12-31"  # the last day, where ours is the day after
    assert "2026-12-24: closed" in weekdays["notes"]
    assert "closed on bank holidays" in weekdays["description"]
    phones = [phone for contact in found["contacts"] for phone in contact["phones"]]
    assert [(one["number"], one["description"]) for one in phones] == [
        ("01632 960001", "Ring twice")
    ]
    assert "Canterbury" in {one["name"] for one in found["service_areas"]}
    assert found["attributes"][0]["taxonomy_term"]["name"] == "Coordinator"


@pytest.mark.usefixtures("desk")
def test_what_nobody_confirmed_has_no_assured_date_and_says_so(
    client: FlaskClient, database: Database
) -> None:
    add(database, "kent/east", purpose="coordinator", value="01632 960002")
    found = the_desk(client)
    assert "assured_date" not in found
    assert "01632 960002 is unverified." in found["alert"]


@pytest.mark.usefixtures("desk")
def test_it_is_the_public_tier_whoever_asks(client: FlaskClient, database: Database) -> None:
    for number, hidden in enumerate(
        ({"audience": "police"}, {"audience": "professional"}, {"status": "exercise"})
    ):
        add(database, "kent/east", purpose="coordinator", value=f"01632 96009{number}", **hidden)
        add(database, "kent/west", purpose="mash", value=f"01632 96008{number}", **hidden)
    text = client.get("/oruk/services?per_page=200", headers={"Authorization": "Bearer x"}).text
    text += client.get(f"/oruk/services/{the_desk(client)['id']}").text
    assert "01632 960001" in text
    assert not re.search("01632 960(09|08)", text)
    assert "MASH" not in text


@pytest.mark.usefixtures("desk")
def test_services_are_found_by_postcode_day_time_and_purpose(client: FlaskClient) -> None:
    here = names(get(client, "service_at_locations", postcode="CT1 2RB"))
    assert {"East Kent: Coordinator", "Kent Police: Police non-emergency"} <= here
    assert not any("Essex" in name for name in here)
    elsewhere = names(get(client, "service_at_locations", postcode="CM2 6LG", per_page=200))
    assert "East Kent: Coordinator" not in elsewhere
    assert any("Essex" in name for name in elsewhere)
    scotland = names(get(client, "service_at_locations", postcode="EH1 1YZ"))
    assert not any("Kent" in name for name in scotland)
    for query, there in (
        ({"day": "MO", "start_time": "08:00", "end_time": "18:00"}, True),
        ({"day": "MO", "start_time": "09:00"}, False),
        ({"day": "SU", "end_time": "18:00"}, False),
        ({"day": "SU", "start_time": "18:00"}, True),
    ):
        found = names(get(client, "services", per_page=200, **query))
        assert ("East Kent: Coordinator" in found) == there, query
    terms = {one["name"]: one["id"] for one in get(client, "taxonomy_terms")["contents"]}
    found = get(client, "services", taxonomy_term_id=terms["Coordinator"])
    assert names(found) == {"East Kent: Coordinator"}
    fits("[term]", get(client, "taxonomy_terms")["contents"])
    taxonomy = get(client, "taxonomies")["contents"][0]
    assert get(client, f"taxonomies/{taxonomy['id']}") == taxonomy
    assert get(client, "services", taxonomy_id=terms["Coordinator"])["empty"] is True


def test_pages_hold_everything_once(client: FlaskClient) -> None:
    whole = [one["id"] for one in get(client, "services", per_page=200)["contents"]]
    paged: list[str] = []
    for number in range(1, 100):
        page = get(client, "services", per_page=7, page=number)
        assert page["first_page"] == (number == 1)
        assert page["size"] == len(page["contents"])
        paged += [one["id"] for one in page["contents"]]
        if page["last_page"]:
            break
    assert paged == whole
    beyond = get(client, "services", page=number + 9, per_page=7)
    assert (beyond["empty"], beyond["last_page"]) == (True, True)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("services/00000000-0000-0000-0000-000000000000", 404, "not-found"),
        ("services/x", 404, "not-found"),
        ("services?day=someday", 422, "day"),
        ("services?page=0", 422, "invalid"),
        ("services?per_page=1000", 422, "invalid"),
        ("services?start_time=late", 422, "invalid"),
        ("services?minimal=true", 422, "parameter-unknown"),
        ("service_at_locations?postcode=nowhere at all", 422, "postcode-malformed"),
    ],
)
def test_garbage_gets_a_sentence_that_helps(
    client: FlaskClient, path: str, status: int, code: str
) -> None:
    reply = client.get(f"/oruk/{path}")
    assert (reply.status_code, reply.get_json()["code"]) == (status, code)
    assert reply.mimetype == "application/problem+json"


def test_it_is_counted_as_the_public_tier_is(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ratelimit, "PUBLIC_PER_WINDOW", 0)
    reply = client.get("/oruk/services")
    assert (reply.status_code, reply.get_json()["code"]) == (429, "too-many-requests")


def test_what_is_unchanged_is_not_sent_again(client: FlaskClient) -> None:
    tag = client.get("/oruk/services").headers["ETag"]
    assert client.get("/oruk/services", headers={"If-None-Match": tag}).status_code == 304
