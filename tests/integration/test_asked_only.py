"""Whoever is asked one thing sees the enquiry, not how the case stands; whoever is sent a message by
name reads it (DOMAIN.md 4.8)."""

from collections.abc import Callable

import pytest

from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import board, case_list, who_leads
from tests.worlds import KENT, RECENTLY, World, refused

ESSEX = "essex"
SEEN = {"located_at": RECENTLY, "seen_by": "EXERCISE", "place": "EXERCISE", "how": "carer"}


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def asked(world: World) -> str:
    ref = world.open(world.met, to=[KENT]).case_reference
    world.send(world.met, ref, "information-request", to=[ESSEX], questions="EXERCISE",
               immediate_action=True)  # fmt: skip
    return ref


def test_a_unit_that_is_asked_one_thing_is_not_shown_who_leads(world: World) -> None:
    ref = asked(world)
    essex = world.stranger
    view = world.case(essex, ref)
    assert view.asked_only
    assert view.state == "asked"
    assert (view.lead, view.home, view.tenures, view.report, view.located_at) == (
        None, None, [], None, None
    )  # fmt: skip
    assert [message.type for message in view.messages] == ["information-request"]
    with world.database.unit_of_work() as session:
        lead = who_leads.lead_view(session, essex, ref, world.now)
        assert lead["asked_only"]
        assert (lead["lead"], lead["episode"], lead["named_officer"], lead["tenures"]) == (
            None, None, None, []
        )  # fmt: skip
        (row,) = case_list.cases(session, essex)
        assert row.asked_only
        assert (row.lead, row.lead_id) == (None, None)
        (line,) = board.board(session, essex)
        assert line.asked_only
        assert (line.lead, line.officer, line.home) == (None, None, None)
    world.send(world.met, ref, "located", **SEEN)
    assert world.case(essex, ref).located_at is None


def test_once_more_is_sent_to_it_the_unit_is_told_who_leads(world: World) -> None:
    ref = asked(world)
    world.send(world.met, ref, "update", to=[ESSEX], heading="other", text="EXERCISE words")
    view = world.case(world.stranger, ref)
    assert not view.asked_only
    assert view.lead is not None
    with world.database.unit_of_work() as session:
        assert [row.asked_only for row in case_list.cases(session, world.stranger)] == [False]
        assert not who_leads.lead_view(session, world.stranger, ref, world.now)["asked_only"]


def test_whoever_is_sent_something_by_name_reads_it(
    world: World, someone: Callable[..., Actor]
) -> None:
    carer = someone("missing-people/helpline", "practitioner")
    ref = world.open(world.met, to=[KENT]).case_reference
    to = ["missing-people/helpline"]
    world.send(world.met, ref, "update", to=to, heading="other", text="EXERCISE words",
               police_only="EXERCISE secret")  # fmt: skip
    world.send(world.met, ref, "information-request", to=to, questions="EXERCISE question")
    claim = world.send(carer, ref, "located", **SEEN)
    world.send(world.met, ref, "located-refuse", in_reply_to=claim.message_id, reason="EXERCISE no")
    world.send(world.met, ref, "update", heading="other", text="EXERCISE not for the carer")
    read = {message.type: message.body for message in world.case(carer, ref).messages}
    assert read["update"]["text"] == "EXERCISE words"
    assert "police_only" not in read["update"]
    assert read["information-request"]["questions"] == "EXERCISE question"
    assert read["located-refuse"]["reason"] == "EXERCISE no"


def test_a_call_to_a_unit_that_a_message_was_not_sent_to_is_refused_at_its_field(
    world: World,
) -> None:
    ref = world.open(world.social_worker, to=[KENT]).case_reference
    call = {"called_at": RECENTLY, "with_name": "EXERCISE", "outcome": "told-to-wait",
            "reason": "EXERCISE", "unit": ESSEX}  # fmt: skip
    error = refused(
        "not-a-recipient", lambda: world.send(world.social_worker, ref, "telephone-record", **call)
    )
    assert error.fields[0].pointer == "/body/unit"
