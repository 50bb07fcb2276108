"""A small closed-loop HTTP load: so many keep-alive connections, each with one request at a time."""

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What a run of load saw. Times in milliseconds, `rate` in replies a second."""

    rate: float
    median_ms: float
    p99_ms: float
    statuses: dict[int, int]


class _Connection:
    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.buffer = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def reply(self) -> int | None:
        """Read what has come; return the status once the whole reply is here."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed a connection in the middle of a run")
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return None
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return int(head[9:12]) if len(body) >= length else None


def drive(
    address: tuple[str, int],
    request: Callable[[int], bytes],
    *,
    connections: int,
    seconds: float,
) -> Load:
    """Send `request(n)` for n = 0, 1, 2 … for so many seconds, and say how it went."""
    selector = selectors.DefaultSelector()
    number = 0
    for _ in range(connections):
        connection = _Connection(address)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(request(number))
        number += 1
    took: list[float] = []
    statuses: dict[int, int] = {}
    started = time.perf_counter()
    ends = started + seconds
    waiting = connections
    while waiting:
        for key, _ in selector.select(timeout=30):
            connection = key.data
            status = connection.reply()
            if status is None:
                continue
            now = time.perf_counter()
            took.append(now - connection.sent_at)
            statuses[status] = statuses.get(status, 0) + 1
            if now < ends:
                connection.send(request(number))
                number += 1
            else:
                waiting -= 1
                selector.unregister(connection.socket)
                connection.socket.close()
    elapsed = time.perf_counter() - started
    took.sort()
    return Load(
        rate=len(took) / elapsed,
        median_ms=took[len(took) // 2] * 1000,
        p99_ms=took[int(len(took) * 0.99)] * 1000,
        statuses=statuses,
    )


def get(path: str, token: str | None = None) -> bytes:
    """Return the bytes of a GET."""
    authorisation = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n{authorisation}\r\n".encode()


def post(path: str, token: str, key: str, body: bytes) -> bytes:
    """Return the bytes of a POST of JSON with an idempotency key."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n"
        f"Authorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
