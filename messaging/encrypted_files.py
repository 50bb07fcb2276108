"""A file of a case in encrypted pieces: none can be cut off, swapped or moved unnoticed."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy.orm import Session

from hub.records.vault import Vault

CHUNK_BYTES = 256 * 1024


def chunks(content: bytes) -> Iterator[bytes]:
    """Yield the content in pieces of 256 KiB."""
    for start in range(0, len(content), CHUNK_BYTES):
        yield content[start : start + CHUNK_BYTES]


def count(size: int) -> int:
    """Return how many pieces a file of so many bytes has."""
    return -(-size // CHUNK_BYTES)


def sealed(
    session: Session, vault: Vault, case_id: UUID, file_id: UUID, content: bytes
) -> Iterator[tuple[int, bytes]]:
    """Yield the file's pieces, numbered and encrypted under the case's key."""
    last = count(len(content)) - 1
    for number, piece in enumerate(chunks(content)):
        yield number, vault.encrypt(session, case_id, piece, _aad(file_id, number, last))


def opened(
    session: Session, vault: Vault, case_id: UUID, file_id: UUID, size: int, number: int,
    ciphertext: bytes,
) -> bytes:  # fmt: skip
    """Return one piece of a file of so many bytes.

    Raises:
        HubError: 500 when it is not that piece of that file; 410 when the case was erased.
    """
    aad = _aad(file_id, number, count(size) - 1)
    return vault.decrypt(session, case_id, ciphertext, aad)


def _aad(file_id: UUID, number: int, last: int) -> tuple[str, ...]:
    return ("file", str(file_id), str(number), "last" if number == last else "more")
