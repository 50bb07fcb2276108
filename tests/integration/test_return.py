"""The return of a child: interviews that are owed, closing, reopening, errors (DOMAIN.md 4.9, 6, 8)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import alarms, sending
from tests.worlds import ACCEPT, ISLINGTON, KENT, MET, RECENTLY, REPORT, World, refused

OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}
SEEN = {
    "located_at": RECENTLY, "seen_by": "EXERCISE PC", "place": "EXERCISE",
    "how": "police",
}  # fmt: skip
PREVENTION = {"interview": "prevention", "how": "face-to-face", "with_whom": "child"}
RHI = {"interview": "rhi", "offered": "yes", "accepted": True, "completed_on": "2026-11-24"}
NOT_OFFERED = {"interview": "rhi", "offered": "no", "reason": "EXERCISE"}
CLOSE = {"outcome": "EXERCISE", "authorised_by": "EXERCISE"}
REOPEN = {"reason": "EXERCISE", "authorised_by": "EXERCISE"}
ERROR = {"ground": "never-missing", "reason": "EXERCISE", "authorised_by": "EXERCISE Inspector"}


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


@pytest.fixture
def inspector(someone: Callable[..., Actor]) -> Actor:
    return someone(MET, "supervisor", name="EXERCISE Supervisor")


def _returned(world: World, **more: Any) -> str:
    """A child whom the Met's own officers saw, in a case with a social worker."""
    ref = world.open(world.met, to=[ISLINGTON]).case_reference
    world.send(world.met, ref, "located", **SEEN, **more)
    return ref


def _clocks(world: World, ref: str, *kinds: str) -> dict[str, Any]:
    with world.database.unit_of_work() as session:
        rows = session.execute(
            text("""SELECT k.* FROM clock k JOIN cases c ON c.id = k.case_id
                WHERE c.reference = :ref AND k.kind = ANY(:kinds)"""),
            {"ref": ref, "kinds": list(kinds)},
        )
        return {row.kind: row for row in rows}


def _interviews(world: World, ref: str) -> dict[tuple[int, str], tuple[UUID, str]]:
    with world.database.unit_of_work() as session:
        rows = session.execute(
            text("""SELECT e.number, i.kind, i.owed_by_unit_id, i.state FROM interview i
                JOIN episode e ON e.id = i.episode_id JOIN cases c ON c.id = e.case_id
                WHERE c.reference = :ref"""),
            {"ref": ref},
        )
        return {(row.number, row.kind): (row.owed_by_unit_id, row.state) for row in rows}


def _change(world: World, statement: str) -> None:
    with world.database.unit_of_work() as session:
        session.execute(text(statement))


def _recipients(world: World, sent: sending.Sent) -> set[UUID]:
    return set(sent.reach)


def test_a_return_owes_both_interviews_and_stops_what_runs_while_a_child_is_missing(
    world: World,
) -> None:
    ref = _returned(world)
    assert _interviews(world, ref) == {
        (1, "prevention"): (world.met.unit_id, "owed"),
        (1, "rhi"): (world.social_worker.unit_id, "owed"),
    }
    clocks = _clocks(
        world, ref, "prevention-interview", "rhi", "ukmpu", "review-medium", "shift-end"
    )
    assert all(clocks[kind].ended_at for kind in ("ukmpu", "review-medium", "shift-end"))
    for kind, hours in (("prevention-interview", 24), ("rhi", 72)):
        assert clocks[kind].due_at - clocks[kind].started_at == timedelta(hours=hours)
        assert clocks[kind].ended_at is None


def test_who_led_when_it_was_confirmed_owes_the_prevention_interview(world: World) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], **OFFER)
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    world.send(world.met, ref, "located", **SEEN)
    assert _interviews(world, ref) == {}, "a claim is no return"
    world.send(world.kent, ref, "located-confirm")
    kent = world.kent.unit_id
    assert _interviews(world, ref) == {
        (1, "prevention"): (kent, "owed"),
        (1, "rhi"): (kent, "owed"),
    }, "no authority and no home unit are on the case: whoever led owes it, and says whose it is"
    offered = [one.type for one in world.case(world.kent, ref).actions]
    assert "authority-named" in offered
    why = {"why": "EXERCISE"}
    refused("to-one", lambda: world.send(world.kent, ref, "authority-named", to=["essex"], **why))
    world.send(world.kent, ref, "authority-named", to=[ISLINGTON], **why)
    social_worker = world.social_worker.unit_id
    assert _interviews(world, ref)[(1, "rhi")] == (social_worker, "owed")
    assert _clocks(world, ref, "rhi")["rhi"].owed_by_unit_id == social_worker
    assert world.case(world.social_worker, ref).full
    refused("authority-known",
            lambda: world.send(world.kent, ref, "authority-named", to=[ISLINGTON], why="EXERCISE"))  # fmt: skip


