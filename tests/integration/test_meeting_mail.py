"""A meeting reaches diaries: a real iCalendar object over SMTP, without a word of the case."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar, Event
from sqlalchemy import text

import messaging.actors  # noqa: F401  # the handlers of its jobs
from hub.clock import LONDON
from hub.db import Database
from hub.identity.actor import Actor
from hub.post.catcher import Catcher
from hub.records.vault import Vault
from hub.settings import Settings
from tests.integration.test_meetings import INVITATION, called, words
from tests.letters import letters, post
from tests.worlds import ISLINGTON, KENT, MET, World


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[Catcher]:
    with Catcher(tmp_path / "mail") as running:
        yield running


def _mailbox(world: World, unit: str, value: str, purpose: str, status: str = "exercise") -> None:
    """Give a unit a verified mailbox."""
    with world.database.unit_of_work() as session:
        session.execute(
            text(
                "INSERT INTO contact_point (id, unit_id, purpose, channel, value, audience, status,"
                " verification, verified_at, verified_by, valid_from, source, source_date)"
                " SELECT gen_random_uuid(), id, :purpose,"
                " 'email', :value, 'professional', :status, 'verified', now(), 'EXERCISE',"
                " '2020-01-01', 'EXERCISE', '2020-01-01'"
                " FROM unit WHERE code = :unit"
            ),
            {"unit": unit, "value": value, "purpose": purpose, "status": status},
        )


def _diaries(catcher: Catcher) -> dict[str, list[tuple[EmailMessage, Calendar, Event]]]:
    """Return the calendar mails by recipient, as their diaries take them in."""
    found: dict[str, list[tuple[EmailMessage, Calendar, Event]]] = {}
    for letter in letters(catcher):
        for part in letter.walk():
            if part.get_content_type() != "text/calendar":
                continue
            calendar = Calendar.from_ical(part.get_content())
            assert part.get_param("method") == str(calendar["method"])
            (event,) = calendar.walk("VEVENT")
            found.setdefault(str(letter["To"]), []).append((letter, calendar, event))
    for mails in found.values():
        mails.sort(key=lambda one: int(one[2]["sequence"]))
    return found


def test_invitation_update_and_cancellation_reach_the_mailboxes_for_meetings(
    world: World, settings: Settings, catcher: Catcher
) -> None:
    _mailbox(world, KENT, "east.meetings@kent.example.org", "meeting")
    _mailbox(world, KENT, "east.team@kent.example.org", "missing-children-team")
    _mailbox(world, KENT, "real@kent.example.org", "meeting", status="actual")
    _mailbox(world, MET, "north.team@met.example.org", "missing-children-team")
    _mailbox(world, ISLINGTON, "social@islington.example.org", "childrens-social-care")
    ref, sent = called(world)
    first = world.now
    post(world.database, settings, catcher, world.now)
    change: dict[str, Any] = {
        "meeting_act": "change", "why_changed": "EXERCISE", "in_reply_to": sent.message_id,
    }  # fmt: skip
    attendees = [{"role": "destination-police", "unit": KENT}]
    world.send(world.met, ref, INVITATION, **{**words(world, 72, attendees=attendees), **change})
    post(world.database, settings, catcher, world.now)
    world.send(world.met, ref, INVITATION, meeting_act="cancel", why_changed="EXERCISE",
               in_reply_to=sent.message_id)  # fmt: skip
    post(world.database, settings, catcher, world.now)

    diaries = _diaries(catcher)
    assert set(diaries) == {
        "east.meetings@kent.example.org", "north.team@met.example.org",
        "social@islington.example.org",
    }  # fmt: skip
    kent = diaries["east.meetings@kent.example.org"]
    assert [str(calendar["method"]) for _, calendar, _ in kent] == ["REQUEST", "REQUEST", "CANCEL"]
    assert [int(event["sequence"]) for _, _, event in kent] == [0, 1, 2]
    assert [str(event["status"]) for _, _, event in kent] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert len({str(event["uid"]) for _, _, event in kent}) == 1
    dropped = diaries["social@islington.example.org"]
    assert [str(calendar["method"]) for _, calendar, _ in dropped] == ["REQUEST", "CANCEL"]

    letter, calendar, event = kent[0]
    assert letter.get_content_type() == "multipart/alternative"
    assert "EXERCISE" in str(letter["Subject"])
    assert str(event["organizer"]) == "mailto:north.team@met.example.org"
    assert str(event["attendee"]) == "mailto:east.meetings@kent.example.org"
    assert event["dtstart"].params["TZID"] == "Europe/London"
    assert abs(event.start - (first + timedelta(hours=48))) < timedelta(seconds=2)
    assert event.start.utcoffset() == (first + timedelta(hours=48)).astimezone(LONDON).utcoffset()
    assert [str(zone["tzid"]) for zone in calendar.walk("VTIMEZONE")] == ["Europe/London"]
    assert str(event["summary"]) == f"EXERCISE {ref}: strategy meeting"
    assert f"/cases/{ref}" in str(event["description"])
    assert "location" not in event
    for mails in diaries.values():
        for mail, _, entry in mails:
            text_ = mail.as_string() + entry.to_ical().decode()
            for secret in ("EXERCISE room", "EXERCISE purpose", "020 7946", "Inspector"):
                assert secret not in text_


def test_what_the_queue_holds_of_a_meeting_is_an_id(world: World) -> None:
    called(world)
    with world.database.unit_of_work() as session:
        jobs = session.execute(
            text("SELECT subject_id, dedupe_key FROM outbox_job WHERE kind = 'meeting-calendar'")
        ).all()
        attendees = set(session.scalars(text("SELECT id FROM meeting_attendee")))
    assert {job.subject_id for job in jobs} == attendees
    assert len(jobs) == 3
