"""What a case's timeline holds: one function for each room, so that a new room adds one of its own.

Each returns spans and points of what its reader may see. Who sees the whole case sees them all; any
other party sees what its messages show, and no more (DOMAIN.md 4.8).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from messaging import wording
from messaging.shown import CaseView
from messaging.timeline import Point, Record, Span, in_order


def _(words: str, **values: object) -> str:
    return str(gettext(words, **values))


def records(session: Session, view: CaseView) -> list[Record]:
    """Return everything of a case that has a time, in order."""
    return in_order([record for room in ROOMS for record in room(session, view)])


def _numbers(view: CaseView) -> dict[UUID, int]:
    return {message.id: message.number for message in view.messages}


def _rows(session: Session, view: CaseView, query: TextClause) -> list[Mapping[str, Any]]:
    """Return the rows that the reader may see, each with the number of its message."""
    numbers = _numbers(view)
    found = session.execute(query, {"case_id": view.id}).mappings()
    return [
        {**row, "number": numbers.get(row["message_id"])}
        for row in found
        if view.full or row["message_id"] in numbers
    ]


def _name(view: CaseView, unit: UUID) -> str:
    return view.names[unit].name if unit in view.names else ""


_EPISODES = text("""
SELECT e.number AS episode, e.opened_at, e.ended_at, e.end_reason, e.opened_by_message_id AS message_id
FROM episode e WHERE e.case_id = :case_id ORDER BY e.number
""")


def episodes(session: Session, view: CaseView) -> list[Record]:
    """Return each missing incident, from when police recorded it to its end."""
    found: list[Record] = []
    for row in _rows(session, view, _EPISODES):
        label = _("Missing, episode %(number)s", number=row["episode"])
        if row["end_reason"]:
            ended = wording.EPISODE_ENDS.get(row["end_reason"], row["end_reason"])
            label = f"{label}: {ended}"
        found.append(Span("episode", label, row["opened_at"], row["ended_at"], row["number"]))
    return found


def leads(_session: Session, view: CaseView) -> list[Record]:
    """Return who led when, each named officer apart: what the case's page shows of it."""
    numbers = _numbers(view)
    found: list[Record] = []
    for tenure in view.tenures:
        for one in tenure.officers:
            officer = " ".join(part for part in (one.rank, one.name) if part)
            label = f"{tenure.unit.name}: {officer or wording.OFFICER_NOT_KEPT}"
            number = numbers.get(one.message_id)
            found.append(Span("lead", label, one.since, one.until, number))
    return found


_REQUESTS = text("""
SELECT q.message_id, q.from_unit_id, q.to_unit_id, q.state, q.opened_at, q.answered_at
FROM lead_request q JOIN episode e ON e.id = q.episode_id
WHERE e.case_id = :case_id ORDER BY q.opened_at, q.id
""")


def requests(session: Session, view: CaseView) -> list[Record]:
    """Return the offers of the lead, each with what came of it."""
    return [
        Span(
            "request",
            _(
                "Lead offered by %(a)s to %(b)s: %(state)s",
                a=_name(view, row["from_unit_id"]),
                b=_name(view, row["to_unit_id"]),
                state=wording.REQUEST_STATES[row["state"]],
            ),
            row["opened_at"],
            row["answered_at"],
            row["number"],
        )
        for row in _rows(session, view, _REQUESTS)
    ]


_REPORTS = text("""
SELECT r.message_id, r.state, r.addressed_unit_id, m.sent_at,
    CASE WHEN r.state <> 'awaiting-police' THEN r.state_since END AS settled_at
FROM report r JOIN message m ON m.id = r.message_id WHERE r.case_id = :case_id ORDER BY m.number
""")


def reports(session: Session, view: CaseView) -> list[Record]:
    """Return the reports of practitioners, each with what police did with it."""
    return [
        Span(
            "request",
            _(
                "Report to %(unit)s: %(state)s",
                unit=_name(view, row["addressed_unit_id"]),
                state=wording.REPORT_STATES[row["state"]],
            ),
            row["sent_at"],
            row["settled_at"],
            row["number"],
        )
        for row in _rows(session, view, _REPORTS)
    ]


_CLAIMS = text("""
SELECT l.message_id, l.by_unit_id, l.state, m.sent_at, l.answered_at
FROM located_claim l JOIN message m ON m.id = l.message_id
WHERE m.case_id = :case_id ORDER BY m.number
""")


def claims(session: Session, view: CaseView) -> list[Record]:
    """Return who said that the child is located, until the lead confirmed or refused it."""
    return [
        Span(
            "request",
            _(
                "Located, says %(unit)s: %(state)s",
                unit=_name(view, row["by_unit_id"]),
                state=wording.CLAIM_STATES[row["state"]],
            ),
            row["sent_at"],
            row["answered_at"],
            row["number"],
        )
        for row in _rows(session, view, _CLAIMS)
    ]


_DISPUTES = text("""
SELECT d.message_id, d.by_unit_id, d.other_unit_id, d.state, d.opened_at, d.answered_at
FROM dispute d JOIN episode e ON e.id = d.episode_id
WHERE e.case_id = :case_id ORDER BY d.opened_at, d.id
""")
_DIRECTIONS = text("""
SELECT w.message_id, w.to_unit_id, w.state, w.opened_at, w.answered_at
FROM direction w JOIN episode e ON e.id = w.episode_id
WHERE e.case_id = :case_id ORDER BY w.opened_at, w.id
""")


