"""A meeting as a calendar entry (RFC 5545, 5546): reference, time and link, and nothing else.

Place, purpose and persons are content of the case: they are on the hub alone (DOMAIN.md 4.11).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from icalendar import Calendar, Event, vCalAddress, vText

from hub.clock import LONDON

MARKS = {"actual": "", "exercise": "EXERCISE ", "test": "TEST "}
PRODUCT = "-//Missing Children Hub//Meetings//EN"


@dataclass(frozen=True)
class Entry:
    """What a calendar is told of a meeting; times are aware, addresses are units' mailboxes.

    `changed_at` is when this state of it was sent, `sequence` how often it was changed before.
    """

    meeting_id: UUID
    reference: str
    status: str
    sequence: int
    cancelled: bool
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    organizer: str
    organizer_name: str
    attendee: str | None
    attendee_name: str
    link: str

    @property
    def method(self) -> str:
        """REQUEST, or CANCEL of what is off."""
        return "CANCEL" if self.cancelled else "REQUEST"

    @property
    def title(self) -> str:
        """The one line that a diary shows."""
        return f"{MARKS[self.status]}{self.reference}: strategy meeting"


def calendar(entry: Entry) -> str:
    """Return the entry as an iCalendar object, with London's time zone in it."""
    event = Event()
    event.add("uid", f"{entry.meeting_id}@missing-children-hub")
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.changed_at.astimezone(UTC))
    event.add("dtstart", entry.starts_at.astimezone(LONDON))
    event.add("dtend", entry.ends_at.astimezone(LONDON))
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("summary", entry.title)
    event.add("description", _description(entry))
    event.add("url", entry.link)
    event.add("class", "PRIVATE")
    event.add("organizer", _address(entry.organizer, entry.organizer_name))
    if entry.attendee is not None:
        attendee = _address(entry.attendee, entry.attendee_name)
        attendee.params["role"] = vText("REQ-PARTICIPANT")
        attendee.params["partstat"] = vText("NEEDS-ACTION")
        attendee.params["rsvp"] = vText("FALSE")
        event.add("attendee", attendee)
    whole = Calendar()
    whole.add("prodid", PRODUCT)
    whole.add("version", "2.0")
    whole.add("method", entry.method)
    whole.add_component(event)
    whole.add_missing_timezones()
    words: bytes = whole.to_ical()
    return words.decode()


def _description(entry: Entry) -> str:
    mark = MARKS[entry.status]
    first = (
        "The meeting is off." if entry.cancelled else "Sign in to see where it is, and to reply."
    )
    return f"{mark}{entry.reference}\n{first}\n{entry.link}"


def _address(mailbox: str, name: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{mailbox}")
    address.params["cn"] = vText(name)
    return address
