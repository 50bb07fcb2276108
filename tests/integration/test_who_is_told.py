"""Who gets a message: whom it names, whoever must hear of it, and nobody beside (DOMAIN.md 4.8)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from hub.clock import LONDON
from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import sending
from tests.worlds import ACCEPT, ISLINGTON, KENT, MET, RECENTLY, REPORT, World, refused

FORCE, DEVON = "metropolitan", "devon-and-cornwall"
NEWS = {"heading": "other", "text": "EXERCISE"}
SEEN = {"located_at": RECENTLY, "seen_by": "PC", "place": "EXERCISE", "how": "police"}


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def told(world: World, sent: sending.Sent) -> set[str]:
    """Return the codes of the units that a message went to."""
    with world.database.unit_of_work() as session:
        return set(
            session.scalars(
                text("SELECT u.code FROM recipient r JOIN unit u ON u.id = r.unit_id"
                     " WHERE r.message_id = :id"),
                {"id": sent.message_id},
            )
        )  # fmt: skip


def reported(world: World) -> tuple[str, UUID]:
    sent = world.open(world.social_worker, to=[MET])
    return sent.case_reference, sent.message_id


def test_a_unit_that_was_sent_one_message_gets_no_other(world: World) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "update", to=["essex"], **NEWS)
    for kind, body in (("update", NEWS), ("located", SEEN)):
        assert told(world, world.send(world.met, ref, kind, **body)) == set()
    assert [m.number for m in world.case(world.stranger, ref).messages] == [2]


def test_a_reporter_hears_that_police_recorded_it_whomever_they_tell_beside(world: World) -> None:
    ref, report = reported(world)
    recorded = world.send(
        world.met, ref, "missing-episode-report", to=[KENT], in_reply_to=report, **REPORT
    )
    assert told(world, recorded) == {KENT, ISLINGTON}


def test_everyone_hears_that_the_child_is_found_whomever_the_finder_names(world: World) -> None:
    ref, _ = reported(world)
    world.send(world.met, ref, "missing-episode-report", **REPORT)
    offer = world.send(world.met, ref, "lead-transfer-request", to=[KENT],
                       rationale="majority-of-enquiries", circumstances="EXERCISE")  # fmt: skip
    world.send(world.kent, ref, "lead-transfer-accept", in_reply_to=offer.message_id, **ACCEPT)
    claim = world.send(world.met, ref, "located", **SEEN)
    assert told(world, claim) == {KENT, ISLINGTON}
    confirmed = world.send(
        world.kent, ref, "located-confirm", to=["essex"], in_reply_to=claim.message_id
    )
    assert told(world, confirmed) == {"essex", MET, ISLINGTON}
    world.send(world.kent, ref, "interview-record", interview="prevention", how="not-done",
               reason="EXERCISE")  # fmt: skip
    world.send(world.social_worker, ref, "interview-record", interview="rhi", offered="no",
               reason="EXERCISE")  # fmt: skip
    closed = world.send(world.kent, ref, "closure", to=[MET], outcome="Found", authorised_by="DI")
    assert told(world, closed) == {MET, ISLINGTON}


def test_a_refusal_of_either_kind_reaches_the_duty_inspector_of_the_force(world: World) -> None:
    world.someone(FORCE, "supervisor")
    call = {"called_at": world.now.isoformat(), "outcome": "refused", "with_name": "PC",
            "reason": "EXERCISE"}  # fmt: skip
    ref, _ = reported(world)
    assert told(world, world.send(world.social_worker, ref, "telephone-record", **call)) == {
        MET, FORCE,
    }  # fmt: skip
    ref, _ = reported(world)
    refusal = world.send(
        world.met, ref, "report-not-accepted", reason="other", explanation="EXERCISE"
    )
    assert told(world, refusal) == {ISLINGTON, FORCE}


def test_what_was_said_about_an_offer_on_the_telephone_stays_with_police(world: World) -> None:
    ref, _ = reported(world)
    world.send(world.met, ref, "missing-episode-report", **REPORT)
    world.send(world.met, ref, "lead-transfer-request", to=[DEVON],
               rationale="majority-of-enquiries", circumstances="EXERCISE")  # fmt: skip
    call = {"called_at": world.now.isoformat(), "outcome": "handed-over", "with_name": "PC"}
    assert told(world, world.send(world.met, ref, "telephone-record", **call)) == {DEVON}


def test_only_whoever_asked_can_say_that_they_rang(world: World) -> None:
    ref, _ = reported(world)
    world.send(world.met, ref, "missing-episode-report", **REPORT)
    offer = world.send(world.met, ref, "lead-transfer-request", to=[DEVON],
                       rationale="majority-of-enquiries", circumstances="EXERCISE")  # fmt: skip
    call: dict[str, Any] = {
        "called_at": world.now.isoformat(), "outcome": "handed-over", "with_name": "PC"
    }  # fmt: skip
    world.send(world.social_worker, ref, "telephone-record", **call)
    world.send(
        world.social_worker,
        ref,
        "telephone-record",
        in_reply_to=offer.message_id,
        unit=DEVON,
        **call,
    )
    request = world.case(world.met, ref).request
    assert request is not None
    assert not request.told
    assert request.due_at is None
    world.send(world.met, ref, "telephone-record", **call)
    request = world.case(world.met, ref).request
    assert request is not None
    assert request.told


def test_a_reply_to_no_message_of_the_case_is_said_to_be_one(world: World) -> None:
    ref = world.open(world.met).case_reference
    other = world.open(world.met)
    for nothing in (uuid4(), other.message_id):
        error = refused(
            "reply-to-nothing",
            lambda nothing=nothing: world.send(
                world.met, ref, "update", in_reply_to=nothing, **NEWS
            ),
        )
        assert error.status == 422


def test_a_unit_that_is_to_end_is_written_to_until_its_day(world: World) -> None:
    ref = world.open(world.met).case_reference
    day = world.now.astimezone(LONDON).date()
    for ends, stands in ((day + timedelta(days=1), True), (day, False)):
        with world.database.unit_of_work() as session:
            session.execute(
                text("UPDATE unit SET valid_to = :ends WHERE code = :code"),
                {"ends": ends, "code": KENT},
            )
        if stands:
            assert told(world, world.send(world.met, ref, "update", to=[KENT], **NEWS)) == {KENT}
        else:
            refused("unit-unknown", lambda: world.send(world.met, ref, "update", to=[KENT], **NEWS))
