"""Logging: JSON lines that carry codes, names and ids, never content.

SQLAlchemy's and psycopg's errors quote rows even with hidden parameters, and a mail server's
reply quotes addresses: an exception is therefore logged by its type, its code and where it arose,
never by its text, whoever logs it.
"""

import json
import logging
import sys
import threading
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from pathlib import PurePath
from types import TracebackType
from typing import Any

import structlog

FRAMES = 6


def describe(error: BaseException) -> dict[str, Any]:
    """Return what may be logged of an error: type, stable code or SQLSTATE, and its last frames."""
    facts: dict[str, Any] = {"error": type(error).__name__}
    code = getattr(error, "code", None)
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    if isinstance(code, str):
        facts["error_code"] = code
    if isinstance(state, str):
        facts["sqlstate"] = state
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    facts["where"] = [
        f"{PurePath(frame.filename).name}:{frame.lineno}:{frame.name}" for frame in frames
    ]
    return facts


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger: `log.warning("what-happened", id=…)`, in `except` with `exc_info=True`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def configure(level: int = logging.INFO) -> None:
    """Send this process's logs, the libraries' included, to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _exceptions_by_type(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, tuple):
        info = info[1]
    if isinstance(info, BaseException):
        event.update(describe(info))
    return event


# At import, not in `configure`: structlog's default prints tracebacks with every local variable.
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        _exceptions_by_type,
        structlog.stdlib.render_to_log_kwargs,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)


class _JsonLines(logging.Formatter):
    """One line for each record: a library's message stays a template, without its arguments."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": str(record.msg),
        }
        extra = {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
        line.update(extra)
        if record.exc_info and record.exc_info[1] is not None:
            line.update(describe(record.exc_info[1]))
        return json.dumps(line, default=str, ensure_ascii=False)


_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {
    "message",
    "asctime",
    "taskName",
    "logger",
    "level",
}


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    get_logger("hub").critical("uncaught", exc_info=error)


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        get_logger("hub").critical("uncaught-in-thread", exc_info=args.exc_value)
