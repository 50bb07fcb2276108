"""A move of the lead hands over everything at once (DOMAIN.md 8, lead-transfer-request)."""

from collections.abc import Callable

from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import standing
from tests.worlds import ACCEPT, World


def test_the_new_lead_starts_where_the_old_stopped(
    database: Database, vault: Vault, someone: Callable[..., Actor]
) -> None:
    world = World(database, vault, someone)
    ref = world.open(world.met).case_reference
    world.send(
        world.met, ref, "lead-transfer-request", to=["kent/east"], rationale="majority-of-enquiries",
        circumstances="EXERCISE", actions_outstanding="EXERCISE ring the carer",
        live_lines="EXERCISE CCTV, kept until Friday", warnings="EXERCISE dog",
        family_liaison="EXERCISE FLO",
    )  # fmt: skip
    before = _standing(world, world.met, ref)
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    after = _standing(world, world.kent, ref)
    assert after.given == before.given
    assert {one.kind: one.words for one in after.given} == {
        "open_actions": "EXERCISE ring the carer",
        "live_lines": "EXERCISE CCTV, kept until Friday",
        "warnings": "EXERCISE dog",
        "family_liaison": "EXERCISE FLO",
    }
    review = [one for one in after.due if one.kind.startswith("review")]
    assert review == [one for one in before.due if one.kind.startswith("review")]
    assert {one.kind for one in after.due} == {"shift-end", "review-medium", "ukmpu"}


def test_what_is_given_later_stands_in_the_place_of_the_earlier(
    database: Database, vault: Vault, someone: Callable[..., Actor]
) -> None:
    world = World(database, vault, someone)
    ref = world.open(world.met).case_reference
    for words in ("EXERCISE first", "EXERCISE second"):
        world.send(world.met, ref, "officer-handover", to_officer="EXERCISE PS", open_actions=words)
    (given,) = _standing(world, world.met, ref).given
    assert (given.kind, given.words) == ("open_actions", "EXERCISE second")


def _standing(world: World, actor: Actor, ref: str) -> standing.Standing:
    view = world.case(actor, ref)
    with world.database.unit_of_work() as session:
        return standing.standing(session, view)
