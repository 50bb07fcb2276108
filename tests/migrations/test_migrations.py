"""Migrations go up, down and up again with data in place, and make what the models say."""

from collections.abc import Callable
from datetime import timedelta

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

import directory.model
import hub.identity.model
import hub.jobs.model
import hub.records.model
import messaging.guest_model
import messaging.model
from hub.clock import utcnow
from hub.db import Base, Database, sqlalchemy_url
from hub.identity.actor import Actor
from hub.migrating import downgrade, position, upgrade
from hub.records.vault import Vault
from messaging import resetting, sending
from messaging.contracts import Command
from tests.integration.test_placements import (
    AGREE,
    ESSEX,
    HERE,
    lapse,
    moves,
    place,
    placed,
    plan,
    plans_of,
)
from tests.worlds import KENT, MET, World

MODELS = (
    directory.model, hub.identity.model, hub.jobs.model, hub.records.model, messaging.model,
)  # fmt: skip


def test_up_down_and_up_with_a_case_in_it(
    owner_url: str, database: Database, vault: Vault, someone: Callable[..., Actor]
) -> None:
    command = Command.model_validate(
        {
            "type": "missing-episode-report",
            "body": {
                "child": {"given_name": "EXERCISE", "age": 14}, "risk": "low", "why": "EXERCISE",
                "last_seen_at": (utcnow() - timedelta(hours=1)).isoformat(),
                "last_seen_place": "EXERCISE", "callback_telephone": "020 7946 0001",
            },
        }
    )  # fmt: skip
    with database.unit_of_work() as session:
        sending.open_case(session, someone("kent/east"), vault, command, utcnow())
    database.dispose()
    for revision in ("0004", "0003", "0002", "0001", "base"):
        downgrade(owner_url, revision)
        assert position(owner_url) == "behind"
    upgrade(owner_url)
    assert position(owner_url) == "current"


def test_models_and_migrations_agree(owner_url: str) -> None:
    engine = create_engine(sqlalchemy_url(owner_url))
    with engine.connect() as connection:
        tables = set(Base.metadata.tables)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = [
            change
            for change in compare_metadata(context, Base.metadata)
            if isinstance(change, tuple)
            and change[0] in ("add_table", "add_column", "remove_column")
        ]
        there = set(
            connection.execute(
                text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            ).scalars()
        )
    engine.dispose()
    assert differences == []
    assert there - tables <= {"alembic_version"}


def test_handovers_from_before_their_record_keep_their_times_without_a_name(
    owner_url: str, database: Database, vault: Vault, someone: Callable[..., Actor]
) -> None:
    world = World(database, vault, someone)
    ref = world.open(world.met, named_officer="EXERCISE first").case_reference
    world.open(world.kent)
    world.send(world.met, ref, "officer-handover", to_officer="EXERCISE second")
    world.send(world.met, ref, "officer-handover", to_officer="EXERCISE third")
    [tenure] = world.case(world.met, ref).tenures
    database.dispose()
    downgrade(owner_url, "0019")
    upgrade(owner_url)
    assert position(owner_url) == "current"
    world.send(world.met, ref, "officer-handover", to_officer="EXERCISE fourth")
    [again] = world.case(world.met, ref).tenures
    assert [one.name for one in again.officers] == [
        None, None, "EXERCISE third", "EXERCISE fourth"
    ]  # fmt: skip
    assert [one.since for one in again.officers[:3]] == [one.since for one in tenure.officers]
    assert [one.message_id for one in again.officers[:3]] == [
        one.message_id for one in tenure.officers
    ]


def test_what_was_reset_shows_again_below_the_reset_and_its_episode_is_over(
    owner_url: str, database: Database, vault: Vault, someone: Callable[..., Actor]
) -> None:
    world = World(database, vault, someone)
    ref = world.open(world.met).case_reference
    with database.unit_of_work() as session:
        inspector = someone(MET, "supervisor")
        assert resetting.reset(session, inspector, vault, [ref], "EXERCISE", world.now) == 1
    database.dispose()
    downgrade(owner_url, "0015")
    engine = create_engine(sqlalchemy_url(owner_url))
    with engine.connect() as connection:
        ended = connection.execute(text("SELECT end_reason FROM episode")).scalars().all()
    engine.dispose()
    assert ended == ["recorded-in-error"]
    upgrade(owner_url)
    assert position(owner_url) == "current"


def test_a_move_told_ahead_goes_down_to_one_placement_and_one_agreed_plan(
    owner_url: str, database: Database, vault: Vault, someone: Callable[..., Actor]
) -> None:
    world = World(database, vault, someone)
    ref, same = (place(world, destination_unit=KENT, home_unit=MET).case_reference for _ in "ab")
    for one, moved in ((ref, ESSEX), (same, {**HERE, "destination_unit": KENT})):
        world.send(world.met, one, "joint-response-plan", **plan(world))
        world.send(world.kent, one, "plan-reply", **AGREE)
        moves(world, one, 0, **HERE, destination_unit=KENT)
        moves(world, one, 3, **moved)
    world.send(world.met, ref, "joint-response-plan", **plan(world))
    world.send(world.stranger, ref, "plan-reply", **AGREE)
    assert plans_of(world, ref) == [(1, "agreed"), (2, "agreed")]
    database.dispose()
    downgrade(owner_url, "0023")
    with database.unit_of_work() as session:
        placed_at = session.scalars(
            text("SELECT l.state FROM plan p JOIN placement l ON l.id = p.placement_id"
                 " WHERE p.state = 'agreed'")
        ).all()  # fmt: skip
    assert placed_at == ["current", "current"], "the plan that went on is carried"
    database.dispose()
    upgrade(owner_url)
    assert plans_of(world, ref) == [(1, "superseded"), (2, "agreed")]
    assert [code for code, _, _ in placed(world, ref)] == ["essex"]
    assert lapse(world, same) == "placement-not-begun"
