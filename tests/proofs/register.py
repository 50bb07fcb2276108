"""The lead of one episode as a register: what each act would do if it came alone.

It is the pure rules of messaging/lead.py, with what the permission map adds: who is a party, and who
is a side.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from messaging import lead

Kind = Literal[
    "offer", "accept", "decline", "withdraw", "hold", "dispute", "dispute-withdraw", "direct",
    "acknowledge", "told", "locate", "confirm", "refuse", "hand-over", "read",
]  # fmt: skip

SOMETIME = datetime(2026, 11, 24, 3, tzinfo=UTC)
"""The register knows order and no time: all tenures begin and end then."""

REFUSED = "refused"
DONE = "done"


@dataclass(frozen=True)
class Act:
    """One act: by whom; to whom; about which request, claim, dispute or direction; its own key.

    `officer` is whom it names as the officer who leads.
    """

    kind: Kind
    by: str
    key: Hashable
    to: str = ""
    about: Hashable = None
    officer: str = ""


@dataclass(frozen=True)
class Register:
    """The episode, who is a party of its case, whom the lead was ever offered to, and who was told.

    Whoever was sent one message and is no party sees that; they may say that they saw the child.
    """

    episode: lead.Episode
    parties: frozenset[str]
    offered: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()


def begin(unit: str) -> Register:
    """Return the register of an episode that this unit has just recorded."""
    return Register(lead.record(unit, unit, SOMETIME), frozenset({unit}))


def reading(state: Register) -> str:
    """Return what a reader sees: who has led, in order, and what is open."""
    episode = state.episode
    led = ">".join(f"{one.unit}/{one.officer}" for one in episode.tenures)
    asked = episode.request.to if episode.request and not episode.ended_at else "-"
    return f"{led} asked:{asked} ended:{episode.ended_at is not None}"


def apply(state: Register, act: Act) -> tuple[Register, str]:
    """Return the register after an act and its outcome; a refusal changes nothing."""
    if act.kind == "read":
        return state, reading(state)
    try:
        return _applied(state, act), DONE
    except lead.Refused:
        return state, REFUSED


def _applied(state: Register, act: Act) -> Register:
    episode = state.episode
    act = replace(act, about=act.about or _only_one(episode, act.kind))
    if act.kind in ("direct", "told"):
        return _adjudicated(state, act)
    if act.by not in state.parties | (state.told if act.kind == "locate" else frozenset()):
        raise lead.Refused("not-found")
    match act.kind:
        case "offer":
            request = lead.Request(act.key, act.to, urgent=False)
            after = lead.offer(episode, act.by, request, withdraws=act.about)
            parties, offered = state.parties | {act.to}, state.offered | {act.to}
            return replace(state, episode=after, parties=parties, offered=offered)
        case "accept":
            after = lead.accept(episode, act.by, act.about, act.officer, SOMETIME)
        case "decline":
            after = lead.decline(episode, act.by, act.about)
        case "withdraw":
            after = lead.withdraw(episode, act.by, act.about)
        case "hold":
            after = lead.hold(episode, act.by, act.about)
        case "dispute":
            named = {act.to} if act.to else set()
            return replace(state, episode=_contested(state, act), told=state.told | named)
        case "dispute-withdraw":
            after = lead.settle(episode, act.by, act.about)
        case "acknowledge":
            after = lead.acknowledge_direction(episode, act.about, act.by, act.officer, SOMETIME)
        case "locate":
            after = lead.locate(episode, act.by, act.key, SOMETIME)
        case "confirm":
            after = lead.confirm(episode, act.by, act.about, SOMETIME)
        case "refuse":
            after = lead.refuse(episode, act.by, act.about)
        case "hand-over":
            after = lead.hand_over(episode, act.by, act.officer)
        case _:
            raise AssertionError(act.kind)
    return replace(state, episode=after)


def _only_one(episode: lead.Episode, kind: Kind) -> Hashable:
    """Return what an answer without a reference is about: the one that is open."""
    open_ = {
        **dict.fromkeys(("accept", "decline", "withdraw", "hold"), episode.request),
        "dispute-withdraw": episode.dispute,
        **dict.fromkeys(("acknowledge", "told"), episode.direction),
        **dict.fromkeys(
            ("confirm", "refuse"), episode.claims[0] if len(episode.claims) == 1 else None
        ),
    }.get(kind)
    return open_.id if open_ else None


def _contested(state: Register, act: Act) -> lead.Episode:
    episode = state.episode
    if act.by not in _sides(state):
        raise lead.Refused("not-permitted")
    other = episode.lead
    if act.by == episode.lead:
        other = episode.request.to if episode.request else act.to or _other(state)
        if other not in _sides(state) - {episode.lead}:
            raise lead.Refused("to-one")
    return lead.contest(episode, act.by, act.key, other)


def _other(state: Register) -> str | None:
    """Return whom the lead must mean that names nobody: the only other side."""
    others = _sides(state) - {state.episode.lead}
    return next(iter(others)) if len(others) == 1 else None


def _sides(state: Register) -> frozenset[str]:
    """Return who may be in a dispute: whoever has led the episode, or was offered its lead."""
    return state.offered | {str(one.unit) for one in state.episode.tenures}


def _adjudicated(state: Register, act: Act) -> Register:
    """An adjudicator is let in while something is undecided, and to nobody else is there a case."""
    episode = state.episode
    if episode.ended_at or (episode.dispute is None and episode.direction is None):
        raise lead.Refused("not-found")
    if act.kind == "told":
        to = episode.direction.to if episode.direction else None
        after = lead.acknowledge_direction(episode, act.about, to, act.officer, SOMETIME)
        return replace(state, episode=after)
    after = lead.direct(episode, lead.Direction(act.key, act.to))
    return replace(state, episode=after, parties=state.parties | {act.to})
