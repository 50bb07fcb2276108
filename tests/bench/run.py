"""`make bench`: lookups and messages against bare yardsticks, and search, in one run on this machine.

Each pair is measured in turn, A B A B …, and the median of the ratios is what counts; the absolute
figures beside it say only how fast this machine was. The load itself runs on the same machine.
"""

import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import httpx

from directory.postcodes import Postcodes
from hub.embedded import addresses
from messaging.live import POLL_SECONDS

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "faults")]
from board import CASES, measure  # noqa: E402
from load import Load, drive, get, post  # noqa: E402
from running import Running, free_port, hub  # noqa: E402
from screens import SCREENS, idle, sign_in  # noqa: E402
from search import searches, stored  # noqa: E402
from transactions import rate  # noqa: E402

CONNECTIONS = 16
SECONDS = 4.0
ROUNDS = 3
WORKERS = min(4, os.cpu_count() or 1)
THREADS = 16

DISTRICTS = ("SW1A 1AA", "CT1 2RB", "CF10 1EP", "M1 1AE", "LS1 4DY", "EX1 1HS", "N1 9GU", "B1 1BB")


def say(line: str = "") -> None:
    print(line, flush=True)  # a bench prints


@contextmanager
def bare() -> Iterator[tuple[str, int]]:
    """Serve the bare route under the hub's own server, with as many processes and threads."""
    port = free_port()
    server = subprocess.Popen(
        [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--no-ws",
            "--workers", str(WORKERS), "--blocking-threads", str(THREADS), "--no-access-log",
            "--log-level", "warning", "--port", str(port), "bare:create_app",
        ],
        cwd=HERE,
    )  # fmt: skip
    try:
        ends = time.monotonic() + 30
        while time.monotonic() < ends:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield "127.0.0.1", port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def token(running: Running, unit: str, scope: str) -> str:
    """Return an access token of a new client of a unit."""
    added = hub(
        "client", "add", "bench", "--organisation", unit.partition("/")[0], "--unit", unit,
        "--scope", scope, data_dir=running.data_dir,
    )  # fmt: skip
    if added.returncode != 0:
        raise SystemExit(added.stderr)
    client = json.loads(added.stdout)
    reply = httpx.post(
        f"{running.url}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(client["client_id"], client["client_secret"]),
    )
    return str(reply.raise_for_status().json()["access_token"])


