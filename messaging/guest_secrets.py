"""The secrets of a guest link: its token, its code, and the pass of whoever gave both.

Token and code are derived from a key outside the database and the link's id: the worker that
mails the link and the page that shows the code need not store them, and the database holds
hashes alone.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from hub.records.keys import Keys

CODE_DIGITS = 6
PASS_LIFE = timedelta(hours=1)


@dataclass(frozen=True)
class Guest:
    """Who answers for a unit without accounts, as they named themselves."""

    name: str
    collar_number: str
    rank: str = ""


def token(keys: Keys, link_id: UUID) -> str:
    """Return the secret part of the link's address: 256 bits, safe in a URL."""
    return _text(_mac(keys, b"token", link_id.bytes))


def token_hash(value: str) -> bytes:
    """Return what the database keeps of a token."""
    return hashlib.sha256(value.encode()).digest()


def code(keys: Keys, link_id: UUID) -> str:
    """Return the six digits that the sender reads out on the telephone."""
    number = int.from_bytes(_mac(keys, b"code", link_id.bytes)[:8], "big")
    return str(number % 10**CODE_DIGITS).zfill(CODE_DIGITS)


def code_hash(keys: Keys, link_id: UUID, value: str) -> bytes:
    """Return what the database keeps of a code: keyed, since six digits can be tried out."""
    digits = "".join(sign for sign in value if sign.isdigit())
    return _mac(keys, b"code-hash", link_id.bytes + digits.encode())


def grant(keys: Keys, link_id: UUID, guest: Guest, now: datetime) -> str:
    """Return a pass: proof that this guest gave the code, for an hour, carried in the form."""
    until = int((now + PASS_LIFE).timestamp())
    payload = json.dumps({"link": str(link_id), "until": until, **asdict(guest)}).encode()
    return _text(payload) + "." + _text(_mac(keys, b"pass", payload))


def read_pass(keys: Keys, link_id: UUID, value: str, now: datetime) -> Guest | None:
    """Return the guest of a pass for this link, or None when it is forged or has run out."""
    head, _, tail = value.partition(".")
    try:
        payload, mac = _bytes(head), _bytes(tail)
    except (binascii.Error, ValueError):
        return None
    if not hmac.compare_digest(mac, _mac(keys, b"pass", payload)):
        return None
    held = json.loads(payload)
    if held["link"] != str(link_id) or held["until"] <= now.timestamp():
        return None
    return Guest(name=held["name"], collar_number=held["collar_number"], rank=held["rank"])


def _mac(keys: Keys, purpose: bytes, data: bytes) -> bytes:
    return keys.mac(b"guest link " + purpose, data)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
