"""What police do not accept: who hears it, what they can do, and who decides then (DOMAIN.md 4.2, 7)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from hub.clock import utcnow
from hub.db import Database
from hub.identity.actor import Actor
from hub.organisations import find_unit
from hub.records.keys import Keys
from hub.records.vault import Vault
from messaging import (
    alarms,
    guest_links,
    guest_secrets,
    guests,
    open_questions,
    sending,
    views,
    who_leads,
)
from messaging.contracts import Command
from messaging.guest_secrets import Guest
from messaging.pages.reading import rows
from seed import cast, demo
from tests.worlds import ISLINGTON, KENT, MET, RECENTLY, REPORT, World, refused

NO = {"reason": "not-met-definition", "explanation": "EXERCISE"}
ASK = {"why": "EXERCISE"}
NEWS = {"heading": "new-information", "text": "EXERCISE"}


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


@pytest.fixture
def inspector(someone: Callable[..., Actor]) -> Actor:
    return someone(MET, "supervisor")


def _unit(world: World, code: str) -> UUID:
    with world.database.unit_of_work() as session:
        found = find_unit(session, code)
        assert found is not None
        return found.id


def _to(sent: sending.Sent) -> set[UUID]:
    return set(sent.reach)


def test_a_refusal_reaches_reporter_authority_and_duty_inspector_however_it_was_said(
    world: World, someone: Callable[..., Actor]
) -> None:
    world.someone("metropolitan", "supervisor")
    force = _unit(world, "metropolitan")
    islington = world.social_worker.unit_id
    ref = world.open(world.social_worker, to=[MET]).case_reference
    assert {islington, force} <= _to(world.send(world.met, ref, "report-not-accepted", **NO))
    carer = someone("E09000007/childrens-social-care", "practitioner")
    other = world.open(carer, to=[MET, ISLINGTON]).case_reference
    call = world.send(
        carer, other, "telephone-record", called_at=world.now.isoformat(), outcome="refused",
        with_name="EXERCISE", reason="EXERCISE",
    )  # fmt: skip
    assert {islington, force, world.met.unit_id} <= _to(call)
    assert world.case(world.social_worker, other).state == "not-accepted"


def test_a_supervisor_is_asked_once_owes_a_decision_and_gives_it(
    world: World, inspector: Actor
) -> None:
    world.someone("metropolitan", "supervisor")
    ref = world.open(world.social_worker, to=[MET]).case_reference
    refused("report-not-refused",
            lambda: world.send(world.social_worker, ref, "supervisor-request", **ASK))  # fmt: skip
    world.send(world.met, ref, "report-not-accepted", **NO)
    refused("report-settled", lambda: world.send(world.met, ref, "report-not-accepted", **NO))
    assert "supervisor-request" in [a.type for a in world.case(world.social_worker, ref).actions]
    asked = world.send(world.social_worker, ref, "supervisor-request", **ASK)
    assert _unit(world, "metropolitan") in _to(asked)
    assert asked.reply_due_at == asked.sent_at + timedelta(minutes=30)
    refused("supervisor-asked",
            lambda: world.send(world.social_worker, ref, "supervisor-request", **ASK))  # fmt: skip
    refused("supervisor-decides", lambda: world.send(world.met, ref, "report-not-accepted", **NO))
    assert [row.type for row in world.inbox(inspector) if row.need == "answer"] == [
        "supervisor-request"
    ]
    world.now += timedelta(minutes=31)
    with world.database.unit_of_work() as session:
        alarms.escalate(session, world.now)
    steps = world.case(world.social_worker, ref).matters.steps
    assert (steps[0].kind, steps[0].rung) == (
        "supervisor-decision",
        "duty-inspector",
    )
    world.send(inspector, ref, "report-not-accepted", **NO)
    world.send(world.social_worker, ref, "supervisor-request", **ASK)
    world.send(world.met, ref, "missing-episode-report", **REPORT)
    assert world.lead(ref) == MET
    with world.database.unit_of_work() as session:
        left = session.scalar(
            text("SELECT count(*) FROM clock WHERE kind = 'supervisor-decision' AND met_at IS NULL")
        )
    assert left == 0


def test_a_supervisor_who_is_asked_may_find_that_another_force_must_take_it(
    world: World, inspector: Actor
) -> None:
    ref = world.open(world.social_worker, to=[MET]).case_reference
    world.send(world.met, ref, "report-not-accepted", **NO)
    world.send(world.social_worker, ref, "supervisor-request", **ASK)
    world.send(
        inspector, ref, "report-not-accepted", reason="wrong-force", explanation="EXERCISE",
        readdress_to=KENT,
    )  # fmt: skip
    view = world.case(world.social_worker, ref)
    assert view.state == "awaiting-police"
    assert view.report is not None
    assert view.report.addressed.code == KENT
    may = [one.body["may_do"] for one in view.messages if one.type == "report-not-accepted"]
    assert may == [["add-information", "ask-a-supervisor", "ring"], ["add-information", "ring"]]
    assert rows("report-not-accepted", {"may_do": may[1]})[0]["value"] == (
        "Add information: police look again\nRing the unit that has the report"
    )
    refused("computed", lambda: world.send(inspector, ref, "report-not-accepted", **NO,
                                           may_do=["ring"]))  # fmt: skip


def test_new_information_of_reporter_or_authority_has_a_refused_report_looked_at_again(
    world: World, someone: Callable[..., Actor]
) -> None:
    carer = someone("E09000007/childrens-social-care", "practitioner")
    ref = world.open(carer, to=[MET, ISLINGTON]).case_reference
    for who in (carer, world.social_worker):
        world.send(world.met, ref, "report-not-accepted", **NO)
        assert world.case(who, ref).state == "not-accepted"
        sent = world.send(who, ref, "update", **NEWS)
        assert world.met.unit_id in _to(sent)
        assert world.case(who, ref).state == "awaiting-police"


def test_the_reporter_is_shown_each_step_while_nobody_answers(world: World) -> None:
    ref = world.open(world.social_worker, to=[MET]).case_reference
    world.send(world.met, ref, "information-request", to=["essex"], questions="EXERCISE")
    world.now += timedelta(minutes=11)
    for _ in range(3):
        with world.database.unit_of_work() as session:
            alarms.escalate(session, world.now)
        world.now += timedelta(minutes=11)
    steps = world.case(world.social_worker, ref).matters.steps
    assert {step.kind for step in steps} == {"report-outcome"}
    assert [step.rung for step in reversed(steps)] == [
        "duty-inspector", "control-room", "coordinator",
    ]  # fmt: skip
    assert world.case(world.stranger, ref).matters.steps == []


def _said(world: World, actor: Actor, ref: str) -> dict[str, Any]:
    return world.case(actor, ref).messages[-1].body


def test_a_level_of_risk_says_by_which_list_by_whom_and_when_it_is_reviewed(
    world: World,
) -> None:
    ref = world.open(world.met, to=[ISLINGTON, KENT], risk="medium").case_reference
    said = _said(world, world.met, ref)
    assert said["risk_list_version"] == "1"
    assert world.met.name in said["risk_assessor"]
    assert said["review_at"]
    change = {"heading": "risk-change", "text": "EXERCISE", "new_risk": "high"}
    refused("list-version", lambda: world.send(
        world.met, ref, "update", risk_list_version="0", **change))  # fmt: skip
    soon = (world.now + timedelta(hours=1)).isoformat()
    refused("review-at", lambda: world.send(
        world.met, ref, "update", heading="other", text="EXERCISE", review_at=soon))  # fmt: skip
    sent = world.send(
        world.met, ref, "update", to=[ISLINGTON], risk_assessor="EXERCISE Sergeant",
        review_at=soon, **change,
    )  # fmt: skip
    assert _to(sent) == {world.social_worker.unit_id, world.kent.unit_id}
    said = _said(world, world.kent, ref)
    assert (said["risk_list_version"], said["risk_assessor"]) == ("1", "EXERCISE Sergeant")
    with world.database.unit_of_work() as session:
        due = session.scalar(
            text("SELECT due_at FROM clock WHERE kind = 'review-high' AND ended_at IS NULL")
        )
    assert due.isoformat()[:16] == soon[:16]


def test_a_report_again_is_filled_in_without_the_last_ones_review(world: World) -> None:
    ref = world.open(world.met).case_reference
    with world.database.unit_of_work() as session:
        known = views.prefill(
            session, world.met, world.vault, ref, "missing-episode-report", world.now
        )
    assert known.body["risk"] == "medium"
    assert not {"review_at", "risk_assessor", "risk_list_version"} & known.body.keys()


def test_being_wanted_is_for_police_to_read(world: World) -> None:
    ref = world.open(world.met, to=[ISLINGTON], also_wanted=True).case_reference
    assert _said(world, world.met, ref)["also_wanted"] is True
    assert "also_wanted" not in _said(world, world.social_worker, ref)


def test_a_force_that_is_away_records_a_social_workers_report_by_a_guest_link(
    database: Database, keys: Keys, vault: Vault
) -> None:
    now = utcnow()

    def send(actor: Actor, kind: str, **more: Any) -> sending.Sent:
        command = Command.model_validate({"type": kind, **more})
        with database.unit_of_work() as session:
            if kind == "missing-episode-report" and "in_reply_to" not in more:
                return sending.open_case(session, actor, vault, command, now)
            return sending.send(session, actor, vault, sent.case_reference, command, now)

    with database.unit_of_work() as session:
        demo.load(session, keys, now)
        worker = demo.actor_of(session, cast.SOCIAL_WORKER)
    sent = send(worker, "missing-episode-report", to=["devon-and-cornwall"], body=REPORT,
                status="exercise")  # fmt: skip
    with database.unit_of_work() as session:
        asked = open_questions.asked(session, worker, sent.case_reference, sent.number)
        link = guest_links.issue(session, worker, keys, asked.message_id, asked.unit_id, now)
        opened = guests.give_code(
            session, keys, guest_secrets.token(keys, link.id), link.code,
            Guest("EXERCISE Inspector", "4471", "Inspector"), now,
        )  # fmt: skip
    assert isinstance(opened, guests.Opened)
    send(opened.actor, "missing-episode-report", in_reply_to=str(opened.message_id), body=REPORT)
    with database.unit_of_work() as session:
        lead = who_leads.lead_view(session, worker, sent.case_reference, now)
    assert lead["lead"]["code"] == "devon-and-cornwall"
    assert lead["named_officer"]["name"] == "EXERCISE Inspector"


AWAY = "devon-and-cornwall"
RANG = {"called_at": RECENTLY, "with_name": "EXERCISE"}


def outcome_due(world: World) -> list[Any]:
    with world.database.unit_of_work() as session:
        return list(
            session.scalars(
                text("""SELECT due_at FROM clock WHERE kind = 'report-outcome'
                    AND met_at IS NULL AND ended_at IS NULL""")
            )
        )


def test_the_reporter_rings_the_unit_that_the_report_was_passed_to_and_its_clock_starts(
    world: World,
) -> None:
    ref = world.open(world.social_worker, to=[MET]).case_reference
    world.send(world.met, ref, "report-not-accepted", reason="wrong-force", explanation="EXERCISE",
               readdress_to=AWAY)  # fmt: skip
    assert outcome_due(world) == [None]
    world.send(world.social_worker, ref, "telephone-record", outcome="told-to-wait",
               reason="EXERCISE", unit=AWAY, **RANG)  # fmt: skip
    assert outcome_due(world) == [world.now + timedelta(minutes=10)]
    world.send(world.social_worker, ref, "telephone-record", outcome="refused", reason="EXERCISE",
               unit=AWAY, **RANG)  # fmt: skip
    report = world.case(world.social_worker, ref).report
    assert report is not None
    assert (report.state, report.addressed.code) == ("not-accepted", AWAY)


def test_a_report_that_comes_back_to_the_unit_that_passed_it_on_is_told_of_again(
    world: World,
) -> None:
    ref = world.open(world.social_worker, to=[MET]).case_reference
    for actor, to in ((world.met, "kent/east"), (world.kent, MET)):
        world.send(actor, ref, "report-not-accepted", reason="wrong-force", explanation="EXERCISE",
                   readdress_to=to)  # fmt: skip
    assert len(outcome_due(world)) == 1
    world.send(world.met, ref, "missing-episode-report", **REPORT)
    assert world.lead(ref) == MET


def test_a_call_about_a_report_that_is_looked_at_again_starts_the_clock_of_who_is_away(
    world: World,
) -> None:
    ref = world.open(world.social_worker, to=[AWAY]).case_reference
    world.send(world.social_worker, ref, "telephone-record", outcome="refused", reason="EXERCISE",
               **RANG)  # fmt: skip
    world.send(world.social_worker, ref, "update", heading="new-information", text="EXERCISE")
    assert outcome_due(world) == [None]
    world.send(world.social_worker, ref, "telephone-record", outcome="told-to-wait",
               reason="EXERCISE", unit=AWAY, **RANG)  # fmt: skip
    assert outcome_due(world) == [world.now + timedelta(minutes=10)]


def test_whoever_refuses_a_report_too_late_is_told_who_recorded_it(world: World) -> None:
    ref = world.open(world.social_worker, to=[MET]).case_reference
    world.send(world.met, ref, "missing-episode-report", **REPORT)
    error = refused(
        "report-settled",
        lambda: world.send(world.met, ref, "report-not-accepted", reason="other", explanation="X"),
    )
    assert world.met.name in error.sentence


def test_only_police_say_what_the_risk_is_before_police_record_it_too(world: World) -> None:
    ref = world.open(world.social_worker, to=[MET]).case_reference
    refused(
        "risk-by-police",
        lambda: world.send(world.social_worker, ref, "update", heading="new-information", text="X",
                           new_risk="high"),
    )  # fmt: skip


def test_a_refused_report_needs_its_reporter_until_a_supervisor_is_asked(world: World) -> None:
    ref = world.open(world.social_worker, to=[MET]).case_reference

    def mine() -> list[str]:
        return [row.type for row in world.inbox(world.social_worker) if row.need == "answer"]

    assert mine() == []
    world.send(world.met, ref, "report-not-accepted", **NO)
    world.case(world.social_worker, ref)
    assert mine() == ["missing-episode-report"]
    world.send(world.social_worker, ref, "supervisor-request", **ASK)
    assert mine() == []
