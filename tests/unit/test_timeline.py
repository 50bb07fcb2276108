"""A timeline is laid out so that it can be read: in order, nothing on top of anything."""

from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from messaging import timeline
from messaging.timeline import LANES, WIDTH, Point, Record, Span

START = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = st.integers(0, 366 * 86400)
NOW = START + timedelta(days=367)


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    found: list[Record] = []
    for number in range(1, draw(st.integers(1, 30)) + 1):
        at = START + timedelta(seconds=draw(SECONDS))
        label = "x" * draw(st.integers(1, 90))
        lane = draw(st.sampled_from(LANES))
        if lane in ("message", "step", "state"):
            found.append(Point(lane, label, at, number))
        else:
            lasts = draw(st.none() | SECONDS)
            until = None if lasts is None else at + timedelta(seconds=lasts)
            found.append(Span(lane, label, at, until, number))
    return found


@given(records())
def test_nothing_covers_anything_and_all_is_inside(some: list[Record]) -> None:
    for strip in timeline.layout(some, NOW):
        for above, below in pairwise(strip.lanes):
            assert above.y + timeline.TITLE + above.rows * timeline.ROW <= below.y
        for lane in strip.lanes:
            for one in lane.drawn:
                low, high = one.extent
                assert low >= 0 and high <= WIDTH + 0.001  # noqa: PT018
            for a, b in combinations(lane.drawn, 2):
                if a.row == b.row:
                    assert a.extent[1] <= b.extent[0] or b.extent[1] <= a.extent[0]
        for left, right in pairwise(strip.ticks):
            assert right.label_x - left.label_x >= timeline.TICK
        assert all(0 <= one.label_x <= WIDTH - timeline.TICK for one in strip.ticks)


@given(records())
def test_the_order_of_moments_is_kept_and_nothing_is_left_out(some: list[Record]) -> None:
    strips = timeline.layout(some, NOW)
    drawn = {(lane.name, one.label) for s in strips for lane in s.lanes for one in lane.drawn}
    for one in some:
        cut = timeline.LONGEST
        label = one.label if len(one.label) <= cut else one.label[: cut - 1] + "…"
        assert (one.lane, str(one.number) if one.lane == "message" else label) in drawn
    ticks = [tick.at for strip in strips for tick in strip.ticks]
    assert ticks == sorted(ticks)
    placed = list(timeline.positions(map(timeline.moment_of, some)).items())
    for (earlier, left), (later, right) in pairwise(placed):
        assert earlier < later
        assert right - left >= timeline.NARROWEST


def test_a_minute_and_a_year_are_both_legible() -> None:
    for length in (timedelta(minutes=1), timedelta(days=365)):
        spans: list[Record] = [Span("lead", f"Unit {n}", START + length * n / 4, START + length * (n + 1) / 4)
                 for n in range(4)]  # fmt: skip
        (strip,) = timeline.layout(spans, NOW)
        bars = strip.lanes[0].drawn
        assert [bar.label for bar in bars] == [f"Unit {n}" for n in range(4)]
        assert all(bar.x1 - bar.x0 >= timeline.NARROWEST for bar in bars)
