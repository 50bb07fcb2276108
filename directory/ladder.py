"""Whom to call now: the rungs of each need, the first open one first (DOMAIN.md 5). Pure.

101 and 999 connect to the force where the caller is; a switchboard from outside ranks above 101.
Nothing is invented: a rung without a contact says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from directory.hours import opens_at
from directory.snapshot import Contact, Organisation, Snapshot, Unit

Need = Literal["report-missing", "open-case", "placement", "meeting", "child-social-care"]
NEEDS: tuple[Need, ...] = (
    "report-missing",
    "open-case",
    "placement",
    "meeting",
    "child-social-care",
)
VOICE = frozenset({"telephone", "mobile"})
POST = frozenset({"email", "secure-email"})
DUE = timedelta(days=90)
UKMPU = "nca"

EMERGENCY = "If the child is at immediate risk of harm, ring 999."


@dataclass(frozen=True)
class Rung:
    """One step of the ladder. `value` None: nothing is on record. `opens_at` None: never known to."""

    purpose: str
    channel: str
    value: str | None
    unit: str
    unit_code: str
    open: bool
    opens_at: datetime | None
    verification: str
    verified_at: datetime | None
    verified_by: str | None
    audience: str
    connects: str | None
    note: str | None
    source: str | None

    @property
    def callable(self) -> bool:
        """Whether somebody can ring it now."""
        return self.value is not None and self.open and self.channel in VOICE


@dataclass(frozen=True)
class Reader:
    """Who asks: the audiences they may see, and whether for actual cases or an exercise."""

    audiences: frozenset[str] = frozenset({"public"})
    status: str = "actual"


@dataclass(frozen=True)
class Ladder:
    """The answer to one need: rungs in order, what to ring now, where to write, and warnings."""

    need: Need
    rungs: tuple[Rung, ...]
    call_now: Rung | None
    write_to: tuple[Rung, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where the child is or whom the case is with, as far as it is known."""

    force: Organisation
    force_unit: Unit | None
    bcu: Unit | None
    council: Organisation | None
    nation: str


def climb(snapshot: Snapshot, place: Place, need: Need, reader: Reader, at: datetime) -> Ladder:
    """Return the ladder of a need at a place and moment, for a reader."""
    steps = (
        _council(snapshot, place) if need == "child-social-care" else _police(snapshot, place, need)
    )
    rungs: list[Rung] = []
    for purpose, units in steps:
        rungs += _rungs(snapshot, purpose, units, place, reader, at)
    rungs += _last(snapshot, place, reader, at, council=need == "child-social-care")
    call_now = _first(rungs)
    mail = ("placement", "meeting") if need in ("placement", "meeting") else ()
    write_to = _mailboxes(snapshot, place, need, mail, reader, at)
    return Ladder(
        need, tuple(rungs), call_now, tuple(write_to), tuple(_warnings(rungs, call_now, at))
    )


Step = tuple[str, Sequence[Unit]]


def _police(snapshot: Snapshot, place: Place, need: Need) -> list[Step]:
    """Return purposes and the units to look for them at, in the order of DOMAIN.md 5."""
    own = [unit for unit in (place.bcu, place.force_unit) if unit is not None]
    teams = [team for unit in own if (team := snapshot.child(unit.id, "missing-children-team"))]
    rooms = [room for unit in own if (room := snapshot.child(unit.id, "control-room"))]
    everywhere = [*rooms, *own, *teams]
    control: list[Step] = [
        ("control-room", everywhere),
        ("switchboard-from-outside", everywhere),
    ]
    inspector: Step = ("duty-inspector", everywhere)
    for_cases: Step = ("missing-children-team", [*teams, *own])
    if need == "report-missing":
        return [*control, inspector, for_cases]
    return [for_cases, ("coordinator", [*teams, *own]), inspector, *control]


def _council(snapshot: Snapshot, place: Place) -> list[Step]:
    if place.council is None:
        return []
    units = [u for u in snapshot.units.values() if u.organisation.id == place.council.id]
    care = [u for u in units if u.kind == "childrens-social-care"]
    edt = [u for u in units if u.kind == "edt"]
    return [("childrens-social-care", care or units), ("edt", edt or units)]


def _rungs(
    snapshot: Snapshot,
    purpose: str,
    units: Sequence[Unit],
    place: Place,
    reader: Reader,
    at: datetime,
) -> list[Rung]:
    """Return the telephone contacts of a purpose, nearest unit first; or one rung that has none."""
    found = [
        _rung(contact, unit, place, at)
        for unit in units
        for contact in _visible(snapshot, unit, reader)
        if contact.purpose == purpose and contact.channel in VOICE
    ]
    if not found and units and purpose != "switchboard-from-outside":
        found = [_nothing(purpose, units[0])]
    return found


