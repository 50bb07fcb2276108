"""How an episode ends, whatever ends it: what is open is overtaken, and a return is owed (6)."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hub.db import new_id
from hub.organisations import Unit
from messaging import clocks, returning
from messaging.act import Act
from messaging.effects.actions import lose_lines
from messaging.effects.steps import end_clocks, tell
from messaging.model import Direction, Dispute, Episode, LeadRequest, LocatedClaim, Tenure
from messaging.state import CaseState, OpenEpisode

KEPT = (
    "opened", "opened-urgent", "opened-request", "enquiry", "enquiry-urgent",
    "meeting-reply", "meeting-reply-urgent", "meeting-record", "meeting-action",
    "prevention-interview", "rhi", "plan-reply", "plan-review", "match", *clocks.TO_RING,
)  # fmt: skip
"""Clocks that the end of an episode does not end."""


def end_episode(act: Act, episode: OpenEpisode, reason: str, *, dead: bool = False) -> None:
    """End the episode at this moment; where the child came back, both interviews are owed."""
    act.later(lambda: _end(act, episode, reason, dead))
    home = act.case.standing(act.case.home) if act.case.home else None
    owed = returning.owed(
        reason, dead=dead, led=episode.lead, authority=responsible(act.session, act.case), home=home
    )
    for one in owed:
        debtor = one.by
        assert isinstance(debtor, UUID)  # noqa: S101  # units of this case
        if debtor in act.case.parties:
            tell(act, {debtor})
        act.clock(returning.CLOCKS[one.kind], debtor)
        act.insert(
            "interview",
            {
                "id": new_id(), "episode_id": episode.id, "kind": one.kind,
                "owed_by_unit_id": debtor, "opened_by_message_id": act.message_id,
                "opened_at": act.at,
            },
        )  # fmt: skip


def responsible(session: Session, case: CaseState) -> UUID | None:
    """Return the children's social care team of the responsible authority, if one is on the case.

    A council that was only asked something is not responsible for the child by that.
    """
    units = [
        unit
        for unit, party in case.parties.items()
        if party.part == "responsible-authority"
        and unit not in case.heirs
        and case.takes_part(unit)
    ]
    if len(units) < 2:
        return units[0] if units else None
    teams = set(
        session.scalars(
            select(Unit.id).where(Unit.id.in_(units), Unit.kind == "childrens-social-care")
        )
    )
    return min(units, key=lambda unit: (unit not in teams, units.index(unit)))


def _end(act: Act, episode: OpenEpisode, reason: str, dead: bool) -> None:
    session = act.session
    overtaken = {"state": "overtaken", "answered_at": act.at, "answer_message_id": act.message_id,
                 "answered_by_unit_id": act.unit, "answered_by_name": act.actor.name}  # fmt: skip
    tables: tuple[Any, ...] = (LeadRequest, LocatedClaim, Dispute, Direction)
    for table in tables:
        session.execute(
            update(table)
            .where(table.episode_id == episode.id, table.state == "open")
            .values(**overtaken)
        )
    session.execute(update(Tenure).where(Tenure.id == episode.tenure_id).values(until=act.at))
    session.execute(
        update(Episode)
        .where(Episode.id == episode.id)
        .values(
            ended_at=act.at, end_reason=reason, ended_by_message_id=act.message_id, found_dead=dead
        )
    )
    lose_lines(act)
    end_clocks(act, keep=KEPT)
