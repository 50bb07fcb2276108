"""What a joined, admitted, reopened or twice telephoned case still owes (DOMAIN.md 4.2, 4.10, 6)."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.db import Database
from hub.identity.actor import Actor
from hub.records.keys import Keys
from hub.records.vault import Vault
from messaging import case_list, guest_links, guest_secrets, guests, sending, signed_replies
from messaging.contracts import Command
from messaging.guest_secrets import Guest
from messaging.signed_replies import Upload
from tests.worlds import ACCEPT, ISLINGTON, KENT, MET, RECENTLY, World, refused

CHILD = {"family_name": "EXERCISE", "given_name": "EXERCISE", "date_of_birth": "2012-03-27"}
ASK = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE", "kind": "join-episodes"}
SEEN = {"located_at": RECENTLY, "seen_by": "EXERCISE", "place": "EXERCISE",
        "how": "police"}  # fmt: skip
CLOSE = {"outcome": "EXERCISE", "authorised_by": "EXERCISE"}
TOLD = {"heading": "ukmpu-told", "text": "EXERCISE"}
CALL = {"called_at": "2026-11-24T02:00:00Z", "with_name": "EXERCISE", "outcome": "taken",
        "with_collar": "1", "their_reference": "EXERCISE"}  # fmt: skip


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def interviews(world: World, ref: str) -> None:
    done = {"interview": "prevention", "how": "not-done", "reason": "EXERCISE"}
    world.send(world.met, ref, "interview-record", **done)
    done = {"interview": "rhi", "offered": "no", "reason": "EXERCISE"}
    world.send(world.social_worker, ref, "interview-record", **done)


@pytest.mark.parametrize("told", [True, False])
def test_a_joined_case_asks_for_the_unit_of_the_missing_once_and_can_be_closed(
    world: World, told: bool
) -> None:
    other = world.open(world.kent, child=CHILD).case_reference
    ref = world.open(world.met, to=[ISLINGTON], child=CHILD).case_reference
    world.send(world.met, ref, "lead-transfer-request", lead_after="ours", **ASK)
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    world.now += timedelta(hours=74)
    if told:
        world.send(world.met, ref, "update", **TOLD)
    world.send(world.met, ref, "located", **SEEN)
    interviews(world, ref)
    if not told:
        refused("statutory-step-open", lambda: world.send(world.met, ref, "closure", **CLOSE))
        world.send(world.met, ref, "update", **TOLD)
    world.send(world.met, ref, "closure", **CLOSE)
    assert world.case(world.kent, other).closed_at


def test_a_case_that_is_opened_again_is_matched_again(world: World) -> None:
    ref = world.open(world.met, to=[ISLINGTON], child=CHILD).case_reference
    world.send(world.met, ref, "located", **SEEN)
    interviews(world, ref)
    world.send(world.met, ref, "closure", **CLOSE)
    world.open(world.kent, child=CHILD)
    with world.database.unit_of_work() as session:
        assert [row.contested for row in case_list.cases(session, world.kent)] == [False]
    world.send(world.met, ref, "reopen", reason="EXERCISE", authorised_by="EXERCISE")
    with world.database.unit_of_work() as session:
        assert [row.contested for row in case_list.cases(session, world.kent)] == [True]


def test_a_reporter_rings_again_about_what_was_taken_by_telephone(world: World) -> None:
    ref = world.open(world.social_worker, to=[MET]).case_reference
    for _ in range(2):
        world.send(world.social_worker, ref, "telephone-record", **CALL)
    report = world.case(world.social_worker, ref).report
    assert report is not None
    assert report.state == "recorded-by-telephone"


def test_a_direction_moves_the_lead_though_the_other_child_was_found_since(
    world: World, someone: Callable[..., Actor]
) -> None:
    other = world.open(world.kent, child=CHILD).case_reference
    ref = world.open(world.met, child=CHILD).case_reference
    world.send(world.met, ref, "lead-transfer-request", lead_after="theirs", **ASK)
    world.send(world.kent, ref, "dispute", grounds="EXERCISE")
    with world.database.unit_of_work() as session:
        match = session.scalar(text("SELECT id FROM match"))
    judge = someone("npcc/missing-persons", "adjudicator")
    world.send(judge, ref, "direction", lead=KENT, reasons="EXERCISE", match=str(match))
    world.send(world.kent, other, "located", **SEEN)
    world.send(world.kent, ref, "direction-acknowledge", **ACCEPT)
    assert world.lead(ref) == KENT


def test_whoever_answers_a_question_of_a_joined_case_again_is_told_what_came_first(
    world: World,
) -> None:
    other = world.open(world.kent, child=CHILD).case_reference
    asked = world.send(world.kent, other, "information-request", to=["essex"], questions="EXERCISE")
    ref = world.open(world.met, to=[ISLINGTON], child=CHILD).case_reference
    world.send(world.met, ref, "lead-transfer-request", lead_after="ours", **ASK)
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)

    def answer() -> object:
        return world.send(world.stranger, ref, "information-response", outcome="none-held",
                          in_reply_to=asked.message_id)  # fmt: skip

    answer()
    error = refused("question-answered", answer)
    assert error.extra["winner"]["name"] == world.stranger.name


@pytest.mark.exercise
@pytest.mark.parametrize("way", ["link", "paper"])
def test_a_unit_off_the_hub_answers_the_question_of_a_joined_case(
    database: Database, keys: Keys, someone: Callable[..., Actor], way: str
) -> None:
    world = World(database, Vault(keys), someone)
    other = world.open(world.kent, child=CHILD).case_reference
    asked = world.send(world.kent, other, "information-request", to=["devon-and-cornwall"],
                       questions="EXERCISE")  # fmt: skip
    (unit,) = asked.reach
    ref = world.open(world.met, to=[ISLINGTON], child=CHILD).case_reference
    world.send(world.met, ref, "lead-transfer-request", lead_after="ours", **ASK)
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    with database.unit_of_work() as session:
        if way == "link":
            made = guest_links.issue(session, world.kent, keys, asked.message_id, unit, world.now)
            answer_by_link(session, world, keys, guest_secrets.token(keys, made.id), made.code)
        else:
            words = {"officer_name": "EXERCISE", "officer_collar_number": "1",
                     "explanation": "EXERCISE"}  # fmt: skip
            upload = Upload(asked.message_id, unit, "accept", words, BytesIO(b"%PDF-1.7 %%EOF"))
            paper = signed_replies.attach(session, world.kent, world.vault, upload, world.now)
            chief = someone(KENT, "supervisor")
            signed_replies.decide(session, chief, world.vault, paper, authorise=True, now=world.now)
    with database.unit_of_work() as session:
        answer = session.execute(text("""
            SELECT c.reference, i.state, i.answered_by_unit_id FROM information_request i
            JOIN message m ON m.id = i.answer_message_id JOIN cases c ON c.id = m.case_id
        """)).one()  # fmt: skip
    assert tuple(answer) == (ref, "provided", unit)


def answer_by_link(session: Session, world: World, keys: Keys, token: str, code: str) -> None:
    opened = guests.give_code(session, keys, token, code, Guest("EXERCISE", "1", ""), world.now)
    assert isinstance(opened, guests.Opened)
    opened = guests.return_with_pass(session, keys, token, opened.pass_, world.now)
    guests.consume(session, token, world.now)
    command = Command(type="information-response", in_reply_to=opened.message_id,
                      body={"outcome": "provided", "answers": "EXERCISE"})  # fmt: skip
    sending.send(session, opened.actor, world.vault, opened.answered_in, command, world.now)


def test_a_later_lead_sees_what_was_joined_and_does_what_goes_with_the_lead(world: World) -> None:
    other = world.open(world.kent, child=CHILD).case_reference
    until = (world.now + timedelta(hours=5)).isoformat()
    world.send(world.kent, other, "update", heading="other", text="EXERCISE", live_line="EXERCISE",
               live_until=until)  # fmt: skip
    ref = world.open(world.met, to=[ISLINGTON], child=CHILD).case_reference
    world.send(world.met, ref, "lead-transfer-request", lead_after="ours", **ASK)
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    offer = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}
    world.send(world.met, ref, "lead-transfer-request", to=["essex"], **offer)
    world.send(world.stranger, ref, "lead-transfer-accept", **ACCEPT)
    assert world.case(world.stranger, other).messages[-1].body["live_line"] == "EXERCISE"
    with world.database.unit_of_work() as session:
        action = session.scalar(text("SELECT id FROM action"))
    world.send(world.stranger, other, "update", heading="action", text="EXERCISE",
               action_done=str(action))  # fmt: skip
    with world.database.unit_of_work() as session:
        assert session.scalar(text("SELECT state FROM action")) == "done"
