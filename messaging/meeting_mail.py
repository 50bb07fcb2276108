"""Invitations by mail: a calendar entry to each unit's mailbox, as the meeting stands by then."""

from datetime import datetime
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from directory import public as directory
from hub.jobs import outbox
from hub.post import mail
from hub.settings import Settings
from messaging import meeting_calendar
from messaging.effects.meetings import CALENDAR_JOB
from messaging.meeting_calendar import MARKS, Entry

_ENTRY = text("""
SELECT g.id, c.reference, c.status, g.sequence, g.starts_at, g.ends_at, g.convenor_unit_id,
    g.state = 'cancelled' OR a.dropped_at IS NOT NULL AS cancelled, i.message_id,
    m.sent_at, a.unit_id, u.name AS unit_name, o.name AS convenor_name
FROM meeting g JOIN cases c ON c.id = g.case_id
JOIN meeting_invitation i ON i.meeting_id = g.id AND i.sequence = g.sequence
JOIN message m ON m.id = i.message_id
JOIN meeting_attendee a ON a.meeting_id = g.id
JOIN unit u ON u.id = a.unit_id JOIN unit o ON o.id = g.convenor_unit_id
WHERE a.id = :attendee
""")
_OF_UNIT = text("""
SELECT a.id FROM meeting_attendee a WHERE a.meeting_id = :meeting AND a.unit_id = ANY(:units)
ORDER BY a.dropped_at IS NOT NULL, a.id LIMIT 1
""")


def entry(
    session: Session, settings: Settings, attendee_id: UUID, now: datetime
) -> tuple[Entry, UUID] | None:
    """Return a meeting's calendar entry for one of its units, and the message that it tells of.

    It names that unit's mailbox alone: who else is asked is on the hub. None once the exercise that
    it was part of was reset.
    """
    row = session.execute(_ENTRY, {"attendee": attendee_id}).one_or_none()
    if row is None:
        return None
    mailbox = directory.meeting_mailbox(session, row.unit_id, row.status, now)
    return _entry(session, settings, row, mailbox, now), row.message_id


def _entry(
    session: Session, settings: Settings, row: Row[Any], mailbox: str | None, now: datetime
) -> Entry:
    convenor = directory.meeting_mailbox(session, row.convenor_unit_id, row.status, now)
    return Entry(
        meeting_id=row.id,
        reference=row.reference,
        status=row.status,
        sequence=row.sequence,
        cancelled=row.cancelled,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        changed_at=row.sent_at,
        organizer=convenor or parseaddr(settings.mail_from)[1],
        organizer_name=row.convenor_name,
        attendee=mailbox,
        attendee_name=row.unit_name,
        link=f"{settings.public_url}/cases/{row.reference}",
    )


def attendee_of(session: Session, meeting_id: UUID, units: frozenset[UUID]) -> UUID | None:
    """Return the invitation of one of these units to a meeting, or None."""
    found: UUID | None = session.scalar(_OF_UNIT, {"meeting": meeting_id, "units": list(units)})
    return found


@outbox.handler(CALENDAR_JOB)
def post(session: Session, job: outbox.Job, now: datetime) -> None:
    """Mail one unit its calendar entry; a repeat carries the same Message-ID, UID and SEQUENCE."""
    settings = outbox.settings_of(session)
    of_unit = entry(session, settings, job.subject_id, now)
    if of_unit is None:
        return
    found, message_id = of_unit
    if found.attendee is None:
        return
    said = (
        "is called off" if found.cancelled else "is called" if not found.sequence else "is changed"
    )
    reply = "" if found.cancelled else " and say who comes"
    mail.send(
        settings,
        mail.Mail(
            to=found.attendee,
            subject=found.title + (" is off" if found.cancelled else ""),
            text=f"{MARKS[found.status]}{found.reference}\n\nA strategy meeting {said}. Sign in to"
            f" see it{reply}:\n{found.link}\n\n"
            "This mail carries no details, and no answer to it is read.\n",
            message_id=f"<{message_id}.{job.subject_id}@{settings.mail_from.partition('@')[2]}>",
            calendar=(meeting_calendar.calendar(found), found.method),
        ),
    )
