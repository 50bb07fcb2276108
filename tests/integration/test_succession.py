"""A unit is superseded while it leads: the lead is its successor's, same officer (DOMAIN.md 4.1d)."""

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import select, text

from directory import reorganisations
from directory.actors import reorganised
from directory.reorganising import ReorganisationIn
from hub.clock import LONDON, utcnow
from hub.db import Database
from hub.identity import people
from hub.identity.actor import Actor
from hub.identity.model import Membership
from hub.identity.reach import reach
from hub.organisations import Organisation, Unit, find_unit, units_below
from hub.records.vault import Vault
from messaging import receipts
from messaging.model import (
    Case,
    Clock,
    Direction,
    Dispute,
    InformationRequest,
    LeadRequest,
    Party,
    Tenure,
)
from messaging.succession import take_over
from tests.conftest import Someone
from tests.integration.test_lead_moves import ACCEPT, KENT, MET, World, refused
from tests.integration.test_placements import AGREE, notice, place, plan
from tests.worlds import REPORT

NORTH = "kent/north"
NEW = "kent/east-and-north"
OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}


class Reorganised(World):
    """A hub in which East and North Kent become one unit today."""

    def __init__(self, database: Database, vault: Vault, someone: Callable[..., Actor]) -> None:
        super().__init__(database, vault, someone)
        self.someone = someone
        self.north = someone(NORTH)
        self.editor = someone("kent", "directory-editor", "actual")
        self.now = utcnow()

    def merge(self) -> None:
        wanted = ReorganisationIn(
            kind="merge", effective_on=self.now.astimezone(LONDON).date(),
            units=[self._id(KENT), self._id(NORTH)], name="East and North",
        )  # fmt: skip
        with self.database.unit_of_work() as session:
            assert self.editor.organisation_id is not None
            reorganisations.reorganise(
                session, self.editor, self.editor.organisation_id, wanted, why="a new structure",
                now=self.now,
            )  # fmt: skip

    def tick(self) -> int:
        self.now += timedelta(seconds=15)
        with self.database.unit_of_work() as session:
            reorganised(session, self.now)
            return take_over(session, self.now)

    def again(self, actor: Actor) -> Actor:
        """Return somebody as they act after the change, by their present membership."""
        with self.database.unit_of_work() as session:
            assert actor.id is not None
            (membership,) = people.current_memberships(session, actor.id, self.now)
            unit = session.get_one(Unit, membership.unit_id)
            assert isinstance(membership, Membership)
            organisation = session.get_one(Organisation, unit.organisation_id)
            return Actor(
                "person", id=actor.id, name=actor.name, organisation_id=organisation.id,
                organisation_code=organisation.code, organisation_name=organisation.name,
                organisation_kind=organisation.kind, unit_id=unit.id, unit_name=unit.name,
                unit_ids=units_below(session, unit.id), roles=actor.roles, status=actor.status,
                session_id=actor.session_id,
            )  # fmt: skip

    def _id(self, code: str) -> object:
        with self.database.unit_of_work() as session:
            unit = find_unit(session, code)
            assert unit is not None
            return unit.id

    def rows(self, model: type) -> list:  # type: ignore[type-arg]  # whichever table
        with self.database.unit_of_work() as session:
            return list(session.scalars(select(model)))


@pytest.fixture
def world(database: Database, vault: Vault, someone: Someone) -> Reorganised:
    return Reorganised(database, vault, someone)


def test_the_lead_moves_with_its_officer_and_never_stands_still(world: Reorganised) -> None:
    ref = world.open(world.kent, named_officer="DC Tom Hurst").case_reference
    world.merge()
    before = world.case(world.kent, ref)
    assert before.lead is not None
    assert before.lead.unit.code == KENT
    assert world.tick() == 1
    old, new = sorted(world.rows(Tenure), key=lambda one: one.number)
    assert (old.until, new.until, new.basis) == (new.since, None, "superseded")
    assert new.officer_name == old.officer_name == "DC Tom Hurst"
    kent = world.again(world.kent)
    case = world.case(kent, ref)
    assert case.lead is not None
    assert case.lead.unit.code == NEW
    assert [message.type for message in case.messages] == ["missing-episode-report"]
    sent = world.send(kent, ref, "update", heading="other", text="EXERCISE")
    assert world.case(kent, ref).messages[-1].sender_unit.code == NEW
    assert sent.number == 2
    assert world.tick() == 0


