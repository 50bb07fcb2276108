"""What a unit owes of a case itself alarms on its screens once it is missed (issue 4.7, DOMAIN.md 6)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import alarms, board, inbox
from tests.worlds import KENT, World


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def escalate(world: World, **later: float) -> None:
    world.now += timedelta(**later)
    with world.database.unit_of_work() as session:
        while alarms.escalate(session, world.now):
            pass


def overdue(world: World, actor: Actor) -> dict[str | None, bool]:
    """Return the kinds of clock that have lines among what is overdue, and whether each alarms."""
    with world.database.unit_of_work() as session:
        rows = inbox.inbox(session, actor, inbox.Wanted(overdue=True), now=world.now)
        how_many = inbox.counts(session, actor, now=world.now)
    assert how_many.overdue == len(rows)
    assert how_many.alarms == sum(row.alarm for row in rows if row.need != "waiting")
    assert all(row.need == "answer" and row.due_at for row in rows)
    return {row.clock: row.alarm for row in rows}


def alarming(world: World, actor: Actor) -> bool:
    with world.database.unit_of_work() as session:
        (row,) = board.board(session, actor)
        return row.alarm


def test_a_lead_whose_officer_has_gone_off_shift_alarms_until_one_hands_over(world: World) -> None:
    ref = world.open(world.met, risk="low").case_reference
    escalate(world, hours=7, minutes=59)
    assert overdue(world, world.met) == {}, "nobody owes it yet"
    assert not alarming(world, world.met)
    escalate(world, minutes=1)
    assert overdue(world, world.met) == {"shift-end": True}
    assert alarming(world, world.met)
    assert overdue(world, world.kent) == {}
    world.send(world.met, ref, "officer-handover", to_officer="EXERCISE PS")
    assert overdue(world, world.met) == {}
    assert not alarming(world, world.met)


@pytest.mark.parametrize(
    ("risk", "review", "alarm"),
    [
        ("high", "review-high", True),
        ("medium", "review-medium", False),
        ("low", "review-low", False),
    ],
)
def test_each_duty_of_the_lead_that_is_missed_has_a_line(
    world: World, risk: str, review: str, alarm: bool
) -> None:
    world.open(world.met, risk=risk)
    escalate(world, hours=72)
    assert overdue(world, world.met) == {"shift-end": True, review: alarm, "ukmpu": True}


def test_two_lines_of_one_message_are_two_pages(world: World) -> None:
    """Of the same time and weight too: a page goes on after a line, and not after its message."""
    world.open(world.met)
    escalate(world, hours=72)
    rows: list[inbox.InboxRow] = []
    with world.database.unit_of_work() as session:
        session.execute(text("UPDATE clock SET due_at = (SELECT min(due_at) FROM clock)"))
        while page := inbox.inbox(
            session, world.met, now=world.now, after=rows[-1].cursor if rows else None, most=1
        ):
            rows += page
    assert len({row.message_id for row in rows}) == 1
    assert {row.clock for row in rows} == {"shift-end", "review-medium", "ukmpu"}


def test_what_is_owed_moves_with_the_lead(world: World) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT],
               rationale="majority-of-enquiries", circumstances="EXERCISE")  # fmt: skip
    world.send(world.kent, ref, "lead-transfer-accept", named_officer="EXERCISE Sergeant")
    escalate(world, hours=73)
    kents = [row.clock for row in world.inbox(world.kent) if row.clock]
    assert sorted(kents) == ["review-medium", "shift-end", "ukmpu"]
    assert [row.clock for row in world.inbox(world.met) if row.clock] == []
