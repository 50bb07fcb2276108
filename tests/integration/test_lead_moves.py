"""A lead passes from the Met to Kent: the services, the rules and the database together."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import receipts
from tests.worlds import ACCEPT, ISLINGTON, KENT, MET, REPORT, World, refused


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def test_the_recording_unit_leads_from_the_first_second(world: World) -> None:
    sent = world.open(world.met)
    view = world.case(world.met, sent.case_reference)
    assert view.lead is not None
    assert view.lead.unit.code == MET
    assert view.lead.since == sent.sent_at
    assert view.lead.basis == "recorded"


def test_an_offer_moves_nothing_until_it_is_accepted(world: World) -> None:
    ref = world.open(world.met).case_reference
    offer = dict(rationale="majority-of-enquiries", circumstances="EXERCISE", priority="urgent")
    first = world.send(world.met, ref, "lead-transfer-request", to=[KENT], **offer)
    assert first.reply_due_at == first.sent_at + timedelta(minutes=10)
    assert world.inbox(world.kent)[0].need == "answer"
    world.send(world.kent, ref, "lead-transfer-decline", reason="insufficient-information",
               in_reply_to=first.message_id)  # fmt: skip
    assert world.lead(ref) == MET
    second = world.send(world.met, ref, "lead-transfer-request", to=[KENT], **offer)
    late = refused(
        "request-already-answered",
        lambda: world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT,
                           in_reply_to=first.message_id),
    )  # fmt: skip
    assert late.extra["winner"]["type"] == "lead-transfer-decline"
    assert late.extra["winner"]["name"] == world.kent.name
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT, in_reply_to=second.message_id)
    assert world.lead(ref) == KENT
    for actor in (world.met, world.kent):
        assert [t.unit.code for t in world.case(actor, ref).tenures] == [MET, KENT]


def test_acknowledging_never_moves_a_lead(world: World) -> None:
    ref = world.open(world.met).case_reference
    offer = world.send(world.met, ref, "lead-transfer-request", to=[KENT],
                       rationale="majority-of-enquiries",
                       circumstances="EXERCISE")  # fmt: skip
    with world.database.unit_of_work() as session:
        receipts.acknowledge(session, world.kent, offer.message_id, world.now)
    assert world.lead(ref) == MET


def test_one_offer_at_a_time_and_withdrawing_elsewhere_is_one_act(world: World) -> None:
    ref = world.open(world.met).case_reference
    offer = dict(rationale="majority-of-enquiries", circumstances="EXERCISE")
    first = world.send(world.met, ref, "lead-transfer-request", to=[KENT], **offer)
    refused(
        "lead-request-open",
        lambda: world.send(world.met, ref, "lead-transfer-request", to=["essex"], **offer),
    )
    world.send(world.met, ref, "lead-transfer-request", to=["essex"], **offer,
               withdraws=str(first.message_id))  # fmt: skip
    refused(
        "request-already-answered",
        lambda: world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT,
                           in_reply_to=first.message_id),
    )  # fmt: skip
    assert world.lead(ref) == MET


def test_a_stranger_finds_nothing_whatever_they_try(world: World) -> None:
    ref = world.open(world.met).case_reference
    for act in (
        lambda: world.case(world.stranger, ref),
        lambda: world.send(world.stranger, ref, "update", heading="other", text="EXERCISE"),
        lambda: world.case(world.met, "EX-2222-2222"),
    ):
        error = refused("not-found", act)
        assert error.sentence == "There is nothing here."


def test_a_practitioners_report_is_not_an_episode(world: World) -> None:
    sent = world.open(world.social_worker, [MET])
    ref = sent.case_reference
    view = world.case(world.social_worker, ref)
    assert view.state == "awaiting-police"
    assert view.lead is None
    assert sent.reply_due_at == sent.sent_at + timedelta(minutes=10)
    world.send(
        world.social_worker, ref, "telephone-record", called_at=world.now.isoformat(),
        outcome="refused", with_name="EXERCISE operator", reason="EXERCISE not ours",
    )  # fmt: skip
    assert world.case(world.met, ref).state == "not-accepted"
    world.send(world.social_worker, ref, "update", heading="new-information", text="EXERCISE")
    assert world.case(world.met, ref).state == "awaiting-police"
    world.send(world.met, ref, "missing-episode-report", **REPORT)
    view = world.case(world.social_worker, ref)
    assert view.report is not None
    assert view.report.state == "recorded"
    assert world.lead(ref) == MET


def test_a_reporter_sees_their_report_its_outcome_and_who_leads(world: World) -> None:
    ref = world.open(world.social_worker, [MET]).case_reference
    world.send(world.met, ref, "missing-episode-report", **REPORT)
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], rationale="majority-of-enquiries",
               circumstances="EXERCISE")  # fmt: skip
    seen = world.case(world.social_worker, ref)
    assert seen.lead is not None
    assert seen.lead.unit.code == MET
    assert seen.request is None
    assert len(seen.tenures) == 1
    assert {message.type for message in seen.messages} == {"missing-episode-report"}
    assert world.send(world.social_worker, ref, "update", heading="other", text="EXERCISE")


def test_police_only_fields_stay_with_police(world: World) -> None:
    ref = world.open(world.met, [ISLINGTON]).case_reference
    assert "associates" in world.case(world.met, ref).messages[0].body
    seen = world.case(world.social_worker, ref).messages[0]
    assert "associates" not in seen.body
    assert seen.withheld
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], rationale="majority-of-enquiries",
               circumstances="EXERCISE")  # fmt: skip
    assert [m.type for m in world.case(world.social_worker, ref).messages] == [
        "missing-episode-report"
    ]


def test_located_is_what_someone_saw_and_the_lead_confirms(world: World) -> None:
    ref = world.open(world.met).case_reference
    offer = world.send(world.met, ref, "lead-transfer-request", to=[KENT], rationale="majority-of-enquiries",
                       circumstances="EXERCISE")  # fmt: skip
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT, in_reply_to=offer.message_id)
    seen = dict(
        located_at=world.now.isoformat(), seen_by="EXERCISE PC", place="EXERCISE", how="police"
    )
    claim = world.send(world.met, ref, "located", **seen)
    assert world.lead(ref) == KENT
    refused("not-lead", lambda: world.send(world.met, ref, "located-confirm",
                                           in_reply_to=claim.message_id))  # fmt: skip
    world.send(world.kent, ref, "located-refuse", in_reply_to=claim.message_id, reason="EXERCISE")
    assert world.lead(ref) == KENT
    claim = world.send(world.met, ref, "located", **seen)
    refused("episode-open", lambda: world.send(world.met, ref, "closure", outcome="EXERCISE",
                                               authorised_by="EXERCISE"))  # fmt: skip
    world.send(world.kent, ref, "located-confirm", in_reply_to=claim.message_id)
    assert world.case(world.met, ref).lead is None
    for interview in ({"interview": "prevention", "how": "not-done"},
                      {"interview": "rhi", "offered": "no"}):  # fmt: skip
        world.send(world.kent, ref, "interview-record", reason="EXERCISE", **interview)
    world.send(world.kent, ref, "closure", outcome="EXERCISE", authorised_by="EXERCISE")
    refused("case-closed", lambda: world.send(world.met, ref, "update", heading="other",
                                              text="EXERCISE"))  # fmt: skip


def test_high_risk_makes_the_offer_urgent_and_due_sooner(world: World) -> None:
    ref = world.open(world.met).case_reference
    offer = world.send(world.met, ref, "lead-transfer-request", to=[KENT], rationale="majority-of-enquiries",
                       circumstances="EXERCISE")  # fmt: skip
    assert offer.reply_due_at == offer.sent_at + timedelta(hours=1)
    update = world.send(
        world.met, ref, "update", heading="risk-change", text="EXERCISE", new_risk="high"
    )
    row = world.inbox(world.kent)[0]
    assert row.due_at == update.sent_at + timedelta(minutes=10)
    assert row.priority == "urgent"


def test_a_unit_that_is_not_on_the_hub_is_told_by_telephone(world: World) -> None:
    ref = world.open(world.met).case_reference
    offer = world.send(world.met, ref, "lead-transfer-request", to=["devon-and-cornwall"],
                       rationale="majority-of-enquiries",
                       circumstances="EXERCISE", priority="urgent")  # fmt: skip
    assert offer.reply_due_at is None
    request = world.case(world.met, ref).request
    assert request is not None
    assert not request.told
    world.send(
        world.met, ref, "telephone-record", called_at=world.now.isoformat(), outcome="handed-over",
        with_name="EXERCISE inspector", in_reply_to=offer.message_id,
    )  # fmt: skip
    request = world.case(world.met, ref).request
    assert request is not None
    assert request.told
    assert request.due_at == world.now + timedelta(minutes=10)
    facts = world.case(world.met, ref).messages[1].recipients[0].facts
    assert set(facts) == {"told-by-telephone"}
    assert world.lead(ref) == MET


def test_exercise_and_actual_never_meet(world: World, someone: Callable[..., Actor]) -> None:
    ref = world.open(world.met).case_reference
    actual = someone(MET, status="actual")
    refused("not-found", lambda: world.case(actual, ref))
    refused("status-mismatch", lambda: world.send(
        world.met, ref, "update", heading="other", text="EXERCISE", status="actual"))  # fmt: skip


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE tenure SET until = now()",
        "UPDATE episode SET ended_at = now(), end_reason = 'located'",
        "UPDATE message SET number = 99",
        "DELETE FROM message",
        "DELETE FROM receipt",
        "UPDATE cases SET status = 'actual'",
        "UPDATE cases SET closed_at = now()",
        "INSERT INTO tenure (id, episode_id, number, unit_id, officer_name, since, basis, message_id)"
        " SELECT gen_random_uuid(), episode_id, 2, unit_id, 'x', now(), 'accepted', message_id FROM tenure",
        "UPDATE tenure SET unit_id = (SELECT id FROM unit WHERE code = 'kent')",
        "DELETE FROM audit_record",
        "UPDATE audit_record SET action = 'x'",
    ],
)
def test_the_database_refuses_what_the_rules_refuse(
    world: World, harm: str, superuser_url: str
) -> None:
    world.open(world.met)
    for url in (world.database.url, superuser_url):
        other = Database(url)
        with (
            pytest.raises(Exception) as caught,
            other.unit_of_work() as session,
        ):  # any refusal of the database
            session.execute(text(harm))
        assert type(caught.value).__name__ in (
            "HubError",
            "ProgrammingError",
            "InternalError",
            "IntegrityError",
            "DBAPIError",
        )
        other.dispose()
    with world.database.unit_of_work() as session:
        count = session.scalar(text("SELECT count(*) FROM tenure WHERE until IS NULL"))
    assert count == 1


def test_times_are_what_the_hub_received(world: World) -> None:
    ref = world.open(world.met).case_reference
    world.now -= timedelta(hours=1)
    earlier = world.send(world.met, ref, "update", heading="other", text="EXERCISE")
    assert isinstance(earlier.message_id, UUID)
    assert isinstance(earlier.sent_at, datetime)
    assert earlier.sent_at >= world.case(world.met, ref).opened_at
