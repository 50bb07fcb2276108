"""Whatever leaves the hub about an exercise says EXERCISE: pages, prints, calendars, mails (4.9)."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pypdf
import pytest
from sqlalchemy import text

from hub.app import create_app
from hub.db import Database, new_id
from hub.identity.actor import PUBLIC, Actor
from hub.jobs import outbox
from hub.post import mail
from hub.post.catcher import Catcher
from hub.records.keys import Keys
from hub.records.vault import Vault
from hub.settings import Settings
from messaging import actors, alarms, guest_links, guest_secrets, nudging, resetting
from messaging.effects.meetings import CALENDAR_JOB
from messaging.matching import MATCH_JOB
from seed import cast, demo
from tests.integration.test_meetings import INVITATION, words
from tests.letters import letters, post
from tests.worlds import World

ABOUT_CASES = ("/cases/", "/answer/", "/meetings/", "/inbox/", "/exercise", "/signed")
BANNER = "EXERCISE EXERCISE EXERCISE"
CHILD = {"family_name": "Example", "given_name": "Robin", "date_of_birth": "2012-03-27"}
AWAY = "devon-and-cornwall"
ONE = {"nudge": nudging.NUDGE, alarms.ALARM_JOB: nudging.ALARM,
       alarms.ADJUDICATE_JOB: nudging.DECIDE, resetting.TELL: nudging.RESET}  # fmt: skip
"""The jobs that mail nobody themselves, and those that they ask for."""


class Drill:
    """A case of the demonstration's people, with a meeting, a match and a guest link in it."""

    def __init__(self, world: World, keys: Keys) -> None:
        self.world = world
        with world.database.unit_of_work() as session:
            demo.load(session, keys, world.now)
            self.met = demo.actor_of(session, cast.MET_OFFICER)
            self.inspector = demo.actor_of(session, cast.MET_INSPECTOR)
        self.ref = world.open(self.met, child=CHILD).case_reference
        world.open(world.kent, child=CHILD)
        self.asked = world.send(self.met, self.ref, "lead-transfer-request", to=[AWAY],
                                rationale="majority-of-enquiries",
                       circumstances="Words").message_id  # fmt: skip
        self.told = world.send(self.met, self.ref, INVITATION, **words(world)).message_id
        with world.database.unit_of_work() as session:
            unit = session.scalar(text("SELECT id FROM unit WHERE code = :code"), {"code": AWAY})
            link = guest_links.issue(session, self.met, keys, self.asked, unit, world.now)
            case = {"id": session.scalar(
                text("SELECT id FROM cases WHERE reference = :ref"), {"ref": self.ref}
            )}  # fmt: skip
            self.clock = session.scalars(
                text("SELECT id FROM clock WHERE message_id = :id AND kind LIKE 'lead-%'"),
                {"id": self.asked},
            ).one()
            self.meeting = session.scalars(
                text("SELECT id FROM meeting WHERE case_id = :id"), case
            ).one()
            self.chairs = session.scalars(
                text("SELECT id FROM meeting_attendee WHERE meeting_id = :id"), {"id": self.meeting}
            ).all()
            self.match = session.scalars(text("SELECT id FROM match")).one()
        self.link, self.token = link.id, guest_secrets.token(keys, link.id)


@pytest.fixture
def drill(database: Database, vault: Vault, someone: Callable[..., Actor], keys: Keys) -> Drill:
    return Drill(World(database, vault, someone), keys)


def test_every_page_print_and_calendar_of_a_case_says_so(
    drill: Drill, settings: Settings, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    acting = [PUBLIC]
    monkeypatch.setattr("hub.web.guards.from_cookie", lambda: acting[-1])
    app = create_app(settings, keys=keys)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    fill = {"reference": drill.ref, "meeting_id": drill.meeting, "message_type": "update",
            "number": 2, "unit": AWAY, "token": drill.token}  # fmt: skip
    shown, unmarked = [], []
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(ABOUT_CASES) or not rule.arguments & {"reference", "token"}:
            continue
        values = {name: fill.get(name, new_id()) for name in rule.arguments}
        with app.test_request_context():
            path = app.url_for(rule.endpoint, **values)
        acting.append(PUBLIC if "token" in rule.arguments else drill.met)
        for method in (rule.methods or set()) & {"GET", "POST"}:
            reply = client.open(
                path, method=method, follow_redirects=True,
                data={"purpose": "court", "why": "A hearing"} if method == "POST" else None,
            )  # fmt: skip
            assert reply.status_code < 500, path
            if reply.mimetype == "application/pdf":
                pages = pypdf.PdfReader(io.BytesIO(reply.data)).pages
                marked = all(BANNER in page.extract_text() for page in pages)
            elif reply.mimetype == "text/calendar":
                marked = "SUMMARY:EXERCISE " in reply.text
            else:
                title = reply.text.partition("<title>")[2]
                marked = BANNER in reply.text and title.startswith("EXERCISE")
            shown += [rule.rule] if reply.status_code == 200 else []
            unmarked += [] if marked else [(method, path, reply.status_code, reply.mimetype)]
    app.extensions["hub"].database.dispose()
    assert unmarked == [], unmarked
    wanted = {"", "/pack", "/pack.pdf", "/timeline", "/looks", "/script"}
    assert {f"/cases/<reference>{one}" for one in wanted - {"/script"}} <= set(shown)
    assert "/answer/<token>" in shown
    assert len(set(shown)) > 12, shown


def test_every_kind_of_mail_says_so_in_its_subject_and_its_first_line(
    drill: Drill, settings: Settings, tmp_path: Path
) -> None:
    assert actors.__all__
    world, database = drill.world, drill.world.database
    subjects = {
        "nudge": [drill.told], alarms.ALARM_JOB: [drill.clock],
        alarms.ADJUDICATE_JOB: [drill.asked], guest_links.MAIL_JOB: [drill.link],
        CALENDAR_JOB: drill.chairs, MATCH_JOB: [drill.match],
    }  # fmt: skip
    of_cases = {
        kind for kind, done in outbox._handlers.items() if done.__module__.startswith("messaging")
    }
    assert of_cases == {*subjects, *ONE, *ONE.values()}
    with database.unit_of_work() as session:
        session.execute(text("UPDATE outbox_job SET finished_at = now() WHERE finished_at IS NULL"))
    with Catcher(tmp_path / "mail") as catcher:
        for kind in [*subjects, resetting.TELL]:
            before = {one["Message-ID"] for one in letters(catcher)}
            with database.unit_of_work() as session:
                if kind == resetting.TELL:
                    seen = [one.reference for one in resetting.preview(session, drill.inspector)]
                    resetting.reset(session, drill.inspector, world.vault, seen, "Over", world.now)
                for subject in subjects.get(kind, []):
                    key = mail.dedupe_key(f"{new_id()}.{new_id()}")
                    outbox.enqueue(session, kind, subject, now=world.now, dedupe_key=key)
            post(database, settings, catcher, world.now + timedelta(minutes=1))
            fresh = [one for one in letters(catcher) if one["Message-ID"] not in before]
            assert fresh, kind
            for one in fresh:
                assert one["Subject"].startswith("EXERCISE "), kind
                words_ = (one.get_body(("plain",)) or one).get_content()
                assert words_.startswith("EXERCISE "), kind
                for part in one.walk():
                    if part.get_content_type() == "text/calendar":
                        assert "SUMMARY:EXERCISE " in part.get_content()
