"""What a lead without accounts does by a guest link: one act, of those that the rules allow now (4.5)."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from hub.identity.reach import reach_of
from messaging import wording
from messaging.guests import Opened
from messaging.open_questions import FURTHER
from messaging.state import load

OFFER, WITHDRAW = "lead-transfer-request", "lead-transfer-withdraw"


def acts(session: Session, opened: Opened, now: datetime) -> list[tuple[str, str]]:
    """Return what may be done, by type, with the words of its button; nothing by a link that asks."""
    if opened.takes != FURTHER:
        return []
    case = load(session, opened.actor, opened.reference, now, lock=False)
    offered = case.episode is not None and case.episode.request_id is not None
    can = {OFFER: bool(offers_to(session, opened, now)), WITHDRAW: offered}
    return [(one, wording.act_name(one)) for one in FURTHER if can.get(one, True)]


def offers_to(session: Session, opened: Opened, now: datetime) -> list[tuple[str, str]]:
    """Return the units that the lead may be offered: the police who see the case, and are on the hub.

    Nobody could ring another for it.
    """
    case = load(session, opened.actor, opened.reference, now, lock=False)
    found = [
        unit
        for unit, party in case.parties.items()
        if party.police and party.full and unit not in {*case.heirs, *opened.actor.unit_ids}
    ]
    reaches = reach_of(session, found, case.status, now) if found else {}
    before = case.episode.before[:1] if case.episode else ()
    found.sort(key=lambda unit: (unit not in before, case.parties[unit].name))
    return [(str(unit), case.parties[unit].name) for unit in found if reaches[unit] != "not-on-hub"]


def known(
    session: Session, opened: Opened, answer_type: str, to: str, now: datetime
) -> dict[str, Any]:
    """Return what the page knows of what is sent: what it answers, or whom the lead is offered.

    An offer that stands is withdrawn in the same act (4.3).
    """
    if answer_type not in FURTHER:
        return {"in_reply_to": opened.message_id}
    if answer_type not in (OFFER, WITHDRAW):
        return {}
    case = load(session, opened.actor, opened.reference, now, lock=False)
    standing = case.episode.request_message if case.episode else None
    if answer_type == WITHDRAW:
        return {"in_reply_to": standing} if standing else {}
    allowed = {unit for unit, _name in offers_to(session, opened, now)}
    return {
        "to": [to] if to in allowed else [],
        "body": {"withdraws": str(standing)} if standing else {},
    }
