"""A body that comes in small pieces, and counts what was asked of it."""

from io import RawIOBase


class Slow(RawIOBase):
    """A stream of so many bytes, at most 10,000 at a time."""

    def __init__(self, size: int) -> None:
        self.left, self.given = size, 0

    def read(self, size: int = -1) -> bytes:
        part = min(self.left, 10_000, size if size >= 0 else 10_000)
        self.left -= part
        self.given += part
        return b"x" * part
