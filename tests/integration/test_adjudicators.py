"""What nobody answers comes to the adjudicators at last, and leaves them once settled (DOMAIN.md 2, 6)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from hub.app import create_app
from hub.db import Database
from hub.identity.actor import Actor
from hub.records.keys import Keys
from hub.records.vault import Vault
from hub.settings import Settings
from messaging import actors, alarms
from messaging.model import Clock
from tests.worlds import ACCEPT, KENT, REPORT, World, refused

NATIONAL = "npcc/missing-persons"
OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}
NOBODY = "No adjudicator is on the hub now"


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


@pytest.fixture
def page(
    settings: Settings, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Actor, str], str]]:
    """Return what somebody is shown at a path."""
    app = create_app(settings, keys=keys)
    client: FlaskClient = app.test_client()

    def shown(actor: Actor, path: str) -> str:
        known = replace(actor, session_id=None)  # they are not asked why they look
        monkeypatch.setattr("hub.web.guards.from_cookie", lambda: known)
        reply = client.get(path)
        assert reply.status_code == 200, path
        return " ".join(reply.text.split())

    yield shown
    app.extensions["hub"].database.dispose()
    app.extensions["hub"].redis.close()


def climb(world: World, steps: int, minutes: float = 10.1) -> None:
    for _ in range(steps):
        world.now += timedelta(minutes=minutes)
        with world.database.unit_of_work() as session:
            alarms.escalate(session, world.now)


def unopened(world: World) -> None:
    """Stop the clocks of opening, which are not what these tests are about."""
    with world.database.unit_of_work() as session:
        session.execute(text("UPDATE clock SET ended_at = started_at WHERE kind LIKE 'opened%'"))


def test_a_report_that_nobody_answers_comes_to_the_adjudicators_until_police_settle_it(
    world: World, someone: Callable[..., Actor], page: Callable[[Actor, str], str]
) -> None:
    judge, own = someone(NATIONAL, "adjudicator"), someone("kent", "adjudicator")
    ref = world.open(world.social_worker, to=[KENT]).case_reference
    unopened(world)
    climb(world, 3)
    assert world.inbox(judge) == []
    refused("not-found", lambda: world.case(judge, ref))
    climb(world, 1)
    view = world.case(judge, ref)
    rungs = [step.rung for step in reversed(view.matters.steps)]
    assert rungs == ["duty-inspector", "control-room", "coordinator", "adjudicator"]
    assert view.report is not None
    assert not view.matters.unjudged
    assert [act.type for act in view.actions] == [], "there is no episode: nothing to direct"
    (row,) = world.inbox(judge)
    assert (row.reference, row.need, row.judged, row.missed, row.alarm) == (
        ref, "answer", True, True, True,
    )  # fmt: skip
    assert row.due_at is not None
    assert "Nobody answers this report: ring the force" in page(judge, "/inbox")
    shown = page(judge, f"/cases/{ref}")
    assert "Nobody leads. Ring the force’s control room: police must record it." in shown
    assert "There is no lead to direct until they have." in shown
    assert NOBODY not in shown
    assert "There is no lead to direct" not in page(world.social_worker, f"/cases/{ref}")
    refused("not-found", lambda: world.case(own, ref))
    assert not any(line.judged for line in world.inbox(own))
    world.send(world.kent, ref, "missing-episode-report", **REPORT)
    assert world.inbox(judge) == []
    refused("not-found", lambda: world.case(judge, ref))


def test_that_no_adjudicator_is_there_is_said_beside_what_waits_for_one(
    world: World, someone: Callable[..., Actor], page: Callable[[Actor, str], str]
) -> None:
    reported = world.open(world.social_worker, to=[KENT]).case_reference
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], priority="urgent", **OFFER)
    unopened(world)
    assert not world.case(world.met, ref).matters.unjudged, "nothing waits for one yet"
    climb(world, 6)
    for unit, status in ((KENT, "exercise"), (NATIONAL, "actual"), (NATIONAL, "exercise")):
        someone(unit, "adjudicator", status=status)
    with world.database.unit_of_work() as session:
        session.execute(
            text("""UPDATE person SET suspended_at = created_at WHERE status = 'exercise' AND id IN (
                SELECT b.person_id FROM membership b JOIN unit u ON u.id = b.unit_id
                WHERE u.code = :code)"""),
            {"code": NATIONAL},
        )
    for actor, case in ((world.met, ref), (world.kent, ref), (world.social_worker, reported)):
        assert world.case(actor, case).matters.unjudged, case
    shown = page(world.met, f"/cases/{ref}")
    assert f"{NOBODY}: ring the force coordinators." in shown
    assert "leads and acts until it is decided." in shown
    assert f"{NOBODY}." in page(world.social_worker, f"/cases/{reported}")
    someone(NATIONAL, "adjudicator")
    assert not world.case(world.met, ref).matters.unjudged
    assert NOBODY not in page(world.met, f"/cases/{ref}")


def test_what_waits_for_adjudicators_is_as_urgent_as_its_clock_and_told_to_nobody_once_settled(
    world: World,
) -> None:
    ref = world.open(world.met, risk="low").case_reference
    offer = world.send(world.met, ref, "lead-transfer-request", to=[KENT], **OFFER)
    dispute = world.send(world.kent, ref, "dispute", grounds="EXERCISE")

    def urgent() -> list[bool | None]:
        with world.database.unit_of_work() as session:
            found = [alarms.undecided(session, one.message_id) for one in (offer, dispute)]
            return [one.urgent if one else None for one in found]

    assert urgent() == [False, False]
    world.send(world.met, ref, "update", heading="risk-change", text="EXERCISE", new_risk="high")
    assert urgent() == [True, True]
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    assert urgent() == [None, None]


def test_a_direction_that_nobody_acknowledges_is_told_to_those_who_directed_it(
    world: World, someone: Callable[..., Actor], page: Callable[[Actor, str], str]
) -> None:
    judge, colleague = someone(NATIONAL, "adjudicator"), someone(NATIONAL, "adjudicator")
    elsewhere = someone("essex", "adjudicator")
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], **OFFER)
    world.send(world.kent, ref, "dispute", grounds="EXERCISE")
    world.send(judge, ref, "direction", lead=KENT, reasons="EXERCISE")
    unopened(world)

    def told() -> set[object]:
        with world.database.unit_of_work() as session:
            clock = session.query(Clock).filter_by(kind="direction").one()
            found = actors._missed(session, clock.id, world.now)
            return {target.of for target in found[1]} if found else set()

    climb(world, 1)
    assert told() >= {judge.id, colleague.id, world.kent.unit_id}
    assert elsewhere.id not in told()
    shown = page(judge, f"/cases/{ref}")
    assert "Acknowledgement of the direction" in shown
    assert f"/cases/{ref}/send/direction-acknowledge" in shown
    assert "tel:" in shown
    told_whom = {"told_by_telephone": "EXERCISE Inspector, 01632 960001, now"}
    world.send(colleague, ref, "direction-acknowledge", **ACCEPT, **told_whom)
    assert world.lead(ref) == KENT
    assert told() == set()
