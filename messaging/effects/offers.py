"""Offers of the lead and their answers (DOMAIN.md 4.1, 4.3)."""

from typing import cast
from uuid import UUID

from sqlalchemy import update

from hub.db import new_id
from hub.errors import invalid
from messaging import clocks, contracts, lead
from messaging.effects.steps import (
    ON_DUTY,
    meet,
    note_answered,
    open_episode,
    police_parties,
    reachable,
)
from messaging.model import (
    Clock,
    LeadRequest,
    Tenure,
)
from messaging.sending import Act
from messaging.state import OpenEpisode


def lead_transfer_request(act: Act) -> None:
    """Offer the lead to one unit; it leads when it accepts, and not before (4.1, 4.3)."""
    body = cast(contracts.LeadTransferRequest, act.body)
    episode = open_episode(act)
    police = [unit for unit in act.to.values() if unit.police]
    if len(police) != 1 or len(act.to) != 1:
        raise invalid("to-one", "Offer the lead to exactly one police unit.", "/to")
    to = police[0]
    urgent = act.command.priority == "urgent" or (body.risk or episode.risk) == "high"
    request = lead.Request(act.message_id, to.unit_id, urgent)
    lead.offer(episode.as_rules(), act.unit, request, withdraws=body.withdraws)
    act.priority = "urgent" if urgent else "routine"
    act.request_no = 1
    if body.withdraws is not None:
        _answer(act, episode, "withdrawn", old=body.withdraws)
    act.add_party(to)
    act.reply_due_at = act.clock(
        clocks.lead_kind(urgent), to.unit_id, started=reachable(act, to.unit_id)
    )
    act.insert(
        "lead_request",
        {
            "id": new_id(), "episode_id": episode.id, "message_id": act.message_id,
            "kind": body.kind, "from_unit_id": act.unit, "to_unit_id": to.unit_id,
            "priority": act.priority, "opened_at": act.at,
        },
    )  # fmt: skip


def lead_transfer_accept(act: Act) -> None:
    """Take the lead: it moves at this commit, whole (4.1a)."""
    body = cast(contracts.LeadTransferAccept, act.body)
    episode, request = _request(act)
    lead.accept(episode.as_rules(), act.unit, request, body.named_officer, act.at)
    act.to |= police_parties(act)
    _answer(act, episode, "accepted")
    act.later(lambda: _move(act, episode, body))


def _move(act: Act, episode: OpenEpisode, body: contracts.LeadTransferAccept) -> None:
    act.session.execute(update(Tenure).where(Tenure.id == episode.tenure_id).values(until=act.at))
    own = body.named_officer == act.actor.name
    act.session.add(
        Tenure(
            episode_id=episode.id,
            number=episode.tenure_number + 1,
            unit_id=act.unit,
            officer_name=body.named_officer,
            officer_rank=body.officer_rank or (act.actor.rank_or_role if own else None),
            officer_collar=body.officer_collar or (act.actor.collar_number if own else None),
            on_duty_until=body.on_duty_until or act.at + ON_DUTY,
            since=act.at,
            basis="accepted",
            message_id=act.message_id,
        )
    )
    act.session.flush()
    act.session.execute(
        update(Clock)
        .where(
            Clock.case_id == act.case.id,
            Clock.owed_by_unit_id == episode.lead,
            Clock.kind.in_(
                ("ukmpu", "review-high", "review-medium", "review-low", "located-answer")
            ),
            Clock.met_at.is_(None),
            Clock.ended_at.is_(None),
        )
        .values(owed_by_unit_id=act.unit)
    )


def lead_transfer_decline(act: Act) -> None:
    """Decline: the lead stays where it is (4.1)."""
    episode, request = _request(act)
    lead.decline(episode.as_rules(), act.unit, request)
    act.to |= police_parties(act)
    _answer(act, episode, "declined")


def lead_transfer_withdraw(act: Act) -> None:
    """Take the offer back: the lead stays where it is (4.1)."""
    episode, request = _request(act)
    lead.withdraw(episode.as_rules(), act.unit, request)
    act.to |= police_parties(act)
    _answer(act, episode, "withdrawn")


def _request(act: Act) -> tuple[OpenEpisode, UUID]:
    """Return the open episode and the request that is answered: the one named, or the open one."""
    episode = act.case.episode
    if act.in_reply_to is None:
        act.in_reply_to = episode.request_message if episode else None
    if episode is None or act.in_reply_to is None:
        raise lead.Refused("request-already-answered")
    return episode, act.in_reply_to


def _answer(act: Act, episode: OpenEpisode, state: str, old: UUID | None = None) -> None:
    """End the open request with this message, and its clock."""
    answered = old or act.in_reply_to
    act.later(
        lambda: act.session.execute(
            update(LeadRequest)
            .where(LeadRequest.id == episode.request_id)
            .values(
                state=state, answered_at=act.at, answer_message_id=act.message_id,
                answered_by_unit_id=act.unit, answered_by_name=act.actor.name,
            )
        )
    )  # fmt: skip
    meet(act, answered, "lead-urgent", "lead-routine", "opened-urgent", "opened-request")
    if state in ("accepted", "declined") and answered is not None:
        note_answered(act, answered)
