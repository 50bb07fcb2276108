"""Finding a force, district, council or unit by what people type: names, nicknames, codes, slips.

Every one-letter slip in the name of a district or force has it among the first three (issue 2).
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from directory.snapshot import Area, Organisation, Snapshot, Unit

NICKNAMES = {
    "metropolitan": ("the met", "met", "met police", "mps", "scotland yard", "new scotland yard"),
    "greater-manchester": ("gmp", "manchester police"),
    "btp": ("railway police", "transport police"),
    "cnc": ("nuclear police",),
    "mdp": ("mod police", "modplod"),
    "west-midlands": ("west mids", "wmp"),
    "west-yorkshire": ("west yorks", "wyp"),
    "south-yorkshire": ("south yorks", "syp"),
    "north-yorkshire": ("north yorks",),
    "nottinghamshire": ("notts",),
    "northamptonshire": ("northants",),
    "leicestershire": ("leics",),
    "lincolnshire": ("lincs",),
    "lancashire": ("lancs",),
    "hertfordshire": ("herts",),
    "bedfordshire": ("beds",),
    "cambridgeshire": ("cambs",),
    "gloucestershire": ("glos",),
    "hampshire": ("hants",),
    "staffordshire": ("staffs",),
    "wiltshire": ("wilts",),
    "derbyshire": ("derbys",),
    "thames-valley": ("tvp",),
    "devon-and-cornwall": ("dcp", "devon", "cornwall police"),
    "avon-and-somerset": ("asp", "avon"),
    "city-of-london": ("colp", "city police"),
    "northern-ireland": ("psni", "ni police"),
    "police-scotland": ("scotland",),
}
"""What people call a force besides its names; the field's own words, not the data's."""

_DROPPED = re.compile(
    r"\b(the|of|and|council|county|borough|city|district|metropolitan|royal|london|police|"
    r"constabulary|service|heddlu|cyngor)\b"
)
_CODE = re.compile(r"^[EWSNK][0-9]{8}$")


@dataclass(frozen=True)
class Found:
    """One match: what it is, its name, and how sure: to 100, or EXACT for its very name or code."""

    kind: str
    name: str
    detail: str
    score: float
    target: Area | Organisation | Unit

    @property
    def id(self) -> UUID:
        """The id of what was found."""
        return self.target.id

    @property
    def code(self) -> str:
        """The public code of what was found."""
        return self.target.code


@dataclass(frozen=True)
class Entry:
    """One name by which something can be found."""

    text: str
    kind: str
    name: str
    detail: str
    target: Area | Organisation | Unit


def normal(text: str) -> str:
    """Return what is typed without case, accents, signs and doubled spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    plain = plain.replace("&", " and ").replace("'", "").replace("’", "")
    return " ".join(re.sub(r"[^a-z0-9]+", " ", plain).split())


def core(text: str) -> str:
    """Return a normal name without the words that every council or force has."""
    return " ".join(_DROPPED.sub(" ", text).split()) or text


@dataclass(frozen=True)
class Index:
    """Every name of a snapshot, as it is and in its core."""

    entries: tuple[Entry, ...]
    texts: tuple[str, ...]
    cores: tuple[str, ...]


def index(snapshot: Snapshot) -> Index:
    """Return the names of a snapshot, made once for it."""
    made = snapshot.cache.get("search")
    if made is None:
        entries = tuple(_entries(snapshot))
        texts = tuple(entry.text for entry in entries)
        made = Index(entries, texts, tuple(core(text) for text in texts))
        snapshot.cache["search"] = made
    assert isinstance(made, Index)  # noqa: S101  # put there above
    return made


def _entries(snapshot: Snapshot) -> Iterable[Entry]:
    for area in {one.id: one for one in snapshot.areas.values()}.values():
        force = snapshot.organisations[area.force_id].name
        for name in (area.name, area.name_welsh, area.official_name):
            if name:
                yield Entry(normal(name), "district", area.name, force, area)
    for one in snapshot.organisations.values():
        names = [one.name, one.name_welsh, *one.other_names]
        kind = {"police": "force", "local-authority": "council"}.get(one.kind, one.kind)
        if one.kind == "police":
            names += [one.code.replace("-", " "), *NICKNAMES.get(one.code, ())]
        for name in names:
            if name:
                yield Entry(normal(name), kind, one.name, "", one)
    for unit in snapshot.units.values():
        if unit.kind in ("bcu", "national"):
            for name in (unit.name, *unit.other_names):
                detail = unit.organisation.name
                yield Entry(normal(name), "unit", unit.name, detail, unit)
                yield Entry(normal(f"{detail} {name}"), "unit", unit.name, detail, unit)


