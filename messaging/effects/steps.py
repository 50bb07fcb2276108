"""What the effects of several types do alike, on an Act."""

from datetime import timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import Table, update
from sqlalchemy.dialects.postgresql import insert as upsert

from hub.errors import HubError, conflict
from hub.identity.reach import reach
from hub.organisations import lineage
from messaging import reporting
from messaging.model import (
    Clock,
    Receipt,
    Report,
)
from messaging.sending import Act, receipt, unit_named
from messaging.state import OpenEpisode, OpenReport, PartyUnit

ON_DUTY = timedelta(hours=8)


def authorities(act: Act) -> set[UUID]:
    """Return the responsible authorities of the case."""
    return {u for u, party in act.case.parties.items() if party.part == "responsible-authority"}


def tell(act: Act, units: set[UUID]) -> None:
    """Send to these parties too, whomever the sender named."""
    for unit in units:
        act.to.setdefault(unit, act.case.parties[unit])


def tell_duty_inspector(act: Act, unit: UUID) -> None:
    """Send to the whole force of a unit too: whoever is its duty inspector has it (4.2)."""
    force = lineage(act.session, unit)[-1]
    act.to.setdefault(
        force, act.case.parties.get(force) or unit_named(act.session, str(force), "/to", act.at)
    )


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
    row = receipt(message_id, act.unit, "answered", act.at, act.actor)
    act.later(
        lambda: act.session.execute(
            upsert(cast(Table, Receipt.__table__)).values(row).on_conflict_do_nothing()
        )
    )


def end_clocks(act: Act, *, keep_opened: bool = False) -> None:
    """End what still runs in the case; those by which messages are to be opened may stay."""
    running = update(Clock).where(
        Clock.case_id == act.case.id, Clock.met_at.is_(None), Clock.ended_at.is_(None)
    )
    if keep_opened:
        running = running.where(Clock.kind.not_in(("opened", "opened-urgent", "opened-request")))
    act.session.execute(running.values(ended_at=act.at))


def meet(act: Act, message_id: UUID | None, *kinds: str) -> None:
    """Stop clocks as met: of one message, or of the whole case."""
    query = update(Clock).where(
        Clock.case_id == act.case.id,
        Clock.kind.in_(kinds),
        Clock.met_at.is_(None),
        Clock.ended_at.is_(None),
    )
    if message_id is not None:
        query = query.where(Clock.message_id == message_id)
    act.session.execute(query.values(met_at=act.at))


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
        if party.police and party.full and unit != act.unit
    }
