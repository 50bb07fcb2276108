"""Who is on at a unit now: its doors in the order of DOMAIN.md 5, each open or when it opens next.

A door is a purpose at a unit: its telephone says when it is open, its mailbox and mobile are where
a nudge goes. Workers ask this, so it reads the database and not a process's snapshot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from directory.hours import Hours, opens_at
from directory.ladder import VOICE
from directory.model import MAILBOX_CHANNELS
from hub.clock import LONDON
from hub.db import fetch

TEAMS = ("missing-children-team", "childrens-social-care")
"""Purposes of the door that a unit's messages come to first."""

_CONTACTS = text("""
WITH RECURSIVE up AS (
    SELECT id, parent_id, organisation_id, 0 AS height FROM unit WHERE id = CAST(:unit AS uuid)
    UNION ALL
    SELECT u.id, u.parent_id, u.organisation_id, up.height + 1 FROM up JOIN unit u ON u.id = up.parent_id
), near AS (
    SELECT id, height FROM up
    UNION
    SELECT u.id, up.height FROM up JOIN unit u ON u.parent_id = up.id
        AND u.kind IN ('missing-children-team', 'control-room')
    UNION
    SELECT u.id, 1 FROM up JOIN organisation o ON o.id = up.organisation_id
        AND o.kind = 'local-authority' AND up.height = 0
    JOIN unit u ON u.organisation_id = o.id AND u.id NOT IN (SELECT id FROM up)
)
SELECT c.unit_id, u.name AS unit_name, near.height, c.purpose, c.channel, c.value, c.hours,
    c.bank_holiday_rule, c.exceptions, o.country
FROM near JOIN unit u ON u.id = near.id JOIN organisation o ON o.id = u.organisation_id
JOIN contact_point c ON c.unit_id = near.id
WHERE c.status = :status AND c.closed_at IS NULL AND c.verification <> 'suggested'
    AND c.valid_from <= :today AND (c.valid_to IS NULL OR c.valid_to > :today)
    AND (u.valid_to IS NULL OR u.valid_to > :today)
    AND c.purpose IN ('missing-children-team', 'coordinator', 'duty-inspector', 'control-room',
        'childrens-social-care', 'edt')
ORDER BY
    array_position(ARRAY['missing-children-team', 'childrens-social-care', 'coordinator',
        'duty-inspector', 'control-room', 'edt'], c.purpose),
    CASE WHEN c.purpose = 'coordinator' THEN -near.height ELSE near.height END,
    c.unit_id, c.priority, c.id
""")


@dataclass(frozen=True)
class Door:
    """One purpose at a unit. `own` is the addressed unit's team itself; `opens_at` None: unknown."""

    purpose: str
    unit_id: UUID
    unit_name: str
    own: bool
    open: bool
    opens_at: datetime | None
    mailbox: str | None
    mobile: str | None


@dataclass(frozen=True)
class Plan:
    """Whom a nudge goes to: the unit's own doors always, and while they are closed whoever is on."""

    own: tuple[Door, ...]
    instead: Door | None
    closed: bool
    opens_at: datetime | None


def plan(doors: Sequence[Door]) -> Plan:
    """Return whom to nudge, of doors in the order of the ladder; pure.

    A unit whose hours nobody knows counts as open: nobody else is woken on a guess.
    """
    own = tuple(door for door in doors if door.own)
    closed = bool(own) and not any(door.open for door in own)
    return Plan(
        own,
        next((door for door in doors if not door.own and reachable(door)), None)
        if closed
        else None,
        closed,
        min((door.opens_at for door in own if door.opens_at), default=None) if closed else None,
    )


def step_up(doors: Sequence[Door], purpose: str) -> Door | None:
    """Return the door of a step up: its purpose's if that is on, or the next above; pure."""
    purposes = ("duty-inspector", "control-room", "edt")
    wanted = purposes[purposes.index(purpose) :] if purpose in purposes else (purpose,)
    for one in wanted:
        for door in doors:
            if door.purpose == one and not door.own and reachable(door):
                return door
    return None


def reachable(door: Door) -> bool:
    """Say whether somebody is behind a door now, and can be written to."""
    return door.open and (door.mailbox is not None or door.mobile is not None)


def doors(session: Session, unit_id: UUID, status: str, now: datetime) -> list[Door]:
    """Return the doors of a unit and of those above it, as they stand now.

    An exercise writes to contacts of the exercise alone, and actual cases to actual ones (4.14).
    """
    rows = fetch(
        session,
        _CONTACTS,
        {
            "unit": unit_id,
            "status": "exercise" if status == "exercise" else "actual",
            "today": now.astimezone(LONDON).date(),
        },
    ).all()
    found = []
    for _, group in groupby(rows, key=lambda row: (row.purpose, row.unit_id)):
        found.append(_door(list(group), now))
    nearest = [door for door in found if door.own]
    if nearest:  # the unit and the team right below it are one door
        return found
    # A unit without a team's contact of its own is answered for by its force's.
    teams = [door for door in found if door.purpose in TEAMS]
    return [replace(door, own=door is teams[0]) if teams else door for door in found]


def _door(rows: Sequence[Any], now: datetime) -> Door:
    first = rows[0]
    opens = {
        (row.channel, row.value): opens_at(
            Hours(row.hours, row.bank_holiday_rule, row.exceptions), now, row.country or "England"
        )
        for row in rows
    }
    voices = [row for row in rows if row.channel in VOICE] or list(rows)
    moments = [at for row in voices if (at := opens[row.channel, row.value]) is not None]
    at = min(moments, default=None)

    def address(*channels: str) -> str | None:
        return next((str(row.value) for row in rows if row.channel in channels), None)

    return Door(
        first.purpose, first.unit_id, first.unit_name,
        first.purpose in TEAMS and first.height == 0, at is not None and at <= now,
        None if at is None or at <= now else at, address(*MAILBOX_CHANNELS), address("mobile"),
    )  # fmt: skip
