"""What a reader of a case is shown: its part, and what they may do now (DOMAIN.md 4.8).

Reading is on record: who, which messages, and why.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from hub.errors import HubError, not_found
from hub.identity.actor import Actor
from hub.identity.reach import reach_of
from hub.records import audit, consultation
from hub.records.vault import Vault
from messaging import aliases, placements, receipts, references, standing
from messaging.choices import Action, Choosing, Knowing
from messaging.contracts import CONTRACTS
from messaging.conversation import add_facts, messages_of
from messaging.effects import CHOICES, KNOWN
from messaging.matters import of_case
from messaging.model import Case, Episode, Message, Recipient
from messaging.shown import (
    CaseView,
    ClaimView,
    Known,
    MessageView,
    ReportView,
    UnitName,
)
from messaging.state import ADJUDICATOR, CaseState, load
from messaging.who_leads import (
    history_for,
    is_told,
    names_in,
    open_request,
    reading_unit,
    unit_names,
)

ADDRESSED = "addressed-to-my-unit"


def case_id(session: Session, actor: Actor, reference: str, now: datetime) -> UUID:
    """Return the id of a case of theirs.

    Raises:
        HubError: `not-found` to strangers.
    """
    return load(session, actor, references.clean(reference), now, lock=False).id


def reason_for(
    session: Session, actor: Actor, vault: Vault, reference: str, now: datetime
) -> consultation.Reason | None:
    """Return why this reader looks: a message was addressed to their unit, or what they said.

    None when they have to be asked first: once for each case and session.

    Raises:
        HubError: `not-found` to strangers.
    """
    case = load(session, actor, references.clean(reference), now, lock=False)
    if session.execute(
        select(Recipient.message_id)
        .where(Recipient.case_id == case.id, Recipient.unit_id.in_(actor.unit_ids))
        .limit(1)
    ).first():
        return consultation.Reason(ADDRESSED, None, now)
    if actor.session_id is None:
        return consultation.Reason("system-of-a-party", None, now)
    return consultation.known_reason(session, vault, actor.session_id, case.id)


def case_view(
    session: Session,
    actor: Actor,
    vault: Vault,
    reference: str,
    now: datetime,
    *,
    reason_code: str,
    reason: str | None = None,
    automatic: bool = False,
    shows: Collection[str | int] | None = None,
) -> CaseView:
    """Return the case for its reader; what they have now seen is opened, and on record.

    A page that shows some messages alone names their types or numbers: the others are not opened by
    it.

    Raises:
        HubError: `not-found` to strangers.
    """
    case = load(session, actor, references.clean(reference), now, lock=False, steady=True)
    unit = reading_unit(case, actor)
    full = case.parties[unit].full
    told = is_told(session, case, actor)
    names = names_in(session, case.id)
    messages = messages_of(session, actor, vault, case, names, now)
    seen = [
        (message.id, mine)
        for message in messages
        for mine in message.to_me
        if shows is None or message.type in shows or message.number in shows
    ]
    if not automatic:
        receipts.opened(session, actor, seen, now)
        add_facts(session, messages, now, case)
    view = CaseView(
        id=case.id,
        reference=case.reference,
        status=case.status,
        opened_at=case.opened_at,
        closed_at=case.closed_at,
        unit=unit,
        full=full,
        risk=case.episode.risk if case.episode and full else None,
        lead=None,
        home=names.get(case.home) if case.home and told else None,
        tenures=history_for(session, case, names, full) if told else [],
        request=open_request(session, case, names, now) if full else None,
        claims=[
            claim
            for claim in _claims(session, case, names)
            if full or claim.unit.id in actor.unit_ids
        ],
        report=_report(session, case, actor, names, now),
        messages=messages,
        actions=actions(session, case, actor),
        child=_child(messages),
        matters=of_case(session, case, actor.unit_ids, full),
        prepared=placements.of_case(session, case) if full else None,
        names=names,
        asked_only=not told,
        adjudicates=case.parties[unit].part == ADJUDICATOR,
        incident_from=standing.incident_from(session, case.id),
    )
    named = {action.to for action in view.actions if action.to}
    more = (view.matters.units | named) - names.keys()
    view.names |= {one.id: one for one in unit_names(session, sorted(more))}
    if case.episode and told:
        view.lead = view.tenures[-1]
    elif told:
        view.located_at = _located_at(session, case.id)
    audit.record(
        session,
        actor.who,
        audit.CONSULTATION,
        now=now,
        case_id=case.id,
        object_kind="case",
        object_id=case.id,
        reason_code=reason_code,
        reason=reason,
        detail={"messages": [str(message.id) for message in messages]},
        automatic=automatic,
        vault=vault,
    )
    return view


def one_message(
    session: Session, actor: Actor, vault: Vault, message_id: UUID, now: datetime
) -> MessageView:
    """Return one message that was sent to the reader's unit, with what that unit may see of it.

    Raises:
        HubError: `not-found` when it was not.
    """
    row = session.execute(
        select(Case.reference)
        .join(Message, Message.case_id == Case.id)
        .where(Message.id == message_id)
    ).one_or_none()
    if row is None:
        raise not_found()
    case = load(session, actor, row.reference, now, lock=False)
    found = messages_of(
        session, actor, vault, case, names_in(session, case.id), now, only=message_id
    )
    if not found:
        raise not_found()
    return found[0]


def _located_at(session: Session, case_id: UUID) -> datetime | None:
    last = session.execute(
        select(Episode.end_reason, Episode.ended_at)
        .where(Episode.case_id == case_id)
        .order_by(Episode.number.desc())
        .limit(1)
    ).one_or_none()
    return last.ended_at if last is not None and last.end_reason == "located" else None


def _claims(session: Session, case: CaseState, names: dict[UUID, UnitName]) -> list[ClaimView]:
    if case.episode is None:
        return []
    rows = session.execute(
        text("""
            SELECT l.message_id, m.number, l.by_unit_id, c.due_at
            FROM located_claim l JOIN message m ON m.id = l.message_id
            LEFT JOIN clock c ON c.message_id = l.message_id AND c.kind = 'located-answer'
            WHERE l.episode_id = :id AND l.state = 'open' ORDER BY m.number
        """),
        {"id": case.episode.id},
    )
    return [ClaimView(r.message_id, r.number, names[r.by_unit_id], r.due_at) for r in rows]


def _report(
    session: Session, case: CaseState, actor: Actor, names: dict[UUID, UnitName], now: datetime
) -> ReportView | None:
    """Return the last report, to who sees the whole case, sent it or was sent it (4.8)."""
    row = session.execute(
        text("""
            SELECT r.message_id, m.number, r.state, r.state_since, r.reporter_unit_id,
                r.addressed_unit_id, (
                    SELECT min(c.due_at) FROM clock c WHERE c.case_id = r.case_id
                        AND c.kind = 'report-outcome' AND c.met_at IS NULL
                        AND c.ended_at IS NULL) AS due_at
            FROM report r JOIN message m ON m.id = r.message_id
            WHERE r.case_id = :id ORDER BY m.number DESC LIMIT 1
        """),
        {"id": case.id},
    ).one_or_none()
    if row is None:
        return None
    mine = case.mine(actor)
    theirs = {case.standing(row.reporter_unit_id), case.standing(row.addressed_unit_id)}
    if not theirs.intersection(mine) and not any(case.parties[unit].full for unit in mine):
        return None
    reach = reach_of(session, [row.addressed_unit_id], case.status, now)[row.addressed_unit_id]
    return ReportView(
        row.message_id, row.number, row.state, row.state_since, names[row.reporter_unit_id],
        names[row.addressed_unit_id], reach, row.due_at,
    )  # fmt: skip


def _child(messages: list[MessageView]) -> dict[str, Any]:
    """Return the child as last reported, as far as the reader may see it."""
    for message in reversed(messages):
        child = message.body.get("child")
        if isinstance(child, dict):
            return child
    return {}


def _own_number(messages: list[MessageView]) -> str | None:
    """Return the number on which the reader's unit said last in the case that it is called back."""
    numbers = [
        of.get(name)
        for message in reversed(messages)
        if message.mine
        for of in (message.envelope, message.body)
        for name in ("callback_telephone", "contact_telephone")
    ]
    return next((number for number in numbers if number), None)


