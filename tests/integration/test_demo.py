"""The exercise: fictional, marked, repeatable, and apart from what is actual."""

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from directory.mailboxes import verified_mailbox
from directory.model import ContactPoint
from hub.db import Database
from hub.identity import people, reach
from hub.identity.model import Membership, Person
from hub.organisations import find_unit
from hub.records.keys import Keys
from hub.records.model import AuditRecord
from messaging.model import Case, LeadRequest, Message, Tenure
from messaging.placement_model import Placement, Plan
from seed import cast, demo

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DRAMA = re.compile(r"020 7946 0\d{3}|01632 960\d{3}")


def _load(database: Database, keys: Keys, now: datetime = NOW) -> None:
    with database.unit_of_work() as session:
        demo.load(session, keys, now)


def _reach(session: Session, code: str, status: str) -> str:
    unit = find_unit(session, code)
    assert unit is not None
    return reach.reach(session, unit.id, status, NOW)


def test_everybody_can_sign_in_with_the_printed_password(database: Database, keys: Keys) -> None:
    _load(database, keys)
    printed = demo.sign_in_lines(keys)
    secret = printed[-1].removeprefix("password of all: ")
    assert secret == demo.password(keys)
    with database.unit_of_work() as session:
        persons = session.scalars(select(Person)).all()
        assert {person.status for person in persons} == {"exercise"}
        assert {person.email for person in persons} == {line.split()[0] for line in printed[:-1]}
        assert people.password_matches(secret, persons[0].password_hash)
        assert all(person.email.endswith(".example.org") for person in persons)


def test_every_contact_is_a_drama_number_marked_exercise(database: Database, keys: Keys) -> None:
    _load(database, keys)
    with database.unit_of_work() as session:
        contacts = session.scalars(
            select(ContactPoint).where(ContactPoint.status == "exercise")
        ).all()
        assert len(contacts) == len(cast.OVERLAYS)
        for contact in contacts:
            assert contact.note == "EXERCISE"
            assert DRAMA.fullmatch(contact.value) or contact.value.endswith(".example.org")
        actual = select(func.count()).where(
            ContactPoint.status == "actual", ContactPoint.verification == "verified"
        )
        assert session.scalar(actual) == 0


def test_the_units_of_the_exercise_are_staffed_for_the_exercise_alone(
    database: Database, keys: Keys
) -> None:
    _load(database, keys)
    with database.unit_of_work() as session:
        for code in (cast.ISLINGTON, cast.CENTRAL_NORTH, cast.EAST_KENT, cast.ESSEX):
            assert _reach(session, code, "exercise") == "staffed"
            assert _reach(session, code, "actual") == "not-on-hub"
        assert _reach(session, cast.DEVON_AND_CORNWALL_TEAM, "exercise") == "not-on-hub"


def test_devon_and_cornwall_has_a_mailbox_for_guest_links(database: Database, keys: Keys) -> None:
    _load(database, keys)
    with database.unit_of_work() as session:
        team = find_unit(session, cast.DEVON_AND_CORNWALL_TEAM)
        assert team is not None
        mailbox = verified_mailbox(session, team.id, "exercise")
        assert mailbox is not None
        assert mailbox.address == "missing@devon-cornwall.example.org"
        assert verified_mailbox(session, team.id, "actual") is None


def test_a_unit_without_a_mailbox_has_that_of_its_forces_team(
    database: Database, keys: Keys
) -> None:
    _load(database, keys)
    with database.unit_of_work() as session:
        for code, address in (
            ("south-wales/cardiff-and-the-vale", "missing@south-wales.example.org"),
            (cast.CENTRAL_NORTH, "missing.cn@met.example.org"),
        ):
            unit = find_unit(session, code)
            assert unit is not None
            mailbox = verified_mailbox(session, unit.id, "exercise")
            assert mailbox is not None
            assert mailbox.address == address
        other = find_unit(session, "northumbria")
        assert other is not None
        assert verified_mailbox(session, other.id, "exercise") is None


def test_a_second_load_adds_nothing(database: Database, keys: Keys) -> None:
    _load(database, keys)
    counts = [
        func.count(model.id) for model in (Person, Membership, ContactPoint, Message, AuditRecord)
    ]
    with database.unit_of_work() as session:
        before = [session.scalar(select(count)) for count in counts]
    _load(database, keys, datetime(2026, 11, 25, 9, tzinfo=UTC))
    with database.unit_of_work() as session:
        assert [session.scalar(select(count)) for count in counts] == before


def test_one_case_is_half_way(database: Database, keys: Keys) -> None:
    _load(database, keys)
    with database.unit_of_work() as session:
        cases = session.scalars(select(Case)).all()
        assert [(case.status, case.closed_at) for case in cases] == [("exercise", None)] * 2
        tenure = session.scalars(select(Tenure)).one()
        met, kent = find_unit(session, cast.CENTRAL_NORTH), find_unit(session, cast.EAST_KENT)
        assert met is not None
        assert kent is not None
        assert (tenure.unit_id, tenure.until) == (met.id, None)
        request = session.scalars(select(LeadRequest)).one()
        assert (request.state, request.priority) == ("open", "urgent")
        assert (request.from_unit_id, request.to_unit_id) == (met.id, kent.id)
        offer = session.get_one(Message, request.message_id)
        assert offer.reply_due_at == NOW + timedelta(minutes=10)


def test_another_is_of_a_placement_with_an_agreed_plan(database: Database, keys: Keys) -> None:
    _load(database, keys)
    with database.unit_of_work() as session:
        placement, plan = (
            session.scalars(select(Placement)).one(),
            session.scalars(select(Plan)).one(),
        )
        met, kent = find_unit(session, cast.CENTRAL_NORTH), find_unit(session, cast.EAST_KENT)
        assert met is not None
        assert kent is not None
        assert session.get_one(Case, placement.case_id).home_unit_id == met.id
        assert (placement.destination_unit_id, placement.working_days_late) == (kent.id, 0)
        assert placement.starts_on == NOW.date()
        assert (plan.placement_id, plan.state, plan.lead_unit_id) == (
            placement.id,
            "agreed",
            kent.id,
        )
        assert (plan.proposed_by_unit_id, plan.answered_by_unit_id) == (met.id, kent.id)
