"""Finding a force, district, council or unit by what people type: names, nicknames, codes, slips.

Every one-letter slip in the name of a district or force has it among the first three (issue 2).
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np

from directory.search_index import Beginnings, Near, Values, core, normal
from directory.snapshot import Area, Organisation, Snapshot, Unit

NICKNAMES = {
    "metropolitan": (
        "the met", "met", "met police", "mps", "scotland yard", "new scotland yard", "london",
    ),
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
    "city-of-london": ("colp", "city police", "london"),
    "northern-ireland": ("psni", "ni police"),
    "police-scotland": ("scotland",),
}  # fmt: skip
"""What people call a force besides its names; the field's own words, not the data's."""

_CODE = re.compile(r"^[EWSNK][0-9]{8}$")
_CODE_BEGUN = re.compile(r"^[EWSNKewsnk][0-9]+$")

ORDER = {"force": 0, "district": 1, "council": 2, "unit": 3}
ANSWERED = frozenset({"force", "district", "council", "unit"})
KINDS = ANSWERED | {"national", "voluntary"}
GOOD, NEAR, EXACT, CODED = 72.0, 4.0, 200.0, 300.0
SUGGESTED = 30.0
"""What a suggestion scores at least; what begins as typed scores 70 and more."""
SHORT = "short name"
HANDICAP, OUT = 10.0, 1000.0
"""Taken off units, whose names are often one plain word (South), where it is not the very name;
and off what is of a kind that is not asked for."""

Target = Area | Organisation | Unit
Names = list[tuple[str, str | None]]


@dataclass(frozen=True)
class Found:
    """One match: what it is, its name, how sure (to 100; EXACT: its very name; CODED: its code), why.

    `why` says which of its names matched and how, such as "former name: Margate Division".
    """

    kind: str
    name: str
    detail: str
    score: float
    target: Target
    why: str = ""

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
    """One name by which something can be found: in its normal form, as it is written, and whose.

    `key` is the core of the name that it is shown by: a council and its district share it.
    """

    text: str
    kind: str
    name: str
    detail: str
    target: Target
    label: str
    written: str
    key: str

    def why(self, query: str) -> str:
        """Say which name this is, and how a normal query matches it."""
        if self.text == query:
            plain = self.label in ("name", SHORT, "nickname", "code")
            return self.label if plain else f"{self.label}: {self.written}"
        if f" {query}" in f" {self.text}":
            return f"part of the {self.label} “{self.written}”"
        return f"close to {'' if self.label == 'name' else f'the {self.label} '}“{self.written}”"


class Index:
    """Every name of a snapshot, and how well each fits what is typed."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        texts = {one: at for at, one in enumerate(dict.fromkeys(e.text for e in self.entries))}
        cores = {one: at for at, one in enumerate(dict.fromkeys(map(core, texts)))}
        self._names, self._cores = Near(list(texts)), Near(list(cores))
        self._beginnings = Beginnings(list(texts))
        self._lengths = np.array([max(1, len(text)) for text in texts])
        self._core = np.array([cores[core(text)] for text in texts], dtype=np.intp)
        self._text = np.array([texts[one.text] for one in self.entries], dtype=np.intp)
        order = [(ORDER.get(one.kind, 9), one.name) for one in self.entries]
        ranks = {one: rank for rank, one in enumerate(sorted(set(order)))}
        self._rank = np.array([ranks[one] for one in order], dtype=np.intp)
        self._handicaps: dict[frozenset[str], tuple[Values, Values]] = {}

    def fits(self, query: str, kinds: frozenset[str], limit: int) -> Values:
        """Return how well each text fits a normal query: to 100, EXACT, or 0 for not at all.

        The best ones of some kinds count, enough for a limit; others may be 0.
        """
        by_core = np.zeros(self._core.max(initial=0) + 1)
        ids, alike = self._cores.slips(core(query), GOOD)
        by_core[ids] = np.maximum(alike - 0.5, 0)
        scores = by_core[self._core]
        _, handicaps = self._handicapped(kinds)
        ids, alike = self._names.ratio(query, GOOD, handicaps, 20 + 4 * limit)
        scores[ids] = np.maximum(scores[ids], np.where(alike == 100, EXACT, alike))
        if len(query) > 3:
            ids, _ = self._beginnings.of(query)
            scores[ids] = np.maximum(scores[ids], 80 + 15 * len(query) / self._lengths[ids])
        return scores

    def continues(self, query: str) -> Values:
        """Return how well each text goes on from a normal query: 80 and more, EXACT, or 0."""
        scores = np.zeros(len(self._core))
        ids, first = self._beginnings.of(query)
        share = len(query) / self._lengths[ids]
        best = np.where(first & (share == 1), EXACT, 80 + 10 * first + 9 * share)
        np.maximum.at(scores, ids, best)
        return scores

    def nearly_continues(self, query: str, limit: int) -> Values:
        """Return how well each text would, had the query a letter mended: to 60, or 0."""
        scores = np.minimum(self.fits(query, ANSWERED, limit), 100) * 0.6
        if len(query) > 3:
            ids = self._beginnings.nearly(query)
            share = np.minimum(1, len(query) / self._lengths[ids])
            scores[ids] = np.maximum(scores[ids], 50 + 9 * share)
        return scores

    def best(
        self, scores: Values, least: float, kinds: frozenset[str], limit: int
    ) -> Iterator[tuple[Entry, float]]:
        """Yield the names of some kinds whose texts score so much, best first."""
        ids = np.flatnonzero((scores >= least)[self._text])
        handicaps, _ = self._handicapped(kinds)
        ids = ids[handicaps[ids] < OUT]
        found = scores[self._text[ids]]
        found = np.where(found < EXACT, found - handicaps[ids], found)
        ids, found = ids[found >= least], found[found >= least]
        most = 200 + 20 * limit
        if len(ids) > most:
            cut = found >= np.partition(found, -most)[-most]
            ids, found = ids[cut], found[cut]
        for at in np.lexsort((self._rank[ids], -found)):
            yield self.entries[ids[at]], float(found[at])

    def _handicapped(self, kinds: frozenset[str]) -> tuple[Values, Values]:
        """Return what is taken off each name's score, and each text's: all of another kind's."""
        made = self._handicaps.get(kinds)
        if made is None:
            own = np.array(
                [
                    (HANDICAP if one.kind == "unit" else 0.0) if one.kind in kinds else OUT
                    for one in self.entries
                ]
            )
            texts = np.full(len(self._core), OUT)
            np.minimum.at(texts, self._text, own)
            made = self._handicaps[kinds] = (own, texts)
        return made


