"""An officer's handover keeps on record who led before; the lead stays with the unit (6)."""

from collections.abc import Callable
from typing import Any, LiteralString

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import history, who_leads
from messaging.api_documents import LeadOut
from messaging.shown import TenureView
from tests.worlds import ACCEPT, ISLINGTON, KENT, MET, REPORT, World

FIRST, SECOND, THIRD = "EXERCISE first", "EXERCISE second", "EXERCISE third"
ADD: LiteralString = """INSERT INTO officer_before
    (tenure_id, number, since, until, officer_name, message_id)
    SELECT t.id, {0}, {1}, b.until, {2}, {3}
    FROM tenure t JOIN officer_before b ON b.tenure_id = t.id AND b.number = 2"""
"""An officer of a tenure on record, as nobody handed over."""


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def handed_over_twice(world: World) -> str:
    ref = world.open(world.met, to=[ISLINGTON], named_officer=FIRST).case_reference
    world.send(world.met, ref, "officer-handover", to_officer=SECOND, officer_rank="PS",
               officer_collar="77")  # fmt: skip
    world.send(world.met, ref, "officer-handover", to_officer=THIRD)
    return ref


def lead_of(world: World, actor: Actor, ref: str) -> dict[str, Any]:
    with world.database.unit_of_work() as session:
        found = who_leads.lead_view(session, actor, ref, world.now)
    LeadOut.model_validate(found)
    return found


def in_turn(tenure: TenureView) -> list[str | None]:
    """Return the officers of a tenure, who follow one another from its beginning to its end."""
    assert tenure.officers[0].since == tenure.since
    assert tenure.officers[-1].until == tenure.until
    ends = [one.until for one in tenure.officers[:-1]]
    assert ends == [one.since for one in tenure.officers[1:]]
    return [one.name for one in tenure.officers]


def test_each_officer_led_from_when_until_when(world: World) -> None:
    ref = handed_over_twice(world)
    view = world.case(world.met, ref)
    [tenure] = view.tenures
    assert in_turn(tenure) == [FIRST, SECOND, THIRD]
    assert tenure.officer.since == world.now
    numbers = {one.id: one.number for one in view.messages}
    assert [numbers[one.message_id] for one in tenure.officers] == [1, 2, 3]
    with world.database.unit_of_work() as session:
        spans = history.leads(session, view)
    assert [(one.label.split(": ")[1], one.number) for one in spans] == [
        (FIRST, 1), (f"PS {SECOND}", 2), (THIRD, 3),
    ]  # fmt: skip

    [row] = lead_of(world, world.met, ref)["tenures"]
    assert row["named_officer"]["name"] == THIRD
    first, second, third = row["officers"]
    assert second == {
        "name": SECOND, "rank": "PS", "collar_number": "77",
        "since": first["until"], "until": third["since"],
    }  # fmt: skip
    assert (first["since"], third["until"]) == (row["since"], None)

    # The next lead has its own officers; those of the one before stay, and end with it.
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], circumstances="EXERCISE",
               rationale="majority-of-enquiries")  # fmt: skip
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    world.send(world.kent, ref, "officer-handover", to_officer=FIRST)
    ours, theirs = world.case(world.kent, ref).tenures
    assert in_turn(ours) == [FIRST, SECOND, THIRD]
    assert in_turn(theirs) == [ACCEPT["named_officer"], FIRST]


def test_a_reporter_is_shown_the_present_officer_alone_and_no_council_their_hours(
    world: World,
) -> None:
    ref = world.open(world.social_worker, [MET]).case_reference
    world.send(world.met, ref, "missing-episode-report", **REPORT)
    world.send(world.met, ref, "officer-handover", to_officer=SECOND)
    [tenure] = world.case(world.met, ref).tenures
    seen = world.case(world.social_worker, ref)
    assert not seen.full
    [shown] = seen.tenures
    assert (shown.since, shown.officers) == (tenure.since, tenure.officers[1:])
    lead = lead_of(world, world.social_worker, ref)
    assert [one["name"] for one in lead["tenures"][0]["officers"]] == [SECOND]
    assert lead["named_officer"]["on_duty_until"] is None

    assert tenure.on_duty_until is not None
    until = tenure.on_duty_until.isoformat()
    assert lead_of(world, world.met, ref)["named_officer"]["on_duty_until"] == until
    whole = handed_over_twice(world)
    assert world.case(world.social_worker, whole).full
    lead = lead_of(world, world.social_worker, whole)
    assert [one["name"] for one in lead["tenures"][0]["officers"]] == [FIRST, SECOND, THIRD]
    assert lead["named_officer"]["on_duty_until"] is None


@pytest.mark.parametrize(
    ("harm", "rule"),
    [
        ("UPDATE tenure SET officer_name = 'EXERCISE other'", "ck_tenure_officers"),
        ("UPDATE tenure SET until = since", "ck_tenure_officers"),
        ("UPDATE officer_before SET officer_name = 'EXERCISE other'", "ck_message_immutable"),
        ("DELETE FROM officer_before", "ck_message_immutable"),
        (
            ADD.format("3", "b.until", "t.officer_name", "t.message_id"),
            "ck_officer_before_in_order",
        ),
        (
            ADD.format("4", "b.until", "t.officer_name", "b.message_id"),
            "ck_officer_before_in_order",
        ),
        (
            ADD.format("3", "b.since", "t.officer_name", "b.message_id"),
            "ck_officer_before_in_order",
        ),
        (ADD.format("3", "b.until", "'EXERCISE'", "b.message_id"), "ck_officer_before_in_order"),
        (
            ADD.format("3", "b.until", "t.officer_name", "b.message_id"),
            "uq_officer_before_message_id",
        ),
    ],
)
def test_the_database_keeps_who_led_before(
    world: World, superuser_url: str, harm: LiteralString, rule: str
) -> None:
    handed_over_twice(world)
    with (
        psycopg.connect(superuser_url) as anybody,
        pytest.raises(psycopg.IntegrityError) as caught,
    ):
        anybody.execute(harm)
    assert caught.value.diag.constraint_name == rule
    with pytest.raises((HubError, DBAPIError)), world.database.unit_of_work() as session:
        session.execute(text(harm))
