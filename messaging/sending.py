"""The one way of every message: contract, permission, effect, receipts, clocks, audit.

A type adds a contract (contracts/) and an effect (effects/), and nothing here. All of it is
in the caller's transaction: the message, what it does, its receipts, its record, its wake-ups.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Insert, insert, text
from sqlalchemy.orm import Session

from hub.clock import LONDON
from hub.db import new_id
from hub.errors import FieldProblem, HubError, conflict, forbidden, invalid
from hub.identity import policy
from hub.identity.actor import Actor
from hub.identity.reach import reach_of
from hub.jobs import outbox
from hub.organisations import Organisation, find_unit, standing_on
from hub.records import audit
from hub.records.vault import Vault
from hub.web.problems import field_problems
from messaging import (
    aliases,
    attachments,
    audiences,
    clocks,
    codes,
    lead,
    matching,
    references,
)
from messaging.contracts import CONTRACTS, Command, Contract
from messaging.model import Case
from messaging.state import CaseState, PartyUnit, load, refresh
from messaging.winners import winner

TABLES = Case.metadata.tables

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


@dataclass(frozen=True)
class Further:
    """A message that follows from another, and is sent with it."""

    command: Command
    unit: UUID
    actor: Actor


THE_HUB = Actor("system", name=audit.SYSTEM.name, status=None)
"""The hub, where it sends in its own name."""

OPENERS = ("missing-episode-report", "placement-notification")
"""What a case opens with."""


@dataclass
class Act:
    """A message on its way: what effects read, and what they decide.

    Where the sender names nobody and it is `to_all`, it goes to whoever may read it.
    """

    session: Session
    actor: Actor
    vault: Vault
    command: Command
    body: Contract
    case: CaseState
    unit: UUID
    message_id: UUID = field(default_factory=new_id)
    to: dict[UUID, PartyUnit] = field(default_factory=dict)
    to_all: bool = True
    audience: str = "all-parties"
    in_reply_to: UUID | None = None
    priority: str = "routine"
    reply_due_at: datetime | None = None
    request_no: int | None = None
    reach: dict[UUID, str] = field(default_factory=dict)
    replies_to_alias: bool = False
    """What it answers was asked in a case that was joined to this one."""
    after: list[Callable[[], object]] = field(default_factory=list)
    further: list["Further"] = field(default_factory=list)

    @property
    def at(self) -> datetime:
        """The moment at which this takes effect."""
        return self.case.at

    @cached_property
    def settings(self) -> dict[str, int]:
        """The minutes of clocks, read once a clock needs them."""
        return clock_settings(self.session, self.actor.organisation_id)

    def insert(self, table: str, *rows: dict[str, Any]) -> None:
        """Insert rows once the message itself is there."""
        if rows:
            self.after.append(lambda: _insert(self.session, table, list(rows)))

    def later(self, write: Callable[[], object]) -> None:
        """Do a write once the message itself is there."""
        self.after.append(write)

    def send_further(self, command: Command, unit: UUID, actor: Actor) -> None:
        """Have the hub send another message once this is there: in the same commit, by the same rules.

        It is from a unit, in the name of whoever acts, or of the hub itself.
        """
        self.further.append(Further(command, unit, actor))

    def add_party(self, unit: PartyUnit) -> None:
        """Let a unit into the case, or keep it as it is there."""
        known = self.case.parties.get(unit.unit_id)
        if known is not None and (known.full or not unit.full):
            return
        self.case.parties[unit.unit_id] = unit
        row = {
            "case_id": self.case.id,
            "unit_id": unit.unit_id,
            "part": unit.part,
            "sees": "full" if unit.full else "limited",
        }
        if known is None:
            self.insert("party", {**row, "since": self.at})
        else:
            self.later(lambda: _promote(self.session, row))

    def clock(
        self, kind: str, owed_by: UUID | None, *, started: bool = True,
        due: datetime | None = None,
    ) -> datetime | None:  # fmt: skip
        """Start a clock that a unit owes; unstarted, it waits for the telephone.

        It is due when its kind says, or then. Owed by nobody in particular: by adjudicators.
        """
        due = (due or clocks.due(kind, self.at, self.settings)) if started else None
        self.later(lambda: self._start(kind, owed_by, due))
        return due

    def start_clock(self, kind: str, owed_by: UUID, *, due: datetime) -> None:
        """Start a clock now: the message is there already."""
        self._start(kind, owed_by, due)

    def _start(self, kind: str, owed_by: UUID | None, due: datetime | None) -> None:
        row = {
            "id": new_id(), "case_id": self.case.id, "kind": kind,
            "message_id": self.message_id, "owed_by_unit_id": owed_by,
            "started_at": self.at if due else None, "due_at": due, "escalates_at": due,
        }  # fmt: skip
        _insert(self.session, "clock", [row])


def _insert(session: Session, table: str, rows: list[dict[str, Any]]) -> None:
    session.execute(_insert_into(table), rows)


@cache
def _insert_into(table: str) -> Insert:
    return insert(TABLES[table])


def _promote(session: Session, row: dict[str, Any]) -> None:
    party = TABLES["party"]
    session.execute(
        party.update()
        .where(party.c.case_id == row["case_id"], party.c.unit_id == row["unit_id"])
        .values(part=row["part"], sees=row["sees"])
    )


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
    _insert(
        session,
        "cases",
        [{
            "id": case_id, "reference": case.reference, "status": status, "opened_at": now,
            "opener_unit_id": actor.unit_id, "last_message_no": 1, "last_at": now,
        }],
    )  # fmt: skip
    _insert(
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
    late = "case.read" if message_type == "information-response" else "send.update"
    for unit in mine:
        if CONTRACTS[message_type].ANSWERS and policy.allows(actor, late, *case.relations(unit)):
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
    if command.attachments:
        act.insert("attachment", *_taken(act))
    act.reach |= reach_of(session, [u for u in act.to if u not in act.reach], case.status, case.at)
    _write(act)
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
        case.number = session.execute(_NEXT_NUMBER, {"id": case.id}).scalar_one()
        refresh(session, case)
        words = read_body(further.command)
        _send(session, further.actor, vault, further.command, words, case, further.unit)
    return sent


_NEXT_NUMBER = text("""
UPDATE cases SET last_message_no = last_message_no + 1 WHERE id = :id RETURNING last_message_no
""")


def _taken(act: Act) -> list[dict[str, Any]]:
    return attachments.take(
        act.session, act.actor, act.case.id, act.message_id, act.audience,
        act.command.attachments, act.at,
    )  # fmt: skip


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
        and (party.full or "reporter" in act.case.relations(unit))
        and unit not in act.case.heirs
        and audiences.may_read(
            act.audience, police=party.police, part=party.part, full=True, recipient=True,
            sender=False,
        )
    }  # fmt: skip


_SETTINGS = text("""
SELECT kind, minutes FROM clock_setting
WHERE organisation_id IS NULL OR organisation_id = CAST(:organisation_id AS uuid)
ORDER BY organisation_id IS NOT NULL
""")


def clock_settings(session: Session, organisation_id: UUID | None) -> dict[str, int]:
    """Return the minutes of clocks that nation or organisation changed; the latter's win."""
    rows = session.execute(_SETTINGS, {"organisation_id": organisation_id})
    return {row.kind: row.minutes for row in rows}


