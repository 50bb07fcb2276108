"""Whoever asked a unit that is not on the hub must ring it, by a clock (DOMAIN.md 4.5, 6)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import alarms, receipts
from tests.worlds import ISLINGTON, MET, RECENTLY, World

AWAY, AWAY_TOO = "devon-and-cornwall", "surrey"
OFFER = {"rationale": "other", "rationale_text": "EXERCISE", "circumstances": "EXERCISE"}
CALL = {"called_at": RECENTLY, "with_name": "EXERCISE", "outcome": "handed-over"}


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def to_ring(world: World) -> list[Any]:
    with world.database.unit_of_work() as session:
        return list(
            session.execute(
                text("""SELECT k.kind, u.code, k.met_at IS NOT NULL AS met, k.ended_at IS NOT NULL AS ended,
                    k.due_at - k.started_at AS runs
                    FROM clock k JOIN unit u ON u.id = k.owed_by_unit_id
                    WHERE k.kind LIKE 'to-ring%' ORDER BY k.started_at"""),
            )
        )  # fmt: skip


def lines(world: World, actor: Actor) -> list[tuple[str, str, bool]]:
    return [(row.type, row.need, row.missed) for row in world.inbox(actor) if row.to_ring]


@pytest.mark.parametrize(("priority", "kind", "minutes"), [
    ("urgent", "to-ring-urgent", 5), ("routine", "to-ring", 60),
])  # fmt: skip
def test_an_offer_that_nobody_rings_about_alarms_who_made_it_until_they_ring(
    world: World, priority: str, kind: str, minutes: int
) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[AWAY], priority=priority, **OFFER)
    (clock,) = to_ring(world)
    assert (clock.kind, clock.code, clock.runs) == (kind, MET, timedelta(minutes=minutes))
    assert lines(world, world.met) == [("lead-transfer-request", "answer", False)]
    world.now += timedelta(minutes=minutes)
    with world.database.unit_of_work() as session:
        assert alarms.escalate(session, world.now) == 1
        found = session.execute(
            text("SELECT id FROM clock WHERE kind LIKE 'to-ring%'")
        ).scalar_one()
        concerned = alarms.concerned(session, found, world.now)
        assert concerned is not None
        assert concerned.rung == "duty-inspector"
        assert concerned.units == (world.met.unit_id,)
    assert lines(world, world.met) == [("lead-transfer-request", "answer", True)]
    world.send(world.met, ref, "telephone-record", **CALL)
    assert [row.met for row in to_ring(world)] == [True]
    assert lines(world, world.met) == []


def test_each_unit_that_was_asked_is_rung(world: World) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "information-request", to=[AWAY, AWAY_TOO], questions="EXERCISE")
    world.send(world.met, ref, "telephone-record", unit=AWAY, in_reply_to=_last(world), **CALL)
    assert [(row.met, row.ended) for row in to_ring(world)] == [(False, False)]
    world.send(world.met, ref, "telephone-record", unit=AWAY_TOO, in_reply_to=_last(world), **CALL)
    assert [row.met for row in to_ring(world)] == [True]


def _last(world: World) -> Any:
    with world.database.unit_of_work() as session:
        return session.execute(
            text("SELECT id FROM message WHERE type = 'information-request'")
        ).scalar_one()


def test_what_is_taken_back_or_over_need_not_be_rung_about(world: World) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[AWAY], **OFFER)
    world.send(world.met, ref, "lead-transfer-withdraw", reason="EXERCISE")
    world.send(world.met, ref, "lead-transfer-request", to=[AWAY], **OFFER)
    assert [row.ended for row in to_ring(world)] == [True, False]
    seen = {"located_at": RECENTLY, "seen_by": "EXERCISE", "place": "EXERCISE", "how": "police"}
    world.send(world.met, ref, "located", **seen)
    assert [(row.met, row.ended) for row in to_ring(world)] == [(False, True)] * 2


def test_a_unit_that_comes_onto_the_hub_need_not_be_rung(
    world: World, someone: Callable[..., Actor]
) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[AWAY], **OFFER)
    someone(AWAY)
    world.now += timedelta(minutes=1)
    with world.database.unit_of_work() as session:
        assert receipts.catch_up(session, world.now) == 1
    assert [row.ended for row in to_ring(world)] == [True]


def test_a_report_to_police_that_are_not_on_the_hub_is_to_be_rung_about_by_its_reporter(
    world: World,
) -> None:
    ref = world.open(world.social_worker, to=[AWAY]).case_reference
    assert [(row.kind, row.code) for row in to_ring(world)] == [("to-ring-urgent", ISLINGTON)]
    call = {"called_at": RECENTLY, "with_name": "EXERCISE", "reason": "EXERCISE"}
    world.send(world.social_worker, ref, "telephone-record", outcome="refused", **call)
    assert [row.met or row.ended for row in to_ring(world)] == [True]