def in_turn(
    one: Callable[[], float], other: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """Run both alternately, and return their figures."""
    ones, others = [], []
    for _ in range(ROUNDS):
        ones.append(one())
        others.append(other())
    return ones, others


def expect(load: Load, status: int) -> Load:
    """Refuse a run in which anything was answered otherwise."""
    if set(load.statuses) != {status}:
        raise SystemExit(f"unexpected replies: {load.statuses}")
    return load


def lookups(running: Running) -> None:
    """A lookup by postcode over the API, signed in, against the bare route."""
    bearer = token(running, "kent", "directory:read")
    requests = [
        get(f"/api/v1/directory/lookup?postcode={name.replace(' ', '%20')}", bearer)
        for name in DISTRICTS
    ]
    hub_at = ("127.0.0.1", running.port)
    slowest: list[float] = []

    def one() -> float:
        load = drive(
            hub_at, lambda n: requests[n % len(requests)], connections=CONNECTIONS, seconds=SECONDS
        )
        slowest.append(expect(load, 200).p99_ms)
        return load.rate

    with bare() as bare_at:
        plain = get("/")
        for at, request in ((hub_at, requests[0]), (bare_at, plain)):
            drive(at, lambda _, r=request: r, connections=CONNECTIONS, seconds=1)  # type: ignore[misc]
        ones, others = in_turn(
            one,
            lambda: (
                expect(
                    drive(bare_at, lambda _: plain, connections=CONNECTIONS, seconds=SECONDS), 200
                ).rate
            ),
        )
    report(
        "Directory lookup by postcode, signed in", ones, others, "bare Flask route", 0.6,
        f"p99 {statistics.median(slowest):.1f} ms with {CONNECTIONS} connections (wanted: under 15)",
        "the interpreter: checking the token's cache, Flask's routing, and building the JSON",
    )  # fmt: skip


def messages(running: Running) -> None:
    """An update between two partner systems accepted, against raw four-statement transactions."""
    token(running, "kent/west", "cases:read")
    bearer = token(running, "metropolitan/central-north", "cases:read cases:write")
    report_ = {
        "type": "missing-episode-report", "status": "exercise", "to": ["kent/west"],
        "body": {
            "child": {"given_name": "EXERCISE", "age": 14}, "risk": "medium", "why": "EXERCISE",
            "last_seen_at": "2026-11-24T01:00:00Z", "last_seen_place": "EXERCISE",
            "callback_telephone": "020 7946 0001",
        },
    }  # fmt: skip
    cases = []
    for _ in range(64):
        opened = httpx.post(
            f"{running.url}/api/v1/cases", json=report_,
            headers={"Authorization": f"Bearer {bearer}", "Idempotency-Key": uuid4().hex},
        )  # fmt: skip
        cases.append(opened.raise_for_status().json()["case_reference"])
    body = json.dumps(
        {"type": "update", "body": {"heading": "sighting", "text": "EXERCISE " * 20}}
    ).encode()
    numbers = count()
    run = random.randbytes(8).hex()

    def request(_: int) -> bytes:
        n = next(numbers)
        path = f"/api/v1/cases/{cases[n % len(cases)]}/messages"
        return post(path, bearer, f"{run}-{n}", body)

    owner = addresses(running.data_dir).database_owner_url
    at = ("127.0.0.1", running.port)
    slowest: list[float] = []

    def one() -> float:
        load = expect(drive(at, request, connections=CONNECTIONS, seconds=SECONDS), 201)
        slowest.append(load.p99_ms)
        return load.rate

    drive(at, request, connections=CONNECTIONS, seconds=1)
    ones, others = in_turn(
        one,
        lambda: rate(owner, processes=WORKERS, connections=CONNECTIONS, seconds=SECONDS),
    )
    report(
        "Message accepted: authenticated, validated, encrypted, audited, durable", ones, others,
        "raw transactions of four statements", 0.35,
        f"p99 {statistics.median(slowest):.1f} ms with {CONNECTIONS} connections",
        "the interpreter again: about a dozen statements a message, each a round trip and a call"
        " through SQLAlchemy. A recipient with staff costs a mail besides, which the worker sends",
    )  # fmt: skip


def screens(running: Running) -> None:
    """What five hundred idle screens cost the web processes."""
    tokens = sign_in(addresses(running.data_dir).database_owner_url, SCREENS)
    web, postgres = running.pids("web"), running.pids("postgres")
    at = ("127.0.0.1", running.port)
    cores, statuses, slowest = idle(at, tokens, web)
    more, _, _ = idle(at, tokens, postgres, seconds=10)
    say(f"{SCREENS} idle screens")
    say(
        f"  {cores:.3f} of a core in the web processes (wanted: under 0.1); {more:.3f} in PostgreSQL"
    )
    say(f"  replies by status: {statuses}; the slowest took {slowest:.0f} ms")
    asked = SCREENS / POLL_SECONDS
    say(f"  {cores / asked * 1000:.2f} ms of CPU a question, {asked:.0f} questions a second")
    say()


def boards(running: Running) -> None:
    """What a board of five thousand open cases costs; it fills the database with them."""
    at = addresses(running.data_dir)
    superuser = urlsplit(at.superuser_url)._replace(path=urlsplit(at.database_url).path)
    first, late, mark = measure(at.database_url, urlunsplit(superuser))
    say(f"A board of {CASES} open cases, in CPU of server and PostgreSQL")
    say(
        f"  first page {first:.0f} ms, a late page {late:.0f} ms (wanted: under 50); mark {mark:.0f} ms"
    )
    say()


def report(
    name: str,
    ones: list[float],
    others: list[float],
    other: str,
    wanted: float,
    more: str,
    why: str,
) -> None:
    """Print one measurement."""
    ratios = [a / b for a, b in zip(ones, others, strict=True)]
    say(f"{name}")
    say(
        f"  ratio {statistics.median(ratios):.2f} (of {min(ratios):.2f} to {max(ratios):.2f}; wanted: {wanted})"
    )
    say(
        f"  {statistics.median(ones):,.0f} a second; {other}: {statistics.median(others):,.0f} a second"
    )
    say(f"  {more}")
    say(f"  limited by {why}")
    say()


def main() -> None:
    """Measure all of them on a hub of its own."""
    say(
        f"{WORKERS} web processes of {THREADS} threads, {CONNECTIONS} connections, {SECONDS:.0f} s a run,"
    )
    say(f"{ROUNDS} runs of each in turn; {os.cpu_count()} cores shared by servers and load.")
    say()
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        running = Running(Path(folder), demo=True)
        running.start()
        try:
            lookups(running)
            messages(running)
            screens(running)
            directory = stored(addresses(running.data_dir).database_url)
            boards(running)
        finally:
            running.stop()
        searches(directory, Postcodes.open(running.data_dir))


if __name__ == "__main__":
    main()
