"""Clocks of the lead and of what it owes: never lost, never fired twice, met by an act (DOMAIN.md 6)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select, text

from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import alarms, receipts, views
from messaging.model import Clock, Escalation
from tests.worlds import ACCEPT, KENT, MET, World, refused

AWAY = "surrey"
OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}
CALL = {"outcome": "handed-over", "with_name": "EXERCISE Sergeant"}


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def _escalate(world: World, **later: float) -> int:
    world.now += timedelta(**later)
    with world.database.unit_of_work() as session:
        return alarms.escalate(session, world.now)


def _clocks(world: World, *kinds: str) -> list[Clock]:
    with world.database.unit_of_work() as session:
        return list(session.scalars(select(Clock).where(Clock.kind.in_(kinds)).order_by(Clock.id)))


def _rungs(world: World, *kinds: str) -> list[str]:
    with world.database.unit_of_work() as session:
        return list(
            session.scalars(
                select(Escalation.rung)
                .join(Clock, Clock.id == Escalation.clock_id)
                .where(Clock.kind.in_(kinds))
                .order_by(Escalation.at)
            )
        )


def _running(world: World, *kinds: str) -> list[Clock]:
    return [c for c in _clocks(world, *kinds) if c.met_at is None and c.ended_at is None]


def _call(world: World, actor: Actor, ref: str, **more: Any) -> None:
    world.send(actor, ref, "telephone-record", called_at=world.now.isoformat(), **CALL, **more)


def test_a_unit_that_joins_after_steps_were_taken_is_asked_afresh(
    world: World, someone: Callable[..., Actor]
) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[AWAY], priority="urgent", **OFFER)
    _call(world, world.met, ref)
    for _ in range(3):
        _escalate(world, minutes=11)
    assert _rungs(world, "lead-urgent") == ["repeat", "repeat", "duty-inspector"]
    surrey = someone(AWAY)
    with world.database.unit_of_work() as session:
        receipts.catch_up(session, world.now)
    request = world.case(world.met, ref).request
    assert request is not None
    assert (request.request_no, request.due_at) == (3, world.now + timedelta(minutes=10))
    _escalate(world, minutes=11)
    assert _rungs(world, "lead-urgent")[3:] == ["repeat"]
    again = world.case(world.met, ref).request
    assert again is not None
    assert again.request_no == 3, "the third request is never the second again"
    world.send(surrey, ref, "lead-transfer-accept", **ACCEPT)
    assert world.lead(ref) == AWAY


def test_a_repeat_gives_both_sides_the_same_countdown(world: World) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], priority="urgent", **OFFER)
    _escalate(world, minutes=11)
    (theirs,) = [row for row in world.inbox(world.kent) if row.need == "answer"]
    (ours,) = [row for row in world.inbox(world.met) if row.need == "waiting"]
    views = [world.case(who, ref).request for who in (world.met, world.kent)]
    due = {theirs.due_at, ours.due_at, *(view.due_at for view in views if view)}
    assert due == {world.now + timedelta(minutes=10)}


def test_a_holding_reply_that_lapses_brings_the_next_repeat(world: World) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], priority="urgent", **OFFER)
    until = world.now + timedelta(minutes=50)
    world.send(world.kent, ref, "holding-reply", decide_by=until.isoformat(), reason="EXERCISE")
    _escalate(world, minutes=49)
    assert _rungs(world, "lead-urgent") == []
    _escalate(world, minutes=2)
    assert _rungs(world, "lead-urgent") == ["repeat"]


def test_high_risk_hurries_an_offer_and_a_dispute_and_never_fires_a_step_twice(
    world: World,
) -> None:
    ref = world.open(world.met, risk="low").case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], **OFFER)
    world.send(world.kent, ref, "dispute", grounds="EXERCISE")
    for _ in range(3):
        _escalate(world, minutes=61)
    assert _rungs(world, "lead-routine") == ["repeat", "repeat", "duty-inspector"]
    world.send(world.met, ref, "update", heading="risk-change", text="EXERCISE", new_risk="high")
    assert _escalate(world, seconds=1) == 0, "an overdue clock waits for its next step"
    (request,) = _running(world, "lead-urgent")
    assert request.escalates_at is not None
    assert request.escalates_at <= world.now + timedelta(minutes=10)
    (dispute,) = _running(world, "dispute-urgent")
    assert dispute.due_at is not None
    assert dispute.due_at <= world.now + timedelta(hours=1)
    _escalate(world, minutes=10)
    assert _rungs(world, "lead-urgent")[-1] == "control-room"


@pytest.mark.parametrize(("after", "left"), [(10, 5), (28, 2)])
def test_high_risk_hurries_the_opening_of_an_offer_that_nobody_has_opened(
    world: World, after: int, left: int
) -> None:
    ref = world.open(world.met).case_reference
    offer = world.send(world.met, ref, "lead-transfer-request", to=[KENT], **OFFER)
    world.now = offer.sent_at + timedelta(minutes=after, seconds=-1)
    world.send(world.met, ref, "update", heading="risk-change", text="EXERCISE", new_risk="high")
    opening = [c for c in _running(world, "opened-urgent") if c.message_id == offer.message_id]
    assert [c.due_at for c in opening] == [world.now + timedelta(minutes=left)]
    assert _clocks(world, "opened-request") == []
    world.case(world.kent, ref)
    assert _running(world, "opened-urgent") == []


def test_the_supervisors_review_is_met_by_reviewing_and_the_next_one_starts(
    world: World, someone: Callable[..., Actor]
) -> None:
    inspector, kents = someone(MET, "supervisor"), someone(KENT, "supervisor")
    ref = world.open(world.met, to=[KENT]).case_reference
    words = {"heading": "review", "text": "EXERCISE"}
    refused("review-by-supervisor", lambda: world.send(world.met, ref, "update", **words))
    refused(
        "review-by-supervisor",
        lambda: world.send(kents, ref, "update", **words),
    )
    (first,) = _running(world, "review-medium")
    world.send(inspector, ref, "update", **words)
    (second,) = _running(world, "review-medium")
    assert second.id != first.id
    assert second.due_at == world.now + timedelta(hours=12)
    world.send(inspector, ref, "update", new_risk="high", **words)
    assert _running(world, "review-medium") == []
    (third,) = _running(world, "review-high")
    assert third.due_at == world.now + timedelta(hours=4)


def test_a_report_says_who_leads_and_until_when_they_are_on_duty(world: World) -> None:
    until = world.now + timedelta(hours=3)
    officer = {"named_officer": "EXERCISE Reed", "officer_rank": "Sergeant",
               "officer_collar": "4471", "on_duty_until": until.isoformat()}  # fmt: skip
    ref = world.open(world.met, **officer).case_reference
    lead = world.case(world.met, ref).lead
    assert lead is not None
    one = lead.officer
    assert (one.name, one.rank, one.collar) == ("EXERCISE Reed", "Sergeant", "4471")
    assert lead.on_duty_until == until
    assert [clock.due_at for clock in _running(world, "shift-end")] == [until]
    late = {**officer, "on_duty_until": (world.now + timedelta(hours=17)).isoformat()}
    refused("duty-too-long", lambda: world.open(world.kent, **late))
    with world.database.unit_of_work() as session:
        known = views.prefill(
            session, world.met, world.vault, ref, "missing-episode-report", world.now
        )
    assert known.body.keys().isdisjoint(officer), "who led then is not who leads next"


def test_a_change_of_risk_sets_the_next_review_and_only_one_runs(world: World) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "update", heading="risk-change", text="EXERCISE", new_risk="high")
    (now_high,) = _running(world, "review-high", "review-medium", "review-low")
    world.send(world.met, ref, "update", heading="other", text="EXERCISE", new_risk="high")
    (same,) = _running(world, "review-high", "review-medium", "review-low")
    assert same.due_at == now_high.due_at, "the same risk again puts nothing off"


def test_who_accepts_may_set_the_next_review_no_later_than_the_risk_allows(world: World) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], **OFFER)
    far = (world.now + timedelta(days=2)).isoformat()
    near = world.now + timedelta(hours=2)
    refused("review-at", lambda: world.send(
        world.kent, ref, "lead-transfer-accept", next_review_at=far, **ACCEPT))  # fmt: skip
    refused("in-past", lambda: world.send(
        world.kent, ref, "lead-transfer-accept", on_duty_until=world.now.isoformat(), **ACCEPT))  # fmt: skip
    world.send(world.kent, ref, "lead-transfer-accept", next_review_at=near.isoformat(), **ACCEPT)
    (review,) = _running(world, "review-medium")
    assert (review.owed_by_unit_id, review.due_at) == (world.kent.unit_id, near)


def test_telling_the_missing_persons_unit_meets_its_clock(world: World) -> None:
    ref = world.open(world.met, to=["E09000019/childrens-social-care"]).case_reference
    told = {"heading": "ukmpu-told", "text": "EXERCISE"}
    refused("told-by-police", lambda: world.send(world.social_worker, ref, "update", **told))
    world.send(world.met, ref, "update", **told)
    assert _running(world, "ukmpu") == []
    _escalate(world, hours=80)
    assert _rungs(world, "ukmpu") == []


def test_a_clock_that_nobody_answers_climbs_to_its_last_step_and_stays_there(world: World) -> None:
    world.open(world.met)
    for _ in range(30):
        _escalate(world, hours=5)
    assert _rungs(world, "review-medium") == ["duty-inspector"]
    assert _rungs(world, "ukmpu") == ["duty-inspector", "coordinator"]
    assert _escalate(world, days=30) == 0


def test_two_schedulers_take_each_step_once(
    app_url: str, vault: Vault, someone: Callable[..., Actor]
) -> None:
    database = Database(app_url, pool_size=8)
    world = World(database, vault, someone)
    for _ in range(6):
        ref = world.open(world.met).case_reference
        world.send(world.met, ref, "lead-transfer-request", to=[KENT], priority="urgent", **OFFER)
    world.now += timedelta(minutes=15)
    together = Barrier(4)

    def take(now: datetime) -> int:
        together.wait()
        with database.unit_of_work() as session:
            return alarms.escalate(session, now)

    with ThreadPoolExecutor(4) as pool:
        taken = sum(pool.map(take, [world.now + timedelta(milliseconds=n) for n in range(4)]))
    taken += _escalate(world, seconds=1)
    with database.unit_of_work() as session:
        rows = session.scalar(text("SELECT count(*) FROM escalation"))
        clocks = session.scalar(text("SELECT count(DISTINCT clock_id) FROM escalation"))
        mails = session.scalar(text("SELECT count(*) FROM outbox_job WHERE kind = 'alarm'"))
    database.dispose()
    assert taken == rows == clocks == mails


def test_a_met_clock_is_mailed_to_nobody(world: World) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], priority="urgent", **OFFER)
    (clock,) = _running(world, "lead-urgent")
    _escalate(world, minutes=11)
    with world.database.unit_of_work() as session:
        found = alarms.concerned(session, clock.id, world.now)
    assert found is not None
    assert set(found.units) == {world.met.unit_id, world.kent.unit_id}
    world.send(world.kent, ref, "lead-transfer-decline", reason="wrong-area")
    with world.database.unit_of_work() as session:
        assert alarms.concerned(session, clock.id, world.now) is None


def test_what_a_lead_away_from_the_hub_owes_rings_the_lead_before_it(
    world: World, someone: Callable[..., Actor]
) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], **OFFER)
    world.send(world.kent, ref, "dispute", grounds="EXERCISE")
    adjudicator = someone("npcc/missing-persons", "adjudicator")
    world.send(adjudicator, ref, "direction", lead=AWAY, reasons="EXERCISE")
    (waits,) = _clocks(world, "direction")
    assert waits.due_at is None, "nothing is delivered to it: its clock starts with the call"
    _call(world, adjudicator, ref)
    (starts,) = _clocks(world, "direction")
    assert starts.due_at == world.now + timedelta(minutes=10)
    assert world.lead(ref) == MET, "a call moves no lead"
    world.send(adjudicator, ref, "direction-acknowledge", told_by_telephone="EXERCISE PS, 0700",
               **ACCEPT)  # fmt: skip
    assert world.lead(ref) == AWAY
    (shift,) = _running(world, "shift-end")
    _escalate(world, hours=8.1)
    with world.database.unit_of_work() as session:
        found = alarms.concerned(session, shift.id, world.now)
    assert found is not None
    assert world.met.unit_id in found.units
    assert adjudicator.unit_id not in found.units, "for them it is decided"