def index(snapshot: Snapshot) -> Index:
    """Return the names of a snapshot, made once for it."""
    made = snapshot.cache.get("search")
    if made is None:
        made = Index(_entries(snapshot))
        snapshot.cache["search"] = made
    assert isinstance(made, Index)  # noqa: S101  # put there above
    return made


def _entries(snapshot: Snapshot) -> Iterator[Entry]:
    for area in {one.id: one for one in snapshot.areas.values()}.values():
        force = snapshot.organisations[area.force_id].name
        official = ("official name", area.official_name)
        names = [("name", area.name), ("Welsh name", area.name_welsh), official]
        yield from _each(area, "district", force, names)
    for one in snapshot.organisations.values():
        kind = _kind(one)
        names = _names(one)
        if kind == "force":
            names += [(SHORT, one.code.replace("-", " "))]
            names += [("nickname", name) for name in NICKNAMES.get(one.code, ())]
        yield from _each(one, kind, "", names)
    for unit in snapshot.units.values():
        if unit.kind in ("bcu", "national"):
            detail = unit.organisation.name
            names = _names(unit)
            names += [("former unit", name) for name in snapshot.former_units.get(unit.id, ())]
            names += [(label, f"{detail} {name}") for label, name in names if name]
            yield from _each(unit, "unit", detail, names)


def _kind(one: Organisation) -> str:
    return {"police": "force", "local-authority": "council"}.get(one.kind, one.kind)


def _names(one: Organisation | Unit) -> Names:
    return [
        ("name", one.name),
        ("Welsh name", one.name_welsh),
        *(("code" if _CODE.match(name) else "other name", name) for name in one.other_names),
        *(("former name", name) for name in one.former_names),
    ]


def _each(target: Target, kind: str, detail: str, names: Names) -> Iterator[Entry]:
    written: dict[str, tuple[str, str]] = {}
    for label, name in names:
        if name:
            written.setdefault(normal(name), (label, name))
    key = core(normal(target.name))
    for text, (label, name) in written.items():
        yield Entry(text, kind, target.name, detail, target, label, name, key)


