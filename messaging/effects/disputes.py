"""Disputes over who leads, and directions (DOMAIN.md 4.1, 6)."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from sqlalchemy import select, update

from hub.db import new_id
from hub.errors import conflict, invalid
from hub.jobs import outbox
from messaging import alarms, contracts, lead
from messaging import joining as rules
from messaging.act import Act
from messaging.choices import Action, Choices, Choosing
from messaging.effects import joining, merging
from messaging.effects.steps import (
    end_request,
    meet,
    move_lead,
    note_answered,
    on_duty,
    open_episode,
    police_parties,
    reachable,
    tell_duty_inspector,
)
from messaging.model import Direction, Dispute, LeadRequest
from messaging.sending import unit_named
from messaging.state import ADJUDICATOR, OpenEpisode

DISPUTE_CLOCKS = ("dispute-urgent", "dispute-routine")


def dispute(act: Act) -> None:
    """Dispute who leads: both sides' duty inspectors hear of it at once, and nothing moves."""
    episode = open_episode(act)
    other = _other_side(act, episode)
    lead.contest(episode.as_rules(), act.unit, act.message_id, other)
    urgent = (
        act.command.priority == "urgent"
        or episode.risk == "high"
        or _last_offer(act, episode, {act.unit, other}) == "urgent"
    )
    act.priority = "urgent" if urgent else "routine"
    act.in_reply_to = act.in_reply_to or episode.request_message
    act.to |= police_parties(act)
    act.to.setdefault(other, act.case.parties[other])
    for unit in (act.unit, other):
        tell_duty_inspector(act, unit)
    kind = "dispute-urgent" if urgent else "dispute-routine"
    act.reply_due_at = act.clock(kind, None)
    act.later(
        lambda: outbox.enqueue(act.session, alarms.ADJUDICATE_JOB, act.message_id, now=act.at)
    )
    act.insert(
        "dispute",
        {
            "id": new_id(), "episode_id": episode.id, "message_id": act.message_id,
            "by_unit_id": act.unit, "other_unit_id": other, "opened_at": act.at,
        },
    )  # fmt: skip


def _last_offer(act: Act, episode: OpenEpisode, sides: set[UUID]) -> str | None:
    """Return how urgent the last offer of the lead between the two sides was."""
    return act.session.scalar(
        select(LeadRequest.priority)
        .where(LeadRequest.episode_id == episode.id, LeadRequest.to_unit_id.in_(sides))
        .order_by(LeadRequest.opened_at.desc())
        .limit(1)
    )


def _other_side(act: Act, episode: OpenEpisode) -> UUID:
    """Return whom the dispute is with: the lead, or for the lead whom it asked or took it from."""
    if act.unit != episode.lead:
        return episode.lead
    if episode.request_to is not None:
        return episode.request_to
    sides = episode.sides - {episode.lead}
    named = [unit for unit in act.to if unit in sides] if act.to else list(sides)
    if len(named) != 1:
        raise invalid("to-one", "Name the unit that led before, or was offered the lead.", "/to")
    return named[0]


def dispute_withdraw(act: Act) -> None:
    """Take a dispute back: nothing moves."""
    episode = act.case.episode
    if episode is None or episode.dispute_message is None:
        raise lead.Refused("dispute-ended")
    act.in_reply_to = act.in_reply_to or episode.dispute_message
    lead.settle(episode.as_rules(), act.unit, act.in_reply_to)
    act.to |= police_parties(act)
    end_dispute(act, episode, "withdrawn")


def direction(act: Act) -> None:
    """Direct which unit leads: nothing moves until that unit acknowledges (4.1c)."""
    body = cast(contracts.Direction, act.body)
    episode = open_episode(act)
    to = unit_named(act.session, body.lead, "/body/lead", act.at)
    if not to.police:
        raise invalid("unit-unknown", "Name a police unit.", "/body/lead")
    if to.organisation_id == act.actor.organisation_id:
        raise conflict(
            "own-dispute",
            "A dispute of your own organisation is decided by an adjudicator of another.",
        )
    after = lead.direct(episode.as_rules(), lead.Direction(act.message_id, to.unit_id))
    joins = _joins(act, body)
    act.priority = "urgent"
    act.in_reply_to = act.in_reply_to or episode.dispute_message or episode.request_message
    act.to |= police_parties(act)
    if to.unit_id != episode.lead:
        act.to.setdefault(to.unit_id, to)
        act.add_party(to)
    if episode.request_id is not None:
        end_request(act, episode, "directed")
    if episode.dispute_id is not None:
        end_dispute(act, episode, "directed")
    if episode.direction_id is not None:
        _end_direction(act, episode, "replaced")
    act.insert(
        "direction",
        {
            "id": new_id(), "episode_id": episode.id, "message_id": act.message_id,
            "dispute_id": episode.dispute_id, "to_unit_id": to.unit_id,
            "adjudicator_organisation_id": act.case.parties[act.unit].organisation_id,
            "opened_at": act.at,
            "match_id": joins.match.id if joins else None,
            **(
                {}
                if after.direction
                else {
                    "state": "kept", "answered_at": act.at, "answer_message_id": act.message_id,
                    "answered_by_unit_id": None, "answered_by_name": act.actor.name,
                }
            ),
        },
    )  # fmt: skip
    if after.direction is not None:
        act.reply_due_at = act.clock("direction", to.unit_id, started=reachable(act, to.unit_id))
    elif joins is not None:
        merging.merge(act, joins.match, joins.other, into=episode.id, leads=episode.lead)


