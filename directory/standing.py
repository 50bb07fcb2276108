"""How far to trust a contact: verified, overdue, suggested, bounced, reported wrong. Pure."""

from collections.abc import Iterable, Sequence
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

    @property
    def rank(self) -> tuple[bool, bool]:
        """Where it stands among others: suggestions last, before them what many say is wrong."""
        return self.verification == "suggested", self.lowered

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
                + (" It is put lower because of that." if self.lowered else "")
            )
        return found


def lowered(reports: Iterable[tuple[datetime, UUID, UUID]]) -> bool:
    """Say whether open reports (moment, person, organisation) lower a contact.

    It is lowered when three people of two organisations reported it within seven days, and stays
    so until its editors answer.
    """
    found = list(reports)
    return any(_many(found, since) for since, _, _ in found)


def _many(reports: Sequence[tuple[datetime, UUID, UUID]], since: datetime) -> bool:
    """Say whether enough people of enough organisations reported it within days of a moment."""
    within = [one for one in reports if timedelta() <= one[0] - since <= LOWERED_WITHIN]
    return (
        len({person for _, person, _ in within}) >= LOWERED_PEOPLE
        and len({organisation for _, _, organisation in within}) >= LOWERED_ORGANISATIONS
    )


def standing(contact: Contact, at: datetime) -> Standing:
    """Return how a contact stands at a moment: DOMAIN.md 5, and the reports of its readers."""
    problems = [one for one in contact.problems if one.at <= at]
    return Standing(
        verification=contact.verification,
        due_at=contact.due_at,
        overdue=contact.due_at is not None and at > contact.due_at,
        bounced=contact.bounced_at is not None,
        reports=len({one.person_id for one in problems}),
        reported_since=min((one.at for one in problems), default=None),
        lowered=lowered((one.at, one.person_id, one.organisation_id) for one in problems),
    )
