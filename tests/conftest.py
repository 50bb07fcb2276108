"""What every test stands on: the real PostgreSQL and Redis, and a database of its own."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from shutil import copytree
from types import CodeType
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from argon2 import PasswordHasher
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from psycopg.rows import TupleRow
from werkzeug.routing import Rule

from directory import reading
from directory.postcodes import Postcodes
from hub.clock import utcnow
from hub.db import Database
from hub.embedded import Servers
from hub.identity import people
from hub.identity.actor import Actor
from hub.identity.model import Membership, Person
from hub.migrating import upgrade
from hub.organisations import Organisation, find_unit, units_below
from hub.records import audit
from hub.records.keys import Keys
from hub.records.vault import Vault
from hub.settings import Settings

BROWSER = (
    shutil.which("chromium-headless-shell")  # a third of the work of a whole Chromium
    or shutil.which("chromium")
    or shutil.which("chromium-browser")
)
STRONG_HASHER = people._hasher
POLL_SECONDS = 0.02
"""How soon a server of a test hears that it shall stop."""
MEMORY = Path("/dev/shm")  # noqa: S108  # folders in it are made by mkdtemp, with names of their own
MEMORY_NEEDED = 4 * 1024**3


def _work_in_memory() -> None:
    """Have every temporary folder in memory where there is room: each test copies a database.

    What a process had written there when it was killed stays, as on a disk.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    if shutil.disk_usage(MEMORY).free >= MEMORY_NEEDED:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


_work_in_memory()
gc.disable()  # until every test is loaded


def pytest_collection_finish() -> None:
    """Never search what was loaded for garbage."""
    gc.freeze()
    gc.enable()


@dataclass(frozen=True)
class TestServers:
    """The servers of this run: addresses by role, with the database's name to be put in."""

    __test__ = False

    app_url: str
    owner_url: str
    superuser_url: str
    redis_url: str
    administers: psycopg.Connection[TupleRow]

    def database(self, url: str, name: str) -> str:
        """Return the address of the database of this name."""
        return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))

    def execute(self, statement: str) -> None:
        """Run one administrative statement, on a connection that is open for the whole run."""
        self.administers.execute(statement)  # type: ignore[call-overload]  # names made here


@pytest.fixture(scope="session", autouse=True)
def _light_hashes() -> Iterator[None]:
    """Hash passwords as ever, but lightly; STRONG_HASHER is the one that people get."""
    with pytest.MonkeyPatch.context() as patch:
        light = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        patch.setattr("hub.identity.people._hasher", light)
        yield


class Compiled(BytecodeCache):
    """The templates that a test has shown: hubs of other tests need not compile them again."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what a template of this name and source was compiled to."""
        bucket.code = self.known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what a template was compiled to."""
        if bucket.code is not None:
            self.known[bucket.key, bucket.checksum] = bucket.code


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    """Compile each template and each address once: most tests make a hub of their own."""
    compile_builder = Rule._compile_builder
    known: dict[Any, Any] = {}

    def compile_once(rule: Rule, append_unknown: bool = True) -> Any:
        key = rule.rule, rule.subdomain, repr(rule.defaults), append_unknown
        if key not in known:
            known[key] = compile_builder(rule, append_unknown)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "jinja_options", {"bytecode_cache": Compiled()})
        patch.setattr(Rule, "_compile_builder", compile_once)
        yield


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestServers]:
    """Start a private PostgreSQL and Redis, or use those of TEST_DATABASE_URL and REDIS_URL.

    TEST_DATABASE_URL is a superuser's: the tests make databases and roles.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        with psycopg.connect(given, autocommit=True) as administers:
            yield TestServers(given, given, given, os.environ["REDIS_URL"], administers)
        return
    folder = tmp_path_factory.mktemp("servers")
    try:
        with Servers(folder, durable=False) as private:
            at = private.addresses
            with psycopg.connect(at.superuser_url, autocommit=True) as administers:
                yield TestServers(
                    at.database_url,
                    at.database_owner_url,
                    at.superuser_url,
                    at.redis_url,
                    administers,
                )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _template(servers: TestServers, name: str, fill: Callable[[str], None]) -> str:
    owner = urlsplit(servers.owner_url).username
    servers.execute(f"CREATE DATABASE {name} OWNER {owner}")
    fill(servers.database(servers.owner_url, name))
    return name


@pytest.fixture(scope="session")
def empty_template(servers: TestServers) -> str:
    """Return the name of a database that has every migration and no row."""
    return _template(servers, f"empty_{uuid4().hex}", upgrade)


@pytest.fixture(scope="session")
def template(servers: TestServers, empty_template: str) -> str:
    """Return the name of a migrated database that holds the reference data."""
    from seed import reference

    name = f"seeded_{uuid4().hex}"
    owner = urlsplit(servers.owner_url).username
    servers.execute(f"CREATE DATABASE {name} TEMPLATE {empty_template} OWNER {owner}")
    database = Database(servers.database(servers.app_url, name))
    with database.unit_of_work() as session:
        reference.load(session, utcnow())
    database.dispose()
    return name


@dataclass(frozen=True)
class Staged:
    """A database that holds the exercise, and the folder of the keys that it was made with."""

    template: str
    keys_folder: Path


Stage = Callable[[datetime | None], Staged]


