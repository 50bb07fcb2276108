"""One case goes on as another: what was open in it is carried, or ends; nothing is lost (4.10).

Messages stay under their own case and its key. Parties of each read the other's conversation.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update

from hub.db import new_id
from hub.records import audit
from messaging import actions, clocks, match_clocks, matching
from messaging.act import Act
from messaging.effects.hurrying import hurry
from messaging.effects.steps import LEADS, REVIEWS, police_parties
from messaging.match_model import Match
from messaging.model import (
    Case,
    Clock,
    Direction,
    Dispute,
    Episode,
    InformationRequest,
    LeadRequest,
    Tenure,
)
from messaging.state import CaseState, OpenEpisode

QUESTIONS = ("enquiry", "enquiry-urgent", *clocks.TO_RING)
ENDED = (
    "lead-urgent", "lead-routine", "dispute-urgent", "dispute-routine", "direction", "shift-end",
    "report-outcome", *LEADS,
)  # fmt: skip
"""The clocks that an ended episode has no use for; messages that nobody opened go on alarming."""

_PARTIES = text("""
INSERT INTO party (case_id, unit_id, part, sees, since)
SELECT :alias, unit_id, part, sees, :at FROM party WHERE case_id = :case AND sees = 'full'
ON CONFLICT (case_id, unit_id) DO UPDATE SET part = EXCLUDED.part, sees = EXCLUDED.sees
WHERE party.sees = 'limited'
""")
_KEYS = text("""
INSERT INTO child_key (case_id, message_id, kind, key)
SELECT :case, message_id, kind, key FROM child_key WHERE case_id = :alias
ON CONFLICT DO NOTHING
""")
_MATCHES = text("""
WITH third AS (
    UPDATE match SET state = 'moved', closed_at = :at, closed_by_message_id = :message
    WHERE state = 'open' AND :alias IN (one_case_id, other_case_id) AND id <> :match
    RETURNING opened_at, status,
        CASE one_case_id WHEN :alias THEN one_message_id ELSE other_message_id END AS ours,
        CASE one_case_id WHEN :alias THEN other_message_id ELSE one_message_id END AS theirs,
        CASE one_case_id WHEN :alias THEN other_case_id ELSE one_case_id END AS case_id
)
INSERT INTO match (id, one_case_id, other_case_id, status, one_message_id, other_message_id,
    opened_at)
SELECT gen_random_uuid(), least(case_id, CAST(:case AS uuid)), greatest(case_id, CAST(:case AS uuid)),
    status, CASE WHEN case_id < :case THEN theirs ELSE ours END,
    CASE WHEN case_id < :case THEN ours ELSE theirs END, opened_at
FROM third
ON CONFLICT (one_case_id, other_case_id) DO NOTHING RETURNING id
""")
"""What both sides have said to be another child's stays so: it is another's than the joined one's too."""


def merge(act: Act, match: Match, other: CaseState, *, into: UUID, leads: UUID) -> None:
    """End the other case in this one, at this moment; its reference stays an alias.

    `into` is the episode that goes on, `leads` who leads it after this act.
    """
    episode = other.episode
    assert episode is not None  # noqa: S101  # the rules let none join without
    for party in other.parties.values():
        act.add_party(party)
    act.to |= police_parties(act)
    act.later(lambda: _merge(act, match, other, episode, into, leads))


def _merge(
    act: Act, match: Match, other: CaseState, episode: OpenEpisode, into: UUID, leads: UUID
) -> None:
    session = act.session
    values = {
        "case": act.case.id, "alias": other.id, "at": act.at, "message": act.message_id,
        "match": match.id,
    }  # fmt: skip
    session.execute(_PARTIES, values)
    _overtake(act, episode)
    session.execute(update(Tenure).where(Tenure.id == episode.tenure_id).values(until=act.at))
    session.execute(
        update(Episode)
        .where(Episode.id == episode.id)
        .values(
            ended_at=act.at, end_reason="joined", ended_by_message_id=act.message_id,
            joined_into_id=into,
        )
    )  # fmt: skip
    _carry_risk(act, episode, into)
    _carry_clocks(act, other, leads)
    session.execute(
        update(InformationRequest)
        .where(InformationRequest.case_id == other.id, InformationRequest.state == "open")
        .values(case_id=act.case.id)
    )
    close_match(act, match.id, "joined")
    session.execute(
        update(Case)
        .where(Case.id == other.id)
        .values(closed_at=act.at, last_at=act.at, joined_into_id=act.case.id)
    )
    matching.hold_of(session, other.id)
    session.execute(_KEYS, values)
    moved = list(session.scalars(_MATCHES, values))
    match_clocks.settle(session, act.case.id, act.at)
    match_clocks.start(session, moved, act.at)
    audit.record(
        session, act.actor.who, "case.joined", now=act.at, case_id=other.id, object_kind="case",
        object_id=act.case.id, detail={"by": str(act.message_id)},
    )  # fmt: skip