# One statement, since every message costs it: the envelope, its parts, its recipients.
_MESSAGE = text("""
WITH envelope AS (
    INSERT INTO message (
        id, case_id, number, type, schema_version, status, classification, priority, request_no,
        sent_at, reply_due_at, in_reply_to, sender_organisation_id, sender_unit_id, sender_kind,
        sender_id, sender_name, sender_rank, sender_collar, audience)
    VALUES (
        :id, :case_id, :number, :type, :schema_version, :status, :classification, :priority,
        :request_no, :sent_at, :reply_due_at, :in_reply_to, :sender_organisation_id,
        :sender_unit_id, :sender_kind, :sender_id, :sender_name, :sender_rank, :sender_collar,
        :audience)
), recipients AS (
    INSERT INTO recipient (message_id, unit_id, case_id, reach)
    SELECT CAST(:id AS uuid), unit_id, CAST(:case_id AS uuid), reach
    FROM unnest(CAST(:units AS uuid[]), CAST(:reaches AS text[])) AS r (unit_id, reach)
)
INSERT INTO message_part (message_id, audience, ciphertext)
SELECT CAST(:id AS uuid), audience, ciphertext
FROM unnest(CAST(:audiences AS text[]), CAST(:ciphertexts AS bytea[])) AS p (audience, ciphertext)
""")