def test_a_child_found_dead_is_owed_no_interview(world: World) -> None:
    ref = _returned(world, found="dead")
    assert _interviews(world, ref) == {}
    other = world.open(world.met, to=[KENT]).case_reference
    world.send(world.kent, other, "located", **SEEN, found="dead")
    world.send(world.met, other, "located-confirm")
    assert _interviews(world, other) == {}
    world.send(world.met, other, "closure", **CLOSE)


def test_an_interview_is_settled_by_its_record_or_its_reason_and_once(world: World) -> None:
    ref = _returned(world)
    refused("interview-owed-elsewhere",
            lambda: world.send(world.social_worker, ref, "interview-record", **PREVENTION))  # fmt: skip
    refused("interview-owed-elsewhere",
            lambda: world.send(world.met, ref, "interview-record", **RHI))  # fmt: skip
    record = world.send(world.met, ref, "interview-record", **PREVENTION)
    world.send(world.social_worker, ref, "interview-record", **NOT_OFFERED)
    states = {key: state for key, (_, state) in _interviews(world, ref).items()}
    assert states == {(1, "prevention"): "recorded", (1, "rhi"): "not-done"}
    assert all(c.met_at for c in _clocks(world, ref, "prevention-interview", "rhi").values())
    refused("interview-recorded",
            lambda: world.send(world.met, ref, "interview-record", **PREVENTION))  # fmt: skip
    again = world.send(
        world.met, ref, "interview-record", in_reply_to=record.message_id,
        interview="prevention", how="not-done", reason="EXERCISE",
    )  # fmt: skip
    assert _interviews(world, ref)[(1, "prevention")][1] == "not-done"
    refused("interview-not-owed", lambda: world.send(
        world.met, ref, "interview-record", in_reply_to=record.message_id, **PREVENTION))  # fmt: skip
    world.send(world.met, ref, "interview-record", in_reply_to=again.message_id, **PREVENTION)
    late = {**RHI, "completed_on": (world.now + timedelta(days=2)).date().isoformat()}
    refused("in-future", lambda: world.send(world.social_worker, ref, "interview-record", **late))


def test_the_childs_account_is_for_the_two_who_owe_interviews_alone(
    world: World, someone: Callable[..., Actor]
) -> None:
    ref = world.open(world.met, to=[ISLINGTON, KENT]).case_reference
    world.send(world.met, ref, "located", **SEEN)
    account = {"account": "EXERCISE account", "account_may_be_shared": True}
    refused("account-to", lambda: world.send(
        world.met, ref, "interview-record", to=[KENT], **PREVENTION, **account))  # fmt: skip
    sent = world.send(
        world.met, ref, "interview-record", interviewer="EXERCISE PC", **PREVENTION, **account
    )
    assert _recipients(world, sent) == {world.social_worker.unit_id}
    for reader, reads in ((world.social_worker, True), (world.met, True), (world.kent, False)):
        (record,) = [m for m in world.case(reader, ref).messages if m.type == "interview-record"]
        assert ("account" in record.body, record.withheld) == (reads, not reads)
        assert record.body["interviewer"] == "EXERCISE PC"


def test_a_missed_interview_reaches_the_whole_organisation_that_owes_it(world: World) -> None:
    ref = _returned(world)
    world.now += timedelta(hours=73)
    for _ in range(4):
        with world.database.unit_of_work() as session:
            alarms.escalate(session, world.now)
        world.now += timedelta(hours=4)
    steps = {(s.kind, s.rung) for s in world.case(world.met, ref).matters.steps}
    assert {("prevention-interview", "duty-inspector"), ("rhi", "control-room")} <= steps


