"""Only a mailbox that somebody rang to prove gets a guest link (DOMAIN.md 4.5, issue 2.7)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from directory.editing import add_contact
from directory.entry_contracts import ContactIn
from directory.mailboxes import record_verification, verified_mailbox
from directory.model import ContactPoint, MailboxVerification
from hub.db import Database, new_id
from hub.errors import HubError
from hub.identity.actor import PUBLIC, Actor
from hub.organisations import find_unit
from hub.records.model import AuditRecord

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TEAM = "devon-and-cornwall/missing-children-team"


def _unit(session: Session, code: str) -> UUID:
    unit = find_unit(session, code)
    assert unit is not None
    return unit.id


def _editor(session: Session, code: str, role: str = "directory-editor") -> Actor:
    unit = find_unit(session, code)
    assert unit is not None
    return Actor(
        "person",
        id=new_id(),
        name="Editor Example",
        organisation_id=unit.organisation_id,
        unit_id=unit.id,
        roles=frozenset({role}),
        status="actual",
    )


def _verify(session: Session, actor: Actor, contact: ContactPoint, now: datetime = NOW) -> None:
    record_verification(
        session,
        actor,
        contact.id,
        spoke_to="Sgt Example, 1234",
        number_rung="01632 960010",
        now=now,
    )


@pytest.fixture
def contact(database: Database) -> ContactPoint:
    with database.unit_of_work() as session:
        return add_contact(
            session,
            _editor(session, "npcc/missing-persons", "national-administrator"),
            _unit(session, TEAM),
            ContactIn(
                purpose="missing-children-team", channel="email", value="missing@dc.example.org"
            ),
            why="the team gave it",
            now=NOW,
        )


def test_an_unproved_mailbox_gets_nothing(database: Database, contact: ContactPoint) -> None:
    with database.unit_of_work() as session:
        assert contact.verification == "unverified"
        assert verified_mailbox(session, _unit(session, TEAM), "actual") is None


def test_a_call_back_proves_it_on_record(database: Database, contact: ContactPoint) -> None:
    with database.unit_of_work() as session:
        editor = _editor(session, "devon-and-cornwall")
        _verify(session, editor, contact)
    with database.unit_of_work() as session:
        for code in (TEAM, "devon-and-cornwall"):  # the force's unit has its team's mailbox
            mailbox = verified_mailbox(session, _unit(session, code), "actual")
            assert mailbox is not None
            assert mailbox.address == "missing@dc.example.org"
            assert (mailbox.verified_at, mailbox.verified_by) == (NOW, "Editor Example")
        shown = session.get_one(ContactPoint, contact.id)
        assert (shown.verification, shown.verified_at, shown.version) == ("verified", NOW, 2)
        row = session.scalars(select(MailboxVerification)).one()
        assert (row.spoke_to, row.number_rung) == ("Sgt Example, 1234", "01632 960010")
        record = session.scalars(
            select(AuditRecord).where(AuditRecord.action == "directory.verify-mailbox")
        ).one()
        assert (record.who_id, record.object_id) == (editor.id, contact.id)


def test_the_latest_call_back_counts(database: Database, contact: ContactPoint) -> None:
    later = NOW + timedelta(days=80)
    with database.unit_of_work() as session:
        editor = _editor(session, "devon-and-cornwall")
        _verify(session, editor, contact)
        _verify(session, editor, contact, later)
        mailbox = verified_mailbox(session, _unit(session, TEAM), "actual")
        assert mailbox is not None
        assert mailbox.verified_at == later


def test_a_changed_address_has_to_be_proved_again(
    database: Database, contact: ContactPoint
) -> None:
    with database.unit_of_work() as session:
        _verify(session, _editor(session, "devon-and-cornwall"), contact)
        session.get_one(ContactPoint, contact.id).value = "other@dc.example.org"
        session.flush()
        assert verified_mailbox(session, _unit(session, TEAM), "actual") is None


def test_statuses_never_mix(database: Database, contact: ContactPoint) -> None:
    with database.unit_of_work() as session:
        editor = _editor(session, "devon-and-cornwall")
        with pytest.raises(HubError, match="not-found"):
            _verify(session, replace(editor, status="exercise"), contact)
        _verify(session, editor, contact)
        assert verified_mailbox(session, _unit(session, TEAM), "exercise") is None


@pytest.mark.parametrize(
    ("unit", "role", "code"),
    [
        ("kent", "directory-editor", "not-permitted"),  # another force's editor
        ("devon-and-cornwall", "officer", "not-permitted"),
        (None, "", "sign-in-needed"),
    ],
)
def test_nobody_else_may_prove_it(
    database: Database, contact: ContactPoint, unit: str | None, role: str, code: str
) -> None:
    with database.unit_of_work() as session:
        actor = _editor(session, unit, role) if unit else PUBLIC
        with pytest.raises(HubError, match=code):
            _verify(session, actor, contact)


@pytest.mark.parametrize(
    ("spoke_to", "number_rung", "code"),
    [(" ", "01632 960010", "spoke-to"), ("Sgt Example", "none", "number-rung")],
)
def test_a_call_has_somebody_at_its_other_end(
    database: Database, contact: ContactPoint, spoke_to: str, number_rung: str, code: str
) -> None:
    with database.unit_of_work() as session:
        editor = _editor(session, "devon-and-cornwall")
        with pytest.raises(HubError, match=code):
            record_verification(
                session, editor, contact.id, spoke_to=spoke_to, number_rung=number_rung, now=NOW
            )


def test_a_telephone_is_no_mailbox(database: Database) -> None:
    with database.unit_of_work() as session:
        telephone = session.scalars(
            select(ContactPoint).where(ContactPoint.unit_id == _unit(session, "kent"))
        ).one()
        with pytest.raises(HubError, match="not-found"):
            _verify(session, _editor(session, "kent"), telephone)
