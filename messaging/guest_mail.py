"""The mail that carries a guest link: a reference and a link, nothing else (DOMAIN.md 4.11)."""

from datetime import datetime

from sqlalchemy.orm import Session

from hub.jobs import outbox
from hub.jobs.model import OutboxJob
from hub.post import mail, returned
from hub.records.keys import Keys
from hub.settings import Settings
from messaging import guest_secrets
from messaging.guest_links import MAIL_JOB
from messaging.guest_model import GuestLink
from messaging.model import Case, Message

MARKS = {"exercise": "EXERCISE ", "test": "TEST "}


@outbox.handler(MAIL_JOB)
def send(session: Session, job: outbox.Job, now: datetime) -> None:
    """Mail a link that is still good; one that was used, revoked or has expired needs no mail."""
    link = session.get_one(GuestLink, job.subject_id)
    if link.used_at is not None or link.revoked_at is not None or link.expires_at <= now:
        return
    settings = outbox.settings_of(session)
    message = session.get_one(Message, link.message_id)
    case = session.get_one(Case, message.case_id)
    mail.send(settings, letter(settings, Keys.load(settings.keys_dir), link, case, job))


@returned.sent_to(MAIL_JOB)
def sent_to(session: Session, job: OutboxJob) -> tuple[str, ...]:
    """Return the address that a link was mailed to."""
    link = session.get(GuestLink, job.subject_id)
    return (link.mailbox,) if link else ()


def letter(
    settings: Settings, keys: Keys, link: GuestLink, case: Case, job: outbox.Job
) -> mail.Mail:
    """Return the mail of a link; its Message-ID is the same however often it is sent."""
    address = f"{settings.public_url.rstrip('/')}/answer/{guest_secrets.token(keys, link.id)}"
    mark = MARKS.get(case.status, "")
    return mail.Mail(
        to=link.mailbox,
        subject=f"{mark}{case.reference}: your answer is asked for",
        text=(
            f"{mark}Missing Children Hub\n\n"
            f"A police unit has rung you about {case.reference} and asks for your answer.\n\n"
            f"{address}\n\n"
            "The page asks for your name, your collar number and the six-digit code that was read"
            " out to you. If nobody gave you a code, ring the unit that rang you."
            " The link works once, for 24 hours.\n"
        ),
        message_id=mail.message_id(settings, job.id),
    )
