"""Who leads and has led, and the open offer, for a reader of the case; no content."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from hub.db import fetch
from hub.errors import not_found
from hub.identity import policy
from hub.identity.actor import Actor
from hub.identity.reach import reach_of
from messaging import aliases, references
from messaging.shown import (
    OfficerView,
    RequestView,
    TenureView,
    UnitName,
)
from messaging.state import CaseState, load, load_other

_TOLD = text("""
SELECT bool_or(is_told(p)) FROM party p WHERE p.case_id = :case_id AND p.unit_id = ANY(:units)
""")


def is_told(session: Session, case: CaseState, actor: Actor) -> bool:
    """Say whether the reader is told who leads: more than an enquiry was sent to them (4.8)."""
    mine = case.mine(actor)
    if any(case.parties[unit].full for unit in mine):
        return True
    return bool(session.scalar(_TOLD, {"case_id": case.id, "units": mine}))


def lead_view(session: Session, actor: Actor, reference: str, now: datetime) -> dict[str, Any]:
    """Return who leads, since when and on what basis, as the API has it; no content.

    A case that was joined to another answers with that one's.

    Raises:
        HubError: `not-found` to strangers.
    """
    case = load(session, actor, references.clean(reference), now, lock=False, steady=True)
    reader = case.parties[reading_unit(case, actor)]
    full = reader.full
    told = is_told(session, case, actor)
    joined = aliases.goes_on_as(session, case.id) if case.closed_at else None
    if joined is not None:
        case = load_other(session, joined, now)
    names = names_in(session, case.id)
    history = history_for(session, case, names, full) if told else []
    present = history[-1] if case.episode and told else None
    request = open_request(session, case, names, now) if full else None
    return {
        "case_reference": case.reference,
        "asked_only": not told,
        "episode": {
            "number": case.episode.number,
            "risk": case.episode.risk if full else None,
        }
        if present and case.episode
        else None,
        "lead": _unit(present.unit) if present else None,
        "named_officer": {
            **_officer(present.officer),
            "on_duty_until": present.on_duty_until.isoformat()
            if present.on_duty_until and full and reader.police
            else None,
        }
        if present
        else None,
        "since": present.since.isoformat() if present else None,
        "basis": present.basis if present else None,
        "tenures": [
            {
                "unit": _unit(one.unit),
                "named_officer": _officer(one.officer),
                "officers": [
                    {**_officer(officer), **_span(officer.since, officer.until)}
                    for officer in one.officers
                ],
                **_span(one.since, one.until),
                "basis": one.basis,
                "episode": one.episode,
            }
            for one in history
        ],
        "open_request": {
            "message_id": str(request.message_id),
            "kind": request.kind,
            "from": _unit(request.from_unit),
            "to": _unit(request.to_unit),
            "priority": request.priority,
            "opened_at": request.opened_at.isoformat(),
            "reply_due_at": request.due_at.isoformat() if request.due_at else None,
            "request_no": request.request_no,
            "held_until": request.held_until.isoformat() if request.held_until else None,
            "held_by": request.held_by,
            "basis": request.basis,
        }
        if request
        else None,
    }


def _unit(unit: UnitName) -> dict[str, str]:
    return {
        "id": str(unit.id), "code": unit.code, "name": unit.name, "organisation": unit.organisation
    }  # fmt: skip


def _officer(officer: OfficerView) -> dict[str, str | None]:
    return {"name": officer.name, "rank": officer.rank, "collar_number": officer.collar}


def _span(since: datetime, until: datetime | None) -> dict[str, str | None]:
    return {"since": since.isoformat(), "until": until.isoformat() if until else None}


def reading_unit(case: CaseState, actor: Actor) -> UUID:
    """Return the unit for which the actor reads a case.

    Raises:
        HubError: `not-found` where the map allows it for none.
    """
    for unit in case.mine(actor):
        if policy.allows(actor, "case.read", *case.relations(unit)):
            return unit
    raise not_found()


_NAMES = text("""
SELECT DISTINCT u.id, u.code, u.name, o.name AS organisation, o.kind = 'police' AS police
FROM unit u JOIN organisation o ON o.id = u.organisation_id
WHERE u.id IN (
    SELECT unit_id FROM party WHERE case_id = :case_id
    UNION SELECT sender_unit_id FROM message WHERE case_id = :case_id
    UNION SELECT unit_id FROM recipient WHERE case_id = :case_id
    UNION SELECT addressed_unit_id FROM report WHERE case_id = :case_id
    UNION SELECT home_unit_id FROM cases WHERE id = :case_id)