def test_an_offer_to_the_old_unit_is_answered_by_its_successor(world: Reorganised) -> None:
    ref = world.open(world.met).case_reference
    offer = world.send(world.met, ref, "lead-transfer-request", to=[KENT], priority="urgent",
                       rationale="majority-of-enquiries", circumstances="EXERCISE")  # fmt: skip
    world.merge()
    world.tick()
    kent = world.again(world.kent)
    (row,) = [one for one in world.inbox(kent) if one.need == "answer"]
    assert (row.message_id, row.due_at) == (offer.message_id, offer.reply_due_at)
    with world.database.unit_of_work() as session:
        assert reach(session, world._id(KENT), "exercise", world.now) == "staffed"
        receipts.catch_up(session, world.now)
    world.send(kent, ref, "lead-transfer-accept", in_reply_to=offer.message_id, **ACCEPT)
    assert world.lead(ref) == NEW
    assert world.case(kent, ref).request is None


def test_an_offer_between_two_that_become_one_is_overtaken(world: Reorganised) -> None:
    ref = world.open(world.kent).case_reference
    offer = world.send(world.kent, ref, "lead-transfer-request", to=[NORTH], rationale="majority-of-enquiries",
                       circumstances="EXERCISE", priority="urgent")  # fmt: skip
    world.merge()
    assert world.tick() == 1
    (request,) = world.rows(LeadRequest)
    assert request.state == "overtaken"
    running = [c for c in world.rows(Clock) if c.message_id == offer.message_id and not c.ended_at]
    assert running == []
    case = world.case(world.again(world.north), ref)
    assert case.lead is not None
    assert case.lead.unit.code == NEW
    again = world.send(world.again(world.kent), ref, "lead-transfer-request", to=[MET],
                       rationale="majority-of-enquiries", circumstances="EXERCISE")  # fmt: skip
    world.send(world.met, ref, "lead-transfer-accept", in_reply_to=again.message_id, **ACCEPT)
    assert world.lead(ref) == MET


def test_a_report_and_its_clock_pass_to_the_successor(world: Reorganised) -> None:
    ref = world.open(world.social_worker, to=[KENT]).case_reference
    world.merge()
    world.tick()
    kent = world.again(world.kent)
    assert [row.need for row in world.inbox(kent)].count("answer") == 1
    (clock,) = [c for c in world.rows(Clock) if c.kind == "report-outcome"]
    assert clock.owed_by_unit_id == world._id(NEW)
    world.send(kent, ref, "report-not-accepted", reason="other", explanation="EXERCISE")
    assert world.case(world.social_worker, ref).messages[-1].sender_unit.code == NEW


CALL = {"called_at": "2026-11-24T02:00:00Z", "with_name": "EXERCISE", "outcome": "taken",
        "with_collar": "1", "their_reference": "EXERCISE"}  # fmt: skip


def test_a_report_taken_by_telephone_passes_to_the_successor(world: Reorganised) -> None:
    ref = world.open(world.social_worker, to=[KENT]).case_reference
    world.send(world.social_worker, ref, "telephone-record", **CALL)
    world.merge()
    assert world.tick() == 1
    report = world.case(world.social_worker, ref).report
    assert report is not None
    assert (report.state, report.addressed.code) == ("recorded-by-telephone", NEW)


def test_a_case_that_cannot_be_taken_over_keeps_no_other_from_it(
    world: Reorganised, superuser_url: str
) -> None:
    world.open(world.social_worker, to=[KENT])
    ref = world.open(world.kent).case_reference
    with psycopg.connect(superuser_url) as connection:
        connection.execute("""
            CREATE FUNCTION refuse_it() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE check_violation; END $$;
            CREATE TRIGGER refuse_it BEFORE UPDATE ON report
                FOR EACH ROW EXECUTE FUNCTION refuse_it()""")
    world.merge()
    assert world.tick() == 1
    assert world.case(world.again(world.kent), ref).lead.unit.code == NEW


