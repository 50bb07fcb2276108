"""A case as it stands under its lock: its parties, its report, and its open episode."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from hub.clock import LONDON
from hub.db import fetch
from hub.errors import HubError, not_found
from hub.identity.actor import Actor
from messaging import lead as rules

ADJUDICATOR = "adjudicator"
"""The part of whoever decides a dispute; never on record as a party's."""


@dataclass(frozen=True)
class PartyUnit:
    """A party with what is needed to decide what it may see."""

    unit_id: UUID
    name: str
    part: str
    full: bool
    police: bool
    organisation_id: UUID


@dataclass(frozen=True)
class OpenReport:
    """The report that police have not settled."""

    id: UUID
    message_id: UUID
    reporter: UUID
    addressed: UUID
    state: str


@dataclass(frozen=True)
class OpenEpisode:
    """The open episode, with its present tenure, and what is open in it.

    `sides` are the units that have led in it, or that its lead was ever offered to; `before` are those
    that led before the lead, the last first.
    """

    id: UUID
    number: int
    risk: str
    tenure_id: UUID
    tenure_number: int
    lead: UUID
    officer: str
    since: datetime
    request_id: UUID | None
    request_message: UUID | None
    request_to: UUID | None
    request_priority: str | None
    request_no: int = 1
    held_until: datetime | None = None
    sides: frozenset[UUID] = frozenset()
    before: tuple[UUID, ...] = ()
    dispute_id: UUID | None = None
    dispute_message: UUID | None = None
    dispute_by: UUID | None = None
    dispute_other: UUID | None = None
    direction_id: UUID | None = None
    direction_message: UUID | None = None
    direction_to: UUID | None = None
    request_basis: str = "accepted"

    def as_rules(self, claims: Iterable[rules.Claim] = ()) -> rules.Episode:
        """Return the episode as the pure rules know it."""
        request = None
        if self.request_message is not None:
            request = rules.Request(
                self.request_message, self.request_to, self.request_priority == "urgent",
                self.request_no, self.held_until is not None,
                "agreed-plan" if self.request_basis == "agreed-plan" else "accepted",
            )  # fmt: skip
        tenure = rules.Tenure(self.lead, self.officer, self.since, None, "recorded")
        dispute = direction = None
        if self.dispute_message is not None:
            dispute = rules.Dispute(self.dispute_message, self.dispute_by, self.dispute_other)
        if self.direction_message is not None:
            direction = rules.Direction(self.direction_message, self.direction_to)
        return rules.Episode(
            (tenure,), request, tuple(claims), dispute=dispute, direction=direction
        )


@dataclass
class CaseState:
    """The case. `at` is the moment of what is done now: never before what was done last.

    `heirs` are, by party that is no more, the parties that took its place.
    """

    id: UUID
    reference: str
    status: str
    opened_at: datetime
    closed_at: datetime | None
    opener: UUID
    home: UUID | None
    number: int
    at: datetime
    parties: dict[UUID, PartyUnit] = field(default_factory=dict)
    report: OpenReport | None = None
    episode: OpenEpisode | None = None
    last_lead: UUID | None = None
    asked: frozenset[UUID] = frozenset()
    to_adjudicate: bool = False
    heirs: dict[UUID, UUID] = field(default_factory=dict)

    def mine(self, actor: Actor) -> list[UUID]:
        """Return the parties that the actor acts for, their own unit first, what is no more last."""
        found = [unit for unit in self.parties if unit in actor.unit_ids]
        return sorted(
            found, key=lambda unit: (unit in self.heirs, unit != actor.unit_id, str(unit))
        )

    def takes_part(self, unit: UUID) -> bool:
        """Say whether a party has a part in the case, beyond one message that it was sent (4.8)."""
        return self.parties[unit].full or "reporter" in self.relations(unit)

    def standing(self, unit: UUID) -> UUID:
        """Return the party that stands in the place of one that is no more, or the party itself."""
        return self.heirs.get(unit, unit)

    def ringers(self, debtor: UUID, led: Iterable[UUID]) -> list[UUID]:
        """Return who may have to ring a debtor that leads, or has led, and is not on the hub (4.5).

        They are those that `led` before it, the last first, else the home unit, else whoever opened
        the case; the first of them that is on the hub itself does.
        """
        found = [*map(self.standing, led), self.home, self.opener]
        return [unit for unit in dict.fromkeys(found) if unit not in (None, self.standing(debtor))]

    def relations(self, unit: UUID) -> frozenset[str]:
        """Return what a party is to the case, in the words of the permission map."""
        party = self.parties[unit]
        if party.part == ADJUDICATOR:
            return frozenset({ADJUDICATOR})
        found = {"party" if party.full else "recipient"}
        told_police = self.opener == unit and not party.police
        if party.part == "reporter" or told_police:
            found.add("reporter")
        if self.report and self.report.addressed == unit:
            found.add("addressed")
        if self.opener == unit:
            found.add("opener")
        if self.home == unit:
            found.add("home")
        if self.last_lead == unit and self.episode is None:
            found.add("last-lead")
        if self.episode:
            if self.episode.lead == unit:
                found.add("lead")
                if self.episode.request_id:
                    found.add("requester")
            if self.episode.request_to == unit:
                found.add("offered")
            if unit in self.episode.sides:
                found.add("side")
            if self.episode.dispute_by == unit:
                found.add("disputer")
            if self.episode.direction_to == unit:
                found.add("directed")
        if unit in self.asked:
            found.add("asked")
        return frozenset(found)


