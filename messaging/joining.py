"""Two cases of one child: asked, joined, admitted, or found to be two children; pure (4.10).

Each of the two is an episode by the rules of `lead`, or None where no episode is open. Of two that
are joined one goes on with its one lead, and the other ends at that moment.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from messaging import lead
from messaging.lead import Episode, Refused, Request, Unit

After = Literal["theirs", "ours"]
"""Who leads once a request to join is accepted: who accepts it, or who asked."""


@dataclass(frozen=True)
class Match:
    """Two cases by any names, and which of them have said that they are of two children."""

    one: Hashable
    other: Hashable
    state: Literal["open", "joined", "not-same", "moved"] = "open"
    denied: frozenset[Hashable] = frozenset()


def deny(match: Match, case: Hashable) -> Match:
    """Say for one case that the other is another child's; the word of both closes the match."""
    if match.state != "open":
        raise Refused("match-closed")
    if case in match.denied:
        raise Refused("denied-already")
    denied = match.denied | {case}
    both = {match.one, match.other} <= denied
    return replace(match, denied=denied, state="not-same" if both else "open")


def ask(
    ours: Episode, theirs: Episode | None, by: Unit, request: Request, withdraws: Hashable | None
) -> Episode:
    """Ask the other episode's lead to join: the one open request of the asking episode (4.3)."""
    if theirs is None:
        raise Refused("match-ended")
    if request.to != theirs.lead:
        raise Refused("match-moved")
    return lead.offer(ours, by, request, withdraws=withdraws)


def accept(
    ours: Episode,
    theirs: Episode | None,
    by: Unit,
    request_id: Hashable,
    officer: str,
    now: datetime,
    after: After,
) -> tuple[Episode, Episode]:
    """Join: the asking episode goes on with the lead that was agreed, the other ends (4.10)."""
    accepted = lead.accept(ours, by, request_id, officer, now)
    ended = end(theirs, now, by)
    if after == "ours":
        accepted = replace(ours, request=None, dispute=None)
    return accepted, ended


def end(theirs: Episode | None, now: datetime, leads: Unit | None = None) -> Episode:
    """End an episode as joined; `leads`, where given, must be its lead.

    What only its lead or an adjudicator's word can settle is settled first: a claim that the child
    is located, a direction that waits.
    """
    if theirs is None or theirs.ended_at is not None:
        raise Refused("match-ended")
    if leads is not None and theirs.lead != leads:
        raise Refused("match-moved")
    if theirs.claims:
        raise Refused("claim-open")
    if theirs.direction is not None:
        raise Refused("lead-directed")
    return lead.join(theirs, now)


def admit(ours: Episode | None, theirs: Episode | None, now: datetime) -> tuple[Episode, Episode]:
    """Take another case's episode into one that has none: same lead, same officer, no gap."""
    if theirs is None:
        raise Refused("nothing-to-admit")
    if ours is not None and ours.lead != theirs.lead:
        raise Refused("both-open")
    ended = end(theirs, now)
    if ours is not None:
        return ours, ended
    last = theirs.tenures[-1]
    return lead.record(last.unit, last.officer, now), ended
