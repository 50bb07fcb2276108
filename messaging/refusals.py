"""What a rule refuses, in words."""

from uuid import UUID

from sqlalchemy.orm import Session

from hub.errors import HubError, conflict
from messaging.state import CaseState
from messaging.winners import winner


def refusal(session: Session, case: CaseState, message_id: UUID | None, code: str) -> HubError:
    """Return the refusal of a rule as a reader gets it, naming the winner of a lost race."""
    won = winner(session, case.id, message_id) if code in ANSWERED else None
    if won is not None:
        return conflict(code, won.sentence(), winner=won.document())
    return conflict(code, SENTENCES[code])


ANSWERED = frozenset({
    "request-already-answered", "claim-already-answered", "dispute-ended", "direction-ended",
    "question-answered", "plan-answered",
})  # fmt: skip
"""Refusals of what came too late: they name what came first (4.3)."""


SENTENCES = {
    "request-already-answered": "There is nothing open to answer.",
    "claim-already-answered": "There is nothing open to answer.",
    "question-answered": "There is no open question of this kind: look at the case again.",
    "not-lead": "Only the unit that leads can do this.",
    "offered-to-itself": "Your unit leads already: offer the lead to another.",
    "lead-request-open": "The lead is on offer already: wait for the answer, or withdraw it and"
    " offer it elsewhere in one act.",
    "wrong-unit": "The lead was offered to another unit.",
    "episode-ended": "The episode has ended.",
    "lead-directed": "A direction says who leads, and waits for its acknowledgement.",
    "held-already": "A holding reply was sent for this request: accept or decline it.",
    "dispute-open": "Who leads is disputed already: wait for the decision.",
    "no-side": "A dispute is between the unit that leads and one that led before, or was offered the lead.",
    "dispute-ended": "There is no open dispute: look at the case again.",
    "plan-answered": "There is no version of the plan that waits for an answer.",
    "direction-ended": "There is no direction that waits: look at the case again.",
    "meeting-unknown": "There is no such meeting in this case: reply to its invitation.",
    "meeting-over": "The meeting was cancelled, or its record is here.",
    "meeting-started": "The meeting has started: it takes no reply and no change any more.",
    "meeting-not-started": "The meeting has not started: record it afterwards.",
    "not-convenor": "Only the unit that convenes the meeting can do this.",
    "not-asked": "Your unit is not asked to this meeting.",
    "action-done": "There is no such open action of your unit: look at the case again.",
    "wanted-stays-missing": "A child who is wanted, or whose whereabouts are known but whom nobody"
    " saw, stays missing: the duty to safeguard them stays. They are located once somebody sees"
    " them, face to face, in custody too.",
    "interview-recorded": "This interview is recorded already: send a correction that refers to the"
    " record.",
    "nothing-to-correct": "There is no record of this interview to correct yet.",
    "match-closed": "No match waits here: look at the case again.",
    "match-moved": "Who leads the other episode has changed: look at the case again.",
    "match-ended": "The other episode has ended: there is nothing to join.",
    "claim-open": "Somebody says that the child is located: the lead confirms or refuses that first.",
    "denied-already": "Your side has said so already: the other unit confirms it.",
    "nothing-to-admit": "The other case has no open episode: there is nothing to admit.",
    "both-open": "Both cases have an open episode: ask their lead to join them.",
}