def disputes(session: Session, view: CaseView) -> list[Record]:
    """Return the disputes over who leads, and the directions that decided them."""
    found: list[Record] = [
        Span(
            "dispute",
            _(
                "Disputed by %(a)s with %(b)s: %(state)s",
                a=_name(view, row["by_unit_id"]),
                b=_name(view, row["other_unit_id"]),
                state=wording.DISPUTE_STATES[row["state"]],
            ),
            row["opened_at"],
            row["answered_at"],
            row["number"],
        )
        for row in _rows(session, view, _DISPUTES)
    ]
    found += [
        Span(
            "dispute",
            _(
                "Direction that %(unit)s leads: %(state)s",
                unit=_name(view, row["to_unit_id"]),
                state=wording.DIRECTION_STATES[row["state"]],
            ),
            row["opened_at"],
            row["answered_at"],
            row["number"],
        )
        for row in _rows(session, view, _DIRECTIONS)
    ]
    return found


_QUESTIONS = text("""
SELECT i.message_id, i.from_unit_id, i.to_unit_id, i.state, i.opened_at, i.answered_at
FROM information_request i WHERE i.case_id = :case_id ORDER BY i.opened_at, i.id
""")


def questions(session: Session, view: CaseView) -> list[Record]:
    """Return the questions, each with what kind of answer came."""
    return [
        Span(
            "question",
            _(
                "%(a)s asks %(b)s: %(state)s",
                a=_name(view, row["from_unit_id"]),
                b=_name(view, row["to_unit_id"]),
                state=wording.QUESTION_STATES[row["state"]],
            ),
            row["opened_at"],
            row["answered_at"],
            row["number"],
        )
        for row in _rows(session, view, _QUESTIONS)
        if view.full or {row["from_unit_id"], row["to_unit_id"]} & _mine(view)
    ]


def _mine(view: CaseView) -> set[UUID]:
    """Return the units for which a reader of part of a case reads it."""
    sent = {message.sender_unit.id for message in view.messages if message.mine}
    return sent | {unit for message in view.messages for unit in message.to_me} | {view.unit}


_MEETINGS = text("""
SELECT i.message_id, g.state, g.starts_at, g.ends_at, g.convenor_unit_id
FROM meeting g JOIN meeting_invitation i ON i.meeting_id = g.id AND i.sequence = g.sequence
WHERE g.case_id = :case_id ORDER BY g.starts_at, g.id
""")


def meetings(session: Session, view: CaseView) -> list[Record]:
    """Return the strategy meetings, each for as long as it was called for."""
    return [
        Span(
            "meeting",
            _(
                "Strategy meeting, called by %(unit)s: %(state)s",
                unit=_name(view, row["convenor_unit_id"]),
                state=wording.MEETING_STATES[row["state"]],
            ),
            row["starts_at"],
            row["ends_at"],
            row["number"],
        )
        for row in _rows(session, view, _MEETINGS)
    ]


_INTERVIEWS = text("""
SELECT v.opened_by_message_id AS message_id, v.kind, v.state, v.owed_by_unit_id, v.opened_at,
    v.settled_at
FROM interview v JOIN episode e ON e.id = v.episode_id
WHERE e.case_id = :case_id ORDER BY v.opened_at, v.kind
""")


def interviews(session: Session, view: CaseView) -> list[Record]:
    """Return the interviews that a return owes, each until it was recorded or excused."""
    return [
        Span(
            "return",
            _(
                "%(what)s, owed by %(unit)s",
                what=wording.CLOCKS["rhi" if row["kind"] == "rhi" else "prevention-interview"],
                unit=_name(view, row["owed_by_unit_id"]),
            ),
            row["opened_at"],
            row["settled_at"],
            row["number"],
        )
        for row in _rows(session, view, _INTERVIEWS)
    ]


def steps(_session: Session, view: CaseView) -> list[Record]:
    """Return the repeats and other steps up because something was overdue."""
    numbers = _numbers(view)
    found: list[Record] = []
    for step in view.matters.steps if view.full else []:
        police = view.names[step.owed_by].police if step.owed_by in view.names else True
        what = wording.CLOCKS.get(step.kind, step.kind)
        label = f"{what}: {wording.rung(step.rung, police=police)}"
        found.append(Point("step", label, step.at, numbers.get(step.message_id)))
    return found


def states(_session: Session, view: CaseView) -> list[Record]:
    """Return when the case opened and closed."""
    found: list[Record] = [Point("state", _("Case opened"), view.opened_at)] if view.full else []
    if view.closed_at is not None:
        found.append(Point("state", _("Case closed"), view.closed_at))
    return found


def messages(_session: Session, view: CaseView) -> list[Record]:
    """Return every message that the reader may see something of, whatever its type."""
    return [
        Point(
            "message",
            _("%(type)s, by %(unit)s", type=wording.type_name(one.type), unit=one.sender_unit.name),
            one.sent_at,
            one.number,
        )
        for one in view.messages
    ]


Room = Callable[[Session, CaseView], list[Record]]
ROOMS: tuple[Room, ...] = (
    episodes, leads, requests, reports, claims, disputes, questions, meetings, interviews, steps,
    states, messages,
)  # fmt: skip


def until(view: CaseView, now: datetime) -> datetime:
    """Return where the axis of a case ends: at its closing, or now."""
    return view.closed_at or now
