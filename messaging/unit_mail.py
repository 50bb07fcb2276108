"""The mails that tell a unit to look at the hub: one job for each, so that none holds up another.

A mail may be repeated after a crash; its Message-ID is of cause and unit, so that a second copy is
known for one, and a mail that comes back is known for ours.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import public as directory
from hub.errors import HubError
from hub.jobs import outbox
from hub.jobs.model import OutboxJob
from hub.logs import get_logger
from hub.post import mail, returned
from messaging.model import Case, Clock, Message

log = get_logger(__name__)

NUDGE, ALARM = "nudge-unit", "alarm-unit"
MARKS = {"actual": "", "exercise": "EXERCISE ", "test": "TEST "}
GIVEN_UP_AFTER = timedelta(days=3)


def ask(
    session: Session, kind: str, subject_id: UUID, cause_id: UUID, unit_id: UUID, now: datetime
) -> None:
    """Have a unit mailed for a cause, once however often it is asked for."""
    outbox.enqueue(
        session, kind, subject_id, now=now, dedupe_key=mail.dedupe_key(f"{cause_id}.{unit_id}")
    )


def send(
    session: Session, job: outbox.Job, status: str, subject: str, text: str, now: datetime
) -> None:
    """Mail the unit of a job. A mailbox that refuses it for good is flagged, and not tried again:
    the unit's next is.

    Raises:
        HubError: the mail was not taken, and is to be tried again.
    """
    if now - job.created_at > GIVEN_UP_AFTER:
        log.warning("unit-mail-given-up", job_id=str(job.id), attempts=job.attempts)
        return
    settings, key = outbox.settings_of(session), _key(session.get_one(OutboxJob, job.id))
    mark = MARKS[status]
    for mailbox in directory.nudge_mailboxes(session, _unit(key), status, now):
        try:
            mail.send(
                settings,
                mail.Mail(
                    to=mailbox,
                    subject=f"{mark}{subject}",
                    text=f"{mark}{text}\n\n"
                    "This mail carries no details, and no answer to it is read.\n",
                    message_id=mail.message_id(settings, key),
                ),
            )
        except HubError as error:
            if error.code != "mail-recipient-refused":
                raise
            directory.mail_came_back(session, mailbox, now)
        else:
            return


def _key(job: OutboxJob) -> str:
    return (job.dedupe_key or "").removeprefix(mail.dedupe_key(""))


def _unit(key: str) -> UUID:
    return UUID(key.partition(".")[2])


@returned.sent_to(NUDGE)
def nudged(session: Session, job: OutboxJob) -> Sequence[str]:
    """Return the mailboxes that a nudge may have gone to: those of its unit."""
    status = session.scalar(
        select(Case.status)
        .join(Message, Message.case_id == Case.id)
        .where(Message.id == job.subject_id)
    )
    return _mailboxes(session, job, status)


@returned.sent_to(ALARM)
def alarmed(session: Session, job: OutboxJob) -> Sequence[str]:
    """Return the mailboxes that an alarm may have gone to: those of its unit."""
    status = session.scalar(
        select(Case.status).join(Clock, Clock.case_id == Case.id).where(Clock.id == job.subject_id)
    )
    return _mailboxes(session, job, status)


def _mailboxes(session: Session, job: OutboxJob, status: str | None) -> Sequence[str]:
    if status is None:
        return ()
    return directory.nudge_mailboxes(session, _unit(_key(job)), status, job.created_at)
