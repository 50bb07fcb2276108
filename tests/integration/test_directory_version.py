"""The directory's version rises in commit order, once per transaction that changes it."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from directory import changes, reorganisations
from directory.model import Area, ContactPoint, Coverage, DirectoryChange
from hub.db import Database
from hub.errors import HubError
from hub.organisations import Organisation, Unit
from hub.records import audit

assert reorganisations  # its import names the errors of the coverage rules
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


def test_many_at_once_are_each_one_version_with_all_of_their_changes(database: Database) -> None:
    before = _version(database)
    codes = ("kent", "essex", "surrey", "norfolk", "suffolk", "dorset")
    together = threading.Barrier(len(codes))

    def change(code: str) -> None:
        for turn in range(4):
            together.wait(20)
            with database.unit_of_work() as session:
                changes.because(session, audit.Who("system", name=f"{code} {turn}"), "test", NOW)
                kent = select(Organisation.id).where(Organisation.code == code).scalar_subquery()
                session.execute(
                    update(Organisation)
                    .where(Organisation.code == code)
                    .values(website=f"https://{turn}.example.org/")
                )
                session.execute(
                    update(Unit).where(Unit.organisation_id == kent).values(confidence=f"{turn}")
                )

    threads = [threading.Thread(target=change, args=(code,)) for code in codes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.unit_of_work() as session:
        found = session.execute(
            select(DirectoryChange.version, DirectoryChange.who, DirectoryChange.kind)
            .where(DirectoryChange.version > before)
            .distinct()
        ).all()
        unstamped = session.scalar(select(func.count()).where(DirectoryChange.version.is_(None)))
    assert unstamped == 0
    versions = {(version, who) for version, who, _ in found}
    assert {version for version, _ in versions} == set(range(before + 1, before + 25))
    assert len(versions) == 24
    assert len(found) == 48


def test_whoever_reads_a_version_has_every_change_up_to_it(database: Database) -> None:
    """What a mirror rests on: no change turns up later with a version that was read before."""
    before = _version(database)
    written, finish = threading.Event(), threading.Event()

    def slow() -> None:
        with database.unit_of_work() as session:
            session.execute(
                update(Organisation)
                .where(Organisation.code == "kent")
                .values(website="https://slow.example.org/")
            )
            written.set()
            finish.wait(20)

    def changes_after(version: int) -> list[tuple[int, str]]:
        with database.unit_of_work() as session:
            rows = session.execute(
                select(DirectoryChange.version, DirectoryChange.after["website"].astext)
                .where(DirectoryChange.version > version)
                .order_by(DirectoryChange.version)
            )
            return [(row[0], row[1]) for row in rows]

    thread = threading.Thread(target=slow)
    thread.start()
    assert written.wait(20)
    with database.unit_of_work() as session:
        session.execute(
            update(Organisation)
            .where(Organisation.code == "essex")
            .values(website="https://quick.example.org/")
        )
    first = changes_after(before)
    finish.set()
    thread.join()
    assert first == [(before + 1, "https://quick.example.org/")]
    assert changes_after(before + 1) == [(before + 2, "https://slow.example.org/")]


@pytest.mark.parametrize("sectors", [None, ["CT9 1", "CT9 2"]])
def test_two_who_each_cover_a_free_place_cannot_both(
    database: Database, owner_url: str, sectors: list[str] | None
) -> None:
    """Each alone is right, neither sees the other; the version's lock puts one after the other."""
    area_id, units = _two_units_without(database, sectors)
    refused: list[str] = []

    def cover(unit_id: UUID) -> None:
        try:
            with database.unit_of_work() as session:
                session.add(_coverage(unit_id, area_id, sectors))
        except HubError as error:
            refused.append(error.code)

    _all_at_once(owner_url, [partial(cover, one) for one in units])
    assert refused == ["covered-twice"]
    with database.unit_of_work() as session:
        assert (
            session.scalar(
                select(func.count()).where(
                    Coverage.area_id == area_id, Coverage.source == "EXERCISE"
                )
            )
            == 1
        )


def test_two_who_each_end_one_of_two_that_follow_each_other_leave_no_gap(
    database: Database, owner_url: str
) -> None:
    area_id, (one, other) = _two_units_without(database, None)
    change = date(2027, 4, 1)
    with database.unit_of_work() as session:
        session.add(_coverage(one, area_id, None))
    refused: list[str] = []

    def hand_over() -> None:
        try:
            with database.unit_of_work() as session:
                _end(session, area_id, one, change)
                session.add(_coverage(other, area_id, None, change))
        except HubError as error:
            refused.append(error.code)

    _all_at_once(owner_url, [hand_over])
    assert refused == []
    for ending, when in ((other, change), (one, date(2027, 3, 1))):
        with pytest.raises(HubError) as left, database.unit_of_work() as session:
            _end(session, area_id, ending, when)
        assert left.value.code == "left-uncovered"


def _two_units_without(
    database: Database, sectors: list[str] | None
) -> tuple[UUID, tuple[UUID, UUID]]:
    """Return a district whose own unit is as good as gone, and two units that could have it."""
    with database.unit_of_work() as session:
        units = list(session.scalars(select(Unit.id).where(Unit.kind == "bcu").order_by(Unit.code)))
        taken = select(Coverage.area_id).where(Coverage.unit_id.in_(units))
        area_id = session.scalars(
            select(Area.id)
            .where(Area.id.not_in(taken), Area.kind == "district")
            .order_by(Area.code)
        ).first()
        assert area_id is not None
        assert sectors is None or len(sectors) == 2
        return area_id, (units[0], units[1])


def _coverage(
    unit_id: UUID, area_id: UUID, sectors: list[str] | None, valid_from: date = date(2026, 11, 1)
) -> Coverage:
    return Coverage(
        unit_id=unit_id, area_id=area_id, sectors=sectors, valid_from=valid_from, basis="stated",
        as_of="2026-11-01", source="EXERCISE",
    )  # fmt: skip


def _end(session: Session, area_id: UUID, unit_id: UUID, when: date) -> None:
    session.execute(
        update(Coverage)
        .where(Coverage.area_id == area_id, Coverage.unit_id == unit_id)
        .values(valid_to=when)
    )


def _all_at_once(owner_url: str, acts: list[Callable[[], None]]) -> None:
    """Let all of them come to their commit before any of them has committed."""
    with psycopg.connect(owner_url) as holding, psycopg.connect(owner_url) as looking:
        holding.execute("SELECT 1 FROM directory_version FOR UPDATE")
        threads = [threading.Thread(target=act) for act in acts]
        for thread in threads:
            thread.start()
        looking.autocommit = True
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            row = looking.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock'"
            ).fetchone()
            if row is not None and row[0] == len(acts):
                break
        else:
            raise AssertionError("they never came to their commit")
        holding.rollback()
        for thread in threads:
            thread.join()
