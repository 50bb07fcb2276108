"""The one way of every message: contract, permission, effect, receipts, clocks, audit.

A type adds a contract (contracts/) and an effect (effects/), and nothing here. All of it is
in the caller's transaction: the message, what it does, its receipts, its record, its wake-ups.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.clock import LONDON
from hub.db import new_id
from hub.errors import FieldProblem, HubError, conflict, forbidden, invalid
from hub.identity import policy
from hub.identity.actor import Actor
from hub.identity.reach import reach_of
from hub.organisations import Organisation, find_unit, standing_on
from hub.records import audit
from hub.records.vault import Vault
from hub.web.problems import field_problems
from messaging import (
    aliases,
    attachments,
    audiences,
    lead,
    matching,
    moving_files,
    references,
)
from messaging.act import Act, insert_rows
from messaging.contracts import CONTRACTS, Command, Contract
from messaging.refusals import refusal
from messaging.state import CaseState, PartyUnit, load, load_other, refresh
from messaging.writing import write_message

PARTS = {"police": "police", "local-authority": "responsible-authority", "health": "health"}
"""The part that a unit of each kind of organisation takes in a case; these see it in full."""


@dataclass(frozen=True)
class Sent:
    """What became of a command."""

    case_reference: str
    message_id: UUID
    number: int
    type: str
    status: str
    sent_at: datetime
    reply_due_at: datetime | None
    reach: dict[UUID, str]
    urgent: bool


THE_HUB = Actor("system", name=audit.SYSTEM.name, status=None)
"""The hub, where it sends in its own name."""

OPENERS = ("missing-episode-report", "placement-notification")
"""What a case opens with."""


def open_case(
    session: Session, actor: Actor, vault: Vault, command: Command, now: datetime
) -> Sent:
    """Open a case with its first message, a report or the notification of a placement.

    A report that names the reference of a placement goes into that case, and so does that of a unit
    which is a party of it already.

    Raises:
        HubError: 403 by the map; 409 `case-known`, with the reference of the unit's own open case of
            this child; 422 `case-opener`, `status-missing`, `status-mismatch`, `to`.
    """
    from messaging import by_reference  # it sends: it imports this module

    if command.placement_reference is not None:
        return by_reference.report(session, actor, vault, command, now)
    if command.type not in OPENERS:
        raise invalid("case-opener", f"A case opens with a {' or a '.join(OPENERS)}.", "/type")
    if command.in_reply_to is not None:
        raise invalid(
            "case-opener", "A reply is sent to its case: POST it to its messages.", "/in_reply_to"
        )
    policy.require(actor, "case.open")
    policy.require(actor, f"send.{command.type}")
    status = command.status or actor.status
    if status is None:
        raise invalid("status-missing", "Say whether this is actual, exercise or test.", "/status")
    if actor.status not in (None, status):
        raise invalid(
            "status-mismatch", f"You are signed in for {actor.status} cases only.", "/status"
        )
    assert actor.unit_id is not None and actor.organisation_id is not None  # noqa: S101, PT018  # signed in
    body = read_body(command)
    known = matching.known_case(session, vault, actor, status, body)
    if known is not None:
        if command.type != OPENERS[0] or not by_reference.waits(session, known, status, now):
            raise conflict(
                "case-known",
                f"Your unit is a party of {known}, an open case of this child: record it there.",
                case_reference=known,
            )
        command = command.model_copy(update={"placement_reference": known})
        return by_reference.report(session, actor, vault, command, now)
    planned = attachments.planned_case(session, actor, command.attachments)
    case_id = planned or new_id()
    own = PartyUnit(
        actor.unit_id, actor.unit_name, PARTS.get(actor.organisation_kind, "reporter"),
        actor.police, actor.police, actor.organisation_id,
    )  # fmt: skip
    case = CaseState(
        case_id, references.new_reference(status), status, now, None, actor.unit_id, None, 1, now,
        {own.unit_id: own},
    )  # fmt: skip
    insert_rows(
        session,
        "cases",
        [{
            "id": case_id, "reference": case.reference, "status": status, "opened_at": now,
            "opener_unit_id": actor.unit_id, "last_message_no": 1, "last_at": now,
        }],
    )  # fmt: skip
    insert_rows(
        session,
        "party",
        [{"case_id": case_id, "unit_id": own.unit_id, "part": own.part,
          "sees": "full" if own.full else "limited", "since": now}],
    )  # fmt: skip
    if planned is None:
        vault.create_key(session, case_id)
    return _send(session, actor, vault, command, body, case, actor.unit_id)


def send(
    session: Session, actor: Actor, vault: Vault, reference: str, command: Command, now: datetime
) -> Sent:
    """Send a message in a case.

    Raises:
        HubError: `not-found` to strangers; 403 by the map; 409 and 422 as the rules say.
    """
    reference = references.clean(reference)
    if CONTRACTS[command.type].JOINS:
        now = aliases.hold(session, reference, now)
    case = load(session, actor, reference, now, lock=True)
    if command.status not in (None, case.status):
        raise conflict("status-mismatch", f"This case is {case.status}, for life.")
    body = read_body(command)
    if case.closed_at is not None:
        aliases.refuse_closed(session, case, opens=body.OPENS, settles=body.settles)
    unit = acting_unit(case, actor, command.type, body.permission)
    return _send(session, actor, vault, command, body, case, unit)


def acting_unit(case: CaseState, actor: Actor, message_type: str, permission: str) -> UUID:
    """Return the unit for which the actor may send this; their own first.

    Raises:
        HubError: 403 when they may not, for any unit.
    """
    mine = case.mine(actor)
    for unit in mine:
        if policy.allows(actor, permission, *case.relations(unit)):
            return unit
    # What the rules refuse with a reason of their own is not the map's business.
    # Whoever was asked and has answered sees the question still, and nothing else of the case.
    asked = message_type == "information-response"
    if CONTRACTS[message_type].ANSWERS and policy.has_role(actor, permission):
        for unit in mine:
            if case.parties[unit].full or (
                asked and policy.allows(actor, "case.read", *case.relations(unit))
            ):
                return unit
    raise forbidden(
        "not-permitted", "Your role, or your unit's part in this case, does not allow this now."
    )


def read_body(command: Command) -> Contract:
    """Return the body by its contract.

    Raises:
        HubError: 422, with pointers under /body.
    """
    try:
        return CONTRACTS[command.type].model_validate_json(json.dumps(command.body), strict=True)
    except ValidationError as error:
        fields = [
            FieldProblem("/body" + item.pointer, item.code, item.sentence)
            for item in field_problems(error)
        ]
        raise HubError("invalid", 422, "Some fields are missing or wrong.", fields=fields) from None


def _send(
    session: Session,
    actor: Actor,
    vault: Vault,
    command: Command,
    body: Contract,
    case: CaseState,
    unit: UUID,
) -> Sent:
    from messaging.effects import EFFECTS  # effects stand on Act: they import this module

    act = Act(
        session, actor, vault, command, body, case, unit, audience=body.AUDIENCE,
        in_reply_to=command.in_reply_to, priority=command.priority,
    )  # fmt: skip
    act.to = _named(session, act)
    try:
        EFFECTS[command.type](act)
    except lead.Refused as refused:
        raise refusal(session, case, act.in_reply_to, refused.code) from None
    if act.to_all and not command.to:
        act.to = everyone(act) | act.to
    act.to.pop(act.unit, None)
    if act.audience == "statutory" and not all(map(audiences.statutory, act.to.values())):
        act.audience = "all-parties"  # whoever it is sent to by name reads it (4.8)
    if command.attachments:
        act.insert("attachment", *_taken(act))
    act.reach |= reach_of(session, [u for u in act.to if u not in act.reach], case.status, case.at)
    write_message(act)
    sent = Sent(
        case.reference,
        act.message_id,
        case.number,
        command.type,
        case.status,
        case.at,
        act.reply_due_at,
        {unit_id: act.reach[unit_id] for unit_id in act.to},
        act.priority == "urgent",
    )
    for further in act.further:
        session.flush()
        within = case
        if further.reference is not None:
            within = load_other(session, further.reference, case.at)
        within.number = session.execute(_NEXT_NUMBER, {"id": within.id}).scalar_one()
        refresh(session, within)
        words = read_body(further.command)
        _send(session, further.actor, vault, further.command, words, within, further.unit)
    return sent


_NEXT_NUMBER = text("""
UPDATE cases SET last_message_no = last_message_no + 1 WHERE id = :id RETURNING last_message_no
""")


def _taken(act: Act) -> list[dict[str, Any]]:
    ids = moving_files.moved(
        act.session, act.actor, act.vault, attachments.Place(act.case.id, act.unit),
        act.command.attachments, act.at,
    )  # fmt: skip
    act.command = act.command.model_copy(update={"attachments": ids})
    return attachments.take(
        act.session, act.actor, act.case.id, act.message_id, act.audience, ids, act.at
    )


def _named(session: Session, act: Act) -> dict[UUID, PartyUnit]:
    """Return the units that the sender named; parties as they are, others as they would be."""
    found: dict[UUID, PartyUnit] = {}
    for index, name in enumerate(act.command.to):
        party = unit_named(session, name, f"/to/{index}", act.at)
        found[party.unit_id] = act.case.parties.get(party.unit_id, party)
    if act.unit in found and len(found) == 1:
        raise invalid("to-itself", "This is your own unit: name another.", "/to/0")
    return found


def unit_named(session: Session, name: str, pointer: str, at: datetime) -> PartyUnit:
    """Return a unit by code or UUID, with the part that its kind of organisation takes.

    One that was superseded by the moment `at` is answered for by what took its place; one that is
    to end stands until its day comes, in London.

    Raises:
        HubError: 422 when there is none, or it is no more.
    """
    named = find_unit(session, name)
    unit = standing_on(session, named, at.astimezone(LONDON).date()) if named else None
    if unit is None:
        raise invalid(
            "unit-unknown", "There is no such unit: look it up in the directory.", pointer
        )
    kind = session.get_one(Organisation, unit.organisation_id).kind
    return PartyUnit(
        unit.id, unit.name, PARTS.get(kind, "other"), kind in PARTS, kind == "police",
        unit.organisation_id,
    )  # fmt: skip


def everyone(act: Act) -> dict[UUID, PartyUnit]:
    """Return the other parties that may read the message's widest part.

    A unit that was sent one message sees that, and not what is said in the case later (4.8).
    """
    return {
        unit: party
        for unit, party in act.case.parties.items()
        if unit != act.unit
        and act.case.takes_part(unit)
        and unit not in act.case.heirs
        and audiences.may_read(
            act.audience, police=party.police, part=party.part, full=True, recipient=True,
            sender=False,
        )
    }  # fmt: skip
