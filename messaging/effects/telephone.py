"""Calls on record: they settle what a call can, start clocks, and move no lead (DOMAIN.md 4.5)."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import and_, or_, select, update

from hub.errors import conflict, invalid
from messaging import audiences, clocks, contracts, reporting
from messaging.act import Act
from messaging.choices import Action, Choices, Choosing, Knowing
from messaging.effects.steps import (
    authorities,
    meet,
    note,
    of_alias,
    reachable,
    settle,
    step,
    tell,
    tell_duty_inspector,
)
from messaging.meeting_model import CaseAction, MeetingInvitation
from messaging.model import Clock, InformationRequest, Message, Recipient
from messaging.sending import unit_named
from messaging.state import ADJUDICATOR, OpenReport


def telephone_record(act: Act) -> None:
    """A call on record: it settles what a call can, starts clocks, and never moves a lead (4.5)."""
    body = cast(contracts.TelephoneRecord, act.body)
    report = act.case.report
    if body.called_at > act.at + timedelta(minutes=5):
        raise invalid("in-future", "The call cannot be later than now.", "/body/called_at")
    if act.in_reply_to is None:
        act.in_reply_to = _rung_about(act)
    asked = act.session.get(Message, act.in_reply_to) if act.in_reply_to else None
    if asked is not None and asked.case_id != act.case.id:
        if not of_alias(act, asked.id):
            asked = None
        act.replies_to_alias = asked is not None
    if asked is not None:
        act.audience = audiences.narrower(act.audience, asked.audience)
    about_report = report is not None and act.in_reply_to == report.message_id
    if about_report and report is not None and report.reporter == act.unit:
        _call_about_report(act, report, body)
    elif body.outcome in ("taken", "refused") and about_report:
        raise conflict(
            "reporter-says",
            "What police did with the report is put down by the unit that reported it.",
        )
    elif body.outcome == "taken":
        raise conflict(
            "call-moves-nothing",
            "A call moves no lead: choose “I told them”. Their answer comes by the hub, a guest"
            " link or a signed reply.",
        )
    told = _told(act, body)
    if told is not None and asked is not None and asked.sender_unit_id in act.actor.unit_ids:
        message_id = asked.id
        if act.session.get(Recipient, (message_id, told)) is None:
            raise invalid(
                "not-a-recipient", "That message was not sent to this unit: name one that it was.",
                "/body/unit",
            )  # fmt: skip
        note(act, message_id, told, "told-by-telephone")
        act.later(lambda: _start_clocks(act, message_id, told, about_report=about_report))


def _rung_about(act: Act) -> UUID | None:
    """Return the open question of this very unit that a call is about, where it names none."""
    episode, report = act.case.episode, act.case.report
    if episode is not None and act.case.parties[act.unit].part == ADJUDICATOR:
        return episode.direction_message
    if episode is not None and episode.lead == act.unit and episode.request_message is not None:
        return episode.request_message
    return report.message_id if report is not None and report.reporter == act.unit else None


def _call_about_report(act: Act, report: OpenReport, body: contracts.TelephoneRecord) -> None:
    event = {"taken": "taken", "refused": "refused"}.get(body.outcome, "told-to-wait")
    state = step(report, cast(reporting.Event, event))
    act.later(lambda: settle(act, report, state))
    if body.outcome in ("taken", "refused"):
        # Whoever is asked to decide off the hub says so by telephone.
        meet(act, None, "report-outcome", "supervisor-decision")
    if body.outcome == "refused":
        # At once to the responsible authority and the force's duty inspector (4.2).
        act.priority = "urgent"
        tell(act, authorities(act) | {report.addressed})
        tell_duty_inspector(act, report.addressed)


def _told(act: Act, body: contracts.TelephoneRecord) -> UUID | None:
    """Return the unit that was rung about the message: named, or the one that cannot be reached."""
    case = act.case
    if body.unit is not None:
        return unit_named(act.session, body.unit, "/body/unit", act.at).unit_id
    if case.episode is not None and act.in_reply_to == case.episode.request_message:
        return case.episode.request_to
    if case.episode is not None and act.in_reply_to == case.episode.direction_message:
        return case.episode.direction_to
    if case.report is not None and act.in_reply_to == case.report.message_id:
        return case.report.addressed
    asked = list(
        act.session.scalars(
            select(InformationRequest.to_unit_id).where(
                InformationRequest.case_id == case.id,
                InformationRequest.message_id == act.in_reply_to,
                InformationRequest.state == "open",
            )
        )
    )
    asked += act.session.scalars(
        select(Clock.owed_by_unit_id)
        .where(
            Clock.message_id == act.in_reply_to,
            Clock.case_id == case.id,
            Clock.kind.in_(
                ("meeting-reply", "meeting-reply-urgent", "meeting-action", "live-line")
            ),
            Clock.started_at.is_(None),
            Clock.ended_at.is_(None),
            Clock.owed_by_unit_id.is_not(None),
        )
        .distinct()
    )
    away = [unit for unit in asked if not reachable(act, unit)]
    return away[0] if len(away) == 1 else None


def _start_clocks(act: Act, message_id: UUID, unit: UUID, *, about_report: bool) -> None:
    """Start the clocks of a request that waited for the telephone (4.5).

    Of a report that runs by what it was passed on with, or what was added to it since.
    """
    of_message = Clock.message_id == message_id
    if about_report:
        outcome = and_(Clock.case_id == act.case.id, Clock.kind == "report-outcome")
        of_message = or_(of_message, outcome)
    waiting = act.session.execute(
        select(Clock.id, Clock.kind, CaseAction.due_at, MeetingInvitation.starts_at)
        .outerjoin(MeetingInvitation, MeetingInvitation.message_id == Clock.message_id)
        .outerjoin(CaseAction, CaseAction.id == Clock.action_id)
        .where(
            of_message,
            Clock.owed_by_unit_id == unit,
            Clock.started_at.is_(None),
            Clock.met_at.is_(None),
            Clock.ended_at.is_(None),
        )
    ).all()
    needed_by = act.session.get_one(Message, message_id).reply_due_at
    for row in waiting:
        by = row.due_at or row.starts_at or needed_by
        due = clocks.due_once_told(row.kind, act.at, act.settings(unit), by)
        act.session.execute(
            update(Clock)
            .where(Clock.id == row.id)
            .values(started_at=act.at, due_at=due, escalates_at=due)
        )
    if not act.session.scalar(
        select(Clock.id)
        .where(
            Clock.message_id == message_id,
            Clock.started_at.is_(None),
            Clock.met_at.is_(None),
            Clock.ended_at.is_(None),
        )
        .limit(1)
    ):
        meet(act, message_id, *clocks.TO_RING)


def choices(now: Choosing) -> Choices:
    """Who reported, or offered the lead, may have rung."""
    episode, report = now.case.episode, now.case.report
    if episode is None and report is not None and report.reporter in now.mine:
        yield Action("telephone-record", report.message_id)
    if episode and episode.request_message and now.may("lead-transfer-withdraw"):
        yield Action("telephone-record", episode.request_message)


def known_call(known: Knowing) -> dict[str, Any]:
    """Take it that the call was just now."""
    return {"called_at": known.now.isoformat()}
