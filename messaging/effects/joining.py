"""Two cases of one child become one, or are found to be two children (DOMAIN.md 4.10)."""

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import or_, select

from hub.db import new_id
from hub.errors import invalid
from messaging import contested, contracts, joining, lead, match_clocks, placements
from messaging.act import Act
from messaging.choices import Action, Choices, Choosing, Knowing
from messaging.effects import merging
from messaging.effects.planning import ask_by_plan
from messaging.effects.steps import meet, police_parties, settle, step
from messaging.match_model import Match, MatchDenial
from messaging.model import Case, Direction, Episode, LeadRequest, LocatedClaim, Tenure
from messaging.sending import everyone
from messaging.state import CaseState, OpenEpisode, load_other


@dataclass(frozen=True)
class Pair:
    """A match of the case that is acted in, and the other case as it stands, held."""

    match: Match
    other: CaseState
    claims: tuple[lead.Claim, ...]

    @property
    def theirs(self) -> lead.Episode | None:
        """The other case's open episode by the rules."""
        episode = self.other.episode
        return episode.as_rules(self.claims) if episode else None


def pair(act: Act, match_id: UUID | None) -> Pair:
    """Return the open match that is meant: the one named, or the case's only one."""
    case = act.case.id
    found = list(
        act.session.scalars(
            select(Match)
            .where(
                Match.state == "open", or_(Match.one_case_id == case, Match.other_case_id == case)
            )
            .execution_options(populate_existing=True)
        )
    )
    if match_id is not None:
        found = [one for one in found if one.id == match_id]
    elif len(found) > 1:
        raise invalid("match-which", "Name the match: there are several.", "/body/match")
    if not found:
        raise lead.Refused("match-closed")
    match = found[0]
    other_id = match.other_case_id if match.one_case_id == case else match.one_case_id
    other = load_other(act.session, act.session.get_one(Case, other_id).reference, act.at)
    if other.closed_at is not None:
        raise lead.Refused("match-ended")
    claims = () if other.episode is None else _claims(act, other.episode)
    return Pair(match, other, claims)


def _claims(act: Act, episode: OpenEpisode) -> tuple[lead.Claim, ...]:
    rows = act.session.execute(
        select(LocatedClaim.message_id, LocatedClaim.by_unit_id).where(
            LocatedClaim.episode_id == episode.id, LocatedClaim.state == "open"
        )
    )
    return tuple(lead.Claim(*row) for row in rows)


def asked_of(act: Act, body: contracts.LeadTransferRequest) -> Pair | None:
    """Return the match that a request names where it asks to join; it goes to the other's lead.

    Raises:
        HubError: 422 `to-match` when the sender named another unit, `match-kind` when nothing is
            to be joined.
    """
    if body.kind != "join-episodes":
        if body.match or body.lead_after:
            raise invalid(
                "match-kind", "A match, and who leads after, are for the kind join-episodes.",
                "/body/kind",
            )  # fmt: skip
        return None
    found = pair(act, body.match)
    episode = found.other.episode
    if episode is None:
        raise lead.Refused("match-ended")
    if not act.to:
        act.to = {episode.lead: found.other.parties[episode.lead]}
    if set(act.to) != {episode.lead}:
        raise invalid("to-match", "A request to join goes to the unit that leads there.", "/to")
    return found


@dataclass(frozen=True)
class Join:
    """What an accepted request or direction joins: which pair, and who leads after."""

    pair: Pair
    after: joining.After


def accepted(act: Act, episode: OpenEpisode, officer: str) -> Join | None:
    """Return what the open request joins once it is accepted; None where it moves the lead alone."""
    row = act.session.execute(
        select(LeadRequest.match_id, LeadRequest.lead_after).where(
            LeadRequest.id == episode.request_id
        )
    ).one_or_none()
    if row is None or row.match_id is None:
        return None
    join = Join(pair(act, row.match_id), cast(joining.After, row.lead_after))
    joining.accept(
        episode.as_rules(), join.pair.theirs, act.unit, episode.request_message, officer, act.at,
        join.after,
    )  # fmt: skip
    return join


def directed(act: Act, direction_id: UUID | None) -> Pair | None:
    """Return the match whose other episode ends as this direction takes effect, if it names one."""
    match_id = act.session.scalar(select(Direction.match_id).where(Direction.id == direction_id))
    if match_id is None:
        return None
    if act.session.scalar(select(Match.state).where(Match.id == match_id)) != "open":
        return None  # told apart, or joined otherwise, since: the lead moves alone
    found = pair(act, match_id)
    if found.other.episode is None:
        return None  # the other child was found since: there is nothing to join
    joining.end(found.theirs, act.at)
    return found