def _overtake(act: Act, episode: OpenEpisode) -> None:
    """End what was open about the lead of an episode that ends; its sides read this message."""
    tables: tuple[Any, ...] = (LeadRequest, Dispute, Direction)
    for table in tables:
        act.session.execute(
            update(table)
            .where(table.episode_id == episode.id, table.state == "open")
            .values(
                state="overtaken", answered_at=act.at, answer_message_id=act.message_id,
                answered_by_unit_id=act.unit, answered_by_name=act.actor.name,
            )
        )  # fmt: skip


def _carry_risk(act: Act, ended: OpenEpisode, into: UUID) -> None:
    """Keep the higher of the two risks; raised to high it hurries what is open (4.4)."""
    order = ("no-apparent-risk", "low", "medium", "high")
    lower = order[: order.index(ended.risk)]
    act.session.execute(
        update(Episode).where(Episode.id == into, Episode.risk.in_(lower)).values(risk=ended.risk)
    )
    goes_on = act.case.episode
    if goes_on is not None and goes_on.id == into and ended.risk == "high" != goes_on.risk:
        hurry(act, goes_on)


def _carry_clocks(act: Act, other: CaseState, leads: UUID) -> None:
    """Carry the clocks: questions as they are; of each duty of the lead's, what is due first."""
    session = act.session
    running = (Clock.met_at.is_(None), Clock.ended_at.is_(None))
    session.execute(
        update(Clock)
        .where(Clock.case_id == other.id, *running, Clock.kind.in_(QUESTIONS))
        .values(case_id=act.case.id)
    )
    fresh = act.case.episode is None  # the episode here was opened by this act: it owes nothing yet
    for kinds in (("ukmpu",), REVIEWS, ("shift-end",)):
        of = select(Clock).where(*running, Clock.kind.in_(kinds)).order_by(Clock.due_at)
        ours = session.scalars(of.where(Clock.case_id == act.case.id)).all()
        theirs = session.scalars(of.where(Clock.case_id == other.id)).all()
        if not theirs or not (fresh or ours):
            continue
        earlier = not ours or _earlier(theirs[0], ours[0])
        if fresh or (earlier and kinds != ("shift-end",)):
            _carry(act, theirs[0], ours[0] if ours and not fresh else None, leads)
    session.flush()
    actions.pass_on(session, other.id, leads)
    session.execute(
        update(Clock)
        .where(Clock.case_id == other.id, *running, Clock.kind.in_(ENDED))
        .values(ended_at=act.at)
    )


def _carry(act: Act, theirs: Clock, ours: Clock | None, leads: UUID) -> None:
    """Have a clock go on here: with its times in ours, or as one of the message that opened ours.

    What is owed of an episode is found by the message that opened it (6).
    """
    if ours is None:
        ours = Clock(
            id=new_id(), case_id=act.case.id, message_id=act.message_id, owed_by_unit_id=leads,
            kind=theirs.kind,
        )  # fmt: skip
        act.session.add(ours)
    ours.kind, ours.started_at, ours.due_at = theirs.kind, theirs.started_at, theirs.due_at
    ours.escalates_at, ours.missed_at, ours.step = (
        theirs.escalates_at,
        theirs.missed_at,
        theirs.step,
    )
    theirs.ended_at = act.at


def _earlier(one: Clock, other: Clock) -> bool:
    return one.due_at is not None and (other.due_at is None or one.due_at < other.due_at)


def close_match(act: Act, match_id: UUID, state: str) -> None:
    """Close a match with this message."""
    act.session.execute(
        update(Match)
        .where(Match.id == match_id)
        .values(state=state, closed_at=act.at, closed_by_message_id=act.message_id)
    )
