"""A unit is told by mail: what one mailbox refuses holds up nobody else, and is known for a bounce."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP
from sqlalchemy import select, update

from directory import bounces
from directory.model import ContactPoint
from hub.clock import utcnow
from hub.db import Database
from hub.identity.actor import Actor
from hub.jobs import outbox
from hub.jobs.model import OutboxJob
from hub.organisations import find_unit
from hub.post.catcher import Catcher
from hub.records.vault import Vault
from hub.settings import Settings
from messaging import actors, alarms, nudging
from tests.integration.test_bounces import HEADERS, report
from tests.worlds import ISLINGTON, KENT, MET, World

assert actors  # whose handlers are at work here
NEWS = {"heading": "other", "text": "EXERCISE"}
EAST, SECOND, ESSEX = "East@kent.example.org", "second@kent.example.org", "team@essex.example.org"


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    world = World(database, vault, someone)
    for unit, value in ((KENT, EAST), ("essex", ESSEX)):
        mailbox(database, unit, value, priority=100)
    return world


def mailbox(database: Database, code: str, value: str, priority: int) -> None:
    with database.unit_of_work() as session:
        unit = find_unit(session, code)
        assert unit is not None
        session.add(
            ContactPoint(
                unit_id=unit.id, purpose="missing-children-team", channel="email", value=value,
                audience="professional", priority=priority, status="exercise",
                valid_from=utcnow().date() - timedelta(days=2), source="the test",
                source_date="2026-11-01",
            )
        )  # fmt: skip


class Post:
    """A server that answers each mailbox as it is told to, and the jobs that are done with it."""

    def __init__(self, world: World, settings: Settings, folder: Path) -> None:
        self.database, self.settings, self.folder = world.database, settings, folder
        self.answers: dict[str, str] = {}

    def work(self, now: datetime) -> None:
        """Do all that is due, what comes of it too."""
        with Catcher(self.folder) as catcher:
            mailing = self.settings.model_copy(update={"smtp_url": catcher.url})
            tried: set[object] = set()
            while due := self.waiting(now) - tried:
                tried |= due
                for job_id in due:
                    outbox.drive(self.database, job_id, now, mailing)

    def waiting(self, now: datetime) -> set[object]:
        with self.database.unit_of_work() as session:
            return set(
                session.scalars(
                    select(OutboxJob.id).where(
                        OutboxJob.finished_at.is_(None), OutboxJob.run_at <= now
                    )
                )
            )

    @property
    def mails(self) -> dict[str, str]:
        """Return the Message-IDs of the mails that were taken, by mailbox."""
        found, seen = {}, set[tuple[str, str]]()
        for file in self.folder.glob("*.eml"):
            letter = message_from_bytes(file.read_bytes(), policy=default)
            to, id_ = str(letter["To"]), str(letter["Message-ID"])
            assert (to, id_) not in seen, "a mailbox got a mail twice"
            seen.add((to, id_))
            found[to] = id_
        return found

    @property
    def flagged(self) -> set[str]:
        with self.database.unit_of_work() as session:
            chosen = select(ContactPoint.value).where(ContactPoint.bounced_at.is_not(None))
            return set(session.scalars(chosen))


@pytest.fixture
def post(world: World, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Post:
    post = Post(world, settings, tmp_path / "mail")
    usual = SMTP.smtp_RCPT

    async def answer(self: SMTP, argument: str) -> None:
        for address, reply in post.answers.items():
            if address in argument:
                await self.push(reply)
                return
        await usual(self, argument)

    monkeypatch.setattr(SMTP, "smtp_RCPT", answer)
    return post


def told(world: World) -> None:
    """Send a message to East Kent and to Essex, both staffed."""
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "update", to=[KENT, "essex"], **NEWS)
    world.now += timedelta(seconds=1)


def test_a_refusal_for_good_flags_the_mailbox_and_the_units_next_one_is_told(
    world: World, post: Post
) -> None:
    mailbox(world.database, KENT, SECOND, priority=200)
    post.answers[EAST] = "550 5.1.1 unknown"
    told(world)
    post.work(world.now)
    assert set(post.mails) == {SECOND, ESSEX}
    assert post.flagged == {EAST}
    later = world.now + timedelta(days=1)
    assert post.waiting(later) == set()


def test_a_refusal_for_now_holds_up_nobody_and_ends(world: World, post: Post) -> None:
    post.answers[EAST] = "451 4.7.1 greylisted"
    told(world)
    post.work(world.now)
    assert set(post.mails) == {ESSEX}
    assert post.flagged == set()
    later = world.now + timedelta(hours=2)
    assert len(post.waiting(later)) == 1
    post.work(later)
    assert set(post.mails) == {ESSEX}
    post.work(world.now + nudging.GIVEN_UP_AFTER + timedelta(hours=1))
    assert post.waiting(world.now + timedelta(days=9)) == set()
    post.answers.clear()
    told(world)
    post.folder = post.folder.with_name("again")
    post.work(world.now)
    assert set(post.mails) == {EAST, ESSEX}


def test_a_nudge_that_comes_back_flags_its_mailbox(world: World, post: Post) -> None:
    told(world)
    post.work(world.now)
    of_east = HEADERS.format(id=post.mails[EAST])
    with world.database.unit_of_work() as session:
        for copy, to, what in (
            (of_east, "stranger@example.org", "ignored"),
            (of_east, ESSEX, "ignored"),
            (of_east.replace("-", "0"), EAST.lower(), "ignored"),
            (of_east, EAST.lower(), "flagged"),
        ):
            (outcome,) = bounces.take_returned(session, report(copy, to=to), world.now)
            assert outcome.what == what, (to, outcome.sentence)
    assert post.flagged == {EAST}


def test_a_missed_clock_is_mailed_past_a_mailbox_that_refuses(world: World, post: Post) -> None:
    mailbox(world.database, MET, "met@example.org", priority=100)
    mailbox(world.database, ISLINGTON, "edt@islington.example.org", priority=100)
    world.open(world.social_worker, to=[MET])
    world.now += timedelta(minutes=11)
    with world.database.unit_of_work() as session:
        session.execute(update(OutboxJob).values(finished_at=world.now))
        alarms.escalate(session, world.now)
    post.answers["met@example.org"] = "550 5.1.1 unknown"
    post.work(world.now)
    assert set(post.mails) == {"edt@islington.example.org"}
    assert post.flagged == {"met@example.org"}
    assert post.waiting(world.now + timedelta(hours=2)) == set()
