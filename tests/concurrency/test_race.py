"""Of any number of concurrent answers exactly one takes effect (DOMAIN.md 4.3).

Sixteen accepts against sixteen declines of one request, each on a connection of its own, a
hundred times over: one effect, and 31 replies of 409 that name the winner.
"""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

from hub.clock import utcnow
from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import sending
from messaging.contracts import Command

ROUNDS = 100
EACH = 16
REPORT = {
    "child": {"given_name": "EXERCISE child", "age": 14},
    "last_seen_at": "2026-11-24T01:00:00Z",
    "last_seen_place": "EXERCISE Road",
    "risk": "medium",
    "why": "EXERCISE",
    "callback_telephone": "020 7946 0001",
}
OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}
ANSWERS = {
    "lead-transfer-accept": {"named_officer": "EXERCISE Sergeant"},
    "lead-transfer-decline": {"reason": "insufficient-information"},
}


def test_one_answer_takes_effect_and_the_others_are_told_which(
    app_url: str, vault: Vault, someone: Callable[..., Actor]
) -> None:
    met, kent = someone("metropolitan/central-north"), someone("kent/east")
    database = Database(app_url, pool_size=2 * EACH)
    accepted = declined = 0
    with ThreadPoolExecutor(2 * EACH) as pool:
        for _ in range(ROUNDS):
            reference, request = _offered(database, vault, met)
            together = threading.Barrier(2 * EACH)

            def answer(
                kind: str, reference: str = reference, request: str = request,
                together: threading.Barrier = together,
            ) -> tuple[str, HubError | None]:  # fmt: skip
                command = Command.model_validate(
                    {"type": kind, "in_reply_to": request, "body": ANSWERS[kind]}
                )
                together.wait()
                try:
                    with database.unit_of_work() as session:
                        sending.send(session, kent, vault, reference, command, utcnow())
                except HubError as late:
                    return kind, late
                return kind, None

            kinds = list(ANSWERS) * EACH
            random.shuffle(kinds)
            outcomes = list(pool.map(answer, kinds))
            winners = [kind for kind, error in outcomes if error is None]
            losers = [error for _, error in outcomes if error is not None]
            assert len(winners) == 1
            assert len(losers) == 2 * EACH - 1
            for error in losers:
                assert error.status == 409
                assert error.code == "request-already-answered"
                assert error.extra["winner"]["type"] == winners[0]
                assert error.extra["winner"]["name"] == kent.name
            accepted += winners[0] == "lead-transfer-accept"
            declined += winners[0] == "lead-transfer-decline"
            _check(database, reference, winners[0])
    database.dispose()
    assert accepted + declined == ROUNDS


def _offered(database: Database, vault: Vault, met: Actor) -> tuple[str, str]:
    """Return a case with an open offer of the lead to Kent, and the request's id."""
    with database.unit_of_work() as session:
        report = Command.model_validate(
            {"type": "missing-episode-report", "status": "exercise", "body": REPORT}
        )
        case = sending.open_case(session, met, vault, report, utcnow())
        offer = Command.model_validate(
            {
                "type": "lead-transfer-request",
                "to": ["kent/east"],
                "body": OFFER,
                "callback_telephone": "020 7946 0001",
            }
        )
        sent = sending.send(session, met, vault, case.case_reference, offer, utcnow())
    return case.case_reference, str(sent.message_id)


def _check(database: Database, reference: str, winner: str) -> None:
    with database.unit_of_work() as session:
        counts = session.execute(
            text("""
                SELECT (SELECT count(*) FROM message m WHERE m.case_id = c.id) AS messages,
                    (SELECT count(*) FROM tenure t JOIN episode e ON e.id = t.episode_id
                        WHERE e.case_id = c.id) AS tenures,
                    (SELECT count(*) FROM tenure t JOIN episode e ON e.id = t.episode_id
                        WHERE e.case_id = c.id AND t.until IS NULL) AS leads
                FROM cases c WHERE c.reference = :reference
            """),
            {"reference": reference},
        ).one()
    assert counts.messages == 3
    assert counts.leads == 1
    assert counts.tenures == (2 if winner == "lead-transfer-accept" else 1)
