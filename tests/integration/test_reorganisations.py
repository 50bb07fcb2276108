"""Units in time: two merge from a day on, and everybody who asks is led right, before and after."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from directory import changes, editing, entry_contracts, problems, reorganisations, withdrawing
from directory.actors import reorganised
from directory.holder import Directory
from directory.ladder import Reader
from directory.lookup import Answer, Asked, Choice, Lookup
from directory.model import Area, ContactPoint, Coverage
from directory.postcodes import Postcodes
from directory.reorganising import Plan, ReorganisationIn
from directory.rows import read_rows
from directory.snapshot import Snapshot
from hub.clock import LONDON, utcnow
from hub.db import Database, new_id
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.identity.model import Membership
from hub.organisations import Unit, find_unit, units_below
from seed import reference
from tests.conftest import Someone

EAST, NORTH = "kent/east", "kent/north"
PROFESSIONAL = Reader(frozenset({"public", "professional", "police"}))


def april(year: int) -> date:
    return date(year, 4, 1)


class Kent:
    """Kent's editor at work, and the directory as others read it at a moment."""

    def __init__(self, database: Database, someone: Someone, postcodes: Postcodes) -> None:
        self.database, self.postcodes = database, postcodes
        self.editor = someone("kent", "directory-editor", "actual")
        self.someone = someone
        self.now = utcnow()
        self.today = self.now.astimezone(LONDON).date()
        self.first = april(self.today.year + 1)

    def stranger(self, unit: str, role: str = "directory-editor") -> Actor:
        return self.someone(unit, role, "actual")

    def ids(self, *codes: str) -> list[UUID]:
        with self.database.unit_of_work() as session:
            found = [find_unit(session, code) for code in codes]
            return [unit.id for unit in found if unit is not None]

    def do(
        self, wanted: ReorganisationIn, actor: Actor | None = None, why: str = "a new structure"
    ) -> Plan:
        with self.database.unit_of_work() as session:
            return reorganisations.reorganise(
                session, actor or self.editor, self.editor.organisation_id or new_id(), wanted,
                why=why, now=self.now,
            )  # fmt: skip

    def ask(self, kind: str, on: date | None = None, **fields: object) -> ReorganisationIn:
        return ReorganisationIn.model_validate(
            {"kind": kind, "effective_on": on or self.first, **fields}
        )

    def merged(self) -> ReorganisationIn:
        return self.ask("merge", units=self.ids(EAST, NORTH), name="East and North")

    def on(self, day: date) -> Snapshot:
        return Directory(read_rows(self.database, self.now)).on(day)

    def answer(self, day: date, need: str = "open-case", **asked: str) -> Answer:
        at = datetime(day.year, day.month, day.day, 12, tzinfo=LONDON)
        here = Lookup(self.on(day), self.postcodes)
        found = here.answer(Asked(**asked), (need,), PROFESSIONAL, at)  # type: ignore[arg-type]
        assert isinstance(found, Answer)
        return found

    def contact(self, unit: str, value: str, **fields: object) -> ContactPoint:
        with self.database.unit_of_work() as session:
            found = find_unit(session, unit)
            assert found is not None
            contact = ContactPoint(
                unit_id=found.id, purpose="missing-children-team", channel="telephone",
                value=value, audience="professional", valid_from=self.today, source="the editor",
                source_date="2026", verification="verified", verified_at=self.now,
                verified_by="PS Verifier", **fields,
            )  # fmt: skip
            session.add(contact)
            return contact

    def tick(self, at: datetime) -> None:
        with self.database.unit_of_work() as session:
            reorganised(session, at)


@pytest.fixture
def kent(database: Database, someone: Someone, postcodes: Postcodes) -> Kent:
    return Kent(database, someone, postcodes)


def refused(act: Callable[[], object]) -> HubError:
    with pytest.raises(HubError) as caught:
        act()
    return caught.value


