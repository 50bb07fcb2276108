"""Strategy meetings: who is asked, who comes, who is missing, and what is to be done (issue 4.5)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from hub.db import Database, new_id
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import (
    alarms,
    guests,
    meeting_views,
    open_questions,
    sending,
    state,
    succession,
    views,
)
from messaging.contracts import Command
from messaging.pages import meeting_section
from tests.worlds import ACCEPT, ISLINGTON, KENT, MET, REPORT, World, refused

AWAY = "surrey"
HEIR = "kent/west"
INVITATION = "strategy-meeting-invitation"
REPLY = "strategy-meeting-reply"
RECORD = "strategy-meeting-record"


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def words(world: World, hours: float = 48, **more: Any) -> dict[str, Any]:
    starts = world.now + timedelta(hours=hours)
    return {
        "section_47": True, "starts_at": starts.isoformat(), "held_at": "EXERCISE room",
        "meeting_purpose": "EXERCISE purpose", "convenor": "EXERCISE Inspector",
        "convenor_telephone": "020 7946 0009",
        "attendees": [
            {"role": "home-police", "unit": MET},
            {"role": "destination-police", "unit": KENT},
            {"role": "responsible-authority", "unit": ISLINGTON},
        ],
        **more,
    }  # fmt: skip


def offered(world: World) -> str:
    """Return a case that the Met leads and Kent is a party of."""
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], circumstances="EXERCISE",
               rationale="majority-of-enquiries")  # fmt: skip
    return ref


def called(world: World, **more: Any) -> tuple[str, sending.Sent]:
    ref = offered(world)
    return ref, world.send(world.met, ref, INVITATION, **words(world, **more))


def rows(world: World, query: str, **values: Any) -> list[Any]:
    with world.database.unit_of_work() as session:
        return list(session.execute(text(query), values).all())


def clocks(world: World, kind: str) -> dict[str, datetime | None]:
    found = rows(
        world,
        "SELECT u.code, k.due_at FROM clock k JOIN unit u ON u.id = k.owed_by_unit_id"
        " WHERE k.kind = :kind AND k.met_at IS NULL AND k.ended_at IS NULL",
        kind=kind,
    )
    return {row.code: row.due_at for row in found}


def needs(world: World, actor: Actor) -> list[str]:
    return [row.type for row in world.inbox(actor) if row.need == "answer"]


def test_each_unit_is_asked_for_a_person_and_owes_a_reply_before_the_start(world: World) -> None:
    ref, sent = called(world)
    assert clocks(world, "meeting-reply") == {
        KENT: sent.sent_at + timedelta(hours=24), ISLINGTON: sent.sent_at + timedelta(hours=24)
    }  # fmt: skip
    assert INVITATION in needs(world, world.kent)
    assert needs(world, world.social_worker) == [INVITATION]
    body = world.case(world.social_worker, ref).messages[-1].body
    assert body["meeting_purpose"] == "EXERCISE purpose"
    world.send(world.social_worker, ref, REPLY, attendance="attending", person="EXERCISE Worker")
    assert needs(world, world.social_worker) == []
    assert list(clocks(world, "meeting-reply")) == [KENT]
    world.now += timedelta(hours=25)
    with world.database.unit_of_work() as session:
        alarms.escalate(session, world.now)
    steps = [s for s in world.case(world.met, ref).matters.steps if s.kind == "meeting-reply"]
    assert [one.rung for one in steps] == ["duty-inspector"]


def test_an_urgent_meeting_is_answered_within_the_hour_or_before_it_starts(world: World) -> None:
    ref = offered(world)
    sent = world.send(world.met, ref, INVITATION, priority="urgent", **words(world, 48))
    assert clocks(world, "meeting-reply-urgent")[KENT] == sent.sent_at + timedelta(hours=1)
    soon = world.send(world.met, ref, INVITATION, priority="urgent", **words(world, 0.5))
    starts = soon.sent_at + timedelta(minutes=30) - timedelta(seconds=1)
    assert soon.reply_due_at == starts


def test_a_reply_changes_until_the_start_and_its_history_is_kept(world: World) -> None:
    ref, sent = called(world, hours=2)
    refused("invalid", lambda: world.send(world.kent, ref, REPLY, attendance="declined",
                                          person="EXERCISE Sergeant"))  # fmt: skip
    for attendance in ("attending", "declined"):
        world.send(world.kent, ref, REPLY, attendance=attendance, person="EXERCISE  sergeant",
                   reason="EXERCISE", in_reply_to=sent.message_id)  # fmt: skip
        world.send(world.kent, ref, REPLY, attendance="deputy", person="EXERCISE Deputy")
    said = rows(world, "SELECT attendance FROM meeting_reply r JOIN unit u ON u.id = r.unit_id"
                " WHERE superseded_at IS NULL AND code = :kent ORDER BY replied_at", kent=KENT)  # fmt: skip
    assert [row.attendance for row in said] == ["declined", "deputy"]
    assert len(rows(world, "SELECT 1 FROM meeting_reply WHERE superseded_at IS NOT NULL")) == 2
    refused("not-asked", lambda: _not_asked(world, ref))
    world.now += timedelta(hours=2)
    late = {"attendance": "attending", "person": "x", "in_reply_to": sent.message_id}
    refused("meeting-started", lambda: world.send(world.kent, ref, REPLY, **late))


def _not_asked(world: World, ref: str) -> None:
    """Send a reply of a party that the invitation does not name."""
    world.send(world.met, ref, INVITATION, **words(
        world, attendees=[{"role": "home-police", "unit": MET}]))  # fmt: skip
    last = world.case(world.met, ref).messages[-1]
    world.send(world.kent, ref, REPLY, attendance="attending", person="x", in_reply_to=last.id)


def test_another_time_asks_again_and_another_place_does_not(world: World) -> None:
    ref, sent = called(world)
    world.send(world.kent, ref, REPLY, attendance="attending", person="EXERCISE Sergeant")
    change = {"meeting_act": "change", "why_changed": "EXERCISE", "in_reply_to": sent.message_id}
    starts = world.case(world.met, ref).messages[2].body["starts_at"]
    moved = world.send(world.met, ref, INVITATION,
                       **{**words(world), "starts_at": starts, "held_at": "Elsewhere", **change})  # fmt: skip
    assert list(clocks(world, "meeting-reply")) == [ISLINGTON]
    assert world.case(world.met, ref).messages[-1].in_reply_to == sent.message_id
    row = next(r for r in world.inbox(world.social_worker) if r.need == "answer")
    assert row.message_id == moved.message_id
    assert row.due_at is not None
    refused("not-convenor", lambda: world.send(world.kent, ref, INVITATION,
            **{**words(world), **change}))  # fmt: skip
    world.send(world.met, ref, INVITATION, **{
        **words(world, 72, attendees=[{"role": "destination-police", "unit": KENT}]), **change
    })  # fmt: skip
    assert list(clocks(world, "meeting-reply")) == [KENT]
    assert needs(world, world.social_worker) == []
    world.send(world.met, ref, INVITATION, meeting_act="cancel", why_changed="EXERCISE",
               in_reply_to=sent.message_id)  # fmt: skip
    assert clocks(world, "meeting-reply") == clocks(world, "meeting-record") == {}
    refused("meeting-over", lambda: world.send(world.kent, ref, REPLY, attendance="attending",
                                               person="x", in_reply_to=sent.message_id))  # fmt: skip
    assert [r.act for r in rows(world, "SELECT act FROM meeting_invitation ORDER BY sequence")] == [
        "new", "change", "change", "cancel"
    ]  # fmt: skip


def test_a_unit_that_is_no_longer_asked_reads_no_change_and_sees_the_meeting_no_more(
    world: World, someone: Callable[..., Actor]
) -> None:
    carer = someone("missing-people/helpline", "practitioner")
    carers = [{"role": "carer", "unit": "missing-people/helpline"}]
    ref, sent = called(world, attendees=carers)
    assert len(_meetings(world, carer, ref)) == 1
    change = {"meeting_act": "change", "why_changed": "EXERCISE", "in_reply_to": sent.message_id}
    asked = {"attendees": [{"role": "destination-police", "unit": KENT}]}
    world.send(world.met, ref, INVITATION, **words(world, held_at="Elsewhere", **asked, **change))
    assert [one.id for one in world.case(carer, ref).messages] == [sent.message_id]
    assert _meetings(world, carer, ref) == []
    assert "Elsewhere" in [one.body.get("held_at") for one in world.case(world.kent, ref).messages]
    world.send(world.met, ref, INVITATION, **words(world, attendees=carers, **change))
    assert len(_meetings(world, carer, ref)) == 1, "asked again"
    assert len(_meetings(world, world.kent, ref)) == 1, "it sees the case whole"


def test_who_acts_for_two_units_that_are_asked_answers_for_each(
    world: World, someone: Callable[..., Actor]
) -> None:
    inspector = someone("metropolitan", name="EXERCISE Inspector")
    ref = world.open(world.kent).case_reference
    two = [{"role": "home-police", "unit": MET},
           {"role": "destination-police", "unit": "metropolitan/central-east"}]  # fmt: skip
    world.send(world.kent, ref, INVITATION, **words(world, attendees=two))
    for left in ("waiting", "attending"):
        assert REPLY in offers(world, inspector, ref)
        assert INVITATION in needs(world, inspector)
        world.send(inspector, ref, REPLY, attendance="attending", person="EXERCISE Inspector")
        (view,) = _meetings(world, world.kent, ref)
        chairs = [one.standing for one in view.chairs if one.code.startswith("metropolitan")]
        assert sorted(chairs) == sorted(["attending", left])
    assert view.empty == []
    assert INVITATION not in needs(world, inspector)
    world.send(inspector, ref, REPLY, attendance="deputy", person="EXERCISE Deputy")
    (view,) = _meetings(world, world.kent, ref)
    of_deputy = next(one for one in view.chairs if len(one.said) == 2)
    world.send(inspector, ref, REPLY, attendance="declined", person="EXERCISE deputy", reason="x")
    (view,) = _meetings(world, world.kent, ref)
    said = next(one.said for one in view.chairs if len(one.said) == 2)
    assert [one.attendance for one in said] == ["attending", "declined"]
    assert of_deputy.code == next(one.code for one in view.chairs if len(one.said) == 2)


def offers(world: World, actor: Actor, ref: str) -> list[str]:
    with world.database.unit_of_work() as session:
        case = state.load(session, actor, ref, world.now, lock=False)
        return [one.type for one in views.actions(session, case, actor)]


def test_what_cannot_be_called_is_refused_at_its_row(world: World) -> None:
    ref = offered(world)
    cases: tuple[tuple[str, str, list[dict[str, str]]], ...] = (
        ("attendee-unnamed", "/body/attendees/0/unit", [{"role": "education"}]),
        ("attendee-police", "/body/attendees/0/unit", [{"role": "home-police", "unit": ISLINGTON}]),
        ("unit-unknown", "/body/attendees/0/unit", [{"role": "health", "unit": "nowhere"}]),
        ("attendee-twice", "/body/attendees/1/unit",
         [{"role": "home-police", "unit": KENT}, {"role": "destination-police", "unit": KENT}]),
    )  # fmt: skip
    for code, pointer, attendees in cases:
        error = refused(code, lambda a=attendees: world.send(  # type: ignore[misc]
            world.met, ref, INVITATION, **words(world, attendees=a)))  # fmt: skip
        assert error.fields[0].pointer == pointer
    refused("in-past", lambda: world.send(world.met, ref, INVITATION, **words(world, -1)))
    refused("not-found", lambda: world.send(world.stranger, ref, INVITATION, **words(world)))
    refused("not-permitted", lambda: _by_a_limited_party(world, ref))
    refused("meeting-unknown", lambda: world.send(world.kent, ref, REPLY, attendance="attending",
                                                  person="x"))  # fmt: skip


def _by_a_limited_party(world: World, ref: str) -> None:
    world.send(world.met, ref, "information-request", to=[ISLINGTON], questions="EXERCISE")
    world.send(world.social_worker, ref, INVITATION, **words(world))


def test_a_unit_away_owes_its_reply_from_the_call_on(world: World) -> None:
    ref, sent = called(world, attendees=[{"role": "destination-police", "unit": AWAY}])
    assert clocks(world, "meeting-reply") == {AWAY: None}
    now = world.now.isoformat()
    told = world.send(world.met, ref, "telephone-record", in_reply_to=sent.message_id,
                      called_at=now, outcome="handed-over", with_name="EXERCISE Pascoe")  # fmt: skip
    assert clocks(world, "meeting-reply") == {AWAY: told.sent_at + timedelta(hours=24)}


RECORD_WORDS = {
    "attendance": [
        {"unit": MET, "person": "EXERCISE Inspector", "attended": "attended"},
        {"unit": KENT, "attended": "absent"},
    ],
    "decisions": "EXERCISE decisions",
}


def recorded(world: World) -> tuple[str, sending.Sent, list[UUID]]:
    """Return a case whose meeting gave the lead one action, and Kent two."""
    ref, sent = called(world, hours=1)
    refused("meeting-not-started", lambda: world.send(world.met, ref, RECORD, **RECORD_WORDS))
    world.now += timedelta(hours=3)
    due = (world.now + timedelta(days=1)).isoformat()
    assert RECORD not in needs(world, world.met)
    assert INVITATION in needs(world, world.met)
    actions = [
        {"what": "EXERCISE one", "owner": "lead", "due": due},
        {"what": "EXERCISE two", "owner": KENT, "owner_name": "EXERCISE Sergeant", "due": due},
        {"what": "EXERCISE three", "owner": KENT, "due": due},
    ]
    record = world.send(world.met, ref, RECORD, in_reply_to=sent.message_id, actions=actions,
                        **RECORD_WORDS)  # fmt: skip
    ids = [row.id for row in rows(world, "SELECT id FROM action ORDER BY number")]
    return ref, record, ids


def test_a_record_ends_what_the_convenor_owes_and_starts_actions(world: World) -> None:
    ref, record, (of_lead, two, three) = recorded(world)
    assert clocks(world, "meeting-record") == {}
    assert set(clocks(world, "meeting-action")) == {MET, KENT}
    assert INVITATION not in needs(world, world.met)
    assert needs(world, world.kent).count(RECORD) == 1
    refused("meeting-over", lambda: world.send(world.met, ref, RECORD, **RECORD_WORDS,
                                               in_reply_to=record_of(world)))  # fmt: skip
    done = {"heading": "action", "text": "EXERCISE done"}
    refused("action-done", lambda: world.send(world.kent, ref, "update", **done,
                                              action_done=str(of_lead)))  # fmt: skip
    refused("action-heading", lambda: world.send(world.kent, ref, "update", heading="other",
                                                 text="x", action_done=str(two)))  # fmt: skip
    world.send(world.kent, ref, "update", **done, action_done=str(two))
    refused("action-done", lambda: world.send(world.kent, ref, "update", **done,
                                              action_done=str(two)))  # fmt: skip
    assert RECORD in needs(world, world.kent)
    world.send(world.kent, ref, "update", **done, action_done=str(three))
    assert RECORD not in needs(world, world.kent)
    assert set(clocks(world, "meeting-action")) == {MET}
    assert record.reply_due_at is None


def record_of(world: World) -> UUID:
    (row,) = rows(world, "SELECT message_id FROM meeting_invitation LIMIT 1")
    found: UUID = row.message_id
    return found


def test_a_move_of_lead_hands_the_leads_open_actions_over(world: World) -> None:
    ref, _, (of_lead, _two, _three) = recorded(world)
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    assert set(clocks(world, "meeting-action")) == {KENT}
    refused("action-done", lambda: world.send(world.met, ref, "update", heading="action",
                                              text="x", action_done=str(of_lead)))  # fmt: skip
    world.send(world.kent, ref, "update", heading="action", text="x", action_done=str(of_lead))


def test_a_missed_action_and_a_record_that_is_not_there_tell_the_duty_inspector(
    world: World,
) -> None:
    called(world, hours=1)
    world.now += timedelta(hours=27)
    with world.database.unit_of_work() as session:
        alarms.escalate(session, world.now)
    told = rows(world, "SELECT rung FROM escalation e JOIN clock k ON k.id = e.clock_id"
                " WHERE k.kind = 'meeting-record'")  # fmt: skip
    assert [row.rung for row in told] == ["duty-inspector"]


def test_a_located_child_ends_neither_meeting_nor_actions(world: World) -> None:
    ref, _, _ = recorded(world)
    world.send(world.met, ref, INVITATION, **words(world))
    world.send(world.met, ref, "located", located_at=world.now.isoformat(), seen_by="EXERCISE",
               place="EXERCISE", how="police")  # fmt: skip
    assert set(clocks(world, "meeting-action")) == {MET, KENT}
    assert set(clocks(world, "meeting-reply")) == {KENT, ISLINGTON}
    world.send(world.met, ref, INVITATION, **words(world))
    refused("nobody-leads", lambda: _lead_action(world, ref))


def _lead_action(world: World, ref: str) -> None:
    world.now += timedelta(hours=50)
    last = world.case(world.met, ref).messages[-1]
    due = (world.now + timedelta(days=1)).isoformat()
    world.send(world.met, ref, RECORD, in_reply_to=last.id, **RECORD_WORDS,
               actions=[{"what": "EXERCISE", "owner": "lead", "due": due}])  # fmt: skip


def test_an_owner_outside_the_statutory_partners_sees_the_actions_alone(
    world: World, someone: Callable[..., Actor]
) -> None:
    outside = someone("npcc/missing-persons", "practitioner")
    ref, sent = called(world, hours=1)
    world.now += timedelta(hours=2)
    due = (world.now + timedelta(days=1)).isoformat()
    world.send(world.met, ref, RECORD, in_reply_to=sent.message_id, **RECORD_WORDS,
               actions=[{"what": "EXERCISE", "owner": "npcc/missing-persons", "due": due}])  # fmt: skip
    view = world.case(outside, ref)
    (message,) = view.messages
    assert set(message.body) == {"actions"}
    assert message.withheld
    (action,) = rows(world, "SELECT id FROM action")
    refused("not-permitted", lambda: world.send(outside, ref, "update", heading="other", text="x"))
    done = {"heading": "action", "text": "x", "action_done": str(action.id)}
    for more in ({"new_risk": "low"}, {"also_wanted": True}, {"ukmpu_not_told": "x"}):
        refused(
            "action-alone", lambda more=more: world.send(outside, ref, "update", **done, **more)
        )
    world.send(outside, ref, "update", **done)
    assert clocks(world, "meeting-action") == {}


def broken(owner_url: str, statement: str) -> str | None:
    """Return the constraint that a statement breaks, when the tables' owner runs it."""
    with psycopg.connect(owner_url) as connection:
        try:
            connection.execute(statement)  # type: ignore[call-overload]  # statements of ours
            connection.commit()
        except psycopg.Error as error:
            return error.diag.constraint_name
    return None