def _write(act: Act) -> None:
    session, case, actor, command = act.session, act.case, act.actor, act.command
    parts = _parts(act)
    recipients = _recipients(act)
    session.execute(
        _MESSAGE,
        {
            "id": act.message_id, "case_id": case.id, "number": case.number,
            "type": command.type, "schema_version": codes.VERSION, "status": case.status,
            "classification": command.classification, "priority": act.priority,
            "request_no": act.request_no, "sent_at": act.at, "reply_due_at": act.reply_due_at,
            "in_reply_to": None if act.replies_to_alias else act.in_reply_to,
            "sender_organisation_id": case.parties[act.unit].organisation_id,
            "sender_unit_id": act.unit, "sender_kind": actor.kind, "sender_id": actor.id,
            "sender_name": actor.name, "sender_rank": actor.rank_or_role,
            "sender_collar": actor.collar_number, "audience": act.audience,
            "audiences": list(parts), "ciphertexts": list(parts.values()),
            "units": list(recipients), "reaches": list(recipients.values()),
        },
    )  # fmt: skip
    for unit in act.to:
        if act.reach[unit] == "staffed":
            act.clock(clocks.opened_kind(asks=act.body.ASKS, urgent=act.priority == "urgent"), unit)
    receipts = _receipts(act)
    if receipts:
        _insert(session, "receipt", receipts)
    matching.note(
        session, act.vault, case, act.message_id, act.body,
        organisation_id=case.parties[act.unit].organisation_id, reference=command.sender_reference,
    )  # fmt: skip
    for write in act.after:
        write()
    audit.record(
        session,
        actor.who,
        "message.send",
        now=act.at,
        case_id=case.id,
        object_kind="message",
        object_id=act.message_id,
        reason=command.purpose,
        detail={
            "type": command.type,
            "to": [str(unit) for unit in act.to],
            **(
                {"attachments": [str(one) for one in command.attachments]}
                if command.attachments
                else {}
            ),
        },
        vault=act.vault,
    )
    if any(reach == "staffed" for reach in act.reach.values()):
        outbox.enqueue(session, "nudge", act.message_id, now=act.at)


def _parts(act: Act) -> dict[str, bytes]:
    """Return the message's parts by audience, each encrypted for itself."""
    document = act.body.model_dump(mode="json", exclude_none=True)
    split = audiences.split(type(act.body), document, act.audience)
    command = act.command
    envelope = {
        name: value
        for name, value in (
            ("purpose", command.purpose),
            ("sender_reference", command.sender_reference),
            ("callback_telephone", command.callback_telephone),
        )
        if value
    }
    return {
        audience: act.vault.encrypt(
            act.session,
            act.case.id,
            json.dumps(
                {"body": part, "envelope": envelope if audience == act.audience else {}}
            ).encode(),
            part_aad(act.message_id, command.type, audience),
        )
        for audience, part in split.items()
    }


def part_aad(message_id: UUID, message_type: str, audience: str) -> tuple[str, ...]:
    """Return what a part's ciphertext is bound to, besides its case."""
    return ("message", str(message_id), message_type, audience)


