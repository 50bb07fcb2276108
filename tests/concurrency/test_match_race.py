"""Two forces record one child at once, and both ask and accept to join at once (DOMAIN.md 4.10)."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from sqlalchemy import text

from hub.clock import utcnow
from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import sending
from messaging.contracts import Command
from tests.worlds import ACCEPT, KENT, MET, REPORT

ROUNDS = 12
ASK = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE", "kind": "join-episodes"}
LATE = {
    "request-already-answered", "case-joined", "match-closed", "match-ended", "match-moved",
    "lead-request-open", "not-found", "not-lead", "wrong-unit", "not-permitted",
}  # fmt: skip
Act = Callable[[], str | None]


def at_once(pool: ThreadPoolExecutor, acts: Sequence[Act]) -> list[str | None]:
    together = threading.Barrier(len(acts))

    def run(act: Act) -> str | None:
        together.wait()
        return act()

    return list(pool.map(run, acts))


def test_of_two_recordings_at_once_and_two_joins_at_once_one_survives(
    app_url: str, vault: Vault, someone: Callable[..., Actor]
) -> None:
    met, kent = someone(MET), someone(KENT)
    database = Database(app_url, pool_size=8)

    def record(actor: Actor, child: dict[str, Any]) -> str:
        body = {**REPORT, "child": child}
        command = Command(type="missing-episode-report", status="exercise", body=body)
        with database.unit_of_work() as session:
            return sending.open_case(session, actor, vault, command, utcnow()).case_reference

    def send(actor: Actor, ref: str, kind: str, body: dict[str, Any]) -> str | None:
        command = Command(type=kind, body=body, callback_telephone="020 7946 0001")
        try:
            with database.unit_of_work() as session:
                sending.send(session, actor, vault, ref, command, utcnow())
        except HubError as late:
            assert late.code in LATE, (kind, late.code)
            return None
        return ref

    survivors = set()
    with ThreadPoolExecutor(8) as pool:
        for turn in range(ROUNDS):
            child = {"family_name": f"EXERCISE {turn}", "given_name": "EXERCISE",
                     "date_of_birth": "2012-03-27"}  # fmt: skip
            one, other = at_once(pool, [partial(record, met, child), partial(record, kent, child)])
            assert one is not None
            assert other is not None
            assert _matches(database, one) == 1, "the later finds the earlier"
            at_once(
                pool,
                [
                    partial(send, met, one, "lead-transfer-request", ASK),
                    partial(send, kent, other, "lead-transfer-request", ASK),
                ],
            )
            done = at_once(
                pool,
                [
                    *[partial(send, kent, one, "lead-transfer-accept", ACCEPT)] * 2,
                    *[partial(send, met, other, "lead-transfer-accept", ACCEPT)] * 2,
                    partial(send, kent, other, "not-same-child", {"reason": "EXERCISE"}),
                ],
            )[:4]
            assert len([ref for ref in done if ref]) == 1, "exactly one join takes effect"
            rows = _episodes(database, one, other)
            still = [row for row in rows if row.ended_at is None]
            assert [(row.leads, row.closed_at) for row in still] == [(1, None)]
            (ended,) = [row for row in rows if row.ended_at is not None]
            assert (ended.leads, ended.end_reason, ended.alias_of) == (
                0, "joined", still[0].reference,
            )  # fmt: skip
            survivors.add(still[0].reference == one)
    database.dispose()
    assert survivors == {True, False}, "the race was none: it always ended the same way"


def _matches(database: Database, reference: str) -> int:
    with database.unit_of_work() as session:
        return session.execute(
            text("""SELECT count(*) FROM match m JOIN cases c
                ON c.id IN (m.one_case_id, m.other_case_id) WHERE c.reference = :r"""),
            {"r": reference},
        ).scalar_one()


def _episodes(database: Database, *references: str) -> list[Any]:
    with database.unit_of_work() as session:
        return list(
            session.execute(
                text("""
                    SELECT c.reference, c.closed_at, e.ended_at, e.end_reason,
                        (SELECT s.reference FROM cases s WHERE s.id = c.joined_into_id) AS alias_of,
                        (SELECT count(*) FROM tenure t WHERE t.episode_id = e.id
                            AND t.until IS NULL) AS leads
                    FROM cases c JOIN episode e ON e.case_id = c.id
                    WHERE c.reference = ANY(:references)
                """),
                {"references": list(references)},
            )
        )