def _visible(snapshot: Snapshot, unit: Unit, reader: Reader) -> list[Contact]:
    """Return the contacts a reader may see; an exercise's lie over the actual ones, never beside."""
    of_unit = [c for c in snapshot.contacts.get(unit.id, ()) if c.audience in reader.audiences]
    if reader.status == "exercise":
        laid_over = {c.purpose for c in of_unit if c.status == "exercise"}
        return [c for c in of_unit if c.status == "exercise" or c.purpose not in laid_over]
    return [c for c in of_unit if c.status == "actual"]


def _rung(contact: Contact, unit: Unit, place: Place, at: datetime) -> Rung:
    opens = opens_at(contact.hours, at, place.nation)
    open_ = opens is not None and opens <= at
    connects = None
    if contact.value in ("101", "999"):
        connects = f"where you are; ask for {place.force.name}"
    elif contact.purpose == "switchboard-from-outside":
        connects = f"{place.force.name}, from anywhere"
    return Rung(
        contact.purpose, contact.channel, contact.value, unit.name, unit.code, open_,
        None if open_ else opens, contact.verification, contact.verified_at, contact.verified_by,
        contact.audience, connects, contact.note, contact.source,
    )  # fmt: skip


def _nothing(purpose: str, unit: Unit) -> Rung:
    return Rung(
        purpose, "telephone", None, unit.name, unit.code, False, None, "none", None, None,
        "public", None, "no number on record", None,
    )  # fmt: skip


def _last(
    snapshot: Snapshot, place: Place, reader: Reader, at: datetime, *, council: bool
) -> list[Rung]:
    """Return the end of the ladder: 101, or where there is none 999 and UKMPU, saying so."""
    rungs: list[Rung] = []
    if place.force_unit is not None:
        rungs = [
            _rung(contact, place.force_unit, place, at)
            for contact in _visible(snapshot, place.force_unit, reader)
            if contact.purpose == "non-emergency" and contact.channel in VOICE
        ]
    if council and place.council is not None:
        note = "no number on record for the council; ask police control for its emergency duty team"
        rungs = [_with_note(rung, note) for rung in rungs]
    if rungs:
        return rungs
    unit = place.force_unit.name if place.force_unit else place.force.name
    code = place.force_unit.code if place.force_unit else place.force.code
    emergency = Rung(
        "emergency", "telephone", "999", unit, code, True, None, "standard", None, None, "public",
        "where you are; if the child is at immediate risk of harm",
        f"no number is on record for {place.force.name}", None,
    )  # fmt: skip
    return [emergency, *_ukmpu(snapshot, place, reader, at)]


def _ukmpu(snapshot: Snapshot, place: Place, reader: Reader, at: datetime) -> list[Rung]:
    return [
        _rung(contact, unit, place, at)
        for unit in snapshot.units.values()
        if unit.organisation.code == UKMPU
        for contact in _visible(snapshot, unit, reader)
        if contact.channel in VOICE
    ][:1]


def _with_note(rung: Rung, note: str) -> Rung:
    return replace(rung, note=note)


def _first(rungs: Iterable[Rung]) -> Rung | None:
    """Return what to ring: the first open rung, and never an unverified one while 101 applies."""
    open_rungs = [rung for rung in rungs if rung.callable]
    sure = [r for r in open_rungs if r.verification in ("verified", "standard") or _national(r)]
    return next(iter(sure or open_rungs), None)


def _national(rung: Rung) -> bool:
    return rung.value in ("101", "999")


def _mailboxes(
    snapshot: Snapshot,
    place: Place,
    need: Need,
    purposes: Sequence[str],
    reader: Reader,
    at: datetime,
) -> list[Rung]:
    """Return where to write: the unit's mailbox for the need, then its missing-children team's."""
    own = [unit for unit in (place.bcu, place.force_unit) if unit is not None]
    units = [x for u in own for x in (snapshot.child(u.id, "missing-children-team"), u) if x]
    wanted: list[str] = [need] if need in purposes else []
    wanted.append("missing-children-team")
    if need == "child-social-care":
        units = [u for step in _council(snapshot, place) for u in step[1]]
        wanted = ["childrens-social-care", "edt"]
    return [
        _rung(contact, unit, place, at)
        for purpose in wanted
        for unit in units
        for contact in _visible(snapshot, unit, reader)
        if contact.purpose == purpose and contact.channel in POST
    ]


def _warnings(rungs: Sequence[Rung], call_now: Rung | None, at: datetime) -> list[str]:
    found = []
    if call_now is not None and _national(call_now):
        found.append("101 and 999 connect you to the police where you are, not where the child is.")
    for rung in rungs:
        if rung.value is None or _national(rung):
            continue
        if rung.verification == "unverified":
            found.append(f"{rung.value} ({rung.unit}) is unverified.")
        elif rung.verified_at is not None and at - rung.verified_at > DUE:
            found.append(f"{rung.value} ({rung.unit}) is overdue for verification.")
    return found
