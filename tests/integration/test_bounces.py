"""An address whose mail came back is flagged, by whom it is believed from, until it is made right."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from flask.testing import FlaskClient
from sqlalchemy import select

from directory import bounces, editing, links
from directory.entry_contracts import ContactIn
from directory.model import ContactPoint, DirectoryLink
from hub.app import create_app
from hub.clock import utcnow
from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.jobs import outbox
from hub.jobs.model import OutboxJob
from hub.organisations import find_unit
from hub.post.catcher import Catcher
from hub.records.keys import Keys
from hub.settings import Settings
from tests.conftest import Someone

NOW = utcnow()
TEAM = "Missing.Team@kent.example.org"
REPORT = """\
From: MAILER-DAEMON@mx.example.net
To: hub@missing-children-hub.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: {kind}; report-type=delivery-status; boundary="edge"

--edge
Content-Type: text/plain

I could not deliver your mail.

--edge
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
Arrival-Date: Tue, 24 Nov 2026 03:00:00 +0000

Final-Recipient: rfc822; {to}
Original-Recipient: rfc822;{to}
Action: {action}
Status: {status} (mailbox unknown)
Diagnostic-Code: smtp; 550 5.1.1 unknown

--edge
{copy}
--edge--
"""
WHOLE = "Content-Type: message/rfc822\n\nMessage-ID: {id}\nTo: x@example.org\nSubject: s\n\ntext\n"
HEADERS = "Content-Type: text/rfc822-headers\n\nMessage-ID: {id}\nTo: x@example.org\n"


class Mailed:
    """A link mailed to Kent's team by a real server, whose mailbox is on record as a contact."""

    def __init__(self, database: Database, keys: Keys, settings: Settings, editor: Actor) -> None:
        self.database, self.settings, self.editor = database, settings, editor
        with database.unit_of_work() as session:
            unit = find_unit(session, "kent/east")
            assert unit is not None
            given = ContactIn(
                purpose="missing-children-team", channel="email", value=TEAM, audience="public"
            )
            contact = editing.add_contact(
                session, editor, unit.id, given, why="it is ours", now=NOW, checked=True
            )
            self.contact_id = contact.id
            link = links.issue(
                session, keys, purpose="verify", organisation_id=unit.organisation_id,
                unit_id=unit.id, address=TEAM, sent_by="the test", now=NOW,
            )  # fmt: skip
            self.link_id = link.id

    @property
    def job(self) -> OutboxJob:
        with self.database.unit_of_work() as session:
            return session.scalars(
                select(OutboxJob).where(OutboxJob.subject_id == self.link_id)
            ).one()

    def deliver(self, folder: Path) -> str:
        """Mail the link, and return its Message-ID."""
        with Catcher(folder) as catcher:
            mailing = self.settings.model_copy(update={"smtp_url": catcher.url})
            assert outbox.drive(self.database, self.job.id, NOW, mailing)
        (file,) = folder.glob("*.eml")
        return str(message_from_bytes(file.read_bytes(), policy=default)["Message-ID"])

    def returned(self, copy: str = "", **changes: str) -> list[str]:
        with self.database.unit_of_work() as session:
            taken = bounces.take_returned(session, report(copy, **changes), NOW)
        return [one.what for one in taken]

    @property
    def flagged(self) -> tuple[bool, bool]:
        """Whether the contact is flagged, and the link."""
        with self.database.unit_of_work() as session:
            return (
                session.get_one(ContactPoint, self.contact_id).bounced_at is not None,
                session.get_one(DirectoryLink, self.link_id).bounced_at is not None,
            )


def report(copy: str = "", **changes: str) -> bytes:
    words = {"to": TEAM.lower(), "action": "failed", "status": "5.1.1", "kind": "multipart/report"}
    return REPORT.format(copy=copy, **(words | changes)).replace("\n", "\r\n").encode()


@pytest.fixture
def mailed(database: Database, keys: Keys, settings: Settings, someone: Someone) -> Mailed:
    editor = someone("kent", "directory-editor", status="actual")
    return Mailed(database, keys, settings, editor)


