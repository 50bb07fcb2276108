"""The end of an episode in error, the end of a case, and a case that is opened again."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import or_, select, text, update

from hub.clock import said
from hub.errors import HubError, conflict, invalid
from hub.identity.actor import Actor
from messaging import aliases, contracts, lead, match_clocks, matching, owing, placements, returning
from messaging.act import Act
from messaging.choices import Action, Choices, Choosing, Knowing
from messaging.effects.ending import end_episode
from messaging.effects.meetings import call_off
from messaging.effects.planning import end_plans
from messaging.effects.steps import end_clocks, meet, open_episode, settle, step
from messaging.meeting_model import Meeting, MeetingInvitation
from messaging.model import Case, Clock, InformationRequest
from messaging.sending import everyone
from messaging.state import CaseState

STEPS = {
    "prevention-interview": "the prevention interview",
    "rhi": "the return home interview",
    "ukmpu": "telling the UK Missing Persons Unit",
}
AGAIN = (
    *returning.STATUTORY, "plan-review", "meeting-record", "meeting-action", "opened",
    "opened-urgent", "opened-request",
)  # fmt: skip
"""Clocks that run on in a case that is opened again; what was asked in it is asked anew."""
ENDS = {
    "located": "located",
    "joined": "joined to another",
    "recorded-in-error": "recorded in error",
}


def closure(act: Act) -> None:
    """Close the case, which is refused while an episode is open, or a statutory step is (8)."""
    body = cast(contracts.Closure, act.body)
    for name in body.COMPUTED:
        if getattr(body, name) is not None:
            raise invalid("computed", "The hub writes this itself: leave it out.", f"/body/{name}")
    returning.ends_on(body.ground)
    incidents = owing.incidents(act.session, act.case.id)
    joined = aliases.joined_to(act.session, act.case.id)
    every = {act.case.reference: incidents} | {
        reference: owing.of_joined(act.session, case_id) for case_id, reference in joined.items()
    }
    try:
        returning.close(one.missing for found in every.values() for one in found)
    except lead.Refused as refused:
        raise _not_yet(act, refused.code, every) from None
    report = act.case.report
    if report is not None:
        if report.state == "awaiting-police" and report.reporter != act.unit:
            raise conflict("report-open", "A report waits for police: record it, or say why not.")
        if report.state == "awaiting-police":
            state = step(report, "returned")
            act.later(lambda: settle(act, report, state))
        meet(act, None, "report-outcome")
    act.body = body.model_copy(update=_written(act, incidents))
    act.to |= everyone(act)
    end_plans(act, placements.of_case(act.session, act.case))
    call_off(act, joined)
    act.later(
        lambda: act.session.execute(
            update(Case).where(Case.id == act.case.id).values(closed_at=act.at)
        )
    )
    act.later(lambda: match_clocks.settle(act.session, act.case.id, act.at, met=False))
    act.later(lambda: end_clocks(act))
    act.later(lambda: _end_joined(act, list(joined)))
    act.later(
        lambda: act.session.execute(
            update(InformationRequest)
            .where(
                InformationRequest.case_id == act.case.id, InformationRequest.state == "open"
            )
            .values(
                state="overtaken", answered_at=act.at, answer_message_id=act.message_id,
                answered_by_unit_id=act.unit, answered_by_name=act.actor.name,
            )
        )
    )  # fmt: skip


def _end_joined(act: Act, joined: list[UUID]) -> None:
    """End what runs in the joined cases."""
    act.session.execute(
        update(Clock)
        .where(
            Clock.case_id.in_(joined),
            Clock.met_at.is_(None),
            Clock.ended_at.is_(None),
        )
        .values(ended_at=act.at)
    )


def _not_yet(act: Act, code: str, every: Mapping[str, list[owing.Incident]]) -> HubError:
    """Return why a case does not close, with every step that is open and what settles it.

    `every` are the episodes by the reference of their case: this one, or one that was joined to it,
    of which a sender who sees this one in part is told whom to ring (4.8).
    """
    if code != "statutory-step-open":
        return conflict(code, "The case cannot be closed while an episode is open.")
    steps = [(of, one) for of, found in every.items() for one in owing.outstanding(found)]
    elsewhere = ""
    if not sees_joined(act.case, act.actor):
        own = [(of, one) for of, one in steps if of == act.case.reference]
        elsewhere = owed_elsewhere(act.case) if len(own) < len(steps) else ""
        steps = own
    names = {unit: party.name for unit, party in act.case.parties.items()}
    said = "; ".join(
        f"{STEPS[one.kind]} of episode {one.episode}"
        + (f" of {of}" if of != act.case.reference else "")
        + (f", owed by {names[one.owed_by]}" if one.owed_by in names else "")
        for of, one in steps
    )
    here = f"The case still owes: {said}. Each needs its record, or the reason why not."
    return conflict(
        code,
        " ".join(part for part in (here if steps else "", elsewhere) if part),
        steps=[
            {
                "step": one.kind,
                "case_reference": of,
                "episode": one.episode,
                "owed_by": str(one.owed_by),
                "due_at": one.due_at.isoformat() if one.due_at else None,
                "settle": {
                    "type": "interview-record",
                    "in_reply_to": str(one.asked_by),
                    "body": {"interview": one.interview},
                }
                if one.interview
                else {"type": "update", "body": {"heading": "ukmpu-told"}},
            }
            for of, one in steps
        ],
    )


def sees_joined(case: CaseState, actor: Actor) -> bool:
    """Say whether somebody is shown what was joined to a case: they see that one whole (4.8)."""
    return any(case.parties[unit].full for unit in case.mine(actor))


def owed_elsewhere(case: CaseState) -> str:
    """Return what others are told of a step of a joined case: that it is owed, and whom to ring."""
    ring = next((unit for unit in (case.last_lead, case.home) if unit in case.parties), case.opener)
    return f"A step of this child is still owed by another unit: ring {case.parties[ring].name}."


def _written(act: Act, incidents: list[owing.Incident]) -> dict[str, Any]:
    """Return what the hub knows of a case that closes: its episodes, who led last, its home."""
    last = act.session.execute(
        text("""
            SELECT u.name, t.officer_name FROM tenure t JOIN episode e ON e.id = t.episode_id
            JOIN unit u ON u.id = t.unit_id
            WHERE e.case_id = :case_id ORDER BY e.number DESC, t.number DESC LIMIT 1
        """),
        {"case_id": act.case.id},
    ).one_or_none()
    home = act.case.parties.get(act.case.home) if act.case.home else None
    return {
        "episodes": [episode_line(one) for one in incidents] or None,
        "final_lead": f"{last.name}, {last.officer_name}"[:200] if last else None,
        "home_unit": home.name if home else None,
    }


def episode_line(one: owing.Incident) -> str:
    """Return an episode in one line: when it began and ended, and how."""
    ended = f"{said(one.ended_at)}, {ENDS.get(one.end_reason or '', '')}" if one.ended_at else ""
    return f"Episode {one.number}: {said(one.opened_at)} to {ended}"


def reopen(act: Act) -> None:
    """Open the case again: it stays on record that it was closed, and what it owed runs again."""
    closed = act.case.closed_at
    if closed is None:
        raise conflict("case-open", "The case is open.")
    act.to |= everyone(act)
    act.later(
        lambda: act.session.execute(
            update(Case).where(Case.id == act.case.id).values(closed_at=None)
        )
    )
    act.later(lambda: matching.again(act.session, act.case))
    called_off = (
        select(MeetingInvitation.message_id)
        .join(Meeting, Meeting.id == MeetingInvitation.meeting_id)
        .where(Meeting.state == "cancelled")
    )
    act.later(
        lambda: act.session.execute(
            update(Clock)
            .where(
                Clock.case_id.in_([act.case.id, *aliases.joined_to(act.session, act.case.id)]),
                Clock.kind.in_(AGAIN),
                Clock.met_at.is_(None),
                Clock.ended_at == closed,
                or_(Clock.kind != "meeting-record", Clock.message_id.not_in(called_off)),
            )
            .values(ended_at=None)
        )
    )


def recorded_in_error(act: Act) -> None:
    """End an episode that never was: a supervisor of the lead says so, and a second person."""
    body = cast(contracts.RecordedInError, act.body)
    episode = open_episode(act)
    returning.ends_on(body.ground)
    if returning.same_person(act.actor.name, body.authorised_by):
        raise invalid(
            "another-authorises",
            "A second person authorises this: name them, not yourself.",
            "/body/authorised_by",
        )
    lead.err(episode.as_rules(), act.unit, act.at)
    act.priority = "urgent"
    act.to |= everyone(act)
    end_episode(act, episode, "recorded-in-error")


def choices(now: Choosing) -> Choices:
    """The case can end between episodes; a supervisor of the lead ends one recorded in error."""
    if now.case.closed_at is not None:
        if now.may("reopen"):
            yield Action("reopen")
        return
    if now.case.episode is not None:
        if now.may("recorded-in-error"):
            yield Action("recorded-in-error")
    elif now.may("closure"):
        yield Action("closure")


def known_closure(known: Knowing) -> dict[str, Any]:
    """Name the reader as who authorises it."""
    return {"authorised_by": known.actor.name}
