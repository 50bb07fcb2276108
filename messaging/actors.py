"""What workers and the scheduler do for messaging: nudges, missed clocks, late deliveries."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.identity import sessions
from hub.identity.reach import reach_of
from hub.jobs import outbox, schedule
from messaging import (
    alarms,
    attachments,
    guest_mail,
    match_mail,
    meeting_mail,
    nudging,
    receipts,
    resetting,
    succession,
)
from messaging.model import Case, Message, Recipient

__all__ = ["guest_mail", "match_mail", "meeting_mail"]


@outbox.handler("nudge")
def nudge(session: Session, job: outbox.Job, now: datetime) -> None:
    """Have each staffed recipient told that something is in its inbox, once a message."""
    found = _message(session, job.subject_id, now)
    if found is not None:
        nudging.ask(session, nudging.NUDGE, job.subject_id, job.subject_id, found[1], now)


@outbox.handler(nudging.NUDGE)
def nudge_one(session: Session, job: outbox.Job, now: datetime) -> None:
    """Tell one of those that something is in an inbox: a reference and a link alone."""
    found = _message(session, job.subject_id, now)
    if found is not None:
        nudging.send(session, job, *found, now)


def _message(
    session: Session, message_id: UUID, now: datetime
) -> tuple[nudging.Told, list[nudging.Target]] | None:
    """Return what is said of a message, and where; None once its exercise was reset.

    Each staffed recipient's own door is told always, and while its team is closed whoever is on; of
    what is urgent a mobile too. Of a refusal or a dispute the duty inspectors are told at once (6).
    """
    row = session.execute(
        select(Message.priority, Message.type, Message.sender_unit_id, Case.reference, Case.status)
        .join(Case, Case.id == Message.case_id)
        .where(Message.id == message_id)
    ).one_or_none()
    if row is None:
        return None
    units = list(
        session.scalars(select(Recipient.unit_id).where(Recipient.message_id == message_id))
    )
    reaches = reach_of(session, units, row.status, now)
    urgent = row.priority == "urgent"
    inspectors = nudging.tells_inspectors(row.type, urgent=urgent)
    told = nudging.Told("a message in your inbox", "There is a message for your unit.", row.reference,
                        row.status, urgent)  # fmt: skip
    targets: list[nudging.Target] = []
    for unit in sorted(units):
        if reaches[unit] == "staffed":
            targets += nudging.of_unit(session, unit, row.status, now, urgent=urgent)
    for unit in sorted({row.sender_unit_id, *units}) if inspectors else []:
        targets += nudging.of_step(session, unit, "duty-inspector", row.status, now, urgent=urgent)
    return told, targets


@schedule.tick("missed-clocks", 5)
def missed(session: Session, now: datetime) -> None:
    """Take missed clocks a step up; that closes and moves nothing (DOMAIN.md 6)."""
    alarms.escalate(session, now)


@outbox.handler(alarms.ALARM_JOB)
def alarm(session: Session, job: outbox.Job, now: datetime) -> None:
    """Have those told whom a missed clock concerns: who owes it, its step up, and who waits."""
    found = _missed(session, job.subject_id, now)
    if found is not None:
        nudging.ask(session, nudging.ALARM, job.subject_id, job.id, found[1], now)


@outbox.handler(nudging.ALARM)
def alarm_one(session: Session, job: outbox.Job, now: datetime) -> None:
    """Tell one of those that something is overdue, while it is: a reference and a link alone.

    The page says whom to ring and what to say.
    """
    found = _missed(session, job.subject_id, now)
    if found is not None:
        nudging.send(session, job, *found, now)


def _missed(
    session: Session, clock_id: UUID, now: datetime
) -> tuple[nudging.Told, list[nudging.Target]] | None:
    """Return what is said of a missed clock, and where; None once it has stopped."""
    found = alarms.concerned(session, clock_id, now)
    if found is None:
        return None
    told = nudging.Told("overdue", "Something in this case is overdue. The page says what, and whom"
                        " to ring.", found.reference, found.status, found.urgent)  # fmt: skip
    targets: list[nudging.Target] = []
    for unit in found.units:
        owes = found.urgent and unit == found.owed_by
        targets += nudging.of_unit(session, unit, found.status, now, urgent=owes)
    if found.owed_by is not None and found.rung is not None:
        targets += nudging.of_step(session, found.owed_by, found.rung, found.status, now,
                                   urgent=found.urgent)  # fmt: skip
    if found.directed_by is not None:
        # Whoever directed it may record whom they told there, and the lead moves (4.1c).
        people = alarms.adjudicators(session, found.case_id, now)
        own = [one for one in people if one.organisation_id == found.directed_by]
        targets += _adjudicating(session, own or people, told, now)
    return told, targets


@outbox.handler(alarms.ADJUDICATE_JOB)
def adjudicate(session: Session, job: outbox.Job, now: datetime) -> None:
    """Have the adjudicators of neither side told that a case waits for them (DOMAIN.md 2)."""
    found = _undecided(session, job.subject_id, now)
    if found is not None:
        nudging.ask(session, nudging.DECIDE, job.subject_id, job.id, found[1], now)


@outbox.handler(nudging.DECIDE)
def adjudicate_one(session: Session, job: outbox.Job, now: datetime) -> None:
    """Tell one of them."""
    found = _undecided(session, job.subject_id, now)
    if found is not None:
        nudging.send(session, job, *found, now)


def _undecided(
    session: Session, subject_id: UUID, now: datetime
) -> tuple[nudging.Told, list[nudging.Target]] | None:
    """Return what is said of what waits for an adjudicator, and where; None once it is settled."""
    found = alarms.undecided(session, subject_id)
    if found is None:
        return None
    told = nudging.Told("a decision waits for you", "A case waits for an adjudicator.",
                        found.reference, found.status, found.urgent)  # fmt: skip
    people = alarms.adjudicators(session, found.case_id, now)
    return told, _adjudicating(session, people, told, now)


def _adjudicating(
    session: Session, people: list[alarms.Adjudicator], told: nudging.Told, now: datetime
) -> list[nudging.Target]:
    """Return where adjudicators are told: by mail, and of what is urgent their units' mobiles too."""
    found = [nudging.Target(one.person_id, (one.email,)) for one in people]
    for unit in dict.fromkeys(one.unit_id for one in people) if told.urgent else ():
        of_unit = nudging.of_unit(session, unit, told.status, now, urgent=True)
        found += [replace(target, mailboxes=()) for target in of_unit if target.mobile]
    return found


