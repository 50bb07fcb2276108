"""Which messages still ask a unit for an answer, and which answers they take."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.errors import not_found
from hub.identity.actor import Actor
from hub.organisations import Unit
from messaging.meeting_model import Meeting, MeetingAttendee, MeetingInvitation
from messaging.model import (
    Case,
    Episode,
    InformationRequest,
    LeadRequest,
    LocatedClaim,
    Message,
    Plan,
    Recipient,
    Report,
    Tenure,
)

ANSWERS: dict[str, tuple[str, ...]] = {
    "missing-episode-report": ("missing-episode-report", "report-not-accepted"),
    "lead-transfer-request": ("lead-transfer-accept", "lead-transfer-decline"),
    "located": ("located-confirm", "located-refuse"),
    "information-request": ("information-response", "information-response"),
    "strategy-meeting-invitation": ("strategy-meeting-reply", "strategy-meeting-reply"),
    "joint-response-plan": ("plan-reply", "plan-reply"),
}
"""What a unit answers to a message of each type, the affirmative first."""

FURTHER = (
    "officer-handover", "update", "located", "lead-transfer-request", "lead-transfer-withdraw",
)  # fmt: skip
"""What a lead that is not on the hub does by a link, one act each (DOMAIN.md 4.5)."""


@dataclass(frozen=True)
class Question:
    """A message that my unit sent, and a unit whose answer to it is still awaited."""

    case_id: UUID
    status: str
    message_id: UUID
    message_type: str
    unit_id: UUID
    unit_code: str
    unit_name: str

    @property
    def declines_with_code(self) -> bool:
        """Whether a decline needs a code of the list (DOMAIN.md 7)."""
        return self.message_type == "lead-transfer-request"


def answers_to(message_type: str) -> tuple[str, ...]:
    """Return the types that answer a message of this type; none where it asks for nothing."""
    return tuple(dict.fromkeys(ANSWERS.get(message_type, ())))


def answer_type(message_type: str, answer: str) -> str | None:
    """Return the type of "accept" or "decline" to a message of a type, or None."""
    types = ANSWERS.get(message_type, ())
    return dict(zip(("accept", "decline"), types, strict=False)).get(answer)


def taken(session: Session, message: Message, unit_id: UUID) -> tuple[str, ...]:
    """Return what a guest link of the message takes of this unit; nothing once that is over.

    It is an answer, while the message asks for one; or a further act, while the unit leads by it.
    """
    if is_open(session, message, unit_id):
        return answers_to(message.type)
    return FURTHER if led_by(session, message.id, unit_id, now=True) else ()


def led_by(session: Session, message_id: UUID, unit_id: UUID, *, now: bool = False) -> bool:
    """Say whether a unit came to lead by a message; with `now`, whether it leads by it still."""
    led = select(Tenure.id).where(Tenure.message_id == message_id, Tenure.unit_id == unit_id)
    if now:
        led = led.join(Episode, Episode.id == Tenure.episode_id).where(
            Tenure.until.is_(None), Episode.ended_at.is_(None)
        )
    return session.execute(led).first() is not None


def is_open(session: Session, message: Message, unit_id: UUID) -> bool:
    """Say whether the message still asks this unit for an answer."""
    match message.type:
        case "lead-transfer-request":
            open_ = select(LeadRequest.id).where(
                LeadRequest.message_id == message.id,
                LeadRequest.to_unit_id == unit_id,
                LeadRequest.state == "open",
            )
        case "located":
            open_ = (
                select(LocatedClaim.id)
                .join(Recipient, Recipient.message_id == LocatedClaim.message_id)
                .where(
                    LocatedClaim.message_id == message.id,
                    LocatedClaim.state == "open",
                    Recipient.unit_id == unit_id,
                )
            )
        case "missing-episode-report":
            open_ = select(Report.id).where(
                Report.message_id == message.id,
                Report.addressed_unit_id == unit_id,
                Report.state.in_(("awaiting-police", "recorded-by-telephone")),
            )
        case "information-request":
            open_ = select(InformationRequest.id).where(
                InformationRequest.message_id == message.id,
                InformationRequest.to_unit_id == unit_id,
                InformationRequest.state == "open",
            )
        case "strategy-meeting-invitation":
            open_ = (
                select(MeetingAttendee.id)
                .join(Meeting, Meeting.id == MeetingAttendee.meeting_id)
                .join(MeetingInvitation, MeetingInvitation.meeting_id == Meeting.id)
                .where(
                    MeetingInvitation.message_id == message.id,
                    MeetingInvitation.sequence == Meeting.sequence,
                    Meeting.state == "called",
                    MeetingAttendee.unit_id == unit_id,
                    MeetingAttendee.dropped_at.is_(None),
                )
            )
        case "joint-response-plan":
            open_ = select(Plan.id).where(
                Plan.message_id == message.id,
                Plan.other_unit_id == unit_id,
                Plan.state == "proposed",
            )
        case _:
            return False
    return session.execute(open_).first() is not None


def answered_in(session: Session, message: Message) -> str:
    """Return the reference of the case that takes the answer: a question goes where its case went."""
    asked_in = (
        select(InformationRequest.case_id)
        .where(InformationRequest.message_id == message.id)
        .limit(1)
        .scalar_subquery()
    )
    found: str = session.scalars(
        select(Case.reference).where(Case.id == func.coalesce(asked_in, message.case_id))
    ).one()
    return found


def asked(
    session: Session, actor: Actor, reference: str, number: int, unit_code: str = ""
) -> Question:
    """Return the open question of a message that the actor's unit sent, by its number in the case.

    Of several units that are asked it is that of the code, or without one the first.

    Raises:
        HubError: `not-found` when there is none, or the message is another unit's.
    """
    row = session.execute(
        select(Message, Case)
        .join(Case, Case.id == Message.case_id)
        .where(
            Case.reference == reference,
            Message.number == number,
            Message.sender_unit_id.in_(actor.unit_ids),
        )
    ).one_or_none()
    if row is None or actor.status not in (None, row.Case.status):
        raise not_found()
    message, case = row
    units = session.scalars(
        select(Unit)
        .join(Recipient, Recipient.unit_id == Unit.id)
        .where(Recipient.message_id == message.id)
        .order_by(Unit.code)
    )
    for unit in units:
        if unit_code in ("", unit.code) and is_open(session, message, unit.id):
            return Question(
                case.id, case.status, message.id, message.type, unit.id, unit.code, unit.name
            )
    raise not_found("This message needs no answer any more.")
