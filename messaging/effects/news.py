"""Updates, and what a change of risk does (DOMAIN.md 4.2, 4.4)."""

from datetime import datetime
from typing import cast

from sqlalchemy import or_, update

from hub.errors import conflict, invalid
from messaging import contracts
from messaging.act import Act
from messaging.choices import Action, Choices, Choosing
from messaging.effects.actions import action_done, watch_line
from messaging.effects.hurrying import hurry
from messaging.effects.steps import (
    assessed,
    reachable,
    review,
    settle,
    step,
    supervises,
    tell,
)
from messaging.model import (
    Clock,
    Episode,
)
from messaging.sending import everyone
from messaging.state import OpenEpisode, OpenReport


def update_case(act: Act) -> None:
    """News; new information re-opens a refused report, and high risk makes an offer urgent (4.4)."""
    body = cast(contracts.Update, act.body)
    case, report, episode = act.case, act.case.report, act.case.episode
    if body.action_done is not None:
        action_done(act)
        _says_no_more(act, body)
    if body.live_until is not None:
        watch_line(act, body.live_until)
    if report is not None and report.state == "not-accepted" and _adds_to(act, report):
        state = step(report, "new-information")
        act.later(lambda: settle(act, report, state))
        tell(act, {report.addressed, report.reporter})
        act.reply_due_at = act.clock(
            "report-outcome", report.addressed, started=reachable(act, report.addressed)
        )
        act.priority = "urgent"
    if body.heading == "ukmpu-told" or body.ukmpu_not_told is not None:
        _ukmpu(act, episode, body)
    if body.new_risk is not None and not case.parties[act.unit].police:
        raise invalid(
            "risk-by-police", "Police assess the risk: write what you know as text.",
            "/body/new_risk",
        )  # fmt: skip
    if episode is None:
        if body.new_risk is not None:
            raise invalid(
                "risk-of-episode", "Nobody counts as missing here: say the risk as you record it.",
                "/body/new_risk",
            )  # fmt: skip
        return
    reviewed = body.heading == "review"
    changed = body.new_risk is not None and body.new_risk != episode.risk
    if body.review_at is not None and not (reviewed or changed):
        raise invalid(
            "review-at", "A review time comes with a change of risk, or with a review.",
            "/body/review_at",
        )  # fmt: skip
    due = _reviewed(act, episode, body) if reviewed else None
    if body.new_risk is None:
        if reviewed:
            act.body = body.model_copy(update={"review_at": due})
        return
    risk = body.new_risk
    act.later(
        lambda: act.session.execute(
            update(Episode).where(Episode.id == episode.id).values(risk=risk)
        )
    )
    if changed:
        # Whomever the sender names: a change of risk reaches everybody on the case (issue 4.2).
        act.to |= everyone(act)
        tell(act, {u for u in (episode.lead, case.home) if u in case.parties})
    if changed and not reviewed:
        due = review(act, risk, episode.lead, body.review_at, "/body/review_at")
    assessed(act, body, due)
    if risk == "high":
        act.priority = "urgent"
        act.later(lambda: hurry(act, episode))


def _says_no_more(act: Act, body: contracts.Update) -> None:
    """Refuse all but the action of who has no part in the case beyond it (4.8)."""
    more = body.model_dump(exclude_none=True).keys() - {"heading", "text", "action_done"}
    if more and not act.case.takes_part(act.unit):
        raise invalid(
            "action-alone", "Your unit owns an action here, and says what came of that alone.",
            f"/body/{min(more)}",
        )  # fmt: skip


def _ukmpu(act: Act, episode: OpenEpisode | None, body: contracts.Update) -> None:
    """Meet the clock of the UK Missing Persons Unit: it was told, or after the return why not (6)."""
    if not act.case.parties[act.unit].police:
        raise invalid("told-by-police", "Police tell the UK Missing Persons Unit.", "/body/heading")
    if body.ukmpu_not_told is not None and episode is not None:
        raise conflict(
            "still-missing", "The child is still missing: tell the UK Missing Persons Unit."
        )
    act.session.execute(
        update(Clock)
        .where(
            Clock.case_id == act.case.id,
            Clock.kind == "ukmpu",
            Clock.met_at.is_(None),
            or_(Clock.ended_at.is_(None), Clock.ended_at >= Clock.due_at),
        )
        .values(met_at=act.at)
    )


def _adds_to(act: Act, report: OpenReport) -> bool:
    """Say whether news come from who may have a refused report looked at again."""
    party = act.case.parties[act.unit]
    council = party.part == "responsible-authority" and act.case.takes_part(act.unit)
    return report.reporter == act.unit or council


def _reviewed(act: Act, episode: OpenEpisode, body: contracts.Update) -> datetime | None:
    """Meet the clock of the review: a supervisor of the unit that leads has reviewed (6)."""
    if episode.lead in act.case.mine(act.actor):
        act.unit = episode.lead
    if act.unit != episode.lead or not supervises(act.actor):
        raise invalid(
            "review-by-supervisor", "A supervisor of the unit that leads reviews.", "/body/heading"
        )
    return review(
        act, body.new_risk or episode.risk, episode.lead, body.review_at, "/body/review_at"
    )


def choices(now: Choosing) -> Choices:
    """There is always news."""
    if now.may("update"):
        yield Action("update")