BROKEN = (
    ("uq_meeting_reply_latest",
     "INSERT INTO meeting_reply SELECT gen_random_uuid(), meeting_id, case_id, unit_id,"
     " message_id, upper(person_name), attendance, replied_at FROM meeting_reply LIMIT 1"),
    ("ck_meeting_reply_before_start",
     "INSERT INTO meeting_reply SELECT gen_random_uuid(), r.meeting_id, r.case_id, unit_id,"
     " message_id, 'x', attendance, starts_at FROM meeting_reply r"
     " JOIN meeting m ON m.id = r.meeting_id LIMIT 1"),
    ("ck_meeting_reply_history",
     "UPDATE meeting_reply SET superseded_at = now() + interval '1 day'"
     " WHERE superseded_at IS NOT NULL"),
    ("fk_meeting_reply_meeting_id_unit_id",
     "INSERT INTO meeting_reply SELECT gen_random_uuid(), meeting_id, case_id, case_id,"
     " message_id, 'x', attendance, replied_at FROM meeting_reply LIMIT 1"),
    ("ck_message_immutable", "UPDATE meeting_invitation SET sequence = 9"),
    ("ck_meeting_dates", "UPDATE meeting SET ends_at = starts_at"),
    ("fk_meeting_invitation_message_id_case_id",
     "INSERT INTO meeting_invitation SELECT gen_random_uuid(), id, case_id, 5, 'change',"
     " starts_at, ends_at FROM meeting"),
    ("ck_clock_action",
     "INSERT INTO clock (id, case_id, kind, message_id, owed_by_unit_id)"
     " SELECT gen_random_uuid(), case_id, 'meeting-action', message_id, owed_by_unit_id"
     " FROM clock LIMIT 1"),
)  # fmt: skip


