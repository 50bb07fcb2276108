"""A whole hub whose PostgreSQL hangs or is killed: look-ups go on at once, and it recovers alone."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from directory.holder import POLL_SECONDS

sys.path.insert(0, str(Path(__file__).parent))
from running import Running, free_port, hub

pytestmark = pytest.mark.xdist_group("lifecycle")

LOOKUP = "/api/v1/directory/lookup?postcode=CT1+2RB"
PROMPT = 6.0
"""Seconds in which anything is answered: the first who asks a process waits two for the database."""
EMAIL, PASSWORD = "ann@kent.example.org", "three words of it"


@pytest.fixture
def running(prepared: Callable[..., Running]) -> Iterator[Running]:
    running = prepared()
    running.start()
    yield running
    if running.process is not None:
        for pid in running.pids("postgres"):
            os.kill(pid, signal.SIGCONT)
        running.kill()


def signed_in(running: Running) -> httpx.Client:
    added = hub(
        "user", "add", EMAIL, "--organisation", "kent", "--role", "officer", "--password-stdin",
        data_dir=running.data_dir, text=PASSWORD + "\n",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    client = httpx.Client(base_url=running.url, timeout=20)
    mark = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").text)
    assert mark is not None
    given = {"csrf_token": mark[1], "email": EMAIL, "password": PASSWORD}
    assert client.post("/sign-in", data=given).status_code == 303
    assert client.get("/").status_code == 200
    return client


def token(running: Running) -> dict[str, str]:
    added = hub(
        "client", "add", "t", "--organisation", "kent", "--scope", "directory:read cases:write",
        data_dir=running.data_dir,
    )  # fmt: skip
    given = json.loads(added.stdout)
    reply = httpx.post(
        f"{running.url}/oauth/token", data={"grant_type": "client_credentials"},
        auth=(given["client_id"], given["client_secret"]), timeout=20,
    )  # fmt: skip
    time.sleep(3 * POLL_SECONDS)  # each web process learns of it within a second, by itself
    return {"Authorization": f"Bearer {reply.json()['access_token']}"}


def prompt(ask: Callable[[], httpx.Response]) -> httpx.Response:
    began = time.monotonic()
    reply = ask()
    assert time.monotonic() - began < PROMPT
    return reply


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.05)


def stale(client: httpx.Client, partner: dict[str, str]) -> bool:
    reply = client.get(LOOKUP, headers=partner)
    assert reply.status_code == 200, reply.text
    return bool(reply.json()["stale"])


def test_look_ups_go_on_while_postgresql_hangs_and_after_a_start_without_it(
    running: Running,
) -> None:
    client, partner = signed_in(running), token(running)
    postgres = running.pids("postgres")
    for pid in postgres:
        os.kill(pid, signal.SIGSTOP)
    until(lambda: stale(client, partner))
    for _ in range(5):
        assert prompt(lambda: client.get(LOOKUP)).status_code == 200
        assert prompt(lambda: client.get(LOOKUP, headers=partner)).status_code == 200
        page = prompt(lambda: client.get("/?q=Canterbury"))
        assert "This is the directory of" in page.text
        assert "Directory pass" in page.text
        written = prompt(
            lambda: client.post(
                "/api/v1/cases", json={}, headers={**partner, "Idempotency-Key": "one"}
            )
        )
        assert written.status_code == 503
        assert written.headers["Retry-After"]
        assert "cannot reach its database" in written.json()["detail"]
        assert prompt(lambda: client.get("/inbox")).status_code == 503
    for pid in postgres:
        os.kill(pid, signal.SIGCONT)
    until(lambda: not stale(client, partner))
    assert client.get("/inbox").status_code == 200
    assert running.stop() == 0

    port = free_port()
    alone = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    web = subprocess.Popen(
        [sys.executable, "-m", "hub.cli", "web", "--port", str(port), "--workers", "1",
         "--data-dir", str(running.data_dir)],
        env=environment | {"HUB_PUBLIC_URL": running.url}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert web.stderr is not None
        assert "kept on disk, is served" in web.stderr.readline() + web.stderr.readline()

        def answers() -> bool:
            try:
                return alone.get("/healthz/live").status_code == 200
            except httpx.HTTPError:
                return False

        until(answers)
        assert stale(alone, partner)
        assert alone.get(LOOKUP, headers=partner).status_code == 200
        running.start()
        until(lambda: not stale(alone, partner))
        assert alone.get("/healthz/ready").status_code == 200
    finally:
        client.close()
        alone.close()
        web.terminate()
        web.communicate()
    assert running.stop() == 0


def test_look_ups_go_on_while_postgresql_will_not_start(running: Running) -> None:
    client, partner = httpx.Client(base_url=running.url, timeout=20), token(running)
    assert not stale(client, partner)
    version = running.data_dir / "postgres" / "PG_VERSION"
    aside = version.rename(version.with_name("PG_VERSION.aside"))
    os.kill(running.pids("bin/postgres")[0], signal.SIGKILL)
    until(lambda: any("look-ups go on answering" in line for line in running.lines))
    until(lambda: stale(client, partner))
    assert prompt(lambda: client.get(LOOKUP)).status_code == 200
    aside.rename(version)
    until(lambda: not stale(client, partner))
    client.close()
    assert running.stop() == 0
