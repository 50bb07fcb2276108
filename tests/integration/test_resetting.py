"""An exercise is reset by whose it is: out of sight for everybody, and nothing is deleted (issue 4.9)."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.post.catcher import Catcher
from hub.records.keys import Keys
from hub.records.vault import Vault
from hub.settings import Settings
from messaging import (
    actors,
    alarms,
    board,
    case_list,
    drafts,
    inbox,
    receipts,
    resetting,
    sending,
    views,
)
from messaging.contracts import Command
from seed import demo
from tests.letters import letters, post
from tests.worlds import ACCEPT, KENT, MET, World, refused

ROBIN = {"family_name": "Example", "given_name": "EXERCISE Robin", "date_of_birth": "2012-03-27"}
OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


@pytest.fixture
def supervisor(someone: Callable[..., Actor]) -> Actor:
    return someone(MET, "supervisor", name="EXERCISE Inspector")


def reset(world: World, actor: Actor, *seen: str, why: str = "EXERCISE over") -> int:
    world.now += timedelta(seconds=1)
    with world.database.unit_of_work() as session:
        return resetting.reset(session, actor, world.vault, seen, why, world.now)


def preview(world: World, actor: Actor) -> list[str]:
    with world.database.unit_of_work() as session:
        return [case.reference for case in resetting.preview(session, actor)]


def lists(world: World, actor: Actor) -> list[str]:
    """Return the cases that somebody finds anywhere."""
    with world.database.unit_of_work() as session:
        found = [row.reference for row in inbox.inbox(session, actor, now=world.now)]
        found += [row.reference for row in case_list.cases(session, actor)]
        return found + [row.reference for row in board.board(session, actor)]


def test_what_was_reset_is_out_of_sight_and_nothing_runs_in_it(
    world: World, supervisor: Actor, superuser_url: str
) -> None:
    ref = world.open(world.met, child=ROBIN).case_reference
    offer = world.send(
        world.met, ref, "lead-transfer-request", to=[KENT], priority="urgent", **OFFER
    )
    with world.database.unit_of_work() as session:
        case_id = views.case_id(session, world.met, ref, world.now)
        kept = drafts.save(session, world.met, world.vault, message_type="update",
                           fields={"x": ["EXERCISE"]}, now=world.now, case_id=case_id)  # fmt: skip
    assert preview(world, supervisor) == [ref]
    assert reset(world, supervisor, ref) == 1
    for actor in (world.met, world.kent, supervisor):
        assert lists(world, actor) == []
        error = refused("exercise-reset", lambda actor=actor: world.case(actor, ref))
        assert "reset this exercise on" in error.sentence
    refused("exercise-reset", lambda: world.lead(ref))
    refused("exercise-reset", lambda: world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT))
    refused("not-found", lambda: world.case(world.stranger, ref))
    with world.database.unit_of_work() as session:
        refused(
            "not-found",
            lambda: receipts.acknowledge(session, world.kent, offer.message_id, world.now),
        )
        assert not drafts.mine(session, world.met, kept)
        assert alarms.escalate(session, world.now + timedelta(days=9)) == 0
        assert receipts.catch_up(session, world.now) == 0
    # The same child may go missing again in the next exercise, and is matched with nothing.
    assert world.case(world.met, world.open(world.met, child=ROBIN).case_reference).child
    with psycopg.connect(superuser_url) as connection:
        kept_there = connection.execute(
            "SELECT count(*), count(c.reset_at) FROM message m JOIN cases c ON c.id = m.case_id"
            " WHERE c.reference = %s", (ref,),
        ).fetchone()  # fmt: skip
        assert kept_there == (2, 2)
        assert connection.execute("SELECT count(*) FROM match").fetchone() == (0,)


def test_a_reset_says_why_and_what_it_saw_and_a_repeat_does_nothing(
    world: World, supervisor: Actor
) -> None:
    assert reset(world, supervisor) == 0
    one = world.open(world.met).case_reference
    refused("why", lambda: reset(world, supervisor, one, why=" "))
    two = world.open(world.met).case_reference
    refused("exercise-moved", lambda: reset(world, supervisor, one))
    assert lists(world, world.met).count(two) == 2
    assert reset(world, supervisor, one, two) == 2
    assert reset(world, supervisor, one, two) == 0
    with world.database.unit_of_work() as session:
        (record,) = resetting.resets(session, supervisor)
        assert record.references == sorted([one, two])
        assert record.by_name == "EXERCISE Inspector"
        assert resetting.resets(session, world.kent) == []


def test_only_whose_exercise_it_is_resets_it_and_only_signed_in_for_it(
    world: World, supervisor: Actor, someone: Callable[..., Actor]
) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], **OFFER)
    assert preview(world, someone(KENT, "supervisor")) == []
    refused("not-permitted", lambda: preview(world, world.met))
    for role in ("supervisor", "administrator", "national-administrator"):
        refused("exercise-only", lambda role=role: reset(world, someone(MET, role, "actual"), ref))
    assert preview(world, someone("metropolitan", "administrator")) == [ref]
    assert lists(world, world.kent)


def test_what_goes_on_as_a_case_is_reset_with_it_and_by_nobody_else(
    world: World, supervisor: Actor, someone: Callable[..., Actor]
) -> None:
    mine = world.open(world.met, child=ROBIN).case_reference
    theirs = world.open(world.kent, child=ROBIN).case_reference
    ask = {**OFFER, "kind": "join-episodes", "lead_after": "theirs"}
    asked = world.send(world.met, mine, "lead-transfer-request", **ask)
    world.send(world.kent, mine, "lead-transfer-accept", in_reply_to=asked.message_id, **ACCEPT)
    assert world.lead(theirs) == KENT
    assert set(preview(world, supervisor)) == {mine, theirs}
    assert preview(world, someone(KENT, "supervisor")) == []
    reset(world, supervisor, mine, theirs)
    assert lists(world, world.kent) == []
    refused("exercise-reset", lambda: world.case(world.kent, theirs))


def test_a_match_ends_with_the_exercise_of_one_side(world: World, supervisor: Actor) -> None:
    ref = world.open(world.met, child=ROBIN).case_reference
    other = world.open(world.kent, child=ROBIN).case_reference
    with world.database.unit_of_work() as session:
        assert [row.contested for row in case_list.cases(session, world.kent)] == [True]
    reset(world, supervisor, ref)
    with world.database.unit_of_work() as session:
        assert [row.contested for row in case_list.cases(session, world.kent)] == [False]
        assert [row.reference for row in inbox.inbox(session, world.kent, now=world.now)] == []
    assert world.case(world.kent, other).lead


def test_the_others_are_told_once_by_mail_and_earlier_jobs_end_in_nothing(
    world: World, supervisor: Actor, keys: Keys, settings: Settings, tmp_path: Path
) -> None:
    assert actors.exercise_reset  # the worker's jobs are registered
    with world.database.unit_of_work() as session:
        demo.load(session, keys, world.now)
    catcher = Catcher(tmp_path / "mail")
    catcher.start()
    post(world.database, settings, catcher, world.now)
    before = len(letters(catcher))
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], priority="urgent", **OFFER)
    reset(world, supervisor, *preview(world, supervisor))
    post(world.database, settings, catcher, world.now)
    mails = letters(catcher)[before:]
    catcher.stop()
    assert mails
    assert len({mail["To"] for mail in mails}) == len(mails)
    for mail in mails:
        assert mail["Subject"] == "EXERCISE Metropolitan Police Service: the exercise was reset"
        assert "/exercise" in mail.get_content()
        assert "met" not in mail["To"]


def test_the_database_resets_no_actual_case_and_takes_nothing_into_one_that_was(
    world: World, supervisor: Actor, superuser_url: str
) -> None:
    ref = world.open(world.met).case_reference
    with world.database.unit_of_work() as session:
        row = dict(session.execute(text("SELECT * FROM message")).one()._mapping)
    reset(world, supervisor, ref)
    again = text(
        f"INSERT INTO message ({', '.join(row)}) VALUES ({', '.join(':' + name for name in row)})"
    )
    row |= {"number": 99, "id": supervisor.session_id}
    with (
        pytest.raises(DBAPIError, match="row-level security"),
        world.database.unit_of_work() as session,
    ):
        session.execute(again, row)
    # The running hub neither brings one back nor hides one by itself.
    with world.database.unit_of_work() as session:
        session.execute(text("UPDATE cases SET reset_at = NULL"))
    refused("exercise-reset", lambda: world.case(world.met, ref))
    world.open(world.met)
    with (
        pytest.raises(DBAPIError, match="row-level security"),
        world.database.unit_of_work() as session,
    ):
        session.execute(text("UPDATE cases SET reset_at = now()"))
    with (
        psycopg.connect(superuser_url) as connection,
        pytest.raises(psycopg.errors.CheckViolation, match="ck_cases_reset"),
    ):
        connection.execute(
            "INSERT INTO cases (id, reference, status, opened_at, opener_unit_id, last_at, reset_at)"
            " SELECT gen_random_uuid(), 'MC-EXER-CISE', 'actual', now(), opener_unit_id, now(), now()"
            " FROM cases LIMIT 1"
        )


@pytest.mark.parametrize("first", ["send", "reset"])
def test_a_message_in_the_moment_of_the_reset_is_in_it_or_refused(
    world: World, supervisor: Actor, first: str
) -> None:
    ref = world.open(world.met).case_reference
    outcome: list[str] = []

    def act(kind: str, started: threading.Event, go: threading.Event | None) -> None:
        try:
            with world.database.unit_of_work() as session:
                if kind == "send":
                    command = Command(type="update", body={"heading": "other", "text": "EXERCISE"})
                    sending.send(session, world.met, world.vault, ref, command, world.now)
                else:
                    resetting.reset(session, supervisor, world.vault, [ref], "EXERCISE", world.now)
                started.set()
                if go is not None:
                    go.wait(10)
            outcome.append(f"{kind} done")
        except HubError as error:
            started.set()
            outcome.append(f"{kind} {error.code}")

    started, go, other = threading.Event(), threading.Event(), threading.Event()
    second = {"send": "reset", "reset": "send"}[first]
    one = threading.Thread(target=act, args=(first, started, go))
    one.start()
    assert started.wait(10)
    two = threading.Thread(target=act, args=(second, other, None))
    two.start()
    assert not other.wait(0.3)
    go.set()
    one.join(10)
    two.join(10)
    last = "reset done" if first == "send" else "send exercise-reset"
    assert sorted(outcome) == sorted([f"{first} done", last])
