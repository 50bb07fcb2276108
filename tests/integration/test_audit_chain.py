"""The seal over the audit log: no late commit slips behind it, and every alteration is named."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from hub.db import Database, new_id
from hub.records import audit
from hub.records.audit import Verification, Who
from hub.records.keys import Keys


@pytest.fixture
def database_name(clone: Callable[[str], str], empty_template: str) -> str:
    """Return a database whose audit log is empty: seeding puts a record of its own."""
    return clone(empty_template)


NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
OFFICER = Who("person", new_id(), "Officer Example", new_id(), new_id(), new_id())


def _record(database: Database, count: int = 1) -> list[UUID]:
    made = []
    for number in range(count):
        with database.unit_of_work() as session:
            moment = NOW + timedelta(seconds=number)
            made.append(
                audit.record(
                    session,
                    OFFICER,
                    "message.sent",
                    now=moment,
                    case_id=new_id(),
                    detail={"n": number},
                )
            )
    return made


def _seal(database: Database, keys: Keys) -> int:
    with database.unit_of_work() as session:
        return audit.seal(session, keys)


def _verify(database: Database, keys: Keys) -> Verification:
    with database.unit_of_work() as session:
        return audit.verify(session, keys)


def _tamper(superuser_url: str, *statements: str) -> None:
    """Do what only someone who holds the whole database can: past triggers and keys."""
    with psycopg.connect(superuser_url) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def sealed(database: Database, keys: Keys) -> list[UUID]:
    """Six records, sealed in three batches."""
    made: list[UUID] = []
    for _ in range(3):
        made += _record(database, 2)
        assert _seal(database, keys) == 2
    return made


def test_an_untouched_log_holds_and_its_tail_is_told(
    database: Database, keys: Keys, sealed: list[UUID]
) -> None:
    assert _verify(database, keys) == Verification(6, None, 0, None)
    _record(database, 2)
    found = _verify(database, keys)
    assert found == Verification(6, None, 2, NOW)
    assert found.ok
    assert found.sentence() == (
        "6 audit records are sealed, and nothing was altered, removed or reordered. "
        "Not yet sealed: 2, the oldest of 2026-11-24 03:00:00 UTC."
    )


def test_an_empty_log_holds(database: Database, keys: Keys) -> None:
    assert _seal(database, keys) == 0
    assert _verify(database, keys).sentence().startswith("0 audit records are sealed")


def test_a_late_commit_is_sealed_after_and_never_skipped(database: Database, keys: Keys) -> None:
    with database.unit_of_work() as late:
        first = audit.record(late, OFFICER, "case.opened", now=NOW)
        _record(database, 3)
        assert _seal(database, keys) == 0
        assert _verify(database, keys).unsealed == 3
    assert _seal(database, keys) == 4
    with database.unit_of_work() as session:
        order = session.scalars(text("SELECT audit_id FROM audit_seal ORDER BY seq")).all()
    assert order[0] == first
    assert _verify(database, keys) == Verification(4, None, 0, None)


def test_a_transaction_held_open_across_sealing_slips_in_nowhere(
    database: Database, keys: Keys
) -> None:
    _record(database, 2)
    with database.unit_of_work() as late:
        audit.record(late, OFFICER, "case.opened", now=NOW)
        _record(database, 2)
        assert _seal(database, keys) == 2
        assert _verify(database, keys).ok
    assert _seal(database, keys) == 3
    assert _verify(database, keys) == Verification(5, None, 0, None)


def test_one_sealer_at_a_time_and_batches_join_up(database: Database, keys: Keys) -> None:
    _record(database, 5)
    with database.unit_of_work() as one:
        assert audit.seal(one, keys, batch=2) == 2
        assert _seal(database, keys) == 0
        assert audit.seal(one, keys, batch=2) == 2
    assert _seal(database, keys) == 1
    assert _verify(database, keys) == Verification(5, None, 0, None)


def test_a_seal_rolled_back_leaves_no_mark(database: Database, keys: Keys) -> None:
    _record(database)
    with database.unit_of_work() as session:
        audit.seal(session, keys)
        session.rollback()
    assert not keys.anchor_path.exists()
    assert _verify(database, keys).ok


@pytest.mark.parametrize(
    "change",
    [
        "who_name = 'Someone Else'",
        "at = at + interval '1 microsecond'",
        "detail = '{\"n\": 7}'",
        "detail = NULL",
        "reason = ''",
        "reason_code = ''",
        "automatic = true",
        "case_id = NULL",
        "session_id = gen_random_uuid()",
        "object_kind = 'case'",
    ],
)
def test_an_altered_record_is_named(
    database: Database, keys: Keys, superuser_url: str, sealed: list[UUID], change: str
) -> None:
    _tamper(
        superuser_url,
        f"UPDATE audit_record SET {change} WHERE id IN ('{sealed[2]}', '{sealed[4]}')",
    )
    found = _verify(database, keys)
    assert found.problem is not None
    assert (found.sealed, found.problem.kind, found.problem.seq) == (2, "altered", 3)
    assert found.problem.audit_id == sealed[2]
    assert str(sealed[2]) in found.sentence()


def test_a_missing_record_is_named(
    database: Database, keys: Keys, superuser_url: str, sealed: list[UUID]
) -> None:
    _tamper(superuser_url, f"DELETE FROM audit_record WHERE id = '{sealed[3]}'")
    problem = _verify(database, keys).problem
    assert problem is not None
    assert (problem.kind, problem.seq, problem.audit_id) == ("missing", 4, sealed[3])


def test_a_record_removed_with_its_seal_is_named(
    database: Database, keys: Keys, superuser_url: str, sealed: list[UUID]
) -> None:
    _tamper(
        superuser_url,
        f"DELETE FROM audit_record WHERE id = '{sealed[3]}'",
        "DELETE FROM audit_seal WHERE seq = 4",
    )
    problem = _verify(database, keys).problem
    assert problem is not None
    assert (problem.kind, problem.seq) == ("missing", 4)


def test_a_gap_closed_up_is_named(
    database: Database, keys: Keys, superuser_url: str, sealed: list[UUID]
) -> None:
    _tamper(
        superuser_url,
        f"DELETE FROM audit_record WHERE id = '{sealed[3]}'",
        "DELETE FROM audit_seal WHERE seq = 4",
        "UPDATE audit_seal SET seq = 4 WHERE seq = 5",
        "UPDATE audit_seal SET seq = 5 WHERE seq = 6",
    )
    found = _verify(database, keys)
    assert found.problem is not None
    assert (found.sealed, found.problem.seq) == (3, 4)


def test_a_removed_seal_is_named_by_its_record(
    database: Database, keys: Keys, superuser_url: str, sealed: list[UUID]
) -> None:
    _tamper(superuser_url, "DELETE FROM audit_seal WHERE seq = 4")
    problem = _verify(database, keys).problem
    assert problem is not None
    assert problem.audit_id == sealed[3]


@pytest.mark.parametrize("swapped", [(1, 2), (3, 4), (2, 5), (1, 6)])
def test_reordered_records_are_named(
    database: Database, keys: Keys, superuser_url: str, sealed: list[UUID], swapped: tuple[int, int]
) -> None:
    one, other = swapped
    _tamper(
        superuser_url,
        "ALTER TABLE audit_seal DROP CONSTRAINT uq_audit_seal_audit_id",
        f"UPDATE audit_seal SET audit_id = '{sealed[other - 1]}' WHERE seq = {one}",
        f"UPDATE audit_seal SET audit_id = '{sealed[one - 1]}' WHERE seq = {other}",
    )
    problem = _verify(database, keys).problem
    assert problem is not None
    assert (problem.kind, problem.seq) == ("reordered", one)


def test_a_record_put_in_afterwards_is_named(
    database: Database, keys: Keys, superuser_url: str, sealed: list[UUID]
) -> None:
    forged = new_id()
    _tamper(
        superuser_url,
        "INSERT INTO audit_record (id, xid, at, who_kind, who_name, action)"
        f" SELECT '{forged}', xid, at, 'system', '', 'case.opened' FROM audit_record"
        f" WHERE id = '{sealed[1]}'",
    )
    problem = _verify(database, keys).problem
    assert problem is not None
    assert (problem.kind, problem.audit_id) == ("inserted", forged)
    assert _seal(database, keys) == 0


@pytest.mark.parametrize("left", [0, 4])
def test_a_cut_end_is_noticed(
    database: Database, keys: Keys, superuser_url: str, sealed: list[UUID], left: int
) -> None:
    cut = ", ".join(f"'{audit_id}'" for audit_id in sealed[left:])
    _tamper(
        superuser_url,
        f"DELETE FROM audit_seal WHERE seq > {left}",
        f"DELETE FROM audit_record WHERE id IN ({cut})",
    )
    found = _verify(database, keys)
    assert found.problem is not None
    assert (found.sealed, found.problem.kind, found.problem.seq) == (left, "cut", left + 1)
    assert found.sentence().startswith(
        f"The end of the audit log is missing: 6 records were sealed, {left} are left."
    )


def test_an_end_cut_off_and_sealed_anew_is_noticed(
    database: Database, keys: Keys, superuser_url: str, sealed: list[UUID]
) -> None:
    _tamper(
        superuser_url,
        "DELETE FROM audit_seal WHERE seq > 4",
        f"DELETE FROM audit_record WHERE id IN ('{sealed[4]}', '{sealed[5]}')",
    )
    _record(database, 3)
    assert _seal(database, keys) == 3
    problem = _verify(database, keys).problem
    assert problem is not None
    assert (problem.kind, problem.seq) == ("rewritten", 6)


def test_another_key_proves_nothing(
    database: Database, keys: Keys, sealed: list[UUID], tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Keys.load(tmp_path_factory.mktemp("other") / "keys", create=True)
    assert not _verify(database, other).ok


def test_a_torn_line_in_the_anchor_file_says_nothing(
    database: Database, keys: Keys, sealed: list[UUID]
) -> None:
    with keys.anchor_path.open("a") as file:
        file.write("7 00ab")
    assert _verify(database, keys).ok


def test_the_running_hub_can_verify_while_records_come_in(
    database: Database, keys: Keys, sealed: list[UUID]
) -> None:
    with database.unit_of_work() as session:
        assert session.scalar(text("SELECT current_user")) == "hub_app"
        _record(database, 1)
        _seal(database, keys)
        assert audit.verify(session, keys).ok
