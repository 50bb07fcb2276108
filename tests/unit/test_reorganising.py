"""A reorganisation leaves no district uncovered that was covered, and none with two units."""

from datetime import date
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from directory.reorganising import Cover, Move, ReorganisationIn, after, plan, sector

DAY = date(2027, 4, 1)
UNITS = [UUID(int=n + 1) for n in range(4)]
AREAS = [UUID(int=100 + n) for n in range(6)]
SECTORS = ["CT9 1", "CT9 2", "CT10 1"]
NAMES = {unit: f"Unit {n}" for n, unit in enumerate(UNITS)}
DISTRICTS = {area: f"District {n}" for n, area in enumerate(AREAS)}


@st.composite
def covers(draw: st.DrawFn) -> list[Cover]:
    """Any coverage that the database would take: one whole a district, sectors apart from it."""
    found = []
    for area in AREAS:
        whole = draw(st.none() | st.sampled_from(UNITS))
        if whole is None:
            continue
        found.append(Cover(uuid4(), area, whole))
        parts: dict[UUID, list[str]] = {}
        for one in SECTORS:
            owner = draw(st.none() | st.sampled_from(UNITS))
            if owner is not None and owner != whole:
                parts.setdefault(owner, []).append(one)
        found += [Cover(uuid4(), area, unit, tuple(own)) for unit, own in parts.items()]
    return found


@st.composite
def wishes(draw: st.DrawFn) -> ReorganisationIn:
    """Any change that a form can ask for, sensible or not."""
    units = st.lists(st.sampled_from(UNITS), max_size=3, unique=True)
    areas = st.lists(st.sampled_from(AREAS), max_size=4)
    name = st.sampled_from(["North", "South", "Unit 0", " unit  1 "])
    part = st.fixed_dictionaries({"name": name, "areas": areas})
    return ReorganisationIn.model_validate({
        "kind": draw(st.sampled_from(["merge", "split", "move", "found", "rename"])),
        "effective_on": DAY,
        "units": draw(units),
        "name": draw(name),
        "parts": draw(st.lists(part, max_size=3)),
        "areas": draw(areas),
        "to": draw(st.none() | st.sampled_from(UNITS)),
        "sectors": draw(st.lists(st.sampled_from([*SECTORS, "nonsense"]), max_size=2)),
    })  # fmt: skip


@given(covers(), wishes())
def test_no_district_is_left_without_a_unit_and_no_place_has_two(
    cover: list[Cover], wanted: ReorganisationIn
) -> None:
    found = plan(wanted, cover, NAMES, DISTRICTS)
    if found.problems:
        assert found.moves == ()
        return
    before, then = after(cover), after(cover, found.moves)
    goes_on = {*NAMES, *found.opens} - set(found.closes)
    for area, held in before.items():
        assert then[area].whole is not None
        assert set(then[area].sectors) <= {*held.sectors, *SECTORS}
    for held in then.values():
        rows = held.by_unit()
        assert {unit for unit, _ in rows} <= goes_on
        assert sum(sectors is None for _, sectors in rows) <= 1
        parts = [one for _, sectors in rows for one in sectors or ()]
        assert len(parts) == len(set(parts))
        assert held.whole not in held.sectors.values()
    answered = {unit for held in before.values() for unit, _ in held.by_unit()}
    answers = {unit for held in then.values() for unit, _ in held.by_unit()}
    assert answered - set(found.closes) <= answers


@given(covers(), wishes())
def test_only_what_is_named_moves(cover: list[Cover], wanted: ReorganisationIn) -> None:
    found = plan(wanted, cover, NAMES, DISTRICTS)
    before, then = after(cover), after(cover, found.moves)
    moved = {move.area_id for move in found.moves}
    assert {area: held for area, held in then.items() if area not in moved} == {
        area: held for area, held in before.items() if area not in moved
    }
    if wanted.kind in ("merge", "split"):
        for move in found.moves:
            assert move.from_unit in wanted.units


@given(covers(), st.sampled_from(UNITS), st.sampled_from(UNITS))
def test_a_merge_has_all_that_the_merged_units_had(
    cover: list[Cover], one: UUID, other: UUID
) -> None:
    wanted = ReorganisationIn(kind="merge", effective_on=DAY, units=[one, other], name="Joined")
    found = plan(wanted, cover, NAMES, DISTRICTS)
    if one == other:
        assert found.problems == ("Choose at least two units to merge.",)
        return
    before, then = after(cover), after(cover, found.moves)
    for area, held in before.items():
        if held.whole in (one, other):
            assert then[area].whole == "Joined"
        for place, unit in held.sectors.items():
            now = then[area].sectors.get(place, then[area].whole)
            assert now == ("Joined" if unit in (one, other) else unit)


def test_sectors_pass_on_and_come_back() -> None:
    whole = Cover(uuid4(), AREAS[0], UNITS[0])
    part = Cover(uuid4(), AREAS[0], UNITS[1], ("CT9 1", "CT9 2"))
    rest = Cover(uuid4(), AREAS[1], UNITS[1])

    def moved(to: UUID, *sectors: str) -> tuple[Move, ...]:
        wanted = ReorganisationIn(
            kind="move", effective_on=DAY, areas=[AREAS[0]], to=to, sectors=list(sectors)
        )
        found = plan(wanted, [whole, part, rest], NAMES, DISTRICTS)
        assert found.problems == ()
        return found.moves

    on = after([whole, part, rest], moved(UNITS[2], "ct9 2"))
    assert on[AREAS[0]].sectors == {"CT9 1": UNITS[1], "CT9 2": UNITS[2]}
    back = after([whole, part, rest], moved(UNITS[0], "CT9 1"))
    assert back[AREAS[0]].sectors == {"CT9 2": UNITS[1]}


def test_what_is_refused_says_why() -> None:
    cover = [Cover(uuid4(), area, UNITS[n % 2]) for n, area in enumerate(AREAS)]

    def problems(**fields: object) -> tuple[str, ...]:
        wanted = ReorganisationIn.model_validate({"effective_on": DAY, **fields})
        return plan(wanted, cover, NAMES, DISTRICTS).problems

    split = {"kind": "split", "units": [UNITS[0]]}
    assert problems(
        **split,
        parts=[{"name": "A1", "areas": [AREAS[0]]}, {"name": "A2", "areas": [AREAS[0], AREAS[2]]}],
    ) == ("District 4 would have nobody.", "District 0 would have two units: A1 and A2.")
    assert problems(kind="merge", units=UNITS[:2], name="unit 2") == (
        "The force has a unit called unit 2 already.",
    )
    assert problems(kind="move", areas=[AREAS[0]], to=UNITS[0]) == (
        "District 0 is this unit’s already.",
    )
    emptied = problems(kind="move", areas=[AREAS[1], AREAS[3], AREAS[5]], to=UNITS[0])
    assert emptied == ("Unit 1 would have no district left: merge it instead, or leave it one.",)
    assert problems(kind="found") == ("Give the name of at least one new unit.",)


def test_a_sector_is_written_one_way() -> None:
    assert [sector(text) for text in ("ct91", "CT9 1", " sw1a 1 ", "CT9", "CT9 1AB")] == [
        "CT9 1", "CT9 1", "SW1A 1", "", "",
    ]  # fmt: skip