@pytest.mark.parametrize("copy", [WHOLE, HEADERS])
def test_a_returned_mail_of_ours_flags_its_address(
    mailed: Mailed, tmp_path: Path, copy: str
) -> None:
    message_id = mailed.deliver(tmp_path / "mail")
    assert mailed.returned(copy.format(id=message_id)) == ["flagged"]
    assert mailed.flagged == (True, True)
    assert mailed.returned(copy.format(id=message_id)) == ["flagged"]


@pytest.mark.parametrize(
    ("action", "status"),
    [("delayed", "4.4.1"), ("failed", "4.2.2"), ("delivered", "2.0.0"), ("relayed", "5.0.0"),
     ("failed", "nonsense")],
)  # fmt: skip
def test_what_may_yet_arrive_flags_nothing(
    mailed: Mailed, tmp_path: Path, action: str, status: str
) -> None:
    copy = WHOLE.format(id=mailed.deliver(tmp_path / "mail"))
    assert mailed.returned(copy, action=action, status=status) == ["ignored"]
    assert mailed.flagged == (False, False)


def test_a_forged_report_flags_nothing(mailed: Mailed, tmp_path: Path) -> None:
    stranger = WHOLE.format(id=f"<{mailed.contact_id}@missing-children-hub.example>")
    assert mailed.returned(stranger) == ["ignored"]
    ours = WHOLE.format(id=mailed.deliver(tmp_path / "mail"))
    assert mailed.returned(ours, to="somebody@essex.example.org") == ["ignored"]
    assert mailed.returned("", to="somebody@essex.example.org") == ["ignored"]
    assert mailed.flagged == (False, False)


def test_a_report_that_lost_the_message_id_is_believed_for_a_week(
    mailed: Mailed, tmp_path: Path
) -> None:
    other = HEADERS.format(id="<rewritten@relay.example.net>")
    assert mailed.returned(other) == ["ignored"]
    mailed.deliver(tmp_path / "mail")
    with mailed.database.unit_of_work() as session:
        late = NOW + timedelta(days=8)
        (outcome,) = bounces.take_returned(session, report(other), late)
    assert outcome.what == "ignored"
    assert mailed.returned(other) == ["flagged"]
    assert mailed.flagged == (True, True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Subject: Out of office\n\nI am away.",
        report(kind="multipart/mixed"),
        report().replace(b"message/delivery-status", b"text/plain"),
        b"\xff\x00" * 50,
    ],
)
def test_what_is_no_report_is_said_to_be_none(database: Database, content: bytes) -> None:
    with pytest.raises(HubError) as caught, database.unit_of_work() as session:
        bounces.take_returned(session, content, NOW)
    assert caught.value.code == "not-a-returned-mail"


def test_a_mailbox_that_the_server_refuses_is_flagged_and_one_it_defers_is_tried_again(
    mailed: Mailed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = ["451 4.7.1 greylisted", "550 5.1.1 unknown"]

    async def refuse(self: SMTP, _argument: str) -> None:
        await self.push(replies[0])

    monkeypatch.setattr(SMTP, "smtp_RCPT", refuse)
    with Catcher(tmp_path / "mail") as catcher:
        mailing = mailed.settings.model_copy(update={"smtp_url": catcher.url})
        assert not outbox.drive(mailed.database, mailed.job.id, NOW, mailing)
        assert mailed.job.last_error_code == "mail-recipient-deferred"
        assert mailed.flagged == (False, False)
        replies.pop(0)
        later = NOW + timedelta(hours=2)
        assert outbox.drive(mailed.database, mailed.job.id, later, mailing)
    assert mailed.flagged == (True, True)


def _changed(mailed: Mailed, session: Any) -> None:
    given = ContactIn(
        purpose="missing-children-team", channel="email", value="new@kent.example.org",
        audience="public",
    )  # fmt: skip
    editing.change_contact(
        session, mailed.editor, mailed.contact_id, given, version=None, why="it moved", now=NOW
    )


def _confirmed(mailed: Mailed, session: Any) -> None:
    contact = session.get_one(ContactPoint, mailed.contact_id)
    editing.confirm_contacts(session, mailed.editor, contact.unit_id, NOW)


@pytest.mark.parametrize("mend", [_changed, _confirmed])
def test_the_flag_goes_when_the_address_is_changed_or_verified_again(
    mailed: Mailed, tmp_path: Path, mend: Callable[[Mailed, Any], None]
) -> None:
    mailed.returned(WHOLE.format(id=mailed.deliver(tmp_path / "mail")))
    with mailed.database.unit_of_work() as session:
        mend(mailed, session)
    assert mailed.flagged[0] is False


def hand_in(settings: Settings, content: bytes) -> subprocess.CompletedProcess[bytes]:
    environment = {
        "DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url,
        "HUB_DATA_DIR": str(settings.data_dir), "HUB_KEYS_DIR": str(settings.keys_dir),
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "hub.cli", "mail", "returned"],
        env={**os.environ, **environment}, input=content, capture_output=True, timeout=60,
        check=False,
    )  # fmt: skip


