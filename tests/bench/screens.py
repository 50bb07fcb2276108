"""Five hundred idle screens: what their questions cost the web processes, in cores."""

import hashlib
import os
import secrets
import selectors
import socket
import time
from pathlib import Path

import psycopg

from messaging.live import POLL_SECONDS

SCREENS = 500
SECONDS = 30.0


def cpu_seconds(pids: list[int]) -> float:
    """Return what processes have used so far, in user and system time."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def sign_in(owner_url: str, number: int) -> list[str]:
    """Return tokens of so many sessions of the people of the exercise."""
    tokens = [secrets.token_urlsafe(32) for _ in range(number)]
    with psycopg.connect(owner_url) as connection:
        people = connection.execute(
            "SELECT m.person_id, m.unit_id FROM membership m"
            " WHERE m.role IN ('officer', 'supervisor', 'practitioner') ORDER BY m.person_id"
        ).fetchall()
        for n, token in enumerate(tokens):
            person, unit = people[n % len(people)]
            connection.execute(
                "INSERT INTO web_session (id, token_hash, person_id, unit_id, created_at,"
                " last_seen_at, expires_at) VALUES (gen_random_uuid(), %s, %s, %s, now(), now(),"
                " now() + interval '12 hours')",
                (hashlib.sha256(token.encode()).digest(), person, unit),
            )
    return tokens


class Screen:
    """One keep-alive connection that asks as a page does."""

    def __init__(self, address: tuple[str, int], token: str, due: float) -> None:
        self.socket = socket.create_connection(address)
        self.token, self.due, self.mark, self.waits = token, due, "", False
        self.buffer, self.asked = b"", 0.0

    def ask(self) -> None:
        mark = f"If-None-Match: {self.mark}\r\n" if self.mark else ""
        self.socket.sendall(
            f"GET /live HTTP/1.1\r\nHost: bench\r\nX-Hub-Automatic: 1\r\n{mark}"
            f"Cookie: hub_session={self.token}\r\n\r\n".encode()
        )
        self.waits = True

    def answer(self) -> int | None:
        """Read what has come, and return the status once the reply is whole."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection of a screen")
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return None
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b": ")
            if name.lower() == b"etag":
                self.mark = value.decode()
            if name.lower() == b"content-length":
                length = int(value)
        status = int(head[9:12])
        if status != 304 and len(body) < length:
            return None
        self.buffer, self.waits = b"", False
        return status


def idle(
    address: tuple[str, int], tokens: list[str], pids: list[int], *, seconds: float = SECONDS
) -> tuple[float, dict[int, int], float]:
    """Let screens ask for so long; return cores used, statuses, and the slowest reply in ms.

    Counted after a first round, in which each is let in.
    """
    began = time.monotonic()
    selector = selectors.DefaultSelector()
    screens = []
    for n, token in enumerate(tokens):
        screen = Screen(address, token, began + POLL_SECONDS * n / len(tokens))
        selector.register(screen.socket, selectors.EVENT_READ, screen)
        screens.append(screen)
    statuses: dict[int, int] = {}
    slowest, counted_from, used = 0.0, began + 2 * POLL_SECONDS, None
    while (now := time.monotonic()) < counted_from + seconds:
        if used is None and now >= counted_from:
            used, statuses, slowest = cpu_seconds(pids), {}, 0.0
        for screen in screens:
            if not screen.waits and screen.due <= now:
                screen.due = max(screen.due + POLL_SECONDS, now)
                screen.asked = now
                screen.ask()
        for key, _ in selector.select(timeout=0.005):
            status = key.data.answer()
            if status is not None:
                statuses[status] = statuses.get(status, 0) + 1
                slowest = max(slowest, (time.monotonic() - key.data.asked) * 1000)
    cores = (cpu_seconds(pids) - (used or 0.0)) / seconds
    for screen in screens:
        screen.socket.close()
    return cores, statuses, slowest