""")


# The units by a sub-select: see hub.identity.reach.
_NAMES_OF = text("""
SELECT u.id, u.code, u.name, o.name AS organisation, o.kind = 'police' AS police
FROM unit u JOIN organisation o ON o.id = u.organisation_id
WHERE u.id = ANY(CAST((SELECT CAST(:units AS uuid[])) AS uuid[])) ORDER BY u.code
""")


def unit_names(session: Session, units: Sequence[UUID]) -> list[UnitName]:
    """Return units as they are shown, in the order of their codes."""
    if not units:
        return []
    rows = fetch(session, _NAMES_OF, {"units": list(units)})
    return [UnitName(*tuple(row)) for row in rows]


def names_in(session: Session, case_id: UUID) -> dict[UUID, UnitName]:
    rows = session.execute(_NAMES, {"case_id": case_id})
    return {row.id: UnitName(*row) for row in rows}


_TENURES = text("""
SELECT t.id, t.unit_id, t.officer_name, t.officer_rank, t.officer_collar, t.on_duty_until, t.since,
    t.until, t.basis, t.message_id, e.number AS episode
FROM tenure t JOIN episode e ON e.id = t.episode_id
WHERE e.case_id = :case_id ORDER BY e.number, t.number
""")
_BEFORE = text("""
SELECT b.* FROM officer_before b JOIN tenure t ON t.id = b.tenure_id
JOIN episode e ON e.id = t.episode_id WHERE e.case_id = :case_id ORDER BY b.tenure_id, b.number
""")


def tenures(session: Session, case_id: UUID, names: dict[UUID, UnitName]) -> list[TenureView]:
    """Return who led, first to last."""
    before = session.execute(_BEFORE, {"case_id": case_id}).all()
    return [
        TenureView(
            names[row.unit_id], row.on_duty_until, row.since, row.until, row.basis, row.episode,
            tuple(_officers(row, [one for one in before if one.tenure_id == row.id])),
        )
        for row in session.execute(_TENURES, {"case_id": case_id})
    ]  # fmt: skip


def _officers(tenure: Row[Any], before: Sequence[Row[Any]]) -> Iterator[OfficerView]:
    """Return the officers of a tenure in order: each came by the handover of the one before."""
    since, came_by = tenure.since, tenure.message_id
    for one in (*before, tenure):
        yield OfficerView(
            one.officer_name, one.officer_rank, one.officer_collar, since, one.until, came_by
        )
        since, came_by = one.until, one.message_id


def history_for(
    session: Session, case: CaseState, names: dict[UUID, UnitName], full: bool
) -> list[TenureView]:
    """Return who has led; to a reporter, which unit and officer lead now and no more (4.8)."""
    found = tenures(session, case.id, names)
    if full:
        return found
    now = found[-1:] if case.episode else []
    return [replace(one, officers=one.officers[-1:]) for one in now]


def open_request(
    session: Session, case: CaseState, names: dict[UUID, UnitName], now: datetime
) -> RequestView | None:
    if case.episode is None or case.episode.request_message is None:
        return None
    row = session.execute(
        text("""
            SELECT q.message_id, m.number, q.kind, q.from_unit_id, q.to_unit_id, q.priority,
                q.opened_at, c.due_at, q.request_no, q.held_until,
                q.held_by_name, q.basis,
                EXISTS (SELECT FROM receipt r WHERE r.message_id = q.message_id
                    AND r.unit_id = q.to_unit_id AND r.kind = 'told-by-telephone') AS told
            FROM lead_request q JOIN message m ON m.id = q.message_id
            LEFT JOIN clock c ON c.message_id = q.message_id AND c.owed_by_unit_id = q.to_unit_id
                AND c.kind IN ('lead-urgent', 'lead-routine')
            WHERE q.id = :id
        """),
        {"id": case.episode.request_id},
    ).one()
    to_reach = reach_of(session, [row.to_unit_id], case.status, now)[row.to_unit_id]
    return RequestView(
        row.message_id, row.number, row.kind, names[row.from_unit_id], names[row.to_unit_id],
        to_reach, row.priority, row.opened_at, row.due_at, row.told, row.request_no,
        row.held_until, row.held_by_name, row.basis,
    )  # fmt: skip