def test_two_merge_from_a_day_on_and_a_lookup_shows_both(kent: Kent) -> None:
    kent.contact(f"{EAST}/missing-children-team", "01632 960211")
    kent.do(kent.merged())
    before, after = kent.first - timedelta(days=1), kent.first
    then = kent.answer(before, q="Thanet")
    assert then.place.bcu is not None
    assert then.place.bcu.code == EAST
    now = kent.answer(after, q="Thanet")
    assert now.place.bcu is not None
    assert now.place.bcu.name == "East and North"
    for day, found in ((before, then), (after, now)):
        rung = next(r for r in found.ladders["open-case"].rungs if r.value == "01632 960211")
        assert rung.verification == "verified", day
    old = kent.answer(after, unit=EAST)
    assert old.unit is not None
    assert old.unit.name == "East and North"
    assert "is no more" in old.match.note
    by_id = kent.answer(after, unit=str(kent.ids(EAST)[0]))
    assert by_id.unit == old.unit
    by_name = kent.answer(before, unit=EAST)
    assert by_name.unit is not None
    assert by_name.unit.name == "East Kent"


def test_until_its_day_the_old_unit_is_kept_and_what_is_changed_goes_along(
    kent: Kent, someone: Someone
) -> None:
    team, reader = f"{EAST}/missing-children-team", someone("essex", "officer", "actual")
    number = kent.contact(team, "01632 960211")
    dropped = kent.contact(team, "01632 960212")
    both = [kent.contact(one, "01632 960213") for one in (EAST, NORTH)]
    kent.do(kent.merged())
    why, now = "before the merger", kent.now
    with kent.database.unit_of_work() as session:
        problems.report(session, reader, number.id, kind="rang-out", note="", now=now)
    with kent.database.unit_of_work() as session:
        given = entry_contracts.ContactIn(
            purpose="missing-children-team", channel="telephone", value="01632 960299",
            hours=[entry_contracts.Span(days=[1], opens="08:00", closes="18:00")],
        )  # fmt: skip
        added = given.model_copy(update={"value": "01632 960214", "hours": None})
        keep = (session, kent.editor)
        editing.change_contact(
            *keep, number.id, given, version=None, why=why, now=now, checked=True
        )
        editing.close_contact(*keep, dropped.id, version=None, why=why, now=now)
        editing.close_contact(*keep, both[0].id, version=None, why=why, now=now)
        editing.add_contact(*keep, number.unit_id, added, why=why, now=now)
    before, after = kent.first - timedelta(days=1), kent.first
    for day, unit in ((before, EAST), (after, f"{EAST.partition('/')[0]}/east-and-north")):
        found = {
            rung.value: rung for rung in kent.answer(day, unit=unit).ladders["open-case"].rungs
        }
        assert found["01632 960299"].verification == "verified", day
        assert found["01632 960299"].opens_at is not None, day
        assert found["01632 960214"].verification == "unverified", day
        assert "01632 960211" not in found, day
        assert "01632 960212" not in found, day
        assert ("01632 960213" in found) is (day == after)
    kent.tick(datetime(after.year, after.month, after.day, 1, tzinfo=LONDON))
    with kent.database.unit_of_work() as session:
        left = select(ContactPoint).where(
            ContactPoint.unit_id == number.unit_id, ContactPoint.closed_at.is_(None)
        )
        assert session.scalars(left).all() == []


def test_every_district_of_the_force_keeps_exactly_one_unit(kent: Kent) -> None:
    kent.do(kent.merged())
    for day in (kent.today, kent.first - timedelta(days=1), kent.first):
        snapshot = kent.on(day)
        for area in snapshot.areas.values():
            if area.force_id == kent.editor.organisation_id:
                units = [
                    snapshot.units[one]
                    for one in snapshot.coverage[area.id]
                    if snapshot.units[one].kind == "bcu"
                ]
                assert len(units) == 1, (day, area.name)


