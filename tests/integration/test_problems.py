"""A number that readers say is wrong: open until its editors answer, and shown to the next reader."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from directory import editing, keepers, problems, suggestions
from directory.entry_contracts import ContactIn
from directory.ladder import NEEDS, Reader, climb
from directory.lookup import unit_place
from directory.model import ContactPoint, ContactProblem
from directory.public import nudge_mailbox
from directory.standing import standing
from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import PUBLIC, Actor
from hub.organisations import find_unit
from tests.conftest import Someone
from tests.directories import read

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
READER = Reader(frozenset({"public", "professional"}))


def contact_in(value: str, channel: str = "telephone") -> ContactIn:
    return ContactIn.model_validate(
        {"purpose": "missing-children-team", "channel": channel, "value": value}
    )


@pytest.fixture
def editor(someone: Someone) -> Actor:
    return someone("kent", "directory-editor", status="actual")


@pytest.fixture
def east(database: Database) -> UUID:
    with database.unit_of_work() as session:
        unit = find_unit(session, "kent/east")
        assert unit is not None
        return unit.id


@pytest.fixture
def contact(database: Database, editor: Actor, east: UUID) -> ContactPoint:
    with database.unit_of_work() as session:
        return editing.add_contact(
            session, editor, east, contact_in("01632 960001"), why="the team was set up", now=NOW,
            checked=True,
        )  # fmt: skip


@pytest.fixture
def readers(someone: Someone) -> list[Actor]:
    return [
        someone(unit, "practitioner", status="actual")
        for unit in (
            "E09000019/childrens-social-care",
            "E09000019/childrens-social-care",
            "surrey",
            "E09000019/childrens-social-care",
        )
    ]


def report(
    database: Database, actor: Actor, contact_id: UUID, at: datetime = NOW, value: str | None = None
) -> None:
    with database.unit_of_work() as session:
        problems.report(
            session, actor, contact_id, kind="rang-out", note=" after  ten rings ", now=at,
            value=value,
        )  # fmt: skip


def test_the_third_reader_of_two_organisations_lowers_it_and_the_answer_raises_it(
    database: Database, editor: Actor, contact: ContactPoint, readers: list[Actor], east: UUID
) -> None:
    for number, reader in enumerate(readers[:3]):
        before = read(database, NOW)
        assert before.contacts[east][-1].id == contact.id
        assert not standing(before.contacts[east][-1], NOW).lowered
        report(database, reader, contact.id, NOW - timedelta(days=number))
    snapshot = read(database, NOW)
    found = standing(snapshot.contacts[east][-1], NOW)
    assert (found.reports, found.reported_since, found.lowered) == (
        3, NOW - timedelta(days=2), True,
    )  # fmt: skip
    place = unit_place(snapshot, snapshot.units[east])
    lowered = climb(snapshot, place, "open-case", READER, NOW)
    assert lowered.call_now is not None
    assert lowered.call_now.value == "101"
    assert any("put lower" in sentence for sentence in lowered.warnings)
    with database.unit_of_work() as session:
        (task,) = problems.tasks(session, editor, keepers.kept_by(session, editor))
        assert [one.reported_by for one in task.reports] == [
            f"{one.name}, {one.organisation_name}" for one in reversed(readers[:3])
        ]
        assert task.reports[0].note == "after ten rings"
        assert problems.waiting(session, editor, None) == 1
        assert problems.answer(session, editor, contact.id, answer="works", now=NOW) == 3
    with database.unit_of_work() as session:
        assert problems.tasks(session, editor, None) == []
        assert problems.waiting(session, editor, None) == 0
    snapshot = read(database, NOW)
    answered = climb(snapshot, place, "open-case", READER, NOW)
    assert answered.call_now is not None
    assert answered.call_now.value == "01632 960001"


def test_one_person_reports_once_until_it_is_answered(
    database: Database, editor: Actor, contact: ContactPoint, readers: list[Actor]
) -> None:
    report(database, readers[0], contact.id)
    with pytest.raises(HubError, match="reported-already"):
        report(database, readers[0], contact.id)
    with database.unit_of_work() as session:
        problems.answer(session, editor, contact.id, answer="works", now=NOW)
    report(database, readers[0], contact.id)


def test_only_its_editors_answer(
    database: Database, contact: ContactPoint, readers: list[Actor], someone: Someone
) -> None:
    report(database, readers[0], contact.id)
    for actor in (readers[0], someone("surrey", "directory-editor", status="actual")):
        with database.unit_of_work() as session, pytest.raises(HubError, match="not-permitted"):
            problems.answer(session, actor, contact.id, answer="works", now=NOW)


def test_correcting_or_closing_it_answers_what_was_reported(
    database: Database, editor: Actor, contact: ContactPoint, readers: list[Actor], east: UUID
) -> None:
    report(database, readers[0], contact.id)
    with database.unit_of_work() as session:
        editing.change_contact(
            session, editor, contact.id, contact_in("01632 960002"), version=1,
            why="the number has changed", now=NOW,
        )  # fmt: skip
    assert read(database, NOW).contacts[east][-1].problems == ()
    with pytest.raises(HubError, match="changed-meanwhile"):
        report(database, readers[1], contact.id, value="01632 960001")
    report(database, readers[1], contact.id, value="01632 960002")
    with database.unit_of_work() as session:
        editing.close_contact(session, editor, contact.id, version=2, why="moved out", now=NOW)
        answers = session.scalars(select(ContactProblem.answer).order_by(ContactProblem.id)).all()
    assert answers == ["corrected", "closed"]
    with pytest.raises(HubError, match="contact-closed"):
        report(database, readers[2], contact.id)


def test_strangers_and_other_statuses_report_nothing(
    database: Database, contact: ContactPoint, someone: Someone
) -> None:
    with pytest.raises(HubError, match="sign-in-needed"):
        report(database, PUBLIC, contact.id)
    with pytest.raises(HubError, match="not-found"):
        report(database, someone("surrey", "officer", status="exercise"), contact.id)


def test_a_suggested_number_is_rung_first_by_no_need_and_mailed_by_nobody(
    database: Database, readers: list[Actor], east: UUID
) -> None:
    with database.unit_of_work() as session:
        for value, channel in (("01632 960009", "telephone"), ("new@example.org", "email")):
            suggestions.suggest(session, readers[0], east, contact_in(value, channel), now=NOW)
    snapshot = read(database, NOW)
    place = unit_place(snapshot, snapshot.units[east])
    for need in NEEDS:
        call = climb(snapshot, place, need, READER, NOW).call_now
        assert call is not None
        assert call.value == "101"
    with database.unit_of_work() as session:
        assert nudge_mailbox(session, east, "actual", NOW) is None
        assert problems.waiting(session, readers[0], []) == 0
        assert problems.waiting(session, readers[0], None) == 2