def by_code(snapshot: Snapshot, text: str) -> Found | None:
    """Return what an ONS code, force code or unit code names."""
    code = text.strip()
    area = snapshot.area(code.upper()) if _CODE.match(code.upper()) else None
    if area is not None:
        force = snapshot.organisations[area.force_id].name
        why = "code" if area.code == code.upper() else f"former code of {area.code}"
        return Found("district", area.name, force, CODED, area, why)
    organisation = snapshot.organisation_by_code.get(code.upper()) or (
        snapshot.organisation_by_code.get(code.lower())
    )
    if organisation is not None:
        kind = _kind(organisation)
        return Found(kind, organisation.name, "", CODED, organisation, "code")
    unit = snapshot.by_code.get(code.lower()) or snapshot.by_code.get(code)
    if unit is not None:
        return Found("unit", unit.name, unit.organisation.name, CODED, unit, "code")
    return None


def search(
    snapshot: Snapshot, text: str, limit: int = 10, kinds: Collection[str] = KINDS
) -> list[Found]:
    """Return what a text may mean, best first; nothing when nothing is near.

    What has this very code goes first; a force's code may be a district's name as well.
    """
    coded = by_code(snapshot, text)
    query = normal(text)
    named: list[Found] = []
    if len(query) >= 2:
        asked = frozenset(kinds)
        scores = index(snapshot).fits(query, asked, limit)
        named = _ranked(snapshot, query, scores, GOOD, asked, limit)
    if coded is not None and coded.kind in kinds:
        named = _first(coded, [one for one in named if one.score >= EXACT])
    return named[:limit]


def suggest(snapshot: Snapshot, text: str, limit: int = 8) -> list[Found]:
    """Return what a text may become as it is typed: what begins so, then what nearly does.

    Of the kinds alone that a look-up answers for.
    """
    query = normal(text)
    if len(query) < 2:
        return []
    names = index(snapshot)
    scores = names.continues(query)
    found = _ranked(snapshot, query, scores, SUGGESTED, ANSWERED, limit)
    if len(found) < limit and not _CODE_BEGUN.match(text.strip()):
        scores = np.maximum(scores, names.nearly_continues(query, limit))
        found = _ranked(snapshot, query, scores, SUGGESTED, ANSWERED, limit)
    coded = by_code(snapshot, text)
    return (_first(coded, found) if coded and coded.kind in ANSWERED else found)[:limit]


def _first(coded: Found, named: list[Found]) -> list[Found]:
    """Return what has the very code before the others; if that is its name too, say so."""
    names = [one.why for one in named if one.id == coded.id and one.score >= EXACT]
    if names and names[0] != SHORT:
        coded = replace(coded, why=names[0])
    return [coded, *(one for one in named if one.id != coded.id)]


def _ranked(
    snapshot: Snapshot, query: str, scores: Values, least: float, kinds: frozenset[str], limit: int
) -> list[Found]:
    best: dict[UUID, tuple[Entry, float]] = {}
    for entry, score in index(snapshot).best(scores, least, kinds, limit):
        best.setdefault(entry.target.id, (entry, score))
        if len(best) > 20 + 2 * limit:
            break
    districts = {one.key: one.target for one, _ in best.values() if one.kind == "district"}
    return [
        Found(one.kind, one.name, one.detail, score, one.target, one.why(query))
        for one, score in best.values()
        if not _told(snapshot, one, districts.get(one.key))
    ]


def _told(snapshot: Snapshot, one: Entry, district: Target | None) -> bool:
    """Say whether a like-named district's answer is the answer of this council or unit too."""
    if not isinstance(district, Area):
        return False
    if one.kind == "unit":
        return district.id in snapshot.covered.get(one.target.id, ())
    return one.kind == "council" and one.target.id == district.csa_id


def winner(found: list[Found]) -> Found | None:
    """Return the one match that is meant, or None where the reader must choose."""
    if not found:
        return None
    best = found[0]
    return None if any(_rival(best, one) for one in found[1:]) else best


def _rival(best: Found, one: Found) -> bool:
    """Say whether another match may be meant as well.

    Beside a very name that is one of its kind which is called the same, as units of several
    forces are; otherwise what is about as near, whatever was taken off it for being a unit.
    """
    if best.score >= EXACT:
        return (one.kind, one.score) == (best.kind, best.score)
    handicap = HANDICAP if one.kind == "unit" and best.kind != "unit" else 0.0
    return one.score > best.score - NEAR - handicap