def admit_recording(act: Act) -> None:
    """Take in the episode of a recording elsewhere: its lead goes on leading, here (4.10)."""
    body = cast(contracts.AdmitRecording, act.body)
    found = pair(act, body.match)
    theirs = found.other.episode
    ours = act.case.episode
    joining.admit(ours.as_rules() if ours else None, found.theirs, act.at)
    assert theirs is not None  # noqa: S101  # the rules have said so
    act.priority = "urgent"
    if ours is not None:
        if ours.lead != act.unit:
            raise lead.Refused("not-lead")
        merging.merge(act, found.match, found.other, into=ours.id, leads=ours.lead)
    else:
        episode_id = new_id()
        _open(act, episode_id, theirs)
        _settle_report(act, episode_id)
        merging.merge(act, found.match, found.other, into=episode_id, leads=theirs.lead)
        prepared = placements.of_case(act.session, act.case)
        ask_by_plan(act, prepared, theirs.lead, body.reason, theirs.risk)
    act.to |= everyone(act)


def _open(act: Act, episode_id: UUID, theirs: OpenEpisode) -> None:
    """Open the episode here as it stands there: lead, named officer, risk."""
    session = act.session
    number = session.scalar(
        select(Episode.number)
        .where(Episode.case_id == act.case.id)
        .order_by(Episode.number.desc())
        .limit(1)
    )
    tenure = session.get_one(Tenure, theirs.tenure_id)
    act.insert(
        "episode",
        {
            "id": episode_id, "case_id": act.case.id, "number": (number or 0) + 1,
            "opened_at": act.at, "opened_by_message_id": act.message_id,
            "recording_unit_id": theirs.lead, "risk": theirs.risk,
        },
    )  # fmt: skip
    act.insert(
        "tenure",
        {
            "id": new_id(), "episode_id": episode_id, "number": 1, "unit_id": theirs.lead,
            "officer_name": tenure.officer_name, "officer_rank": tenure.officer_rank,
            "officer_collar": tenure.officer_collar, "on_duty_until": tenure.on_duty_until,
            "since": act.at, "basis": "recorded", "message_id": act.message_id,
        },
    )  # fmt: skip


def _settle_report(act: Act, episode_id: UUID) -> None:
    """A report that waits here is recorded now: police have the child there (4.2)."""
    report = act.case.report
    if report is None:
        return
    state = step(report, "recorded")
    meet(act, None, "report-outcome", "supervisor-decision")
    act.later(lambda: settle(act, report, state, episode_id))


def not_same_child(act: Act) -> None:
    """Say that the other case is another child's; it takes the word of both sides (4.10)."""
    body = cast(contracts.NotSameChild, act.body)
    episode = act.case.episode
    if episode is not None and episode.lead not in act.case.mine(act.actor):
        raise lead.Refused("not-lead")
    found = pair(act, body.match)
    match = found.match
    said = frozenset(
        act.session.scalars(select(MatchDenial.case_id).where(MatchDenial.match_id == match.id))
    )
    after = joining.deny(
        joining.Match(match.one_case_id, match.other_case_id, denied=said), act.case.id
    )
    act.to |= police_parties(act)
    act.insert(
        "match_denial",
        {"match_id": match.id, "case_id": act.case.id, "message_id": act.message_id, "at": act.at},
    )
    if after.state != "open":
        act.later(lambda: merging.close_match(act, match.id, after.state))
    act.later(lambda: match_clocks.settle(act.session, act.case.id, act.at))


def choices(now: Choosing) -> Choices:
    """Of a match: ask to join, admit, or say that it is another child; an adjudicator directs."""
    episode = now.case.episode
    for one in contested.of_case(now.session, now.case.id, now.actor.unit_ids):
        leads = episode is not None and episode.lead in now.mine
        if episode is None or (leads and one.other_lead == episode.lead):
            if one.other_lead is not None and now.may("admit-recording"):
                yield Action("admit-recording", match=one.match_id)
        elif one.other_lead is not None and leads and now.may("lead-transfer-request"):
            yield Action(
                "lead-transfer-request", withdraws=episode.request_message, to=one.other_lead,
                match=one.match_id,
            )  # fmt: skip
        if episode is not None and one.other_lead is not None and now.may("direction"):
            about = episode.dispute_message or episode.request_message
            for unit in dict.fromkeys((episode.lead, one.other_lead)):
                yield Action("direction", about, to=unit, match=one.match_id)
        if not one.denied_here and (episode is None or leads) and now.may("not-same-child"):
            yield Action("not-same-child", match=one.match_id)


def known_admission(known: Knowing) -> dict[str, Any]:  # noqa: ARG001  # it knows enough
    """Say what is mostly so, so that one click is enough."""
    return {"reason": "The details of the child are the same."}
