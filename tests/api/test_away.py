"""With the database away, look-ups go on: to each what is theirs, with its age, and nothing else."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from directory import editing, reading
from directory.entry_contracts import ContactIn
from directory.holder import Kept
from directory.postcodes import Postcodes
from hub.app import create_app
from hub.clock import utcnow
from hub.db import Database
from hub.identity import clients, people
from hub.organisations import find_unit
from hub.records import audit
from hub.records.keys import Keys
from hub.settings import Settings
from hub.web import directory_pass, ratelimit
from tests.conftest import Someone, TestServers

LOOKUP = "/api/v1/directory/lookup?postcode=CT1+2RB"
PAGE = "/?q=CT1+2RB"
PUBLIC, PROFESSIONAL, POLICE = "01632 960001", "01632 960002", "01632 960003"
EMAIL, PASSWORD = "ann@kent.example.org", "three words of it"
SYSTEM = audit.Who("system", name="test")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("away")
    Postcodes.open(folder)
    return folder


@pytest.fixture
def here(settings: Settings, data_dir: Path) -> Iterator[Settings]:
    yield settings.model_copy(update={"data_dir": data_dir})
    for file in data_dir.glob("directory-snapshot*"):
        file.unlink()


@pytest.fixture
def contacts(database: Database, someone: Someone) -> None:
    """Put a contact of every tier on record in East Kent, and somebody who may sign in there."""
    editor = someone("kent", "directory-editor", status="actual")
    with database.unit_of_work() as session:
        unit = find_unit(session, "kent/east")
        assert unit is not None
        for value, audience in (
            (PUBLIC, "public"), (PROFESSIONAL, "professional"), (POLICE, "police"),
        ):  # fmt: skip
            given = ContactIn.model_validate(
                {"purpose": "coordinator", "channel": "telephone", "value": value,
                 "audience": audience}
            )  # fmt: skip
            editing.add_contact(
                session, editor, unit.id, given, why="a test", now=utcnow(), checked=True
            )
        people.add_person_with_membership(
            session, SYSTEM, email=EMAIL, name="Ann Example", organisation="kent",
            unit="kent/east", role="officer", status="actual", password=PASSWORD, now=utcnow(),
        )  # fmt: skip


def made(settings: Settings, keys: Keys) -> Flask:
    app = create_app(settings, keys=keys)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def app(here: Settings, keys: Keys, contacts: None) -> Iterator[Flask]:
    ratelimit._local.clear()
    app = made(here, keys)
    yield app
    app.extensions["hub"].database.dispose()


@pytest.fixture
def away(servers: TestServers, database_name: str, app: Flask) -> Any:
    """Return a context in which the database takes nobody in."""

    @contextmanager
    def gone(app: Flask = app) -> Iterator[None]:
        servers.execute(f"ALTER DATABASE {database_name} ALLOW_CONNECTIONS false")
        servers.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{database_name}'"
        )
        try:
            with app.app_context():
                app.extensions["hub"].database.look()
            assert app.extensions["hub"].database.away
            yield
        finally:
            servers.execute(f"ALTER DATABASE {database_name} ALLOW_CONNECTIONS true")

    return gone


Away = Callable[..., Any]


def numbers(found: str) -> set[str]:
    return {one for one in (PUBLIC, PROFESSIONAL, POLICE) if one in found}


def signed_in(app: Flask) -> FlaskClient:
    client = app.test_client()
    given = {"email": EMAIL, "password": PASSWORD}
    assert client.post("/sign-in", data=given).status_code == 303
    assert numbers(client.get(PAGE).text) == {PUBLIC, PROFESSIONAL, POLICE}
    return client


@pytest.fixture
def partner(app: Flask, database: Database) -> Callable[..., dict[str, str]]:
    """Return a function that gives the header of a partner (of Kent), of these scopes."""

    def make(scope: str, organisation: str = "kent") -> dict[str, str]:
        with database.unit_of_work() as session:
            credentials = clients.add_client(
                session, SYSTEM, name="t", organisation=organisation, unit=None,
                scopes=scope.split(), now=utcnow(),
            )  # fmt: skip
        reply = app.test_client().post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=credentials
        )
        return {"Authorization": f"Bearer {reply.json['access_token']}"}  # type: ignore[index]

    return make


def test_anyone_looks_up_the_public_tier_and_is_told_how_old_it_is(app: Flask, away: Away) -> None:
    client = app.test_client()
    there = client.get(LOOKUP)
    assert there.json["stale"] is False  # type: ignore[index]
    assert "Age" not in there.headers
    assert "database is away" not in client.get(PAGE).text
    before = utcnow()
    with away():
        reply = client.get(LOOKUP)
        found: dict[str, Any] = reply.get_json()
        assert numbers(reply.text) == {PUBLIC}
        assert found["stale"] is True
        assert datetime.fromisoformat(found["as_of_directory"]) <= before
        assert any("database is away" in one for one in found["warnings"])
        assert int(reply.headers["Age"]) >= 0
        page = client.get(PAGE)
        assert page.status_code == 200
        assert "This is the directory of" in page.text
        assert "public tier alone" in page.text
        assert numbers(page.text) == {PUBLIC}
        unit = client.get("/?q=kent/east").text.partition("/directory/units/")[2].partition('"')[0]
        assert numbers(client.get(f"/directory/units/{unit}").text) == {PUBLIC}


def test_a_signed_token_reads_what_it_read_last(
    app: Flask, away: Away, partner: Callable[..., dict[str, str]], database: Database
) -> None:
    police = [partner("directory:read cases:read"), partner("directory:read")]
    reader = partner("directory:read", "E10000016")
    other = partner("cases:read")
    revoked = partner("directory:read")
    with database.unit_of_work() as session:
        session.execute(
            text("UPDATE oauth_client SET revoked_at = now() WHERE id ="
                 " (SELECT id FROM oauth_client ORDER BY created_at DESC LIMIT 1)")
        )  # fmt: skip
    client = app.test_client()
    client.get(LOOKUP)
    with away():
        for one in police:
            assert numbers(client.get(LOOKUP, headers=one).text) == {PUBLIC, PROFESSIONAL, POLICE}
        assert numbers(client.get(LOOKUP, headers=reader).text) == {PUBLIC, PROFESSIONAL}
        assert client.get(LOOKUP, headers=other).status_code in (401, 403)
        assert client.get(LOOKUP, headers=revoked).status_code == 401
        forged = {"Authorization": police[0]["Authorization"][:-4] + "AAAA"}
        assert client.get(LOOKUP, headers=forged).status_code == 401
        problem = client.get("/api/v1/cases", headers=police[0])
        assert problem.status_code == 503
        assert problem.mimetype == "application/problem+json"
        assert problem.headers["Retry-After"]


def test_a_pass_reads_the_directory_and_does_nothing_else(app: Flask, away: Away) -> None:
    client = signed_in(app)
    with away():
        page = client.get(PAGE)
        assert numbers(page.text) == {PUBLIC, PROFESSIONAL, POLICE}
        assert "Ann Example" in page.text
        assert "Directory pass" in page.text
        assert "public tier alone" not in page.text
        for path in ("/inbox", "/cases", "/account", "/start", "/directory/nation"):
            refused = client.get(path)
            assert refused.status_code == 503, path
            assert "cannot reach its database" in refused.text
            assert "Traceback" not in refused.text
            assert refused.headers["Retry-After"]
        written = client.post("/account/password", data={"current": "x", "password": "y"})
        assert written.status_code == 503
    assert numbers(client.get(PAGE).text) <= {PUBLIC, PROFESSIONAL, POLICE}


def test_a_pass_lasts_twelve_hours_of_this_browser(
    app: Flask, away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(app)
    stolen = client.get_cookie(directory_pass.COOKIE)
    assert stolen is not None
    assert stolen.http_only
    with away():
        thief = app.test_client()
        thief.set_cookie(directory_pass.COOKIE, stolen.value)
        assert numbers(thief.get(PAGE).text) == {PUBLIC}
        thief.set_cookie("hub_session", "another session's token")
        assert numbers(thief.get(PAGE).text) == {PUBLIC}
        altered = app.test_client()
        session = client.get_cookie("hub_session")
        assert session is not None
        altered.set_cookie("hub_session", session.value)
        altered.set_cookie(directory_pass.COOKIE, stolen.value[:-2] + "AA")
        assert numbers(altered.get(PAGE).text) == {PUBLIC}
        at = utcnow()
        monkeypatch.setattr("hub.web.context.utcnow", lambda: at + timedelta(hours=11, minutes=59))
        assert numbers(client.get(PAGE).text) == {PUBLIC, PROFESSIONAL, POLICE}
        monkeypatch.setattr("hub.web.context.utcnow", lambda: at + timedelta(hours=12, minutes=1))
        assert numbers(client.get(PAGE).text) == {PUBLIC}


def test_a_pass_is_worth_nothing_while_the_database_is_there(
    app: Flask, database: Database
) -> None:
    client = signed_in(app)
    with database.unit_of_work() as session:
        session.execute(text("UPDATE web_session SET revoked_at = now()"))
    assert numbers(client.get(PAGE).text) == {PUBLIC}


def test_the_pass_of_a_suspended_account_is_not_good(
    app: Flask, away: Away, database: Database
) -> None:
    client = signed_in(app)
    with database.unit_of_work() as session:
        session.execute(text("UPDATE person SET suspended_at = now()"))
    with app.app_context():
        reading.holder().look_again()
        reading.lookup()
    with away():
        assert numbers(client.get(PAGE).text) == {PUBLIC}


def test_signing_out_takes_the_pass_away_with_the_database_there_or_not(
    app: Flask, away: Away
) -> None:
    client = signed_in(app)
    client.post("/sign-out")
    assert client.get_cookie(directory_pass.COOKIE) is None
    client = signed_in(app)
    with away():
        assert client.post("/sign-out").status_code == 303
        assert client.get_cookie(directory_pass.COOKIE) is None
        assert client.get_cookie("hub_session") is None
        assert numbers(client.get(PAGE).text) == {PUBLIC}


def test_nobody_signs_in_and_the_page_says_why(app: Flask, away: Away) -> None:
    client = app.test_client()
    with away():
        page = client.get("/sign-in")
        assert page.status_code == 503
        assert "Nobody can sign in just now" in page.text
        sent = client.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})
        assert sent.status_code == 503
        assert sent.headers["Retry-After"]


def test_a_process_starts_from_the_directory_on_disk_and_recovers_by_itself(
    app: Flask, here: Settings, keys: Keys, away: Away
) -> None:
    client = signed_in(app)
    session, held = client.get_cookie("hub_session"), client.get_cookie(directory_pass.COOKIE)
    assert session is not None
    assert held is not None
    second = made(here, keys)
    back = threading.Event()
    database = second.extensions["hub"].database
    database._admit = lambda opened: (keys.check(opened), back.set())
    with away(second):
        fresh = second.test_client()
        reply = fresh.get(LOOKUP)
        assert reply.json["stale"] is True  # type: ignore[index]
        assert numbers(reply.text) == {PUBLIC}
        fresh.set_cookie("hub_session", session.value)
        fresh.set_cookie(directory_pass.COOKIE, held.value)
        assert numbers(fresh.get(PAGE).text) == {PUBLIC, PROFESSIONAL, POLICE}
        assert fresh.get("/inbox").status_code == 503
    assert back.wait(20)
    while database.away:
        back.wait(0.01)
    with second.app_context():
        reading.holder().look_again()
    assert second.test_client().get(LOOKUP).json["stale"] is False  # type: ignore[index]
    database.dispose()


def test_a_kept_directory_of_another_hub_or_an_altered_one_is_not_loaded(
    app: Flask, here: Settings, keys: Keys, tmp_path: Path
) -> None:
    app.test_client().get(LOOKUP)
    kept = Kept(here.data_dir, keys)
    rows = kept.load()
    assert rows is not None
    later = rows.taken_at + timedelta(minutes=5)
    kept.seen(rows.version, later)
    seen = kept.load()
    assert seen is not None
    assert seen.taken_at == later
    assert Kept(here.data_dir, Keys.load(tmp_path / "others", create=True)).load() is None
    file = here.data_dir / "directory-snapshot"
    assert file.stat().st_mode & 0o077 == 0
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    assert kept.load() is None


def test_a_database_with_other_keys_is_not_admitted_when_it_comes_back(
    here: Settings, keys: Keys, tmp_path: Path, app: Flask, away: Away, database: Database
) -> None:
    with database.unit_of_work() as session:
        keys.check(session)
    other = made(here, Keys.load(tmp_path / "others", create=True))
    mine = other.extensions["hub"].database
    looked = threading.Event()
    check = other.extensions["hub"].keys.check

    def admit(session: Any) -> None:
        looked.set()
        check(session)

    mine._admit = admit
    with away(other):
        pass
    assert looked.wait(20)
    looked.clear()
    assert looked.wait(20)
    assert mine.away
    mine.dispose()


def test_with_redis_away_look_ups_answer_and_are_still_counted(
    here: Settings, keys: Keys, contacts: None
) -> None:
    ratelimit._local.clear()
    app = made(here.model_copy(update={"redis_url": "redis://127.0.0.1:9/0"}), keys)
    client = app.test_client()
    two_windows = 2 * ratelimit.PUBLIC_PER_WINDOW
    replies = [client.get(LOOKUP).status_code for _ in range(two_windows + 1)]
    assert replies[0] == 200
    assert set(replies) == {200, 429}
    app.extensions["hub"].database.dispose()


def test_the_saved_copy_is_a_dated_file_of_the_readers_audience(app: Flask, away: Away) -> None:
    client = signed_in(app)
    for reader, seen, audience in (
        (app.test_client(), {PUBLIC}, "public"),
        (client, {PUBLIC, PROFESSIONAL, POLICE}, "police"),
    ):
        reply = reader.get("/directory/saved-copy")
        assert reply.status_code == 200
        assert numbers(reply.text) == seen
        name = reply.headers["Content-Disposition"]
        assert name.startswith(f'attachment; filename="whom-to-call-{audience}-20')
        assert name.endswith('.html"')
        assert "sandbox" in reply.headers["Content-Security-Policy"]
        assert 100_000 < len(reply.data) < 1_000_000
    assert 'href="/directory/saved-copy"' in client.get("/").text
    with away():
        again = client.get("/directory/saved-copy")
        assert again.status_code == 200
        assert numbers(again.text) == {PUBLIC, PROFESSIONAL, POLICE}


def test_suggestions_and_downloads_go_on_for_who_has_a_pass(app: Flask, away: Away) -> None:
    person, anyone = signed_in(app), app.test_client()
    before = utcnow()
    with away():
        for client, seen in ((person, {PUBLIC, PROFESSIONAL, POLICE}), (anyone, {PUBLIC})):
            said = client.get("/directory/suggestions?q=canterb")
            assert said.status_code == 200
            assert said.json["suggestions"][0]["name"] == "Canterbury"  # type: ignore[index]
            for name in ("forces/kent.csv", "forces/kent.vcf", "national.json"):
                assert numbers(client.get(f"/directory/{name}").text) == seen
            paper = client.get("/directory/forces/kent.pdf")
            assert paper.data.startswith(b"%PDF")
            given = client.get("/directory/national.json").json
            assert given is not None
            assert datetime.fromisoformat(given["as_of"]) <= before + timedelta(seconds=2)
    assert "Set-Cookie" not in anyone.get("/directory/forces/kent.csv").headers
