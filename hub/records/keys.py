"""The keys that lie outside the database: one 0600 file each, in a 0700 folder."""

import hashlib
import hmac
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hub.errors import HubError, unavailable
from hub.records.model import KeyCheck

SYMMETRIC = ("kek-1", "audit", "session")
TOKEN_SIGNING = "token-signing"  # noqa: S105  # a file's name


@dataclass(frozen=True)
class Keys:
    """Every key of the hub, in memory.

    `keks` maps an epoch to its key-encryption key; `audit` is the HMAC key of the audit chain;
    `session` the web's secret; `token_signing` a P-256 private key in PEM (ES256).
    """

    folder: Path
    keks: dict[int, bytes] = field(repr=False)
    audit: bytes = field(repr=False)
    session: bytes = field(repr=False)
    token_signing: bytes = field(repr=False)

    @classmethod
    def load(cls, folder: Path, create: bool = False) -> "Keys":
        """Read the keys; with `create`, make all of them first where the folder holds none.

        Raises:
            HubError: a key is missing, unreadable, malformed or open to others.
        """
        folder = Path(folder).absolute()
        if create:
            _create(folder)
        _check_folder(folder)
        symmetric = {path.name: _symmetric(path) for path in _symmetric_paths(folder)}
        return cls(
            folder=folder,
            keks={int(name[4:]): key for name, key in symmetric.items() if name.startswith("kek-")},
            audit=symmetric["audit"],
            session=symmetric["session"],
            token_signing=_private_key(folder / TOKEN_SIGNING),
        )

    def mac(self, purpose: bytes, data: bytes) -> bytes:
        """Return a 32-byte code that only this hub can make, for one purpose."""
        return hmac.digest(self.session, purpose + b"\0" + data, hashlib.sha256)

    def mac_matches(self, purpose: bytes, data: bytes, code: bytes) -> bool:
        """Say whether the code is of this purpose and data, in constant time."""
        return hmac.compare_digest(self.mac(purpose, data), code)

    def blind(self, data: bytes) -> bytes:
        """Return the 32-byte index key of what must be found again and never read.

        Its own key is derived from the audit chain's: neither can change under one database.
        """
        own = hmac.digest(self.audit, b"hub blind index 1", hashlib.sha256)
        return hmac.digest(own, data, hashlib.sha256)

    @property
    def kek_epoch(self) -> int:
        """The epoch that new data keys are wrapped under: the newest."""
        return max(self.keks)

    @property
    def anchor_path(self) -> Path:
        """Where the sealer marks how far the audit chain reaches: beside the keys."""
        return self.folder.with_name(self.folder.name + "-audit-anchor")

    def check(self, session: Session) -> None:
        """Refuse keys other than those this database was made with; at its first start, note them.

        Raises:
            HubError: the name of the first wrong key file, in one sentence.
        """
        wanted = {f"kek-{epoch}": key for epoch, key in self.keks.items()}
        wanted |= {"audit": self.audit, "session": self.session, TOKEN_SIGNING: self.token_signing}
        values = {name: _check_value(name, key) for name, key in wanted.items()}
        session.execute(
            insert(KeyCheck).on_conflict_do_nothing(),
            [{"name": name, "hmac": value} for name, value in values.items()],
        )
        for name, noted in session.execute(
            select(KeyCheck.name, KeyCheck.hmac).order_by(KeyCheck.name)
        ):
            if name not in values:
                raise unavailable("key-missing", f"The key {self.folder / name} is missing.")
            if not hmac.compare_digest(values[name], noted):
                raise unavailable(
                    "key-wrong",
                    f"The key in {self.folder / name} is not the one this database was made with.",
                )


def _check_value(name: str, key: bytes) -> bytes:
    return hmac.digest(key, b"hub key check\0" + name.encode(), hashlib.sha256)


def _create(folder: Path) -> None:
    """Make the folder aside and move it into place at once: half a set of keys never stands."""
    if folder.is_dir() and any(folder.iterdir()):
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            for name in SYMMETRIC:
                _write(aside / name, secrets.token_hex(32).encode() + b"\n")
            _write(aside / TOKEN_SIGNING, _new_private_key())
            try:
                aside.rename(folder)
            except OSError:
                if not any(folder.iterdir()):
                    raise
                # Another process was first: its keys count.
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise unavailable("keys-not-written", f"The keys cannot be written to {folder}.") from error


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _new_private_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise unavailable("keys-missing", f"The folder of keys, {folder}, is missing.")
    if folder.stat().st_mode & 0o077:
        raise unavailable(
            "keys-open", f"The folder of keys, {folder}, is open to others: chmod 700 it."
        )


def _symmetric_paths(folder: Path) -> list[Path]:
    later = [path for path in folder.glob("kek-*") if path.name[4:].isdigit()]
    return sorted({*later, *(folder / name for name in SYMMETRIC)})


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_mode & 0o077:
            raise unavailable("key-open", f"The key {path} is open to others: chmod 600 it.")
        return path.read_bytes()
    except FileNotFoundError:
        raise unavailable("key-missing", f"The key {path} is missing.") from None
    except OSError as error:
        raise unavailable("key-unreadable", f"The key {path} cannot be read.") from error


def _malformed(path: Path) -> HubError:
    return unavailable("key-malformed", f"The file {path} does not hold a key.")


def _symmetric(path: Path) -> bytes:
    try:
        key = bytes.fromhex(_read(path).decode("ascii"))
    except ValueError:
        raise _malformed(path) from None
    if len(key) != 32:
        raise _malformed(path)
    return key


def _private_key(path: Path) -> bytes:
    pem = _read(path)
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise _malformed(path) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _malformed(path)
    return pem
