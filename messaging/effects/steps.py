"""What the effects of several types do alike, on an Act."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import Table, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from hub.clock import LONDON, said
from hub.errors import HubError, conflict, invalid
from hub.identity.actor import Actor
from hub.identity.reach import reach
from hub.organisations import lineage
from messaging import actions, clocks, codes, contracts, match_clocks, reporting
from messaging.act import Act, insert_rows
from messaging.model import (
    Clock,
    InformationRequest,
    LeadRequest,
    LocatedClaim,
    Message,
    Receipt,
    Recipient,
    Report,
    Tenure,
)
from messaging.sending import unit_named
from messaging.state import OpenEpisode, OpenReport, PartyUnit
from messaging.writing import receipt

LONGEST_DUTY = timedelta(hours=16)
LEAD_CLOCKS = ("lead-urgent", "lead-routine")
REVIEWS = ("review-high", "review-medium", "review-low")
LEADS = ("ukmpu", *REVIEWS, "located-answer", match_clocks.KIND)
"""What the lead owes, whoever leads."""


def authorities(act: Act) -> set[UUID]:
    """Return the responsible authorities of the case: a council that was asked something is none."""
    return {
        act.case.standing(u)
        for u, party in act.case.parties.items()
        if party.part == "responsible-authority" and act.case.takes_part(u)
    }


def tell(act: Act, units: set[UUID]) -> None:
    """Send to these parties too, whomever the sender named."""
    for unit in units:
        act.to.setdefault(unit, act.case.parties[unit])


def tell_duty_inspector(act: Act, unit: UUID) -> None:
    """Send to the whole force of a unit too, where that is on the hub, or else to the unit (4.2).

    Whoever is its duty inspector is mailed besides (actors.py).
    """
    force = lineage(act.session, unit)[-1]
    if not reachable(act, force):
        force = unit
    act.to.setdefault(
        force, act.case.parties.get(force) or unit_named(act.session, str(force), "/to", act.at)
    )


def send_on(act: Act, message_id: UUID, unit: UUID) -> None:
    """Let a unit that this message is sent to be one of those that an earlier one was sent to."""
    row = {"message_id": message_id, "unit_id": unit, "case_id": act.case.id,
           "reach": act.reach[unit]}  # fmt: skip
    new = act.session.scalar(
        upsert(cast(Table, Recipient.__table__))
        .values(row)
        .on_conflict_do_nothing()
        .returning(Recipient.unit_id)
    )
    if new is not None and act.reach[unit] == "staffed":
        insert_rows(act.session, "receipt", [receipt(message_id, unit, "delivered", act.at, None)])


def open_episode(act: Act) -> OpenEpisode:
    """Return the open episode.

    Raises:
        HubError: 409 `episode-ended` when there is none.
    """
    if act.case.episode is None:
        raise conflict("episode-ended", "No episode is open in this case.")
    return act.case.episode


def note_answered(act: Act, message_id: UUID) -> None:
    """Put on the answered message that this unit answered it, where it was a recipient."""
    note(act, message_id, act.unit, "answered")


def note(act: Act, message_id: UUID, unit: UUID, kind: str) -> None:
    """Put a fact on a message that a unit, or one in whose place it stands, was sent."""
    units = [unit]
    forerunners = [old for old, heir in act.case.heirs.items() if heir == unit]
    if forerunners:
        units = list(
            act.session.scalars(
                select(Recipient.unit_id).where(
                    Recipient.message_id == message_id,
                    Recipient.unit_id.in_([unit, *forerunners]),
                )
            )
        )
    rows = [receipt(message_id, one, kind, act.at, act.actor) for one in units]
    if rows:
        act.later(
            lambda: act.session.execute(
                upsert(cast(Table, Receipt.__table__)).values(rows).on_conflict_do_nothing()
            )
        )


def of_alias(act: Act, message_id: UUID) -> bool:
    """Say whether a question came here with the case in which it was asked (4.10)."""
    return (
        act.session.scalar(
            select(InformationRequest.id)
            .join(Message, Message.id == InformationRequest.message_id)
            .where(
                InformationRequest.message_id == message_id,
                InformationRequest.case_id == act.case.id,
                Message.case_id != act.case.id,
            )
            .limit(1)
        )
        is not None
    )


def end_clocks(act: Act, *, keep: Collection[str] = ()) -> None:
    """End what still runs in the case, but for some kinds."""
    act.session.execute(
        update(Clock)
        .where(
            Clock.case_id == act.case.id,
            Clock.met_at.is_(None),
            Clock.ended_at.is_(None),
            Clock.kind.not_in(keep),
        )
        .values(ended_at=act.at)
    )


def meet(
    act: Act, message_id: UUID | None, *kinds: str, owed_by: UUID | None = None, met: bool = True
) -> None:
    """Stop clocks as met: of one message, or of the whole case; of one debtor, or of all.

    Not `met`, they end without the debtor having done what they owed.
    """
    query = update(Clock).where(
        Clock.case_id == act.case.id,
        Clock.kind.in_(kinds),
        Clock.met_at.is_(None),
        Clock.ended_at.is_(None),
    )
    if message_id is not None:
        query = query.where(Clock.message_id == message_id)
    if owed_by is not None:
        query = query.where(Clock.owed_by_unit_id == owed_by)
    act.session.execute(query.values(**{"met_at" if met else "ended_at": act.at}))


def on_duty(act: Act, until: datetime | None) -> datetime:
    """Return until when the named officer is on duty: as said, or for a shift, 8 hours by default.

    Raises:
        HubError: 422 `in-past`, or `duty-too-long` beyond 16 hours.
    """
    if until is not None and until <= act.at:
        raise invalid("in-past", "This must be later than now.", "/body/on_duty_until")
    if until is not None and until > act.at + LONGEST_DUTY:
        latest = said(act.at + LONGEST_DUTY)
        raise invalid(
            "duty-too-long",
            f"An officer is on duty for 16 hours at most: until {latest}. Hand over"
            " to the next then.",
            "/body/on_duty_until",
        )
    longest = act.at + LONGEST_DUTY
    return until or min(clocks.due("shift-end", act.at, act.settings(act.unit)), longest)


def review(
    act: Act, risk: str, owed_by: UUID, at: datetime | None = None, pointer: str = ""
) -> datetime | None:
    """Start the clock of the supervisor's next review, in the place of any that runs (6).

    It is due as the risk says, or earlier, where somebody set a time; returns when.

    Raises:
        HubError: 422 `review-at` when that time has gone by, or is later than the risk allows.
    """
    kind = clocks.review_kind(risk)
    latest = clocks.due(kind, act.at, act.settings(owed_by))
    if at is not None and not act.at < at <= latest:
        raise invalid("review-at", f"Review by {said(latest)} at the latest.", pointer)
    meet(act, None, *REVIEWS)
    return act.clock(kind, owed_by, due=at)


def assessed(
    act: Act, body: contracts.MissingEpisodeReport | contracts.Update, review_at: datetime | None
) -> None:
    """Put on a level of risk by which list, by whom and until when it was assessed (7).

    Raises:
        HubError: 422 `list-version` when the sender's list is not the one in force.
    """
    version = codes.risk_list(act.at.astimezone(LONDON).date())
    if body.risk_list_version not in (None, version):
        raise invalid(
            "list-version", f"The list of risks in force is version {version}.",
            "/body/risk_list_version",
        )  # fmt: skip
    actor = act.actor
    who = (actor.rank_or_role, actor.name, actor.collar_number)
    act.body = body.model_copy(
        update={
            "risk_list_version": version,
            "risk_assessor": body.risk_assessor or " ".join(part for part in who if part)[:200],
            "review_at": review_at,
        }
    )


def supervisor_asked(session: Session, case_id: UUID) -> UUID | None:
    """Return the message by which a supervisor was asked to decide on the report, and has not yet."""
    return session.scalar(
        select(Clock.message_id).where(
            Clock.case_id == case_id,
            Clock.kind == "supervisor-decision",
            Clock.met_at.is_(None),
            Clock.ended_at.is_(None),
        )
    )


def supervises(actor: Actor) -> bool:
    """Say whether they act as a supervisor.

    A partner system's supervisors are people of its own, and so are those of a unit without accounts.
    """
    return "supervisor" in actor.roles or actor.kind in ("client", "guest")


def step(report: OpenReport, event: reporting.Event) -> reporting.State:
    """Return the state of a report after an event (DOMAIN.md 4.2).

    Raises:
        HubError: 409 when the report has moved on.
    """
    state = reporting.after(cast(reporting.State, report.state), event)
    if state is None:
        raise HubError("report-way", 409, "The report has moved on: look at the case again.")
    return state


def settle(act: Act, report: OpenReport, state: str, episode_id: UUID | None = None) -> None:
    """Write the state of a report."""
    act.session.execute(
        update(Report)
        .where(Report.id == report.id)
        .values(state=state, state_since=act.at, episode_id=episode_id)
    )


def reachable(act: Act, unit: UUID) -> bool:
    """Say whether a unit is on the hub, and remember it for the receipts."""
    if unit not in act.reach:
        act.reach[unit] = reach(act.session, unit, act.case.status, act.at)
    return act.reach[unit] != "not-on-hub"


def police_parties(act: Act) -> dict[UUID, PartyUnit]:
    """Return the other police units that see the whole case."""
    return {
        unit: party
        for unit, party in act.case.parties.items()
        if party.police and party.full and unit != act.unit and unit not in act.case.heirs
    }


def end_request(act: Act, episode: OpenEpisode, state: str, old: UUID | None = None) -> None:
    """End the open request with this message, and its clock."""
    asked = old or (episode.request_message if state == "directed" else act.in_reply_to)
    act.later(
        lambda: act.session.execute(
            update(LeadRequest)
            .where(LeadRequest.id == episode.request_id)
            .values(
                state=state, answered_at=act.at, answer_message_id=act.message_id,
                answered_by_unit_id=act.unit, answered_by_name=act.actor.name,
            )
        )
    )  # fmt: skip
    answered = state in ("accepted", "declined")
    meet(act, asked, *LEAD_CLOCKS, "opened-urgent", "opened-request", met=answered)
    if answered and asked is not None:
        note_answered(act, asked)
    if state == "withdrawn":
        act.later(
            lambda: match_clocks.start_again(act.session, episode.request_id, act.case.id, act.at)
        )


def move_lead(
    act: Act, episode: OpenEpisode, to: UUID, basis: str, *, officer: str, rank: str | None,
    collar: str | None, until: datetime, supervisor: str | None = None,
) -> None:  # fmt: skip
    """Move the lead at this moment, whole: with what the lead owes, whoever leads (4.1)."""
    own = officer == act.actor.name and to == act.unit
    act.session.execute(update(Tenure).where(Tenure.id == episode.tenure_id).values(until=act.at))
    act.session.add(
        Tenure(
            episode_id=episode.id, number=episode.tenure_number + 1, unit_id=to,
            officer_name=officer,
            officer_rank=rank or (act.actor.rank_or_role if own else None),
            officer_collar=collar or (act.actor.collar_number if own else None),
            on_duty_until=until, supervisor_name=supervisor, since=act.at, basis=basis,
            message_id=act.message_id,
        )
    )  # fmt: skip
    act.session.flush()
    running = (
        Clock.case_id == act.case.id,
        Clock.met_at.is_(None),
        Clock.ended_at.is_(None),
    )
    act.session.execute(
        update(Clock)
        .where(*running, Clock.owed_by_unit_id == episode.lead, Clock.kind.in_(LEADS))
        .values(owed_by_unit_id=to)
    )
    told = reachable(act, to)
    for claim in act.session.scalars(
        select(LocatedClaim.message_id).where(
            LocatedClaim.episode_id == episode.id,
            LocatedClaim.state == "open",
            LocatedClaim.by_unit_id != to,
        )
    ):
        send_on(act, claim, to)  # the new lead confirms or refuses it (4.9)
    if told:
        # What the old lead was never told, since it is not on the hub, the new one sees now.
        due = clocks.due("located-answer", act.at, act.settings(to))
        act.session.execute(
            update(Clock)
            .where(*running, Clock.kind == "located-answer", Clock.started_at.is_(None))
            .values(started_at=act.at, due_at=due, escalates_at=due)
        )
    act.session.execute(
        update(Clock).where(*running, Clock.kind == "shift-end").values(ended_at=act.at)
    )
    act.start_clock("shift-end", to, due=until)
    actions.pass_on(act.session, act.case.id, to)
