"""What must follow a commit, and must not happen without one: wake-ups, marks outside."""

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session

_PENDING = "hub.after_commit"


def after_commit(session: Session, act: Callable[[], object]) -> None:
    """Call `act` once the session's transaction has committed; forget it if that rolls back.

    The commit stands whatever `act` does, so it must not raise.
    """
    if _PENDING not in session.info:
        session.info[_PENDING] = []
        event.listen(session, "after_commit", _act)
        event.listen(session, "after_rollback", _forget)
    session.info[_PENDING].append(act)


def _act(session: Session) -> None:
    if session.in_nested_transaction():
        return
    pending: list[Callable[[], object]] = session.info[_PENDING]
    while pending:
        pending.pop(0)()


def _forget(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info[_PENDING].clear()