def test_of_a_split_the_old_identifier_leaves_the_choice(kent: Kent) -> None:
    (east,) = kent.ids(EAST)
    districts = list(kent.on(kent.today).covered[east])
    parts = [
        {"name": "Thanet", "areas": districts[:1]}, {"name": "Rest of East", "areas": districts[1:]},
    ]  # fmt: skip
    kent.contact(f"{EAST}/missing-children-team", "01632 960211")
    kent.do(kent.ask("split", units=[east], parts=parts))
    snapshot = kent.on(kent.first)
    heirs = snapshot.successors[east]
    assert [one.name for one in heirs] == ["Rest of East", "Thanet"]
    here = Lookup(snapshot, kent.postcodes)
    choice = here.answer(Asked(unit=EAST), ("open-case",), PROFESSIONAL, kent.now)
    assert isinstance(choice, Choice)
    assert {one.name for one in choice.matches} == {"Rest of East", "Thanet"}
    for one in heirs:
        team = snapshot.child(one.id, "missing-children-team")
        assert team is not None
        assert [c.verification for c in snapshot.contacts[team.id]] == ["unverified"]


def test_a_new_name_holds_from_its_day_and_the_old_one_still_finds_it(kent: Kent) -> None:
    (east,) = kent.ids(EAST)
    kent.do(kent.ask("rename", units=[east], name="Garden of England"))
    assert kent.on(kent.first - timedelta(days=1)).units[east].name == "East Kent"
    on_the_day = kent.on(kent.first).units[east]
    assert (on_the_day.name, on_the_day.former_names[-1]) == ("Garden of England", "East Kent")
    kent.tick(datetime(kent.first.year, 4, 1, 0, 1, tzinfo=LONDON))
    with kent.database.unit_of_work() as session:
        unit = session.get_one(Unit, east)
        assert (unit.name, unit.former_names[-1]) == ("Garden of England", "East Kent")


def test_sectors_of_a_district_are_another_units(kent: Kent) -> None:
    (north,) = kent.ids(NORTH)
    snapshot = kent.on(kent.today)
    thanet = next(one for one in snapshot.areas.values() if one.name == "Thanet")
    kent.do(kent.ask("move", areas=[thanet.id], to=north, sectors=["CT9 1"]))
    then = kent.on(kent.first)
    inside, outside = then.bcu_of(thanet, "CT9 1"), then.bcu_of(thanet, "CT9 2")
    assert inside is not None
    assert outside is not None
    assert (inside.code, outside.code) == (NORTH, EAST)
    for postcode, code in (("CT9 1", NORTH), ("CT9 2", EAST)):
        found = kent.answer(kent.first, postcode=postcode)
        assert found.place.bcu is not None
        assert found.place.bcu.code == code
    whole = kent.answer(kent.first, q="Thanet")
    assert "In parts of it North Kent & Medway answers" in whole.match.note
    merged = kent.ask("merge", units=kent.ids(EAST, "kent/west"), name="East and West")
    kent.do(merged)
    later = kent.on(kent.first)
    still, rest = later.bcu_of(thanet, "CT9 1"), later.bcu_of(thanet, "CT9 2")
    assert still is not None
    assert rest is not None
    assert (still.code, rest.name) == (NORTH, "East and West")


def test_a_force_without_units_founds_its_first(kent: Kent, someone: Someone) -> None:
    editor = someone("devon-and-cornwall", "directory-editor", "actual")
    snapshot = kent.on(kent.today)
    plymouth = next(one for one in snapshot.areas.values() if one.name == "Plymouth")
    wanted = kent.ask("found", parts=[{"name": "Plymouth", "areas": [plymouth.id]}])
    with kent.database.unit_of_work() as session:
        assert editor.organisation_id is not None
        reorganisations.reorganise(
            session, editor, editor.organisation_id, wanted, why="our units", now=kent.now
        )
    assert kent.on(kent.today).bcu_of(plymouth) is None
    unit = kent.on(kent.first).bcu_of(plymouth)
    assert unit is not None
    assert unit.code == "devon-and-cornwall/plymouth"
    with kent.database.unit_of_work() as session:
        report = reference.load(session, kent.now)
    assert not report.of("Coverage").closed
    assert kent.on(kent.first).bcu_of(plymouth) == unit


