"""The tables of cases, episodes, the lead, messages, receipts and clocks."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base, new_id, register_constraint
from messaging.placement_model import Placement as Placement
from messaging.placement_model import Plan as Plan
from messaging.reset_model import ExerciseReset as ExerciseReset


class Case(Base):
    """One child outside the home area; between episodes it has a home unit and no lead."""

    __tablename__ = "cases"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    reference: Mapped[str]
    status: Mapped[str]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    opener_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    home_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    last_message_no: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime]
    reset_at: Mapped[datetime | None]
    joined_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("cases.id"))


class Party(Base):
    """A unit with a part in a case; it sees it in full, or limited to what concerns itself."""

    __tablename__ = "party"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    part: Mapped[str]
    sees: Mapped[str]
    since: Mapped[datetime]


class Message(Base):
    """The envelope of a message; its words are in its parts. Immutable (DOMAIN.md 4.7)."""

    __tablename__ = "message"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    number: Mapped[int]
    type: Mapped[str]
    schema_version: Mapped[str]
    status: Mapped[str]
    classification: Mapped[str]
    priority: Mapped[str]
    request_no: Mapped[int | None]
    sent_at: Mapped[datetime]
    reply_due_at: Mapped[datetime | None]
    in_reply_to: Mapped[UUID | None]
    sender_organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    sender_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    sender_kind: Mapped[str]
    sender_id: Mapped[UUID | None]
    sender_name: Mapped[str]
    sender_rank: Mapped[str | None]
    sender_collar: Mapped[str | None]
    audience: Mapped[str]


class MessagePart(Base):
    """What one audience may read of a message: JSON, encrypted under the case's key."""

    __tablename__ = "message_part"

    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), primary_key=True)
    audience: Mapped[str] = mapped_column(primary_key=True)
    ciphertext: Mapped[bytes]


class Recipient(Base):
    """A unit that a message was sent to, and how it could be reached then."""

    __tablename__ = "recipient"

    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    reach: Mapped[str]


class Receipt(Base):
    """One fact of one recipient: delivered, told by telephone, opened, acknowledged, answered."""

    __tablename__ = "receipt"

    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    who_kind: Mapped[str]
    who_id: Mapped[UUID | None]
    who_name: Mapped[str]


class Report(Base):
    """A practitioner's report until police settle it (DOMAIN.md 4.2)."""

    __tablename__ = "report"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    reporter_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    addressed_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    state: Mapped[str]
    state_since: Mapped[datetime]
    episode_id: Mapped[UUID | None] = mapped_column(ForeignKey("episode.id"))


class Episode(Base):
    """One missing incident, from the moment police record it to its end."""

    __tablename__ = "episode"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    number: Mapped[int]
    opened_at: Mapped[datetime]
    opened_by_message_id: Mapped[UUID]
    recording_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    risk: Mapped[str]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    ended_by_message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"))
    found_dead: Mapped[bool] = mapped_column(default=False)
    joined_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("episode.id"))


class Tenure(Base):
    """Who led an episode from when until when, on what basis; its named officer now, or last."""

    __tablename__ = "tenure"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    episode_id: Mapped[UUID] = mapped_column(ForeignKey("episode.id"))
    number: Mapped[int]
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    officer_name: Mapped[str]
    officer_rank: Mapped[str | None]
    officer_collar: Mapped[str | None]
    on_duty_until: Mapped[datetime | None]
    supervisor_name: Mapped[str | None]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    basis: Mapped[str]
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))


class OfficerBefore(Base):
    """A named officer of a tenure who handed over to the next, by which message. Immutable.

    Nameless where the handover is older than this table: the messages say who it was.
    """

    __tablename__ = "officer_before"

    tenure_id: Mapped[UUID] = mapped_column(ForeignKey("tenure.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    officer_name: Mapped[str | None]
    officer_rank: Mapped[str | None]
    officer_collar: Mapped[str | None]
    since: Mapped[datetime]
    until: Mapped[datetime]
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))


class LeadRequest(Base):
    """An offer of the lead to one unit; at most one is open in an episode (DOMAIN.md 4.3)."""

    __tablename__ = "lead_request"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    episode_id: Mapped[UUID] = mapped_column(ForeignKey("episode.id"))
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    kind: Mapped[str]
    from_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    to_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    priority: Mapped[str]
    state: Mapped[str] = mapped_column(default="open")
    opened_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answer_message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"))
    answered_by_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    answered_by_name: Mapped[str | None]
    request_no: Mapped[int] = mapped_column(default=1)
    held_until: Mapped[datetime | None]
    held_by_name: Mapped[str | None]
    basis: Mapped[str] = mapped_column(default="accepted")
    match_id: Mapped[UUID | None] = mapped_column(ForeignKey("match.id"))
    lead_after: Mapped[str | None]


class LocatedClaim(Base):
    """Somebody other than the lead says that the child is located (DOMAIN.md 4.9)."""

    __tablename__ = "located_claim"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    episode_id: Mapped[UUID] = mapped_column(ForeignKey("episode.id"))
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    by_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    state: Mapped[str] = mapped_column(default="open")
    answered_at: Mapped[datetime | None]
    answer_message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"))
    answered_by_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    answered_by_name: Mapped[str | None]
    found_dead: Mapped[bool] = mapped_column(default=False)


class Interview(Base):
    """An interview that a return is owed, until it is recorded, or why it was not done."""

    __tablename__ = "interview"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    episode_id: Mapped[UUID] = mapped_column(ForeignKey("episode.id"))
    kind: Mapped[str]
    owed_by_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    opened_by_message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    opened_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="owed")
    record_message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"))
    settled_at: Mapped[datetime | None]