@outbox.handler(resetting.TELL)
def exercise_reset(session: Session, job: outbox.Job, now: datetime) -> None:
    """Have the other organisations of an exercise told that it was reset."""
    _, targets = resetting.told(session, job.subject_id, now)
    nudging.ask(session, nudging.RESET, job.subject_id, job.subject_id, targets, now)


@outbox.handler(nudging.RESET)
def exercise_reset_one(session: Session, job: outbox.Job, now: datetime) -> None:
    """Tell one of them."""
    nudging.send(session, job, *resetting.told(session, job.subject_id, now), now)


@schedule.tick("late-deliveries", 10)
def deliver_late(session: Session, now: datetime) -> None:
    """Deliver what waited for units that have since come onto the hub."""
    receipts.catch_up(session, now)


@schedule.tick("superseded-units", 15)
def superseded(session: Session, now: datetime) -> None:
    """Hand the open cases of units that are no more to their successors (DOMAIN.md 4.1d)."""
    succession.take_over(session, now)


@schedule.tick("attachments-waiting", 600)
def sweep_attachments(session: Session, now: datetime) -> None:
    """Delete files that no message took within a day."""
    attachments.sweep(session, now)


@schedule.tick("sign-in-attempts", 3600)
def forget(session: Session, now: datetime) -> None:
    """Drop sign-in attempts that throttle nobody any more."""
    sessions.forget_attempts(session, now)