def test_a_case_closes_when_nothing_statutory_is_open_and_writes_its_own_history(
    world: World,
) -> None:
    ref = _returned(world)
    open_ = refused("statutory-step-open", lambda: world.send(world.met, ref, "closure", **CLOSE))
    assert [(one["step"], one["episode"]) for one in open_.extra["steps"]] == [
        ("prevention-interview", 1), ("rhi", 1),
    ]  # fmt: skip
    settle = open_.extra["steps"][0]["settle"]
    world.send(world.met, ref, settle["type"], in_reply_to=settle["in_reply_to"],
               **{**PREVENTION, **settle["body"]})  # fmt: skip
    refused("statutory-step-open", lambda: world.send(world.met, ref, "closure", **CLOSE))
    world.send(world.social_worker, ref, "interview-record", **NOT_OFFERED)
    refused("computed", lambda: world.send(
        world.met, ref, "closure", episodes=["EXERCISE"], **CLOSE))  # fmt: skip
    refused("wanted-stays-missing", lambda: world.send(
        world.met, ref, "closure", ground="known-whereabouts", **CLOSE))  # fmt: skip
    world.send(world.met, ref, "closure", **CLOSE)
    view = world.case(world.social_worker, ref)
    said = view.messages[-1].body
    assert said["episodes"][0].startswith("Episode 1: ")
    assert said["episodes"][0].endswith("located")
    assert said["final_lead"] == f"Central North, {world.met.name}"


def test_a_missing_episode_of_three_days_closes_once_the_ukmpu_was_told_or_why_not(
    world: World,
) -> None:
    ref = world.open(world.met, to=[ISLINGTON]).case_reference
    world.now += timedelta(hours=73)
    not_told = {"heading": "other", "text": "EXERCISE", "ukmpu_not_told": "EXERCISE"}
    refused("still-missing", lambda: world.send(world.met, ref, "update", **not_told))
    world.send(world.met, ref, "located", **SEEN)
    world.send(world.met, ref, "interview-record", **PREVENTION)
    world.send(world.social_worker, ref, "interview-record", **NOT_OFFERED)
    open_ = refused("statutory-step-open", lambda: world.send(world.met, ref, "closure", **CLOSE))
    assert [one["step"] for one in open_.extra["steps"]] == ["ukmpu"]
    refused("told-by-police", lambda: world.send(world.social_worker, ref, "update", **not_told))
    world.send(world.met, ref, "update", **not_told)
    world.send(world.met, ref, "closure", **CLOSE)


def test_the_ukmpu_clock_runs_from_the_start_whoever_leads(world: World) -> None:
    ref = world.open(world.met).case_reference
    started = _clocks(world, ref, "ukmpu")["ukmpu"]
    world.now += timedelta(hours=40)
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], **OFFER)
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    moved = _clocks(world, ref, "ukmpu")["ukmpu"]
    assert (moved.due_at, moved.started_at) == (started.due_at, started.started_at)
    assert moved.owed_by_unit_id == world.kent.unit_id


def test_a_closed_case_says_who_opens_it_and_opens_by_a_message_alone(world: World) -> None:
    ref = _returned(world, found="dead")
    world.send(world.met, ref, "closure", **CLOSE)
    update = {"heading": "other", "text": "EXERCISE"}
    closed = refused(
        "case-closed", lambda: world.send(world.social_worker, ref, "update", **update)
    )
    assert closed.extra["reopened_by"] == ["Central North"]
    assert "Central North" in closed.sentence
    refused("not-permitted", lambda: world.send(world.social_worker, ref, "reopen", **REOPEN))
    assert [one.type for one in world.case(world.met, ref).actions] == ["reopen"]
    assert world.case(world.social_worker, ref).actions == []
    refused("case-closed", lambda: _change(world, "UPDATE cases SET closed_at = NULL"))
    world.send(world.met, ref, "reopen", **REOPEN)
    refused("case-open", lambda: world.send(world.met, ref, "reopen", **REOPEN))
    world.send(world.social_worker, ref, "update", **update)
    types = [m.type for m in world.case(world.met, ref).messages]
    assert types[-3:] == ["closure", "reopen", "update"]
    world.send(world.met, ref, "missing-episode-report", **REPORT)
    assert world.lead(ref) == MET