@pytest.fixture(scope="session")
def stage(servers: TestServers, template: str, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Return a function that gives the exercise as made at a moment, or now: once for each."""
    from seed import demo

    @cache
    def make(at: datetime | None) -> Staged:
        folder = tmp_path_factory.mktemp("staged") / "keys"
        name = f"staged_{uuid4().hex}"
        owner = urlsplit(servers.owner_url).username
        servers.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {owner}")
        database = Database(servers.database(servers.app_url, name))
        with database.unit_of_work() as session:
            demo.load(session, Keys.load(folder, create=True), at or utcnow())
        database.dispose()
        return Staged(name, folder)

    return make


@pytest.fixture
def staged(request: pytest.FixtureRequest) -> Staged | None:
    """Return the exercise of a test that is marked with it: each such test has a copy."""
    mark = request.node.get_closest_marker("exercise")
    if mark is None:
        return None
    stage: Stage = request.getfixturevalue("stage")
    return stage(*mark.args or (None,))


@pytest.fixture
def keys(staged: Staged | None, tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Return this test's own keys: the mark beside them tells how far one database was sealed."""
    folder = tmp_path_factory.mktemp("hub") / "keys"
    if staged:
        copytree(staged.keys_folder, folder)
    return Keys.load(folder, create=staged is None)


@pytest.fixture
def clone(servers: TestServers) -> Iterator[Callable[[str], str]]:
    """Return a function that copies a template into a new database, dropped after the test."""
    made: list[str] = []
    owner = urlsplit(servers.owner_url).username

    def copy(source: str) -> str:
        name = f"test_{uuid4().hex}"
        servers.execute(
            f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY file_copy OWNER {owner}"
        )
        made.append(name)
        return name

    yield copy
    for name in made:
        servers.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_name(clone: Callable[[str], str], template: str, staged: Staged | None) -> str:
    """Return the name of this test's own database, with reference data."""
    return clone(staged.template if staged else template)


@pytest.fixture
def owner_url(servers: TestServers, database_name: str) -> str:
    """Return the address of this test's database as its owner."""
    return servers.database(servers.owner_url, database_name)


@pytest.fixture
def superuser_url(servers: TestServers, database_name: str) -> str:
    """Return the address of this test's database as somebody who may do anything."""
    return servers.database(servers.superuser_url, database_name)


@pytest.fixture
def app_url(servers: TestServers, database_name: str) -> str:
    """Return the address of this test's database as the running hub."""
    return servers.database(servers.app_url, database_name)


@pytest.fixture
def database(app_url: str) -> Iterator[Database]:
    """Return this test's database, acted on as `hub_app`."""
    database = Database(app_url)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def postcodes_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds the table of postcodes, built once."""
    folder = tmp_path_factory.mktemp("postcodes")
    Postcodes.open(folder)
    return folder


@pytest.fixture(scope="session")
def postcodes(postcodes_folder: Path) -> Postcodes:
    """Return the table of postcodes."""
    return Postcodes.open(postcodes_folder)


@pytest.fixture
def settings(
    app_url: str,
    owner_url: str,
    servers: TestServers,
    keys: Keys,
    tmp_path: Path,
    postcodes_folder: Path,
) -> Iterator[Settings]:
    """Return the settings of a hub on this test's database."""
    for table in postcodes_folder.glob("*.bin"):
        (tmp_path / table.name).hardlink_to(table)
    yield Settings(
        database_url=app_url,
        database_owner_url=owner_url,
        redis_url=servers.redis_url,
        data_dir=tmp_path,
        keys_dir_override=keys.folder,
    )
    reading._postcodes.cache_clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave browser tests out where there is no browser; loudly, and never in CI."""
    if BROWSER:
        return
    if os.environ.get("HUB_REQUIRE_BROWSER"):
        raise pytest.UsageError("HUB_REQUIRE_BROWSER is set, and there is no Chromium.")
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.skip(reason="there is no Chromium on this machine"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it aloud when the browser tests did not run."""
    if not BROWSER:
        terminalreporter.write_line(
            "THE BROWSER TESTS DID NOT RUN: install Chromium (apt-get install chromium).",
            red=True,
            bold=True,
        )


Someone = Callable[..., Actor]


@pytest.fixture
def vault(keys: Keys) -> Vault:
    """Return the vault of this test's keys."""
    return Vault(keys)


@pytest.fixture
def someone(database: Database) -> Someone:
    """Return a function that gives a person at a unit, by code and role, as who acts."""

    def make(unit: str, role: str = "officer", status: str = "exercise", name: str = "") -> Actor:
        who = audit.Who("system", name="test")
        mark = uuid4().hex[:8]
        now = utcnow() - timedelta(days=1)
        with database.unit_of_work() as session:
            found = find_unit(session, unit)
            assert found is not None, unit
            organisation = session.get_one(Organisation, found.organisation_id)
            person = Person(
                email=f"{mark}@example.org",
                name=name or f"EXERCISE {mark}",
                password_hash="none",
                status=status,
                created_at=now,
            )
            session.add(person)
            session.flush()
            session.add(
                Membership(person_id=person.id, unit_id=found.id, role=role, valid_from=now)
            )
            audit.record(
                session, who, "person.add", now=now, object_kind="person", object_id=person.id
            )
            return Actor(
                kind="person",
                id=person.id,
                name=person.name,
                organisation_id=organisation.id,
                organisation_code=organisation.code,
                organisation_name=organisation.name,
                organisation_kind=organisation.kind,
                unit_id=found.id,
                unit_name=found.name,
                unit_ids=units_below(session, found.id),
                roles=frozenset({role}),
                status=status,
                session_id=uuid4(),
            )

    return make
