"""Organisations decide how long clocks run, and who authorises an acceptance (DOMAIN.md 6, 8)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import alarms, lead_settings, wording
from tests.worlds import ACCEPT, MET, World, refused

OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def decide(world: World, actor: Actor, *, national: bool = False, supervisor: bool = False,
           why: str = "EXERCISE", **minutes: int | None) -> int:  # fmt: skip
    with world.database.unit_of_work() as session:
        return lead_settings.decide(
            session, actor, world.vault,
            {kind.replace("_", "-"): given for kind, given in minutes.items()},
            supervisor_authorises=supervisor, national=national, why=why, now=world.now,
        )  # fmt: skip


def offered(world: World) -> str:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=["kent/east"], **OFFER)
    return ref


def test_where_it_is_asked_for_a_supervisor_authorises_the_acceptance(
    world: World, someone: Callable[..., Actor]
) -> None:
    decide(world, someone("kent", "administrator"), supervisor=True)
    ref = offered(world)
    error = refused(
        "supervisor-needed", lambda: world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    )
    assert error.fields[0].pointer == "/body/supervisor"
    assert world.lead(ref) == MET
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT, supervisor="EXERCISE Inspector")
    assert world.lead(ref) == "kent/east"


def test_a_supervisor_who_accepts_authorises_by_that(
    world: World, someone: Callable[..., Actor]
) -> None:
    decide(world, someone("kent", "administrator"), supervisor=True)
    ref = offered(world)
    world.send(someone("kent/east", "supervisor"), ref, "lead-transfer-accept", **ACCEPT)
    assert world.lead(ref) == "kent/east"


def test_the_database_refuses_a_lead_without_the_authority(
    world: World, someone: Callable[..., Actor]
) -> None:
    ref = offered(world)
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    decide(world, someone("kent", "administrator"), supervisor=True)
    with world.database.unit_of_work() as session:

        def again() -> None:
            with world.database.unit_of_work() as other:
                other.execute(
                    text("""
                        INSERT INTO tenure (id, episode_id, number, unit_id, officer_name, since,
                            basis, message_id)
                        SELECT gen_random_uuid(), episode_id, 9, unit_id, officer_name, since, basis,
                            message_id
                        FROM tenure WHERE basis = 'accepted'
                    """)
                )

        refused("supervisor-needed", again)
        assert session.execute(text("SELECT count(*) FROM tenure")).scalar_one() == 2


def test_a_clock_runs_as_the_organisation_decided_that_owes_it_and_can_be_set_back(
    world: World, someone: Callable[..., Actor]
) -> None:
    decide(world, someone("metropolitan", "administrator"), lead_routine=5)
    administrator = someone("kent", "administrator")
    assert decide(world, administrator, lead_routine=45) == 1
    ref = world.open(world.met).case_reference
    sent = world.send(world.met, ref, "lead-transfer-request", to=["kent/east"], **OFFER)
    assert sent.reply_due_at == sent.sent_at + timedelta(minutes=45)
    assert decide(world, administrator, lead_routine=None) == 1
    assert decide(world, administrator, lead_routine=None) == 0
    again = world.open(world.met).case_reference
    sent = world.send(world.met, again, "lead-transfer-request", to=["kent/east"], **OFFER)
    assert sent.reply_due_at == sent.sent_at + timedelta(minutes=60)


def test_steps_up_come_as_often_as_the_organisation_decided_that_owes_the_answer(
    world: World, someone: Callable[..., Actor]
) -> None:
    decide(world, someone("kent", "administrator"), lead_routine=45)
    ref = offered(world)
    world.now += timedelta(minutes=45)
    with world.database.unit_of_work() as session:
        alarms.escalate(session, world.now)
        due = session.execute(
            text("SELECT due_at FROM clock WHERE kind = 'lead-routine'")
        ).scalar_one()
    assert due == world.now + timedelta(minutes=45), ref


def test_only_an_administrator_decides_and_only_a_national_one_for_the_nation(
    world: World, someone: Callable[..., Actor]
) -> None:
    refused("not-permitted", lambda: decide(world, world.met, lead_routine=45))
    administrator = someone("kent", "administrator")
    refused("not-permitted", lambda: decide(world, administrator, national=True, opened=10))
    assert (
        decide(
            world,
            someone("npcc/missing-persons", "national-administrator"),
            national=True,
            opened=10,
        )
        == 1
    )


def test_what_has_no_minutes_of_an_organisations_own_cannot_be_set(
    world: World, someone: Callable[..., Actor]
) -> None:
    administrator = someone("kent", "administrator")
    nation = someone("npcc/missing-persons", "national-administrator")
    for kind in ("meeting_action", "plan_review"):
        refused("invalid", lambda kind=kind: decide(world, administrator, **{kind: 5}))
        refused("invalid", lambda kind=kind: decide(world, nation, national=True, **{kind: 5}))
    refused("invalid", lambda: decide(world, administrator, dispute_urgent=5))
    assert decide(world, nation, national=True, dispute_urgent=5) == 1
    with world.database.unit_of_work() as session:
        own = {
            one.kind for one in lead_settings.clock_choices(session, administrator.organisation_id)
        }
        all_ = {one.kind for one in lead_settings.clock_choices(session, None)}
    assert all_ - own == {"dispute-urgent", "dispute-routine"}
    assert all_ == wording.SETTINGS.keys() - {"meeting-action", "plan-review"}


def test_what_cannot_be_is_refused_whole(world: World, someone: Callable[..., Actor]) -> None:
    administrator = someone("kent", "administrator")
    error = refused(
        "invalid",
        lambda: decide(world, administrator, why=" ", opened=0, no_such=5, lead_routine=45),
    )
    assert [one.pointer for one in error.fields] == ["/clocks/opened", "/clocks/no-such", "/why"]
    with world.database.unit_of_work() as session:
        assert not session.execute(text("SELECT count(*) FROM clock_setting")).scalar_one()
