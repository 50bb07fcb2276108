"""What messaging may ask of the directory: numbers to ring, mailboxes, units to address."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from directory import ladder, letters, reading, search
from directory.contact_rules import dialled
from directory.ladder import Need, Place, Reader
from directory.lookup import Answer, Asked
from directory.mailboxes import VerifiedMailbox, verified_mailbox
from directory.model import MAILBOX_CHANNELS, ContactPoint
from directory.on_duty import Door, Plan, doors, plan, step_up
from directory.placed import Placed, home_of, is_bank_holiday, place_of
from directory.snapshot import Area, Unit
from hub.clock import LONDON
from hub.errors import HubError
from hub.organisations import Unit as UnitRow

__all__ = [
    "PURPOSES",
    "Door",
    "Need",
    "Number",
    "Placed",
    "Plan",
    "UnitFound",
    "VerifiedMailbox",
    "contacts_for_unit",
    "doors",
    "find_units",
    "home_of",
    "is_bank_holiday",
    "mail_came_back",
    "meeting_mailbox",
    "nudge_mailbox",
    "nudge_mailboxes",
    "place_of",
    "plan",
    "step_up",
    "unit_for_address",
    "verified_mailbox",
]


@dataclass(frozen=True)
class Number:
    """A number to ring: as written, as dialled, whose it is, and what to know before ringing."""

    value: str
    dial: str
    label: str
    note: str
    open: bool
    verified: bool


@dataclass(frozen=True)
class UnitFound:
    """A unit that a message can be addressed to."""

    id: UUID
    code: str
    name: str
    organisation: str
    detail: str = ""
    lad_code: str | None = None


PURPOSES = {
    "missing-children-team": "Missing-children team",
    "coordinator": "Coordinator",
    "duty-inspector": "Duty inspector",
    "control-room": "Control room",
    "switchboard-from-outside": "Switchboard, from anywhere",
    "non-emergency": "Police non-emergency",
    "emergency": "Emergency",
    "placement": "Placements",
    "meeting": "Meetings",
    "national-advice": "National advice",
    "helpline": "Helpline",
    "anonymous-information": "Information without a name",
    "media": "Press office",
    "general": "General enquiries",
    "childrens-social-care": "Children’s social care",
    "edt": "Emergency duty team",
    "mash": "MASH (multi-agency safeguarding hub)",
}


def contacts_for_unit(
    unit_id: UUID, need: Need, now: datetime, *, police: bool, status: str
) -> list[Number]:
    """Return whom to ring at a unit now, first choice first; a police unit always has a last rung."""
    here = reading.lookup()
    unit = here.snapshot.units.get(unit_id)
    if unit is None:
        return []
    audiences = {"public", "professional"} | ({"police"} if police else set())
    reader = Reader(frozenset(audiences), "exercise" if status == "exercise" else "actual")
    if unit.organisation.kind == "local-authority":
        need = "child-social-care"
    answer = here.answer(Asked(unit=unit.code), (need,), reader, now)
    if not isinstance(answer, Answer):
        return []
    one = answer.ladders[need]
    first = [one.call_now] if one.call_now else []
    rungs = [*first, *(rung for rung in one.rungs if rung.callable)]
    once: dict[str | None, ladder.Rung] = {}
    for rung in rungs:
        once.setdefault(rung.value, rung)
    return [_number(rung) for rung in once.values()]


def _number(rung: ladder.Rung) -> Number:
    value = rung.value or ""
    notes = [f"Connects {rung.connects}" if rung.connects else "", rung.note or ""]
    if rung.verification != "standard":
        notes += rung.standing.words(value)
    said = [note.rstrip(".") for note in notes if note]
    return Number(
        value,
        dialled(value),
        f"{PURPOSES.get(rung.purpose, rung.purpose)}, {rung.unit}",
        ". ".join(note[:1].upper() + note[1:] for note in said),
        rung.open,
        rung.verification == "verified",
    )


def nudge_mailbox(session: Session, unit_id: UUID, status: str, now: datetime) -> str | None:
    """Return the mailbox that is told of new messages: the missing-children team's, or the unit's.

    One that mail came back from is the last to be tried.
    """
    return next(iter(nudge_mailboxes(session, unit_id, status, now)), None)


def nudge_mailboxes(session: Session, unit_id: UUID, status: str, now: datetime) -> Sequence[str]:
    """Return the mailboxes that may be told of new messages, the one that is first."""
    today = now.astimezone(LONDON).date()
    return session.scalars(
        select(ContactPoint.value)
        .join(UnitRow, UnitRow.id == ContactPoint.unit_id)
        .where(
            or_(
                UnitRow.id == unit_id,
                (UnitRow.parent_id == unit_id) & (UnitRow.kind == "missing-children-team"),
            ),
            ContactPoint.status == ("exercise" if status == "exercise" else "actual"),
            ContactPoint.channel.in_(MAILBOX_CHANNELS),
            or_(ContactPoint.valid_to.is_(None), ContactPoint.valid_to > today),
            ContactPoint.verification != "suggested",
        )
        .order_by(
            ContactPoint.bounced_at.is_not(None),
            ContactPoint.purpose != "missing-children-team",
            UnitRow.id != unit_id,
            ContactPoint.purpose == "duty-inspector",
            ContactPoint.priority,
            ContactPoint.id,
        )
    ).all()


def mail_came_back(session: Session, address: str, now: datetime) -> None:
    """Flag a mailbox that refused a mail for good, so that its editors and its readers see it."""
    letters.flag(session, address, now)


def meeting_mailbox(session: Session, unit_id: UUID, status: str, now: datetime) -> str | None:
    """Return where a unit is invited to a meeting: its mailbox for it, else where it is nudged.

    The unit's own comes first, then that of the missing-children team right below it (DOMAIN.md 5).
    """
    today = now.astimezone(LONDON).date()
    found = session.scalar(
        select(ContactPoint.value)
        .join(UnitRow, UnitRow.id == ContactPoint.unit_id)
        .where(
            or_(
                UnitRow.id == unit_id,
                (UnitRow.parent_id == unit_id) & (UnitRow.kind == "missing-children-team"),
            ),
            ContactPoint.status == ("exercise" if status == "exercise" else "actual"),
            ContactPoint.channel.in_(MAILBOX_CHANNELS),
            ContactPoint.purpose == "meeting",
            or_(ContactPoint.valid_to.is_(None), ContactPoint.valid_to > today),
            ContactPoint.verification != "suggested",
        )
        .order_by(UnitRow.id != unit_id, ContactPoint.priority, ContactPoint.id)
        .limit(1)
    )
    return found or nudge_mailbox(session, unit_id, status, now)


def unit_for_address(text: str, now: datetime) -> UnitFound | None:
    """Return the police unit of a postcode or district: the BCU where it is known, else the force."""
    answer = _answer(text, now)
    unit = _addressee(answer.place) if answer else None
    return _found(unit, answer.area) if answer and unit else None


def _answer(text: str, now: datetime) -> Answer | None:
    try:
        answer = reading.lookup().answer(Asked(q=text), ("report-missing",), Reader(), now)
    except HubError:
        return None
    return answer if isinstance(answer, Answer) else None


def find_units(
    text: str, now: datetime, *, kinds: Collection[str] = ("police",), limit: int = 10
) -> list[UnitFound]:
    """Return units that a text may mean: by postcode, district, force, council or their own name.

    They are of organisations of these kinds; of a council it is the children's social care team.
    """
    snapshot = reading.lookup().snapshot
    found: dict[UUID, UnitFound] = {}

    def keep(unit: Unit | None, area: Area | None = None) -> None:
        if unit is not None and unit.organisation.kind in kinds:
            found.setdefault(unit.id, _found(unit, area))

    def team(council_id: UUID | None) -> Unit | None:
        council = snapshot.organisations.get(council_id) if council_id else None
        return snapshot.by_code.get(f"{council.code}/childrens-social-care") if council else None

    answer = _answer(text, now)
    if answer is not None:
        keep(_addressee(answer.place), answer.area)
        keep(team(answer.place.council.id if answer.place.council else None), answer.area)
    for one in search.search(snapshot, text, 30):
        target = one.target
        if isinstance(target, Area):
            keep(snapshot.bcu_of(target) or snapshot.force_unit(target.force_id), target)
            keep(team(target.csa_id), target)
        elif isinstance(target, Unit):
            keep(target)
        elif target.kind == "local-authority":
            keep(team(target.id))
        elif target.kind == "police":
            unit = snapshot.force_unit(target.id)
            for below in snapshot.children.get(unit.id, ()) if unit else ():
                if below.kind == "bcu":
                    keep(below)
            keep(unit)
        else:
            for unit in snapshot.units.values():
                if unit.organisation.id == target.id:
                    keep(unit)
    return list(found.values())[:limit]


def _addressee(place: Place) -> Unit | None:
    return place.bcu or place.force_unit


def _found(unit: Unit, area: Area | None = None) -> UnitFound:
    return UnitFound(
        unit.id, unit.code, unit.name, unit.organisation.name,
        f"answers for {area.name}" if area else "", area.code if area else None,
    )  # fmt: skip
