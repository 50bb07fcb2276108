"""The meetings of a case for its reader: who comes, who is missing; and how often chairs stay empty.

Names of those who come, times and states; place, purpose and decisions are in the messages alone.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.errors import not_found
from hub.identity import policy
from hub.identity.actor import Actor
from messaging import meetings, references
from messaging.actions import Action, open_actions
from messaging.state import load

FIGURES_OF = timedelta(days=90)


@dataclass(frozen=True)
class Said:
    """What stands of one person, and by the record whether they came."""

    person: str
    attendance: str | None
    at: datetime | None
    attended: bool | None = None


@dataclass
class Chair:
    """A unit that is asked, in its role, with what it said and since when it owes a reply."""

    unit_id: UUID
    code: str
    unit: str
    role: str
    said: list[Said] = field(default_factory=list)
    due_at: datetime | None = None
    told: bool = True

    @property
    def as_rules(self) -> meetings.Asked:
        """Return the chair as the pure rules know it."""
        replies = [
            meetings.Reply(one.person, one.attendance, one.at)
            for one in self.said
            if one.attendance and one.at
        ]
        return meetings.Asked(self.unit_id, self.role, replies)

    @property
    def standing(self) -> meetings.Standing:
        """Return what the unit's replies come to."""
        return self.as_rules.standing


@dataclass
class MeetingView:
    """A meeting with its chairs; `empty` are the police roles for which nobody is named."""

    id: UUID
    state: str
    convenor_id: UUID
    convenor: str
    starts_at: datetime
    ends_at: datetime
    sequence: int
    message_id: UUID
    message_number: int
    record_number: int | None
    record_due_at: datetime | None
    chairs: list[Chair] = field(default_factory=list)

    @property
    def empty(self) -> list[str]:
        """Return the police chairs that are empty."""
        return meetings.empty_chairs([chair.as_rules for chair in self.chairs])

    @property
    def missing(self) -> list[Chair]:
        """Return who has not replied."""
        return [chair for chair in self.chairs if chair.standing == "waiting"]


_MEETINGS = text("""
SELECT g.id, g.state, g.convenor_unit_id, u.name, g.starts_at, g.ends_at, g.sequence, i.message_id,
    m.number, r.number AS record_number, (SELECT k.due_at FROM clock k
        WHERE k.message_id = i.message_id AND k.kind = 'meeting-record' AND k.met_at IS NULL
            AND k.ended_at IS NULL) AS record_due_at
FROM meeting g JOIN unit u ON u.id = g.convenor_unit_id
JOIN meeting_invitation i ON i.meeting_id = g.id AND i.sequence = g.sequence
JOIN message m ON m.id = i.message_id
LEFT JOIN message r ON r.id = g.record_message_id
WHERE g.case_id = :case AND (:full OR EXISTS (SELECT FROM meeting_attendee a
    WHERE a.meeting_id = g.id AND a.unit_id = ANY(:units) AND a.dropped_at IS NULL))
ORDER BY g.starts_at DESC, g.id
""")
_CHAIRS = text("""
SELECT a.meeting_id, a.unit_id, u.code, u.name, a.role, k.due_at,
    k.id IS NULL OR k.started_at IS NOT NULL AS told
FROM meeting_attendee a JOIN unit u ON u.id = a.unit_id
JOIN meeting g ON g.id = a.meeting_id
LEFT JOIN clock k ON k.owed_by_unit_id = a.unit_id AND k.met_at IS NULL AND k.ended_at IS NULL
    AND k.kind IN ('meeting-reply', 'meeting-reply-urgent') AND k.message_id IN (
        SELECT i.message_id FROM meeting_invitation i WHERE i.meeting_id = g.id)
WHERE a.meeting_id = ANY(:meetings) AND a.dropped_at IS NULL
    AND (:full OR a.unit_id = ANY(:units))
ORDER BY a.asked_at, u.code
""")
_SAID = text("""
SELECT coalesce(r.meeting_id, w.meeting_id) AS meeting_id, coalesce(r.unit_id, w.unit_id) AS unit_id,
    coalesce(r.person_name, w.person_name) AS person, r.attendance, r.replied_at, w.attended
FROM (SELECT * FROM meeting_reply WHERE superseded_at IS NULL AND meeting_id = ANY(:meetings)) r
FULL JOIN (SELECT * FROM meeting_attendance WHERE meeting_id = ANY(:meetings)) w
    ON w.meeting_id = r.meeting_id AND w.unit_id = r.unit_id
    AND lower(w.person_name) = lower(r.person_name)
ORDER BY r.replied_at, person
""")


def of_case(
    session: Session, case_id: UUID, units: Collection[UUID], *, full: bool
) -> list[MeetingView]:
    """Return the meetings, the latest first.

    A reader of part of a case sees its own chair alone, and no meeting that it is no longer asked to.
    """
    values = {"case": case_id, "units": list(units), "full": full}
    found = {row.id: MeetingView(*row) for row in session.execute(_MEETINGS, values)}
    if not found:
        return []
    values["meetings"] = list(found)
    chairs: dict[tuple[UUID, UUID], Chair] = {}
    for row in session.execute(_CHAIRS, values):
        chair = Chair(row.unit_id, row.code, row.name, row.role, due_at=row.due_at, told=row.told)
        chairs[row.meeting_id, row.unit_id] = chair
        found[row.meeting_id].chairs.append(chair)
    for row in session.execute(_SAID, values):
        of = chairs.get((row.meeting_id, row.unit_id))
        if of is not None:
            of.said.append(Said(row.person, row.attendance, row.replied_at, row.attended))
    return list(found.values())