def actions(session: Session, case: CaseState, actor: Actor) -> list[Action]:
    """Return what the reader may send now, by the map and the rules that sending uses."""
    now = Choosing(session, case, actor)
    if case.closed_at is not None:
        alias = aliases.goes_on_as(session, case.id) is not None
        if alias:
            return [act for room in CHOICES for act in room(now) if CONTRACTS[act.type].SETTLES]
        return [action for room in CHOICES for action in room(now) if CONTRACTS[action.type].OPENS]
    return [action for room in CHOICES for action in room(now)]


def prefill(
    session: Session,
    actor: Actor,
    vault: Vault,
    reference: str,
    message_type: str,
    now: datetime,
    in_reply_to: UUID | None = None,
    carried: Mapping[str, str] | None = None,
) -> Known:
    """Return what a form of this type is filled in with, so that nothing is typed twice.

    Raises:
        HubError: `not-found` to strangers; 404 for a type that there is not.
    """
    if message_type not in CONTRACTS:
        raise not_found()
    case = load(session, actor, references.clean(reference), now, lock=False)
    names = names_in(session, case.id)
    messages = messages_of(session, actor, vault, case, names, now)
    before = standing.incident_from(session, case.id)
    latest: dict[str, Any] = {}
    for message in messages:
        latest |= {
            name: value
            for name, value in message.body.items()
            if value is not None and (message.number > before or name not in standing.OF_INCIDENT)
        }
    fill = KNOWN.get(message_type)
    answered = next((message.body for message in messages if message.id == in_reply_to), {})
    codes = {unit.id: unit.code for unit in names.values()}
    said = [(message.id, message.type, message.body) for message in messages]
    known = Knowing(
        case, actor, latest, now, session, in_reply_to, answered, codes, said, carried or {},
        _own_number(messages), [m.body for m in messages if m.number > before],
    )  # fmt: skip
    body = fill(known) if fill else {}
    if message_type == "information-response" and in_reply_to and not answered:
        messages += _asked_before(session, actor, vault, in_reply_to, now)
    audit.record(
        session, actor.who, audit.CONSULTATION, now=now, case_id=case.id, object_kind="case",
        object_id=case.id, reason_code="to-send", detail={"messages": [str(m.id) for m in messages]},
    )  # fmt: skip
    dispute = case.episode.dispute_message if case.episode else None
    return Known(
        case.status, {name: value for name, value in body.items() if value}, messages,
        (dispute, case.episode.dispute_other) if case.episode and dispute else None,
        {unit.code: unit.name for unit in names.values()},
    )  # fmt: skip


def _asked_before(
    session: Session, actor: Actor, vault: Vault, message_id: UUID, now: datetime
) -> list[MessageView]:
    """Return a question that was asked in a case which was joined to the one of its answer (4.10)."""
    try:
        return [one_message(session, actor, vault, message_id, now)]
    except HubError:
        return []
