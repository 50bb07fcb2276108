"""Holding replies, repeats and escalation, disputes and directions (DOMAIN.md 4.1, 6)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import alarms, sending
from tests.worlds import ACCEPT, ISLINGTON, KENT, MET, World, refused

OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE", "priority": "urgent"}
NATIONAL = "npcc/missing-persons"


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


@pytest.fixture
def adjudicator(someone: Callable[..., Actor]) -> Actor:
    return someone(NATIONAL, "adjudicator")


def _escalate(world: World, minutes: float) -> int:
    world.now += timedelta(minutes=minutes)
    with world.database.unit_of_work() as session:
        return alarms.escalate(session, world.now)


def _offered(world: World) -> tuple[str, sending.Sent]:
    ref = world.open(world.met).case_reference
    return ref, world.send(world.met, ref, "lead-transfer-request", to=[KENT], **OFFER)


def _disputed(world: World) -> str:
    ref, _ = _offered(world)
    world.send(world.kent, ref, "lead-transfer-decline", reason="wrong-area")
    world.send(world.met, ref, "dispute", to=[KENT], grounds="EXERCISE grounds")
    return ref


def test_a_holding_reply_puts_the_decision_off_once_and_moves_nothing(world: World) -> None:
    ref, _ = _offered(world)
    far = (world.now + timedelta(hours=2)).isoformat()
    refused("decide-by",
            lambda: world.send(world.kent, ref, "holding-reply", decide_by=far, reason="EXERCISE"))  # fmt: skip
    near = world.now + timedelta(minutes=40)
    hold = {"decide_by": near.isoformat(), "reason": "EXERCISE"}
    world.send(world.kent, ref, "holding-reply", **hold)
    request = world.case(world.met, ref).request
    assert request is not None
    assert request.held_until == near
    assert request.due_at == near
    assert world.lead(ref) == MET
    refused("held-already", lambda: world.send(world.kent, ref, "holding-reply", **hold))
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    assert world.lead(ref) == KENT


def test_an_unanswered_offer_is_repeated_twice_then_climbs_and_moves_nothing(world: World) -> None:
    ref, _ = _offered(world)
    rungs = []
    for _step in range(7):
        _escalate(world, 11)
        view = world.case(world.met, ref)
        assert view.request is not None
        rungs.append((view.request.request_no, _last_rung(view)))
    assert rungs == [
        (2, "repeat"), (3, "repeat"), (3, "duty-inspector"), (3, "control-room"),
        (3, "coordinator"), (3, "adjudicator"), (3, "adjudicator"),
    ]  # fmt: skip
    assert world.lead(ref) == MET
    row = next(one for one in world.inbox(world.kent) if one.need == "answer")
    assert row.request_no == 3
    assert row.missed
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    assert world.lead(ref) == KENT


def _last_rung(view: object) -> str:
    steps = [s for s in view.matters.steps if s.kind == "lead-urgent"]  # type: ignore[attr-defined]
    return str(steps[0].rung)


def test_an_answered_clock_climbs_no_further(world: World) -> None:
    ref, offer = _offered(world)
    world.send(world.kent, ref, "lead-transfer-decline", reason="wrong-area")
    _escalate(world, 60)
    with world.database.unit_of_work() as session:
        assert not session.scalar(
            text("SELECT count(*) FROM escalation e JOIN clock k ON k.id = e.clock_id"
                 " WHERE k.message_id = :id AND k.kind = 'lead-urgent'"),
            {"id": offer.message_id},
        )  # fmt: skip


def test_a_dispute_moves_nothing_and_is_decided_by_an_adjudicator_of_neither_side(
    world: World, adjudicator: Actor, someone: Callable[..., Actor]
) -> None:
    before = world.open(world.met).case_reference
    refused("not-found", lambda: world.case(adjudicator, before))
    ref = _disputed(world)
    assert world.lead(ref) == MET
    kents_own = someone("kent", "adjudicator")
    refused("not-found", lambda: world.case(kents_own, before))
    assert world.inbox(kents_own) == [] or all(
        row.type != "dispute" for row in world.inbox(kents_own) if row.need == "answer"
    )
    assert [row.type for row in world.inbox(adjudicator)] == ["dispute"]
    view = world.case(adjudicator, ref)
    assert view.matters.dispute is not None
    assert "direction" in {act.type for act in view.actions}
    _direct(world, adjudicator, ref, KENT)
    assert world.lead(ref) == MET, "until it is acknowledged the old lead leads"
    refused("lead-directed",
            lambda: world.send(world.met, ref, "lead-transfer-request", to=["essex"], **OFFER))  # fmt: skip
    world.send(world.kent, ref, "direction-acknowledge", **ACCEPT)
    assert world.lead(ref) == KENT
    assert [t.basis for t in world.case(world.kent, ref).tenures] == ["recorded", "direction"]
    refused("not-found", lambda: world.case(adjudicator, ref))


def _direct(world: World, adjudicator: Actor, ref: str, to: str) -> sending.Sent:
    return world.send(adjudicator, ref, "direction", lead=to, reasons="EXERCISE reasons")


def test_a_direction_that_keeps_the_lead_decides_at_once(world: World, adjudicator: Actor) -> None:
    ref = _disputed(world)
    _direct(world, adjudicator, ref, MET)
    view = world.case(world.met, ref)
    assert view.matters.dispute is None
    assert view.matters.direction is None
    assert world.lead(ref) == MET
    refused("not-found", lambda: world.case(adjudicator, ref))


def test_the_adjudicator_may_record_whom_they_told(world: World, adjudicator: Actor) -> None:
    ref = _disputed(world)
    _direct(world, adjudicator, ref, KENT)
    refused("told-whom", lambda: world.send(adjudicator, ref, "direction-acknowledge", **ACCEPT))
    told = {"told_by_telephone": "EXERCISE Inspector, 01632 960001, now"}
    world.send(adjudicator, ref, "direction-acknowledge", **ACCEPT, **told)
    assert world.lead(ref) == KENT


def test_a_later_direction_replaces_one_that_nobody_acknowledged(
    world: World, adjudicator: Actor
) -> None:
    ref = _disputed(world)
    _direct(world, adjudicator, ref, KENT)
    _direct(world, adjudicator, ref, "essex")
    with pytest.raises(HubError):
        world.send(world.kent, ref, "direction-acknowledge", **ACCEPT)
    assert world.lead(ref) == MET
    world.send(world.stranger, ref, "direction-acknowledge", **ACCEPT)
    assert world.lead(ref) == "essex"


def test_an_acceptance_ends_a_dispute_and_its_side_may_withdraw_it(world: World) -> None:
    ref, _ = _offered(world)
    world.send(world.kent, ref, "dispute", grounds="EXERCISE")
    refused("dispute-open", lambda: world.send(world.met, ref, "dispute", grounds="EXERCISE"))
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    assert world.case(world.kent, ref).matters.dispute is None
    ref, _ = _offered(world)
    world.send(world.met, ref, "dispute", grounds="EXERCISE")
    with pytest.raises(HubError):
        world.send(world.kent, ref, "dispute-withdraw", reason="EXERCISE")
    world.send(world.met, ref, "dispute-withdraw", reason="EXERCISE")
    assert world.case(world.met, ref).matters.dispute is None
    assert world.lead(ref) == MET


def test_who_led_before_may_dispute_though_nobody_offered_them_the_lead(world: World) -> None:
    ref, _ = _offered(world)
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    world.send(world.met, ref, "dispute", grounds="EXERCISE")
    assert world.case(world.met, ref).matters.dispute is not None
    world.send(world.met, ref, "dispute-withdraw", reason="EXERCISE")
    world.send(world.kent, ref, "dispute", grounds="EXERCISE")
    assert world.case(world.kent, ref).matters.dispute is not None, "the other side is who led"
    assert world.lead(ref) == KENT


def test_a_confirmed_located_ends_disputes_and_directions(world: World, adjudicator: Actor) -> None:
    ref = _disputed(world)
    _direct(world, adjudicator, ref, KENT)
    world.send(world.met, ref, "located", located_at=world.now.isoformat(), seen_by="EXERCISE PC",
               place="EXERCISE", how="police")  # fmt: skip
    view = world.case(world.met, ref)
    assert view.lead is None
    assert view.matters.direction is None


def test_an_enquiry_shows_itself_and_not_the_case_and_is_answerable_whoever_leads(
    world: World,
) -> None:
    ref = world.open(world.met).case_reference
    refused("not-found", lambda: world.case(world.stranger, ref))
    asked = world.send(world.met, ref, "information-request", to=["essex"],
                       questions="EXERCISE question", immediate_action=True)  # fmt: skip
    assert asked.urgent
    assert asked.reply_due_at == asked.sent_at + timedelta(hours=1)
    view = world.case(world.stranger, ref)
    assert not view.full
    assert [m.type for m in view.messages] == ["information-request"]
    assert view.asked_only
    row = next(one for one in world.inbox(world.stranger) if one.need == "answer")
    assert row.due_at == asked.reply_due_at
    world.send(world.stranger, ref, "information-response", outcome="none-held")
    assert world.case(world.met, ref).matters.questions == []
    with pytest.raises(HubError):
        world.send(world.stranger, ref, "information-response", outcome="none-held")


def test_a_social_worker_may_ask_and_be_asked(world: World) -> None:
    ref = world.open(world.met, to=[ISLINGTON]).case_reference
    world.send(world.met, ref, "information-request", to=[ISLINGTON], questions="EXERCISE")
    world.send(world.social_worker, ref, "information-response", outcome="part",
               answers="EXERCISE", reason="EXERCISE")  # fmt: skip
    world.send(world.social_worker, ref, "information-request", to=[MET], questions="EXERCISE")
    assert [q.to for q in world.case(world.met, ref).matters.questions] == [world.met.unit_id]


def test_the_named_officer_hands_over_and_the_lead_stays(world: World) -> None:
    ref = world.open(world.met).case_reference
    assert _escalate(world, 8 * 60 + 1) >= 1
    kinds = {step.kind for step in world.case(world.met, ref).matters.steps}
    assert "shift-end" in kinds, "a lead whose officer has gone off shift without one alarms"
    with pytest.raises(HubError):
        world.send(world.kent, ref, "officer-handover", to_officer="EXERCISE PS")
    world.send(world.met, ref, "officer-handover", to_officer="EXERCISE PS")
    lead = world.case(world.met, ref).lead
    assert lead is not None
    assert lead.officer.name == "EXERCISE PS"
    assert lead.unit.code == MET
    assert all(not s.running for s in world.case(world.met, ref).matters.steps
               if s.kind == "shift-end")  # fmt: skip