def one(
    session: Session, actor: Actor, reference: str, meeting_id: UUID, now: datetime
) -> MeetingView:
    """Return a meeting of a case of theirs.

    Raises:
        HubError: `not-found` to strangers, and to who was not asked to it.
    """
    for view in all_of(session, actor, reference, now):
        if view.id == meeting_id:
            return view
    raise not_found()


def all_of(session: Session, actor: Actor, reference: str, now: datetime) -> list[MeetingView]:
    """Return the meetings of a case of theirs.

    Raises:
        HubError: `not-found` to strangers.
    """
    return with_actions(session, actor, reference, now)[0]


def with_actions(
    session: Session, actor: Actor, reference: str, now: datetime
) -> tuple[list[MeetingView], list[Action]]:
    """Return the meetings and open actions of a case of theirs; of part of a case, their own.

    Raises:
        HubError: `not-found` to strangers.
    """
    case = load(session, actor, references.clean(reference), now, lock=False)
    mine = case.mine(actor)
    full = any(case.parties[unit].full for unit in mine)
    if not any(policy.allows(actor, "case.read", *case.relations(unit)) for unit in mine):
        raise not_found()
    found = of_case(session, case.id, actor.unit_ids, full=full)
    open_ = open_actions(session, case.id)
    police = any(case.parties[unit].police for unit in mine)
    return found, [
        one for one in open_ if (full or one.owner in actor.unit_ids) and (police or not one.line)
    ]


@dataclass(frozen=True)
class Figure:
    """How often a unit was asked in 90 days, refused, or left its chair empty; no content."""

    unit_id: UUID
    unit: str
    organisation: str
    asked: int
    refused: int
    empty: int


# Of actual cases alone: an exercise is never counted (issue 4.9).
_FIGURES = text("""
WITH chair AS (
    SELECT a.unit_id,
        EXISTS (SELECT FROM meeting_attendance w WHERE w.meeting_id = g.id
            AND w.unit_id = a.unit_id AND w.attended) AS came,
        g.state = 'recorded' AS recorded,
        bool_or(r.attendance IN ('attending', 'deputy')) AS named,
        bool_or(r.attendance = 'report-only') AS reported,
        count(r.id) > 0 AS replied
    FROM meeting g JOIN cases c ON c.id = g.case_id AND c.status = 'actual'
    JOIN meeting_attendee a ON a.meeting_id = g.id AND a.dropped_at IS NULL
        AND a.unit_id <> g.convenor_unit_id
    LEFT JOIN meeting_reply r ON r.meeting_id = g.id AND r.unit_id = a.unit_id
        AND r.superseded_at IS NULL
    WHERE g.state <> 'cancelled' AND g.starts_at <= :now AND g.starts_at > :since
    GROUP BY g.id, a.unit_id
), counted AS (
    SELECT unit_id, replied AND NOT coalesce(named, false) AND NOT coalesce(reported, false)
            AND NOT came AS refused,
        CASE WHEN recorded THEN NOT came ELSE NOT coalesce(named, false) END AS empty
    FROM chair
)
SELECT u.id, u.name, o.name AS organisation, count(*) AS asked,
    count(*) FILTER (WHERE x.refused) AS refused,
    count(*) FILTER (WHERE x.empty AND NOT x.refused) AS empty
FROM counted x JOIN unit u ON u.id = x.unit_id JOIN organisation o ON o.id = u.organisation_id
WHERE (CAST(:units AS uuid[]) IS NULL OR u.id = ANY(CAST(:units AS uuid[])))
    AND (CAST(:organisation AS uuid) IS NULL OR o.id = :organisation)
GROUP BY u.id, u.name, o.name
ORDER BY count(*) FILTER (WHERE x.empty OR x.refused) DESC, o.name, u.name, u.id
LIMIT 500
""")


def figures(
    session: Session,
    now: datetime,
    *,
    units: Collection[UUID] | None = None,
    organisation: UUID | None = None,
) -> list[Figure]:
    """Return the figures of the last 90 days, the most refused or empty first."""
    rows = session.execute(
        _FIGURES,
        {
            "now": now, "since": now - FIGURES_OF, "organisation": organisation,
            "units": list(units) if units is not None else None,
        },
    )  # fmt: skip
    return [Figure(*row) for row in rows]


def figures_for(session: Session, actor: Actor, now: datetime) -> list[Figure]:
    """Return the figures that somebody may see: adjudicators all, supervisors their organisation's.

    Whoever signs in for exercises is shown none: they are of actual cases.

    Raises:
        HubError: 401 or 403 by the map.
    """
    policy.require(actor, "meeting.figures")
    if actor.status not in (None, "actual"):
        return []
    own = None if "adjudicator" in actor.roles else actor.organisation_id
    return figures(session, now, organisation=own)
