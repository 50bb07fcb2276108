"""Rules 1 to 10 of DOMAIN.md 4, each as what must be true of the database, whatever happened.

They are written from the rules and not from the code, so that the two can disagree. Each takes a
connection of somebody who sees everything, and raises AssertionError.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row

from messaging.shown import CaseView

ENDS_A_LEAD = {
    "accepted": "lead-transfer-accept", "agreed-plan": "lead-transfer-accept",
    "direction": "direction-acknowledge",
}  # fmt: skip
MOVES = {"lead-transfer-accept", "direction-acknowledge", "admit-recording"}
"""The messages with which a lead may move, or an episode be led by who led another."""


class Everything:
    """All that a database holds now."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True, row_factory=namedtuple_row)

    def rows(self, query: LiteralString, **values: Any) -> list[Any]:
        return self.connection.execute(query, values or None).fetchall()

    def close(self) -> None:
        self.connection.close()


def leads(all_: Everything) -> dict[UUID, UUID]:
    """Return who leads each open episode."""
    return {
        row.episode_id: row.unit_id
        for row in all_.rows("SELECT episode_id, unit_id FROM tenure WHERE until IS NULL")
    }


def rule_1_one_lead(all_: Everything) -> None:
    """An open episode has exactly one lead at every moment, who came to it in one of four ways."""
    tenures: dict[UUID, list[Any]] = {}
    for row in all_.rows("""
        SELECT t.*, e.opened_at, e.ended_at, e.recording_unit_id, m.type, m.sender_unit_id,
            EXISTS (SELECT FROM lead_request q WHERE q.episode_id = e.id AND q.to_unit_id = t.unit_id
                AND q.state = 'accepted' AND q.basis = t.basis AND q.answer_message_id = m.id)
                AS accepted,
            EXISTS (SELECT FROM direction w WHERE w.episode_id = e.id AND w.to_unit_id = t.unit_id
                AND w.state = 'acknowledged' AND w.answer_message_id = m.id) AS directed
        FROM tenure t JOIN episode e ON e.id = t.episode_id JOIN message m ON m.id = t.message_id
        ORDER BY t.episode_id, t.number"""):  # fmt: skip
        tenures.setdefault(row.episode_id, []).append(row)
    assert set(tenures) == {row.id for row in all_.rows("SELECT id FROM episode")}
    for history in tenures.values():
        first, last = history[0], history[-1]
        assert first.since == first.opened_at, "it led from the second it was recorded"
        assert (first.basis, first.unit_id) == ("recorded", first.recording_unit_id)
        assert last.until == last.ended_at, "as long as the episode is open somebody leads"
        for before, after in pairwise(history):
            assert before.until == after.since, "never two, and never nobody"
            assert before.unit_id != after.unit_id or before.officer_name != after.officer_name
            assert after.basis in {*ENDS_A_LEAD, "superseded"}
            assert after.type == ENDS_A_LEAD.get(after.basis, after.type)
            assert after.accepted or after.directed or after.basis == "superseded"
        assert all(one.officer_name.strip() for one in history), "a named officer leads"


def rule_1_what_moves_it(
    before: Mapping[UUID, UUID], after: Mapping[UUID, UUID], sent: str | None
) -> None:
    """A decline, a silence, a withdrawal, a dispute or a look moves nothing."""
    moved = [
        episode for episode in before if after.get(episode, before[episode]) != before[episode]
    ]
    assert not moved or sent in MOVES, f"{sent} moved a lead"


def rule_2_a_report_is_no_episode(all_: Everything) -> None:
    """Nobody leads until police record; whoever the report is addressed to owes an outcome."""
    for row in all_.rows("""
        SELECT m.type, o.kind FROM episode e JOIN message m ON m.id = e.opened_by_message_id
        JOIN unit u ON u.id = e.recording_unit_id JOIN organisation o ON o.id = u.organisation_id"""):
        # A recording that the home unit admits goes on in its case, led by who recorded it (4.10).
        assert row.kind == "police"
        assert row.type in ("missing-episode-report", "admit-recording")
    for row in all_.rows("""
        SELECT r.state, r.episode_id, o.kind, EXISTS (SELECT FROM clock k
            WHERE k.case_id = r.case_id AND k.kind = 'report-outcome' AND k.met_at IS NULL
                AND k.ended_at IS NULL AND k.owed_by_unit_id = r.addressed_unit_id) AS owed,
            EXISTS (SELECT FROM episode e WHERE e.case_id = r.case_id AND e.ended_at IS NULL) AS open
        FROM report r JOIN cases c ON c.id = r.case_id AND c.closed_at IS NULL
        JOIN unit u ON u.id = r.addressed_unit_id JOIN organisation o ON o.id = u.organisation_id"""):
        assert row.kind == "police"
        assert (row.state == "recorded") == (row.episode_id is not None)
        if row.state == "awaiting-police":
            assert row.owed, "the addressed unit owes an outcome"
            assert not row.open


