"""Cursors of lists: opaque to their reader, and refused when they are not ours."""

import base64
import binascii
import json
from typing import Any

from hub.errors import invalid

PAGE = 50
LONGEST_PAGE = 200


def encode(*position: Any) -> str:
    """Return the cursor that goes on after this position."""
    text = json.dumps(position, separators=(",", ":"), default=str)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str | None, length: int, at: str = "/cursor") -> list[Any] | None:
    """Return the position of a cursor of so many parts, or None without one; `at` is its field.

    Raises:
        HubError: 422 when it is no cursor of this list.
    """
    if not cursor:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        position = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
    except (ValueError, binascii.Error, UnicodeError, RecursionError):
        position = None
    if not isinstance(position, list) or len(position) != length:
        raise invalid("cursor", "This cursor is not one of this list: start without.", at)
    return position
