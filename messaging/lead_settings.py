"""What an organisation, or the nation, has decided about its clocks and its acceptances (DOMAIN.md 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from hub.errors import FieldProblem, HubError
from hub.identity import policy
from hub.identity.actor import Actor
from hub.records import audit
from hub.records.vault import Vault
from messaging import clocks
from messaging.model import ClockSetting, LeadSetting

LONGEST = 100_000
"""Minutes: some ten weeks."""


@dataclass(frozen=True)
class ClockChoice:
    """Minutes of a kind of clock: by default, as the nation has it, and as the organisation has it."""

    kind: str
    default: int
    nation: int | None
    own: int | None


def asks_supervisor(session: Session, organisation_id: UUID | None) -> bool:
    """Say whether an organisation accepts the lead only with a supervisor's authority."""
    return bool(
        session.scalar(
            select(LeadSetting.supervisor_authorises).where(
                LeadSetting.organisation_id == organisation_id
            )
        )
    )


def clock_choices(session: Session, organisation_id: UUID | None) -> list[ClockChoice]:
    """Return every kind of clock that an organisation, or for None the nation, may decide."""
    rows = session.scalars(
        select(ClockSetting).where(
            ClockSetting.organisation_id.is_(None)
            | (ClockSetting.organisation_id == organisation_id)
        )
    ).all()
    nation = {row.kind: row.minutes for row in rows if row.organisation_id is None}
    own = {row.kind: row.minutes for row in rows if row.organisation_id is not None}
    return [
        ClockChoice(kind, minutes, nation.get(kind), own.get(kind))
        for kind, minutes in clocks.SETTINGS.items()
        if organisation_id is None or kind not in clocks.NATIONAL
    ]


def decide(
    session: Session,
    actor: Actor,
    vault: Vault,
    minutes: Mapping[str, int | None],
    *,
    supervisor_authorises: bool,
    national: bool,
    why: str,
    now: datetime,
) -> int:
    """Set the clocks of the actor's organisation, or the nation's; return how many changed.

    None sets a clock back: to the nation's minutes, or to the default. What runs already runs on.

    Raises:
        HubError: 403 by the map; 422 `minutes`, `why`.
    """
    policy.require(actor, "lead.decide-any" if national else "lead.decide-own")
    organisation = None if national else actor.organisation_id
    before = {
        one.kind: one.nation if national else one.own
        for one in clock_choices(session, organisation)
    }
    problems = [
        FieldProblem(f"/clocks/{kind}", "minutes", f"Give from 1 to {LONGEST} minutes, or nothing.")
        for kind, given in minutes.items()
        if kind not in before or (given is not None and not 1 <= given <= LONGEST)
    ]
    if not why.strip():
        problems.append(FieldProblem("/why", "why", "Say why: it stays on record."))
    if problems:
        raise HubError("invalid", 422, "Some fields are missing or wrong.", fields=problems)
    changed = {kind: given for kind, given in minutes.items() if before[kind] != given}
    for kind, given in changed.items():
        _set(session, kind, organisation, given)
    detail: dict[str, object] = {
        "clocks": {kind: [before[kind], given] for kind, given in changed.items()}
    }
    asked = False
    if organisation is not None:
        asked = asks_supervisor(session, organisation) != supervisor_authorises
        if asked:
            detail["supervisor_authorises"] = supervisor_authorises
            values = {"supervisor_authorises": supervisor_authorises}
            session.execute(
                upsert(cast(Table, LeadSetting.__table__))
                .values(organisation_id=organisation, **values)
                .on_conflict_do_update(index_elements=["organisation_id"], set_=values)
            )
    if changed or asked:
        audit.record(
            session, actor.who, "lead.decide", now=now, object_kind="organisation",
            object_id=organisation or actor.organisation_id, reason=why.strip()[:500],
            detail={"national": national, **detail}, vault=vault,
        )  # fmt: skip
    return len(changed) + asked


def _set(session: Session, kind: str, organisation: UUID | None, minutes: int | None) -> None:
    session.execute(
        delete(ClockSetting).where(
            ClockSetting.kind == kind,
            ClockSetting.organisation_id.is_not_distinct_from(organisation),
        )
    )
    if minutes is not None:
        session.execute(
            upsert(cast(Table, ClockSetting.__table__)).values(
                kind=kind, organisation_id=organisation, minutes=minutes
            )
        )