def test_the_database_holds_the_rules_of_meetings(world: World, owner_url: str) -> None:
    ref, _ = called(world)
    for attendance in ("attending", "deputy"):
        world.send(world.kent, ref, REPLY, attendance=attendance, person="EXERCISE Sergeant")
    for name, statement in BROKEN:
        assert broken(owner_url, statement) == name


def test_the_database_lets_an_action_be_met_once_and_a_record_be_of_its_case(
    world: World, owner_url: str
) -> None:
    recorded(world)
    other = world.open(world.met)
    called(world, hours=1)
    done = ("UPDATE action SET state = 'done', answered_at = now(), answer_message_id = message_id,"
            " answered_by_name = 'x' WHERE number = 1")  # fmt: skip
    assert broken(owner_url, done) is None
    assert broken(owner_url, done) == "ck_answered_once"
    again = "UPDATE meeting SET state = 'cancelled', record_message_id = NULL"
    assert broken(owner_url, f"{again} WHERE state = 'recorded'") == "ck_meeting_over"
    of_another = f"UPDATE meeting SET state = 'recorded', record_message_id = '{other.message_id}'"
    name = broken(owner_url, f"{of_another} WHERE state = 'called'")
    assert name == "fk_meeting_record_message_id"


def figures(world: World, actor: Actor) -> dict[str, tuple[int, int, int]]:
    with world.database.unit_of_work() as session:
        found = meeting_views.figures_for(session, actor, world.now)
    return {one.unit: (one.asked, one.refused, one.empty) for one in found}


