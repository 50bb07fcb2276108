"""A clamd on a socket of its own: it speaks INSTREAM, and knows one virus."""

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VIRUS = b"EXERCISE-VIRUS"


@contextmanager
def clamd(folder: Path, *, most: int = 25 * 1024 * 1024, says: bytes = b"") -> Iterator[str]:
    """Serve a clamd that takes so many bytes, and give its address; `says` is all it answers."""

    class Scanner(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            assert self.rfile.read(10) == b"zINSTREAM\0"
            content = b""
            while length := struct.unpack(">I", self.rfile.read(4))[0]:
                content += self.rfile.read(length)
                if len(content) > most:
                    self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                    return
            found = b"stream: EXERCISE FOUND\0" if VIRUS in content else b"stream: OK\0"
            self.wfile.write(says or found)

    path = folder / "c.sock"
    with socketserver.ThreadingUnixStreamServer(str(path), Scanner) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield str(path)
        finally:
            server.shutdown()
            thread.join()
            path.unlink()
