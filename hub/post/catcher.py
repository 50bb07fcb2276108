"""A mail server that delivers nothing: it writes each mail to a folder, for a developer to read."""

import asyncio
import os
import re
import tempfile
import threading
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as Peer

from hub.clock import utcnow
from hub.errors import unavailable


class Catcher:
    """An SMTP server on loopback, in a thread of its own. `port` 0 takes a free one.

    `url` is its address for `smtp_url` once `start` has returned.
    """

    def __init__(self, folder: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        self.folder = Path(folder)
        self.host = host
        self.port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address to send mail to."""
        return f"smtp://{self.host}:{self.port}"

    def start(self) -> None:
        """Listen.

        Raises:
            HubError: the folder cannot be written, or the port is taken.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            raise unavailable("mail-folder", f"Mails cannot be written to {self.folder}.") from None
        loop = self._loop = asyncio.new_event_loop()
        try:
            server = loop.run_until_complete(
                loop.create_server(lambda: SMTP(_ToFolder(self.folder)), self.host, self.port)
            )
        except OSError:
            loop.close()
            raise unavailable("mail-port", f"The mail port {self.port} is taken.") from None
        self.port = server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(
            target=self._serve, args=(loop, server), name="mail-catcher", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; mails already taken are in the folder."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=5)
            self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @staticmethod
    def _serve(loop: asyncio.AbstractEventLoop, server: asyncio.Server) -> None:
        try:
            loop.run_forever()
        finally:
            server.close()
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(server.wait_closed())
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()


class _ToFolder:
    """aiosmtpd's handler: a mail is answered 250 only when it stands in the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _peer: Peer, envelope: Envelope
    ) -> str:
        content = envelope.original_content or b""
        try:
            _write(self._folder, content, envelope.rcpt_tos)
        except OSError:
            return "452 4.3.1 The mail could not be written"
        return "250 2.0.0 Caught"


def _write(folder: Path, content: bytes, recipients: list[str]) -> None:
    subject = str(message_from_bytes(content, policy=default).get("Subject", ""))
    words = re.sub(r"[^A-Za-z0-9@.]+", "-", f"{' '.join(recipients)} {subject}").strip("-.")[:120]
    moment = utcnow().strftime("%Y%m%dT%H%M%S.%fZ")
    handle, aside = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(aside).replace(folder / f"{moment}-{words}.eml")
    except OSError:
        Path(aside).unlink(missing_ok=True)
        raise
