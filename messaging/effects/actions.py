"""Actions and live lines of enquiry: they run as clocks, done by their owners."""

from datetime import datetime
from typing import cast

from sqlalchemy import select, update

from hub.db import new_id
from hub.errors import invalid
from messaging import aliases, clocks, contracts, lead
from messaging.act import Act
from messaging.actions import LINE
from messaging.effects.steps import open_episode, reachable, tell
from messaging.meeting_model import CaseAction
from messaging.model import Clock, Message
from messaging.state import PartyUnit


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


def watch_line(act: Act, until: datetime) -> None:
    """Have who leads follow a live line of enquiry until it is lost; it goes with the lead (8).

    Raises:
        Refused: `episode-ended`.
        HubError: 422 where that time has gone by, or the sender is not police.
    """
    episode = open_episode(act)
    if not act.case.parties[act.unit].police:
        raise invalid(
            "line-by-police", "Police keep the lines of enquiry: write what you know as text.",
            "/body/live_line",
        )  # fmt: skip
    if until <= act.at:
        raise invalid("in-past", "This must be later than now.", "/body/live_until")
    give_out(act, 1, act.case.parties[episode.lead], until, of_lead=True, kind=LINE)


def give_out(
    act: Act, number: int, owner: PartyUnit, due: datetime, *, of_lead: bool, kind: str
) -> None:
    """Give an action to a unit, to be done by then; a live line expires then, and alarms before.

    Unstarted, its clock waits for the telephone.
    """
    action_id = new_id()
    act.insert(
        "action",
        {
            "id": action_id, "case_id": act.case.id, "message_id": act.message_id,
            "number": number, "owner_unit_id": owner.unit_id, "of_lead": of_lead, "due_at": due,
            "opened_at": act.at,
        },
    )  # fmt: skip
    told = reachable(act, owner.unit_id)
    act.waits_for_call |= not told
    by = clocks.due_once_told(kind, act.at, act.settings(owner.unit_id), due) if told else None
    act.insert(
        "clock",
        {
            "id": new_id(), "case_id": act.case.id, "kind": kind, "message_id": act.message_id,
            "owed_by_unit_id": owner.unit_id, "started_at": act.at if told else None,
            "due_at": by, "escalates_at": by,
            "action_id": action_id,
        },
    )  # fmt: skip


def lose_lines(act: Act) -> None:
    """End the live lines of enquiry of an episode that ends: there is nobody to find any more."""
    cases = [act.case.id, *aliases.joined_to(act.session, act.case.id)]
    lines = select(Clock.action_id).where(Clock.case_id.in_(cases), Clock.kind == LINE)
    act.session.execute(
        update(Clock)
        .where(Clock.action_id.in_(lines), Clock.met_at.is_(None), Clock.ended_at.is_(None))
        .values(ended_at=act.at)
    )
    act.session.execute(
        update(CaseAction)
        .where(CaseAction.id.in_(lines), CaseAction.state == "open")
        .values(
            state="overtaken", answered_at=act.at, answered_by_unit_id=act.unit,
            answered_by_name=act.actor.name,
        )
    )  # fmt: skip
