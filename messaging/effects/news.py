"""Updates, and what a change of risk does (DOMAIN.md 4.2, 4.4)."""

from typing import cast

from sqlalchemy import select, update

from hub.errors import invalid
from messaging import clocks, contracts, lead
from messaging.effects.steps import reachable, settle, step, tell
from messaging.model import (
    Clock,
    Episode,
    LeadRequest,
)
from messaging.sending import Act
from messaging.state import OpenEpisode


def update_case(act: Act) -> None:
    """News; new information re-opens a refused report, and high risk makes an offer urgent (4.4)."""
    body = cast(contracts.Update, act.body)
    case, report, episode = act.case, act.case.report, act.case.episode
    if report is not None and report.reporter == act.unit and report.state == "not-accepted":
        state = step(report, "new-information")
        act.later(lambda: settle(act, report, state))
        tell(act, {report.addressed})
        act.reply_due_at = act.clock(
            "report-outcome", report.addressed, started=reachable(act, report.addressed)
        )
        act.priority = "urgent"
    if body.new_risk is None or episode is None:
        return
    if not case.parties[act.unit].police:
        raise invalid(
            "risk-by-police", "Police assess the risk: write what you know as text.",
            "/body/new_risk",
        )  # fmt: skip
    risk = body.new_risk
    act.later(
        lambda: act.session.execute(
            update(Episode).where(Episode.id == episode.id).values(risk=risk)
        )
    )
    act.clock(clocks.review_kind(risk), episode.lead)
    if risk == "high":
        act.priority = "urgent"
        if episode.request_id is not None and lead.raise_risk(episode.as_rules()).request:
            act.later(lambda: _hurry(act, episode))


def _hurry(act: Act, episode: OpenEpisode) -> None:
    """Make the open request urgent: due at the earlier of its time and ten minutes from now (4.4)."""
    act.session.execute(
        update(LeadRequest)
        .where(LeadRequest.id == episode.request_id, LeadRequest.state == "open")
        .values(priority="urgent")
    )
    for clock in act.session.scalars(
        select(Clock).where(
            Clock.message_id == episode.request_message,
            Clock.kind.in_(("lead-routine", "lead-urgent")),
            Clock.met_at.is_(None),
            Clock.ended_at.is_(None),
        )
    ):
        clock.kind = "lead-urgent"
        if clock.due_at is not None:
            clock.due_at = clocks.made_urgent(clock.due_at, act.at, act.settings)
            clock.escalates_at = clock.due_at
    act.session.flush()
