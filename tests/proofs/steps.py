"""What one step may change, by the rules of DOMAIN.md 4: the state before it and after it.

A step is one command, sent or refused, or a while in which clocks are missed. As `rules`, it is
written from the rules and not from the code.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from tests.proofs.rules import Everything

TABLES: Mapping[str, LiteralString] = {
    "message": """SELECT id, case_id, number, type, in_reply_to, sent_at, sender_unit_id, sender_kind,
        sender_name, priority FROM message""",
    "episode": "SELECT * FROM episode",
    "lead_request": "SELECT * FROM lead_request",
    "clock": "SELECT * FROM clock",
    "report": "SELECT * FROM report",
    "tenure": "SELECT * FROM tenure",
}
"""What is read once a step; every row has an id."""

TEN_MINUTES = timedelta(minutes=10)


@dataclass(frozen=True)
class Moment:
    """All rows at a moment (aware UTC), by table and id."""

    now: datetime
    rows: Mapping[str, Mapping[UUID, Any]]

    def __getitem__(self, table: str) -> Mapping[UUID, Any]:
        return self.rows[table]

    def running(self, message: UUID, kind: str, debtor: UUID) -> list[Any]:
        """Return the clocks of a message that still run, of kinds that begin so, owed by a unit."""
        return [
            one
            for one in self["clock"].values()
            if one.message_id == message and one.kind.startswith(kind) and not one.met_at
            and not one.ended_at and one.owed_by_unit_id == debtor
        ]  # fmt: skip


def moment(all_: Everything, now: datetime) -> Moment:
    """Read everything once."""
    return Moment(
        now, {name: {row.id: row for row in all_.rows(query)} for name, query in TABLES.items()}
    )


def pairs(before: Moment, after: Moment, table: str) -> Iterator[tuple[Any, Any]]:
    """Return every row that was there and is, as it was and as it is."""
    for key, row in before[table].items():
        if key in after[table]:
            yield row, after[table][key]


def rule_4_raised_to_high(before: Moment, after: Moment) -> None:
    """Then the open request is urgent, and due when it was or in ten minutes, whichever is first.

    The clock of who has to be rung waits for the call, and is an urgent request's from then on.
    """
    raised = {
        new.id
        for old, new in pairs(before, after, "episode")
        if old.risk != "high" and new.risk == "high"
    }
    for old, new in pairs(before, after, "lead_request"):
        if old.episode_id not in raised or (old.state, new.state) != ("open", "open"):
            continue
        assert new.priority == "urgent"
        [was] = before.running(old.message_id, "lead-", old.to_unit_id)
        [now] = after.running(new.message_id, "lead-", new.to_unit_id)
        assert now.kind == "lead-urgent"
        if was.due_at is None:
            assert now.due_at is None, "who was not told has not begun to owe an answer"
        else:
            assert now.due_at == min(was.due_at, after.now + TEN_MINUTES)
            assert now.escalates_at is not None, "it goes on being missed, and told, when it is"
            assert now.escalates_at <= now.due_at or was.missed_at


def hold(before: Moment, after: Moment) -> None:
    """Hold every rule about one step."""
    rule_4_raised_to_high(before, after)