_LOCK = text("""
UPDATE cases SET last_message_no = last_message_no + 1, last_at = greatest(last_at, :now)
WHERE reference = :reference
RETURNING id, reference, status, opened_at, closed_at, opener_unit_id, home_unit_id,
    last_message_no, last_at
""")
_READ = text("""
SELECT id, reference, status, opened_at, closed_at, opener_unit_id, home_unit_id,
    last_message_no, greatest(last_at, :now) AS last_at
FROM cases WHERE reference = :reference
""")
_STEADY = text(f"{_READ.text} FOR SHARE")
_RESET = text("""
SELECT r.at, o.name FROM exercise_reset_case x JOIN exercise_reset r ON r.id = x.reset_id
JOIN organisation o ON o.id = r.organisation_id
WHERE x.reference = :reference AND EXISTS (SELECT FROM party p
    WHERE p.case_id = x.case_id AND p.unit_id = ANY(:units))
""")
_PARTIES = text("""
SELECT p.unit_id, u.name, p.part, p.sees = 'full' AS is_full, o.kind = 'police' AS police,
    u.organisation_id, u.valid_to, u.superseded_by_id
FROM party p JOIN unit u ON u.id = p.unit_id JOIN organisation o ON o.id = u.organisation_id
WHERE p.case_id = :case_id ORDER BY p.since, p.unit_id
""")
_NOW = text("""
SELECT r.id AS report_id, r.message_id AS report_message, r.reporter_unit_id,
    r.addressed_unit_id, r.state AS report_state,
    e.id AS episode_id, e.number, e.risk, t.id AS tenure_id, t.number AS tenure_number,
    t.unit_id AS lead_id, t.officer_name, t.since,
    q.id AS request_id, q.message_id AS request_message, q.to_unit_id, q.priority,
    q.request_no, q.held_until, q.basis,
    d.id AS dispute_id, d.message_id AS dispute_message, d.by_unit_id, d.other_unit_id,
    w.id AS direction_id, w.message_id AS direction_message, w.to_unit_id AS direction_to,
    ARRAY(SELECT o.to_unit_id FROM lead_request o WHERE o.episode_id = e.id
        UNION SELECT l.unit_id FROM tenure l WHERE l.episode_id = e.id) AS sides,
    ARRAY(SELECT b.unit_id FROM tenure b WHERE b.episode_id = e.id AND b.number < t.number
        ORDER BY b.number DESC) AS before,
    ARRAY(SELECT DISTINCT i.to_unit_id FROM information_request i
        WHERE i.case_id = c.id AND i.state = 'open') AS asked,
    e.ended_at IS NULL AND (d.id IS NOT NULL OR w.id IS NOT NULL OR EXISTS (
        SELECT FROM escalation x JOIN clock k ON k.id = x.clock_id
        WHERE x.case_id = c.id AND x.rung = 'adjudicator' AND k.met_at IS NULL
            AND k.ended_at IS NULL)) AS to_adjudicate,
    CASE WHEN e.id IS NULL THEN (
        SELECT lt.unit_id FROM tenure lt JOIN episode le ON le.id = lt.episode_id
        WHERE le.case_id = c.id ORDER BY le.number DESC, lt.number DESC LIMIT 1) END AS last_lead
FROM cases c
LEFT JOIN report r ON r.case_id = c.id
    AND r.state IN ('awaiting-police', 'recorded-by-telephone', 'not-accepted')
LEFT JOIN episode e ON e.case_id = c.id AND e.ended_at IS NULL
LEFT JOIN tenure t ON t.episode_id = e.id AND t.until IS NULL
LEFT JOIN lead_request q ON q.episode_id = e.id AND q.state = 'open'
LEFT JOIN dispute d ON d.episode_id = e.id AND d.state = 'open'
LEFT JOIN direction w ON w.episode_id = e.id AND w.state = 'open'
WHERE c.id = :case_id
""")


