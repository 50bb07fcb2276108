"""What workers and the scheduler do for messaging: nudges, missed clocks, late deliveries."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.identity import sessions
from hub.identity.reach import reach_of
from hub.jobs import outbox, schedule
from messaging import alarms, guest_mail, receipts, succession, unit_mail
from messaging.model import Case, Message, Recipient

__all__ = ["guest_mail"]


@outbox.handler("nudge")
def nudge(session: Session, job: outbox.Job, now: datetime) -> None:
    """Have each staffed recipient's mailbox told that something is in its inbox, once a message."""
    status = session.scalars(
        select(Case.status).join(Message, Message.case_id == Case.id)
        .where(Message.id == job.subject_id)
    ).one()  # fmt: skip
    units = list(
        session.scalars(select(Recipient.unit_id).where(Recipient.message_id == job.subject_id))
    )
    reaches = reach_of(session, units, status, now)
    for unit in sorted(units):
        if reaches[unit] == "staffed":
            unit_mail.ask(session, unit_mail.NUDGE, job.subject_id, job.subject_id, unit, now)


@outbox.handler(unit_mail.NUDGE)
def nudge_unit(session: Session, job: outbox.Job, now: datetime) -> None:
    """Mail a unit's mailbox that something is in its inbox: reference and link alone."""
    row = session.execute(
        select(Message.priority, Case.reference, Case.status)
        .join(Case, Case.id == Message.case_id)
        .where(Message.id == job.subject_id)
    ).one()
    urgent = "Urgent: " if row.priority == "urgent" else ""
    unit_mail.send(
        session, job, row.status,
        f"{urgent}{row.reference}: a message in your inbox",
        f"{row.reference}\n\nThere is a message for your unit. Sign in to read it:\n"
        f"{outbox.settings_of(session).public_url}/cases/{row.reference}",
        now,
    )  # fmt: skip


@schedule.tick("missed-clocks", 5)
def missed(session: Session, now: datetime) -> None:
    """Take missed clocks a step up; that closes and moves nothing (DOMAIN.md 6)."""
    alarms.escalate(session, now)


@outbox.handler(alarms.ALARM_JOB)
def alarm(session: Session, job: outbox.Job, now: datetime) -> None:
    """Have those told whom a missed clock concerns: who owes it, its step up, and who waits."""
    found = alarms.concerned(session, job.subject_id, now)
    for unit in found.units if found else ():
        unit_mail.ask(session, unit_mail.ALARM, job.subject_id, job.id, unit, now)


@outbox.handler(unit_mail.ALARM)
def alarm_unit(session: Session, job: outbox.Job, now: datetime) -> None:
    """Mail a unit that an answer is overdue, while it is: a reference and a link alone.

    The page says whom to ring and what to say.
    """
    found = alarms.concerned(session, job.subject_id, now)
    if found is None:
        return
    unit_mail.send(
        session, job, found.status, f"Overdue: {found.reference}",
        f"{found.reference}\n\nAn answer in this case is overdue. Sign in to see what, and whom to"
        f" ring:\n{outbox.settings_of(session).public_url}/cases/{found.reference}",
        now,
    )  # fmt: skip


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