def test_refusals_and_empty_chairs_are_counted_of_actual_meetings_that_began(
    database: Database, vault: Vault, someone: Callable[..., Actor]
) -> None:
    def actual(*args: str, **more: str) -> Actor:
        return someone(*args, **{"status": "actual", **more})

    world = World(database, vault, actual)
    world_of_exercise = World(database, vault, someone)
    called(world_of_exercise, hours=1)
    command = Command(type="missing-episode-report", body=REPORT, status="actual")
    with database.unit_of_work() as session:
        ref = sending.open_case(session, world.met, vault, command, world.now).case_reference
    sent = world.send(world.met, ref, INVITATION, **words(world, 1))
    world.send(world.kent, ref, REPLY, attendance="declined", person="x", reason="EXERCISE")
    supervisor = someone(KENT, "supervisor", status="actual")
    adjudicator = someone("npcc/missing-persons", "adjudicator", status="actual")
    assert figures(world, adjudicator) == {}
    world.now += timedelta(hours=2)
    names = {row.code: row.name for row in rows(world, "SELECT code, name FROM unit")}
    kent, council = names[KENT], names[ISLINGTON]
    assert figures(world, adjudicator) == {kent: (1, 1, 0), council: (1, 0, 1)}
    assert figures(world, supervisor) == {kent: (1, 1, 0)}
    assert figures(world, someone("npcc/missing-persons", "adjudicator")) == {}
    refused("not-permitted", lambda: figures(world, world.kent))
    view = _meetings(world, world.met, ref)[0]
    assert view.empty == ["destination-police"]
    assert [chair.code for chair in view.missing] == [ISLINGTON]
    came = [{"unit": KENT, "person": "EXERCISE", "attended": "attended"},
            {"unit": ISLINGTON, "attended": "absent"}]  # fmt: skip
    world.send(world.met, ref, RECORD, in_reply_to=sent.message_id, decisions="x", attendance=came)
    assert figures(world, adjudicator)[kent] == (1, 0, 0)
    world.now += timedelta(days=91)
    assert figures(world, adjudicator) == {}