def load(
    session: Session, actor: Actor, reference: str, now: datetime, *, lock: bool,
    steady: bool = False,
) -> CaseState:  # fmt: skip
    """Return the case; with `lock`, hold it until the commit and take its next message number.

    `steady`, it stays as it is while it is read, so that several queries show one moment.

    Raises:
        HubError: the same `not-found` to whoever is no party, or signed in for another status; 404
            `exercise-reset` to those who took part in an exercise that was reset.
    """
    row = fetch(
        session,
        _LOCK if lock else _STEADY if steady else _READ,
        {"reference": reference, "now": now},
    ).one_or_none()
    if row is None:
        _refuse_reset(session, actor, reference)
    if row is None or actor.status not in (None, row.status):
        raise not_found()
    state = _state(session, row, now)
    _admit_adjudicator(state, actor)
    if not state.mine(actor):
        raise not_found()
    return state


def _refuse_reset(session: Session, actor: Actor, reference: str) -> None:
    """Tell whoever took part in an exercise that was reset why its case is gone."""
    if actor.status not in (None, "exercise"):
        return
    row = session.execute(
        _RESET, {"reference": reference, "units": list(actor.unit_ids)}
    ).one_or_none()
    if row is not None:
        local = row.at.astimezone(LONDON)
        raise HubError(
            "exercise-reset",
            404,
            f"{row.name} reset this exercise on {local:%-d %B %Y, %H:%M} {local.tzname()}:"
            " nothing is expected of anybody in it any more.",
        )


def load_other(session: Session, reference: str, now: datetime) -> CaseState:
    """Return a case as it stands for what is done in another that it is or was one child's with.

    Whoever acts there need be no party here: nothing of it is shown to them.
    """
    return _state(session, fetch(session, _READ, {"reference": reference, "now": now}).one(), now)


def _state(session: Session, row: Row[Any], now: datetime) -> CaseState:
    state = CaseState(
        row.id, row.reference, row.status, row.opened_at, row.closed_at, row.opener_unit_id,
        row.home_unit_id, row.last_message_no, row.last_at,
    )  # fmt: skip
    ended: dict[UUID, UUID] = {}
    for p in fetch(session, _PARTIES, {"case_id": state.id}):
        state.parties[p.unit_id] = PartyUnit(
            p.unit_id, p.name, p.part, p.is_full, p.police, p.organisation_id
        )
        if p.valid_to and p.superseded_by_id and p.valid_to <= now.astimezone(LONDON).date():
            ended[p.unit_id] = p.superseded_by_id
    for unit, successor in ended.items():
        while successor in ended:
            successor = ended[successor]
        if successor in state.parties:
            state.heirs[unit] = successor
    state.opener = state.standing(state.opener)
    refresh(session, state)
    return state


def _admit_adjudicator(state: CaseState, actor: Actor) -> None:
    """Let an adjudicator of neither side see a case from dispute or escalation until it is decided.

    They are no party: what they are shown ends with what they are to decide (DOMAIN.md 2). Whoever
    sees the whole case may be a side, and their organisation decides nothing; a unit that was sent
    one message, such as the adjudicator's own, is none.
    """
    if ADJUDICATOR not in actor.roles or not state.to_adjudicate:
        return
    if actor.unit_id is None or actor.organisation_id is None:
        return
    if actor.organisation_id in {p.organisation_id for p in state.parties.values() if p.full}:
        return
    state.parties[actor.unit_id] = PartyUnit(
        actor.unit_id, actor.unit_name, ADJUDICATOR, True, True, actor.organisation_id
    )


def refresh(session: Session, state: CaseState) -> None:
    """Read report and episode again."""
    now = fetch(session, _NOW, {"case_id": state.id}).one()
    state.report = state.episode = None
    state.last_lead = now.last_lead and state.standing(now.last_lead)
    state.asked, state.to_adjudicate = frozenset(now.asked), bool(now.to_adjudicate)
    if now.report_id:
        state.report = OpenReport(
            now.report_id, now.report_message, state.standing(now.reporter_unit_id),
            now.addressed_unit_id, now.report_state,
        )  # fmt: skip
    if now.episode_id:
        state.episode = OpenEpisode(
            now.episode_id, now.number, now.risk, now.tenure_id, now.tenure_number, now.lead_id,
            now.officer_name, now.since, now.request_id, now.request_message, now.to_unit_id,
            now.priority, now.request_no or 1, now.held_until,
            frozenset(state.standing(unit) for unit in now.sides),
            tuple(dict.fromkeys(state.standing(unit) for unit in now.before)),
            now.dispute_id, now.dispute_message, now.by_unit_id, now.other_unit_id,
            now.direction_id, now.direction_message, now.direction_to, now.basis or "accepted",
        )  # fmt: skip
