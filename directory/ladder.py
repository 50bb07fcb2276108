"""Whom to call now: the rungs of each need, the first open one first (DOMAIN.md 5). Pure.

101 and 999 connect to the force where the caller is; a switchboard from outside ranks above 101.
Nothing is invented: a rung without a contact says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from directory.hours import opens_at
from directory.snapshot import Contact, Organisation, Snapshot, Unit
from directory.standing import Standing, standing

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
UKMPU = "nca"
NATIONAL = frozenset({"101", "999"})
NATIONS = frozenset({"England", "Wales", "Scotland", "Northern Ireland", "United Kingdom"})

NO_STANDING = Standing("none")

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
    contact_id: UUID | None = None
    standing: Standing = NO_STANDING

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
    last = _last(snapshot, place, reader, at)
    for purpose, units in steps:
        if purpose == "duty-inspector" and need == "report-missing":
            rungs = _or_101(rungs, last)
        rungs += _rungs(snapshot, purpose, units, place, reader, at)
    if need == "child-social-care":
        last = _for_council(rungs, last, place)
    end = [rung for rung in last[-1:] if rung.value in NATIONAL]  # nothing stands below 101
    rungs = sorted([*rungs, *last[: len(last) - len(end)]], key=lambda one: one.standing.rank)
    rungs += end
    call_now = _first(rungs, need)
    mail = ("placement", "meeting") if need in ("placement", "meeting") else ()
    write_to = _mailboxes(snapshot, place, need, mail, reader, at)
    return Ladder(
        need,
        tuple(rungs),
        call_now,
        tuple(write_to),
        tuple(_warnings([*rungs, *write_to], call_now)),
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
    inspector: Step = ("duty-inspector", [*own, *rooms, *teams])
    for_cases: list[Step] = [
        ("missing-children-team", [team, unit] if team else [unit])
        for unit in own
        for team in [snapshot.child(unit.id, "missing-children-team")]
    ]
    if need == "report-missing":
        return [*control, inspector, *for_cases]
    return [*for_cases, ("coordinator", [*reversed(own), *teams]), inspector, *control]


def _council(snapshot: Snapshot, place: Place) -> list[Step]:
    if place.council is None:
        return []
    units = [u for u in snapshot.units.values() if u.organisation.id == place.council.id]
    return [
        (purpose, sorted(units, key=lambda unit: unit.kind != purpose))
        for purpose in ("childrens-social-care", "edt")
    ]


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
        for contact in visible(snapshot, unit, reader)
        if contact.purpose == purpose and contact.channel in VOICE
    ]
    given = any(rung.verification != "suggested" for rung in found)
    if not given and units and purpose != "switchboard-from-outside":
        hidden = any(
            contact.purpose == purpose
            and contact.channel in VOICE
            and contact.status == "actual"
            and contact.audience not in reader.audiences
            for unit in units
            for contact in snapshot.contacts.get(unit.id, ())
        )
        note = "a number is on record: sign in to see it" if hidden else ""
        found = [_nothing(purpose, units[0], note), *found]
    return found


def visible(snapshot: Snapshot, unit: Unit, reader: Reader) -> list[Contact]:
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
    if contact.value in NATIONAL:
        connects = f"where you are; ask for {place.force.name}"
    elif contact.purpose == "switchboard-from-outside":
        connects = f"{place.force.name}, from anywhere"
    return Rung(
        contact.purpose, contact.channel, contact.value, unit.name, unit.code, open_,
        None if open_ else opens, _standing(contact), contact.verified_at, contact.verified_by,
        contact.audience, connects, contact.note, contact.source, contact.id,
        standing(contact, at),
    )  # fmt: skip


def _standing(contact: Contact) -> str:
    """Return how sure a contact is; 101 and 999 stand by law, whoever has rung them."""
    national = contact.value in NATIONAL and contact.verification == "unverified"
    return "standard" if national else contact.verification


def _nothing(purpose: str, unit: Unit, note: str = "") -> Rung:
    return Rung(
        purpose, "telephone", None, unit.name, unit.code, False, None, "none", None, None,
        "public", None, note or "no number on record", None,
    )  # fmt: skip


def _or_101(rungs: list[Rung], last: Sequence[Rung]) -> list[Rung]:
    """Put 101 where the control room's own number would be, if no such number is sure and open."""
    general = next((rung for rung in last if rung.value == "101"), None)
    if general is None or any(rung.callable and _sure(rung) for rung in rungs):
        return rungs
    known = [rung for rung in rungs if rung.value is not None]
    note = general.note if known else "no direct number on record for the control room"
    return [*known, replace(general, purpose="control-room", note=note)]


