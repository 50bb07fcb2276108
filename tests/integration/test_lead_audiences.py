"""Who sees what of disputes, directions and questions, and whom answers go to (DOMAIN.md 4.8)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import case_list, inbox, sending, views, who_leads
from tests.worlds import ACCEPT, ISLINGTON, KENT, MET, RECENTLY, REPORT, World, refused

OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}
NATIONAL = "npcc/missing-persons"
ASK = {"questions": "EXERCISE question"}


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


@pytest.fixture
def adjudicator(someone: Callable[..., Actor]) -> Actor:
    return someone(NATIONAL, "adjudicator")


def _disputed(world: World) -> str:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], **OFFER)
    world.send(world.kent, ref, "lead-transfer-decline", reason="wrong-area")
    world.send(world.kent, ref, "dispute", grounds="EXERCISE")
    return ref


def _lead(world: World, actor: Actor, ref: str) -> dict[str, Any]:
    with world.database.unit_of_work() as session:
        return who_leads.lead_view(session, actor, ref, world.now)


def _recipients(world: World, sent: sending.Sent) -> set[UUID]:
    return set(sent.reach)


def test_an_answer_goes_to_who_asked_and_to_the_lead_alone(world: World) -> None:
    ref = world.open(world.met, to=[ISLINGTON, KENT]).case_reference
    world.send(world.kent, ref, "information-request", to=["essex"], **ASK)
    answer = world.send(world.stranger, ref, "information-response", outcome="none-held")
    assert _recipients(world, answer) == {world.kent.unit_id, world.met.unit_id}
    assert all(row.need != "new" for row in world.inbox(world.social_worker)
               if row.message_id == answer.message_id)  # fmt: skip
    types = [m.type for m in world.case(world.social_worker, ref).messages]
    assert types[-1] == "information-response", "who sees the case finds it there"


def test_a_unit_that_was_asked_sees_the_enquiry_and_no_risk_and_no_report(world: World) -> None:
    ref = world.open(world.social_worker, to=[MET]).case_reference
    world.send(world.met, ref, "missing-episode-report", **{**REPORT, "risk": "high"})
    world.send(world.met, ref, "information-request", to=["essex"], warnings="EXERCISE", **ASK)
    view = world.case(world.stranger, ref)
    assert [m.type for m in view.messages] == ["information-request"]
    assert view.messages[0].body == {"questions": "EXERCISE question", "warnings": "EXERCISE"}
    assert (view.risk, view.report, view.child, view.matters.steps) == (None, None, {}, [])
    lead = _lead(world, world.stranger, ref)
    assert (lead["asked_only"], lead["episode"], lead["lead"]) == (True, None, None)
    assert (lead["open_request"], lead["tenures"]) == (None, [])
    with world.database.unit_of_work() as session:
        (row,) = case_list.cases(session, world.stranger)
        (reporters,) = case_list.cases(session, world.social_worker)
        (leads,) = case_list.cases(session, world.met)
    assert (row.risk, row.report_state) == (None, None)
    assert (reporters.risk, reporters.report_state) == (None, "recorded")
    assert (leads.risk, leads.report_state) == ("high", "recorded")
    for kind in ("update", "dispute", "lead-transfer-accept", "telephone-record"):
        with pytest.raises(HubError):
            world.send(world.stranger, ref, kind, **ANYTHING[kind])
    world.send(world.stranger, ref, "located", **ANYTHING["located"])
    view = world.case(world.stranger, ref)
    assert [m.type for m in view.messages] == ["information-request", "located"]
    assert (view.risk, view.report, view.child, view.matters.steps) == (None, None, {}, [])
    assert (view.matters.incidents, view.matters.owed) == ([], [])


ANYTHING: dict[str, dict[str, Any]] = {
    "update": {"heading": "other", "text": "EXERCISE"},
    "dispute": {"grounds": "EXERCISE"},
    "lead-transfer-accept": ACCEPT,
    "telephone-record": {
        "called_at": "2026-11-24T02:00:00Z", "outcome": "handed-over", "with_name": "EXERCISE",
    },
    "located": {
        "located_at": RECENTLY, "seen_by": "EXERCISE", "place": "EXERCISE",
        "how": "police",
    },
}  # fmt: skip


def test_a_unit_that_was_asked_one_question_and_is_offered_the_lead_sees_the_case(
    world: World,
) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "information-request", to=["essex"], questions="EXERCISE")
    assert not world.case(world.stranger, ref).full
    offer = world.send(world.met, ref, "lead-transfer-request", to=["essex"], rationale="other",
                       rationale_text="EXERCISE", circumstances="EXERCISE")  # fmt: skip
    assert world.case(world.stranger, ref).full
    world.send(world.stranger, ref, "lead-transfer-accept", in_reply_to=offer.message_id, **ACCEPT)
    world.send(world.stranger, ref, "update", heading="other", text="EXERCISE")


def test_whoever_answers_a_question_late_is_told_what_came_first(world: World) -> None:
    ref = world.open(world.met).case_reference
    asked = world.send(world.met, ref, "information-request", to=["essex"], **ASK)
    answer = {"in_reply_to": asked.message_id, "outcome": "none-held"}
    world.send(world.stranger, ref, "information-response", **answer)
    late = refused("question-answered",
                   lambda: world.send(world.stranger, ref, "information-response", **answer))  # fmt: skip
    assert late.extra["winner"]["type"] == "information-response"
    assert late.extra["winner"]["name"] == world.stranger.name


def test_whoever_comes_late_to_a_dispute_or_direction_is_told_what_came_first(
    world: World, adjudicator: Actor
) -> None:
    ref = _disputed(world)
    dispute = world.case(world.kent, ref).matters.dispute
    assert dispute is not None
    directed = world.send(adjudicator, ref, "direction", lead=KENT, reasons="EXERCISE")
    late = refused("dispute-ended", lambda: world.send(
        world.kent, ref, "dispute-withdraw", in_reply_to=dispute.message_id, reason="EXERCISE"))  # fmt: skip
    assert late.extra["winner"]["type"] == "direction"
    world.send(world.kent, ref, "direction-acknowledge", **ACCEPT)
    late = refused("direction-ended", lambda: world.send(
        world.kent, ref, "direction-acknowledge", in_reply_to=directed.message_id, **ACCEPT))  # fmt: skip
    assert late.extra["winner"]["type"] == "direction-acknowledge"
    assert late.extra["winner"]["name"] == world.kent.name


def test_a_supervisor_of_the_force_answers_for_whichever_of_its_units_was_asked(
    world: World, someone: Callable[..., Actor]
) -> None:
    ref = world.open(world.met).case_reference
    asked = [
        world.send(world.met, ref, "information-request", to=[code], **ASK)
        for code in (KENT, "kent/north")
    ]
    force = someone("kent", "supervisor")
    for one in reversed(asked):
        world.send(force, ref, "information-response", in_reply_to=one.message_id,
                   outcome="none-held")  # fmt: skip
    assert world.case(world.met, ref).matters.questions == []
    senders = {m.sender_unit.code for m in world.case(world.met, ref).messages[-2:]}
    assert senders == {KENT, "kent/north"}


def test_the_adjudicators_own_unit_having_been_written_to_bars_nobody(
    world: World, adjudicator: Actor
) -> None:
    ref = _disputed(world)
    world.send(world.met, ref, "update", to=[NATIONAL], heading="other", text="EXERCISE")
    view = world.case(adjudicator, ref)
    assert view.matters.dispute is not None
    assert not view.matters.unjudged, "they can see that they are there"
    assert [row.type for row in world.inbox(adjudicator) if row.need == "answer"] == ["dispute"]
    world.send(adjudicator, ref, "direction", lead=MET, reasons="EXERCISE")
    refused("not-found", lambda: world.case(adjudicator, ref))


def test_an_adjudicator_of_a_party_and_a_colleague_who_is_none_find_nothing(
    world: World, someone: Callable[..., Actor], adjudicator: Actor
) -> None:
    ref = _disputed(world)
    for actor in (
        someone("metropolitan", "adjudicator"), someone("kent", "adjudicator"),
        someone(NATIONAL, "officer"), someone(NATIONAL, "administrator"),
        someone(NATIONAL, "adjudicator", "actual"),
    ):  # fmt: skip
        if actor.organisation_code in ("metropolitan", "kent"):
            # They are of a party's force: as staff they would see it, as adjudicators never.
            with world.database.unit_of_work() as session:
                rows = inbox.inbox(session, actor)
            assert not [row for row in rows if row.need == "answer"]
        refused("not-found", lambda actor=actor: world.case(actor, ref))  # type: ignore[misc]
        refused("not-found", lambda actor=actor: _lead(world, actor, ref))  # type: ignore[misc]
        with pytest.raises(HubError):
            world.send(actor, ref, "direction", lead=MET, reasons="EXERCISE")
    assert _lead(world, adjudicator, ref)["episode"] == {"number": 1, "risk": "medium"}


def test_what_an_adjudicator_is_offered_is_to_decide_and_no_more(
    world: World, adjudicator: Actor
) -> None:
    ref = _disputed(world)
    offered = world.case(adjudicator, ref).actions
    assert [(act.type, act.to) for act in offered] == [
        ("direction", world.met.unit_id), ("direction", world.kent.unit_id)
    ]  # fmt: skip
    with world.database.unit_of_work() as session:
        known = views.prefill(session, adjudicator, world.vault, ref, "direction-acknowledge",
                              world.now)  # fmt: skip
    assert known.body == {}, "nobody names themselves an officer of another unit"
    for kind, body in ANYTHING.items():
        if kind != "telephone-record":
            with pytest.raises(HubError):
                world.send(adjudicator, ref, kind, **body)


@pytest.mark.parametrize(("offered", "due"), [("urgent", 1), ("routine", 24)])
def test_a_dispute_is_as_urgent_as_the_offer_that_it_is_about(
    world: World, offered: str, due: int
) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], priority=offered, **OFFER)
    world.send(world.kent, ref, "lead-transfer-decline", reason="wrong-area")
    sent = world.send(world.met, ref, "dispute", grounds="EXERCISE")
    assert sent.reply_due_at == sent.sent_at + timedelta(hours=due)


def test_the_lead_disputes_with_whichever_unit_it_asked(world: World) -> None:
    ref = world.open(world.met).case_reference
    for code, who in ((KENT, world.kent), ("essex", world.stranger)):
        world.send(world.met, ref, "lead-transfer-request", to=[code], **OFFER)
        world.send(who, ref, "lead-transfer-decline", reason="wrong-area")
    offered = {a.to for a in world.case(world.met, ref).actions if a.type == "dispute"}
    assert offered == {world.kent.unit_id, world.stranger.unit_id}
    refused("to-one", lambda: world.send(world.met, ref, "dispute", grounds="EXERCISE"))
    world.send(world.met, ref, "dispute", to=["essex"], grounds="EXERCISE")
    dispute = world.case(world.met, ref).matters.dispute
    assert dispute is not None
    assert (dispute.by, dispute.other) == (world.met.unit_id, world.stranger.unit_id)


def test_an_enquiry_to_a_unit_away_counts_from_the_call_and_is_due_when_needed(
    world: World,
) -> None:
    ref = world.open(world.met).case_reference
    needed = world.now + timedelta(hours=3)
    asked = world.send(world.met, ref, "information-request", to=["surrey", "sussex"],
                       immediate_action=True, needed_by=needed.isoformat(), **ASK)  # fmt: skip
    due = lambda: {r.to_unit: r.due_at for r in world.inbox(world.met) if r.need == "waiting"}  # noqa: E731
    assert set(due().values()) == {None}
    call = {"called_at": world.now.isoformat(), "outcome": "handed-over", "with_name": "EXERCISE"}
    world.send(world.met, ref, "telephone-record", in_reply_to=asked.message_id, unit="surrey",
               **call)  # fmt: skip
    assert set(due().values()) == {None, needed}
    world.now += timedelta(hours=4)
    world.send(world.met, ref, "telephone-record", in_reply_to=asked.message_id, unit="sussex",
               **call)  # fmt: skip
    assert set(due().values()) == {world.now + timedelta(hours=1), needed}
