"""Who is nudged, by what, and when: the directory's hours say who is on (issue 4.7, DOMAIN.md 5)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from directory import public as directory
from directory.model import ContactPoint
from hub.clock import LONDON, utcnow
from hub.db import Database
from hub.identity import clients
from hub.identity.actor import Actor
from hub.organisations import find_unit
from hub.post.catcher import Catcher
from hub.records import audit
from hub.records.vault import Vault
from hub.settings import Settings
from messaging import actors, alarms, receipts
from messaging.model import Clock
from tests.integration.test_notify import SECRET, SERVICE, TEMPLATE, Notify, notify
from tests.letters import letters, post, work
from tests.worlds import KENT, MET, World

__all__ = ["actors", "notify"]

SMS_TEMPLATE = "0f2b7a52-1f5d-4dd3-a6f5-7ad3b8f9a5a1"
DAY = [{"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "18:00"}]
NEXT = utcnow().astimezone(LONDON).date() + timedelta(days=1)
WEDNESDAY = NEXT + timedelta(days=(2 - NEXT.weekday()) % 7)
NOON = datetime.combine(WEDNESDAY, time(12), LONDON).astimezone(UTC)
NIGHT = datetime.combine(WEDNESDAY + timedelta(days=1), time(3), LONDON).astimezone(UTC)
OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}
NEWS = {"heading": "other", "text": "EXERCISE"}
TEAM, INSPECTOR, ROOM = "team@example.org", "inspector@example.org", "room@example.org"
MOBILE, INSPECTORS_MOBILE, NATIONAL_MOBILE = "07700 900001", "07700 900002", "07700 900003"
NATIONAL = "npcc/missing-persons"


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    with database.unit_of_work() as session:
        team = (KENT, "missing-children-team")
        for (unit, purpose), channel, value, hours, status in (
            (team, "telephone", "01632 960201", DAY, "exercise"),
            (team, "email", TEAM, None, "exercise"),
            (team, "mobile", MOBILE, DAY, "exercise"),
            ((KENT, "duty-inspector"), "email", INSPECTOR, None, "exercise"),
            ((KENT, "duty-inspector"), "mobile", INSPECTORS_MOBILE, None, "exercise"),
            (("kent/control-room", "control-room"), "email", ROOM, None, "exercise"),
            (("kent", "duty-inspector"), "email", "actual@example.org", None, "actual"),
            ((MET, "missing-children-team"), "email", "met@example.org", None, "exercise"),
            ((NATIONAL, "missing-children-team"), "mobile", NATIONAL_MOBILE, None, "exercise"),
        ):
            found = find_unit(session, unit)
            assert found is not None, unit
            session.add(
                ContactPoint(
                    unit_id=found.id, purpose=purpose, channel=channel, value=value,
                    audience="professional", hours=hours, bank_holiday_rule="as-weekday",
                    status=status, valid_from=date(2026, 1, 1), source="test",
                    source_date="2026-01-01", verification="verified",
                    verified_at=datetime(2026, 11, 1, tzinfo=UTC), verified_by="EXERCISE",
                )
            )  # fmt: skip
    return World(database, vault, someone)


def sent_at(world: World, now: datetime, **more: Any) -> str:
    world.now = now - timedelta(minutes=1)
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], **more, **OFFER)
    return ref


def mailed(world: World, settings: Settings, folder: Path, now: datetime) -> set[str]:
    """Do every job, and return who got mail."""
    with Catcher(folder) as catcher:
        before = len(letters(catcher))
        post(world.database, settings, catcher, now)
        found = letters(catcher)
        assert len(found) >= before
        for one in found:
            assert one["Subject"].startswith("EXERCISE ")
            assert "EXERCISE child" not in one.get_content()
            assert "EXERCISE Road" not in one.get_content()
        return {one["To"] for one in found}


def test_a_team_in_its_hours_is_told_alone(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    sent_at(world, NOON, priority="urgent")
    assert mailed(world, settings, tmp_path, NOON) == {TEAM}


def test_while_the_team_is_closed_whoever_is_on_is_told_at_once_and_the_sender_hears_it(
    world: World, settings: Settings, tmp_path: Path, someone: Callable[..., Actor]
) -> None:
    inspector = someone("kent", "supervisor")
    ref = sent_at(world, NIGHT)
    assert [row.reference for row in world.inbox(inspector) if row.need == "answer"] == [ref]
    assert mailed(world, settings, tmp_path, NIGHT) == {TEAM, INSPECTOR}
    assert world.kent.unit_id is not None
    with world.database.unit_of_work() as session:
        plan = directory.plan(directory.doors(session, world.kent.unit_id, "exercise", NIGHT))
        at_work = directory.plan(directory.doors(session, world.kent.unit_id, "exercise", NOON))
        actual = directory.doors(session, world.kent.unit_id, "actual", NIGHT)
    assert plan.closed
    assert plan.opens_at == NIGHT + timedelta(hours=5)
    assert not at_work.closed
    assert {door.mailbox for door in actual} >= {"actual@example.org"}
    assert not {door.mailbox for door in actual} & {TEAM, INSPECTOR, ROOM}


def test_an_urgent_message_unopened_climbs_and_tells_each_step_that_is_on(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.now = NOON
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "update", to=[KENT], priority="urgent", **NEWS)
    mailed(world, settings, tmp_path / "first", world.now)
    told = []
    for step in range(3):
        world.now += timedelta(minutes=6)
        with world.database.unit_of_work() as session:
            alarms.escalate(session, world.now)
        told.append(mailed(world, settings, tmp_path / str(step), world.now))
    assert told[0] >= {TEAM, INSPECTOR, "met@example.org"}
    assert told[1] >= {TEAM, ROOM}
    (line,) = [row for row in world.inbox(world.met) if row.need == "waiting"]
    assert (line.to_unit_id, line.alarm, line.opened_at) == (world.kent.unit_id, True, None)
    world.case(world.kent, ref)
    assert [row for row in world.inbox(world.met) if row.need == "waiting"] == []


def test_duty_inspectors_are_told_of_a_refusal_at_once(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.now = NOON - timedelta(minutes=1)
    ref = world.open(world.social_worker, to=[KENT]).case_reference
    assert INSPECTOR not in mailed(world, settings, tmp_path, world.now)
    world.send(world.kent, ref, "report-not-accepted", reason="other", explanation="EXERCISE")
    assert INSPECTOR in mailed(world, settings, tmp_path, NOON)


def test_text_messages_go_to_mobiles_of_who_is_on_of_what_is_urgent_and_only_where_configured(
    world: World, settings: Settings, notify: Notify, someone: Callable[..., Actor]
) -> None:
    by_notify = settings.model_copy(
        update={
            "notify_api_key": f"hub-{SERVICE}-{SECRET}", "notify_template": TEMPLATE,
            "notify_url": notify.url, "notify_sms_template": SMS_TEMPLATE,
        }
    )  # fmt: skip
    without = by_notify.model_copy(update={"notify_sms_template": ""})

    def texted(now: datetime, on: Settings, **more: Any) -> tuple[str, list[dict[str, Any]]]:
        ref = sent_at(world, now, **more)
        notify.taken.clear()
        work(world.database, on, now)
        return ref, [one for one in notify.taken if "phone_number" in one]

    ref, taken = texted(NOON, by_notify, priority="urgent")
    assert [one["phone_number"] for one in taken] == [MOBILE]
    assert taken[0]["template_id"] == SMS_TEMPLATE
    words = taken[0]["personalisation"]["text"]
    assert words.startswith(f"EXERCISE Urgent: {ref}: ")
    assert words.endswith(f"/cases/{ref}")
    assert "child" not in words
    _, taken = texted(NIGHT, by_notify, priority="urgent")
    assert [one["phone_number"] for one in taken] == [INSPECTORS_MOBILE]
    assert texted(NOON, by_notify)[1] == []
    assert texted(NOON, without, priority="urgent")[1] == []
    someone(NATIONAL, "adjudicator")
    for urgency in ("routine", "urgent"):
        ref = sent_at(world, NOON, priority=urgency)
        world.send(world.kent, ref, "dispute", grounds="EXERCISE grounds")
        notify.taken.clear()
        work(world.database, by_notify, world.now)
        mobiles = {one.get("phone_number") for one in notify.taken}
        assert (NATIONAL_MOBILE in mobiles) == (urgency == "urgent")


def test_adjudicators_of_neither_side_are_told_that_a_dispute_waits_for_them(
    world: World, settings: Settings, tmp_path: Path, someone: Callable[..., Actor]
) -> None:
    coordinator = someone("npcc/missing-persons", "adjudicator")
    for unit, status in ((MET, "exercise"), ("npcc/missing-persons", "actual")):
        someone(unit, "adjudicator", status=status)
    ref = sent_at(world, NOON)
    mailed(world, settings, tmp_path / "first", NOON)
    world.send(world.kent, ref, "dispute", grounds="EXERCISE grounds")
    told = mailed(world, settings, tmp_path / "then", world.now)
    with world.database.unit_of_work() as session:
        addresses = dict(session.execute(text("SELECT id, email FROM person")).all())  # type: ignore[arg-type]
        adjudicators = set(
            session.scalars(
                text("SELECT p.email FROM person p JOIN membership m ON m.person_id = p.id"
                     " WHERE m.role = 'adjudicator'")
            )
        )  # fmt: skip
    assert told & adjudicators == {addresses[coordinator.id]}


def test_what_a_system_alone_was_sent_and_nobody_opened_is_told_at_the_directorys_contacts(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    with world.database.unit_of_work() as session:
        session.execute(
            text("UPDATE membership SET valid_to = :at WHERE person_id = :id"),
            {"at": NOON - timedelta(hours=1), "id": world.kent.id},
        )
        clients.add_client(
            session, audit.Who("system", name="test"), name="EXERCISE Kent", organisation="kent",
            unit=KENT, scopes=["cases:read"], now=NOON,
        )  # fmt: skip
    world.now = NOON - timedelta(minutes=1)
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "update", to=[KENT], priority="urgent", **NEWS)
    assert mailed(world, settings, tmp_path / "first", NOON) == set()
    later = NOON + timedelta(minutes=5)
    with world.database.unit_of_work() as session:
        assert alarms.escalate(session, later) == 1
    told = mailed(world, settings, tmp_path / "then", later)
    assert told == {TEAM, INSPECTOR, "met@example.org"}


def test_what_is_delivered_late_is_to_be_opened_in_its_time_from_then_on(
    world: World, someone: Callable[..., Actor]
) -> None:
    devon = "devon-and-cornwall"
    ref = world.open(world.met).case_reference
    sent = world.send(world.met, ref, "update", to=[devon], priority="urgent", **NEWS)

    def opening() -> list[Clock]:
        with world.database.unit_of_work() as session:
            return list(
                session.scalars(
                    select(Clock).where(
                        Clock.message_id == sent.message_id, Clock.kind.like("opened%")
                    )
                )
            )

    assert opening() == []
    actor = someone(devon)
    later = world.now + timedelta(hours=3)
    for _ in range(2):
        with world.database.unit_of_work() as session:
            receipts.catch_up(session, later)
    (clock,) = opening()
    assert (clock.kind, clock.due_at) == ("opened-urgent", later + timedelta(minutes=5))
    assert clock.escalates_at == clock.due_at
    world.now = later + timedelta(minutes=1)
    world.case(actor, ref)
    assert opening()[0].met_at == world.now
