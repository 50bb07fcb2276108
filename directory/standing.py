"""How far to trust a contact: verified, overdue, suggested, bounced, reported wrong. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from directory.snapshot import Contact
from hub.clock import LONDON

LOWERED_WITHIN = timedelta(days=7)
LOWERED_PEOPLE, LOWERED_ORGANISATIONS = 3, 2


@dataclass(frozen=True)
class Standing:
    """What is known against a contact. `due_at` is when it must be verified again (aware)."""

    verification: str
    due_at: datetime | None = None
    overdue: bool = False
    bounced: bool = False
    reports: int = 0
    reported_since: datetime | None = None
    lowered: bool = False

    @property
    def sure(self) -> bool:
        """Whether it may be what is rung first: verified, and not said to be wrong by many."""
        return self.verification == "verified" and not self.lowered

    def words(self, value: str) -> list[str]:
        """Return what a reader is warned of, each a sentence."""
        found = []
        if self.verification == "suggested":
            found.append(f"{value} is suggested, unverified.")
        elif self.verification == "unverified":
            found.append(f"{value} is unverified.")
        elif self.overdue:
            found.append(f"{value} is overdue for verification.")
        if self.bounced:
            found.append(f"Mail to {value} came back.")
        if self.reports and self.reported_since is not None:
            day = self.reported_since.astimezone(LONDON)
            people = "1 person has" if self.reports == 1 else f"{self.reports} people have"
            found.append(
                f"{people} reported {value} as wrong since {day:%A} {day.day} {day:%B}."
                + (" It is tried last." if self.lowered else "")
            )
        return found


def lowered_until(reports: Iterable[tuple[datetime, UUID, UUID]]) -> datetime | None:
    """Return until when open reports (moment, person, organisation) lower a contact, or None.

    It is lowered while three people of two organisations reported it in the last seven days.
    """
    people: set[UUID] = set()
    organisations: set[UUID] = set()
    for at, person, organisation in sorted(reports, reverse=True):
        people.add(person)
        organisations.add(organisation)
        if len(people) >= LOWERED_PEOPLE and len(organisations) >= LOWERED_ORGANISATIONS:
            return at + LOWERED_WITHIN
    return None


def standing(contact: Contact, at: datetime) -> Standing:
    """Return how a contact stands at a moment: DOMAIN.md 5, and the reports of its readers."""
    until = lowered_until((one.at, one.person_id, one.organisation_id) for one in contact.problems)
    return Standing(
        verification=contact.verification,
        due_at=contact.due_at,
        overdue=contact.due_at is not None and at > contact.due_at,
        bounced=contact.bounced_at is not None,
        reports=len({one.person_id for one in contact.problems}),
        reported_since=min((one.at for one in contact.problems), default=None),
        lowered=until is not None and at <= until,
    )