class Clock(Base):
    """What somebody owes by when. Unstarted until the debtor has been told; times are aware UTC."""

    __tablename__ = "clock"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    kind: Mapped[str]
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    owed_by_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    started_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    met_at: Mapped[datetime | None]
    missed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    step: Mapped[int] = mapped_column(default=0)
    escalates_at: Mapped[datetime | None]
    action_id: Mapped[UUID | None] = mapped_column(ForeignKey("action.id"))


class Escalation(Base):
    """One step up because of a missed clock: who was told, and when (DOMAIN.md 6).

    A clock that starts afresh, for a unit that has come onto the hub, counts its steps afresh too.
    """

    __tablename__ = "escalation"

    clock_id: Mapped[UUID] = mapped_column(ForeignKey("clock.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    step: Mapped[int]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    rung: Mapped[str]
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))


class Dispute(Base):
    """One side's dispute over who leads; the lead goes on leading until it is decided (4.1)."""

    __tablename__ = "dispute"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    episode_id: Mapped[UUID] = mapped_column(ForeignKey("episode.id"))
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    by_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    other_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    state: Mapped[str] = mapped_column(default="open")
    opened_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answer_message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"))
    answered_by_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    answered_by_name: Mapped[str | None]


class Direction(Base):
    """An adjudicator's direction: the lead moves when the directed unit acknowledges it (4.1c)."""

    __tablename__ = "direction"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    episode_id: Mapped[UUID] = mapped_column(ForeignKey("episode.id"))
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    dispute_id: Mapped[UUID | None] = mapped_column(ForeignKey("dispute.id"))
    to_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    adjudicator_organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    state: Mapped[str] = mapped_column(default="open")
    opened_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answer_message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"))
    answered_by_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    answered_by_name: Mapped[str | None]
    match_id: Mapped[UUID | None] = mapped_column(ForeignKey("match.id"))


class InformationRequest(Base):
    """Questions or enquiries that one unit owes another; answerable whoever leads (4.4)."""

    __tablename__ = "information_request"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    from_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    to_unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    immediate: Mapped[bool]
    needed_by: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="open")
    opened_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answer_message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"))
    answered_by_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    answered_by_name: Mapped[str | None]


class ClockSetting(Base):
    """Minutes of a kind of clock: the nation's where there is no organisation."""

    __tablename__ = "clock_setting"

    kind: Mapped[str] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True
    )
    minutes: Mapped[int]


class LeadSetting(Base):
    """What an organisation asks for before one of its units takes the lead that it is offered."""

    __tablename__ = "lead_setting"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    supervisor_authorises: Mapped[bool]


class Draft(Base):
    """What somebody typed and has not sent; encrypted under a key of its own."""

    __tablename__ = "draft"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("cases.id"))
    type: Mapped[str]
    ciphertext: Mapped[bytes]
    updated_at: Mapped[datetime]


for _name, _code, _sentence in (
    (
        "uq_lead_request_episode_id_open",
        "lead-request-open",
        "The lead is on offer already: wait for the answer, or withdraw the offer.",
    ),
    ("uq_episode_case_id_open", "episode-open", "An episode is open in this case already."),
    ("ck_answered_once", "request-already-answered", "This was answered already."),
    ("ck_episode_one_lead", "one-lead", "An open episode has exactly one lead, at every moment."),
    ("ck_cases_closed", "episode-open", "The case cannot be closed while an episode is open."),
    (
        "uq_report_case_id_unsettled",
        "report-open",
        "A report of this case waits for police already.",
    ),
    (
        "ck_tenure_supervisor",
        "supervisor-needed",
        "Your organisation accepts the lead only with a supervisor's authority: name them.",
    ),
    (
        "ck_cases_statutory",
        "statutory-step-open",
        "A statutory step has neither a record nor a reason: see what the case still owes.",
    ),
    ("ck_cases_reopened", "case-closed", "A case is reopened by a message that says why."),
    (
        "ck_interview_once",
        "interview-recorded",
        "This interview is recorded already: send a correction that refers to the record.",
    ),
    (
        "uq_clock_supervisor_decision_open",
        "supervisor-asked",
        "A supervisor was asked already, and has not decided yet.",
    ),
    ("ck_message_immutable", "immutable", "Messages cannot be changed: send a correction."),
    (
        "uq_dispute_episode_id_open",
        "dispute-open",
        "Who leads is disputed already: wait for the decision.",
    ),
    (
        "uq_direction_episode_id_open",
        "lead-directed",
        "A direction waits for its acknowledgement already.",
    ),
    (
        "ck_direction_adjudicator",
        "own-dispute",
        "A dispute of your own organisation is decided by an adjudicator of another.",
    ),
    ("ck_match_once", "match-closed", "This match is closed: look at the case again."),
    ("ck_match_both_sides", "match-open", "One side alone leaves it contested."),
    ("ck_cases_alias", "case-joined", "The case was joined to another: look at it again."),
    ("fk_message_case_id_status", "status-mismatch", "A case keeps its status for life."),
    ("ck_meeting_over", "meeting-over", "The meeting was cancelled, or its record is here."),
    (
        "ck_meeting_reply_before_start",
        "meeting-started",
        "The meeting has started, or was called off: it takes no reply any more.",
    ),
    (
        "uq_meeting_reply_latest",
        "reply-changed",
        "Somebody has just replied for this person: look at the case again.",
    ),
):
    register_constraint(_name, _code, 409, _sentence)
register_constraint(
    "fk_message_in_reply_to",
    "reply-to-nothing",
    422,
    "There is no such message in this case: in_reply_to names one of its messages.",
)