def rule_3_one_request(all_: Everything) -> None:
    """At most one request is open, and each that is not was answered once."""
    assert all_.rows("""SELECT episode_id FROM lead_request WHERE state = 'open'
        GROUP BY episode_id HAVING count(*) > 1""") == []  # fmt: skip
    assert all_.rows("""SELECT q.id FROM lead_request q JOIN message m ON m.in_reply_to = q.message_id
        WHERE m.type IN ('lead-transfer-accept', 'lead-transfer-decline', 'lead-transfer-withdraw')
        GROUP BY q.id HAVING count(*) > 1""") == []  # fmt: skip


def rule_4_duty_to_act(all_: Everything) -> None:
    """Of what is high risk the open request is urgent, and due within ten minutes of the raise."""
    for row in all_.rows("""
        SELECT q.priority, k.due_at, (SELECT max(m.sent_at) FROM message m
            WHERE m.case_id = e.case_id AND m.type IN ('update', 'missing-episode-report')) AS last,
            q.held_until, q.request_no
        FROM lead_request q JOIN episode e ON e.id = q.episode_id AND e.risk = 'high'
        LEFT JOIN clock k ON k.message_id = q.message_id AND k.owed_by_unit_id = q.to_unit_id
            AND k.kind LIKE 'lead-%' AND k.met_at IS NULL AND k.ended_at IS NULL
        WHERE q.state = 'open'"""):
        assert row.priority == "urgent"


def rule_5_four_facts(all_: Everything) -> None:
    """Nothing is delivered to who is not on the hub; who opened and acknowledged has a name."""
    assert all_.rows("""SELECT r.message_id FROM receipt r
        JOIN recipient x ON x.message_id = r.message_id AND x.unit_id = r.unit_id
        JOIN message m ON m.id = r.message_id
        WHERE r.kind = 'delivered' AND x.reach = 'not-on-hub' AND r.at = m.sent_at""") == []  # fmt: skip
    assert all_.rows("""SELECT message_id FROM receipt
        WHERE kind IN ('opened', 'acknowledged') AND who_name = ''""") == []  # fmt: skip
    # An answer clock of who is not on the hub waits for the call.
    assert all_.rows("""SELECT k.id FROM clock k
        JOIN recipient x ON x.message_id = k.message_id AND x.unit_id = k.owed_by_unit_id
        WHERE x.reach = 'not-on-hub' AND k.kind LIKE 'lead-%' AND k.started_at IS NOT NULL
            AND NOT EXISTS (SELECT FROM message t WHERE t.case_id = k.case_id
                AND t.type = 'telephone-record')""") == []  # fmt: skip


def rule_6_nothing_lost(all_: Everything, acknowledged: Mapping[UUID, str]) -> None:
    """What a sender was told is sent is there, once; each case counts its messages without a gap."""
    there = {row.id: row.type for row in all_.rows("SELECT id, type FROM message")}
    assert all(there.get(one) == kind for one, kind in acknowledged.items())
    assert all_.rows("""SELECT case_id FROM message GROUP BY case_id
        HAVING count(*) <> max(number) OR min(number) <> 1""") == []  # fmt: skip


def rule_7_immutable(all_: Everything, known: dict[UUID, bytes]) -> None:
    """No message is any different from what it was."""
    for (
        row
    ) in all_.rows("""SELECT m.*, (SELECT string_agg(p.audience || encode(p.ciphertext, 'hex'), ','
        ORDER BY p.audience) FROM message_part p WHERE p.message_id = m.id) AS parts
        FROM message m"""):
        mark = hashlib.sha256(repr(tuple(row)).encode()).digest()
        assert known.setdefault(row.id, mark) == mark


POLICE_ONLY = {"associates", "warnings", "live_lines", "live_line", "live_until", "police_only"}
"""Fields that 4.8 gives to police alone."""


def rule_8_is_for_them(view: CaseView, *, police: bool, statutory: bool, limited: bool) -> None:
    """Of what others sent, a reader is shown what is for them, fields and files too.

    `statutory` is a council's or an NHS body's unit; who sees the case in part is shown their own alone.
    """
    for message in view.messages:
        if message.mine:
            continue
        meant = {
            "police": police, "statutory": police or statutory, "all-parties": True,
            "units": bool(message.to_me),
        }  # fmt: skip
        assert meant[message.audience], message.type
        assert message.to_me or not limited, message.type
        assert police or not POLICE_ONLY & set(message.body), message.type
        assert all(meant[one.audience] for one in message.attachments), message.type


