"""What goes on record, what may not, and who has looked."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub.db import Database, new_id
from hub.errors import HubError
from hub.records import audit
from hub.records.audit import Who
from hub.records.consultation import known_reason, remember_reason
from hub.records.keys import Keys
from hub.records.vault import Vault


@pytest.fixture
def database_name(clone: Callable[[str], str], empty_template: str) -> str:
    """Return a database whose audit log is empty: seeding puts a record of its own."""
    return clone(empty_template)


NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
OFFICER = Who("person", new_id(), "Officer Example", new_id(), new_id(), new_id())


def test_a_record_is_written_or_lost_with_what_it_records(database: Database) -> None:
    with database.unit_of_work() as session:
        audit.record(session, OFFICER, "case.opened", now=NOW)
        session.rollback()
    with database.unit_of_work() as session:
        assert session.scalar(text("SELECT count(*) FROM audit_record")) == 0
        audit.record(session, audit.SYSTEM, "clock.missed", now=NOW, automatic=True)
    with database.unit_of_work() as session:
        assert session.scalar(text("SELECT count(*) FROM audit_record")) == 1


def test_who_has_looked_at_a_case_and_at_one_message(database: Database, keys: Keys) -> None:
    vault, case_id, other_case = Vault(keys), new_id(), new_id()
    first, second = new_id(), new_id()
    partner = Who("client", new_id(), "Partner system", new_id(), new_id())
    with database.unit_of_work() as session:
        vault.create_key(session, case_id)
        audit.record(session, OFFICER, "message.sent", now=NOW, case_id=case_id)
        audit.record(
            session,
            OFFICER,
            audit.CONSULTATION,
            now=NOW,
            case_id=case_id,
            reason_code="addressed-to-my-unit",
            reason="taking over the night shift",
            detail={"messages": [str(first), str(second)]},
            vault=vault,
        )
        audit.record(
            session,
            partner,
            audit.DISCLOSURE,
            now=NOW + timedelta(minutes=1),
            case_id=case_id,
            object_kind="message",
            object_id=second,
            automatic=True,
        )
        audit.record(session, OFFICER, audit.CONSULTATION, now=NOW, case_id=other_case)
    with database.unit_of_work() as session:
        looks = audit.looks_at(session, case_id, vault=vault)
        at_first = audit.looks_at(session, case_id, [first])
        at_second = audit.looks_at(session, case_id, {second})
        at_none = audit.looks_at(session, case_id, [])
    assert [(look.who, look.action, look.automatic) for look in looks] == [
        (partner, audit.DISCLOSURE, True),
        (OFFICER, audit.CONSULTATION, False),
    ]
    assert looks[1].message_ids == {first, second}
    assert looks[1].reason == "taking over the night shift"
    assert [look.who.kind for look in at_first] == ["person"]
    assert at_first[0].reason is None
    assert [look.who.kind for look in at_second] == ["client", "person"]
    assert at_none == []


def test_a_reason_in_words_is_stored_encrypted(
    database: Database, keys: Keys, superuser_url: str
) -> None:
    vault = Vault(keys)
    with database.unit_of_work() as session:
        for _ in range(2):
            audit.record(
                session, OFFICER, "person.suspended", now=NOW, reason="left the force", vault=vault
            )
    with psycopg.connect(superuser_url) as connection:
        stored = connection.execute("SELECT reason FROM audit_record").fetchall()
    assert len(stored) == 2
    assert all(b"force" not in reason for (reason,) in stored)
    with pytest.raises(ValueError, match="vault"), database.unit_of_work() as session:
        audit.record(session, OFFICER, "person.suspended", now=NOW, reason="left the force")


@pytest.mark.parametrize(
    ("who", "action"),
    [
        (Who("robot"), "case.opened"),
        (Who("person", None, "Nobody"), "case.opened"),
        (OFFICER, "Case opened for Alex"),
        (OFFICER, ""),
    ],
)
def test_the_database_refuses_a_record_that_says_nothing(
    database: Database, who: Who, action: str
) -> None:
    with pytest.raises(HubError), database.unit_of_work() as session:
        audit.record(session, who, action, now=NOW)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_record SET action = 'x'",
        "DELETE FROM audit_record",
        "TRUNCATE audit_record CASCADE",
        "UPDATE audit_seal SET seq = 2",
        "DELETE FROM audit_seal",
        "TRUNCATE audit_seal",
    ],
)
def test_no_one_changes_the_log_in_passing(
    database: Database, keys: Keys, superuser_url: str, statement: str
) -> None:
    with database.unit_of_work() as session:
        audit.record(session, OFFICER, "case.opened", now=NOW)
    with database.unit_of_work() as session:
        assert audit.seal(session, keys) == 1
    with pytest.raises(DBAPIError) as caught, database.unit_of_work() as session:
        session.execute(text(statement))
    assert isinstance(caught.value.orig, psycopg.errors.InsufficientPrivilege)
    with (
        psycopg.connect(superuser_url) as connection,
        pytest.raises(psycopg.errors.RestrictViolation),
    ):
        connection.execute(statement)


def test_the_running_hub_cannot_choose_its_place_in_the_order(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught, database.unit_of_work() as session:
        session.execute(
            text(
                "INSERT INTO audit_record (id, xid, at, who_kind, who_name, action)"
                " VALUES (gen_random_uuid(), '1', now(), 'system', '', 'x')"
            )
        )
    assert isinstance(caught.value.orig, psycopg.errors.InsufficientPrivilege)


def test_a_reason_for_looking_is_asked_once_per_case_and_session(
    database: Database, keys: Keys
) -> None:
    vault, case_id, session_id = Vault(keys), new_id(), new_id()
    with database.unit_of_work() as session:
        vault.create_key(session, case_id)
        assert known_reason(session, vault, session_id, case_id) is None
        remember_reason(
            session, vault, session_id, case_id, "other", "asked by the inspector", now=NOW
        )
        remember_reason(session, vault, session_id, case_id, "enquiry", now=NOW)
    with database.unit_of_work() as session:
        known = known_reason(session, vault, session_id, case_id)
        assert known is not None
        assert (known.code, known.text) == ("other", "asked by the inspector")
        assert known_reason(session, vault, new_id(), case_id) is None
        stored = session.scalar(text("SELECT reason FROM consultation_reason"))
    assert b"inspector" not in bytes(stored)
