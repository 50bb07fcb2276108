"""What a return starts, and what closes a case: pure, from DOMAIN.md 4.9, 6, 7 and 8."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from messaging.lead import Refused

Unit = Hashable
Kind = Literal["prevention", "rhi"]
State = Literal["owed", "recorded", "not-done"]

CLOCKS: dict[Kind, str] = {"prevention": "prevention-interview", "rhi": "rhi"}
"""The clock that an interview's debtor owes it by."""

STATUTORY = ("prevention-interview", "rhi", "ukmpu")
"""Clocks of steps without which no case closes."""

NOT_LOCATED = frozenset({"wanted", "arrested-elsewhere", "known-whereabouts"})
"""What ends no episode: nobody saw the child, face to face (4.9)."""


@dataclass(frozen=True)
class Owed:
    """An interview that a return starts, and who owes it."""

    kind: Kind
    by: Unit


@dataclass(frozen=True)
class Interview:
    """One interview of one episode; `record` is the message that settled it last."""

    kind: Kind
    by: Unit
    state: State = "owed"
    record: Hashable | None = None


@dataclass(frozen=True)
class Missing:
    """An episode, as far as its statutory steps go."""

    interviews: tuple[Interview, ...]
    since: datetime
    until: datetime | None
    ukmpu_due: datetime | None = None
    """When the UK Missing Persons Unit was to be told; None once it was, or why not."""


def owed(
    reason: str, *, dead: bool, led: Unit, authority: Unit | None, home: Unit | None
) -> tuple[Owed, ...]:
    """Return what the end of an episode starts: both interviews of a child who came back (6).

    The prevention interview is owed by whoever led then; the return home interview by the
    responsible authority, or while none is on the case by the home unit, or whoever led.
    """
    if reason != "located" or dead:
        return ()
    return (Owed("prevention", led), Owed("rhi", authority or home or led))


def settle(
    interview: Interview, record: Hashable, *, done: bool, corrects: Hashable | None
) -> Interview:
    """Settle an interview by its record or by the reason why not, or correct the last record (4.7)."""
    if interview.state != "owed" and corrects != interview.record:
        raise Refused("interview-recorded")
    if interview.state == "owed" and corrects is not None:
        raise Refused("nothing-to-correct")
    return replace(interview, state="recorded" if done else "not-done", record=record)


def outstanding(episodes: Iterable[Missing]) -> list[str]:
    """Return the statutory steps that have neither a record nor a reason, as clocks name them."""
    found = []
    for episode in episodes:
        found += [CLOCKS[one.kind] for one in episode.interviews if one.state == "owed"]
        due, until = episode.ukmpu_due, episode.until
        if due is not None and until is not None and until >= due:
            found.append("ukmpu")
    return found


def close(episodes: Iterable[Missing]) -> None:
    """Close a case: refused while an episode is open, or a statutory step is (8)."""
    known = list(episodes)
    if any(episode.until is None for episode in known):
        raise Refused("episode-open")
    if outstanding(known):
        raise Refused("statutory-step-open")


def ends_on(ground: str | None) -> None:
    """Say that a child stays missing who is wanted, or whose whereabouts are but known (4.9)."""
    if ground in NOT_LOCATED:
        raise Refused("wanted-stays-missing")


def same_person(sender: str, authoriser: str) -> bool:
    """Say whether who authorises is who sends, however the name is typed."""
    return " ".join(sender.casefold().split()) == " ".join(authoriser.casefold().split())
