"""Who is missing from a strategy meeting: pure, from DOMAIN.md 6, 7 and 8.

Units and persons are any values that can be compared; nothing here knows a database or a clock.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from messaging import clocks
from messaging.lead import Refused

Standing = Literal["waiting", "attending", "report-only", "declined"]
COMES = frozenset({"attending", "deputy"})
CHAIRS = ("home-police", "destination-police")
"""The roles whose chair must not stay empty: both areas' police (recommendation 12)."""
STATUTORY_ROLES: Mapping[str, str] = {
    "responsible-authority": "responsible-authority",
    "host-authority": "host-authority",
    "health": "health",
}
"""The part that a party has which fills a role."""


@dataclass(frozen=True)
class Reply:
    """What a unit said of one person; `at` is when, aware UTC."""

    person: str
    attendance: str
    at: datetime


@dataclass(frozen=True)
class Asked:
    """A unit that is asked for a named person, with its replies that stand."""

    unit: Hashable
    role: str
    replies: Sequence[Reply] = ()

    @property
    def standing(self) -> Standing:
        """Return what the unit's replies come to: one who comes counts, whoever else does not."""
        given = {reply.attendance for reply in self.replies}
        if given & COMES:
            return "attending"
        if "report-only" in given:
            return "report-only"
        return "declined" if given else "waiting"


def same_person(one: str, other: str) -> bool:
    """Say whether two names are one person's, however they are typed."""
    return " ".join(one.lower().split()) == " ".join(other.lower().split())


def latest(replies: Iterable[Reply]) -> list[Reply]:
    """Return of each person the last reply: it stands."""
    found: dict[str, Reply] = {}
    for reply in sorted(replies, key=lambda one: one.at):
        found[" ".join(reply.person.lower().split())] = reply
    return list(found.values())


def waiting(asked: Iterable[Asked]) -> list[Asked]:
    """Return who has not replied."""
    return [one for one in asked if one.standing == "waiting"]


def empty_chairs(asked: Sequence[Asked]) -> list[str]:
    """Return the police roles for which nobody is named who comes, asked or not."""
    filled = {one.role for one in asked if one.standing == "attending"}
    return [role for role in CHAIRS if role not in filled]


def may_reply(state: str, starts_at: datetime, at: datetime) -> None:
    """Let a reply, or a change of it, stand until the meeting starts.

    Raises:
        Refused: `meeting-over`, `meeting-started`.
    """
    if state != "called":
        raise Refused("meeting-over")
    if at >= starts_at:
        raise Refused("meeting-started")


def may_record(state: str, starts_at: datetime, at: datetime) -> None:
    """Let a meeting be recorded once, after its start.

    Raises:
        Refused: `meeting-over`, `meeting-not-started`.
    """
    if state != "called":
        raise Refused("meeting-over")
    if at < starts_at:
        raise Refused("meeting-not-started")


def reply_due(
    at: datetime, starts_at: datetime, *, urgent: bool, settings: Mapping[str, int]
) -> datetime:
    """Return when a unit's reply is due: 24 hours, urgent 1, and never after the start."""
    return min(clocks.due(reply_kind(urgent), at, settings), starts_at)


def reply_kind(urgent: bool) -> str:
    """Return the kind of clock of a reply."""
    return "meeting-reply-urgent" if urgent else "meeting-reply"


def asks_again(before: datetime, after: datetime) -> bool:
    """Say whether a change asks everyone again: who could come then may not be able to now."""
    return before != after


@dataclass(frozen=True)
class Party:
    """A party as far as its role in a meeting goes."""

    unit: Hashable
    part: str
    police: bool


def unit_for(
    role: str,
    parties: Iterable[Party],
    *,
    home: Hashable | None,
    lead: Hashable | None,
) -> Hashable | None:
    """Return the one party that fills a role; None where the sender has to name it.

    The home police are the case's home unit. Where there is none, or two could be meant, nobody
    is guessed, except that of two police units one being home leaves the other the destination.
    """
    known = list(parties)
    police = [one.unit for one in known if one.police]
    if role == "home-police":
        return home if home in police else None
    if role == "destination-police":
        others = [unit for unit in police if unit != home]
        if home in police and len(others) == 1:
            return others[0]
        return lead if home in police and lead in others else None
    part = STATUTORY_ROLES.get(role)
    found = [one.unit for one in known if part and one.part == part]
    return found[0] if len(found) == 1 else None
