"""What high risk makes urgent: an open offer of the lead, and a dispute about it (DOMAIN.md 4.4)."""

from uuid import UUID

from sqlalchemy import select, update

from messaging import clocks, lead
from messaging.act import Act
from messaging.model import Clock, LeadRequest
from messaging.state import OpenEpisode


def hurry(act: Act, episode: OpenEpisode) -> None:
    """Make the open request of an episode urgent, and its dispute, once the risk is high (4.4)."""
    if lead.raise_risk(episode.as_rules()).request is not None:
        _hurry_request(act, episode)
    if episode.dispute_id is not None:
        _hurry(act, episode.dispute_message, "dispute-routine", "dispute-urgent")


def _hurry_request(act: Act, episode: OpenEpisode) -> None:
    """Make the open request urgent (4.4)."""
    act.session.execute(
        update(LeadRequest)
        .where(LeadRequest.id == episode.request_id, LeadRequest.state == "open")
        .values(priority="urgent")
    )
    _hurry(act, episode.request_message, "lead-routine", "lead-urgent")
    _hurry(act, episode.request_message, "opened-request", "opened-urgent")


def _hurry(act: Act, message_id: UUID | None, routine: str, urgent: str) -> None:
    """Make a clock urgent: due at the earlier of its time and an urgent one's from now (4.4).

    One that is overdue already takes its next step no later than that, and none twice.
    """
    for clock in act.session.scalars(
        select(Clock).where(
            Clock.message_id == message_id,
            Clock.kind.in_((routine, urgent)),
            Clock.met_at.is_(None),
            Clock.ended_at.is_(None),
        )
    ):
        clock.kind = urgent
        soon = clocks.due(urgent, act.at, act.settings(clock.owed_by_unit_id))
        if clock.due_at is not None:
            clock.due_at = min(clock.due_at, soon)
        if clock.escalates_at is not None:
            clock.escalates_at = min(clock.escalates_at, soon)
    act.session.flush()
