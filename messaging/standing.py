"""Where an open episode stands: all that a new lead takes over, so that it starts where the old stopped.

It is read from the conversation as it was last given, by whoever gave it (DOMAIN.md 8).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from messaging.shown import CaseView

TAKEN_OVER = {
    "open_actions": ("actions_outstanding", "open_actions"),
    "live_lines": ("live_lines",),
    "warnings": ("warnings",),
    "family_liaison": ("family_liaison",),
}
"""What is taken over, and the fields in which messages of any type give it."""


OF_INCIDENT = frozenset({
    "last_seen_at", "last_seen_place", "risk", "new_risk", "why", "circumstances", "reported_at",
    "reported_by", "category", "clothing", "out_of_character", "transport_and_money", "live_lines",
    "strategy", "publicity", "text_safe_requested", "actions_done", "actions_outstanding",
    "open_actions", "family_liaison",
})  # fmt: skip
"""What is true of one incident: once the child is back, nothing of it is taken over to the next."""


@dataclass(frozen=True)
class Given:
    """What was last given of one thing: the words, and which message gave them, when."""

    kind: str
    words: str
    number: int
    at: datetime


@dataclass(frozen=True)
class Due:
    """What the lead owes by when, whoever leads: a kind of clock."""

    kind: str
    at: datetime


@dataclass(frozen=True)
class Owed:
    """A clock of the case that is neither met nor ended: what, by whom, until when.

    `by` is None of a decision, which no unit owes; `due_at` is None until the unit was told.
    """

    kind: str
    by: UUID | None
    due_at: datetime | None
    missed: bool


@dataclass(frozen=True)
class Standing:
    """What was last given of all that is taken over, and what is due next of the lead."""

    given: list[Given]
    due: list[Due]


_BEFORE = text("""
SELECT greatest(
    (SELECT max(m.number) FROM episode e JOIN message m ON m.id = e.ended_by_message_id
        AND m.case_id = e.case_id WHERE e.case_id = :case AND e.end_reason <> 'joined'),
    (SELECT max(m.number) FROM report r JOIN message m ON m.case_id = r.case_id
        AND m.sent_at <= r.state_since
        WHERE r.case_id = :case AND r.state = 'returned-before-recorded'), 0)
""")


def incident_from(session: Session, case_id: UUID) -> int:
    """Return the number of the last message of the incident before this one; 0 in the first."""
    found: int = session.execute(_BEFORE, {"case": case_id}).scalar_one()
    return found


def last_given(view: CaseView) -> list[Given]:
    """Return what was last given of each thing, as far as the reader sees the messages.

    Of an incident before this one warnings alone go on.
    """
    found = []
    for kind, fields in TAKEN_OVER.items():
        for message in reversed(view.messages):
            words = [
                str(message.body[field])
                for field in fields
                if message.body.get(field)
                and (message.number > view.incident_from or field not in OF_INCIDENT)
            ]
            if words:
                found.append(Given(kind, "\n".join(words), message.number, message.sent_at))
                break
    return found


_DUE = text("""
SELECT k.kind, k.due_at FROM clock k
WHERE k.case_id = :case_id AND k.met_at IS NULL AND k.ended_at IS NULL AND k.due_at IS NOT NULL
    AND k.kind IN ('shift-end', 'review-high', 'review-medium', 'review-low', 'ukmpu')
ORDER BY k.due_at, k.kind
""")


def standing(session: Session, view: CaseView) -> Standing:
    """Return where the open episode of a case stands, for its reader."""
    due = [Due(row.kind, row.due_at) for row in session.execute(_DUE, {"case_id": view.id})]
    return Standing(last_given(view), due)


_OWED = text("""
SELECT k.kind, k.owed_by_unit_id, k.due_at, k.missed_at IS NOT NULL AS missed FROM clock k
WHERE k.case_id = :case_id AND k.met_at IS NULL AND k.ended_at IS NULL
    AND k.kind NOT IN ('opened', 'opened-request', 'opened-urgent')
    AND (:full OR k.owed_by_unit_id = ANY(:units)) AND (:police OR k.kind <> 'live-line')
ORDER BY k.due_at, k.kind, k.id
""")


def owed(
    session: Session, case_id: UUID, units: Collection[UUID], *, full: bool, police: bool
) -> list[Owed]:
    """Return what is owed by when; a party of less than the whole case sees what it owes itself.

    That there is a live line of enquiry is for police (4.8). Whether a message was opened is not
    among it: that stands with each message.
    """
    values = {"case_id": case_id, "units": list(units), "full": full, "police": police}
    return [Owed(*row) for row in session.execute(_OWED, values)]
