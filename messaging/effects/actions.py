"""Actions that run as clocks, done by their owners."""

from typing import cast

from sqlalchemy import select, update

from hub.errors import invalid
from messaging import contracts, lead
from messaging.act import Act
from messaging.effects.steps import tell
from messaging.meeting_model import CaseAction
from messaging.model import Clock, Message


def action_done(act: Act) -> None:
    """Meet an action of the sender's unit, once.

    Raises:
        Refused: `action-done` where it is another unit's, met already, or none of this case.
        HubError: 422 under another heading.
    """
    body = cast(contracts.Update, act.body)
    if body.heading != "action":
        raise invalid(
            "action-heading", "An action is met under the heading “action”.", "/body/heading"
        )
    action = act.session.scalar(
        select(CaseAction)
        .where(
            CaseAction.id == body.action_done,
            CaseAction.case_id == act.case.id,
            CaseAction.owner_unit_id.in_(act.case.mine(act.actor)),
            CaseAction.state == "open",
        )
        .execution_options(populate_existing=True)
    )
    if action is None:
        raise lead.Refused("action-done")
    act.unit = action.owner_unit_id
    act.in_reply_to = action.message_id
    sender = act.session.get_one(Message, action.message_id).sender_unit_id
    tell(act, {act.case.standing(sender)} & act.case.parties.keys())
    act.to.pop(act.unit, None)
    action_id = action.id
    act.session.execute(
        update(Clock)
        .where(Clock.action_id == action_id, Clock.met_at.is_(None), Clock.ended_at.is_(None))
        .values(met_at=act.at)
    )
    act.later(
        lambda: act.session.execute(
            update(CaseAction)
            .where(CaseAction.id == action_id)
            .values(
                state="done", answered_at=act.at, answer_message_id=act.message_id,
                answered_by_unit_id=act.unit, answered_by_name=act.actor.name,
            )
        )
    )  # fmt: skip