def _recipients(act: Act) -> dict[UUID, str]:
    """Return how each recipient is reached, and let those new to the case into it."""
    for unit in act.to.values():
        # A unit new to the case sees the message sent to it, not the case (4.8).
        act.add_party(replace(unit, full=False))
    return {unit: act.reach[unit] for unit in act.to}


def _receipts(act: Act) -> list[dict[str, Any]]:
    """Return what is true at once: staff have it in their inbox."""
    return [
        receipt(act.message_id, unit, "delivered", act.at, None)
        for unit in act.to
        if act.reach[unit] == "staffed"
    ]


def receipt(
    message_id: UUID, unit: UUID, kind: str, at: datetime, actor: Actor | None
) -> dict[str, Any]:
    """Return the row of one fact about one recipient."""
    return {
        "message_id": message_id, "unit_id": unit, "kind": kind, "at": at,
        "who_kind": actor.kind if actor else "system", "who_id": actor.id if actor else None,
        "who_name": actor.name if actor else "",
    }  # fmt: skip


def refusal(session: Session, case: CaseState, message_id: UUID | None, code: str) -> HubError:
    """Return the refusal of a rule as a reader gets it, naming the winner of a lost race."""
    won = winner(session, case.id, message_id) if code in ANSWERED else None
    if won is not None:
        return conflict(code, won.sentence(), winner=won.document())
    return conflict(code, SENTENCES[code])


ANSWERED = frozenset({
    "request-already-answered", "claim-already-answered", "dispute-ended", "direction-ended",
    "question-answered", "plan-answered",
})  # fmt: skip
"""Refusals of what came too late: they name what came first (4.3)."""


SENTENCES = {
    "request-already-answered": "There is nothing open to answer.",
    "claim-already-answered": "There is nothing open to answer.",
    "question-answered": "There is no open question of this kind: look at the case again.",
    "not-lead": "Only the unit that leads can do this.",
    "offered-to-itself": "Your unit leads already: offer the lead to another.",
    "lead-request-open": "The lead is on offer already: wait for the answer, or withdraw it and"
    " offer it elsewhere in one act.",
    "wrong-unit": "The lead was offered to another unit.",
    "episode-ended": "The episode has ended.",
    "lead-directed": "A direction says who leads, and waits for its acknowledgement.",
    "held-already": "A holding reply was sent for this request: accept or decline it.",
    "dispute-open": "Who leads is disputed already: wait for the decision.",
    "no-side": "A dispute is between the unit that leads and one that it was offered to.",
    "dispute-ended": "There is no open dispute: look at the case again.",
    "plan-answered": "There is no version of the plan that waits for an answer.",
    "direction-ended": "There is no direction that waits: look at the case again.",
    "meeting-unknown": "There is no such meeting in this case: reply to its invitation.",
    "meeting-over": "The meeting was cancelled, or its record is here.",
    "meeting-started": "The meeting has started: it takes no reply and no change any more.",
    "meeting-not-started": "The meeting has not started: record it afterwards.",
    "not-convenor": "Only the unit that convenes the meeting can do this.",
    "not-asked": "Your unit is not asked to this meeting.",
    "action-done": "There is no such open action of your unit: look at the case again.",
    "wanted-stays-missing": "A child who is wanted, or whose whereabouts are known but whom nobody"
    " saw, stays missing: the duty to safeguard them stays. They are located once somebody sees"
    " them, face to face, in custody too.",
    "interview-recorded": "This interview is recorded already: send a correction that refers to the"
    " record.",
    "nothing-to-correct": "There is no record of this interview to correct yet.",
    "match-closed": "No match waits here: look at the case again.",
    "match-moved": "Who leads the other episode has changed: look at the case again.",
    "match-ended": "The other episode has ended: there is nothing to join.",
    "claim-open": "Somebody says that the child is located: the lead confirms or refuses that first.",
    "denied-already": "Your side has said so already: the other unit confirms it.",
    "nothing-to-admit": "The other case has no open episode: there is nothing to admit.",
    "both-open": "Both cases have an open episode: ask their lead to join them.",
}
