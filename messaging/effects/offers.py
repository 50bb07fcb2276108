"""Offers of the lead and their answers (DOMAIN.md 4.1, 4.3)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import update

from hub.clock import said
from hub.db import new_id
from hub.errors import invalid
from messaging import clocks, contracts, lead, match_clocks
from messaging import joining as rules
from messaging.act import Act
from messaging.choices import Action, Choices, Choosing, Knowing
from messaging.effects import joining, merging
from messaging.effects.disputes import end_dispute
from messaging.effects.steps import (
    LEAD_CLOCKS,
    end_request,
    move_lead,
    on_duty,
    open_episode,
    police_parties,
    reachable,
    review,
)
from messaging.lead_settings import asks_supervisor
from messaging.model import Clock, LeadRequest
from messaging.state import OpenEpisode


def lead_transfer_request(act: Act) -> None:
    """Offer the lead to one unit; it leads when it accepts, and not before (4.1, 4.3).

    The hub itself offers it for an agreed plan alone: then the lead comes by that plan (4.1b).
    """
    body = cast(contracts.LeadTransferRequest, act.body)
    episode = open_episode(act)
    joins = joining.asked_of(act, body)
    police = [unit for unit in act.to.values() if unit.police]
    if len(police) != 1 or len(act.to) != 1:
        raise invalid("to-one", "Offer the lead to exactly one police unit.", "/to")
    to = police[0]
    urgent = act.command.priority == "urgent" or (body.risk or episode.risk) == "high"
    by_plan = act.actor.kind == "system"
    if act.command.callback_telephone is None and not by_plan:
        raise invalid(
            "callback-missing", "Give the number on which they call you back.",
            "/callback_telephone",
        )  # fmt: skip
    request = lead.Request(
        act.message_id, to.unit_id, urgent, basis="agreed-plan" if by_plan else "accepted"
    )
    if joins is None:
        lead.offer(episode.as_rules(), act.unit, request, withdraws=body.withdraws)
    else:
        rules.ask(episode.as_rules(), joins.theirs, act.unit, request, body.withdraws)
    act.priority = "urgent" if urgent else "routine"
    act.request_no = 1
    if body.withdraws is not None:
        end_request(act, episode, "withdrawn", old=body.withdraws)
    act.add_party(replace(to, full=True))  # who had one question only sees the case now
    act.reply_due_at = act.clock(
        clocks.lead_kind(urgent), to.unit_id, started=reachable(act, to.unit_id)
    )
    act.insert(
        "lead_request",
        {
            "id": new_id(), "episode_id": episode.id, "message_id": act.message_id,
            "kind": body.kind, "from_unit_id": act.unit, "to_unit_id": to.unit_id,
            "priority": act.priority, "opened_at": act.at, "basis": request.basis,
            "match_id": joins.match.id if joins else None,
            "lead_after": (body.lead_after or "theirs") if joins else None,
        },
    )  # fmt: skip
    if joins is not None:
        act.later(lambda: match_clocks.settle(act.session, act.case.id, act.at))


def lead_transfer_accept(act: Act) -> None:
    """Take the lead: it moves at this commit, whole (4.1a); joined, one of two episodes ends (4.10)."""
    body = cast(contracts.LeadTransferAccept, act.body)
    episode, request = _request(act)
    after = lead.accept(episode.as_rules(), act.unit, request, body.named_officer, act.at)
    join = joining.accepted(act, episode, body.named_officer)
    leads = episode.lead if join and join.after == "ours" else act.unit
    until = on_duty(act, body.on_duty_until)
    supervisor = _supervisor(act, body)
    if body.next_review_at is not None:
        review(act, episode.risk, leads, body.next_review_at, "/body/next_review_at")
    act.to |= police_parties(act)
    end_request(act, episode, "accepted")
    if episode.dispute_id is not None:
        end_dispute(act, episode, "accepted")
    if join is not None:
        merging.merge(act, join.pair.match, join.pair.other, into=episode.id, leads=leads)
    if leads != act.unit:
        return
    act.later(
        lambda: move_lead(
            act, episode, act.unit, after.tenures[-1].basis, officer=body.named_officer,
            rank=body.officer_rank, collar=body.officer_collar, until=until, supervisor=supervisor,
        )
    )  # fmt: skip


def _supervisor(act: Act, body: contracts.LeadTransferAccept) -> str | None:
    """Return who authorises the acceptance; a supervisor who accepts does so by that.

    Raises:
        HubError: 422 `supervisor-needed` where the organisation asks for one.
    """
    if body.supervisor is None and "supervisor" in act.actor.roles:
        return act.actor.name
    organisation = act.case.parties[act.unit].organisation_id
    if body.supervisor is None and asks_supervisor(act.session, organisation):
        raise invalid(
            "supervisor-needed",
            "Your organisation accepts the lead only with a supervisor's authority: name them.",
            "/body/supervisor",
        )
    return body.supervisor


def lead_transfer_decline(act: Act) -> None:
    """Decline: the lead stays where it is (4.1)."""
    episode, request = _request(act)
    lead.decline(episode.as_rules(), act.unit, request)
    act.to |= police_parties(act)
    end_request(act, episode, "declined")
    act.later(lambda: match_clocks.settle(act.session, act.case.id, act.at))


def lead_transfer_withdraw(act: Act) -> None:
    """Take the offer back: the lead stays where it is (4.1)."""
    episode, request = _request(act)
    lead.withdraw(episode.as_rules(), act.unit, request)
    act.to |= police_parties(act)
    end_request(act, episode, "withdrawn")


def holding_reply(act: Act) -> None:
    """Say by when one decides, once for each request: its clock runs until then (6)."""
    body = cast(contracts.HoldingReply, act.body)
    episode, request = _request(act)
    lead.hold(episode.as_rules(), act.unit, request)
    limit = f"holding-{episode.request_priority or 'routine'}"
    latest = act.at + timedelta(minutes=clocks.minutes(limit, act.settings(act.unit)))
    if not act.at < body.decide_by <= latest:
        raise invalid(
            "decide-by", f"Decide by {said(latest)} at the latest.",
            "/body/decide_by",
        )  # fmt: skip
    act.to |= police_parties(act)
    act.later(lambda: _hold(act, episode, body.decide_by))


def _hold(act: Act, episode: OpenEpisode, until: datetime) -> None:
    act.session.execute(
        update(LeadRequest)
        .where(LeadRequest.id == episode.request_id)
        .values(held_until=until, held_by_name=act.actor.name)
    )
    act.session.execute(
        update(Clock)
        .where(
            Clock.message_id == episode.request_message,
            Clock.kind.in_(LEAD_CLOCKS),
            Clock.met_at.is_(None),
            Clock.ended_at.is_(None),
            Clock.started_at.is_not(None),
        )
        .values(due_at=until, escalates_at=until)
    )


def _request(act: Act) -> tuple[OpenEpisode, UUID]:
    """Return the open episode and the request that is answered: the one named, or the open one."""
    episode = act.case.episode
    if act.in_reply_to is None:
        act.in_reply_to = episode.request_message if episode else None
    if episode is None or act.in_reply_to is None:
        raise lead.Refused("request-already-answered")
    return episode, act.in_reply_to


def choices(now: Choosing) -> Choices:
    """Who is offered the lead answers; who leads offers it, or takes the offer back."""
    episode = now.case.episode
    if episode is None:
        return
    request = episode.request_message
    if request is not None and now.may("lead-transfer-accept"):
        yield Action("lead-transfer-accept", request)
        yield Action("lead-transfer-decline", request)
        if episode.held_until is None and now.may("holding-reply"):
            yield Action("holding-reply", request)
    if episode.lead in now.mine:
        if now.may("lead-transfer-request"):
            yield Action("lead-transfer-request", withdraws=request)
        if request is not None and now.may("lead-transfer-withdraw"):
            yield Action("lead-transfer-withdraw", request)


def known_request(known: Knowing) -> dict[str, Any]:
    """Fill in what the next officer needs, as far as it is on the case."""
    body = known.given(
        "live_lines",
        "warnings",
        "family_liaison",
        "actions_done",
        "last_seen_at",
        "last_seen_place",
    )
    body["circumstances"] = known.last("circumstances", "why")
    body["actions_outstanding"] = known.last("actions_outstanding", "open_actions")
    if known.case.episode:
        body["risk"] = known.case.episode.risk
    if known.own_number:
        body["callback_telephone"] = known.own_number
    return body


def known_officer(known: Knowing) -> dict[str, Any]:
    """Name the reader as the officer who leads, where their unit is to lead."""
    case, actor = known.case, known.actor
    if not any(case.relations(unit) & {"offered", "directed"} for unit in case.mine(actor)):
        return {}
    return {
        "named_officer": actor.name,
        "officer_rank": actor.rank_or_role,
        "officer_collar": actor.collar_number,
    }