def by_code(snapshot: Snapshot, text: str) -> Found | None:
    """Return what an ONS code, force code or unit code names."""
    code = text.strip()
    area = snapshot.area(code.upper()) if _CODE.match(code.upper()) else None
    if area is not None:
        return Found("district", area.name, snapshot.organisations[area.force_id].name, EXACT, area)
    organisation = snapshot.organisation_by_code.get(code.upper()) or (
        snapshot.organisation_by_code.get(code.lower())
    )
    if organisation is not None and organisation.kind in ("police", "local-authority"):
        kind = "force" if organisation.kind == "police" else "council"
        return Found(kind, organisation.name, "", EXACT, organisation)
    unit = snapshot.by_code.get(code.lower()) or snapshot.by_code.get(code)
    if unit is not None:
        return Found("unit", unit.name, unit.organisation.name, EXACT, unit)
    return None


ORDER = {"force": 0, "district": 1, "council": 2, "unit": 3}
KINDS = frozenset({"force", "district", "council", "unit", "national", "voluntary"})
GOOD, NEAR, EXACT = 72.0, 4.0, 200.0
HANDICAP = 10.0
"""Of units, whose names are often one plain word (South), where it is not the very name."""


def search(
    snapshot: Snapshot, text: str, limit: int = 10, kinds: Collection[str] = KINDS
) -> list[Found]:
    """Return what a text may mean, best first; nothing when nothing is near.

    What has this very code goes first; a force's code may be a district's name as well.
    """
    coded = by_code(snapshot, text)
    named = _named(snapshot, text, kinds)
    if coded is not None and coded.kind in kinds:
        called_so = (one for one in named if one.score >= EXACT and one.id != coded.id)
        named = [coded, *called_so]
    return named[:limit]


def _named(snapshot: Snapshot, text: str, kinds: Collection[str]) -> list[Found]:
    query = normal(text)
    if len(query) < 2:
        return []
    names = index(snapshot)
    scores = process.cdist([query], names.texts, scorer=fuzz.ratio)[0]
    short = core(query)
    cores = process.cdist([short], names.cores, scorer=OSA.normalized_similarity)[0] * 100
    found: dict[UUID, Found] = {}
    for position, entry in enumerate(names.entries):
        score = max(float(scores[position]), float(cores[position]) - 0.5)
        if entry.text == query:
            score = EXACT
        elif len(query) > 3 and f" {query}" in f" {entry.text}":
            score = max(score, 80.0 + 15.0 * len(query) / len(entry.text))
        if entry.kind == "unit" and score < EXACT:
            score -= HANDICAP
        if score < GOOD or entry.kind not in kinds:
            continue
        known = found.get(entry.target.id)
        if known is None or known.score < score:
            found[entry.target.id] = Found(
                entry.kind, entry.name, entry.detail, score, entry.target
            )
    ranked = sorted(found.values(), key=lambda f: (-f.score, ORDER.get(f.kind, 9), f.name))
    districts = {core(normal(one.name)): one.target for one in ranked if one.kind == "district"}
    return [
        one for one in ranked if not _told(snapshot, one, districts.get(core(normal(one.name))))
    ]


def _told(snapshot: Snapshot, one: Found, district: Area | Organisation | Unit | None) -> bool:
    """Say whether a like-named district's answer is the answer of this council or unit too."""
    if not isinstance(district, Area):
        return False
    if one.kind == "unit":
        return district.id in snapshot.covered.get(one.id, ())
    return one.kind == "council" and one.id == district.csa_id


def winner(found: list[Found]) -> Found | None:
    """Return the one match that is meant, or None where the reader must choose."""
    if not found:
        return None
    best = found[0]
    rivals = [one for one in found[1:] if one.score > best.score - NEAR]
    return None if rivals and best.score < EXACT else best
