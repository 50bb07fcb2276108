"""Questions and enquiries: answerable whoever leads (DOMAIN.md 4.4)."""

from typing import cast

from sqlalchemy import select, update

from hub.db import new_id
from hub.errors import invalid
from messaging import clocks, contracts, lead
from messaging.act import Act
from messaging.choices import Action, Choices, Choosing
from messaging.effects.steps import meet, note_answered, of_alias, reachable, tell
from messaging.model import InformationRequest


def information_request(act: Act) -> None:
    """Ask units: each owes an answer by when it is needed, and sees the enquiry, not the case."""
    body = cast(contracts.InformationRequest, act.body)
    act.to.pop(act.unit, None)
    if not act.to:
        raise invalid("to-missing", "Name the units that you ask.", "/to")
    if act.command.purpose is None:
        raise invalid(
            "purpose-missing", "Say what the answer is for, and on what lawful basis.", "/purpose"
        )
    immediate = bool(body.immediate_action) or act.command.priority == "urgent"
    kind = "enquiry-urgent" if immediate else "enquiry"
    needed_by = body.needed_by or min(
        clocks.due(kind, act.at, act.settings(unit)) for unit in act.to
    )
    if needed_by <= act.at:
        raise invalid("in-past", "This must be later than now.", "/body/needed_by")
    act.priority = "urgent" if immediate else "routine"
    act.reply_due_at = needed_by
    for unit in act.to:
        act.clock(kind, unit, started=reachable(act, unit), due=needed_by)
    act.insert(
        "information_request",
        *(
            {
                "id": new_id(), "case_id": act.case.id, "message_id": act.message_id,
                "from_unit_id": act.unit, "to_unit_id": unit, "immediate": immediate,
                "needed_by": needed_by, "opened_at": act.at,
            }
            for unit in act.to
        ),
    )  # fmt: skip


def information_response(act: Act) -> None:
    """Answer what was asked, once: whole, in part, none held, or refused with a reason.

    It goes to who asked and to the lead; others who see the whole case find it there.
    """
    body = cast(contracts.InformationResponse, act.body)
    found = _asked(act)
    act.unit = found.to_unit_id
    act.priority = "urgent" if found.immediate else "routine"
    tell(act, {found.from_unit_id} | ({act.case.episode.lead} if act.case.episode else set()))
    act.to_all = False
    meet(act, found.message_id, "enquiry", "enquiry-urgent", owed_by=act.unit)
    note_answered(act, found.message_id)
    act.replies_to_alias = of_alias(act, found.message_id)
    act.later(
        lambda: act.session.execute(
            update(InformationRequest)
            .where(InformationRequest.id == found.id)
            .values(
                state=body.outcome, answered_at=act.at, answer_message_id=act.message_id,
                answered_by_unit_id=act.unit, answered_by_name=act.actor.name,
            )
        )
    )  # fmt: skip


def _asked(act: Act) -> InformationRequest:
    """Return the open question that is answered: the one named, or the only one."""
    mine = [unit for unit in act.case.mine(act.actor) if unit in act.case.asked]
    asked = list(
        act.session.scalars(
            select(InformationRequest)
            .where(
                InformationRequest.case_id == act.case.id,
                InformationRequest.to_unit_id.in_(mine),
                InformationRequest.state == "open",
            )
            .order_by(InformationRequest.id)
        )
    )
    if act.in_reply_to is None and len(asked) == 1:
        act.in_reply_to = asked[0].message_id
    of_message = [one for one in asked if one.message_id == act.in_reply_to]
    if not of_message:
        raise lead.Refused("question-answered")
    return min(of_message, key=lambda one: mine.index(one.to_unit_id))


def choices(now: Choosing) -> Choices:
    """Whoever was asked answers; a party asks."""
    if now.may("information-response"):
        for question in now.messages(
            "SELECT DISTINCT message_id FROM information_request WHERE case_id = :case"
            " AND state = 'open' AND to_unit_id = ANY(:mine) ORDER BY message_id",
            mine=now.mine,
        ):
            yield Action("information-response", question)
    if now.may("information-request"):
        yield Action("information-request")
