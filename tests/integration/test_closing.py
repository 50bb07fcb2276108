"""What a case that closes leaves behind, and what runs again once it is opened (issue 4, 5 and 6)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging.pages import returning
from tests.worlds import ISLINGTON, KENT, MET, RECENTLY, REPORT, World, refused

ESSEX = "essex"
SEEN = {"located_at": RECENTLY, "seen_by": "EXERCISE", "place": "EXERCISE", "how": "police"}
CLOSE = {"outcome": "EXERCISE", "authorised_by": "EXERCISE"}
AGAIN = {"reason": "EXERCISE", "authorised_by": "EXERCISE"}


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def rows(world: World, query: str) -> list[Any]:
    with world.database.unit_of_work() as session:
        return list(session.execute(text(query)))


def back(world: World) -> str:
    """Return a case whose child is back, interviews done."""
    ref = world.open(world.met, to=[KENT, ISLINGTON]).case_reference
    world.send(world.met, ref, "located", **SEEN)
    done = {"interview": "prevention", "how": "not-done", "reason": "EXERCISE"}
    world.send(world.met, ref, "interview-record", **done)
    done = {"interview": "rhi", "offered": "no", "reason": "EXERCISE"}
    world.send(world.social_worker, ref, "interview-record", **done)
    return ref


def meet(world: World, ref: str, hours: float, by: Actor | None = None, asked: str = MET) -> None:
    world.send(
        by or world.met, ref, "strategy-meeting-invitation", section_47=True, held_at="EXERCISE",
        starts_at=(world.now + timedelta(hours=hours)).isoformat(), meeting_purpose="EXERCISE",
        convenor="EXERCISE Inspector", convenor_telephone="020 7946 0009",
        attendees=[{"role": "home-police", "unit": asked},
                   {"role": "destination-police", "unit": KENT}],
    )  # fmt: skip


def test_meetings_to_come_are_called_off_with_their_calendar_entries(world: World) -> None:
    ref = back(world)
    for hours in (24, 48):
        meet(world, ref, hours)
    before = len(rows(world, "SELECT id FROM outbox_job WHERE kind = 'meeting-calendar'"))
    world.send(world.met, ref, "closure", **CLOSE)
    assert [row.state for row in rows(world, "SELECT state FROM meeting")] == ["cancelled"] * 2
    after = len(rows(world, "SELECT id FROM outbox_job WHERE kind = 'meeting-calendar'"))
    assert after - before == 4, "both units have both entries taken back"
    said = world.case(world.kent, ref).messages[-2:]
    assert {one.body["meeting_act"] for one in said} == {"cancel"}
    assert {one.sender_unit.code for one in said} == {MET}
    assert rows(world, """SELECT kind FROM clock WHERE kind LIKE 'meeting%'
        AND met_at IS NULL AND ended_at IS NULL""") == []  # fmt: skip


def test_a_case_that_is_opened_again_has_its_actions_and_records_due_again(world: World) -> None:
    ref = back(world)
    meet(world, ref, 1)
    world.now += timedelta(hours=2)
    record = {
        "attendance": [{"unit": MET, "person": "EXERCISE Inspector", "attended": "attended"},
                       {"unit": KENT, "attended": "absent"}],
        "decisions": "EXERCISE", "actions": [{"what": "EXERCISE", "owner": KENT,
        "due": (world.now + timedelta(days=2)).isoformat()}],
    }  # fmt: skip
    world.send(world.met, ref, "strategy-meeting-record", **record)
    meet(world, ref, 1)
    world.now += timedelta(hours=3)
    meet(world, ref, 48)
    running = """SELECT kind FROM clock WHERE met_at IS NULL AND ended_at IS NULL
        AND kind IN ('meeting-action', 'meeting-record') ORDER BY kind"""
    opened = """SELECT k.id FROM clock k JOIN meeting_invitation i ON i.message_id = k.message_id
        WHERE k.met_at IS NULL AND k.ended_at IS NULL AND k.kind LIKE 'opened%'
            AND i.act = 'new' ORDER BY k.id"""
    unopened = rows(world, opened)
    assert unopened
    due = ["meeting-action", "meeting-record"]
    assert [row.kind for row in rows(world, running)] == [*due, "meeting-record"]
    world.send(world.met, ref, "closure", **CLOSE)
    assert rows(world, running) == []
    assert rows(world, opened) == []
    world.send(world.met, ref, "reopen", **AGAIN)
    assert [row.kind for row in rows(world, running)] == due, "what was called off stays off"
    assert rows(world, opened) == unopened, "what nobody opened is still to be opened"


def joined(world: World) -> tuple[str, str]:
    """Return a case that goes on, and one joined to it: a meeting to come, an action of another."""
    child = {"family_name": "EXERCISE", "given_name": "EXERCISE", "date_of_birth": "2012-03-27"}
    other = world.open(world.kent, to=[ESSEX], child=child).case_reference
    meet(world, other, 1, world.kent, ESSEX)
    world.now += timedelta(hours=2)
    record = {
        "attendance": [{"unit": ESSEX, "attended": "absent"},
                       {"unit": KENT, "person": "EXERCISE", "attended": "attended"}],
        "decisions": "EXERCISE", "actions": [{"what": "EXERCISE", "owner": ESSEX,
        "due": (world.now + timedelta(days=2)).isoformat()}],
    }  # fmt: skip
    world.send(world.kent, other, "strategy-meeting-record", **record)
    meet(world, other, 48, world.kent, ESSEX)
    ref = world.open(world.met, to=[ISLINGTON], child=child).case_reference
    ask = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE",
           "kind": "join-episodes", "lead_after": "ours"}  # fmt: skip
    world.send(world.met, ref, "lead-transfer-request", **ask)
    world.send(world.kent, ref, "lead-transfer-accept", named_officer="EXERCISE")
    return ref, other


def needs(world: World, actor: Actor, ref: str) -> list[str]:
    lines = [one for one in world.inbox(actor) if one.reference == ref and one.unanswered]
    return sorted(one.type for one in lines if one.need == "answer")


def test_meetings_and_actions_of_a_joined_case_go_on_and_end_with_the_case_it_goes_on_as(
    world: World,
) -> None:
    ref, other = joined(world)
    asked = ["strategy-meeting-invitation", "strategy-meeting-record"]
    assert needs(world, world.stranger, other) == asked
    latest = rows(
        world,
        "SELECT m.id FROM message m WHERE m.type = 'strategy-meeting-invitation' ORDER BY m.id DESC",
    )
    world.send(
        world.kent, other, "strategy-meeting-invitation", in_reply_to=latest[0].id,
        meeting_act="change", why_changed="EXERCISE", section_47=True, held_at="EXERCISE elsewhere",
        starts_at=(world.now + timedelta(hours=50)).isoformat(), meeting_purpose="EXERCISE",
        convenor="EXERCISE Inspector", convenor_telephone="020 7946 0009",
        attendees=[{"role": "home-police", "unit": ESSEX},
                   {"role": "destination-police", "unit": KENT}],
    )  # fmt: skip
    assert needs(world, world.stranger, other) == asked
    refused("case-joined", lambda: meet(world, other, 72, world.kent))
    world.send(world.met, ref, "located", **SEEN)
    done = {"interview": "prevention", "how": "not-done", "reason": "EXERCISE"}
    world.send(world.met, ref, "interview-record", **done)
    done = {"interview": "rhi", "offered": "no", "reason": "EXERCISE"}
    world.send(world.social_worker, ref, "interview-record", **done)
    world.send(world.met, ref, "closure", **CLOSE)
    assert needs(world, world.stranger, other) == []
    assert [row.state for row in rows(world, "SELECT state FROM meeting ORDER BY starts_at")] == [
        "recorded", "cancelled"
    ]  # fmt: skip
    running = """SELECT kind FROM clock WHERE met_at IS NULL AND ended_at IS NULL
        AND kind LIKE 'meeting%'"""
    assert rows(world, running) == []
    world.send(world.met, ref, "reopen", **AGAIN)
    assert [row.kind for row in rows(world, running)] == ["meeting-action"]
    assert needs(world, world.stranger, other) == ["strategy-meeting-record"]


def test_a_case_does_not_close_while_an_interview_of_a_joined_one_is_owed(world: World) -> None:
    child = {"family_name": "EXERCISE", "given_name": "EXERCISE", "date_of_birth": "2012-03-27"}
    other = world.open(world.kent, child=child).case_reference
    world.send(world.kent, other, "located", **SEEN)
    rhi = {"interview": "rhi", "offered": "no", "reason": "EXERCISE"}
    world.send(world.kent, other, "interview-record", **rhi)
    world.send(world.kent, other, "missing-episode-report", **{**REPORT, "child": child})
    ref = world.open(world.met, to=[ISLINGTON], child=child).case_reference
    ask = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE",
           "kind": "join-episodes", "lead_after": "ours"}  # fmt: skip
    world.send(world.met, ref, "lead-transfer-request", **ask)
    world.send(world.kent, ref, "lead-transfer-accept", named_officer="EXERCISE")
    world.send(world.met, ref, "located", **SEEN)
    done = {"interview": "prevention", "how": "not-done", "reason": "EXERCISE"}
    world.send(world.met, ref, "interview-record", **done)
    world.send(world.social_worker, ref, "interview-record", **rhi)
    error = refused("statutory-step-open", lambda: world.send(world.met, ref, "closure", **CLOSE))
    assert [(one["case_reference"], one["step"]) for one in error.extra["steps"]] == [
        (other, "prevention-interview")
    ]
    world.send(world.kent, other, "interview-record", **done)
    world.send(world.met, ref, "closure", **CLOSE)
    assert world.case(world.met, ref).closed_at


def test_who_sees_part_of_a_case_is_told_nothing_of_what_was_joined_but_whom_to_ring(
    world: World, someone: Callable[..., Actor], app: Flask
) -> None:
    carer = someone("missing-people/helpline", "practitioner")
    child = {"family_name": "EXERCISE", "given_name": "EXERCISE", "date_of_birth": "2012-03-27"}
    other = world.open(world.kent, child=child).case_reference
    world.send(world.kent, other, "located", **SEEN)
    world.send(world.kent, other, "missing-episode-report", **{**REPORT, "child": child})
    told = world.open(carer, to=[MET], child=child)
    ref = told.case_reference
    world.send(world.met, ref, "missing-episode-report", **{**REPORT, "child": child},
               in_reply_to=told.message_id)  # fmt: skip
    ask = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE",
           "kind": "join-episodes", "lead_after": "ours"}  # fmt: skip
    world.send(world.met, ref, "lead-transfer-request", **ask)
    world.send(world.kent, ref, "lead-transfer-accept", named_officer="EXERCISE")
    world.send(world.met, ref, "located", **SEEN)
    done = {"interview": "prevention", "how": "not-done", "reason": "EXERCISE"}
    ring = f"A step of this child is still owed by another unit: ring {world.met.unit_name}."
    error = refused("statutory-step-open", lambda: world.send(carer, ref, "closure", **CLOSE))
    assert {one["case_reference"] for one in error.extra["steps"]} == {ref}
    assert ring in error.sentence
    assert "the prevention interview of episode 1, owed by" in error.sentence
    world.send(world.met, ref, "interview-record", **done)
    rhi = {"interview": "rhi", "offered": "no", "reason": "EXERCISE"}
    world.send(world.met, ref, "interview-record", **rhi)
    error = refused("statutory-step-open", lambda: world.send(carer, ref, "closure", **CLOSE))
    assert (error.sentence, error.extra["steps"]) == (ring, [])
    with app.test_request_context(), world.database.unit_of_work() as session:
        assert returning.before_closing(session, carer, ref, world.now)[:2] == ([], ring)
        owed, elsewhere, _ = returning.before_closing(session, world.met, ref, world.now)
    assert ([one["episode"] for one in owed], elsewhere) == ([1, 1], "")


def test_a_report_that_was_taken_by_telephone_stays_so_when_the_case_closes(world: World) -> None:
    ref = world.open(world.social_worker, to=[MET]).case_reference
    call = {"called_at": RECENTLY, "with_name": "EXERCISE", "outcome": "taken",
            "with_collar": "1", "their_reference": "EXERCISE"}  # fmt: skip
    world.send(world.social_worker, ref, "telephone-record", **call)
    world.send(world.social_worker, ref, "closure", **CLOSE)
    assert [row.state for row in rows(world, "SELECT state FROM report")] == [
        "recorded-by-telephone"
    ]


def test_a_date_long_before_the_child_was_missing_is_refused_at_its_field(world: World) -> None:
    ref = world.open(world.met).case_reference
    long_ago = (world.now - timedelta(days=30)).isoformat()
    error = refused(
        "long-before",
        lambda: world.send(world.met, ref, "located", **(SEEN | {"located_at": long_ago})),
    )
    assert error.fields[0].pointer == "/body/located_at"
