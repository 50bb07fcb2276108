"""Strategy meetings: called, changed, cancelled; replied to by person; recorded (DOMAIN.md 8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import select, text, update

from hub.db import new_id
from hub.errors import invalid
from hub.jobs import outbox
from messaging import clocks, contracts, lead, meetings
from messaging.act import Act
from messaging.choices import Action, Choices, Choosing, Knowing
from messaging.contracts import Command
from messaging.effects.meeting_rows import (
    REPLY_CLOCKS,
    attendees_of,
    end_clocks,
    first_message,
    found_meeting,
    messages_of,
    write_reply,
)
from messaging.effects.steps import reachable
from messaging.meeting_model import Meeting, MeetingAttendee, MeetingReply
from messaging.model import Clock
from messaging.sending import THE_HUB, everyone, unit_named
from messaging.state import ADJUDICATOR, CaseState, PartyUnit

AN_HOUR = timedelta(hours=1)
LONGEST = timedelta(hours=24)
CALENDAR_JOB = "meeting-calendar"


@dataclass(frozen=True)
class Invited:
    """A unit that is asked, in its role."""

    unit: PartyUnit
    role: str


def invitation(act: Act) -> None:
    """Call a meeting, change it, or call it off: each unit is asked for a named person."""
    body = cast(contracts.StrategyMeetingInvitation, act.body)
    act.to_all = False
    if body.meeting_act == "new":
        act.in_reply_to = None
        _call(act, body)
        return
    meeting = found_meeting(act)
    convenor = act.case.standing(meeting.convenor_unit_id)
    if act.actor != THE_HUB and convenor not in act.case.mine(act.actor):
        raise lead.Refused("not-convenor")
    act.unit = convenor
    meetings.may_reply(meeting.state, meeting.starts_at, act.at)
    act.in_reply_to = first_message(act, meeting)
    if body.meeting_act == "cancel":
        _cancel(act, meeting)
    else:
        _change(act, body, meeting)


def _times(act: Act, body: contracts.StrategyMeetingInvitation) -> tuple[datetime, datetime]:
    starts_at = cast(datetime, body.starts_at)  # the contract needs it
    ends_at = body.ends_at or starts_at + AN_HOUR
    if starts_at <= act.at:
        raise invalid("in-past", "This must be later than now.", "/body/starts_at")
    if ends_at - starts_at > LONGEST:
        raise invalid("meeting-too-long", "A meeting ends within a day.", "/body/ends_at")
    return starts_at, ends_at


def _call(act: Act, body: contracts.StrategyMeetingInvitation) -> None:
    starts_at, ends_at = _times(act, body)
    invited = _invited(act, body)
    meeting_id = new_id()
    _address(act, [one.unit for one in invited.values()])
    act.insert(
        "meeting",
        {
            "id": meeting_id, "case_id": act.case.id, "convenor_unit_id": act.unit,
            "sequence": 0, "starts_at": starts_at, "ends_at": ends_at, "opened_at": act.at,
        },
    )  # fmt: skip
    _note_invitation(act, meeting_id, 0, "new", starts_at, ends_at)
    for one in invited.values():
        _ask(act, meeting_id, one, starts_at, new=True)
    _convenor_comes(act, meeting_id, str(body.convenor))
    _record_due(act, ends_at)


def _change(act: Act, body: contracts.StrategyMeetingInvitation, meeting: Meeting) -> None:
    """Change a meeting: another time asks everyone again, and what stands otherwise stays.

    A unit that is no longer asked is told so by its calendar; only where it sees the case whole is it
    sent the change (4.8).
    """
    starts_at, ends_at = _times(act, body)
    invited = _invited(act, body)
    again = meetings.asks_again(meeting.starts_at, starts_at)
    before = attendees_of(act, meeting)
    dropped = [
        one
        for unit, one in before.items()
        if unit not in invited and not one.dropped_at and unit != act.unit
    ]
    parties = [act.case.parties.get(one.unit_id) for one in dropped]
    whole = [party for party in parties if party is not None and party.full]
    _address(act, [*(one.unit for one in invited.values()), *whole])
    ids = messages_of(act, meeting)
    if again:
        _end_reply_clocks(act, ids)
        act.later(lambda: _forget_replies(act, meeting.id))
    else:
        act.later(lambda: _carry_reply_clocks(act, ids))
    for one in dropped:
        _end_reply_clocks(act, ids, one.unit_id)
    sequence = meeting.sequence + 1
    act.later(
        lambda: act.session.execute(
            update(Meeting)
            .where(Meeting.id == meeting.id)
            .values(sequence=sequence, starts_at=starts_at, ends_at=ends_at)
        )
    )
    _note_invitation(act, meeting.id, sequence, "change", starts_at, ends_at)
    for one in dropped:
        _drop(act, one, sequence)
    if act.unit in before and act.unit not in invited:
        _reask(act, before[act.unit], "convenor", sequence)
    for unit, asked in invited.items():
        known = before.get(unit)
        if known is None:
            _ask(act, meeting.id, asked, starts_at, new=True)
            continue
        _reask(act, known, asked.role, sequence)
        if again or known.dropped_at:
            _ask(act, meeting.id, asked, starts_at, new=False)
    if again:
        _convenor_comes(act, meeting.id, str(body.convenor))
    end_clocks(act, ids, ("meeting-record",))
    _record_due(act, ends_at)


def _cancel(act: Act, meeting: Meeting) -> None:
    attendees = [one for one in attendees_of(act, meeting).values() if not one.dropped_at]
    _address(
        act,
        [act.case.parties[a.unit_id] for a in attendees if a.unit_id in act.case.parties],
    )
    end_clocks(act, messages_of(act, meeting), (*REPLY_CLOCKS, "meeting-record"))
    sequence = meeting.sequence + 1
    _note_invitation(act, meeting.id, sequence, "cancel", meeting.starts_at, meeting.ends_at)
    act.later(
        lambda: act.session.execute(
            update(Meeting)
            .where(Meeting.id == meeting.id)
            .values(state="cancelled", sequence=sequence)
        )
    )
    for one in attendees:
        _mail(act, one.id, sequence)


def call_off(act: Act, joined: Mapping[UUID, str]) -> None:
    """Have the hub call off what was to be met about in a case that closes, calendars too.

    So it does in the cases that were joined to it.
    """
    words = {"meeting_act": "cancel", "why_changed": "The case is closed."}
    for case_id, reference in {act.case.id: None, **joined}.items():
        for row in act.session.execute(_MEETINGS, {"case": case_id}):
            if act.at >= row.starts_at:
                continue
            cancel = Command(type="strategy-meeting-invitation", in_reply_to=row.latest, body=words)
            convenor = act.case.standing(row.convenor_unit_id)
            act.send_further(cancel, convenor, THE_HUB, reference)


def _invited(act: Act, body: contracts.StrategyMeetingInvitation) -> dict[UUID, Invited]:
    """Return whom each row asks: the unit that it names, or the party that has its role.

    Raises:
        HubError: 422 `attendee-unnamed`, `attendee-twice`, `unit-unknown`, at the row.
    """
    found: dict[UUID, Invited] = {}
    for index, row in enumerate(body.attendees):
        pointer = f"/body/attendees/{index}/unit"
        if row.unit:
            named = unit_named(act.session, row.unit, pointer, act.at)
            unit = act.case.parties.get(named.unit_id, named)
        else:
            party = role_holder(act.case, row.role)
            if party is None:
                raise invalid(
                    "attendee-unnamed",
                    "No one party has this role: name the unit by its code.", pointer,
                )  # fmt: skip
            unit = act.case.parties[party]
        if row.role in meetings.CHAIRS and not unit.police:
            raise invalid("attendee-police", "Name a police unit for this role.", pointer)
        if unit.unit_id in found:
            raise invalid("attendee-twice", "This unit is named already.", pointer)
        found[unit.unit_id] = Invited(unit, row.role)
    return found


def role_holder(case: CaseState, role: str) -> UUID | None:
    """Return the party that fills a role in a meeting, or None where the sender names it."""
    parties = [
        meetings.Party(unit, party.part, party.police)
        for unit, party in case.parties.items()
        if case.takes_part(unit) and unit not in case.heirs and party.part != ADJUDICATOR
    ]
    home = case.standing(case.home) if case.home else None
    leads = case.episode.lead if case.episode else None
    return cast(UUID | None, meetings.unit_for(role, parties, home=home, lead=leads))


def _address(act: Act, invited: list[PartyUnit]) -> None:
    """Send to the statutory parties, and to whoever is asked."""
    act.to |= everyone(act)
    for unit in invited:
        act.to.setdefault(unit.unit_id, unit)
    urgent = act.command.priority == "urgent"
    act.priority = "urgent" if urgent else "routine"


def _note_invitation(
    act: Act, meeting_id: UUID, sequence: int, what: str, starts_at: datetime, ends_at: datetime
) -> None:
    act.insert(
        "meeting_invitation",
        {
            "message_id": act.message_id, "meeting_id": meeting_id, "case_id": act.case.id,
            "sequence": sequence, "act": what, "starts_at": starts_at, "ends_at": ends_at,
        },
    )  # fmt: skip


def _ask(act: Act, meeting_id: UUID, invited: Invited, starts_at: datetime, *, new: bool) -> None:
    """Ask a unit for a named person, by a clock; the convenor's own unit is not asked."""
    unit = invited.unit.unit_id
    if new:
        row = {
            "id": new_id(), "meeting_id": meeting_id, "unit_id": unit, "role": invited.role,
            "asked_at": act.at,
        }  # fmt: skip
        act.insert("meeting_attendee", row)
        _mail(act, cast(UUID, row["id"]), 0)
    if unit == act.unit:
        return
    urgent = act.priority == "urgent"
    due = meetings.reply_due(act.at, starts_at, urgent=urgent, settings=act.settings(unit))
    act.reply_due_at = due
    act.clock(meetings.reply_kind(urgent), unit, started=reachable(act, unit), due=due)


