"""Nothing acknowledged is lost and nothing takes effect twice, whatever dies (DOMAIN.md 4.6).

Real processes, a real SMTP server: while 200 messages are under way, worker, web, scheduler and
Redis are killed twenty times and Redis is emptied; the client repeats what got no answer, with
the same Idempotency-Key, as a partner would.
"""

import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from hub.embedded import addresses

sys.path.insert(0, str(Path(__file__).parent))
from running import Running, hub

pytestmark = pytest.mark.xdist_group("kills")

CASES, UPDATES = 25, 7  # 25 × (report + 7 updates) = 200 messages
KILLS = 20
MARKS = (["hub.cli web"], ["dramatiq"], ["hub.cli scheduler"], ["redis-server"], ["granian"])


@pytest.fixture
def running(prepared: Callable[..., Running]) -> Iterator[Running]:
    running = prepared(demo=True)
    running.start()
    yield running
    running.kill()


class Partner:
    """A partner system that repeats each request until it is answered."""

    def __init__(self, running: Running, unit: str, scope: str) -> None:
        self.url = running.url
        organisation = unit.partition("/")[0]
        added = hub(
            "client", "add", "EXERCISE partner", "--organisation", organisation, "--unit", unit,
            "--scope", scope, data_dir=running.data_dir,
        )  # fmt: skip
        assert added.returncode == 0, added.stderr
        self.credentials = json.loads(added.stdout)
        self.token = ""
        self.repeats = 0
        self.lock = threading.Lock()

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        key = uuid4().hex
        ends = time.monotonic() + 120
        while time.monotonic() < ends:
            try:
                if not self.token:
                    self._sign_in()
                headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
                reply = httpx.request(
                    method, self.url + path, json=body, headers=headers, timeout=10
                )
            except httpx.HTTPError:
                reply = None
            if reply is not None and reply.status_code < 500 and reply.status_code != 429:
                return reply
            with self.lock:
                self.repeats += 1
            time.sleep(0.2)
        raise AssertionError(f"no answer to {method} {path} in two minutes")

    def _sign_in(self) -> None:
        reply = httpx.post(
            f"{self.url}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(self.credentials["client_id"], self.credentials["client_secret"]),
            timeout=10,
        )
        if reply.status_code == 200:
            self.token = reply.json()["access_token"]


def _report() -> dict[str, Any]:
    return {
        "type": "missing-episode-report",
        "status": "exercise",
        "to": ["kent/east"],
        "body": {
            "child": {"given_name": "EXERCISE child", "age": 14},
            "last_seen_at": "2026-11-24T01:00:00Z",
            "last_seen_place": "EXERCISE Road",
            "risk": "medium",
            "why": "EXERCISE",
            "callback_telephone": "020 7946 0001",
        },
    }


def _conversation(partner: Partner) -> tuple[str, list[str]]:
    opened = partner.ask("POST", "/api/v1/cases", _report())
    assert opened.status_code == 201, opened.text
    reference = opened.json()["case_reference"]
    ids = [opened.json()["message_id"]]
    for number in range(UPDATES):
        sent = partner.ask(
            "POST",
            f"/api/v1/cases/{reference}/messages",
            {"type": "update", "body": {"heading": "other", "text": f"EXERCISE {number}"}},
        )
        assert sent.status_code == 201, sent.text
        ids.append(sent.json()["message_id"])
    return reference, ids


def _kill_at_random(running: Running, stop: threading.Event, killed: Counter[str]) -> None:
    chance = random.Random(20261124)
    while not stop.is_set() and sum(killed.values()) < KILLS:
        marks = chance.choice(MARKS)
        victims = running.pids(*marks)
        if victims:
            try:
                os.kill(chance.choice(victims), signal.SIGKILL)
                killed[marks[0]] += 1
            except ProcessLookupError:
                continue
        if chance.random() < 0.3:
            _flush(running)
        stop.wait(chance.uniform(0.3, 0.9))


def _flush(running: Running) -> None:
    import redis

    try:
        with redis.Redis.from_url(addresses(running.data_dir).redis_url) as client:
            client.flushall()
    except redis.exceptions.RedisError:
        return


def test_twenty_kills_lose_nothing_and_double_nothing(running: Running) -> None:
    partner = Partner(running, "metropolitan/central-north", "cases:read cases:write")
    stop, killed = threading.Event(), Counter[str]()
    killer = threading.Thread(target=_kill_at_random, args=(running, stop, killed))
    killer.start()
    with ThreadPoolExecutor(8) as pool:
        conversations = list(pool.map(lambda _: _conversation(partner), range(CASES)))
    killer.join(60)
    stop.set()
    killer.join()
    assert sum(killed.values()) == KILLS
    running.ready()

    expected = {message for _, ids in conversations for message in ids}
    assert len(expected) == CASES * (UPDATES + 1)
    references = [reference for reference, _ in conversations]
    owner = addresses(running.data_dir).superuser_url.replace("/postgres?", "/hub?")
    with psycopg.connect(owner) as connection:
        stored = connection.execute(
            "SELECT m.id::text, m.number FROM message m JOIN cases c ON c.id = m.case_id"
            " WHERE c.reference = ANY(%s)",
            (references,),
        ).fetchall()
        assert Counter(row[0] for row in stored) == Counter(expected)
        inboxes = connection.execute(
            "SELECT r.message_id::text, count(*), count(d.kind) FROM recipient r"
            " JOIN unit u ON u.id = r.unit_id AND u.code = 'kent/east'"
            " LEFT JOIN receipt d ON d.message_id = r.message_id AND d.unit_id = r.unit_id"
            " AND d.kind = 'delivered' WHERE r.message_id::text = ANY(%s) GROUP BY 1",
            (list(expected),),
        ).fetchall()
        assert {row[0] for row in inboxes} == expected
        assert all(row[1:] == (1, 1) for row in inboxes)
        leads = connection.execute(
            "SELECT count(*) FILTER (WHERE t.until IS NULL), count(*) FROM tenure t"
            " JOIN episode e ON e.id = t.episode_id JOIN cases c ON c.id = e.case_id"
            " WHERE c.reference = ANY(%s)",
            (references,),
        ).fetchone()
        assert leads == (CASES, CASES)
        _wait_for_jobs(connection)
    _every_nudge_came(running, expected)
    verified = hub("audit", "verify", data_dir=running.data_dir)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def _wait_for_jobs(connection: psycopg.Connection[Any]) -> None:
    ends = time.monotonic() + 90
    while True:
        connection.rollback()
        left = connection.execute(
            "SELECT count(*) FROM outbox_job WHERE finished_at IS NULL"
        ).fetchone()
        if left == (0,):
            return
        assert time.monotonic() < ends, f"{left} jobs were not done in 90 seconds"
        time.sleep(0.5)


def _every_nudge_came(running: Running, expected: set[str]) -> None:
    """At least one mail a message; a second copy bears the same Message-ID; no content in any."""
    seen: Counter[str] = Counter()
    for file in (running.data_dir / "mail").glob("*.eml"):
        mail = message_from_bytes(file.read_bytes())
        seen[mail["Message-ID"].strip("<>").partition(".")[0]] += 1
        assert b"EXERCISE child" not in file.read_bytes()
    assert expected <= set(seen)
