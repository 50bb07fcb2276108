"""A file is clean when clamd says so; not scanned only where no clamd is configured."""

import socketserver
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.errors import HubError
from messaging.virus_scan import scan
from tests.clamd import VIRUS, clamd


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder of a short name: a socket's may not be long."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def refused(address: str, content: bytes) -> HubError:
    with pytest.raises(HubError) as caught:
        scan(address, content)
    return caught.value


def test_without_a_scanner_a_file_is_not_scanned_and_says_so() -> None:
    assert scan("", VIRUS) == "not-scanned"


def test_clamd_says_what_is_clean_and_what_is_not(folder: Path) -> None:
    with clamd(folder) as address:
        assert scan(address, b"x" * 3_000_000) == "clean"
        found = refused(address, b"x" * 3_000_000 + VIRUS)
    assert (found.status, found.code) == (422, "attachment-infected")


def test_a_scanner_that_is_away_or_does_not_say_is_never_taken_for_clean(folder: Path) -> None:
    for error in (refused(str(folder / "none"), b"x"), refused("127.0.0.1:1", b"x"),
                  refused("nowhere", b"x")):  # fmt: skip
        assert (error.status, error.code, error.extra) == (503, "scanner-away", {"retry_after": 60})
    for says in (b"INSTREAM error. ERROR\0", b"\0", b"stream: OK but ERROR\0", b"stream: OK FOUND"):
        with clamd(folder, says=says) as address:
            assert refused(address, b"x").status in (422, 503)
    with clamd(folder, most=100) as address:
        assert refused(address, b"x" * 5_000_000).code == "scanner-away"


def test_a_scanner_on_a_port_is_asked_too() -> None:
    class Scanner(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.read(10 + 4 + 1 + 4)
            self.wfile.write(b"stream: OK\0")

    with socketserver.TCPServer(("127.0.0.1", 0), Scanner) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert scan(f"127.0.0.1:{server.server_address[1]}", b"x") == "clean"
        thread.join()