def test_people_go_along_on_the_day_and_answer_for_what_was_their_units(
    kent: Kent, someone: Someone
) -> None:
    officer = someone(EAST, "officer", "actual")
    both = someone(NORTH, "officer", "actual")
    with kent.database.unit_of_work() as session:
        session.add(
            Membership(
                person_id=both.id, unit_id=kent.ids(EAST)[0], role="officer",
                valid_from=kent.now - timedelta(days=1),
            )
        )  # fmt: skip
    kent.do(kent.ask("merge", kent.today, units=kent.ids(EAST, NORTH), name="East and North"))
    kent.tick(kent.now + timedelta(minutes=1))
    (new,) = kent.ids("kent/east-and-north")
    with kent.database.unit_of_work() as session:
        for person in (officer, both):
            current = session.scalars(
                select(Membership.unit_id).where(
                    Membership.person_id == person.id, Membership.valid_to.is_(None)
                )
            ).all()
            assert current == [new]
        assert set(kent.ids(EAST, NORTH)) < units_below(session, new)


def test_what_is_refused_changes_nothing(kent: Kent, someone: Someone) -> None:
    wanted = kent.merged()
    assert refused(lambda: kent.do(wanted, why="")).code == "why"
    past = kent.ask("merge", kent.today - timedelta(days=1), units=wanted.units, name="E")
    assert refused(lambda: kent.do(past)).code == "effective-on"
    stranger = someone("essex", "directory-editor", "actual")
    assert refused(lambda: kent.do(wanted, stranger)).status == 403
    exercise = someone("kent", "directory-editor", "exercise")
    assert refused(lambda: kent.do(wanted, exercise)).code == "exercise-units"
    one = kent.ask("merge", units=wanted.units[:1], name="East and North")
    error = refused(lambda: kent.do(one))
    assert (error.code, len(error.fields)) == ("reorganisation-refused", 1)
    assert kent.ids("kent/east-and-north") == []


def test_an_earlier_day_than_a_change_on_record_is_refused(kent: Kent) -> None:
    kent.do(kent.merged())
    rename = kent.ask("rename", kent.today, units=kent.ids("kent/west"), name="West")
    error = refused(lambda: kent.do(rename))
    assert f"from 1 April {kent.first.year}" in error.sentence


@pytest.mark.parametrize(
    ("harm", "code"),
    [("twice", "covered-twice"), ("sectors", "covered-twice"), ("none", "left-uncovered")],
)
def test_the_database_holds_it_whoever_writes(kent: Kent, harm: str, code: str) -> None:
    east, north = kent.ids(EAST, NORTH)

    def write() -> None:
        with kent.database.unit_of_work() as session:
            row = session.scalars(
                select(Coverage).join(Area).where(Coverage.unit_id == east, Area.name == "Thanet")
            ).one()
            new = {"area_id": row.area_id, "valid_from": kent.today, "basis": "stated",
                   "as_of": "2026", "source": "test"}  # fmt: skip
            if harm == "twice":
                session.add(Coverage(unit_id=north, **new))
            elif harm == "sectors":
                session.add(Coverage(unit_id=north, sectors=["CT9 1", "CT9 2"], **new))
                session.add(Coverage(unit_id=kent.ids("kent/west")[0], sectors=["CT9 2"], **new))
            else:
                row.valid_to = kent.first

    assert refused(write).code == code


def test_each_change_is_in_the_history_with_its_reason(kent: Kent) -> None:
    kent.do(kent.merged(), why="Force review 2027")
    with kent.database.unit_of_work() as session:
        kinds = session.scalars(
            text("SELECT DISTINCT kind FROM directory_change WHERE why = 'Force review 2027'")
        ).all()
    assert {"unit", "coverage"} <= set(kinds)