def test_two_persons_end_an_episode_that_was_recorded_in_error(
    world: World, inspector: Actor
) -> None:
    ref = world.open(world.met, to=[ISLINGTON]).case_reference
    refused("not-permitted", lambda: world.send(world.met, ref, "recorded-in-error", **ERROR))
    alone = {**ERROR, "authorised_by": " exercise  SUPERVISOR "}
    refused("another-authorises", lambda: world.send(inspector, ref, "recorded-in-error", **alone))
    for ground in ("wanted", "arrested-elsewhere", "known-whereabouts"):
        refused("wanted-stays-missing", lambda: world.send(
            inspector, ref, "recorded-in-error", **{**ERROR, "ground": ground}))  # fmt: skip  # noqa: B023
    world.send(inspector, ref, "recorded-in-error", **ERROR)
    assert _interviews(world, ref) == {}
    view = world.case(world.social_worker, ref)
    assert (view.lead, view.located_at, len(view.tenures)) == (None, None, 1)
    world.send(inspector, ref, "closure", **CLOSE)
    assert world.case(inspector, ref).messages[-1].body["episodes"][0].endswith("in error")


def test_who_is_wanted_or_only_known_to_be_somewhere_stays_missing(world: World) -> None:
    ref = world.open(world.met, also_wanted=True).case_reference
    for ground in ("wanted", "arrested-elsewhere", "known-whereabouts"):
        refused("wanted-stays-missing",
                lambda: world.send(world.met, ref, "located", ground=ground, **SEEN))  # fmt: skip  # noqa: B023
    world.send(world.met, ref, "located", ground="seen", **SEEN)
    assert world.case(world.met, ref).lead is None


def test_the_interviews_of_an_older_episode_are_owed_on_while_the_child_is_missing_again(
    world: World,
) -> None:
    ref = _returned(world)
    world.send(world.met, ref, "missing-episode-report", **REPORT)
    world.send(world.met, ref, "located", **SEEN)
    assert len(_interviews(world, ref)) == 4
    with world.database.unit_of_work() as session:
        running = session.scalar(
            text("SELECT count(*) FROM clock WHERE kind IN ('rhi', 'prevention-interview')"
                 " AND ended_at IS NULL AND met_at IS NULL")
        )  # fmt: skip
    assert running == 4


def test_the_database_holds_that_a_return_owes_both_and_that_a_record_is_once(
    world: World,
) -> None:
    ref = _returned(world)
    world.send(world.met, ref, "interview-record", **PREVENTION)
    for code, change in (
        ("interview-recorded", "UPDATE interview SET state = 'owed', record_message_id = NULL,"
            " settled_at = NULL WHERE kind = 'prevention'"),
        ("interview-recorded", "UPDATE interview SET state = 'recorded', settled_at = now(),"
            " record_message_id = opened_by_message_id WHERE kind = 'rhi'"),
        ("statutory-step-open", "UPDATE cases SET closed_at = now()"),
        ("conflict", "INSERT INTO interview SELECT gen_random_uuid(), episode_id, 'rhi',"
            " owed_by_unit_id, opened_by_message_id, opened_at FROM interview WHERE kind = 'rhi'"),
    ):  # fmt: skip
        refused(code, lambda: _change(world, change))  # noqa: B023
    other = world.open(world.met).case_reference
    refused("conflict", lambda: _change(
        world, "INSERT INTO interview SELECT gen_random_uuid(), e.id, 'rhi', i.owed_by_unit_id,"
        " i.opened_by_message_id, i.opened_at FROM interview i, episode e JOIN cases c"
        f" ON c.id = e.case_id WHERE i.kind = 'rhi' AND c.reference = '{other}'"))  # fmt: skip


def test_a_unit_that_was_only_asked_may_claim_that_it_saw_the_child(world: World) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "information-request", to=["essex"], questions="EXERCISE")
    assert "located" in [one.type for one in world.case(world.stranger, ref).actions]
    world.send(world.stranger, ref, "located", **SEEN)
    assert world.lead(ref) == MET, "a claim moves nothing"
    view = world.case(world.stranger, ref)
    assert [m.type for m in view.messages] == ["information-request", "located"]
    assert [claim.unit.id for claim in view.claims] == [world.stranger.unit_id]
    sent = world.send(world.met, ref, "located-confirm")
    assert world.stranger.unit_id in _recipients(world, sent)


def test_nobody_is_on_duty_for_more_than_sixteen_hours(world: World) -> None:
    ref = world.open(world.met).case_reference
    until = world.now + timedelta(hours=16, minutes=1)
    hand = {"to_officer": "EXERCISE", "on_duty_until": until.isoformat()}
    refused("duty-too-long", lambda: world.send(world.met, ref, "officer-handover", **hand))
    hand["on_duty_until"] = (until - timedelta(minutes=2)).isoformat()
    world.send(world.met, ref, "officer-handover", **hand)
