"""What is open in an exercise ends in the moment of its reset, and its papers answer nobody (4.9)."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from hub.app import create_app
from hub.db import Database, new_id
from hub.identity.actor import Actor
from hub.jobs import outbox
from hub.post import mail
from hub.post.catcher import Catcher
from hub.records.keys import Keys
from hub.records.vault import Vault
from hub.settings import Settings
from messaging import (
    actors,
    alarms,
    guest_links,
    guests,
    nudging,
    open_questions,
    resetting,
    signed_replies,
)
from messaging.effects.meetings import CALENDAR_JOB
from messaging.matching import MATCH_JOB
from messaging.signed_replies import Upload
from seed import cast, demo
from tests.integration.test_guest_links import GUEST, NOW, Offer
from tests.integration.test_meetings import INVITATION, words
from tests.integration.test_signed_replies import PAPER, SIGNER
from tests.letters import letters, post
from tests.worlds import KENT, MET, World, refused

MORE = ("lead_request", "located_claim", "dispute", "direction", "information_request", "action")


def reset(world: World | Offer, actor: Actor) -> None:
    now = world.now + timedelta(seconds=1) if isinstance(world, World) else NOW
    with world.database.unit_of_work() as session:
        seen = [case.reference for case in resetting.preview(session, actor)]
        assert resetting.reset(session, actor, world.vault, seen, "EXERCISE over", now)


def test_the_lead_and_all_that_is_open_end_in_the_same_moment(
    database: Database, vault: Vault, someone: Callable[..., Actor], superuser_url: str
) -> None:
    world = World(database, vault, someone)
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], rationale="majority-of-enquiries",
               circumstances="EXERCISE")  # fmt: skip
    world.send(world.met, ref, "dispute", to=[KENT], grounds="EXERCISE")
    world.send(world.met, ref, "information-request", to=["essex"], questions="EXERCISE",
               immediate_action=True)  # fmt: skip
    world.send(world.kent, ref, "located", located_at=world.now.isoformat(),
               seen_by="EXERCISE PC", place="EXERCISE", how="police")  # fmt: skip
    with psycopg.connect(superuser_url) as connection:

        def query(table: str) -> sql.Composed:
            return sql.SQL("SELECT state FROM {}").format(sql.Identifier(table))

        def states(table: str) -> set[str]:
            return {row[0] for row in connection.execute(query(table))}

        opened = [table for table in MORE if "open" in states(table)]
        assert opened == ["lead_request", "located_claim", "dispute", "information_request"]
        connection.rollback()
        reset(world, someone(MET, "supervisor", name="EXERCISE Inspector"))
        assert {state for table in MORE for state in states(table)} == {"overtaken"}
        assert connection.execute(
            "SELECT e.end_reason, e.ended_at = t.until, e.ended_at = c.reset_at FROM episode e"
            " JOIN tenure t ON t.episode_id = e.id JOIN cases c ON c.id = e.case_id"
        ).fetchall() == [("reset", True, True)]
        assert connection.execute(
            "SELECT count(*) FROM clock WHERE met_at IS NULL AND ended_at IS NULL"
        ).fetchone() == (0,)
        assert connection.execute("SELECT answered_by_name FROM dispute").fetchone() == (
            "EXERCISE Inspector",
        )


@pytest.fixture
def offer(database: Database, keys: Keys) -> Offer:
    return Offer(database, keys)


@pytest.mark.exercise(NOW)
def test_links_and_papers_of_a_reset_exercise_answer_nobody(
    offer: Offer, settings: Settings, keys: Keys
) -> None:
    token, code = offer.link()
    with offer.database.unit_of_work() as session:
        inspector = demo.actor_of(session, cast.MET_INSPECTOR)
        officer = demo.actor_of(session, cast.MET_OFFICER)
        upload = Upload(offer.message_id, offer.unit_id, "accept", SIGNER, BytesIO(PAPER))
        paper = signed_replies.attach(session, officer, offer.vault, upload, NOW)
    reset(offer, inspector)
    with offer.database.unit_of_work() as session:
        refused("not-found", lambda: guests.card(session, token, NOW))
        refused("link-over", lambda: guests.give_code(session, keys, token, code, GUEST, NOW))
        refused(
            "not-found",
            lambda: guest_links.issue(session, officer, keys, offer.message_id, offer.unit_id, NOW),
        )
        refused("not-found", lambda: open_questions.asked(session, officer, offer.reference, 2))
        again = Upload(offer.message_id, offer.unit_id, "accept", SIGNER, BytesIO(PAPER))
        refused(
            "not-found", lambda: signed_replies.attach(session, officer, offer.vault, again, NOW)
        )
        for act in (signed_replies.read, signed_replies.file):
            refused("not-found", lambda act=act: act(session, inspector, offer.vault, paper, NOW))
        refused(
            "not-found",
            lambda: signed_replies.decide(
                session, inspector, offer.vault, paper, authorise=True, now=NOW
            ),
        )
    app = create_app(settings, keys=keys)
    with app.test_client() as client:
        assert client.get(f"/answer/{token}").status_code == 404
    app.extensions["hub"].database.dispose()


KINDS = {
    "nudge": "message", nudging.NUDGE: "message", alarms.ALARM_JOB: "clock",
    nudging.ALARM: "clock", alarms.ADJUDICATE_JOB: "message", nudging.DECIDE: "message",
    guest_links.MAIL_JOB: "guest_link", CALENDAR_JOB: "meeting_attendee", MATCH_JOB: "match",
}  # fmt: skip
"""Every kind of job about a case, and the table of what it is about."""
OTHERS = {resetting.TELL, nudging.RESET}


def test_every_kind_of_job_about_a_reset_exercise_ends_and_mails_nobody(
    database: Database, vault: Vault, someone: Callable[..., Actor], settings: Settings,
    keys: Keys, tmp_path: Path,
) -> None:  # fmt: skip
    assert actors.__all__
    of_cases = {
        kind for kind, done in outbox._handlers.items() if done.__module__.startswith("messaging")
    }
    assert of_cases == KINDS.keys() | OTHERS
    world = World(database, vault, someone)
    with database.unit_of_work() as session:
        demo.load(session, keys, world.now)
        met = demo.actor_of(session, cast.MET_OFFICER)
        inspector = demo.actor_of(session, cast.MET_INSPECTOR)
    child = {"family_name": "Example", "given_name": "EXERCISE", "date_of_birth": "2012-03-27"}
    ref = world.open(met, child=child).case_reference
    world.open(world.kent, child=child)
    team = "devon-and-cornwall"
    asked = world.send(met, ref, "lead-transfer-request", to=[team], rationale="majority-of-enquiries",
                       circumstances="EXERCISE")  # fmt: skip
    world.send(met, ref, INVITATION, **words(world))
    with database.unit_of_work() as session:
        unit = session.scalar(text("SELECT id FROM unit WHERE code = :code"), {"code": team})
        guest_links.issue(session, met, keys, asked.message_id, unit, world.now)
    with database.unit_of_work() as session:
        session.execute(text("UPDATE outbox_job SET finished_at = now() WHERE finished_at IS NULL"))
        case_id = session.scalar(text("SELECT id FROM cases WHERE reference = :ref"), {"ref": ref})
        subjects = {
            "message": "SELECT id FROM message WHERE case_id = :id",
            "clock": "SELECT id FROM clock WHERE case_id = :id",
            "guest_link": "SELECT l.id FROM guest_link l JOIN message m ON m.id = l.message_id"
            " WHERE m.case_id = :id",
            "meeting_attendee": "SELECT a.id FROM meeting_attendee a"
            " JOIN meeting g ON g.id = a.meeting_id WHERE g.case_id = :id",
            "match": "SELECT id FROM match WHERE :id IN (one_case_id, other_case_id)",
        }
        found = {
            name: session.scalars(text(query), {"id": case_id}).all()
            for name, query in subjects.items()
        }
        assert all(found.values()), {name: len(rows) for name, rows in found.items()}
    reset(world, inspector)
    with database.unit_of_work() as session:
        session.execute(text("UPDATE outbox_job SET finished_at = now() WHERE finished_at IS NULL"))
        for kind, table in KINDS.items():
            for subject in found[table]:
                key = mail.dedupe_key(f"{new_id()}.{world.kent.unit_id}")
                outbox.enqueue(session, kind, subject, now=world.now, dedupe_key=key)
    catcher = Catcher(tmp_path / "mail")
    catcher.start()
    post(database, settings, catcher, world.now)
    caught = letters(catcher)
    catcher.stop()
    assert caught == []
