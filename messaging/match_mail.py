"""The mail that tells both sides of a match to look: a reference of their own and a link (4.10)."""

from datetime import datetime

from sqlalchemy.orm import Session

from directory import public as directory
from hub.jobs import outbox
from hub.post import mail
from messaging import contested
from messaging.matching import MATCH_JOB

MARKS = {"exercise": "EXERCISE ", "test": "TEST "}


@outbox.handler(MATCH_JOB)
def send(session: Session, job: outbox.Job, now: datetime) -> None:
    """Mail each unit that an open match concerns; one that is closed by then needs no mail."""
    settings = outbox.settings_of(session)
    for one in contested.told(session, job.subject_id):
        mailbox = directory.nudge_mailbox(session, one.unit_id, one.status, now)
        if mailbox is None:
            continue
        mark = MARKS.get(one.status, "")
        mail.send(
            settings,
            mail.Mail(
                to=mailbox,
                subject=f"{mark}Urgent: {one.reference}: look at it now",
                text=f"{mark}{one.reference}\n\nYour answer is needed in this case, and a call to"
                f" another unit. Sign in to see whom to ring:\n"
                f"{settings.public_url}/cases/{one.reference}\n\n"
                "This mail carries no details, and no answer to it is read.\n",
                message_id=f"<{job.id}.{one.unit_id}@{settings.mail_from.partition('@')[2]}>",
            ),
        )