def test_a_mail_server_hands_returned_messages_in_by_a_pipe(mailed: Mailed, tmp_path: Path) -> None:
    message_id = mailed.deliver(tmp_path / "mail")
    done = hand_in(mailed.settings, report(WHOLE.format(id=message_id)))
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"is flagged" in done.stdout
    assert mailed.flagged == (True, True)
    done = hand_in(mailed.settings, b"Subject: Out of office\n\nI am away.")
    assert done.returncode == 0
    assert done.stdout.startswith(b"Ignored: This is no delivery status notification")
    away = mailed.settings.model_copy(update={"database_url": "postgresql://a@127.0.0.1:9/none"})
    assert hand_in(away, report()).returncode == 75


CALLBACK = "/api/v1/post/notify-callback"
TOKEN = "a token of the test's own"


@pytest.fixture
def client(settings: Settings, keys: Keys) -> Any:
    app = create_app(settings.model_copy(update={"notify_callback_token": TOKEN}), keys=keys)
    with app.test_client() as client:
        yield client
    app.extensions["hub"].database.dispose()


def receipt(client: FlaskClient, mailed: Mailed, status: str, **changes: Any) -> str:
    given = {
        "id": "740e5834-3a29-46b4-9a6f-16142fde533a", "status": status, "to": TEAM,
        "reference": f"{mailed.job.id}@missing-children-hub.example",
        "created_at": "2026-11-24T03:00:00.000000Z", "completed_at": None, "sent_at": None,
        "notification_type": "email", "template_id": None, "template_version": 1,
    }  # fmt: skip
    reply = client.post(
        CALLBACK, json=given | changes, headers={"Authorization": f"Bearer {TOKEN}"}
    )
    assert reply.status_code == 200, reply.text
    return str(reply.json["outcome"])


def test_notify_calls_back_with_what_became_of_a_mail(
    mailed: Mailed, tmp_path: Path, client: FlaskClient
) -> None:
    mailed.deliver(tmp_path / "mail")
    for status in ("delivered", "temporary-failure", "sending"):
        assert receipt(client, mailed, status) == "ignored"
    assert receipt(client, mailed, "permanent-failure", to="x@example.org") == "ignored"
    assert receipt(client, mailed, "permanent-failure", reference=None) == "ignored"
    assert mailed.flagged == (False, False)
    assert mailed.job.finished_at is not None
    assert receipt(client, mailed, "technical-failure") == "again"
    assert mailed.job.finished_at is None
    assert receipt(client, mailed, "permanent-failure") == "flagged"
    assert mailed.flagged == (True, True)


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", TOKEN + "x", "Bearer é"])
def test_a_call_back_without_the_token_is_refused(
    client: FlaskClient, mailed: Mailed, given: str
) -> None:
    reply = client.post(CALLBACK, json={}, headers={"Authorization": given})
    assert reply.status_code == 401
    assert reply.mimetype == "application/problem+json"


def test_without_a_token_agreed_no_call_back_is_taken(settings: Settings, keys: Keys) -> None:
    app = create_app(settings, keys=keys)
    reply = app.test_client().post(CALLBACK, json={}, headers={"Authorization": "Bearer "})
    assert reply.status_code == 401