def everything(snapshot: Snapshot) -> tuple[object, ...]:
    """Return what a reader sees of Kent: units, their names, districts and numbers."""
    units = {one.id: one.name for one in snapshot.units.values() if one.organisation.code == "kent"}
    return (
        units,
        {area: units_ for area, units_ in snapshot.coverage.items() if set(units_) & set(units)},
        {one: {sector for (_, sector), of in snapshot.sectors.items() if one in of} for one in units},
        {one: sorted(c.value for c in snapshot.contacts.get(one, ())) for one in units},
        {one: snapshot.successors.get(one) for one in units},
    )  # fmt: skip


def test_what_was_to_change_is_withdrawn_before_its_day_and_stays_on_record(kent: Kent) -> None:
    kent.contact(EAST, "01632 960211")
    before = [everything(kent.on(day)) for day in (kent.today, kent.first, april(2040))]
    with kent.database.unit_of_work() as session:
        assert (
            withdrawing.planned(session, kent.editor.organisation_id or new_id(), kent.now) is None
        )
    merged = kent.merged()
    kent.do(merged)
    with kent.database.unit_of_work() as session:  # an editor goes on, and adds to both
        east = find_unit(session, EAST)
        assert east is not None
        given = entry_contracts.ContactIn.model_validate(
            {"purpose": "coordinator", "channel": "telephone", "value": "01632 960212"}
        )
        editing.add_contact(session, kent.editor, east.id, given, why="a desk", now=kent.now)
    kent.do(kent.ask("rename", units=kent.ids("kent/west"), name="Far West"))
    assert everything(kent.on(kent.first)) != before[1]

    def withdraw(day: date, actor: Actor | None = None, why: str = "not agreed") -> object:
        with kent.database.unit_of_work() as session:
            return withdrawing.withdraw(
                session, actor or kent.editor, kent.editor.organisation_id or new_id(), day,
                why=why, now=kent.now,
            )  # fmt: skip

    assert refused(lambda: withdraw(kent.today)).code == "planned-changed"
    assert refused(lambda: withdraw(kent.first, why="")).code == "why"
    for other in (kent.stranger("essex"), kent.stranger("kent", "officer")):
        assert refused(lambda other=other: withdraw(kent.first, other)).code == "not-permitted"
    found = withdraw(kent.first)
    assert isinstance(found, withdrawing.Planned)
    assert (found.ends, found.begins) == (("East Kent", "North Kent & Medway"), ("East and North",))
    assert found.renames == (("West Kent", "Far West"),)
    with kent.database.unit_of_work() as session:
        session.execute(text("UPDATE contact_point SET closed_at = now(), valid_to = valid_from"
                             " WHERE value = '01632 960212'"))  # fmt: skip
    after = [everything(kent.on(day)) for day in (kent.today, kent.first, april(2040))]
    assert after == before
    assert refused(lambda: withdraw(kent.first)).status == 404
    with kent.database.unit_of_work() as session:
        gone = find_unit(session, "kent/east-and-north")
        assert gone is not None
        assert gone.valid_to == gone.valid_from == kent.first
        whys = {one.why for one in changes.of_unit(session, gone.id)}
        assert {"not agreed", "a new structure"} <= whys
    kent.do(kent.ask("merge", on=kent.first - timedelta(days=9), units=merged.units, name="Both"))
    assert "Both" in {one.name for one in kent.on(kent.first).units.values()}


def test_the_first_units_of_a_force_are_withdrawn_too(
    database: Database, someone: Someone, postcodes: Postcodes
) -> None:
    devon = Kent(database, someone, postcodes)
    devon.editor = someone("devon-and-cornwall", "directory-editor", "actual")
    organisation = devon.editor.organisation_id or new_id()
    with database.unit_of_work() as session:
        areas = list(reorganisations.areas_of(session, organisation, devon.first))
    devon.do(devon.ask("found", parts=[{"name": "EXERCISE Coast", "areas": areas}]))
    with database.unit_of_work() as session:
        withdrawing.withdraw(
            session, devon.editor, organisation, devon.first, why="not agreed", now=devon.now
        )
    assert all(devon.on(devon.first).bcu_of(one) is None
               for one in devon.on(devon.first).areas.values() if one.id in areas)  # fmt: skip
