"""A case on one axis of time: spans and points laid out in strips, for a page or for paper. Pure.

Moments keep their order, and each has room to be read: silence is drawn shorter than it was, so a
case of a minute and one of a year are both legible. The times under the axis are exact.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import log2

LANES = (
    "episode", "lead", "request", "dispute", "question", "meeting", "return", "step", "state",
    "message",
)  # fmt: skip
"""From top to bottom; what belongs to none of these comes after them."""
WIDTH = 720.0
PAD = 14.0
NARROWEST, WIDEST = 28.0, 150.0
ROW, TITLE, AXIS = 24.0, 20.0, 34.0
LETTER = 6.3
RADIUS = 11.0
TICK = 176.0
LONGEST = 60


@dataclass(frozen=True)
class Span:
    """What lasted: from when, until when (None: until now), and the message that began it."""

    lane: str
    label: str
    since: datetime
    until: datetime | None
    number: int | None = None


@dataclass(frozen=True)
class Point:
    """What happened at a moment, and the message that it came by."""

    lane: str
    label: str
    at: datetime
    number: int | None = None


Record = Span | Point


@dataclass(frozen=True)
class Drawn:
    """A bar or a marker of a strip, with the words beside it; `before`, `after`: it goes on there.

    `ends`: the words stand before it, and end where it begins.
    """

    kind: str
    x0: float
    x1: float
    row: int
    label: str
    label_x: float
    before: bool = False
    after: bool = False
    ends: bool = False

    @property
    def extent(self) -> tuple[float, float]:
        """How much of its row it takes, its words included."""
        if self.kind == "mark":
            return self.x0, self.x1
        return min(self.x0, self.label_x), max(self.x1, self.label_x + len(self.label) * LETTER)


@dataclass(frozen=True)
class Lane:
    """A lane of a strip: where it begins, and what is in it."""

    name: str
    y: float
    rows: int
    drawn: tuple[Drawn, ...]


@dataclass(frozen=True)
class Tick:
    """A moment under the axis, and where its words begin, which take TICK at most."""

    x: float
    at: datetime
    label_x: float


@dataclass(frozen=True)
class Strip:
    """A piece of the axis as wide as a page."""

    width: float
    height: float
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]


def moment_of(record: Record) -> datetime:
    """Return when a record begins."""
    return record.since if isinstance(record, Span) else record.at


def in_order(records: Iterable[Record]) -> list[Record]:
    """Return records by when they begin, those of one moment by lane."""
    return sorted(records, key=lambda one: (moment_of(one), _place(one.lane), one.number or 0))


def _place(lane: str) -> int:
    return LANES.index(lane) if lane in LANES else len(LANES)


def positions(moments: Iterable[datetime]) -> dict[datetime, float]:
    """Return where each moment stands on the whole axis: in order, none closer than can be read."""
    found: dict[datetime, float] = {}
    x, last = 0.0, None
    for at in sorted(set(moments)):
        if last is not None:
            minutes = (at - last).total_seconds() / 60
            x += min(WIDEST, NARROWEST + 8 * log2(1 + minutes))
        found[at] = x
        last = at
    return found


def layout(records: Sequence[Record], now: datetime) -> list[Strip]:
    """Return the strips of a picture, in the order of time; nothing in them overlaps."""
    if not records:
        return []
    ends = {_end(one, now) for one in records}
    place = positions({moment_of(one) for one in records} | ends)
    moments = sorted(place)
    strips, inner = [], WIDTH - 2 * PAD
    starts = _cuts([place[at] for at in moments], inner)
    for index, first in enumerate(starts):
        last = starts[index + 1] if index + 1 < len(starts) else None
        strips.append(_strip(records, place, moments, first, last, now))
    return strips


def _cuts(xs: Sequence[float], inner: float) -> list[float]:
    """Return where strips begin: each at a moment, so that no moment is cut in two."""
    cuts = [xs[0]]
    for x in xs:
        if x - cuts[-1] > inner:
            cuts.append(x)
    return cuts


def _end(record: Record, now: datetime) -> datetime:
    if isinstance(record, Point):
        return record.at
    return max(record.since, record.until or now)


def _strip(
    records: Sequence[Record],
    place: Mapping[datetime, float],
    moments: Sequence[datetime],
    first: float,
    last: float | None,
    now: datetime,
) -> Strip:
    edge = WIDTH - PAD
    lanes: dict[str, list[Drawn]] = {}
    for one in in_order(records):
        x0, x1 = place[moment_of(one)], place[_end(one, now)]
        if (last is not None and x0 >= last) or x1 < first or (x1 == first and x0 < first):
            continue
        before, after = x0 < first, last is not None and x1 > last
        left = PAD + max(0.0, x0 - first)
        right = edge if after else min(edge, PAD + x1 - first)
        lanes.setdefault(one.lane, []).append(_drawn(one, left, right, before, after))
    y, shown = 0.0, []
    for name in sorted(lanes, key=_place):
        packed = _packed(lanes[name])
        rows = 1 + max(one.row for one in packed)
        shown.append(Lane(name, y, rows, tuple(packed)))
        y += TITLE + rows * ROW
    return Strip(WIDTH, y + AXIS, tuple(shown), _ticks(place, moments, first, last))


def _drawn(one: Record, left: float, right: float, before: bool, after: bool) -> Drawn:
    if one.lane == "message":
        return Drawn("mark", left - RADIUS, left + RADIUS, 0, str(one.number or ""), left)
    label = one.label if len(one.label) <= LONGEST else one.label[: LONGEST - 1] + "…"
    wide = len(label) * LETTER
    if isinstance(one, Point):
        beside, ends = left + 8, False
        if beside + wide > WIDTH:
            beside, ends = max(0.0, left - 9 - wide), left - 9 - wide >= 0
        return Drawn("point", left - 5, left + 5, 0, label, beside, ends=ends)
    right = max(right, left + 6)
    beside, ends = _beside(left, right, wide)
    return Drawn("bar", left, right, 0, label, beside, before, after, ends)


def _beside(left: float, right: float, wide: float) -> tuple[float, bool]:
    """Return where the words of a bar begin: in it, else behind it, else before it, else over it.

    And whether they are before it.
    """
    if left + 4 + wide <= right:
        return left + 4, False
    if right + 4 + wide <= WIDTH:
        return right + 4, False
    if left - 4 - wide >= 0:
        return left - 4 - wide, True
    return max(0.0, min(left + 4, WIDTH - wide)), False


def _packed(drawn: Sequence[Drawn]) -> list[Drawn]:
    """Give each the first row in which it covers nothing."""
    ends: list[list[tuple[float, float]]] = []
    found = []
    for one in drawn:
        low, high = one.extent
        row = next(
            (
                n
                for n, taken in enumerate(ends)
                if all(high + 2 <= a or low - 2 >= b for a, b in taken)
            ),
            len(ends),
        )
        if row == len(ends):
            ends.append([])
        ends[row].append((low, high))
        found.append(replace(one, row=row))
    return found


def _ticks(
    place: Mapping[datetime, float],
    moments: Sequence[datetime],
    first: float,
    last: float | None,
) -> tuple[Tick, ...]:
    """Return the moments that are named under the axis: the first, and others that have room."""
    xs = [place[at] for at in moments]
    start = bisect_right(xs, first) - 1
    found: list[Tick] = []
    for at in moments[start:]:
        x = place[at]
        if last is not None and x >= last:
            break
        here = PAD + x - first
        words = min(here, WIDTH - TICK)
        if not found or words - found[-1].label_x >= TICK:
            found.append(Tick(here, at, words))
    return tuple(found)