def _reask(act: Act, attendee: MeetingAttendee, role: str, sequence: int) -> None:
    def write() -> None:
        attendee.role, attendee.dropped_at = role, None
        act.session.flush()

    act.later(write)
    _mail(act, attendee.id, sequence)


def _drop(act: Act, attendee: MeetingAttendee, sequence: int) -> None:
    def write() -> None:
        attendee.dropped_at = act.at
        act.session.flush()

    act.later(write)
    _mail(act, attendee.id, sequence)


def _mail(act: Act, attendee_id: UUID, sequence: int) -> None:
    """Have a worker mail the calendar entry as it then stands; the queue holds ids alone (4.11)."""
    act.later(
        lambda: outbox.enqueue(
            act.session, CALENDAR_JOB, attendee_id, now=act.at,
            dedupe_key=f"{CALENDAR_JOB}:{attendee_id}:{act.message_id}:{sequence}",
        )
    )  # fmt: skip


def _convenor_comes(act: Act, meeting_id: UUID, convenor: str) -> None:
    """Take it that who convenes comes: their unit is not asked again."""

    def write() -> None:
        attendee = act.session.scalar(
            select(MeetingAttendee).where(
                MeetingAttendee.meeting_id == meeting_id, MeetingAttendee.unit_id == act.unit
            )
        )
        if attendee is None:
            attendee = MeetingAttendee(
                meeting_id=meeting_id, unit_id=act.unit, role="convenor", asked_at=act.at
            )
            act.session.add(attendee)
            act.session.flush()
            outbox.enqueue(act.session, CALENDAR_JOB, attendee.id, now=act.at)
        write_reply(act, meeting_id, convenor, "attending")

    act.later(write)