def test_an_exercise_shows_no_figures_of_actual_meetings(
    database: Database, vault: Vault, someone: Callable[..., Actor], app: Flask
) -> None:
    def actual(*args: str, **more: str) -> Actor:
        return someone(*args, **{"status": "actual", **more})

    world, exercise = World(database, vault, actual), World(database, vault, someone)
    command = Command(type="missing-episode-report", body=REPORT, status="actual")
    with database.unit_of_work() as session:
        ref = sending.open_case(session, world.met, vault, command, world.now).case_reference
    world.send(world.met, ref, INVITATION, **words(world, 1))
    world.now = exercise.now = world.now + timedelta(hours=2)
    played, _ = called(exercise)
    with app.test_request_context():
        assert "1 times" in " ".join(before(world, ref))
        assert not any(before(exercise, played))


def before(world: World, ref: str) -> list[str]:
    """Return how often the units of a case's meetings stayed away, as its convenor's page says it."""
    view = world.case(world.met, ref)
    with world.database.unit_of_work() as session:
        found = meeting_section.shown(session, world.met, view, world.now)["meetings"]
    return [chair["before"] for one in found for chair in one["chairs"]]


def _meetings(world: World, actor: Actor, ref: str) -> list[meeting_views.MeetingView]:
    with world.database.unit_of_work() as session:
        return meeting_views.all_of(session, actor, ref, world.now)


