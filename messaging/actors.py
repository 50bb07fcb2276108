"""What workers and the scheduler do for messaging: nudges, missed clocks, late deliveries."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import public as directory
from hub.identity import sessions
from hub.identity.reach import reach_of
from hub.jobs import outbox, schedule
from hub.post import mail
from messaging import alarms, guest_mail, receipts, succession
from messaging.model import Case, Message, Recipient

__all__ = ["guest_mail"]

MARKS = {"actual": "", "exercise": "EXERCISE ", "test": "TEST "}


@outbox.handler("nudge")
def nudge(session: Session, job: outbox.Job, now: datetime) -> None:
    """Mail each staffed recipient's mailbox that something is in its inbox: reference and link alone.

    May be repeated after a crash; the Message-ID is of message and unit, so that a second copy is
    known for one.
    """
    settings = outbox.settings_of(session)
    row = session.execute(
        select(Message.priority, Case.reference, Case.status)
        .join(Case, Case.id == Message.case_id)
        .where(Message.id == job.subject_id)
    ).one()
    units = list(
        session.scalars(select(Recipient.unit_id).where(Recipient.message_id == job.subject_id))
    )
    reaches = reach_of(session, units, row.status, now)
    mark = MARKS[row.status]
    urgent = "Urgent: " if row.priority == "urgent" else ""
    for unit in sorted(units):
        mailbox = directory.nudge_mailbox(session, unit, row.status, now)
        if reaches[unit] != "staffed" or mailbox is None:
            continue
        mail.send(
            settings,
            mail.Mail(
                to=mailbox,
                subject=f"{mark}{urgent}{row.reference}: a message in your inbox",
                text=f"{mark}{row.reference}\n\nThere is a message for your unit. Sign in to read"
                f" it:\n{settings.public_url}/cases/{row.reference}\n\n"
                "This mail carries no details, and no answer to it is read.\n",
                message_id=f"<{job.subject_id}.{unit}@{settings.mail_from.partition('@')[2]}>",
            ),
        )


@schedule.tick("missed-clocks", 5)
def missed(session: Session, now: datetime) -> None:
    """Take missed clocks a step up; that closes and moves nothing (DOMAIN.md 6)."""
    alarms.escalate(session, now)


@outbox.handler(alarms.ALARM_JOB)
def alarm(session: Session, job: outbox.Job, now: datetime) -> None:
    """Mail those whom a missed clock concerns: who owes it, its step up, and who waits for it.

    A reference and a link alone; the page says whom to ring and what to say.
    """
    settings = outbox.settings_of(session)
    found = alarms.concerned(session, job.subject_id, now)
    if found is None:
        return
    mark = MARKS[found.status]
    for unit in found.units:
        mailbox = directory.nudge_mailbox(session, unit, found.status, now)
        if mailbox is None:
            continue
        mail.send(
            settings,
            mail.Mail(
                to=mailbox,
                subject=f"{mark}Overdue: {found.reference}",
                text=f"{mark}{found.reference}\n\nAn answer in this case is overdue. Sign in to see"
                f" what, and whom to ring:\n{settings.public_url}/cases/{found.reference}\n\n"
                "This mail carries no details, and no answer to it is read.\n",
                message_id=f"<{job.id}.{unit}@{settings.mail_from.partition('@')[2]}>",
            ),
        )


@schedule.tick("late-deliveries", 10)
def deliver_late(session: Session, now: datetime) -> None:
    """Deliver what waited for units that have since come onto the hub."""
    receipts.catch_up(session, now)


@schedule.tick("superseded-units", 15)
def superseded(session: Session, now: datetime) -> None:
    """Hand the open cases of units that are no more to their successors (DOMAIN.md 4.1d)."""
    succession.take_over(session, now)


@schedule.tick("sign-in-attempts", 3600)
def forget(session: Session, now: datetime) -> None:
    """Drop sign-in attempts that throttle nobody any more."""
    sessions.forget_attempts(session, now)
