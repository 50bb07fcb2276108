"""Who may say what for whom: a force for its unit that leads, police for a unit that is away."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.db import Database
from hub.identity.actor import Actor
from hub.organisations import find_unit
from hub.records.vault import Vault
from messaging import alarms, board, guests, open_questions, standing, views
from messaging.guest_secrets import Guest
from messaging.model import Message
from messaging.state import load
from tests.worlds import ACCEPT, ISLINGTON, KENT, MET, RECENTLY, REPORT, World, refused

AWAY, CAMDEN = "devon-and-cornwall", "E09000007/childrens-social-care"
OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}
SEEN = {"located_at": RECENTLY, "seen_by": "EXERCISE", "place": "EXERCISE", "how": "police"}
CHILD = {"family_name": "EXERCISE", "given_name": "EXERCISE", "date_of_birth": "2012-03-27"}
NOT_DONE = {"interview": "prevention", "how": "not-done", "reason": "EXERCISE"}


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def offered(world: World, actor: Actor, ref: str) -> list[tuple[str, str | None]]:
    with world.database.unit_of_work() as session:
        case = load(session, actor, ref, world.now, lock=False)
        return [(one.type, one.interview) for one in views.actions(session, case, actor)]


def unit(session: Session, code: str) -> UUID:
    found = find_unit(session, code)
    assert found is not None
    return found.id


def test_police_record_the_interview_of_a_council_that_is_away_and_close_the_case(
    world: World,
) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "located", **SEEN)
    world.send(world.met, ref, "authority-named", to=[CAMDEN], why="EXERCISE")
    world.send(world.met, ref, "interview-record", **NOT_DONE)
    assert ("interview-record", "rhi") in offered(world, world.met, ref)
    rhi = {"interview": "rhi", "offered": "no", "reason": "EXERCISE"}
    world.send(world.met, ref, "interview-record", **rhi)
    world.send(world.met, ref, "closure", outcome="EXERCISE", authorised_by="EXERCISE")


def test_police_are_not_offered_the_interview_of_a_council_that_is_there(world: World) -> None:
    ref = world.open(world.met, to=[ISLINGTON]).case_reference
    world.send(world.met, ref, "located", **SEEN)
    assert ("interview-record", "rhi") not in offered(world, world.met, ref)


def test_a_forces_inspector_says_for_the_unit_that_leads_that_the_child_is_located(
    world: World, someone: Callable[..., Actor]
) -> None:
    inspector = someone("metropolitan", "supervisor")
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "update", to=["metropolitan"], heading="other", text="EXERCISE")
    world.send(inspector, ref, "located", **SEEN)
    view = world.case(world.met, ref)
    assert (view.lead, view.messages[-1].sender_unit.code) == (None, MET)


def test_a_forces_supervisor_reviews_for_the_unit_that_leads(
    world: World, someone: Callable[..., Actor]
) -> None:
    force = someone("kent", "supervisor")
    ref = world.open(force).case_reference
    world.send(force, ref, "lead-transfer-request", to=[KENT], **OFFER)
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    world.send(force, ref, "update", heading="review", text="EXERCISE")
    assert world.case(world.kent, ref).messages[-1].sender_unit.code == KENT


def test_who_led_before_hears_of_the_interview_that_a_lead_off_the_hub_owes(world: World) -> None:
    ref = world.open(world.kent).case_reference
    world.send(world.kent, ref, "lead-transfer-request", to=[AWAY], **OFFER)
    with world.database.unit_of_work() as session:
        guest = guests.stand_in(session, unit(session, AWAY), Guest("EXERCISE", "1", ""), uuid4())
    world.send(guest, ref, "lead-transfer-accept", **ACCEPT)
    world.send(guest, ref, "located", **SEEN)
    world.now += timedelta(hours=25)
    with world.database.unit_of_work() as session:
        alarms.escalate(session, world.now)
        clock = session.scalar(text("SELECT id FROM clock WHERE kind = 'prevention-interview'"))
        told = alarms.concerned(session, clock, world.now)
    assert told is not None
    assert world.kent.unit_id in told.units


def test_who_led_before_hears_that_nobody_answers_the_offer_of_a_lead_off_the_hub(
    world: World,
) -> None:
    ref = world.open(world.kent).case_reference
    world.send(world.kent, ref, "lead-transfer-request", to=[AWAY], **OFFER)
    with world.database.unit_of_work() as session:
        guest = guests.stand_in(session, unit(session, AWAY), Guest("EXERCISE", "1", ""), uuid4())
    world.send(guest, ref, "lead-transfer-accept", **ACCEPT)
    world.send(guest, ref, "lead-transfer-request", to=[MET], **OFFER)
    world.now += timedelta(hours=2)
    with world.database.unit_of_work() as session:
        alarms.escalate(session, world.now)
        clock = session.scalar(text("SELECT id FROM clock WHERE kind = 'lead-routine'"
                                    " AND met_at IS NULL AND ended_at IS NULL"))  # fmt: skip
        told = alarms.concerned(session, clock, world.now)
    assert told is not None
    assert set(told.units) >= {world.met.unit_id, world.kent.unit_id}


def test_what_is_owed_of_a_live_line_is_for_police(world: World) -> None:
    ref = world.open(world.met, to=[ISLINGTON]).case_reference
    until = (world.now + timedelta(hours=3)).isoformat()
    world.send(world.met, ref, "update", heading="other", text="EXERCISE", live_line="EXERCISE",
               live_until=until)  # fmt: skip
    with world.database.unit_of_work() as session:
        case = world.case(world.met, ref).id
        for police in (True, False):
            owed = standing.owed(session, case, [], full=True, police=police)
            assert ("live-line" in [one.kind for one in owed]) == police


def test_whoever_sees_a_part_is_told_of_what_they_sent_and_nobody_opened(world: World) -> None:
    ref = world.open(world.social_worker, to=[MET]).case_reference
    world.send(world.met, ref, "missing-episode-report", to=[KENT], **REPORT)
    world.send(world.kent, ref, "information-request", to=["essex"], questions="EXERCISE")
    answer = world.send(world.stranger, ref, "information-response", outcome="none-held")
    world.now += timedelta(hours=9)
    with world.database.unit_of_work() as session:
        alarms.escalate(session, world.now)
    steps = world.case(world.stranger, ref).matters.steps
    assert {one.message_id for one in steps} == {answer.message_id}


def test_the_board_says_which_cases_are_contested_and_differs_once_they_are(world: World) -> None:
    world.open(world.met, child=CHILD)

    def said() -> tuple[list[bool], str]:
        with world.database.unit_of_work() as session:
            rows = board.board(session, world.met)
            return [row.contested for row in rows], board.mark(session, world.met)

    (before, mark), _ = said(), world.open(world.kent, child=CHILD)
    assert (before, said()[0]) == ([False], [True])
    assert said()[1] != mark


def test_duty_inspectors_are_told_of_a_refusal_though_nobody_is_on_the_hub(
    world: World, someone: Callable[..., Actor]
) -> None:
    carer = someone("missing-people/helpline", "practitioner")
    ref = world.open(carer, to=[AWAY]).case_reference
    call = {"called_at": RECENTLY, "with_name": "EXERCISE", "outcome": "refused",
            "reason": "EXERCISE"}  # fmt: skip
    sent = world.send(carer, ref, "telephone-record", **call)
    with world.database.unit_of_work() as session:
        jobs = session.execute(
            text("SELECT 1 FROM outbox_job WHERE kind = 'nudge' AND subject_id = :id"),
            {"id": sent.message_id},
        ).all()
    assert jobs


def test_a_council_that_was_asked_one_thing_is_not_sent_what_the_responsible_one_is(
    world: World,
) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "information-request", to=[CAMDEN], questions="EXERCISE")
    world.send(world.met, ref, "located", **SEEN)
    record = world.send(world.met, ref, "interview-record", **NOT_DONE)
    with world.database.unit_of_work() as session:
        assert unit(session, CAMDEN) not in record.reach


def test_nobody_is_asked_to_decide_on_a_report_that_another_force_has_recorded(
    world: World, someone: Callable[..., Actor]
) -> None:
    ref = world.open(world.social_worker, to=[MET], child=CHILD).case_reference
    world.send(world.met, ref, "report-not-accepted", reason="other", explanation="EXERCISE")
    world.send(world.social_worker, ref, "supervisor-request", why="EXERCISE")
    world.open(world.kent, child=CHILD)
    [match] = offered_matches(world, world.met, ref)
    world.send(world.met, ref, "admit-recording", reason="EXERCISE", match=match)
    with world.database.unit_of_work() as session:
        running = session.scalars(
            text("""SELECT kind FROM clock
            WHERE kind = 'supervisor-decision' AND met_at IS NULL AND ended_at IS NULL""")
        ).all()
    assert running == []


def offered_matches(world: World, actor: Actor, ref: str) -> list[str]:
    with world.database.unit_of_work() as session:
        case = load(session, actor, ref, world.now, lock=False)
        found = views.actions(session, case, actor)
        return [str(one.match) for one in found if one.type == "admit-recording"]


def test_a_high_risk_that_comes_by_a_join_makes_the_open_offer_urgent(world: World) -> None:
    ref = world.open(world.met, child=CHILD, risk="low").case_reference
    other = world.open(world.stranger, child=CHILD, risk="high").case_reference
    world.send(world.stranger, other, "lead-transfer-request", to=[MET], **OFFER)
    world.send(world.met, other, "lead-transfer-accept", **ACCEPT)
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], **OFFER)
    [match] = offered_matches(world, world.met, ref)
    world.send(world.met, ref, "admit-recording", reason="EXERCISE", match=match)
    view = world.case(world.met, ref)
    assert view.request is not None
    assert (view.risk, view.request.priority) == ("high", "urgent")
    assert view.request.due_at is not None
    assert view.request.due_at <= world.now + timedelta(minutes=10)


def test_only_the_unit_that_has_a_report_refuses_it(world: World) -> None:
    ref = world.open(world.social_worker, to=[MET]).case_reference
    no = {"reason": "not-met-definition", "explanation": "EXERCISE"}
    refused(
        "not-permitted", lambda: world.send(world.social_worker, ref, "report-not-accepted", **no)
    )
    elsewhere = {"reason": "wrong-force", "explanation": "EXERCISE", "readdress_to": KENT}
    world.send(world.met, ref, "report-not-accepted", **elsewhere)
    refused("report-elsewhere", lambda: world.send(world.met, ref, "report-not-accepted", **no))
    report = world.case(world.kent, ref).report
    assert report is not None
    assert (report.state, report.addressed.code) == ("awaiting-police", KENT)


def test_a_role_that_answers_no_offer_answers_none_of_its_own_unit(world: World) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT],
               rationale="majority-of-enquiries", circumstances="EXERCISE")  # fmt: skip
    clerk = world.someone(KENT, "practitioner")
    for kind, words in (
        ("lead-transfer-accept", ACCEPT),
        ("lead-transfer-decline", {"reason": "wrong-area"}),
    ):
        refused(
            "not-permitted", lambda kind=kind, words=words: world.send(clerk, ref, kind, **words)
        )
    assert world.lead(ref) == MET


def leads_away(world: World) -> tuple[str, Actor]:
    """Return a case that a unit without accounts leads, by somebody of it."""
    ref = world.open(world.kent).case_reference
    world.send(world.kent, ref, "lead-transfer-request", to=[AWAY], **OFFER)
    with world.database.unit_of_work() as session:
        guest = guests.stand_in(session, unit(session, AWAY), Guest("EXERCISE", "1", ""), uuid4())
    return ref, guest


def test_a_lead_without_accounts_reviews_by_who_opened_its_link(world: World) -> None:
    ref, guest = leads_away(world)
    world.send(guest, ref, "lead-transfer-accept", **ACCEPT)
    world.send(guest, ref, "update", heading="review", text="EXERCISE")
    with world.database.unit_of_work() as session:
        met = session.scalars(text("SELECT met_at FROM clock WHERE kind LIKE 'review-%'")).all()
    assert any(met)


def test_a_claim_is_put_to_whoever_leads_by_now(world: World) -> None:
    ref, guest = leads_away(world)
    world.send(world.kent, ref, "information-request", to=["essex"], questions="EXERCISE")
    claim = world.send(world.stranger, ref, "located", **SEEN)
    world.send(guest, ref, "lead-transfer-accept", **ACCEPT)
    with world.database.unit_of_work() as session:
        message = session.get_one(Message, claim.message_id)
        assert open_questions.is_open(session, message, unit(session, AWAY))
    world.send(guest, ref, "located-refuse", in_reply_to=claim.message_id, reason="EXERCISE")


def test_whoever_said_that_they_saw_the_child_hears_what_the_lead_says(world: World) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "information-request", to=["essex"], questions="EXERCISE")
    world.send(world.stranger, ref, "located", **SEEN)
    found = world.send(world.met, ref, "located", **SEEN)
    assert found.message_id in [m.id for m in world.case(world.stranger, ref).messages]


def test_a_refusal_by_telephone_ends_the_asking_of_a_supervisor(world: World) -> None:
    ref = world.open(world.social_worker, to=[AWAY]).case_reference
    call = {
        "called_at": RECENTLY,
        "with_name": "EXERCISE",
        "outcome": "refused",
        "reason": "EXERCISE",
    }
    world.send(world.social_worker, ref, "telephone-record", **call)
    world.send(world.social_worker, ref, "supervisor-request", why="EXERCISE")
    world.send(world.social_worker, ref, "telephone-record", **call)
    world.send(world.social_worker, ref, "supervisor-request", why="EXERCISE again")


def test_what_police_did_with_a_report_is_put_down_by_who_reported(world: World) -> None:
    ref = world.open(world.social_worker, to=[MET, CAMDEN]).case_reference
    other = world.someone(CAMDEN, "practitioner")
    number = world.case(world.social_worker, ref).messages[0].id
    call = {
        "called_at": RECENTLY,
        "with_name": "EXERCISE",
        "outcome": "refused",
        "reason": "EXERCISE",
    }
    refused("reporter-says", lambda: world.send(
        other, ref, "telephone-record", in_reply_to=number, **call))  # fmt: skip


def test_a_report_by_a_carer_names_one_council(world: World) -> None:
    home = world.someone("missing-people/helpline", "practitioner")
    refused("authority-known", lambda: world.open(home, to=[MET, ISLINGTON, CAMDEN]))


def test_a_risk_is_said_of_a_child_who_is_missing(world: World) -> None:
    ref = world.open(world.social_worker, to=[MET]).case_reference
    risk = {"heading": "risk-change", "text": "EXERCISE", "new_risk": "high"}
    refused("risk-of-episode", lambda: world.send(world.met, ref, "update", **risk))


def test_nothing_of_the_last_incident_is_filled_in_for_the_next(world: World) -> None:
    ref = world.open(
        world.met, clothing="EXERCISE red coat", likely_places="EXERCISE pier"
    ).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], actions_done="EXERCISE first",
               live_lines="EXERCISE old tape", warnings="EXERCISE dog", **OFFER)  # fmt: skip
    world.send(world.met, ref, "located", **SEEN)

    def filled(kind: str) -> dict[str, object]:
        with world.database.unit_of_work() as session:
            known = views.prefill(session, world.met, world.vault, ref, kind, world.now)
        return dict(known.body)

    report = filled("missing-episode-report")
    assert "clothing" not in report
    assert "last_seen_place" not in report
    assert "risk" not in report
    assert report["likely_places"] == "EXERCISE pier"
    again = {**REPORT, "why": "EXERCISE second night"}
    world.send(world.met, ref, "missing-episode-report", **again)
    offer = filled("lead-transfer-request")
    assert offer["circumstances"] == "EXERCISE second night"
    assert "actions_done" not in offer
    assert "live_lines" not in offer
    view = world.case(world.met, ref)
    given = {one.kind: one.words for one in standing.last_given(view)}
    assert given == {"warnings": "EXERCISE dog"}
    world.send(
        world.met, ref, "officer-handover", to_officer="EXERCISE", open_actions="EXERCISE new"
    )
    assert filled("lead-transfer-request")["actions_outstanding"] == "EXERCISE new"