def test_who_names_the_old_unit_reaches_the_new_one(world: Reorganised) -> None:
    ref = world.open(world.met).case_reference
    world.merge()
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], rationale="majority-of-enquiries",
               circumstances="EXERCISE")  # fmt: skip
    world.tick()
    request = world.case(world.met, ref).request
    assert request is not None
    assert request.to_unit.code == NEW


def test_a_unit_that_ends_later_is_written_to_until_then(world: Reorganised) -> None:
    ref = world.open(world.met).case_reference
    world.now += timedelta(seconds=1)
    later = ReorganisationIn(
        kind="merge", effective_on=world.now.astimezone(LONDON).date() + timedelta(days=90),
        units=[world._id(KENT), world._id(NORTH)], name="East and North",
    )  # fmt: skip
    with world.database.unit_of_work() as session:
        assert world.editor.organisation_id is not None
        reorganisations.reorganise(
            session, world.editor, world.editor.organisation_id, later, why="a new structure",
            now=world.now,
        )  # fmt: skip
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], rationale="majority-of-enquiries",
               circumstances="EXERCISE")  # fmt: skip
    assert world.tick() == 0
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    assert world.lead(ref) == KENT


def test_a_case_stays_hidden_from_all_but_its_parties_and_their_successor(
    world: Reorganised,
) -> None:
    ref = world.open(world.kent).case_reference
    world.merge()
    world.tick()
    refused("not-found", lambda: world.case(world.stranger, ref))
    parties = {row.unit_id for row in world.rows(Party)}
    assert parties == {world._id(KENT), world._id(NEW)}
    (case,) = world.rows(Case)
    assert case.closed_at is None


def test_a_case_that_somebody_holds_waits_for_the_next_time(world: Reorganised) -> None:
    world.open(world.kent)
    world.merge()
    with world.database.unit_of_work() as holding:
        holding.execute(text("SELECT 1 FROM cases FOR UPDATE"))
        assert world.tick() == 0
    assert world.tick() == 1


def test_a_dispute_is_the_successors_who_may_withdraw_it(world: Reorganised) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], **OFFER)
    world.send(world.kent, ref, "lead-transfer-decline", reason="wrong-area")
    world.send(world.kent, ref, "dispute", grounds="EXERCISE")
    world.merge()
    assert world.tick() == 1
    kent = world.again(world.kent)
    dispute = world.case(kent, ref).matters.dispute
    assert dispute is not None
    assert (dispute.by, dispute.other) == (world._id(NEW), world.met.unit_id)
    world.send(kent, ref, "dispute-withdraw", reason="EXERCISE")
    world.send(kent, ref, "dispute", grounds="EXERCISE", priority="urgent")
    assert world.case(world.met, ref).matters.dispute is not None, "it was asked: it is a side"
    assert world.tick() == 0


def test_a_dispute_of_two_that_become_one_is_overtaken_with_its_clock(world: Reorganised) -> None:
    ref = world.open(world.kent).case_reference
    world.send(world.kent, ref, "lead-transfer-request", to=[NORTH], **OFFER)
    world.send(world.north, ref, "dispute", grounds="EXERCISE")
    world.merge()
    assert world.tick() == 1
    (dispute,) = world.rows(Dispute)
    assert dispute.state == "overtaken"
    running = [c for c in world.rows(Clock) if c.kind.startswith("dispute-") and not c.ended_at]
    assert running == []
    assert world.case(world.again(world.kent), ref).matters.dispute is None


def test_a_direction_is_acknowledged_by_the_successor(world: Reorganised) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], **OFFER)
    world.send(world.kent, ref, "dispute", grounds="EXERCISE")
    adjudicator = world.someone("npcc/missing-persons", "adjudicator")
    world.send(adjudicator, ref, "direction", lead=KENT, reasons="EXERCISE")
    world.merge()
    assert world.tick() == 1
    kent = world.again(world.kent)
    assert [row.type for row in world.inbox(kent) if row.need == "answer"] == ["direction"]
    (clock,) = [c for c in world.rows(Clock) if c.kind == "direction"]
    assert clock.owed_by_unit_id == world._id(NEW)
    world.send(kent, ref, "direction-acknowledge", **ACCEPT)
    assert world.lead(ref) == NEW
    assert world.tick() == 0


