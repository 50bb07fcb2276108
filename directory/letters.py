"""The mails of the directory: a reference and a link, and what its reader should do with it."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from directory import links
from directory.changes import because
from directory.model import MAILBOX_CHANNELS, ContactPoint, DirectoryLink
from hub.clock import said
from hub.errors import HubError
from hub.jobs import outbox
from hub.jobs.model import OutboxJob
from hub.organisations import Organisation, Unit
from hub.post import mail, returned
from hub.records import audit
from hub.records.keys import Keys
from hub.settings import Settings

WHAT = {
    "claim": (
        "{whom} in the national missing-children directory",
        "Social workers and other forces look in this directory for whom to call when a child is"
        " missing. It has no complete, checked entry for {whom} yet.\n\n"
        "With this link, and without an account, your team can enter its units, numbers, mailboxes"
        " and hours in about five minutes:",
    ),
    "verify": (
        "Are these contacts of {whom} still right?",
        "Every contact in the national missing-children directory is confirmed each quarter.{due}"
        "\n\nLook at the entry of {whom}, and confirm it or correct it:",
    ),
    "editor": (
        "You were named to keep {whom} in the missing-children directory",
        "Your colleagues named you as an editor of the entry of {whom} in the national"
        " missing-children directory.\n\nOpen this to make your account:",
    ),
    "access": (
        "Your access to the missing-children directory",
        "You, or somebody who gave your address, asked to read the professional tier of the"
        " national missing-children directory as {whom}.\n\nOpen this to finish:",
    ),
}


@outbox.handler(links.MAIL_JOB)
def send(session: Session, job: outbox.Job, now: datetime) -> None:
    """Mail a link that is still good; a mailbox that refuses it is flagged, not tried for ever."""
    link = session.get_one(DirectoryLink, job.subject_id)
    if link.used_at is not None or link.revoked_at is not None or link.expires_at <= now:
        return
    settings = outbox.settings_of(session)
    try:
        mail.send(settings, letter(session, settings, Keys.load(settings.keys_dir), link, job))
    except HubError as error:
        if error.code != "mail-recipient-refused":
            raise
        bounced(session, link, now)
        return
    link.mailed_at = now


@returned.sent_to(links.MAIL_JOB)
def sent_to(session: Session, job: OutboxJob) -> tuple[str, ...]:
    """Return the address that a link was mailed to."""
    link = session.get(DirectoryLink, job.subject_id)
    return (link.address,) if link else ()


def letter(
    session: Session, settings: Settings, keys: Keys, link: DirectoryLink, job: outbox.Job
) -> mail.Mail:
    """Return the mail of a link; its Message-ID is the same however often it is sent."""
    organisation = session.get_one(Organisation, link.organisation_id)
    unit = session.get(Unit, link.unit_id) if link.unit_id else None
    whom = organisation.name
    if unit and unit.name != organisation.name:
        whom = f"{unit.name}, {whom}"
    due = ""
    if link.days_left is not None:
        due = (
            f" This entry is due in {link.days_left} days."
            if link.days_left > 0
            else " This entry is due now, and is shown as overdue until it is confirmed."
        )
    subject, text = (part.format(whom=whom, due=due) for part in WHAT[link.purpose])
    address = (
        f"{settings.public_url.rstrip('/')}/directory/{link.purpose}/{links.token(keys, link.id)}"
    )
    mark = "" if link.status == "actual" else f"{link.status.upper()} "
    return mail.Mail(
        to=link.address,
        subject=mark + subject,
        text=f"{mark}Missing Children Hub\n\n{text}\n\n{address}\n\n"
        f"The link works once, until {said(link.expires_at)}. Nothing changes until somebody"
        " answers on that page.\n",
        message_id=mail.message_id(settings, job.id),
    )


def bounced(session: Session, link: DirectoryLink, now: datetime) -> None:
    """Flag an address that mail came back from, on the link and on every contact that has it."""
    link.bounced_at = now
    flag(session, link.address, now)


def flag(session: Session, address: str, now: datetime) -> int:
    """Flag every contact of an address that mail to it came back; return how many there are."""
    because(session, audit.SYSTEM, "mail to this address came back", now)
    contacts = session.scalars(
        select(ContactPoint)
        .where(
            func.lower(ContactPoint.value) == address.lower(),
            ContactPoint.channel.in_(MAILBOX_CHANNELS),
            ContactPoint.closed_at.is_(None),
        )
        .order_by(ContactPoint.id)
        .with_for_update()
    ).all()
    for contact in contacts:
        contact.bounced_at = contact.bounced_at or now
        contact.version += 1
    session.flush()
    if contacts:
        audit.record(
            session, audit.SYSTEM, "directory.mail-bounced", now=now, object_kind="contact-point",
            object_id=contacts[0].id, detail={"contacts": [str(one.id) for one in contacts]},
        )  # fmt: skip
    return len(contacts)
