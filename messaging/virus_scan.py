"""Looking for viruses with clamd, by its INSTREAM protocol; `HUB_CLAMD` names its socket."""

import socket
import struct

from hub.errors import HubError, invalid, unavailable

SECONDS = 30.0
PIECE = 256 * 1024


def scan(clamd: str, content: bytes) -> str:
    """Return `clean`, or `not-scanned` where no clamd is configured.

    Raises:
        HubError: 422 `attachment-infected`; 503 `scanner-away` when clamd does not say either.
    """
    if not clamd:
        return "not-scanned"
    try:
        with _connect(clamd) as connection:
            answer = _asked(connection, content)
    except (OSError, ValueError):
        raise _away() from None
    if answer.endswith(" FOUND"):
        raise invalid(
            "attachment-infected", "A virus was found in this file. It was not kept.", "/file"
        )
    if answer != "stream: OK":
        raise _away()
    return "clean"


def _connect(clamd: str) -> socket.socket:
    if clamd.startswith("/"):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(SECONDS)
        try:
            connection.connect(clamd)
        except OSError:
            connection.close()
            raise
        return connection
    host, _, port = clamd.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS)


def _asked(connection: socket.socket, content: bytes) -> str:
    connection.sendall(b"zINSTREAM\0")
    try:
        for at in range(0, len(content), PIECE):
            piece = content[at : at + PIECE]
            connection.sendall(struct.pack(">I", len(piece)) + piece)
        connection.sendall(struct.pack(">I", 0))
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has heard enough: it may have said why
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < 4096:
        more = connection.recv(4096)
        if not more:
            break
        answer += more
    return answer.rstrip(b"\0").decode("utf-8", "replace")


def _away() -> HubError:
    error = unavailable(
        "scanner-away",
        "The virus scanner does not answer, so the file was not taken. Try again in a minute; the"
        " message itself can be sent without it.",
    )
    error.extra["retry_after"] = 60
    return error
