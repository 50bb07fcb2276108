"""The hub's mails as a test reads them: jobs done by hand, a real SMTP server, the links in it."""

import re
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from sqlalchemy import select

from hub.db import Database
from hub.jobs import outbox
from hub.jobs.model import OutboxJob
from hub.post.catcher import Catcher
from hub.settings import Settings


def post(database: Database, settings: Settings, catcher: Catcher, now: datetime) -> None:
    """Do every job that waits, its mails to the catcher."""
    work(database, settings.model_copy(update={"smtp_url": catcher.url}), now)


def work(database: Database, settings: Settings, now: datetime) -> None:
    """Do every job that waits, and those that it asks for."""
    chosen = select(OutboxJob.id).where(OutboxJob.finished_at.is_(None))
    while True:
        with database.unit_of_work() as session:
            waiting = list(session.scalars(chosen.order_by(OutboxJob.id)))
        if not waiting:
            return
        for job_id in waiting:
            assert outbox.drive(database, job_id, now, settings)


def letters(catcher: Catcher) -> list[EmailMessage]:
    """Return the mails that were caught, oldest first."""
    found = [
        message_from_bytes(file.read_bytes(), policy=default)
        for file in sorted(catcher.folder.glob("*.eml"))
    ]
    return sorted(found, key=lambda one: one["Message-ID"])


def path_in(letter: EmailMessage) -> str:
    """Return the path of the link in a mail."""
    found = re.search(r"https?://[^/\s]+(/directory/\S+)", letter.get_content())
    assert found is not None
    return found[1]
