"""The directory's version rises in commit order, once per transaction that changes it."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import ProgrammingError

from directory.model import ContactPoint
from hub.db import Database
from hub.organisations import Organisation

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def _version(database: Database) -> int:
    with database.unit_of_work() as session:
        found: int = session.execute(text("SELECT version FROM directory_version")).scalar_one()
        return found


def test_one_transaction_is_one_version(database: Database) -> None:
    before = _version(database)
    with database.unit_of_work() as session:
        session.execute(update(Organisation).values(website="https://example.org/"))
        session.execute(update(ContactPoint).values(note="EXERCISE"))
    assert _version(database) == before + 1


def test_a_write_that_changes_nothing_is_no_version(database: Database) -> None:
    before = _version(database)
    with database.unit_of_work() as session:
        session.execute(update(Organisation).values(website=Organisation.website))
    assert _version(database) == before


def test_a_rollback_is_no_version(database: Database) -> None:
    before = _version(database)
    with database.unit_of_work() as session:
        session.execute(update(Organisation).values(website="https://example.org/"))
        session.rollback()
    assert _version(database) == before


def test_a_transaction_held_open_does_not_hide_a_later_one(database: Database) -> None:
    """Whoever reads version n sees every change of the versions up to n, whichever began first."""
    before = _version(database)
    written, finish = threading.Event(), threading.Event()

    def slow() -> None:
        with database.unit_of_work() as session:
            session.execute(
                update(Organisation)
                .where(Organisation.code == "kent")
                .values(website="https://a.test/")
            )
            written.set()
            finish.wait(10)

    thread = threading.Thread(target=slow)
    thread.start()
    assert written.wait(10)
    with database.unit_of_work() as session:  # does not wait for the slow one
        session.execute(
            update(Organisation)
            .where(Organisation.code == "essex")
            .values(website="https://b.test/")
        )
    assert _version(database) == before + 1
    finish.set()
    thread.join()
    assert _version(database) == before + 2


def test_the_running_hub_cannot_set_it(database: Database) -> None:
    with pytest.raises(ProgrammingError), database.unit_of_work() as session:
        session.execute(text("UPDATE directory_version SET version = 1"))


def test_verifications_are_only_ever_added(database: Database) -> None:
    for statement in (
        "UPDATE mailbox_verification SET value = ''",
        "DELETE FROM mailbox_verification",
    ):
        with pytest.raises(ProgrammingError), database.unit_of_work() as session:
            session.execute(text(statement))