def test_each_sees_the_meetings_of_its_part_and_a_stranger_none(world: World) -> None:
    ref, _ = called(world)
    world.send(world.kent, ref, REPLY, attendance="deputy", person="EXERCISE Deputy")
    (whole,) = _meetings(world, world.met, ref)
    assert [(chair.code, chair.standing) for chair in whole.chairs] == [
        (ISLINGTON, "waiting"), (KENT, "attending"), (MET, "attending")
    ]  # fmt: skip
    assert whole.empty == []
    (part,) = _meetings(world, world.social_worker, ref)
    assert [chair.code for chair in part.chairs] == [ISLINGTON]
    refused("not-found", lambda: _meetings(world, world.stranger, ref))


def test_a_guest_of_a_unit_away_names_who_comes(world: World) -> None:
    ref, sent = called(world, attendees=[{"role": "destination-police", "unit": AWAY}])
    with world.database.unit_of_work() as session:
        question = open_questions.asked(session, world.met, ref, sent.number)
        assert question.unit_code == AWAY
        guest = guests.stand_in(
            session, question.unit_id, guests.Guest("EXERCISE Pascoe", "PS", "4471"), new_id()
        )
    world.send(guest, ref, REPLY, attendance="attending", person="EXERCISE Pascoe")
    (meeting,) = _meetings(world, world.met, ref)
    assert meeting.empty == ["home-police"]
    assert clocks(world, "meeting-reply") == {}


