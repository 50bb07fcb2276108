"""Nudges: a mail, and of what is urgent a text message, with a reference and a link alone (4.11).

They go to the unit's own door always, and at once to whoever is on while that is closed: one job for
each, so that none holds up another. A mail may be repeated after a crash; its Message-ID is of its
cause and whose it is, so that a second copy is known for one, and a mail that comes back for ours.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import public as directory
from directory.public import Door
from hub.errors import HubError
from hub.jobs import outbox
from hub.jobs.model import OutboxJob
from hub.logs import get_logger
from hub.post import mail, notify, returned
from hub.settings import Settings
from messaging.model import Case, Clock, Message

log = get_logger(__name__)

NUDGE, ALARM, DECIDE, RESET = "nudge-one", "alarm-one", "adjudicate-one", "exercise-reset-one"
MARKS = {"actual": "", "exercise": "EXERCISE ", "test": "TEST "}
GIVEN_UP_AFTER = timedelta(days=3)
FINAL = 422
"""The status of a refusal that trying again does not mend."""

INSPECTORS = ("report-not-accepted", "supervisor-request", "dispute")


def tells_inspectors(message_type: str, *, urgent: bool) -> bool:
    """Say whether duty inspectors are told of a message at once (DOMAIN.md 4.2, 6).

    So of a call in which police refused: it is urgent.
    """
    return message_type in INSPECTORS or (urgent and message_type == "telephone-record")


@dataclass(frozen=True)
class Told:
    """What a nudge says: in short, in a sentence, of which case.

    With a `path` it is of no case, and looked at there: `reference` is then whose it is.
    """

    short: str
    sentence: str
    reference: str
    status: str
    urgent: bool
    path: str | None = None


@dataclass(frozen=True)
class Target:
    """Where a nudge goes. `of` is the unit or person whose address it is.

    Of its mailboxes the first is mailed that takes it.
    """

    of: UUID
    mailboxes: tuple[str, ...] = ()
    mobile: str | None = None


def of_unit(
    session: Session, unit: UUID, status: str, now: datetime, *, urgent: bool
) -> list[Target]:
    """Return where a unit is told: at its own door, and while that is closed where somebody is on."""
    plan = directory.plan(directory.doors(session, unit, status, now))
    mailboxes = tuple(directory.nudge_mailboxes(session, unit, status, now))
    mobile = next((door.mobile for door in plan.own if door.open and door.mobile), None)
    found = [Target(unit, mailboxes, mobile if urgent else None)]
    if plan.instead is not None:
        found.append(_at(plan.instead, urgent=urgent))
    return found


def of_step(
    session: Session, unit: UUID, rung: str, status: str, now: datetime, *, urgent: bool
) -> list[Target]:
    """Return where a step up is told: the inspector or control room above a unit, if they are on."""
    door = directory.step_up(directory.doors(session, unit, status, now), rung)
    return [] if door is None else [_at(door, urgent=urgent)]


def _at(door: Door, *, urgent: bool) -> Target:
    return Target(
        door.unit_id, (door.mailbox,) if door.mailbox else (), door.mobile if urgent else None
    )


def ask(
    session: Session,
    kind: str,
    subject_id: UUID,
    cause_id: UUID,
    targets: Iterable[Target],
    now: datetime,
) -> None:
    """Have each target told of a cause, once however often it is asked for."""
    for of in dict.fromkeys(target.of for target in targets):
        outbox.enqueue(
            session, kind, subject_id, now=now, dedupe_key=mail.dedupe_key(f"{cause_id}.{of}")
        )


def send(
    session: Session, job: outbox.Job, told: Told, targets: Iterable[Target], now: datetime
) -> None:
    """Tell whoever the job is for, at each address once.

    A mailbox that refuses it for good is flagged, and the next is tried. A text message comes on top
    of the mail: one that is refused for good is let be.

    Raises:
        HubError: the mail server, or Notify, did not take one: it is tried again.
    """
    if now - job.created_at > GIVEN_UP_AFTER:
        log.warning("nudge-given-up", job_id=str(job.id), attempts=job.attempts)
        return
    settings, key = outbox.settings_of(session), _key(session.get_one(OutboxJob, job.id))
    mark = MARKS[told.status]
    link = settings.public_url + (told.path or f"/cases/{told.reference}")
    urgent = "Urgent: " if told.urgent else ""
    mine = [target for target in targets if target.of == _of(key)]
    letter = mail.Mail(
        to="",
        subject=f"{mark}{urgent}{told.reference}: {told.short}",
        text=f"{mark}{told.reference}\n\n{told.sentence} Sign in to read it:\n{link}\n\n"
        "This mail carries no details, and no answer to it is read.\n",
        message_id="",
    )
    mailed: set[str] = set()
    for number, target in enumerate(mine):
        name = mail.message_id(settings, f"{key}.{number}" if number else key)
        mailed |= _mail(session, settings, replace(letter, message_id=name), target, mailed, now)
    for mobile in dict.fromkeys(target.mobile for target in mine if target.mobile):
        try:
            notify.text_message(
                settings, to=mobile, reference=f"sms.{key}",
                text=f"{mark}{urgent}{told.reference}: {told.short}. {link}",
            )  # fmt: skip
        except HubError as error:
            log.warning("text-message-refused", code=error.code)
            if error.status != FINAL:
                raise


def _mail(
    session: Session, settings: Settings, letter: mail.Mail, target: Target, mailed: set[str],
    now: datetime,
) -> set[str]:  # fmt: skip
    """Mail the first of a target's mailboxes that takes it, if none has it yet; return that."""
    for mailbox in target.mailboxes:
        if mailbox in mailed:
            return set()
        try:
            mail.send(settings, replace(letter, to=mailbox))
        except HubError as error:
            if error.code != "mail-recipient-refused":
                raise
            directory.mail_came_back(session, mailbox, now)
        else:
            return {mailbox}
    return set()


def _key(job: OutboxJob) -> str:
    return (job.dedupe_key or "").removeprefix(mail.dedupe_key(""))


def _of(key: str) -> UUID:
    return UUID(key.partition(".")[2])


@returned.sent_to(NUDGE)
def nudged(session: Session, job: OutboxJob) -> Sequence[str]:
    """Return the mailboxes that a nudge may have gone to: those of whom it was for."""
    status = session.scalar(
        select(Case.status)
        .join(Message, Message.case_id == Case.id)
        .where(Message.id == job.subject_id)
    )
    return _mailboxes(session, job, status)


@returned.sent_to(ALARM)
def alarmed(session: Session, job: OutboxJob) -> Sequence[str]:
    """Return the mailboxes that an alarm may have gone to: those of whom it was for."""
    status = session.scalar(
        select(Case.status).join(Clock, Clock.case_id == Case.id).where(Clock.id == job.subject_id)
    )
    return _mailboxes(session, job, status)


def _mailboxes(session: Session, job: OutboxJob, status: str | None) -> Sequence[str]:
    if status is None:
        return ()
    return directory.nudge_mailboxes(session, _of(_key(job)), status, job.created_at)
