"""Located is what someone saw (DOMAIN.md 4.9)."""

from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import select

from hub.db import new_id
from hub.errors import conflict, invalid
from messaging import contracts, lead, returning
from messaging.act import Act
from messaging.choices import Action, Choices, Choosing, Knowing
from messaging.effects.ending import end_episode
from messaging.effects.steps import meet, police_parties, reachable, settle, step, tell
from messaging.model import Episode, LocatedClaim
from messaging.sending import everyone
from messaging.state import OpenEpisode

LONG_BEFORE = timedelta(days=7)
"""Police may record late that a child was missing, and is back."""


def located(act: Act) -> None:
    """Somebody saw the child: the lead's word ends the episode, another's is a claim (4.9)."""
    body = cast(contracts.Located, act.body)
    if body.located_at > act.at + timedelta(minutes=5):
        raise invalid("in-future", "This cannot be later than now.", "/body/located_at")
    if body.located_at < _missing_since(act) - LONG_BEFORE:
        raise invalid(
            "long-before", "This is long before the child was reported missing: look at the date.",
            "/body/located_at",
        )  # fmt: skip
    returning.ends_on(body.ground)
    report, episode = act.case.report, act.case.episode
    if episode is None:
        if report is None or report.reporter != act.unit:
            raise conflict("episode-ended", "No episode is open, so nobody counts as missing.")
        state = step(report, "returned")
        act.later(lambda: settle(act, report, state))
        tell(act, {report.addressed})
        meet(act, None, "report-outcome")
        meet(act, None, "supervisor-decision", met=False)
        return
    act.priority = "urgent"
    if episode.lead in act.case.mine(act.actor):
        act.unit = episode.lead  # a force's inspector says it for the unit that leads
    after = lead.locate(episode.as_rules(), act.unit, act.message_id, act.at)
    if after.ended_at is not None:
        act.to |= everyone(act)
        _tell_claimants(act, episode)
        end_episode(act, episode, "located", dead=body.found == "dead")
        return
    tell(act, {episode.lead})
    act.reply_due_at = act.clock(
        "located-answer", episode.lead, started=reachable(act, episode.lead)
    )
    act.insert(
        "located_claim",
        {
            "id": new_id(), "episode_id": episode.id, "message_id": act.message_id,
            "by_unit_id": act.unit, "found_dead": body.found == "dead",
        },
    )  # fmt: skip


def _missing_since(act: Act) -> datetime:
    """Return when police recorded the child as missing, or a practitioner told them."""
    if act.case.episode is None:
        return act.case.opened_at
    return act.session.scalars(
        select(Episode.opened_at).where(Episode.id == act.case.episode.id)
    ).one()


def _tell_claimants(act: Act, episode: OpenEpisode) -> None:
    """Tell whoever said that they saw the child, and waits for the word of the lead (4.9)."""
    claimed = act.session.scalars(
        select(LocatedClaim.by_unit_id).where(
            LocatedClaim.episode_id == episode.id, LocatedClaim.state == "open"
        )
    )
    tell(act, {act.case.standing(unit) for unit in claimed} - {act.unit})


def located_confirm(act: Act) -> None:
    """The lead confirms: the episode ends, and what is open is overtaken (4.9)."""
    episode, claim = _claim(act)
    lead.confirm(
        episode.as_rules([lead.Claim(claim.message_id, claim.by_unit_id)]),
        act.unit,
        claim.message_id,
        act.at,
    )
    act.to |= everyone(act)
    _tell_claimants(act, episode)
    _close_claim(act, claim, "confirmed")
    end_episode(act, episode, "located", dead=claim.found_dead)


def located_refuse(act: Act) -> None:
    """The lead refuses: the child stays missing (4.9)."""
    episode, claim = _claim(act)
    lead.refuse(
        episode.as_rules([lead.Claim(claim.message_id, claim.by_unit_id)]),
        act.unit,
        claim.message_id,
    )
    tell(act, {act.case.standing(claim.by_unit_id)})
    act.to |= police_parties(act)
    _close_claim(act, claim, "refused")


def _claim(act: Act) -> tuple[OpenEpisode, LocatedClaim]:
    open_claims = list(
        act.session.scalars(
            select(LocatedClaim)
            .join(Episode, Episode.id == LocatedClaim.episode_id)
            .where(Episode.case_id == act.case.id, LocatedClaim.state == "open")
            .order_by(LocatedClaim.id)
        )
    )
    if act.in_reply_to is None and len(open_claims) == 1:
        act.in_reply_to = open_claims[0].message_id
    for claim in open_claims:
        if claim.message_id == act.in_reply_to and act.case.episode is not None:
            return act.case.episode, claim
    raise lead.Refused("claim-already-answered")


def _close_claim(act: Act, claim: LocatedClaim, state: str) -> None:
    def write() -> None:
        claim.state = state
        claim.answered_at = act.at
        claim.answer_message_id = act.message_id
        claim.answered_by_unit_id = act.unit
        claim.answered_by_name = act.actor.name
        act.session.flush()

    act.later(write)
    meet(act, claim.message_id, "located-answer")


def choices(now: Choosing) -> Choices:
    """Whoever saw the child says so; the lead confirms or refuses what others claim."""
    episode, report = now.case.episode, now.case.report
    if episode is None:
        if report is not None and report.reporter in now.mine:
            yield Action("located")
        return
    if episode.lead in now.mine and now.may("located-confirm"):
        for claim in now.messages(
            "SELECT message_id FROM located_claim WHERE episode_id = :episode AND state = 'open'"
            " ORDER BY message_id",
            episode=episode.id,
        ):
            yield Action("located-confirm", claim)
            yield Action("located-refuse", claim)
    if now.may("located"):
        yield Action("located")


def known_located(known: Knowing) -> dict[str, Any]:
    """Take it that the child was seen just now."""
    return {"located_at": known.now.isoformat()}
