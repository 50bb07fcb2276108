"""A case that goes on as another: its reference stays an alias of that one (DOMAIN.md 4.10)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.errors import conflict
from messaging.state import CaseState

_HOLD = text("""
WITH RECURSIVE up AS (
    SELECT id, joined_into_id FROM cases WHERE reference = :reference
    UNION SELECT c.id, c.joined_into_id FROM up JOIN cases c ON c.id = up.joined_into_id
), family AS (
    SELECT id FROM up UNION SELECT c.id FROM family f JOIN cases c ON c.joined_into_id = f.id
)
SELECT c.id, c.last_at FROM cases c
WHERE c.id IN (SELECT id FROM family) OR c.id IN (
    SELECT CASE m.one_case_id WHEN r.id THEN m.other_case_id ELSE m.one_case_id END
    FROM cases r JOIN match m ON r.id IN (m.one_case_id, m.other_case_id) AND m.state = 'open'
    WHERE r.reference = :reference)
ORDER BY c.id FOR NO KEY UPDATE OF c
""")
_GOES_ON_AS = text("""
WITH RECURSIVE one AS (
    SELECT id, reference, joined_into_id, 0 AS far FROM cases WHERE id = :id
    UNION ALL
    SELECT c.id, c.reference, c.joined_into_id, one.far + 1
    FROM one JOIN cases c ON c.id = one.joined_into_id
)
SELECT reference FROM one WHERE far > 0 AND joined_into_id IS NULL
""")
_ALIASES = text("""
WITH RECURSIVE one AS (
    SELECT id, reference FROM cases WHERE joined_into_id = :id
    UNION ALL
    SELECT c.id, c.reference FROM one JOIN cases c ON c.joined_into_id = one.id
)
SELECT id, reference FROM one ORDER BY reference
""")


def hold(session: Session, reference: str, now: datetime) -> datetime:
    """Hold a case, those that it is matched with, was joined to or goes on for, by their ids.

    Returns the moment of what is done in them: now, and never before what was done in any.
    """
    held: list[datetime] = [row.last_at for row in session.execute(_HOLD, {"reference": reference})]
    return max([now, *held])


def goes_on_as(session: Session, case_id: UUID) -> str | None:
    """Return the reference of the case that this one was joined to, through any between."""
    found: str | None = session.scalar(_GOES_ON_AS, {"id": case_id})
    return found


def of_case(session: Session, case_id: UUID) -> list[str]:
    """Return the references of the cases that were joined to this one, in their order."""
    return [row.reference for row in session.execute(_ALIASES, {"id": case_id})]


def joined_to(session: Session, case_id: UUID) -> dict[UUID, str]:
    """Return the cases that were joined to this one, through any between, with their references."""
    rows = session.execute(_ALIASES, {"id": case_id})
    return {row.id: row.reference for row in rows}


def refuse_closed(session: Session, case: CaseState, *, opens: bool, settles: bool) -> None:
    """Refuse a message in a closed case: it is an alias, or at its end and not to be opened again.

    An alias takes what settles something that was open in it: its meetings, replies to them, their
    records, actions that are done, interviews.

    Raises:
        HubError: 409 `case-joined`, with the reference to send it to; 409 `case-closed`, with who may
            open the case again.
    """
    reference = goes_on_as(session, case.id)
    if reference is not None and settles:
        return
    if reference is not None:
        raise conflict(
            "case-joined", f"This case was joined to {reference}: send it there.",
            case_reference=reference,
        )  # fmt: skip
    if opens:
        return
    may = (case.opener, case.home, case.last_lead)
    names = dict.fromkeys(case.parties[unit].name for unit in may if unit in case.parties)
    raise conflict(
        "case-closed",
        f"The case is closed. It can be opened again by {', or '.join(names)}.",
        reopened_by=list(names),
    )
