"""Mail that came back flags its address: a returned message, or a call-back of GOV.UK Notify.

Both come from outside. One is believed where it names a mail of ours and the address that this was
sent to; a returned message whose Message-ID was lost on the way, where its address was mailed a
link in the last days. All else is ignored, and said to be.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from directory import letters, links
from directory.model import DirectoryLink
from hub.jobs import outbox
from hub.jobs.model import OutboxJob
from hub.post import returned

LATELY = timedelta(days=7)
AGAIN_AFTER = timedelta(minutes=5)
MOST_ATTEMPTS = 8


@dataclass(frozen=True)
class Outcome:
    """What became of one report: `flagged`, `again` or `ignored`, and why in a sentence."""

    what: str
    sentence: str


def take_returned(session: Session, content: bytes, now: datetime) -> list[Outcome]:
    """Take a returned message as a mail server handed it in; one outcome for each mailbox in it.

    Raises:
        HubError: 422 when it is no delivery status notification.
    """
    return [_take(session, one, now) for one in returned.read(content)]


def _take(session: Session, one: returned.Returned, now: datetime) -> Outcome:
    named = ", ".join(sorted(one.addresses))
    if not one.permanent:
        return _ignored(f"{named} was not given up for good ({one.action} {one.status}).")
    job = returned.job_of(session, one.message_id)
    if job is not None:
        sent_to = one.addresses & returned.addressees(session, job)
        if not sent_to:
            return _ignored(f"{named} is not whom this mail was sent to.")
        return _flag(session, min(sent_to), job, now)
    link = session.scalar(
        select(DirectoryLink)
        .where(
            func.lower(DirectoryLink.address).in_(one.addresses),
            DirectoryLink.mailed_at > now - LATELY,
        )
        .order_by(DirectoryLink.mailed_at.desc())
        .limit(1)
    )
    if link is None:
        return _ignored(f"No mail of this hub to {named} is known.")
    letters.bounced(session, link, now)
    return _flagged(link.address)


def take_receipt(
    session: Session, *, reference: str | None, to: str, status: str, now: datetime
) -> Outcome:
    """Take what GOV.UK Notify says became of a mail.

    Its documentation: `permanent-failure`, the address is wrong, mail it no more;
    `temporary-failure`, nothing is wrong with it; `technical-failure`, send the mail again.
    """
    job = returned.job_of(session, reference)
    address = to.lower()
    if job is None or address not in returned.addressees(session, job):
        return _ignored("No mail of this hub to this address is known.")
    if status == "permanent-failure":
        return _flag(session, address, job, now)
    if status == "technical-failure" and job.attempts < MOST_ATTEMPTS:
        outbox.do_again(session, job.id, now + AGAIN_AFTER)
        return Outcome("again", "The mail is sent again.")
    return _ignored("Nothing is to be done.")


def _flag(session: Session, address: str, job: OutboxJob, now: datetime) -> Outcome:
    link = session.get(DirectoryLink, job.subject_id) if job.kind == links.MAIL_JOB else None
    if link is not None:
        letters.bounced(session, link, now)
    else:
        letters.flag(session, address, now)
    return _flagged(address)


def _flagged(address: str) -> Outcome:
    return Outcome("flagged", f"{address} is flagged: mail to it came back.")


def _ignored(sentence: str) -> Outcome:
    return Outcome("ignored", f"Ignored: {sentence}")
