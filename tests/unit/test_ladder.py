"""Whatever is asked, wherever and whenever, the ladder ends in something that can be rung."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.hours import Hours
from directory.ladder import NEEDS, Ladder, Need, Place, Reader, climb
from directory.snapshot import Area, Contact, Problem, Snapshot, Unit
from hub.clock import LONDON, utcnow
from hub.db import Database, new_id
from tests.conftest import TestServers
from tests.directories import read

AT = datetime(2026, 11, 24, 3, tzinfo=UTC)  # a Tuesday night
VERIFIED = AT - timedelta(days=10)
DAYTIME: list[dict[str, Any]] = [{"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "16:00"}]
POLICE = Reader(frozenset({"public", "professional", "police"}))


@pytest.fixture(scope="module")
def snapshot(servers: TestServers, template: str) -> Snapshot:
    database = Database(servers.database(servers.app_url, template))
    try:
        return read(database, utcnow())
    finally:
        database.dispose()


def place(snapshot: Snapshot, area: Area) -> Place:
    return Place(
        snapshot.organisations[area.force_id],
        snapshot.force_unit(area.force_id),
        snapshot.bcu_of(area),
        snapshot.organisations[area.csa_id] if area.csa_id else None,
        area.country,
    )


def force(snapshot: Snapshot, code: str) -> Place:
    one = snapshot.organisation_by_code[code]
    return Place(one, snapshot.force_unit(one.id), None, None, one.country or "")


def contact(unit: Unit, purpose: str, value: str, **more: Any) -> Contact:
    plain = Contact(
        new_id(), unit.id, purpose, "telephone", value, "public", 100, Hours(), None, "actual",
        "the test", "2026-11-01", "verified", VERIFIED, "EXERCISE Editor",
    )  # fmt: skip
    return replace(plain, **more)


def having(snapshot: Snapshot, *contacts: Contact) -> Snapshot:
    of: dict[UUID, tuple[Contact, ...]] = dict(snapshot.contacts)
    for one in contacts:
        of[one.unit_id] = (*of.get(one.unit_id, ()), one)
    return replace(snapshot, contacts=of, cache={})


def kent(snapshot: Snapshot, need: Need, *contacts: Contact, **more: Any) -> Ladder:
    asked: dict[str, Any] = {"reader": POLICE, "at": AT} | more
    area = snapshot.areas["E07000106"]  # Canterbury, of East Kent
    there = having(snapshot, *contacts)
    return climb(there, place(there, area), need, asked["reader"], asked["at"])


def values(ladder: Ladder) -> list[tuple[str, str | None]]:
    return [(rung.purpose, rung.value) for rung in ladder.rungs]


@pytest.fixture(scope="module")
def at_kent(snapshot: Snapshot) -> Callable[[str], Unit]:
    return lambda code: snapshot.by_code[code]


At = Callable[[str], Unit]

TEAM = "kent/missing-children-team"
EAST = "kent/east/missing-children-team"
ROOM = "kent/control-room"


@given(
    data=st.data(),
    need=st.sampled_from(NEEDS),
    at=st.datetimes(
        min_value=datetime.fromisoformat("2020-01-01"),
        max_value=datetime.fromisoformat("2035-12-01"),
        timezones=st.just(UTC),
    ),
)
def test_every_district_need_and_moment_ends_in_something_to_ring(
    snapshot: Snapshot, data: st.DataObject, need: Need, at: datetime
) -> None:
    code = data.draw(st.sampled_from(sorted(snapshot.areas)))
    ladder = climb(snapshot, place(snapshot, snapshot.areas[code]), need, Reader(), at)
    _holds(ladder)
    assert ladder.rungs[-1].value == "101"


def test_every_district_and_need_at_night(snapshot: Snapshot) -> None:
    for area in snapshot.areas.values():
        for need in NEEDS:
            ladder = climb(snapshot, place(snapshot, area), need, Reader(), AT)
            _holds(ladder)
            assert ladder.call_now is not None
            assert ladder.call_now.value == "101"
            assert ladder.call_now.connects is not None
            assert ladder.call_now.connects.startswith("where you are; ask for ")


def _holds(ladder: Ladder) -> None:
    assert ladder.call_now is not None
    assert ladder.call_now.callable
    assert ladder.call_now.verification != "unverified"
    assert ladder.rungs[-1].callable
    assert all(rung.note for rung in ladder.rungs if rung.value is None)


@pytest.mark.parametrize("code", ["mdp", "guernsey", "isle-of-man"])
@pytest.mark.parametrize("need", NEEDS)
def test_a_force_without_a_number_ends_in_999_and_ukmpu_and_says_so(
    snapshot: Snapshot, code: str, need: Need
) -> None:
    ladder = climb(snapshot, force(snapshot, code), need, Reader(), AT)
    emergency, ukmpu = ladder.rungs[-2:]
    assert (emergency.value, ukmpu.unit_code) == ("999", "nca/ukmpu")
    assert emergency.note is not None
    assert emergency.note.startswith("no number is on record for")
    wanted = emergency if need == "report-missing" else ukmpu
    assert ladder.call_now == wanted


@pytest.mark.parametrize("code", ["btp", "cnc"])
def test_an_unverified_number_stands_above_101_but_101_is_rung(
    snapshot: Snapshot, code: str
) -> None:
    ladder = climb(snapshot, force(snapshot, code), "open-case", Reader(), AT)
    assert ladder.rungs[-2].verification == "unverified"
    assert ladder.rungs[-1].value == "101"
    assert ladder.call_now == ladder.rungs[-1]


@pytest.mark.parametrize("code", ["police-scotland", "northern-ireland"])
def test_a_neighbouring_service_is_reached_by_101(snapshot: Snapshot, code: str) -> None:
    ladder = climb(snapshot, force(snapshot, code), "open-case", Reader(), AT)
    assert ladder.call_now is not None
    assert ladder.call_now.value == "101"


def test_a_case_climbs_from_the_team_to_the_control_room(snapshot: Snapshot, at_kent: At) -> None:
    ladder = kent(
        snapshot,
        "open-case",
        contact(at_kent(ROOM), "control-room", "01632 960001"),
        contact(at_kent("kent"), "duty-inspector", "01632 960002", audience="police"),
        contact(at_kent(TEAM), "missing-children-team", "01632 960003"),
        contact(at_kent(EAST), "missing-children-team", "01632 960004", hours=Hours(DAYTIME)),
        contact(at_kent("kent"), "switchboard-from-outside", "01632 960005"),
        contact(at_kent("kent"), "coordinator", "01632 960006"),
    )
    assert values(ladder) == [
        ("missing-children-team", "01632 960004"),
        ("missing-children-team", "01632 960003"),
        ("coordinator", "01632 960006"),
        ("duty-inspector", "01632 960002"),
        ("control-room", "01632 960001"),
        ("switchboard-from-outside", "01632 960005"),
        ("non-emergency", "101"),
    ]
    assert ladder.call_now == ladder.rungs[1]
    assert not ladder.rungs[0].open
    assert ladder.rungs[0].opens_at == datetime(2026, 11, 24, 8, tzinfo=LONDON)


def test_a_report_goes_to_the_control_room_first(snapshot: Snapshot, at_kent: At) -> None:
    ladder = kent(
        snapshot,
        "report-missing",
        contact(at_kent(ROOM), "control-room", "01632 960001"),
        contact(at_kent("kent"), "duty-inspector", "01632 960002"),
        contact(at_kent(EAST), "missing-children-team", "01632 960004"),
    )
    assert [purpose for purpose, _ in values(ladder)][:3] == [
        "control-room", "duty-inspector", "missing-children-team",
    ]  # fmt: skip
    assert ladder.call_now == ladder.rungs[0]


def test_a_report_goes_to_101_rather_than_to_a_team(snapshot: Snapshot, at_kent: At) -> None:
    team = contact(at_kent(EAST), "missing-children-team", "01632 960004")
    ladder = kent(snapshot, "report-missing", team)
    assert values(ladder)[0] == ("control-room", "101")
    assert ladder.call_now == ladder.rungs[0]
    assert ladder.rungs[-1].value == "101"


def test_a_switchboard_from_outside_stands_above_101(snapshot: Snapshot, at_kent: At) -> None:
    switchboard = contact(at_kent("kent"), "switchboard-from-outside", "01632 960005")
    for need in ("report-missing", "open-case"):
        ladder = kent(snapshot, need, switchboard)
        assert ladder.call_now is not None
        assert ladder.call_now.value == "01632 960005"
        assert ladder.call_now.connects == "Kent Police, from anywhere"


def test_an_unverified_contact_shows_but_is_never_first(snapshot: Snapshot, at_kent: At) -> None:
    team = contact(
        at_kent(EAST), "missing-children-team", "01632 960004",
        verification="unverified", verified_at=None,
    )  # fmt: skip
    ladder = kent(snapshot, "open-case", team)
    assert values(ladder)[0] == ("missing-children-team", "01632 960004")
    assert ladder.call_now is not None
    assert ladder.call_now.value == "101"
    assert any("unverified" in text for text in ladder.warnings)


def test_an_overdue_verification_is_said(snapshot: Snapshot, at_kent: At) -> None:
    team = contact(
        at_kent(EAST), "missing-children-team", "01632 960004",
        verified_at=AT - timedelta(days=91), due_at=AT - timedelta(days=1),
    )  # fmt: skip
    ladder = kent(snapshot, "open-case", team)
    assert any("overdue" in text for text in ladder.warnings)


def test_each_sees_the_audience_that_they_are_of(snapshot: Snapshot, at_kent: At) -> None:
    team = contact(at_kent(EAST), "missing-children-team", "01632 960004", audience="police")
    for reader in (Reader(), Reader(frozenset({"public", "professional"}))):
        ladder = kent(snapshot, "open-case", team, reader=reader)
        assert "01632 960004" not in [rung.value for rung in ladder.rungs]
        assert ladder.rungs[0].note == "a number is on record: sign in to see it"
    assert "01632 960004" in [r.value for r in kent(snapshot, "open-case", team).rungs]


def test_an_exercises_contact_is_for_the_exercise_alone(snapshot: Snapshot, at_kent: At) -> None:
    actual = contact(at_kent(EAST), "missing-children-team", "01632 960004")
    exercise = contact(at_kent(EAST), "missing-children-team", "01632 960099", status="exercise")
    shown = [r.value for r in kent(snapshot, "open-case", actual, exercise).rungs]
    assert "01632 960099" not in shown
    reader = replace(POLICE, status="exercise")
    shown = [r.value for r in kent(snapshot, "open-case", actual, exercise, reader=reader).rungs]
    assert "01632 960099" in shown
    assert "01632 960004" not in shown


def test_the_councils_team_by_day_its_edt_by_night_and_police_control_without(
    snapshot: Snapshot,
) -> None:
    nothing = kent(snapshot, "child-social-care")
    assert [rung.value for rung in nothing.rungs] == [None, None, "101"]
    assert nothing.rungs[-1].note is not None
    assert nothing.rungs[-1].note.startswith("no number on record; ask police control for its EDT")
    council = "E10000016"
    team = contact(
        snapshot.by_code[f"{council}/childrens-social-care"], "childrens-social-care",
        "01632 960010", hours=Hours(DAYTIME, "closed"),
    )  # fmt: skip
    edt = contact(snapshot.by_code[f"{council}/edt"], "edt", "01632 960011")
    noon = AT + timedelta(hours=9)
    for at, value in ((AT, "01632 960011"), (noon, "01632 960010")):
        ladder = kent(snapshot, "child-social-care", team, edt, at=at)
        assert ladder.call_now is not None
        assert ladder.call_now.value == value
    easter_monday = datetime(2026, 4, 6, 12, tzinfo=LONDON).astimezone(UTC)
    ladder = kent(snapshot, "child-social-care", team, edt, at=easter_monday)
    assert ladder.call_now is not None
    assert ladder.call_now.value == "01632 960011"


def test_placements_are_written_to_their_own_mailbox_first(snapshot: Snapshot, at_kent: At) -> None:
    own = contact(at_kent("kent"), "placement", "placements@example.org", channel="email")
    team = contact(at_kent(EAST), "missing-children-team", "team@example.org", channel="email")
    assert [r.value for r in kent(snapshot, "placement", own, team).write_to] == [
        "placements@example.org", "team@example.org",
    ]  # fmt: skip
    assert [r.value for r in kent(snapshot, "meeting", own, team).write_to] == ["team@example.org"]
    assert values(kent(snapshot, "placement", own, team)) == values(kent(snapshot, "open-case"))


def test_a_clock_change_moves_no_opening(snapshot: Snapshot, at_kent: At) -> None:
    team = contact(at_kent(EAST), "missing-children-team", "01632 960004", hours=Hours(DAYTIME))
    for night in ("2026-03-28T20:00", "2026-10-24T20:00"):
        at = datetime.fromisoformat(night).replace(tzinfo=LONDON).astimezone(UTC)
        rung = kent(snapshot, "open-case", team, at=at).rungs[0]
        assert rung.opens_at is not None
        assert f"{rung.opens_at.astimezone(LONDON):%A %H:%M}" == "Monday 08:00"


def reports(people: int = 3, organisations: int = 2) -> tuple[Problem, ...]:
    of = [new_id() for _ in range(organisations)]
    return tuple(
        Problem("rang-out", AT - timedelta(days=1), new_id(), of[number % organisations])
        for number in range(people)
    )


DRAFTS = st.lists(
    st.fixed_dictionaries({
        "unit": st.sampled_from(["kent", "kent/east", TEAM, EAST, ROOM]),
        "purpose": st.sampled_from([
            "missing-children-team", "coordinator", "duty-inspector", "control-room",
            "switchboard-from-outside", "non-emergency", "placement", "meeting",
        ]),
        "channel": st.sampled_from(["telephone", "mobile", "email"]),
        "verification": st.sampled_from(["verified", "unverified", "suggested"]),
        "problems": st.sampled_from([(), reports(1), reports()]),
        "daytime": st.booleans(),
    }),
    min_size=1, max_size=8,
)  # fmt: skip


@given(drafts=DRAFTS, need=st.sampled_from(NEEDS))
def test_a_suggestion_never_stands_above_what_is_verified_and_101_ends_it_all(
    snapshot: Snapshot, at_kent: At, drafts: list[dict[str, Any]], need: Need
) -> None:
    contacts = [
        contact(
            at_kent(one["unit"]), one["purpose"], f"01632 9600{number:02}",
            channel=one["channel"], verification=one["verification"], problems=one["problems"],
            hours=Hours(DAYTIME if one["daytime"] else None),
        )
        for number, one in enumerate(drafts)
    ]  # fmt: skip
    ladder = kent(snapshot, need, *contacts)
    for rungs in (ladder.rungs[:-1], ladder.write_to):
        found = [rung.standing.rank for rung in rungs]
        assert found == sorted(found)
    if need != "child-social-care":
        last = ladder.rungs[-1]
        assert (last.purpose, last.value) == ("non-emergency", "101")
    assert ladder.call_now is not None
    assert ladder.call_now.verification in ("verified", "standard")
    assert not ladder.call_now.standing.lowered


def test_a_number_that_many_report_goes_down_and_says_so(snapshot: Snapshot, at_kent: At) -> None:
    team = contact(
        at_kent(EAST), "missing-children-team", "01632 960004", problems=reports(),
    )  # fmt: skip
    inspector = contact(at_kent("kent/east"), "duty-inspector", "01632 960005")
    ladder = kent(snapshot, "open-case", team, inspector)
    given_ = [rung.value for rung in ladder.rungs if rung.value]
    assert given_ == ["01632 960005", "01632 960004", "101"]
    assert ladder.call_now is not None
    assert ladder.call_now.value == "01632 960005"
    said = " ".join(ladder.warnings)
    assert "3 people have reported 01632 960004" in said
    assert "put lower because of that" in said


def test_two_people_or_one_organisation_do_not_lower_it(snapshot: Snapshot, at_kent: At) -> None:
    for some in (reports(2, 2), reports(3, 1)):
        team = contact(at_kent(EAST), "missing-children-team", "01632 960004", problems=some)
        ladder = kent(snapshot, "open-case", team)
        assert ladder.call_now is not None
        assert ladder.call_now.value == "01632 960004"


def test_a_councils_edt_is_found_at_whichever_of_its_units_it_was_put(
    snapshot: Snapshot,
) -> None:
    area = snapshot.areas["E07000106"]
    units = [u for u in snapshot.units.values() if u.organisation.id == area.csa_id]
    care = next(unit for unit in units if unit.kind == "childrens-social-care")
    ladder = kent(
        snapshot, "child-social-care",
        contact(care, "childrens-social-care", "01632 960010", hours=Hours(DAYTIME)),
        contact(care, "edt", "01632 960011"),
        contact(care, "edt", "edt@example.org", channel="email"),
    )  # fmt: skip
    assert ladder.call_now is not None
    assert ladder.call_now.value == "01632 960011"
    assert [rung.value for rung in ladder.write_to] == ["edt@example.org"]
