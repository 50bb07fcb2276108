"""Keeping the directory: by those who answer for it, with a reason, nothing overwritten or lost."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from directory import changes, editing, keepers, suggestions
from directory.changes import Change
from directory.entry_contracts import ContactIn, UnitIn
from directory.ladder import Reader, visible
from directory.mailboxes import record_verification
from directory.model import ContactPoint
from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import PUBLIC, Actor
from hub.organisations import Unit, find_organisation, find_unit
from hub.records.model import AuditRecord
from tests.conftest import Someone
from tests.directories import read

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
Editor = Callable[..., Actor]


@pytest.fixture
def editor(someone: Someone) -> Editor:
    def make(unit: str = "kent", role: str = "directory-editor", status: str = "actual") -> Actor:
        return someone(unit, role, status=status)

    return make


@pytest.fixture
def east(database: Database) -> UUID:
    with database.unit_of_work() as session:
        return unit(session, "kent/east").id


def unit(session: Session, code: str) -> Unit:
    found = find_unit(session, code)
    assert found is not None
    return found


def given(**more: Any) -> ContactIn:
    plain = {
        "purpose": "missing-children-team",
        "channel": "telephone",
        "value": "01632960001",
    }
    return ContactIn.model_validate(plain | more)


def add(database: Database, actor: Actor, unit_id: UUID, **more: Any) -> ContactPoint:
    with database.unit_of_work() as session:
        return editing.add_contact(
            session, actor, unit_id, given(**more), why="the team was set up", now=NOW
        )


def change(
    database: Database, actor: Actor, contact: ContactPoint, version: int | None, **more: Any
) -> ContactPoint:
    with database.unit_of_work() as session:
        return editing.change_contact(
            session, actor, contact.id, given(**more), version=version,
            why="the number has changed", now=LATER,
        )  # fmt: skip


def history(database: Database, contact: ContactPoint) -> list[Change]:
    with database.unit_of_work() as session:
        found = changes.of_unit(session, contact.unit_id)
        return [one for one in found if one.object_id == contact.id]


def test_a_change_records_each_field_before_and_after_who_when_and_why(
    database: Database, editor: Editor, east: UUID
) -> None:
    actor = editor()
    contact = add(database, actor, east)
    assert (contact.value, contact.verification) == ("01632 960001", "unverified")
    change(database, actor, contact, 1, value="01632 960002", note="ask for the sergeant")
    last, first = history(database, contact)
    assert (first.new, first.why, first.who, first.at) == (
        True, "the team was set up", actor.name, NOW,
    )  # fmt: skip
    assert (last.new, last.why, last.who, last.at) == (
        False, "the number has changed", actor.name, LATER,
    )  # fmt: skip
    assert {(one.name, one.before, one.after) for one in last.fields} == {
        ("value", "01632 960001", "01632 960002"),
        ("note", None, "ask for the sergeant"),
    }
    with database.unit_of_work() as session:
        actions = session.scalars(
            select(AuditRecord.action)
            .where(AuditRecord.object_id == contact.id)
            .order_by(AuditRecord.id)
        ).all()
    assert actions == ["directory.contact-added", "directory.contact-changed"]


@pytest.mark.parametrize("why", ["", "  ", "x", "x" * 301])
def test_nothing_is_saved_without_a_reason(
    database: Database, editor: Editor, east: UUID, why: str
) -> None:
    with database.unit_of_work() as session, pytest.raises(HubError, match="why"):
        editing.add_contact(session, editor(), east, given(), why=why, now=NOW)


@pytest.mark.parametrize(
    ("unit", "role", "allowed"),
    [
        ("kent", "directory-editor", True),
        ("kent/east", "directory-editor", True),
        ("npcc/missing-persons", "national-administrator", True),
        ("surrey", "directory-editor", False),
        ("kent", "officer", False),
        ("kent", "administrator", False),
        ("npcc/missing-persons", "adjudicator", False),
    ],
)
def test_editors_change_their_own_organisation_and_national_administrators_any(
    database: Database, editor: Editor, east: UUID, unit: str, role: str, allowed: bool
) -> None:
    actor = editor(unit, role)
    if allowed:
        contact = add(database, actor, east)
        change(database, actor, contact, 1, value="01632 960002")
        return
    contact = add(database, editor(), east)
    with pytest.raises(HubError, match="not-permitted"):
        add(database, actor, east, value="01632 960009")
    with pytest.raises(HubError, match="not-permitted"):
        change(database, actor, contact, 1, value="01632 960002")
    with database.unit_of_work() as session:
        for act in (
            lambda: editing.close_contact(
                session, actor, contact.id, version=1, why="not mine", now=NOW
            ),
            lambda: editing.confirm_contacts(session, actor, east, NOW),
            lambda: editing.change_unit(
                session, actor, east, UnitIn(kind_label="BCU"), version=1, why="why", now=NOW
            ),
            lambda: editing.revert(
                session, actor, history(database, contact)[0].id, why="why", now=NOW
            ),
        ):
            with pytest.raises(HubError, match="not-permitted"):
                act()


def test_nobody_in_particular_changes_anything(database: Database, east: UUID) -> None:
    with pytest.raises(HubError, match="sign-in-needed"):
        add(database, PUBLIC, east)


def test_a_delegation_holds_until_it_is_ended(
    database: Database, editor: Editor, east: UUID
) -> None:
    surrey, administrator = editor("surrey"), editor("kent", "administrator")
    with database.unit_of_work() as session:
        kent = find_organisation(session, "kent")
        assert kent is not None
        held = keepers.delegate(session, administrator, kent.id, surrey.organisation_id, NOW)
        assert keepers.kept_by(session, surrey) == {kent.id, surrey.organisation_id}
    contact = add(database, surrey, east)
    with database.unit_of_work() as session, pytest.raises(HubError, match="not-permitted"):
        keepers.end_delegation(session, surrey, held.id, LATER)
    with database.unit_of_work() as session:
        keepers.end_delegation(session, administrator, held.id, LATER)
    with pytest.raises(HubError, match="not-permitted"):
        change(database, surrey, contact, 1, value="01632 960002")


def test_the_second_of_two_editors_overwrites_nothing(
    database: Database, editor: Editor, east: UUID
) -> None:
    contact = add(database, editor(), east)
    change(database, editor(), contact, 1, value="01632 960002")
    with pytest.raises(HubError) as refused:
        change(database, editor(), contact, 1, value="01632 960003")
    assert (refused.value.code, refused.value.extra) == ("changed-meanwhile", {"version": 2})
    with database.unit_of_work() as session:
        assert session.get_one(ContactPoint, contact.id).value == "01632 960002"
        with pytest.raises(HubError, match="changed-meanwhile"):
            editing.close_contact(
                session, editor(), contact.id, version=1, why="it is closed", now=NOW
            )
    change(database, editor(), contact, 2, value="01632 960003")
    assert [one.row["value"] for one in history(database, contact)] == [
        "01632 960003", "01632 960002", "01632 960001",
    ]  # fmt: skip


def test_a_repeat_is_refused_and_one_of_another_purpose_is_not(
    database: Database, editor: Editor, east: UUID
) -> None:
    contact = add(database, editor(), east)
    with pytest.raises(HubError, match="contact-there"):
        add(database, editor(), east, value="+44 1632 960001")
    other = add(database, editor(), east, purpose="duty-inspector")
    with pytest.raises(HubError, match="contact-there"):
        change(database, editor(), other, 1)
    with database.unit_of_work() as session:
        editing.close_contact(session, editor(), contact.id, version=1, why="moved out", now=NOW)
    add(database, editor(), east)


def test_closing_deletes_nothing_and_can_be_put_back(
    database: Database, editor: Editor, east: UUID
) -> None:
    actor = editor()
    contact = add(database, actor, east)
    with database.unit_of_work() as session:
        editing.close_contact(session, actor, contact.id, version=1, why="moved out", now=LATER)
    with database.unit_of_work() as session:
        kept = session.get_one(ContactPoint, contact.id)
        assert (kept.closed_at, kept.value) == (LATER, "01632 960001")
        with pytest.raises(HubError, match="contact-closed"):
            editing.close_contact(session, actor, contact.id, version=2, why="again", now=LATER)
    snapshot = read(database, LATER)
    assert contact.id not in {one.id for one in snapshot.contacts.get(east, ())}
    closing = history(database, contact)[0]
    with database.unit_of_work() as session:
        editing.revert(session, actor, closing.id, version=2, why="it was not closed", now=LATER)
    snapshot = read(database, LATER)
    assert contact.id in {one.id for one in snapshot.contacts[east]}
    with database.unit_of_work() as session, pytest.raises(HubError, match="not-reverted"):
        editing.revert(session, actor, closing.id, why="twice", now=LATER)


def test_the_hub_has_no_right_to_delete_what_it_keeps(database: Database) -> None:
    with database.unit_of_work() as session:
        for table in ("contact_point", "unit", "organisation", "coverage", "directory_change"):
            allowed = session.scalar(
                text("SELECT has_table_privilege(current_user, :table, 'DELETE')"),
                {"table": table},
            )
            assert allowed is False, table


def test_a_revert_is_a_change_of_its_own_and_is_verified_anew(
    database: Database, editor: Editor, east: UUID
) -> None:
    actor = editor()
    contact = add(database, actor, east)
    with database.unit_of_work() as session:
        editing.change_contact(
            session, actor, contact.id, given(value="01632 960002", note="new"), version=1,
            why="the number has changed", now=NOW, checked=True,
        )  # fmt: skip
    wrong = history(database, contact)[0]
    with database.unit_of_work() as session, pytest.raises(HubError, match="changed-meanwhile"):
        editing.revert(session, actor, wrong.id, version=1, why="it was a mistake", now=LATER)
    with database.unit_of_work() as session:
        back = editing.revert(
            session, actor, wrong.id, version=2, why="it was a mistake", now=LATER
        )
        assert (back.value, back.note, back.verification) == ("01632 960001", None, "unverified")
    found = history(database, contact)
    assert len(found) == 3
    assert (found[0].why, found[0].who) == ("it was a mistake", actor.name)
    with database.unit_of_work() as session:
        closed = editing.revert(session, actor, found[-1].id, why="never was one", now=LATER)
        assert closed.closed_at == LATER
    with database.unit_of_work() as session, pytest.raises(HubError, match="contact-closed"):
        editing.revert(session, actor, wrong.id, why="not while it is closed", now=LATER)


def test_a_changed_number_is_unverified_until_somebody_knows_that_it_works(
    database: Database, editor: Editor, east: UUID
) -> None:
    actor = editor()
    contact = add(database, actor, east)
    with database.unit_of_work() as session:
        assert [one.id for one in editing.confirm_contacts(session, actor, east, NOW)] == [
            contact.id
        ]
    with database.unit_of_work() as session, pytest.raises(HubError, match="changed-meanwhile"):
        editing.confirm_contacts(session, actor, east, LATER, seen={contact.id: 1})
    hours = [{"days": [1], "opens": "22:00", "closes": "06:00"}]
    kept = change(database, actor, contact, 2, hours=hours)
    assert (kept.verification, kept.verified_by) == ("verified", actor.name)
    moved = change(database, actor, contact, 3, value="01632 960002", hours=hours)
    assert (moved.verification, moved.verified_at) == ("unverified", None)


def test_an_exercise_changes_contacts_of_the_exercise_alone(
    database: Database, editor: Editor, east: UUID
) -> None:
    actual, player = editor(), editor(status="exercise")
    contact = add(database, actual, east)
    with pytest.raises(HubError, match="not-found"):
        change(database, player, contact, 1, value="01632 960002")
    mine = add(database, player, east)
    assert mine.status == "exercise"
    with pytest.raises(HubError, match="not-found"):
        change(database, actual, mine, 1, value="01632 960002")
    with database.unit_of_work() as session:
        assert editing.confirm_contacts(session, player, east, NOW)[0].id == mine.id
        with pytest.raises(HubError, match="actual-only"):
            editing.change_unit(
                session, player, east, UnitIn(kind_label="BCU"), version=1, why="play", now=NOW
            )


def test_other_names_are_kept_with_their_history(
    database: Database, editor: Editor, east: UUID
) -> None:
    names = UnitIn(kind_label="division", name_welsh="Dwyrain", other_names=["Thanet", " Thanet "])
    with database.unit_of_work() as session:
        row = editing.change_unit(
            session, editor(), east, names, version=1, why="what people say", now=NOW
        )
        assert (row.other_names, row.version) == (["Thanet"], 2)
    with database.unit_of_work() as session:
        with pytest.raises(HubError, match="changed-meanwhile"):
            editing.change_unit(
                session, editor(), east, names, version=1, why="what people say", now=NOW
            )
        last = changes.of_unit(session, east, limit=1)[0]
        assert last.kind == "unit"
        assert any(one.name == "other_names" and one.after == ["Thanet"] for one in last.fields)
    assert read(database, NOW).units[east].other_names == ("Thanet",)
    with database.unit_of_work() as session:
        stranger = editor("essex")
        for actor, version, code in ((stranger, 2, "not-permitted"), (editor(), 1, "changed-me")):
            with pytest.raises(HubError, match=code):
                editing.revert_unit(
                    session, actor, last.id, version=version, why="a mistake", now=LATER
                )
        back = editing.revert_unit(
            session, editor(), last.id, version=2, why="a mistake", now=LATER
        )
        assert last.before is not None
        assert (back.other_names, back.version) == (last.before["other_names"], 3)
        assert back.name_welsh is None
        with pytest.raises(HubError, match="not-reverted"):
            editing.revert_unit(
                session, editor(), changes.of_unit(session, east, limit=99)[-1].id, why="a mistake",
                now=LATER,
            )  # fmt: skip


def test_a_suggestion_waits_for_the_unit_and_is_shown_as_one(
    database: Database, editor: Editor, someone: Someone, east: UUID
) -> None:
    worker = someone("E09000019/childrens-social-care", "practitioner", status="actual")
    with database.unit_of_work() as session:
        with pytest.raises(HubError, match="audience"):
            suggestions.suggest(session, worker, east, given(audience="public"), now=NOW)
        with pytest.raises(HubError, match="sign-in-needed"):
            suggestions.suggest(session, PUBLIC, east, given(), now=NOW)
        contact = suggestions.suggest(session, worker, east, given(), now=NOW)
    assert contact.verification == "suggested"
    snapshot = read(database, NOW)
    everyone = Reader(frozenset({"public"}))
    professional = Reader(frozenset({"public", "professional"}))
    of_east = snapshot.units[east]
    assert contact.id not in {one.id for one in visible(snapshot, of_east, everyone)}
    assert contact.id in {one.id for one in visible(snapshot, of_east, professional)}
    actor = editor()
    with database.unit_of_work() as session:
        assert editing.confirm_contacts(session, actor, east, NOW) == []  # not with the rest
        with pytest.raises(HubError, match="not-permitted"):
            suggestions.decide(session, worker, contact.id, takes=True, version=1, now=NOW)
    with database.unit_of_work() as session:
        taken = suggestions.decide(session, actor, contact.id, takes=True, version=1, now=LATER)
        assert (taken.verification, taken.verified_by) == ("verified", actor.name)
    with database.unit_of_work() as session, pytest.raises(HubError, match="not-suggested"):
        suggestions.decide(session, actor, contact.id, takes=True, version=2, now=LATER)


def test_a_refused_suggestion_is_closed_and_stays_on_record(
    database: Database, editor: Editor, someone: Someone, east: UUID
) -> None:
    worker = someone("E09000019/childrens-social-care", "practitioner", status="actual")
    with database.unit_of_work() as session:
        contact = suggestions.suggest(session, worker, east, given(), now=NOW)
    with database.unit_of_work() as session:
        suggestions.decide(session, editor(), contact.id, takes=False, version=1, now=LATER)
    assert [one.why for one in history(database, contact)] == [
        "a reader’s suggestion, refused", "suggested by a reader",
    ]  # fmt: skip
    assert contact.id not in {one.id for one in read(database, LATER).contacts.get(east, ())}


def test_a_call_back_is_on_record_with_who_made_it(
    database: Database, editor: Editor, east: UUID
) -> None:
    actor = editor()
    mailbox = add(database, actor, east, channel="email", value="east@example.org")
    with database.unit_of_work() as session:
        record_verification(
            session, actor, mailbox.id, spoke_to="Sergeant", number_rung="101", now=LATER
        )
    last = history(database, mailbox)[0]
    assert (last.who, last.why) == (actor.name, "proved by ringing back")


def test_no_hours_at_all_are_refused_for_null_is_always() -> None:
    """An empty list would say "at all times" to readers, and never be open."""
    with pytest.raises(ValidationError):
        given(hours=[])