def _forget_replies(act: Act, meeting_id: UUID) -> None:
    act.session.execute(
        update(MeetingReply)
        .where(MeetingReply.meeting_id == meeting_id, MeetingReply.superseded_at.is_(None))
        .values(superseded_at=act.at)
    )


def _record_due(act: Act, ends_at: datetime) -> None:
    """Let the convenor owe the record, from the meeting's end."""
    due = clocks.due("meeting-record", ends_at, act.settings(act.unit))
    act.insert(
        "clock",
        {
            "id": new_id(), "case_id": act.case.id, "kind": "meeting-record",
            "message_id": act.message_id, "owed_by_unit_id": act.unit, "started_at": ends_at,
            "due_at": due, "escalates_at": due,
        },
    )  # fmt: skip


def _end_reply_clocks(act: Act, ids: list[UUID], unit: UUID | None = None) -> None:
    end_clocks(act, ids, REPLY_CLOCKS, unit)


def _carry_reply_clocks(act: Act, ids: list[UUID]) -> None:
    """Let the clocks of replies that are still owed go on, by the invitation that stands now."""
    act.session.execute(
        update(Clock)
        .where(
            Clock.message_id.in_(ids),
            Clock.kind.in_(REPLY_CLOCKS),
            Clock.met_at.is_(None),
            Clock.ended_at.is_(None),
        )
        .values(message_id=act.message_id)
    )


_MEETINGS = text("""
SELECT m.id, m.starts_at, m.state, m.convenor_unit_id,
    (SELECT i.message_id FROM meeting_invitation i WHERE i.meeting_id = m.id
        ORDER BY i.sequence DESC LIMIT 1) AS latest,
    ARRAY(SELECT a.unit_id FROM meeting_attendee a WHERE a.meeting_id = m.id
        AND a.dropped_at IS NULL) AS asked
FROM meeting m WHERE m.case_id = :case AND m.state = 'called' ORDER BY m.starts_at, m.id
""")


def choices(now: Choosing) -> Choices:
    """Who was asked replies; who convenes changes, cancels and records; a party calls one."""
    rows = now.session.execute(_MEETINGS, {"case": now.case.id}).all()
    for row in rows:
        before = now.case.at < row.starts_at
        if before and now.may("strategy-meeting-reply") and set(row.asked) & set(now.mine):
            yield Action("strategy-meeting-reply", row.latest)
        if now.case.standing(row.convenor_unit_id) not in now.mine:
            continue
        if before and now.may("strategy-meeting-invitation"):
            yield Action("strategy-meeting-invitation", row.latest)
        if not before and now.may("strategy-meeting-record"):
            yield Action("strategy-meeting-record", row.latest)
    if now.case.closed_at is None and now.may("strategy-meeting-invitation"):
        yield Action("strategy-meeting-invitation")


def known_invitation(known: Knowing) -> dict[str, Any]:
    """Fill in the meeting that is changed; of a new one, who convenes and the parties' roles."""
    if known.answered:
        return {**known.answered, "meeting_act": "change", "why_changed": None}
    found = []
    for role in (*meetings.CHAIRS, *meetings.STATUTORY_ROLES):
        unit = role_holder(known.case, role)
        if unit is not None:
            found.append({"role": role, "unit": str(known.codes.get(unit, unit))})
    rank = known.actor.rank_or_role
    return {
        "meeting_act": "new",
        "convenor": " ".join(part for part in (rank, known.actor.name) if part),
        "attendees": found,
        **known.given("callback_telephone"),
    }