def rule_9_located_is_seen(all_: Everything) -> None:
    """An episode ends located by who led, or by a claim that they confirmed; then nothing is open."""
    for row in all_.rows("""
        SELECT e.id, m.type, m.sender_unit_id = t.unit_id AS by_lead,
            EXISTS (SELECT FROM located_claim l WHERE l.episode_id = e.id AND l.state = 'confirmed')
                AS confirmed,
            EXISTS (SELECT FROM lead_request q WHERE q.episode_id = e.id AND q.state = 'open')
                OR EXISTS (SELECT FROM located_claim l WHERE l.episode_id = e.id AND l.state = 'open')
                OR EXISTS (SELECT FROM dispute d WHERE d.episode_id = e.id AND d.state = 'open')
                OR EXISTS (SELECT FROM direction w WHERE w.episode_id = e.id AND w.state = 'open')
                AS open
        FROM episode e JOIN message m ON m.id = e.ended_by_message_id
        JOIN tenure t ON t.episode_id = e.id AND t.until = e.ended_at
            AND NOT EXISTS (SELECT FROM tenure l WHERE l.episode_id = e.id AND l.number > t.number)
        WHERE e.end_reason = 'located'"""):
        assert row.by_lead, "the lead says that it is so"
        assert row.type == "located" or (row.type == "located-confirm" and row.confirmed)
        assert not row.open
    # The missing clock of an open episode runs.
    for row in all_.rows("""
        SELECT k.met_at, k.ended_at, k.owed_by_unit_id, t.unit_id FROM episode e
        JOIN tenure t ON t.episode_id = e.id AND t.until IS NULL
        JOIN clock k ON k.message_id = e.opened_by_message_id AND k.kind = 'ukmpu'
        WHERE e.ended_at IS NULL"""):
        assert row.ended_at is None
        assert row.met_at or row.owed_by_unit_id == row.unit_id, "it is owed by who leads"


def rule_10_contested(all_: Everything, children: Mapping[str, str], ended: set[str]) -> None:
    """Two cases of one child are matched, joined, or told apart by both; a joined one is an alias.

    `children` are the children by reference; `ended` are references whose cases are closed.
    """
    matches = {
        frozenset((row.one, row.other)): row
        for row in all_.rows("""
            SELECT a.reference AS one, b.reference AS other, m.state,
                (SELECT count(*) FROM match_denial d WHERE d.match_id = m.id) AS denials
            FROM match m JOIN cases a ON a.id = m.one_case_id JOIN cases b ON b.id = m.other_case_id""")
    }
    into = {
        row.reference: row.other
        for row in all_.rows("""SELECT c.reference, o.reference AS other FROM cases c
            LEFT JOIN cases o ON o.id = c.joined_into_id""")
    }
    goes_on = [ref for ref in children if into[ref] is None and ref not in ended]
    for one in goes_on:
        for other in goes_on:
            if one < other and children[one] == children[other]:
                assert frozenset((one, other)) in matches, (
                    "two cases of a child, and nobody is told"
                )
    for pair, row in matches.items():
        assert children[row.one] == children[row.other]
        assert row.state != "not-same" or row.denials == 2, "one side alone leaves it contested"
        assert row.state != "joined" or any(into[one] for one in pair)
    for row in all_.rows("""
        SELECT e.end_reason, c.joined_into_id, s.case_id FROM episode e JOIN cases c ON c.id = e.case_id
        LEFT JOIN episode s ON s.id = e.joined_into_id WHERE e.end_reason = 'joined'"""):
        assert row.case_id is not None
        assert row.joined_into_id is not None


def rule_10_nothing_of_the_other(all_: Everything, ref: str, shown: Sequence[UUID]) -> None:
    """Of a case that may be the same child's, no message is shown until they are joined."""
    family = {
        row.id
        for row in all_.rows("""
            WITH RECURSIVE one AS (
                SELECT id, joined_into_id FROM cases WHERE reference = %(ref)s
                UNION SELECT c.id, c.joined_into_id FROM one JOIN cases c
                    ON c.joined_into_id = one.id OR c.id = one.joined_into_id)
            SELECT m.id FROM message m JOIN one ON one.id = m.case_id""", ref=ref)
    }  # fmt: skip
    assert set(shown) <= family


def clocks_are_owed(all_: Everything, now: datetime) -> None:
    """Every clock is owed by somebody who is there, and none runs in a case that is closed (6).

    An adjudicator is no party, and rings a unit off the hub that their direction names.
    """
    for row in all_.rows("""
        SELECT k.kind, k.owed_by_unit_id, k.started_at, k.due_at, k.escalates_at, k.missed_at,
            c.closed_at, c.joined_into_id, EXISTS (SELECT FROM party p WHERE p.case_id = k.case_id
                AND p.unit_id = k.owed_by_unit_id)
                OR k.kind LIKE 'to-ring%' AND m.sender_unit_id = k.owed_by_unit_id AS party
        FROM clock k JOIN cases c ON c.id = k.case_id JOIN message m ON m.id = k.message_id
        WHERE k.met_at IS NULL AND k.ended_at IS NULL"""):
        if row.closed_at is not None and row.joined_into_id is None:
            assert row.kind.startswith("opened"), row.kind  # that it was closed is to be read too
        assert row.party or row.owed_by_unit_id is None, row.kind
        assert row.missed_at is None or row.started_at <= row.missed_at <= now, row.kind
        assert row.due_at is None or row.due_at >= row.started_at
