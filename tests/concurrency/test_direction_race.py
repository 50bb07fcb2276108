"""A direction races with answers, acknowledgements and the end of the episode (DOMAIN.md 4.1c, 4.3).

Each act is on a connection of its own. Whatever comes first, there is one lead at every moment, each
act takes effect once, and whoever comes too late is refused without anything having moved.
"""

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from sqlalchemy import text

from hub.clock import utcnow
from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import sending
from messaging.contracts import Command
from tests.worlds import MET, RECENTLY, REPORT

ROUNDS = 25
OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}
OFFICER = {"named_officer": "EXERCISE Sergeant"}
SEEN = {"located_at": RECENTLY, "seen_by": "EXERCISE", "place": "EXERCISE",
        "how": "police"}  # fmt: skip
TOLD = {**OFFICER, "told_by_telephone": "EXERCISE Inspector"}
Attempt = tuple[Actor, str, dict[str, Any]]
LATE = {
    "request-already-answered", "dispute-ended", "direction-ended", "episode-ended", "not-found",
    "not-permitted", "wrong-unit", "dispute-open", "lead-directed", "claim-already-answered",
}  # fmt: skip


class Race:
    """One hub, and many hands at once."""

    def __init__(self, database: Database, vault: Vault, pool: ThreadPoolExecutor) -> None:
        self.database, self.vault, self.pool = database, vault, pool

    def send(self, actor: Actor, ref: str, kind: str, body: dict[str, Any], **more: Any) -> None:
        command = Command.model_validate({"type": kind, "body": body, **more})
        with self.database.unit_of_work() as session:
            sending.send(session, actor, self.vault, ref, command, utcnow())

    def run(self, ref: str, attempts: Sequence[Attempt]) -> list[str]:
        """Make all attempts at once; return the types of those that took effect."""
        together = threading.Barrier(len(attempts))

        def make(attempt: Attempt) -> str | None:
            actor, kind, body = attempt
            together.wait()
            try:
                self.send(actor, ref, kind, body)
            except HubError as late:
                assert late.code in LATE, (kind, late.code)
                return None
            return kind

        return [kind for kind in self.pool.map(make, attempts) if kind]

    def history(self, ref: str) -> list[Any]:
        with self.database.unit_of_work() as session:
            return list(
                session.execute(
                    text("""
                        SELECT t.basis, t.since, t.until, u.code, e.ended_at,
                            (SELECT count(*) FROM direction d WHERE d.episode_id = e.id
                                AND d.state = 'acknowledged') AS acknowledged,
                            (SELECT count(*) FROM direction d WHERE d.episode_id = e.id
                                AND d.state = 'open') AS waiting,
                            (SELECT count(*) FROM lead_request q WHERE q.episode_id = e.id
                                AND q.state = 'accepted') AS accepted
                        FROM tenure t JOIN episode e ON e.id = t.episode_id
                        JOIN cases c ON c.id = e.case_id JOIN unit u ON u.id = t.unit_id
                        WHERE c.reference = :reference ORDER BY t.number
                    """),
                    {"reference": ref},
                )
            )


def _one_lead(rows: Sequence[Any]) -> None:
    last = rows[-1]
    assert [row.until for row in rows if row.until is None] == ([] if last.ended_at else [None])
    assert all(before.until == after.since for before, after in pairwise(rows))
    bases = [row.basis for row in rows]
    assert bases.count("direction") == last.acknowledged
    assert bases.count("accepted") == last.accepted
    assert last.waiting == 0 or last.ended_at is None


def test_directions_answers_and_acknowledgements_at_once_leave_one_lead(
    app_url: str, vault: Vault, someone: Callable[..., Actor]
) -> None:
    met, kent, essex = someone(MET), someone("kent/east"), someone("essex")
    adjudicator = someone("npcc/missing-persons", "adjudicator")
    database = Database(app_url, pool_size=16)
    moved = set()
    with ThreadPoolExecutor(16) as pool:
        race = Race(database, vault, pool)
        for _ in range(ROUNDS):
            with database.unit_of_work() as session:
                report = Command(type="missing-episode-report", status="exercise", body=REPORT)
                ref = sending.open_case(session, met, vault, report, utcnow()).case_reference
            race.send(met, ref, "lead-transfer-request", OFFER, to=["kent/east"],
                      callback_telephone="020 7946 0001")  # fmt: skip
            race.send(met, ref, "dispute", {"grounds": "EXERCISE"})
            direct = {"lead": "essex", "reasons": "EXERCISE"}
            attempts: list[Attempt] = [
                *[(adjudicator, "direction", direct)] * 3,
                *[(kent, "lead-transfer-accept", OFFICER)] * 3,
                *[(kent, "lead-transfer-decline", {"reason": "wrong-area"})] * 2,
                *[(met, "dispute-withdraw", {"reason": "EXERCISE"})] * 2,
            ]
            random.shuffle(attempts)
            done = race.run(ref, attempts)
            rows = race.history(ref)
            _one_lead(rows)
            answers = [k for k in done if k in ("lead-transfer-accept", "lead-transfer-decline")]
            assert len(answers) <= 1
            assert done.count("dispute-withdraw") <= 1
            assert rows[-1].waiting == ("direction" in done)
            if "direction" not in done:
                race.send(kent if rows[-1].code == "kent/east" else met, ref, "located", SEEN)
                _one_lead(race.history(ref))
                continue
            leads = kent if rows[-1].code == "kent/east" else met
            attempts = [
                *[(essex, "direction-acknowledge", OFFICER)] * 4,
                *[(adjudicator, "direction-acknowledge", TOLD)] * 3,
                *[(adjudicator, "direction", {"lead": "surrey", "reasons": "EXERCISE"})] * 2,
                (leads, "located", SEEN),
            ]
            random.shuffle(attempts)
            done = race.run(ref, attempts)
            rows = race.history(ref)
            _one_lead(rows)
            moved.add((rows[-1].code, rows[-1].ended_at is not None))
            told = done.count("direction-acknowledge")
            assert told <= 2, "each direction is acknowledged once: Essex's, then Surrey's"
            assert rows[-1].acknowledged == told
    database.dispose()
    assert len(moved) > 1, "the race was none: it always ended the same way"
