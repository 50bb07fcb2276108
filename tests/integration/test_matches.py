"""Two cases of one child: contested on both sides, then joined, admitted or told apart (4.10)."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.post.catcher import Catcher
from hub.records.keys import Keys
from hub.records.vault import Vault
from hub.settings import Settings
from messaging import (
    actors,
    alarms,
    aliases,
    contested,
    inbox,
    sending,
    views,
    who_leads,
)
from messaging.contracts import Command
from seed import demo
from tests.letters import letters, post
from tests.worlds import ACCEPT, ISLINGTON, KENT, MET, RECENTLY, REPORT, World, refused

ROBIN = {
    "family_name": "O’Example-Smith", "given_name": "EXERCISE Robin",
    "date_of_birth": "2012-03-27",
}  # fmt: skip
SPELT = {**ROBIN, "family_name": "SMITH O'EXAMPLE", "given_name": "exercise robin"}
ASK = {"rationale": "best-opportunity-to-locate", "circumstances": "EXERCISE",
       "kind": "join-episodes"}  # fmt: skip
SEEN = {"located_at": RECENTLY, "seen_by": "EXERCISE", "place": "EXERCISE",
        "how": "police"}  # fmt: skip


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def both(world: World, **more: Any) -> tuple[str, str]:
    """Two forces record one child, each for itself."""
    one = world.open(world.met, child=ROBIN, **more).case_reference
    return one, world.open(world.kent, child=SPELT).case_reference


def matches(world: World, actor: Actor, reference: str) -> list[contested.Contested]:
    with world.database.unit_of_work() as session:
        case_id = views.case_id(session, actor, reference, world.now)
        return contested.of_case(session, case_id, actor.unit_ids)


def rows(world: World, query: str, **values: object) -> list[Any]:
    with world.database.unit_of_work() as session:
        return list(session.execute(text(query), values))


def test_two_recordings_of_one_child_find_each_other_and_tell_only_whom_to_ring(
    world: World,
) -> None:
    one, other = both(world)
    for actor, reference, elsewhere in ((world.met, one, KENT), (world.kent, other, MET)):
        (match,) = matches(world, actor, reference)
        assert match.reference is None, "nothing of the other case is told"
        ring = rows(world, "SELECT code FROM unit WHERE id = :id", id=match.ring)
        assert ring[0].code == elsewhere
        (line,) = [row for row in world.inbox(actor) if row.type == "match"]
        assert (line.reference, line.need) == (reference, "answer")
    assert not [row for row in world.inbox(world.stranger) if row.type == "match"]
    assert refused("not-found", lambda: world.case(world.kent, one))
    jobs = rows(world, "SELECT count(*) FROM outbox_job WHERE kind = 'match'")
    assert jobs[0][0] == 1


def test_who_leads_elsewhere_accepts_and_one_episode_goes_on(world: World) -> None:
    one, other = both(world)
    world.send(world.kent, other, "update", heading="other", text="EXERCISE said in Kent",
               new_risk="high")  # fmt: skip
    asked = world.send(world.met, one, "lead-transfer-request", **ASK)
    assert matches(world, world.kent, other)[0].reference == one
    assert world.lead(one) == MET
    world.send(world.kent, one, "lead-transfer-accept", in_reply_to=asked.message_id, **ACCEPT)
    case = world.case(world.met, one)
    assert case.lead is not None
    assert (case.lead.unit.code, case.lead.basis, case.risk) == (KENT, "accepted", "high")
    assert matches(world, world.met, one) == []
    late = refused("case-joined", lambda: world.send(
        world.kent, other, "update", heading="other", text="EXERCISE"))  # fmt: skip
    assert late.extra["case_reference"] == one
    said = world.case(world.met, other)
    assert "EXERCISE said in Kent" in [m.body.get("text") for m in said.messages]
    with world.database.unit_of_work() as session:
        through = who_leads.lead_view(session, world.met, other, world.now)
        assert through["case_reference"] == one
        assert through["lead"]["code"] == KENT
        assert aliases.of_case(session, case.id) == [other]
    ended = rows(world, "SELECT end_reason, ended_at, joined_into_id FROM episode"
                 " WHERE ended_at IS NOT NULL")  # fmt: skip
    assert [(row.end_reason, row.joined_into_id is None) for row in ended] == [("joined", False)]
    assert ended[0].ended_at == case.lead.since, "no gap and no overlap"


def test_joined_into_ours_the_asking_lead_goes_on_leading(world: World) -> None:
    one, other = both(world)
    world.send(world.met, one, "lead-transfer-request", lead_after="ours", **ASK)
    world.send(world.kent, one, "lead-transfer-accept", **ACCEPT)
    assert world.lead(one) == MET
    assert world.case(world.kent, one).full, "who gave way sees all"
    refused("case-joined", lambda: world.send(world.kent, other, "located", **SEEN))


@pytest.mark.parametrize("answer", ["lead-transfer-decline", "lead-transfer-withdraw"])
def test_a_no_moves_nothing_and_leaves_it_contested(world: World, answer: str) -> None:
    one, other = both(world)
    world.send(world.met, one, "lead-transfer-request", **ASK)
    if answer.endswith("decline"):
        world.send(world.kent, one, answer, reason="wrong-area")
    else:
        world.send(world.met, one, answer, reason="EXERCISE")
    assert world.lead(one) == MET
    assert world.case(world.kent, other).lead is not None
    assert len(matches(world, world.met, one)) == len(matches(world, world.kent, other)) == 1


def test_a_request_to_join_goes_to_the_other_lead_and_is_the_one_open_request(
    world: World,
) -> None:
    one, _ = both(world)
    refused("to-match", lambda: world.send(
        world.met, one, "lead-transfer-request", to=["surrey"], **ASK))  # fmt: skip
    world.send(world.met, one, "lead-transfer-request", **ASK)
    refused("lead-request-open", lambda: world.send(
        world.met, one, "lead-transfer-request", **ASK))  # fmt: skip
    alone = world.open(world.stranger).case_reference
    refused("match-closed", lambda: world.send(
        world.stranger, alone, "lead-transfer-request", to=[KENT], **ASK))  # fmt: skip


def test_a_claim_of_located_is_answered_before_its_episode_ends(world: World) -> None:
    one, other = both(world)
    offer = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}
    world.send(world.kent, other, "lead-transfer-request", to=["surrey"], **offer)
    world.send(world.someone("surrey"), other, "located", **SEEN)
    world.send(world.met, one, "lead-transfer-request", **ASK)
    refused("claim-open", lambda: world.send(world.kent, one, "lead-transfer-accept", **ACCEPT))
    world.send(world.kent, other, "located-refuse", reason="EXERCISE")
    world.send(world.kent, one, "lead-transfer-accept", **ACCEPT)
    assert world.lead(one) == KENT
    states = rows(world, "SELECT state FROM lead_request ORDER BY opened_at")
    assert [row.state for row in states] == ["overtaken", "accepted"]


def test_a_question_is_carried_and_answered_where_the_case_goes_on(world: World) -> None:
    one, other = both(world)
    asked = world.send(
        world.kent, other, "information-request", to=["surrey"], questions="EXERCISE?"
    )
    surrey = world.someone("surrey")
    world.send(world.met, one, "lead-transfer-request", **ASK)
    world.send(world.kent, one, "lead-transfer-accept", **ACCEPT)
    assert [q.message_id for q in world.case(surrey, one).matters.questions] == [asked.message_id]
    assert [m.type for m in world.case(surrey, one).messages] == [], "it sees its question alone"
    world.send(surrey, one, "information-response", outcome="none-held")
    assert world.case(world.kent, one).matters.questions == []
    clocks = rows(world, "SELECT met_at FROM clock WHERE kind = 'enquiry'")
    assert clocks[0].met_at is not None


def test_one_side_alone_leaves_it_contested_and_both_close_it(world: World) -> None:
    one, other = both(world)
    world.send(world.met, one, "not-same-child", reason="EXERCISE: seen both")
    assert [row.need for row in world.inbox(world.met) if row.type == "match"] == ["waiting"]
    (match,) = matches(world, world.kent, other)
    assert match.denied_there
    refused("denied-already", lambda: world.send(
        world.met, one, "not-same-child", reason="EXERCISE"))  # fmt: skip
    world.send(world.kent, other, "not-same-child", reason="EXERCISE")
    assert matches(world, world.kent, other) == matches(world, world.met, one) == []
    refused("match-closed", lambda: world.send(
        world.met, one, "not-same-child", reason="EXERCISE"))  # fmt: skip
    assert world.lead(one) == MET


def test_a_home_unit_that_does_not_lead_says_nothing_of_another_child(world: World) -> None:
    one, other = both(world)
    world.send(world.met, one, "lead-transfer-request", to=["essex"],
               rationale="majority-of-enquiries", circumstances="EXERCISE")  # fmt: skip
    world.send(world.stranger, one, "lead-transfer-accept", **ACCEPT)
    with world.database.unit_of_work() as session:
        session.execute(text("UPDATE cases SET home_unit_id = :met WHERE reference = :one"),
                        {"met": world.met.unit_id, "one": one})  # fmt: skip
    refused("not-lead", lambda: world.send(world.met, one, "not-same-child", reason="EXERCISE"))
    world.send(world.stranger, one, "not-same-child", reason="EXERCISE")
    (match,) = matches(world, world.kent, other)
    assert match.denied_there


def owing(world: World) -> dict[str, str]:
    """Return the units that still owe an answer to a match, by the reference of their case."""
    found = rows(world, """SELECT c.reference, u.code FROM clock k JOIN cases c ON c.id = k.case_id
        JOIN unit u ON u.id = k.owed_by_unit_id
        WHERE k.kind = 'match' AND k.met_at IS NULL AND k.ended_at IS NULL""")  # fmt: skip
    return dict(map(tuple, found))


def climb(world: World, minutes: int = 31) -> None:
    world.now += timedelta(minutes=minutes)
    with world.database.unit_of_work() as session:
        alarms.escalate(session, world.now)


def test_both_sides_owe_an_answer_to_a_match_and_are_alarmed_until_each_has_given_its(
    world: World,
) -> None:
    one = world.open(world.met, child=ROBIN).case_reference
    assert owing(world) == {}
    sent = world.open(world.kent, child=SPELT)
    other = sent.case_reference
    assert owing(world) == {one: MET, other: KENT}
    for actor in (world.met, world.kent):
        (line,) = [row for row in world.inbox(actor) if row.type == "match"]
        assert (line.due_at, line.missed) == (sent.sent_at + timedelta(minutes=30), False)
    climb(world)
    for actor, reference in ((world.met, one), (world.kent, other)):
        (line,) = [row for row in world.inbox(actor) if row.type == "match"]
        assert (line.missed, line.alarm) == (True, True)
        steps = [
            step for step in world.case(actor, reference).matters.steps if step.kind == "match"
        ]
        assert [(step.rung, step.owed_by) for step in steps] == [("duty-inspector", actor.unit_id)]
        with world.database.unit_of_work() as session:
            late = inbox.inbox(session, actor, inbox.Wanted(overdue=True), now=world.now)
            assert "match" in [row.type for row in late]
            clock = session.scalars(
                text("SELECT k.id FROM clock k JOIN cases c ON c.id = k.case_id"
                     " WHERE k.kind = 'match' AND c.reference = :ref"), {"ref": reference},
            ).one()  # fmt: skip
            found = alarms.concerned(session, clock, world.now)
            assert found is not None
            assert (found.units, found.urgent) == ((actor.unit_id,), True)
    world.send(world.met, one, "not-same-child", reason="EXERCISE: seen both")
    assert owing(world) == {other: KENT}
    (line,) = [row for row in world.inbox(world.met) if row.type == "match"]
    assert (line.need, line.missed) == ("waiting", True), "it waits for the other side"
    world.send(world.kent, other, "not-same-child", reason="EXERCISE")
    assert owing(world) == {}


def test_who_asks_to_join_has_answered_and_who_declines_too(world: World) -> None:
    one, other = both(world)
    asked = world.send(world.met, one, "lead-transfer-request", **ASK)
    assert owing(world) == {other: KENT}
    world.send(world.met, one, "lead-transfer-withdraw", reason="EXERCISE")
    assert owing(world) == {one: MET, other: KENT}, "it has said nothing after all"
    asked = world.send(world.met, one, "lead-transfer-request", **ASK)
    world.send(world.kent, one, "lead-transfer-decline", in_reply_to=asked.message_id,
               reason="wrong-area")  # fmt: skip
    assert owing(world) == {}
    third = world.open(world.stranger, child=ROBIN).case_reference
    assert owing(world) == {one: MET, other: KENT, third: "essex"}, "a new match is a new question"
    match = str(_shared(world, one, other))
    world.send(world.met, one, "lead-transfer-request", match=match, **ASK)
    world.send(world.kent, one, "lead-transfer-accept", **ACCEPT)
    assert owing(world) == {one: KENT, third: "essex"}, "as one, they owe it the third still"


def test_what_is_closed_on_one_side_is_owed_on_neither_and_again_once_it_is_reopened(
    world: World,
) -> None:
    told = world.open(world.social_worker, to=[MET], child=ROBIN).case_reference
    there = world.open(world.kent, child=SPELT).case_reference
    assert owing(world) == {told: MET, there: KENT}
    climb(world)
    with world.database.unit_of_work() as session:
        clock = session.scalars(
            text("SELECT k.id FROM clock k JOIN cases c ON c.id = k.case_id"
                 " WHERE k.kind = 'match' AND c.reference = :ref"), {"ref": told},
        ).one()  # fmt: skip
        found = alarms.concerned(session, clock, world.now)
    assert found is not None
    assert world.social_worker.unit_id not in found.units, "its page says nothing of a match"
    closing: dict[str, Any] = {"outcome": "EXERCISE", "retention_review_on": "2036-01-01",
                               "authorised_by": "EXERCISE"}  # fmt: skip
    world.send(world.social_worker, told, "closure", **closing)
    assert owing(world) == {}
    world.send(world.social_worker, told, "reopen", reason="EXERCISE", authorised_by="EXERCISE")
    assert owing(world)[there] == KENT
    steps = [step for step in world.case(world.kent, there).matters.steps if step.kind == "match"]
    assert [step.running for step in steps] == [False], "what was overdue before is not overdue now"


def test_a_report_that_is_passed_on_takes_the_answer_with_it(world: World) -> None:
    told = world.open(world.social_worker, to=[MET], child=ROBIN).case_reference
    world.open(world.kent, child=SPELT)
    world.send(world.met, told, "report-not-accepted", reason="wrong-force",
               explanation="EXERCISE", readdress_to="essex")  # fmt: skip
    climb(world)
    assert owing(world)[told] == "essex"


def test_whoever_waits_for_police_admits_the_recording_without_a_gap(world: World) -> None:
    told = world.open(world.social_worker, to=[MET], child=ROBIN).case_reference
    there = world.open(world.kent, child=SPELT, risk="high").case_reference
    assert [row.reference for row in world.inbox(world.met) if row.type == "match"] == [told]
    refused("not-permitted", lambda: world.send(
        world.social_worker, told, "admit-recording", reason="EXERCISE"))  # fmt: skip
    sent = world.send(world.met, told, "admit-recording", reason="EXERCISE")
    case = world.case(world.kent, told)
    assert case.lead is not None
    assert (case.lead.unit.code, case.lead.since, case.risk) == (KENT, sent.sent_at, "high")
    assert case.lead.officer.name == world.kent.name
    assert case.report is not None
    assert case.report.state == "recorded"
    assert world.case(world.met, there).messages, "their conversation stays readable"
    carried = rows(world, """SELECT k.kind FROM clock k JOIN cases c ON c.id = k.case_id
        WHERE c.reference = :r AND k.met_at IS NULL AND k.ended_at IS NULL
            AND k.kind IN ('ukmpu', 'shift-end', 'review-high') ORDER BY k.kind""", r=told)  # fmt: skip
    assert [row.kind for row in carried] == ["review-high", "shift-end", "ukmpu"]
    world.send(world.kent, told, "located", **SEEN)


@pytest.mark.parametrize("home", [True, False])
def test_a_case_between_episodes_admits_a_recording_elsewhere(world: World, home: bool) -> None:
    known = world.open(world.met, child=ROBIN).case_reference
    world.send(world.met, known, "located", **SEEN)
    surrey = world.someone("surrey")
    if home:
        rows(world, "UPDATE cases SET home_unit_id = :u WHERE reference = :r RETURNING id",
             u=surrey.unit_id, r=known)  # fmt: skip
        rows(world, """INSERT INTO party (case_id, unit_id, part, sees, since)
            SELECT id, :u, 'police', 'full', opened_at FROM cases WHERE reference = :r
            RETURNING case_id""", u=surrey.unit_id, r=known)  # fmt: skip
    there = world.open(world.kent, child=SPELT).case_reference
    admits = surrey if home else world.met
    assert [row.reference for row in world.inbox(admits) if row.type == "match"] == [known]
    acts = [act.type for act in world.case(admits, known).actions]
    assert "admit-recording" in acts
    world.send(admits, known, "admit-recording", reason="EXERCISE")
    case = world.case(world.kent, known)
    assert case.lead is not None
    assert (case.lead.unit.code, case.lead.episode) == (KENT, 2)
    refused("case-joined", lambda: world.send(world.kent, there, "located", **SEEN))


def test_both_sides_are_mailed_the_reference_of_their_own_and_nothing_else(
    world: World, settings: Settings, keys: Keys, tmp_path: Path
) -> None:
    assert actors.match_mail  # the worker's jobs are registered
    with world.database.unit_of_work() as session:
        demo.load(session, keys, world.now)
    one, other = both(world)
    with Catcher(tmp_path / "mail") as catcher:
        post(world.database, settings, catcher, world.now)
        mails = [mail for mail in letters(catcher) if "look at it now" in mail["Subject"]]
    assert len({mail["To"] for mail in mails}) == 2
    for mail in mails:
        words = mail["Subject"] + mail.get_content()
        assert (one in words) != (other in words), "each side knows its own case alone"
        assert not any(word in words for word in ("Example", "Robin", "2012", "East Kent"))


def test_a_third_recording_is_matched_with_what_goes_on(world: World) -> None:
    one, other = both(world)
    third = world.open(world.stranger, child=ROBIN).case_reference
    assert len(matches(world, world.stranger, third)) == 2
    world.send(
        world.met, one, "lead-transfer-request", match=str(_shared(world, one, other)), **ASK
    )
    world.send(world.kent, one, "lead-transfer-accept", **ACCEPT)
    assert len(matches(world, world.stranger, third)) == 1
    world.send(world.kent, one, "lead-transfer-request", **ASK)
    world.send(world.stranger, one, "lead-transfer-accept", **ACCEPT)
    refused("case-joined", lambda: world.send(
        world.met, other, "update", heading="other", text="EXERCISE"))  # fmt: skip
    with world.database.unit_of_work() as session:
        assert aliases.of_case(session, world.case(world.met, one).id) == sorted([other, third])


def _shared(world: World, one: str, other: str) -> object:
    found = rows(world, """SELECT m.id FROM match m JOIN cases a ON a.id = m.one_case_id
        JOIN cases b ON b.id = m.other_case_id WHERE a.reference IN (:a, :b)
        AND b.reference IN (:a, :b)""", a=one, b=other)  # fmt: skip
    return found[0].id


def test_a_party_records_where_the_child_is_on_the_hub(world: World) -> None:
    known = world.open(world.met, child=ROBIN).case_reference
    refusal = refused("case-known", lambda: world.open(world.met, child=SPELT))
    assert refusal.extra == {"case_reference": known}
    twin = {**ROBIN, "given_name": "EXERCISE Twin"}
    assert world.open(world.met, child=twin).case_reference != known, "a twin is nobody's double"


def test_an_exercise_never_meets_an_actual_case(
    world: World, someone: Callable[..., Actor]
) -> None:
    world.open(world.met, child=ROBIN)
    actual = someone(KENT, status="actual")
    command = Command(type="missing-episode-report", status="actual", body={
        "child": ROBIN, "last_seen_at": "2026-11-24T01:00:00Z", "last_seen_place": "EXERCISE",
        "risk": "low", "why": "EXERCISE", "callback_telephone": "020 7946 0001"})  # fmt: skip
    with world.database.unit_of_work() as session:
        sending.open_case(session, actual, world.vault, command, world.now)
    assert rows(world, "SELECT id FROM match") == []


def test_erasing_a_case_removes_its_keys(world: World) -> None:
    reference = world.open(world.met, child=ROBIN).case_reference
    assert rows(world, "SELECT key FROM child_key")
    case_id = world.case(world.met, reference).id
    with world.database.unit_of_work() as session:
        world.vault.destroy_key(session, case_id, now=world.now)
    assert rows(world, "SELECT key FROM child_key") == []


def test_the_database_refuses_what_the_rules_refuse(world: World) -> None:
    one, other = both(world)
    world.send(world.met, one, "lead-transfer-request", **ASK)
    world.send(world.kent, one, "lead-transfer-accept", **ACCEPT)
    for statement, code in (
        ("UPDATE cases SET closed_at = NULL, joined_into_id = NULL WHERE reference = :alias",
         "case-joined"),
        ("UPDATE match SET state = 'not-same'", "match-closed"),
    ):  # fmt: skip
        with pytest.raises(HubError) as caught, world.database.unit_of_work() as session:
            session.execute(text(statement), {"alias": other} if "alias" in statement else {})
        assert caught.value.code == code
    again, _ = both_of_another(world)
    with pytest.raises(HubError) as caught, world.database.unit_of_work() as session:
        session.execute(
            text("UPDATE match SET state = 'not-same', closed_at = now(),"
                 " closed_by_message_id = one_message_id WHERE state = 'open'")
        )  # fmt: skip
    assert caught.value.code == "match-open"
    assert matches(world, world.met, again)


def both_of_another(world: World) -> tuple[str, str]:
    child = {**ROBIN, "date_of_birth": "2013-03-27"}
    one = world.open(world.met, child=child).case_reference
    return one, world.open(world.kent, child=child).case_reference


def test_a_direction_joins_when_it_is_acknowledged(
    world: World, someone: Callable[..., Actor]
) -> None:
    one, other = both(world)
    adjudicator = someone("npcc/missing-persons", "adjudicator")
    world.send(world.met, one, "lead-transfer-request", **ASK)
    world.send(world.kent, one, "lead-transfer-decline", reason="wrong-area")
    world.send(world.kent, one, "dispute", grounds="EXERCISE")
    match = str(_shared(world, one, other))
    world.send(adjudicator, one, "direction", lead=KENT, reasons="EXERCISE", match=match)
    assert world.lead(one) == MET
    world.send(world.kent, one, "direction-acknowledge", **ACCEPT)
    assert world.lead(one) == KENT
    refused("case-joined", lambda: world.send(world.kent, other, "located", **SEEN))


def test_a_social_worker_of_either_case_goes_on_in_the_one(world: World) -> None:
    one, other = both(world)
    world.send(world.kent, other, "information-request", to=[ISLINGTON], questions="EXERCISE?")
    world.send(world.met, one, "lead-transfer-request", **ASK)
    world.send(world.kent, one, "lead-transfer-accept", **ACCEPT)
    world.send(world.social_worker, one, "information-response", outcome="provided",
               answers="EXERCISE")  # fmt: skip


def test_what_is_open_in_the_case_that_ends_is_settled_there(world: World) -> None:
    there = world.open(world.kent, child=SPELT).case_reference
    world.send(world.kent, there, "located", **SEEN)
    world.send(world.kent, there, "missing-episode-report", **{**REPORT, "child": SPELT})
    one = world.open(world.met, child=ROBIN).case_reference
    world.send(world.met, one, "lead-transfer-request", **ASK)
    world.send(world.kent, one, "lead-transfer-accept", **ACCEPT)
    refused("case-joined", lambda: world.send(
        world.kent, there, "update", heading="other", text="EXERCISE"))  # fmt: skip
    acts = [(act.type, act.interview) for act in world.case(world.kent, there).actions]
    assert ("interview-record", "prevention") in acts
    assert {kind for kind, _ in acts} == {"interview-record"}
    world.send(world.kent, there, "interview-record", interview="prevention", how="not-done",
               reason="EXERCISE")  # fmt: skip
    query = """
        SELECT i.kind FROM interview i JOIN episode e ON e.id = i.episode_id
        JOIN cases c ON c.id = e.case_id WHERE c.reference = :r AND i.state = 'owed'
    """
    owed = rows(world, query, r=there)
    assert [row.kind for row in owed] == ["rhi"]
