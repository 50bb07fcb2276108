"""Content is readable with its subject's key, in its own place, until that key is destroyed."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import event, text

from hub.db import Database, new_id
from hub.errors import HubError
from hub.records import vault as vault_module
from hub.records.keys import Keys
from hub.records.vault import Vault

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
AAD = ("message", "update")


def _case(
    database: Database, vault: Vault, content: bytes = b"last seen at the bus stop"
) -> tuple[UUID, bytes]:
    case_id = new_id()
    with database.unit_of_work() as session:
        vault.create_key(session, case_id)
        return case_id, vault.encrypt(session, case_id, content, AAD)


def _read(
    database: Database, vault: Vault, case_id: UUID, stored: bytes, aad: tuple[str, ...] = AAD
) -> bytes:
    with database.unit_of_work() as session:
        return vault.decrypt(session, case_id, stored, aad)


def test_what_one_process_stores_another_reads(database: Database, keys: Keys) -> None:
    case_id, stored = _case(database, Vault(keys))
    assert b"bus stop" not in stored
    assert _read(database, Vault(keys), case_id, stored) == b"last seen at the bus stop"


def test_content_moved_to_another_place_is_not_read(database: Database, keys: Keys) -> None:
    vault = Vault(keys)
    case_id, stored = _case(database, vault)
    other_id, _ = _case(database, vault)
    changed = stored[:-1] + bytes([stored[-1] ^ 1])
    for place, ciphertext, aad in (
        (case_id, stored, ("message", "located")),
        (case_id, stored, ("messageupdate",)),
        (other_id, stored, AAD),
        (case_id, changed, AAD),
        (case_id, stored[:20], AAD),
        (case_id, b"", AAD),
    ):
        with pytest.raises(HubError) as caught:
            _read(database, vault, place, ciphertext, aad)
        assert caught.value.code == "content-unreadable"


def test_two_encryptions_of_one_text_differ(database: Database, keys: Keys) -> None:
    vault = Vault(keys)
    case_id, stored = _case(database, vault)
    with database.unit_of_work() as session:
        assert vault.encrypt(session, case_id, b"last seen at the bus stop", AAD) != stored


def test_the_database_holds_no_key_in_clear(
    database: Database, keys: Keys, superuser_url: str
) -> None:
    case_id, stored = _case(database, Vault(keys))
    other = replace(keys, keks={1: bytes(32)})
    with pytest.raises(HubError) as caught:
        _read(database, Vault(other), case_id, stored)
    assert caught.value.code == "content-unreadable"
    with psycopg.connect(superuser_url) as connection:
        row = connection.execute("SELECT wrapped FROM data_key").fetchone()
    assert row is not None
    assert len(row[0]) == 12 + 32 + 16


def test_a_wrapped_key_moved_to_another_subject_does_not_unwrap(
    database: Database, keys: Keys, superuser_url: str
) -> None:
    case_id, stored = _case(database, Vault(keys))
    other_id, _ = _case(database, Vault(keys))
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            "UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE subject_id = %s)"
            " WHERE subject_id = %s",
            (case_id, other_id),
        )
    with pytest.raises(HubError) as caught:
        _read(database, Vault(keys), other_id, stored)
    assert caught.value.code == "content-unreadable"


def test_a_new_case_costs_one_statement_and_a_known_one_none(
    database: Database, keys: Keys
) -> None:
    vault = Vault(keys)
    statements: list[str] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _c, _cur, statement, *_: statements.append(statement),
    )
    case_id, stored = _case(database, vault)
    assert len(statements) == 1
    _read(database, vault, case_id, stored)
    assert len(statements) == 2
    _read(database, vault, case_id, stored)
    assert len(statements) == 2


def test_a_key_rolled_back_is_not_kept(database: Database, keys: Keys) -> None:
    vault, case_id = Vault(keys), new_id()
    with database.unit_of_work() as session:
        vault.create_key(session, case_id)
        vault.encrypt(session, case_id, b"x", AAD)
        session.rollback()
        with pytest.raises(HubError) as caught:
            vault.encrypt(session, case_id, b"x", AAD)
    assert caught.value.code == "content-key-missing"


def test_a_destroyed_key_is_forgotten_by_every_process_within_seconds(
    database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, elsewhere = Vault(keys), Vault(keys)
    case_id, stored = _case(database, here)
    _read(database, elsewhere, case_id, stored)
    with database.unit_of_work() as session:
        here.destroy_key(session, case_id, now=NOW)
    later = time.monotonic() + vault_module.CACHE_SECONDS
    for vault in (here, elsewhere):
        monkeypatch.setattr(time, "monotonic", lambda: later)
        with pytest.raises(HubError) as caught:
            _read(database, vault, case_id, stored)
        assert (caught.value.code, caught.value.status) == ("erased", 410)
    with database.unit_of_work() as session:
        assert session.scalar(text("SELECT wrapped IS NULL FROM data_key")) is True


def test_a_destroyed_key_never_comes_back(
    database: Database, keys: Keys, superuser_url: str
) -> None:
    case_id, _ = _case(database, Vault(keys))
    with database.unit_of_work() as session:
        Vault(keys).destroy_key(session, case_id, now=NOW)
    with (
        psycopg.connect(superuser_url) as connection,
        pytest.raises(psycopg.errors.RestrictViolation),
    ):
        connection.execute("UPDATE data_key SET wrapped = 'x', destroyed_at = NULL")


def test_the_cache_is_bounded(
    database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault_module, "CACHE_SIZE", 2)
    vault = Vault(keys)
    cases = [_case(database, vault) for _ in range(4)]
    for case_id, stored in cases:
        _read(database, vault, case_id, stored)
    assert list(vault._cache) == [case_id for case_id, _ in cases[-2:]]


def test_the_keys_of_another_database_are_refused_at_start(
    database: Database, keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for _ in range(2):
        with database.unit_of_work() as session:
            keys.check(session)
    other = Keys.load(tmp_path_factory.mktemp("other") / "keys", create=True)
    with pytest.raises(HubError) as caught, database.unit_of_work() as session:
        other.check(session)
    assert caught.value.code == "key-wrong"
    assert caught.value.sentence == (
        f"The key in {other.folder / 'audit'} is not the one this database was made with."
    )
    without = replace(keys, keks={2: bytes(32)})
    with pytest.raises(HubError) as caught, database.unit_of_work() as session:
        without.check(session)
    assert caught.value.code == "key-missing"