def test_a_direction_to_what_leads_already_is_overtaken_and_its_clock_ends(
    world: Reorganised,
) -> None:
    ref = world.open(world.kent).case_reference
    world.send(world.kent, ref, "lead-transfer-request", to=[NORTH], **OFFER)
    world.send(world.north, ref, "dispute", grounds="EXERCISE")
    adjudicator = world.someone("npcc/missing-persons", "adjudicator")
    world.send(adjudicator, ref, "direction", lead=NORTH, reasons="EXERCISE")
    world.merge()
    assert world.tick() == 1
    (direction,) = world.rows(Direction)
    assert direction.state == "overtaken"
    assert [c for c in world.rows(Clock) if c.kind == "direction" and not c.ended_at] == []
    kent = world.again(world.kent)
    assert world.case(kent, ref).matters.direction is None
    world.send(kent, ref, "lead-transfer-request", to=[MET], **OFFER)


def test_questions_are_answered_by_and_to_the_successor(world: Reorganised) -> None:
    ref = world.open(world.met).case_reference
    asked = world.send(world.met, ref, "information-request", to=[KENT, NORTH],
                       questions="EXERCISE")  # fmt: skip
    world.merge()
    assert world.tick() == 1
    kent = world.again(world.kent)
    (row,) = [row for row in world.inbox(kent) if row.need == "answer"]
    assert (row.message_id, row.due_at) == (asked.message_id, asked.reply_due_at)
    assert not world.case(kent, ref).full
    world.send(kent, ref, "information-response", outcome="none-held")
    assert world.case(world.met, ref).matters.questions == []
    assert world.tick() == 0


def test_what_the_old_unit_asked_is_answered_to_its_successor(world: Reorganised) -> None:
    ref = world.open(world.kent).case_reference
    world.send(world.kent, ref, "information-request", to=["essex"], questions="EXERCISE")
    world.send(world.kent, ref, "information-request", to=[NORTH], questions="EXERCISE")
    world.merge()
    assert world.tick() == 1
    answer = world.send(world.stranger, ref, "information-response", outcome="none-held")
    assert world._id(NEW) in answer.reach
    states = sorted(row.state for row in world.rows(InformationRequest))
    assert states == ["none-held", "overtaken"], "nobody asks itself"
    running = [c for c in world.rows(Clock) if c.kind == "enquiry" and not c.ended_at
               and not c.met_at]  # fmt: skip
    assert running == []


def test_a_plan_goes_on_for_a_move_within_the_area_of_what_took_its_polices_place(
    world: Reorganised,
) -> None:
    ref = place(world, destination_unit=KENT, home_unit=MET).case_reference
    world.send(world.met, ref, "joint-response-plan", **plan(world))
    world.send(world.kent, ref, "plan-reply", **AGREE)
    world.merge()
    world.tick()
    world.send(world.social_worker, ref, "placement-notification",
               **notice(world, action="change", destination_unit=NEW))  # fmt: skip
    world.send(world.again(world.kent), ref, "missing-episode-report", **REPORT)
    request = world.case(world.met, ref).request
    assert request is not None
    assert (request.to_unit.code, world.lead(ref)) == (MET, NEW)


def test_the_successor_has_its_part_in_a_case_that_was_joined_to_one_that_goes_on(
    world: Reorganised,
) -> None:
    child = {"family_name": "EXERCISE", "given_name": "EXERCISE", "date_of_birth": "2012-03-27"}
    other = world.open(world.kent, child=child).case_reference
    ref = world.open(world.met, child=child).case_reference
    world.send(world.met, ref, "lead-transfer-request", kind="join-episodes", lead_after="ours",
               **OFFER)  # fmt: skip
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    world.merge()
    assert world.tick() == 2
    assert world.tick() == 0
    heir = world.again(world.kent)
    assert heir.unit_id != world.kent.unit_id
    assert [m.type for m in world.case(heir, other).messages] == ["missing-episode-report"]
