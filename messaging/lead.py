"""Who leads, and how the lead moves: pure, from DOMAIN.md 4.1, 4.3, 4.9 and 6.

An episode is a value; an act on it gives the episode after it, or a refusal. Nothing here knows a
database, Flask or a clock. Units are any values that can be compared.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

Unit = Hashable
MOST_REPEATS = 3
"""Requests 1, 2, 3 of one offer (Nlets RNO 1 to 3)."""


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
    """The open offer of the lead; `number` counts its repeats from 1, `held` its holding reply.

    `basis` is how the lead comes to whoever accepts it: by an offer, or by an agreed plan (4.1b).
    """

    id: Hashable
    to: Unit
    urgent: bool
    number: int = 1
    held: bool = False
    basis: Literal["accepted", "agreed-plan"] = "accepted"


@dataclass(frozen=True)
class Dispute:
    """An open dispute over who leads: by one side, over the other's unit."""

    id: Hashable
    by: Unit
    other: Unit


@dataclass(frozen=True)
class Direction:
    """An adjudicator's direction that the directed unit has not acknowledged yet."""

    id: Hashable
    to: Unit


@dataclass(frozen=True)
class Claim:
    """An unanswered claim that the child is located."""

    id: Hashable
    by: Unit


@dataclass(frozen=True)
class Episode:
    """One missing incident: its tenures in order, and at most one open request, dispute, direction.

    `claims` are all that are unanswered.
    """

    tenures: tuple[Tenure, ...]
    request: Request | None = None
    claims: tuple[Claim, ...] = ()
    ended_at: datetime | None = None
    dispute: Dispute | None = None
    direction: Direction | None = None

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
    if episode.direction is not None:
        raise Refused("lead-directed")
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
    """Take the lead: it moves at this moment, whole, to the unit that it was offered to (4.1a, b).

    An acceptance ends a dispute (6).
    """
    request = _answering(episode, request_id)
    if request.to != by:
        raise Refused("wrong-unit")
    return replace(_moved(episode, by, officer, now, request.basis), request=None, dispute=None)


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


def hold(episode: Episode, by: Unit, request_id: Hashable) -> Episode:
    """Say by when one decides: once for each request, by any step of it (6). Nothing moves."""
    request = _answering(episode, request_id)
    if request.to != by:
        raise Refused("wrong-unit")
    if request.held:
        raise Refused("held-already")
    return replace(episode, request=replace(request, held=True))


def repeat(episode: Episode) -> Episode:
    """Send the open request again: the hub does, twice, and it stays the same request (6)."""
    if episode.request is None or episode.request.number >= MOST_REPEATS:
        return episode
    return replace(episode, request=replace(episode.request, number=episode.request.number + 1))


def contest(episode: Episode, by: Unit, dispute_id: Hashable, other: Unit) -> Episode:
    """Dispute who leads, with the lead or as the lead; who leads goes on leading (4.1)."""
    _open(episode)
    if episode.dispute is not None:
        raise Refused("dispute-open")
    if by == other or episode.lead not in (by, other):
        raise Refused("no-side")
    return replace(episode, dispute=Dispute(dispute_id, by, other))


def settle(episode: Episode, by: Unit, dispute_id: Hashable) -> Episode:
    """Withdraw a dispute: its own side does, and nothing moves (6)."""
    _open(episode, "dispute-ended")
    if episode.dispute is None or episode.dispute.id != dispute_id:
        raise Refused("dispute-ended")
    if episode.dispute.by != by:
        raise Refused("no-side")
    return replace(episode, dispute=None)


def direct(episode: Episode, direction: Direction) -> Episode:
    """Direct who leads (4.1c): it ends the open request and the dispute, and an older direction.

    Nothing moves until the directed unit acknowledges; where it leads already, it goes on leading.
    """
    _open(episode)
    kept = direction.to == episode.lead
    return replace(episode, request=None, dispute=None, direction=None if kept else direction)


def acknowledge_direction(
    episode: Episode, direction_id: Hashable, to: Unit, officer: str, now: datetime
) -> Episode:
    """Take the lead as directed (4.1c): the directed unit says so, or the adjudicator told it."""
    _open(episode, "direction-ended")
    if episode.direction is None or episode.direction.id != direction_id:
        raise Refused("direction-ended")
    if episode.direction.to != to:
        raise Refused("wrong-unit")
    return replace(_moved(episode, to, officer, now, "direction"), direction=None)


def supersede(episode: Episode, old: Unit, new: Unit, now: datetime) -> Episode:
    """Pass what a unit that is no more has to its successor: its lead with the officer (4.1d)."""
    _open(episode)
    moved = episode
    if episode.lead == old:
        moved = _moved(episode, new, episode.tenures[-1].officer, now, "superseded")
    request = moved.request
    if request is not None and request.to == old:
        request = None if moved.lead == new else replace(request, to=new)
    direction = moved.direction
    if direction is not None and direction.to == old:
        direction = None if moved.lead == new else replace(direction, to=new)
    return replace(moved, request=request, direction=direction)


def hand_over(episode: Episode, by: Unit, officer: str) -> Episode:
    """Name another officer of the leading unit: the lead stays (6, shift end)."""
    _open(episode)
    if episode.lead != by:
        raise Refused("not-lead")
    *before, last = episode.tenures
    return replace(episode, tenures=(*before, replace(last, officer=officer)))


def join(episode: Episode, now: datetime) -> Episode:
    """End an episode as joined to another, whose lead goes on (4.10)."""
    _open(episode)
    return _end(episode, now)


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


def err(episode: Episode, by: Unit, now: datetime) -> Episode:
    """End an episode that was recorded in error: the unit that leads does, and what is open ends."""
    _open(episode)
    if by != episode.lead:
        raise Refused("not-lead")
    return _end(episode, now)


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


def _moved(
    episode: Episode,
    to: Unit,
    officer: str,
    now: datetime,
    basis: Literal["accepted", "agreed-plan", "direction", "superseded"],
) -> Episode:
    *before, last = episode.tenures
    return replace(
        episode,
        tenures=(*before, replace(last, until=now), Tenure(to, officer, now, None, basis)),
    )


def _open(episode: Episode, code: str = "episode-ended") -> None:
    if episode.ended_at is not None:
        raise Refused(code)


def _end(episode: Episode, now: datetime) -> Episode:
    *before, last = episode.tenures
    return Episode((*before, replace(last, until=now)), None, (), now)
