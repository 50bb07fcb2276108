"""What screens are told: soon, of every commit, of nothing that is no news (issue 4.7)."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from hub.clock import utcnow
from hub.db import Database, new_id
from hub.identity import sessions
from hub.identity.actor import Actor
from hub.identity.model import WebSession
from hub.records.vault import Vault
from messaging import alarms, board, live
from messaging.live import Screens, Told
from tests.worlds import KENT, MET, World

IDLE = timedelta(minutes=30)
NEWS = {"heading": "other", "text": "EXERCISE"}


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


@pytest.fixture
def screens(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Screens]:
    monkeypatch.setattr(live, "STALE_SECONDS", 0.0)  # each question looks
    return Screens(database, IDLE)


def signed_in(world: World, actor: Actor) -> str:
    """Give somebody a session, and return its token."""
    token = uuid4().hex
    with world.database.unit_of_work() as session:
        session.add(
            WebSession(
                id=new_id(), token_hash=sessions.token_hash(token), person_id=actor.id,
                unit_id=actor.unit_id, created_at=world.now, last_seen_at=world.now,
                expires_at=world.now + timedelta(hours=12),
            )
        )  # fmt: skip
    return token


def told(found: Told | None) -> dict[str, object]:
    assert found is not None
    return json.loads(found.body)


def test_a_screen_is_told_of_what_its_unit_was_sent_and_nobody_else(
    world: World, screens: Screens
) -> None:
    kent, essex = signed_in(world, world.kent), signed_in(world, world.stranger)
    before = screens.enter(kent, world.kent, world.now)
    others = screens.enter(essex, world.stranger, world.now)
    assert told(before)["need"] == 0
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], priority="urgent",
               rationale="majority-of-enquiries", circumstances="EXERCISE")  # fmt: skip
    after = screens.told(kent, world.now)
    assert (told(after)["need"], told(after)["first"]) == (1, ref)
    assert after is not None
    assert after.etag != before.etag
    assert screens.told(essex, world.now) == others


def test_a_transaction_that_is_held_open_is_not_passed_over(world: World, screens: Screens) -> None:
    """Its number is older than those of what committed first; rows are read again until it ends."""
    ref = world.open(world.met).case_reference
    other = world.open(world.met).case_reference
    token = signed_in(world, world.kent)
    screens.enter(token, world.kent, world.now)
    from messaging import sending
    from messaging.contracts import Command

    slow = Command(type="update", to=[KENT], body=NEWS)
    with world.database.unit_of_work() as session:
        sending.send(session, world.met, world.vault, ref, slow, world.now)
        world.send(world.met, other, "update", to=[KENT], **NEWS)
        first = screens.told(token, world.now)
        assert told(first)["new"] == 1
        assert screens.told(token, world.now) == first
    assert told(screens.told(token, world.now))["new"] == 2


def test_a_mere_look_tells_nobody_anything(world: World, screens: Screens) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "update", to=[KENT], **NEWS)
    token = signed_in(world, world.met)
    before = screens.enter(token, world.met, world.now)
    world.case(world.met, ref)
    assert screens.told(token, world.now) == before


def test_opening_is_told_to_the_unit_and_boards_hear_of_every_message(
    world: World, screens: Screens
) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "update", to=[KENT], **NEWS)
    kent, met = signed_in(world, world.kent), signed_in(world, world.met)
    assert told(screens.enter(kent, world.kent, world.now))["new"] == 1
    before = told(screens.enter(met, world.met, world.now))["board"]
    world.case(world.kent, ref)
    assert told(screens.told(kent, world.now))["new"] == 0
    world.send(world.met, ref, "update", **NEWS)
    assert told(screens.told(met, world.now))["board"] != before


def test_a_board_hears_that_an_alarm_stopped_because_somebody_opened_it(
    world: World, screens: Screens
) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "update", to=[KENT], priority="urgent", **NEWS)
    world.now += timedelta(minutes=6)
    token = signed_in(world, world.met)
    before = told(screens.enter(token, world.met, world.now))["board"]
    with world.database.unit_of_work() as session:
        assert alarms.escalate(session, world.now)
        assert board.board(session, world.met)[0].alarm
    alarmed = told(screens.told(token, world.now))["board"]
    assert alarmed != before
    world.case(world.kent, ref)
    with world.database.unit_of_work() as session:
        assert not board.board(session, world.met)[0].alarm
    assert told(screens.told(token, world.now))["board"] != alarmed


def test_screens_hear_that_a_meeting_has_started_and_ended_though_nobody_writes(
    world: World, screens: Screens
) -> None:
    """Its invitation asks for no reply once it starts; its record is owed once it ends."""
    ref = world.open(world.met, to=[KENT]).case_reference
    starts = world.now + timedelta(hours=1)
    meeting = {
        "section_47": True, "starts_at": starts.isoformat(), "held_at": "EXERCISE room",
        "ends_at": (starts + timedelta(minutes=20)).isoformat(),
        "meeting_purpose": "EXERCISE", "convenor": "EXERCISE Inspector",
        "convenor_telephone": "020 7946 0009",
        "attendees": [{"role": "home-police", "unit": MET},
                      {"role": "destination-police", "unit": KENT}],
    }  # fmt: skip
    world.send(world.met, ref, "strategy-meeting-invitation", **meeting)
    world.now = starts - timedelta(seconds=2)
    met, kent = signed_in(world, world.met), signed_in(world, world.kent)
    screens.enter(met, world.met, world.now)
    assert told(screens.enter(kent, world.kent, world.now))["need"] == 1
    assert told(screens.told(kent, starts))["need"] == 0
    ends = starts + timedelta(minutes=20)
    assert told(screens.told(met, ends - timedelta(seconds=1)))["need"] == 0
    after = told(screens.told(met, ends + timedelta(seconds=1)))
    assert (after["need"], after["first"]) == (1, ref)


def test_a_screen_hears_that_a_shift_has_ended_and_alarms(world: World, screens: Screens) -> None:
    ref = world.open(world.met).case_reference
    world.now += timedelta(hours=8)
    token = signed_in(world, world.met)
    assert told(screens.enter(token, world.met, world.now))["alarms"] == 0
    with world.database.unit_of_work() as session:
        assert alarms.escalate(session, world.now)
    after = told(screens.told(token, world.now))
    assert (after["alarms"], after["overdue"], after["first"]) == (1, 1, ref)


def test_a_supervisor_is_told_what_waits_for_a_supervisor_beside_an_officer_of_the_unit(
    world: World, screens: Screens, someone: Callable[..., Actor]
) -> None:
    inspector = someone(MET, "supervisor")
    officer, boss = signed_in(world, world.met), signed_in(world, inspector)
    ref = world.open(world.social_worker, to=[MET]).case_reference
    no = {"reason": "not-met-definition", "explanation": "EXERCISE"}
    world.send(world.met, ref, "report-not-accepted", **no)
    world.send(world.social_worker, ref, "supervisor-request", why="EXERCISE")
    of_officer = told(screens.enter(officer, world.met, world.now))
    of_boss = told(screens.enter(boss, inspector, world.now))
    assert of_officer["need"] == 0
    assert of_boss["need"] == 1


@pytest.mark.parametrize(
    "ends",
    [
        "UPDATE web_session SET revoked_at = now()",
        "UPDATE person SET suspended_at = now()",
        "UPDATE web_session SET last_seen_at = now() - interval '31 minutes'",
        "UPDATE membership SET valid_to = now()",
        "UPDATE membership SET role = 'auditor'",
    ],
)
def test_a_session_that_ended_is_told_nothing_more(
    world: World, screens: Screens, superuser_url: str, ends: str
) -> None:
    import psycopg

    token = signed_in(world, world.kent)
    world.now = utcnow()
    screens.enter(token, world.kent, world.now)
    assert screens.told(token, world.now) is not None
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(ends)
    assert screens.told(token, utcnow() + timedelta(seconds=1)) is None
    assert screens.told("none", world.now) is None


def test_however_many_ask_the_database_is_asked_once_a_second(
    world: World, database: Database
) -> None:
    screens = Screens(database, IDLE)
    token = signed_in(world, world.kent)
    screens.enter(token, world.kent, world.now)
    began, looks = time.monotonic(), screens.looks
    for _ in range(5000):
        assert screens.told(token, world.now) is not None
    assert screens.looks - looks <= 1 + int(time.monotonic() - began)


def test_an_automatic_question_keeps_no_session_awake(world: World, database: Database) -> None:
    token = signed_in(world, world.kent)
    later = world.now + timedelta(minutes=10)
    for automatic, touched in ((True, False), (False, True)):
        with database.unit_of_work() as session:
            sessions.load_actor(session, token, idle=IDLE, now=later, automatic=automatic)
        with database.unit_of_work() as session:
            seen = session.execute(text("SELECT max(last_seen_at) FROM web_session")).scalar_one()
        assert (seen == later) is touched


def test_whoever_has_a_case_is_told_at_once_that_another_may_have_the_child(
    world: World, screens: Screens
) -> None:
    child = {"family_name": "EXERCISE", "given_name": "EXERCISE", "date_of_birth": "2012-03-27"}
    world.open(world.met, child=child)
    met = signed_in(world, world.met)
    assert told(screens.enter(met, world.met, world.now))["need"] == 0
    world.open(world.kent, child=child)
    assert told(screens.told(met, world.now))["need"] == 1