def test_what_a_unit_owes_passes_to_the_one_in_its_place(world: World, owner_url: str) -> None:
    ref, _, _ = recorded(world)
    world.send(world.met, ref, INVITATION, **words(world))
    world.send(world.kent, ref, REPLY, attendance="attending", person="EXERCISE Sergeant")
    today = world.now.date().isoformat()
    assert broken(
        owner_url,
        f"UPDATE unit SET valid_to = '{today}',"  # a date and codes of ours
        f" superseded_by_id = (SELECT id FROM unit WHERE code = '{HEIR}') WHERE code = '{KENT}'",
    ) is None  # fmt: skip
    world.now += timedelta(days=1)
    with world.database.unit_of_work() as session:
        assert succession.take_over(session, world.now) == 1
    assert HEIR in clocks(world, "meeting-action")
    assert KENT not in clocks(world, "meeting-action")
    owned = rows(world, "SELECT u.code FROM action a JOIN unit u ON u.id = a.owner_unit_id"
                 " ORDER BY a.number")  # fmt: skip
    assert [row.code for row in owned] == [MET, HEIR, HEIR]
    latest = _meetings(world, world.met, ref)[0]
    chair = next(one for one in latest.chairs if one.code == HEIR)
    assert [said.person for said in chair.said] == ["EXERCISE Sergeant"]


def test_who_is_asked_to_a_meeting_alone_is_not_told_what_became_of_a_report(
    world: World, someone: Callable[..., Actor]
) -> None:
    school = someone("missing-people/helpline", "practitioner")
    ref = world.open(world.social_worker, to=[MET]).case_reference
    roles = [{"role": "education", "unit": "missing-people/helpline"}]
    world.send(world.met, ref, INVITATION, **words(world, attendees=roles))
    assert world.case(school, ref).report is None
    for party in (world.social_worker, world.met):
        assert world.case(party, ref).report is not None