def _for_council(rungs: Sequence[Rung], last: Sequence[Rung], place: Place) -> list[Rung]:
    """Say on the last rungs what police control is asked for (DOMAIN.md 5)."""
    note = "ask police control for its EDT (emergency duty team)"
    if place.council is None:
        note = "no council is known for this: ask police control for the council’s EDT"
    elif not any(rung.value for rung in rungs):
        note = f"no number on record; {note}"
    return [replace(rung, note=note) if rung.value == "101" else rung for rung in last]


def _last(snapshot: Snapshot, place: Place, reader: Reader, at: datetime) -> list[Rung]:
    """Return the end of the ladder: 101, or where there is none 999 and UKMPU, saying so."""
    rungs: list[Rung] = []
    if place.force_unit is not None:
        rungs = [
            _rung(contact, place.force_unit, place, at)
            for contact in visible(snapshot, place.force_unit, reader)
            if contact.purpose == "non-emergency" and contact.channel in VOICE
        ]
    name = place.force_unit.name if place.force_unit else place.force.name
    code = place.force_unit.code if place.force_unit else place.force.code
    if rungs and place.nation in NATIONS and not any(rung.value == "101" for rung in rungs):
        rungs.append(_national("non-emergency", "101", name, code, place, None))
    if rungs:
        return sorted(rungs, key=lambda rung: rung.value == "101")
    note = f"no number is on record for {place.force.name}"
    return [
        _national("emergency", "999", name, code, place, note),
        *_ukmpu(snapshot, place, reader, at),
    ]


def _national(
    purpose: str, value: str, unit: str, code: str, place: Place, note: str | None
) -> Rung:
    return Rung(
        purpose, "telephone", value, unit, code, True, None, "standard", None, None, "public",
        f"where you are; ask for {place.force.name}", note, "national number",
    )  # fmt: skip


def _ukmpu(snapshot: Snapshot, place: Place, reader: Reader, at: datetime) -> list[Rung]:
    return [
        _rung(contact, unit, place, at)
        for unit in snapshot.units.values()
        if unit.organisation.code == UKMPU
        for contact in visible(snapshot, unit, reader)
        if contact.channel in VOICE
    ][:1]


def _first(rungs: Iterable[Rung], need: Need) -> Rung | None:
    """Return what to ring: the first open rung, and never an unverified one while 101 applies.

    Where nothing but 999 and UKMPU is on record, a case that is no emergency goes to UKMPU.
    """
    open_rungs = [rung for rung in rungs if rung.callable]
    if need != "report-missing":
        open_rungs = [rung for rung in open_rungs if rung.value != "999"] or open_rungs
    sure = [rung for rung in open_rungs if _sure(rung)]
    return next(iter(sure or open_rungs), None)


def _sure(rung: Rung) -> bool:
    return rung.verification == "standard" or rung.standing.sure


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
        units = list(dict.fromkeys(u for step in _council(snapshot, place) for u in step[1]))
        wanted = ["childrens-social-care", "edt"]
    found = [
        _rung(contact, unit, place, at)
        for purpose in wanted
        for unit in units
        for contact in visible(snapshot, unit, reader)
        if contact.purpose == purpose and contact.channel in POST
    ]
    return sorted(found, key=lambda one: one.standing.rank)


def _warnings(rungs: Sequence[Rung], call_now: Rung | None) -> list[str]:
    found = []
    if call_now is not None and call_now.value in NATIONAL:
        found.append("101 and 999 connect you to the police where you are, not where the child is.")
    for rung in rungs:
        if rung.value is None or rung.value in NATIONAL:
            continue
        found += rung.standing.words(f"{rung.value} ({rung.unit})")
    return found
