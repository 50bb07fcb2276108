"""How often somebody may ask: counted in Redis, or in this process alone while Redis is away."""

import threading
import time

from redis.exceptions import RedisError

from hub.errors import HubError
from hub.web.context import runtime

WINDOW_SECONDS = 60
PUBLIC_PER_WINDOW = 120
ASK_AGAIN_SECONDS = 2.0

_local: dict[str, tuple[int, int]] = {}
_lock = threading.Lock()
_ask_again_at = 0.0


def public(address: str) -> None:
    """Count one look-up of the public tier from a network address.

    Raises:
        HubError: 429, with the seconds to wait, when there were too many this minute.
    """
    count("public", address, PUBLIC_PER_WINDOW)


def count(kind: str, who: str, most: int) -> None:
    """Count one act of a kind by somebody, at most so many in a window of a minute.

    Raises:
        HubError: 429, with the seconds to wait.
    """
    moment = time.time()
    window = int(moment) // WINDOW_SECONDS
    key = f"rate:{kind}:{who}:{window}"
    used = _count_in_redis(key) or _count_here(f"{kind}:{who}", window)
    if used > most:
        wait = WINDOW_SECONDS - int(moment) % WINDOW_SECONDS
        raise HubError(
            "too-many-requests",
            429,
            f"That is too many in one minute: try again in {wait} seconds."
            " In an emergency ring 999.",
            extra={"retry_after": wait},
        )


def _count_in_redis(key: str) -> int | None:
    """Return the count so far; None while Redis is away, which is asked again after a moment."""
    global _ask_again_at
    if time.monotonic() < _ask_again_at:
        return None
    try:
        with runtime().redis.pipeline(transaction=False) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, WINDOW_SECONDS * 2)
            return int(pipeline.execute()[0])
    except (RedisError, OSError):
        _ask_again_at = time.monotonic() + ASK_AGAIN_SECONDS
        return None


def _count_here(key: str, window: int) -> int:
    with _lock:
        if len(_local) > 10_000:
            _local.clear()
        was, used = _local.get(key, (window, 0))
        used = used + 1 if was == window else 1
        _local[key] = (window, used)
        return used
