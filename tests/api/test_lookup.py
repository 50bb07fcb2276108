"""The look-up over HTTP, as DESIGN.md 3 has it, and its page: real places, odd ones, and garbage."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from directory import holder, public
from directory.model import ContactPoint
from hub.app import create_app
from hub.clock import utcnow
from hub.db import Database
from hub.organisations import find_unit
from hub.records.keys import Keys
from hub.settings import Settings
from tests.conftest import Someone

LOOKUP = "/api/v1/directory/lookup"


@pytest.fixture
def client(
    settings: Settings, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FlaskClient]:
    monkeypatch.setattr("hub.web.ratelimit.public", lambda _address: None)
    app = create_app(settings, keys=keys)
    with app.test_client() as client:
        yield client
    app.extensions["hub"].database.dispose()


def test_a_postcode_gets_everything_that_the_interface_promises(client: FlaskClient) -> None:
    reply = client.get(f"{LOOKUP}?postcode=sw1a%201aa")
    assert reply.status_code == 200
    found = reply.get_json()
    assert set(found) >= {
        "query", "need", "emergency", "area", "force", "unit", "call_now", "write_to", "ladder",
        "warnings", "as_of", "reach", "match", "matches",
    }  # fmt: skip
    assert found["query"] == "SW1A 1AA"
    assert found["need"] == "open-case"
    assert found["area"]["lad_code"] == "E09000033"
    assert found["force"]["force_id"] == "metropolitan"
    assert found["unit"]["code"] == "metropolitan/central-west"
    assert found["emergency"]["value"] == "999"
    assert "immediate risk" in found["emergency"]["condition"]
    assert found["reach"] == "not-on-hub"
    assert found["match"] == {"basis": "postcode", "guess": False, "note": "", "why": ""}
    assert found["matches"] == []
    call = found["call_now"]
    assert (call["value"], call["open"]) == ("101", True)
    assert call["connects"] == "where you are; ask for Metropolitan Police Service"
    for rung in [call, *found["ladder"]]:
        assert set(rung) >= {
            "purpose", "channel", "value", "unit", "open", "opens_at", "verified_at", "audience",
            "connects",
        }  # fmt: skip
    assert datetime.fromisoformat(found["as_of"]).tzinfo is not None


@pytest.mark.parametrize(
    ("query", "force", "lad"),
    [
        ("q=hackny", "metropolitan", "E09000012"),
        ("q=Caerdydd", "south-wales", "W06000015"),
        ("q=CF10 1EP", "south-wales", "W06000015"),
        ("q=E09000012", "metropolitan", "E09000012"),
        ("q=the Met", "metropolitan", None),
        ("local_authority=Hackney", "metropolitan", "E09000012"),
        ("local_authority=E09000012", "metropolitan", "E09000012"),
        ("local_authority=dorset", "dorset", "E06000059"),
        ("local_authority=Kent", "kent", None),
        ("force=kent", "kent", None),
        ("force=GMP", "greater-manchester", None),
        ("force=E23000032", "kent", None),
        ("unit=kent/east", "kent", None),
        ("unit=East Kent", "kent", None),
        ("unit=kent/missing-children-team", "kent", None),
        ("postcode=EH1 1YZ", "police-scotland", None),
        ("postcode=BT1 5GS", "northern-ireland", None),
        ("postcode=JE2 3QA", "jersey", None),
        ("postcode=GY1 1AA", "guernsey", None),
        ("postcode=IM1 1AA", "isle-of-man", None),
    ],
)
def test_each_way_of_asking_gets_its_force(
    client: FlaskClient, query: str, force: str, lad: str | None
) -> None:
    reply = client.get(f"{LOOKUP}?{quote(query, safe='=')}")
    found = reply.get_json()
    assert reply.status_code == 200, found
    assert found["force"]["force_id"] == force
    assert (found["area"] or {}).get("lad_code") == lad
    assert found["call_now"]["value"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 422, "query-one"),
        ("?postcode=SW1A 1AA&force=kent", 422, "query-one"),
        ("?postcode=", 422, "query-text"),
        ("?postcode=no postcode", 422, "postcode-malformed"),
        ("?postcode=ZZ9 9ZZ", 404, "postcode-unknown"),
        ("?postcode=BFPO 12", 404, "overseas"),
        ("?q=asdkjh qwe", 404, "not-found-in-directory"),
        ("?force=nowhere at all", 404, "not-found-in-directory"),
        ("?unit=00000000-0000-0000-0000-000000000000", 404, "not-found-in-directory"),
        ("?q=kent&at=2026-11-24", 422, None),
        ("?q=kent&at=9999-12-31T23:59:59Z", 422, "at-range"),
        ("?q=kent&at=0001-01-01T00:00:00Z", 422, "at-range"),
        ("?q=kent&need=tea", 422, None),
        ("?q=kent&other=1", 422, "parameter-unknown"),
        (f"?q={'x' * 200}", 422, None),
        ("?q=%00", 422, "text-unusable"),
    ],
)
def test_garbage_gets_a_sentence_that_helps(
    client: FlaskClient, query: str, status: int, code: str | None
) -> None:
    reply = client.get(LOOKUP + query)
    problem = reply.get_json()
    assert reply.status_code == status, problem
    assert reply.mimetype == "application/problem+json"
    assert len(problem["detail"]) > 15
    if code:
        assert problem["code"] == code


def test_what_is_newer_than_our_data_is_said_to_be_a_guess(client: FlaskClient) -> None:
    found = client.get(f"{LOOKUP}?postcode=SW1A 9ZZ").get_json()
    assert found["match"]["guess"] is True
    assert "newer than our data" in found["match"]["note"]
    assert found["call_now"]["value"] == "101"


def test_a_sector_of_two_forces_names_both(client: FlaskClient) -> None:
    found = client.get(f"{LOOKUP}?postcode=CH1 6").get_json()
    assert found["force"]["force_id"] == "cheshire"
    assert [(one["code"], one["detail"]) for one in found["matches"]] == [
        ("W06000005", "North Wales Police")
    ]


def test_several_matches_are_a_choice_and_each_can_be_asked_for(client: FlaskClient) -> None:
    found = client.get(f"{LOOKUP}?q=kingston").get_json()
    assert found["call_now"] is None
    assert found["emergency"]["value"] == "999"
    assert len(found["matches"]) > 1
    for one in found["matches"]:
        chosen = client.get(f"{LOOKUP}?q={one['code']}").get_json()
        assert chosen["call_now"]["value"] == "101"


def test_another_moment_is_answered_for(client: FlaskClient) -> None:
    found = client.get(f"{LOOKUP}?q=kent&at=2026-12-25T03:00:00Z").get_json()
    assert datetime.fromisoformat(found["as_of"]) == datetime.fromisoformat("2026-12-25T03:00:00Z")


def test_the_directory_answers_from_memory_while_the_database_is_away(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, servers: object
) -> None:
    assert client.get(f"{LOOKUP}?q=kent").status_code == 200
    monkeypatch.setattr(holder, "POLL_SECONDS", 0.0)
    database = client.application.extensions["hub"].database
    database.dispose()
    monkeypatch.setattr(
        database, "unit_of_work", Database("postgresql://nobody@127.0.0.1:1/none").unit_of_work
    )
    assert client.get(f"{LOOKUP}?q=surrey").get_json()["force"]["force_id"] == "surrey"


def _add(database: Database, code: str, **values: object) -> None:
    now = utcnow()
    with database.unit_of_work() as session:
        unit = find_unit(session, code)
        assert unit is not None
        plain: dict[str, object] = {
            "purpose": "missing-children-team", "channel": "telephone", "audience": "public",
            "valid_from": now.date() - timedelta(days=2), "source": "the test",
            "source_date": "2026-11-01", "verification": "verified", "verified_at": now,
            "verified_by": "EXERCISE Editor",
        }  # fmt: skip
        session.add(ContactPoint(unit_id=unit.id, **(plain | values)))


def test_a_change_shows_within_a_second_and_an_exercises_never(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = client.get(f"{LOOKUP}?unit=kent/east").get_json()
    assert before["call_now"]["value"] == "101"
    _add(database, "kent/east/missing-children-team", value="01632 960004")
    _add(database, "kent/east/missing-children-team", value="01632 960099", status="exercise")
    _add(database, "kent/east/missing-children-team", value="01632 960098", audience="police")
    monkeypatch.setattr(holder, "POLL_SECONDS", 0.0)
    after = client.get(f"{LOOKUP}?unit=kent/east")
    assert after.get_json()["call_now"]["value"] == "01632 960004"
    assert after.get_json()["call_now"]["verified_by"] == "EXERCISE Editor"
    for hidden in ("01632 960099", "01632 960098"):
        assert hidden not in after.text
        assert hidden not in client.get("/?q=kent/east").text


def test_a_unit_is_reached_as_its_people_are_there(
    client: FlaskClient, someone: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get(f"{LOOKUP}?unit=kent/east").get_json()["reach"] == "not-on-hub"
    monkeypatch.setattr(holder, "POLL_SECONDS", 0.0)
    someone("kent/east", status="exercise")
    assert client.get(f"{LOOKUP}?unit=kent/east").get_json()["reach"] == "not-on-hub"
    someone("kent/east", status="actual")
    assert client.get(f"{LOOKUP}?unit=kent/east").get_json()["reach"] == "staffed"


def test_the_page_has_999_both_needs_and_a_number_to_touch(client: FlaskClient) -> None:
    page = client.get("/?q=sw1a+1aa").text
    assert page.index('href="tel:999"') < page.index('href="tel:101"')
    assert "To report a child missing now" in page
    assert "About a case, or to hand over" in page
    assert "where you are; ask for Metropolitan Police Service" in page


@pytest.mark.parametrize("typed", ["ZZ9 9ZZ", "asdkjh qwe", "BFPO 12", "!", "x" * 500, "\0"])
def test_the_page_helps_where_nothing_is_found(client: FlaskClient, typed: str) -> None:
    reply = client.get("/", query_string={"q": typed})
    assert reply.status_code in (404, 422)
    assert "There is a problem" in reply.text
    assert 'href="tel:999"' in reply.text


@pytest.mark.parametrize("at", ["yesterday", "9999-12-31T23:59", "0001-01-01T00:00", "2026-02-30"])
def test_the_page_says_when_it_cannot_read_the_moment(client: FlaskClient, at: str) -> None:
    reply = client.get("/", query_string={"q": "kent", "at": at})
    assert "The other moment must be" in reply.text


def test_the_page_of_a_unit(client: FlaskClient, database: Database) -> None:
    with database.unit_of_work() as session:
        unit = find_unit(session, "kent/east")
        assert unit is not None
        page = client.get(f"/directory/units/{unit.id}")
    assert page.status_code == 200
    assert "Canterbury" in page.text
    assert client.get("/directory/units/00000000-0000-0000-0000-000000000000").status_code == 404


def test_messaging_finds_units_and_their_numbers(client: FlaskClient) -> None:
    with client.application.test_request_context():
        now = utcnow()
        found = public.unit_for_address("CT1 2RB", now)
        assert found is not None
        assert (found.code, found.lad_code) == ("kent/east", "E07000106")
        assert public.unit_for_address("asdkjh qwe", now) is None
        for text in ("Canterbury", "CT1 2RB", "East Kent", "kent"):
            assert "kent/east" in [one.code for one in public.find_units(text, now)]
        for need in ("report-missing", "open-case"):
            numbers = public.contacts_for_unit(found.id, need, now, police=True, status="actual")
            assert [one.dial for one in numbers] == ["101"]


def test_a_postcode_that_is_not_whole_or_has_a_slip_gets_help(client: FlaskClient) -> None:
    short = client.get(f"{LOOKUP}?q=SW1A%201A").get_json()
    assert short["force"]["force_id"] == "metropolitan"
    assert "Read as SW1A 1, since the postcode is not whole." in short["match"]["note"]
    slip = client.get(f"{LOOKUP}?q=swla%201aa").get_json()
    assert (slip["query"], slip["match"]["note"]) == ("SW1A 1AA", "Read as SW1A 1AA.")
    for typed in ("SW1A 1A8", "CT1 2R8", "SWA1 1AA", "5W1A 1AA"):
        reply = client.get(f"{LOOKUP}?q={quote(typed)}")
        assert reply.status_code == 422, typed
        assert "Look whether a letter is where a digit belongs" in reply.get_json()["detail"]
    assert client.get(f"{LOOKUP}?q=Xyzzyx").status_code == 404


def test_an_organisation_that_is_no_police_or_council_leads_to_its_page(
    client: FlaskClient,
) -> None:
    for typed, code, name in (
        ("Missing People", "missing-people/helpline", "Missing People"),
        ("Crimestoppers", "crimestoppers", "Crimestoppers"),
        ("nca", "nca/ukmpu", "UK Missing Persons Unit"),
    ):
        refused = client.get(f"{LOOKUP}?q={quote(typed)}")
        assert refused.status_code == 404
        assert f"/api/v1/directory/units/{code}" in refused.get_json()["detail"]
        page = client.get(f"/?q={quote(typed)}", follow_redirects=True)
        assert page.status_code == 200
        assert name in page.text


@pytest.mark.parametrize("text", ["Islington", "N1 1AA", "E09000019"])
def test_a_councils_childrens_team_is_found_by_district_postcode_and_name(
    client: FlaskClient, text: str
) -> None:
    with client.application.test_request_context():
        teams = public.find_units(text, utcnow(), kinds=("local-authority",))
        assert "E09000019/childrens-social-care" in [one.code for one in teams]
        assert all(one.code.endswith("/childrens-social-care") for one in teams)


def test_a_charity_is_found_by_name_where_anybody_may_be_asked(client: FlaskClient) -> None:
    with client.application.test_request_context():
        found = public.find_units("Missing People", utcnow(), kinds=("voluntary",))
        assert "missing-people/helpline" in [one.code for one in found]
        assert public.find_units("Missing People", utcnow()) == []


def test_what_is_said_of_a_number_is_whole_sentences(
    client: FlaskClient, database: Database
) -> None:
    with database.unit_of_work() as session:
        unit = find_unit(session, "nca/ukmpu")
    assert unit is not None
    with client.application.test_request_context():
        numbers = public.contacts_for_unit(
            unit.id, "open-case", utcnow(), police=True, status="actual"
        )
    notes = [one.note for one in numbers if one.note]
    assert notes
    for note in notes:
        assert ".." not in note
        assert all(one[0].isupper() or one[0].isdigit() for one in note.split(". "))
