"""A timeline shows what its reader may see, opens no message, and is on record as a look."""

from collections.abc import Callable

from sqlalchemy import select

from hub.db import Database
from hub.identity.actor import Actor
from hub.records.model import AuditRecord
from hub.records.vault import Vault
from messaging import history, views
from messaging.timeline import Point, Record, Span
from tests.worlds import ACCEPT, World


def read(world: World, actor: Actor, ref: str) -> list[Record]:
    with world.database.unit_of_work() as session:
        view = views.case_view(
            session, actor, world.vault, ref, world.now, reason_code="test", shows=()
        )
        return history.records(session, view)


def test_who_led_when_with_requests_and_questions(
    database: Database, vault: Vault, someone: Callable[..., Actor]
) -> None:
    world = World(database, vault, someone)
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=["kent/east"], rationale="majority-of-enquiries",
               circumstances="EXERCISE")  # fmt: skip
    found = read(world, world.kent, ref)
    offer = next(one for one in found if one.lane == "request")
    assert isinstance(offer, Span)
    assert offer.until is None
    assert offer.number == 2
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    world.send(world.kent, ref, "information-request", to=["essex"], questions="EXERCISE?",
               immediate_action=False)  # fmt: skip
    found = read(world, world.kent, ref)
    leads = [one for one in found if one.lane == "lead"]
    assert [one.label.split(":")[1].strip() for one in leads][-1] == "EXERCISE Sergeant"
    first, second = leads
    assert isinstance(first, Span)
    assert isinstance(second, Span)
    assert first.until == second.since
    assert [one.number for one in leads] == [1, 3]
    assert [one.number for one in found if one.lane == "message"] == [1, 2, 3, 4]
    assert {one.lane for one in found} == {
        "episode", "lead", "request", "question", "state", "message",
    }  # fmt: skip

    # Who was asked one thing sees that, and what the case's page shows of the lead.
    asked = read(world, world.stranger, ref)
    assert {one.lane for one in asked} == {"question", "message"}
    assert [one.number for one in asked] == [4, 4]
    assert all(isinstance(one, Point) for one in asked if one.lane == "message")


def test_it_opens_nothing_and_is_a_consultation(
    database: Database, vault: Vault, someone: Callable[..., Actor]
) -> None:
    world = World(database, vault, someone)
    ref = world.open(world.social_worker, to=["kent/east"]).case_reference
    before = world.inbox(world.kent)
    read(world, world.kent, ref)
    assert world.inbox(world.kent) == before
    with database.unit_of_work() as session:
        looks = session.scalars(
            select(AuditRecord.action).where(AuditRecord.who_id == world.kent.id)
        ).all()
    assert list(looks) == ["consultation"]
