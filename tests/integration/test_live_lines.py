"""Live lines of enquiry run as clocks of whoever leads, and go with the lead (issue 4.3)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import actions, alarms, board, lead_settings, meeting_views, views
from tests.worlds import ACCEPT, ISLINGTON, KENT, MET, RECENTLY, World, refused

OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}
SEEN = {"located_at": RECENTLY, "seen_by": "EXERCISE", "place": "EXERCISE",
        "how": "police"}  # fmt: skip


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def say(world: World, ref: str, actor: Actor | None = None, **more: Any) -> None:
    until = (world.now + timedelta(hours=2)).isoformat()
    body = {"heading": "other", "text": "EXERCISE news", "live_line": "EXERCISE cctv",
            "live_until": until} | more  # fmt: skip
    world.send(actor or world.met, ref, "update", **body)


def open_(world: World, ref: str) -> list[actions.Action]:
    with world.database.unit_of_work() as session:
        case_id = views.case_id(session, world.met, ref, world.now)
        return actions.open_actions(session, case_id)


def test_a_line_goes_with_the_lead_and_warns_whoever_leads_before_it_is_lost(world: World) -> None:
    ref = world.open(world.met, to=[ISLINGTON]).case_reference
    say(world, ref)
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], **OFFER)
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    [line] = open_(world, ref)
    assert line.owner == world.kent.unit_id
    assert line.of_lead
    bodies = [message.body for message in world.case(world.social_worker, ref).messages]
    assert {"heading": "other", "text": "EXERCISE news"} in bodies, "the line is for police"
    with world.database.unit_of_work() as session:
        alarms.escalate(session, line.due_at - timedelta(minutes=60, seconds=1))
        due = text("SELECT count(*) FROM escalation x JOIN clock k ON k.id = x.clock_id"
                   " WHERE k.kind = 'live-line'")  # fmt: skip
        assert session.scalar(due) == 0
        alarms.escalate(session, line.due_at - timedelta(minutes=60))
        assert session.scalar(due) == 1, "while there is still time to secure it"
    (row,) = [row for row in world.inbox(world.kent) if row.expires_at]
    assert (row.need, row.expires_at) == ("answer", line.due_at)
    assert row.due_at == line.due_at - timedelta(minutes=60)
    done = {"heading": "action", "text": "EXERCISE secured", "action_done": str(line.id)}
    refused("action-done", lambda: world.send(world.met, ref, "update", **done))
    world.send(world.kent, ref, "update", **done)
    assert open_(world, ref) == []


def test_a_line_is_to_be_secured_as_long_before_as_was_decided_and_never_before_now(
    world: World,
) -> None:
    administrator = world.someone("metropolitan", "administrator")
    with world.database.unit_of_work() as session:
        lead_settings.decide(
            session, administrator, world.vault, {"live-line": 90}, supervisor_authorises=False,
            national=False, why="EXERCISE", now=world.now,
        )  # fmt: skip
    ref = world.open(world.met).case_reference
    for hours in (2, 1):
        say(world, ref, live_until=(world.now + timedelta(hours=hours)).isoformat())
        sent = world.now
        rows = [row for row in world.inbox(world.met) if row.expires_at]
        (row,) = [one for one in rows if one.sent_at == sent]
        assert row.expires_at is not None
        assert row.due_at == max(sent, row.expires_at - timedelta(minutes=90))


def test_that_there_is_a_line_is_for_police_too(world: World) -> None:
    ref = world.open(world.met, to=[ISLINGTON]).case_reference
    say(world, ref)
    with world.database.unit_of_work() as session:
        case_id = views.case_id(session, world.met, ref, world.now)
        session.execute(
            text(
                "UPDATE clock SET ended_at = started_at WHERE case_id = :id AND kind <> 'live-line'"
            ),
            {"id": case_id},
        )
        alarms.escalate(session, world.now + timedelta(hours=3))
        for actor, sees in ((world.met, True), (world.social_worker, False)):
            _, found = meeting_views.with_actions(session, actor, ref, world.now)
            [row] = board.board(session, actor)
            assert (bool(found), row.next_kind == "live-line") == (sees, sees)
    for actor, sees in ((world.met, True), (world.social_worker, False)):
        steps = world.case(actor, ref).matters.steps
        assert any(one.kind == "live-line" for one in steps) == sees


def test_nobody_is_to_be_found_once_the_child_is(world: World) -> None:
    ref = world.open(world.met).case_reference
    say(world, ref)
    world.send(world.met, ref, "located", **SEEN)
    assert open_(world, ref) == []
    with world.database.unit_of_work() as session:
        running = text("SELECT count(*) FROM clock WHERE kind = 'live-line' AND ended_at IS NULL")
        assert session.scalar(running) == 0
    refused("episode-ended", lambda: say(world, ref))


def test_a_line_of_a_case_that_was_joined_is_the_new_leads(world: World) -> None:
    child = {"family_name": "EXERCISE", "given_name": "EXERCISE", "date_of_birth": "2012-03-27"}
    ref = world.open(world.met, child=child).case_reference
    other = world.open(world.kent, child=child).case_reference
    say(world, other, world.kent)
    world.send(
        world.met, ref, "lead-transfer-request", kind="join-episodes", lead_after="ours", **OFFER
    )
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    assert world.lead(other) == MET
    [line] = open_(world, other)
    assert line.owner == world.met.unit_id
    assert any(row.expires_at == line.due_at for row in world.inbox(world.met))
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], **OFFER)
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    assert [one.owner for one in open_(world, other)] == [world.kent.unit_id]
    world.send(world.kent, ref, "located", **SEEN)
    assert open_(world, other) == []


@pytest.mark.parametrize(
    ("wrong", "code", "pointer"),
    [
        ({"live_until": None}, "invalid", "/body/live_until"),
        ({"live_line": None}, "invalid", "/body/live_until"),
        ({"live_until": "2026-01-01T00:00:00Z"}, "in-past", "/body/live_until"),
    ],
)
def test_a_line_has_its_words_and_its_time(
    world: World, wrong: dict[str, Any], code: str, pointer: str
) -> None:
    ref = world.open(world.met).case_reference
    error: HubError = refused(code, lambda: say(world, ref, **wrong))
    assert error.fields[0].pointer == pointer


def test_police_keep_the_lines(world: World) -> None:
    ref = world.open(world.met, to=[ISLINGTON]).case_reference
    refused("line-by-police", lambda: say(world, ref, world.social_worker))
