"""The named officer of the lead hands over to another at shift end (DOMAIN.md 6)."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import text, update

from hub.errors import invalid
from messaging import contracts, lead
from messaging.act import Act
from messaging.choices import Action, Choices, Choosing, Knowing
from messaging.effects.steps import meet, on_duty, open_episode, police_parties
from messaging.model import Tenure

_BEFORE = text("""
INSERT INTO officer_before (tenure_id, number, officer_name, officer_rank, officer_collar, since,
    until, message_id)
SELECT t.id, 1 + count(b), t.officer_name, t.officer_rank, t.officer_collar,
    coalesce(max(b.until), t.since), :at, :message
FROM tenure t LEFT JOIN officer_before b ON b.tenure_id = t.id WHERE t.id = :tenure GROUP BY t.id
""")


def officer_handover(act: Act) -> None:
    """Name the next officer: the unit leads on, and the shift's clock starts again.

    Who hands over stays on record as who led until now.
    """
    body = cast(contracts.OfficerHandover, act.body)
    episode = open_episode(act)
    lead.hand_over(episode.as_rules(), act.unit, body.to_officer)
    until = on_duty(act, body.on_duty_until)
    act.to |= police_parties(act)
    if body.from_officer is not None:
        raise invalid("computed", "The hub writes this itself: leave it out.", "/body/from_officer")
    act.body = body.model_copy(update={"from_officer": episode.officer})
    meet(act, None, "shift-end")
    act.clock("shift-end", act.unit, due=until)
    act.later(lambda: _hand_over(act, body, episode.tenure_id, until))


def _hand_over(act: Act, body: contracts.OfficerHandover, tenure_id: UUID, until: datetime) -> None:
    act.session.execute(_BEFORE, {"tenure": tenure_id, "at": act.at, "message": act.message_id})
    own = body.to_officer == act.actor.name
    act.session.execute(
        update(Tenure)
        .where(Tenure.id == tenure_id)
        .values(
            officer_name=body.to_officer,
            officer_rank=body.officer_rank or (act.actor.rank_or_role if own else None),
            officer_collar=body.officer_collar or (act.actor.collar_number if own else None),
            on_duty_until=until,
        )
    )


def choices(now: Choosing) -> Choices:
    """The lead's officer goes off duty."""
    if now.case.episode is not None and now.may("officer-handover"):
        yield Action("officer-handover")


def known_handover(known: Knowing) -> dict[str, Any]:
    """Fill in what is open, as it was last told."""
    body = known.given("live_lines")
    body["open_actions"] = known.last("open_actions", "actions_outstanding")
    return body
