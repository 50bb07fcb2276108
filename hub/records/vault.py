"""Content under AES-256-GCM: one data key per subject, wrapped by a key outside the database."""

import os
import struct
import threading
import time
from collections import OrderedDict
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import bindparam, event, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from hub.db import Base
from hub.errors import HubError
from hub.records.keys import Keys
from hub.records.model import DataKey

FORMAT = b"\x01"
NONCE_BYTES = 12
CACHE_SECONDS = 3.0  # a destroyed key is served no longer than this
CACHE_SIZE = 2048
HUB_SUBJECT = UUID(int=0)  # the key of free text that belongs to no case
_IN_SESSION = "hub.vault.keys"
_TABLE = Base.metadata.tables["data_key"]
_INSERT = insert(_TABLE)
_WRAPPED = select(_TABLE.c.wrapped, _TABLE.c.kek_epoch).where(
    _TABLE.c.subject_id == bindparam("subject_id")
)


class Vault:
    """Encrypts and decrypts for one process; holds unwrapped keys for a few seconds."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._cache: OrderedDict[UUID, tuple[float, AESGCM]] = OrderedDict()
        self._lock = threading.Lock()

    def create_key(self, session: Session, subject_id: UUID) -> None:
        """Make the data key of a new subject (a case or a draft): one insert."""
        key = AESGCM.generate_key(256)
        session.execute(_INSERT, self._row(subject_id, key))
        # Not yet committed: this session alone may use it, and not after a rollback.
        if _IN_SESSION not in session.info:
            session.info[_IN_SESSION] = {}
            event.listen(session, "after_rollback", lambda ended: ended.info[_IN_SESSION].clear())
        session.info[_IN_SESSION][subject_id] = AESGCM(key)

    def create_hub_key(self, session: Session) -> None:
        """Make the key of free text that belongs to no case, where there is none yet."""
        row = self._row(HUB_SUBJECT, AESGCM.generate_key(256))
        session.execute(upsert(DataKey).on_conflict_do_nothing(), row)

    def destroy_key(self, session: Session, subject_id: UUID, *, now: datetime) -> None:
        """Erase a subject: destroy its key. Every process has forgotten it within CACHE_SECONDS."""
        session.execute(
            update(DataKey)
            .where(DataKey.subject_id == subject_id, DataKey.destroyed_at.is_(None))
            .values(wrapped=None, destroyed_at=now)
        )
        session.info.get(_IN_SESSION, {}).pop(subject_id, None)
        with self._lock:
            self._cache.pop(subject_id, None)

    def encrypt(
        self, session: Session, subject_id: UUID, plaintext: bytes, aad: tuple[str, ...]
    ) -> bytes:
        """Return the ciphertext, bound to the subject and to `aad` (case, message, type …).

        Raises:
            HubError: 410 when the subject was erased.
        """
        nonce = os.urandom(NONCE_BYTES)
        return (
            FORMAT
            + nonce
            + self._key(session, subject_id).encrypt(nonce, plaintext, bind(subject_id, aad))
        )

    def decrypt(
        self, session: Session, subject_id: UUID, ciphertext: bytes, aad: tuple[str, ...]
    ) -> bytes:
        """Return the plaintext.

        Raises:
            HubError: 410 when the subject was erased; 500 when the ciphertext is not what was
                written there, for this subject and `aad`.
        """
        ciphertext = bytes(ciphertext)
        if ciphertext[:1] != FORMAT:
            raise _unreadable()
        nonce, sealed = ciphertext[1 : 1 + NONCE_BYTES], ciphertext[1 + NONCE_BYTES :]
        try:
            return self._key(session, subject_id).decrypt(nonce, sealed, bind(subject_id, aad))
        except (InvalidTag, ValueError):
            raise _unreadable() from None

    def blind(self, *parts: str) -> bytes:
        """Return the key under which these parts, in this order, are found again; 32 bytes."""
        packed = (part.encode() for part in parts)
        return self._keys.blind(b"".join(struct.pack(">I", len(one)) + one for one in packed))

    def _row(self, subject_id: UUID, key: bytes) -> dict[str, object]:
        epoch = self._keys.kek_epoch
        nonce = os.urandom(NONCE_BYTES)
        wrapped = nonce + AESGCM(self._keys.keks[epoch]).encrypt(
            nonce, key, _wrapping(subject_id, epoch)
        )
        return {"subject_id": subject_id, "wrapped": wrapped, "kek_epoch": epoch}

    def _key(self, session: Session, subject_id: UUID) -> AESGCM:
        own: AESGCM | None = session.info.get(_IN_SESSION, {}).get(subject_id)
        if own is not None:
            return own
        moment = time.monotonic()
        with self._lock:
            cached = self._cache.get(subject_id)
        if cached is not None and moment - cached[0] < CACHE_SECONDS:
            return cached[1]
        key = AESGCM(self._unwrap(session, subject_id))
        with self._lock:
            self._cache[subject_id] = (moment, key)
            self._cache.move_to_end(subject_id)
            while len(self._cache) > CACHE_SIZE:
                self._cache.popitem(last=False)
        return key

    def _unwrap(self, session: Session, subject_id: UUID) -> bytes:
        row = session.execute(_WRAPPED, {"subject_id": subject_id}).one_or_none()
        if row is None:
            raise HubError(
                "content-key-missing", 500, "This content cannot be read: it has no key."
            )
        if row.wrapped is None:
            raise HubError("erased", 410, "This content was erased.")
        kek = self._keys.keks.get(row.kek_epoch)
        if kek is None:
            raise HubError("key-missing", 503, f"The key kek-{row.kek_epoch} is missing.")
        nonce, sealed = row.wrapped[:NONCE_BYTES], row.wrapped[NONCE_BYTES:]
        try:
            return AESGCM(kek).decrypt(nonce, sealed, _wrapping(subject_id, row.kek_epoch))
        except InvalidTag:
            raise _unreadable() from None


def bind(subject_id: UUID, aad: tuple[str, ...]) -> bytes:
    """Return associated data in which no two tuples look alike: each part carries its length."""
    parts = [b"hub content 1", subject_id.bytes, *(part.encode() for part in aad)]
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def _wrapping(subject_id: UUID, epoch: int) -> bytes:
    return b"hub data key 1" + subject_id.bytes + struct.pack(">I", epoch)


def _unreadable() -> HubError:
    return HubError(
        "content-unreadable", 500, "This content cannot be read: it is not what was stored."
    )