def _joins(act: Act, body: contracts.Direction) -> joining.Pair | None:
    """Return the match whose other episode is directed to end in this one; no side directs it."""
    if body.match is None:
        return None
    found = joining.pair(act, body.match)
    rules.end(found.theirs, act.at)
    sides = {party.organisation_id for party in found.other.parties.values() if party.full}
    if act.actor.organisation_id in sides:
        raise conflict(
            "own-dispute",
            "A dispute of your own organisation is decided by an adjudicator of another.",
        )
    return found


def direction_acknowledge(act: Act) -> None:
    """Take the lead as directed, or say whom in the directed unit was told: it moves now (4.1c)."""
    body = cast(contracts.DirectionAcknowledge, act.body)
    episode = act.case.episode
    if episode is None or episode.direction_to is None:
        raise lead.Refused("direction-ended")
    acknowledged = act.in_reply_to or episode.direction_message
    assert acknowledged is not None  # noqa: S101  # an open direction has its message
    act.in_reply_to = acknowledged
    to = episode.direction_to
    told = act.case.parties[act.unit].part == ADJUDICATOR
    if told and not body.told_by_telephone:
        raise invalid(
            "told-whom", "Say whom there you told, on which number, and when.",
            "/body/told_by_telephone",
        )  # fmt: skip
    lead.acknowledge_direction(
        episode.as_rules(), acknowledged, to if told else act.unit, body.named_officer, act.at
    )
    joins = joining.directed(act, episode.direction_id)
    until = on_duty(act, body.on_duty_until)
    act.to |= police_parties(act)
    _end_direction(act, episode, "acknowledged")
    if joins is not None:
        merging.merge(act, joins.match, joins.other, into=episode.id, leads=to)
    if not told:
        note_answered(act, acknowledged)
    act.later(
        lambda: move_lead(
            act, episode, to, "direction", officer=body.named_officer,
            rank=body.officer_rank, collar=body.officer_collar, until=until,
        )
    )  # fmt: skip


def end_dispute(act: Act, episode: OpenEpisode, state: str) -> None:
    """End the open dispute with this message, and its clock."""
    meet(act, episode.dispute_message, *DISPUTE_CLOCKS, met=state == "directed")
    act.later(lambda: _answer(act, Dispute, episode.dispute_id, state))


def _end_direction(act: Act, episode: OpenEpisode, state: str) -> None:
    meet(act, episode.direction_message, "direction", met=state == "acknowledged")
    act.later(lambda: _answer(act, Direction, episode.direction_id, state))


def _answer(act: Act, table: type[Dispute] | type[Direction], row: UUID | None, state: str) -> None:
    act.session.execute(
        update(table)
        .where(table.id == row)
        .values(
            state=state, answered_at=act.at, answer_message_id=act.message_id,
            answered_by_unit_id=act.unit, answered_by_name=act.actor.name,
        )
    )  # fmt: skip


def choices(now: Choosing) -> Choices:
    """A side disputes, or takes it back; an adjudicator directs; who is directed acknowledges."""
    episode = now.case.episode
    if episode is None:
        return
    if episode.direction_message is not None and now.may("direction-acknowledge"):
        yield Action("direction-acknowledge", episode.direction_message)
    if episode.dispute_message is None:
        if now.may("dispute"):
            yield from _disputes(episode, now.mine)
    elif now.may("dispute-withdraw"):
        yield Action("dispute-withdraw", episode.dispute_message)
    if now.case.to_adjudicate and now.may("direction"):
        about = episode.dispute_message or episode.request_message
        for unit in _sides(episode):
            yield Action("direction", about, to=unit)


def _disputes(episode: OpenEpisode, mine: Sequence[UUID]) -> Choices:
    """Say with whom the reader may dispute the lead: the lead, or as the lead whom it asked."""
    request = episode.request_message
    if episode.lead not in mine or request is not None:
        yield Action("dispute", request)
        return
    for unit in sorted(episode.sides - {episode.lead}):
        yield Action("dispute", to=unit)


def _sides(episode: OpenEpisode) -> list[UUID]:
    """Return the units that a direction is between, the lead first."""
    others = (episode.dispute_by, episode.dispute_other, episode.request_to, episode.direction_to)
    return list(dict.fromkeys(unit for unit in (episode.lead, *others) if unit))
