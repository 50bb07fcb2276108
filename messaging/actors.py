"""What workers and the scheduler do for messaging: nudges, missed clocks, late deliveries."""

from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from directory import public as directory
from hub.identity import sessions
from hub.identity.reach import reach_of
from hub.jobs import outbox, schedule
from hub.post import mail
from hub.records import audit
from messaging import guest_mail, receipts
from messaging.model import Case, Message, Recipient

__all__ = ["guest_mail"]


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
    mark = {"actual": "", "exercise": "EXERCISE ", "test": "TEST "}[row.status]
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
    """Note clocks that were missed; a missed clock closes and moves nothing (DOMAIN.md 6)."""
    rows = session.execute(
        text("""
            UPDATE clock SET missed_at = :now WHERE id IN (
                SELECT id FROM clock WHERE due_at < :now AND met_at IS NULL AND ended_at IS NULL
                    AND missed_at IS NULL ORDER BY due_at LIMIT 200 FOR UPDATE SKIP LOCKED)
            RETURNING case_id, message_id, kind
        """),
        {"now": now},
    ).all()
    for row in rows:
        audit.record(
            session, audit.SYSTEM, "clock.missed", now=now, case_id=row.case_id,
            object_kind="message", object_id=row.message_id, detail={"kind": row.kind},
        )  # fmt: skip


@schedule.tick("late-deliveries", 10)
def deliver_late(session: Session, now: datetime) -> None:
    """Deliver what waited for units that have since come onto the hub."""
    receipts.catch_up(session, now)


@schedule.tick("sign-in-attempts", 3600)
def forget(session: Session, now: datetime) -> None:
    """Drop sign-in attempts that throttle nobody any more."""
    sessions.forget_attempts(session, now)
