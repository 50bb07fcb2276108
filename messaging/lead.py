"""Who leads, and how the lead moves: pure, from DOMAIN.md 4.1, 4.3 and 4.9.

An episode is a value; an act on it gives the episode after it, or a refusal. Nothing here knows a
database, Flask or a clock. Units are any values that can be compared.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

Unit = Hashable


class Refused(Exception):  # noqa: N818  # it is an answer, not a fault
    """An act that the rules do not allow; `code` says why, in the words of the API."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Tenure:
    """One unit's time as lead, with its named officer; `until` is None while it lasts."""

    unit: Unit
    officer: str
    since: datetime
    until: datetime | None
    basis: Literal["recorded", "accepted", "agreed-plan", "direction", "superseded"]


@dataclass(frozen=True)
class Request:
    """The open offer of the lead."""

    id: Hashable
    to: Unit
    urgent: bool


@dataclass(frozen=True)
class Claim:
    """An unanswered claim that the child is located."""

    id: Hashable
    by: Unit


@dataclass(frozen=True)
class Episode:
    """One missing incident: its tenures in order, at most one open request, and open claims."""

    tenures: tuple[Tenure, ...]
    request: Request | None = None
    claims: tuple[Claim, ...] = ()
    ended_at: datetime | None = None

    @property
    def lead(self) -> Unit | None:
        """The unit that leads now; None once the episode has ended."""
        return self.tenures[-1].unit if self.ended_at is None else None


def record(unit: Unit, officer: str, now: datetime) -> Episode:
    """Open an episode: the recording unit leads from the first second (4.1)."""
    return Episode((Tenure(unit, officer, now, None, "recorded"),))


def offer(
    episode: Episode, by: Unit, request: Request, *, withdraws: Hashable | None = None
) -> Episode:
    """Offer the lead; withdrawing one offer and making another is one act (4.3)."""
    _open(episode)
    if episode.lead != by:
        raise Refused("not-lead")
    if request.to == by:
        raise Refused("offered-to-itself")
    if episode.request is not None and episode.request.id != withdraws:
        raise Refused("lead-request-open")
    if episode.request is None and withdraws is not None:
        raise Refused("request-already-answered")
    return replace(episode, request=request)


def _answering(episode: Episode, request_id: Hashable) -> Request:
    _open(episode, "request-already-answered")
    if episode.request is None or episode.request.id != request_id:
        raise Refused("request-already-answered")
    return episode.request


def accept(
    episode: Episode, by: Unit, request_id: Hashable, officer: str, now: datetime
) -> Episode:
    """Take the lead: it moves at this moment, whole, to the unit that it was offered to (4.1a)."""
    request = _answering(episode, request_id)
    if request.to != by:
        raise Refused("wrong-unit")
    *before, last = episode.tenures
    return replace(
        episode,
        tenures=(*before, replace(last, until=now), Tenure(by, officer, now, None, "accepted")),
        request=None,
    )


def decline(episode: Episode, by: Unit, request_id: Hashable) -> Episode:
    """Decline the lead: nothing moves (4.1)."""
    if _answering(episode, request_id).to != by:
        raise Refused("wrong-unit")
    return replace(episode, request=None)


def withdraw(episode: Episode, by: Unit, request_id: Hashable) -> Episode:
    """Take the offer back: nothing moves (4.1)."""
    _answering(episode, request_id)
    if episode.lead != by:
        raise Refused("not-lead")
    return replace(episode, request=None)


def raise_risk(episode: Episode) -> Episode:
    """Risk raised to high makes the open request urgent (4.4)."""
    if episode.request is None:
        return episode
    return replace(episode, request=replace(episode.request, urgent=True))


def locate(episode: Episode, by: Unit, claim_id: Hashable, now: datetime) -> Episode:
    """Say that the child was seen: the lead's word ends the episode, another's is a claim (4.9)."""
    _open(episode)
    if by == episode.lead:
        return _end(episode, now)
    return replace(episode, claims=(*episode.claims, Claim(claim_id, by)))


def _claimed(episode: Episode, by: Unit, claim_id: Hashable) -> None:
    _open(episode, "claim-already-answered")
    if claim_id not in {claim.id for claim in episode.claims}:
        raise Refused("claim-already-answered")
    if by != episode.lead:
        raise Refused("not-lead")


def confirm(episode: Episode, by: Unit, claim_id: Hashable, now: datetime) -> Episode:
    """Confirm a claim: the episode ends, and what is open is overtaken (4.9)."""
    _claimed(episode, by, claim_id)
    return _end(episode, now)


def refuse(episode: Episode, by: Unit, claim_id: Hashable) -> Episode:
    """Refuse a claim: the child stays missing (4.9)."""
    _claimed(episode, by, claim_id)
    return replace(episode, claims=tuple(c for c in episode.claims if c.id != claim_id))


def _open(episode: Episode, code: str = "episode-ended") -> None:
    if episode.ended_at is not None:
        raise Refused(code)


def _end(episode: Episode, now: datetime) -> Episode:
    *before, last = episode.tenures
    return Episode((*before, replace(last, until=now)), None, (), now)
