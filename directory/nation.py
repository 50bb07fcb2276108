"""The state of the nation: which forces' entries are there, confirmed, overdue or said to be wrong.

Pure, on the directory in memory. Recommendation 13 asks for a directory that is maintained; this is
how it is seen whether it is.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from directory.ladder import VOICE, Reader, visible
from directory.model import MAILBOX_CHANNELS
from directory.snapshot import Contact, Organisation, Snapshot, Unit
from directory.standing import standing

ALL = frozenset({"public", "professional", "police"})
State = Literal["complete", "incomplete", "overdue", "problem", "none"]
STATES: tuple[State, ...] = ("problem", "none", "overdue", "incomplete", "complete")
"""Worst first."""

WANTED = {
    "team-telephone": "team’s telephone",
    "team-mailbox": "team’s mailbox",
    "duty-inspector": "duty inspector",
    "switchboard": "number from outside",
}


@dataclass(frozen=True)
class UnitState:
    """One unit, its team taken with it: what is missing, and what is known against the rest.

    `own` are it and what is taken with it; `to_ask` those of them whose contacts are to be
    confirmed or corrected.
    """

    unit: Unit
    missing: tuple[str, ...]
    contacts: int
    unverified: int
    overdue: int
    suggested: int
    reported: int
    bounced: int
    verified_at: datetime | None
    state: State
    own: tuple[Unit, ...] = ()
    to_ask: tuple[Unit, ...] = ()


@dataclass(frozen=True)
class ForceState:
    """One police service and its units. `share` is how much of what is wanted is there, 0 to 1."""

    force: Organisation
    units: tuple[UnitState, ...]
    state: State
    share: float

    @property
    def open_problems(self) -> int:
        """Contacts that readers reported or that mail came back from."""
        return sum(one.reported + one.bounced for one in self.units)

    @property
    def overdue(self) -> int:
        """Contacts whose confirmation is overdue."""
        return sum(one.overdue for one in self.units)

    @property
    def unverified(self) -> int:
        """Contacts that nobody has confirmed."""
        return sum(one.unverified for one in self.units)

    @property
    def missing(self) -> int:
        """How many contacts that are wanted are not there."""
        return sum(len(one.missing) for one in self.units)

    @property
    def badness(self) -> tuple[int, int, float, str]:
        """Return what puts the worst-kept force first."""
        return (-self.open_problems, -self.overdue, self.share, self.force.name)


def nation(snapshot: Snapshot, at: datetime, status: str = "actual") -> list[ForceState]:
    """Return the 43 territorial forces, by name; in an exercise, as the exercise sees them."""
    forces = [one for one in snapshot.organisations.values() if one.police_kind == "territorial"]
    return [force_state(snapshot, one, at, status) for one in sorted(forces, key=lambda f: f.name)]


def force_state(
    snapshot: Snapshot, force: Organisation, at: datetime, status: str = "actual"
) -> ForceState:
    """Return how one force's entries stand, for actual cases or in an exercise."""
    reader = Reader(ALL, status)
    top = snapshot.force_unit(force.id)
    bcus = sorted(
        (u for u in snapshot.units.values() if u.organisation.id == force.id and u.kind == "bcu"),
        key=lambda unit: unit.name,
    )
    units = tuple(
        _unit_state(snapshot, unit, at, reader, alone=not bcus, top=unit is top)
        for unit in ([top] if top else []) + bcus
    )
    wanted = sum(_wanted(one.unit is top, not bcus) for one in units)
    missing = sum(len(one.missing) for one in units)
    state: State = "none"
    if any(one.contacts for one in units):
        state = next(
            (one for one in STATES if one != "none" and any(u.state == one for u in units)),
            "incomplete",
        )
        if state == "complete" and missing:
            state = "incomplete"
    return ForceState(force, units, state, 1 - missing / wanted if wanted else 0.0)


def _wanted(top: bool, alone: bool) -> int:
    return 4 if top and alone else 2


def _unit_state(
    snapshot: Snapshot, unit: Unit, at: datetime, reader: Reader, *, alone: bool, top: bool
) -> UnitState:
    around = [unit, *snapshot.children.get(unit.id, ())]
    own = tuple(
        one
        for one in around
        if one is unit or one.kind in ("missing-children-team", "control-room")
    )
    found = [
        contact
        for one in own
        for contact in visible(snapshot, one, reader)
        if contact.purpose != "non-emergency"
    ]
    given = [one for one in found if one.verification != "suggested"]
    standings = [standing(one, at) for one in given]
    wanted = []
    if not top or alone:
        wanted += ["team-telephone", "team-mailbox"]
    if top:
        wanted += ["duty-inspector", "switchboard"]
    missing = tuple(name for name in wanted if not any(_is(name, one) for one in given))
    counts = {
        "unverified": sum(one.verification == "unverified" for one in standings),
        "overdue": sum(one.overdue for one in standings),
        "reported": sum(one.reports > 0 for one in standings),
        "bounced": sum(one.bounced for one in standings),
    }
    state: State = "complete"
    if counts["reported"] or counts["bounced"]:
        state = "problem"
    elif not given:
        state = "none"
    elif counts["overdue"]:
        state = "overdue"
    elif missing or counts["unverified"]:
        state = "incomplete"
    asks = {
        contact.unit_id
        for contact, known in zip(given, standings, strict=True)
        if known.verification == "unverified" or known.overdue or known.reports or known.bounced
    }
    return UnitState(
        unit, missing, len(given), counts["unverified"], counts["overdue"],
        len(found) - len(given), counts["reported"], counts["bounced"],
        min((one.verified_at for one in given if one.verified_at), default=None), state, own,
        tuple(one for one in own if one.id in asks),
    )  # fmt: skip


def _is(name: str, contact: Contact) -> bool:
    if name == "team-telephone":
        return contact.purpose == "missing-children-team" and contact.channel in VOICE
    if name == "team-mailbox":
        return contact.purpose == "missing-children-team" and contact.channel in MAILBOX_CHANNELS
    if name == "duty-inspector":
        return contact.purpose == "duty-inspector" and contact.channel in VOICE
    return contact.purpose in ("switchboard-from-outside", "control-room") and (
        contact.channel in VOICE
    )
