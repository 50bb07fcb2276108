"""Contacts by spreadsheet: what goes out comes in as it was; all of a file is taken, or nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from directory import contact_csv, editing, exchange, keepers, reorganisations
from directory.contact_csv import decode, read, write
from directory.entry_contracts import ContactIn
from directory.exchange import Plan
from directory.model import PURPOSES, ContactPoint, DirectoryChange
from directory.reorganising import ReorganisationIn
from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.organisations import find_organisation, find_unit
from tests.conftest import Someone

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
KEEPER = Actor("system", name="test", roles=frozenset({"national-administrator"}))
Cells = dict[str, str]


def out(database: Database, actor: Actor = KEEPER, organisation: UUID | None = None) -> list[Cells]:
    with database.unit_of_work() as session:
        return exchange.export(session, actor, NOW, organisation)


def through(rows: Sequence[Cells]) -> list[contact_csv.Row]:
    """Return rows as they come back from a spreadsheet."""
    return read(decode(write(rows).encode()))


def planned(database: Database, rows: Sequence[Cells], actor: Actor = KEEPER) -> Plan:
    with database.unit_of_work() as session:
        return exchange.plan(session, actor, through(rows), NOW)


def applied(
    database: Database, rows: Sequence[Cells], actor: Actor = KEEPER, why: str = "EXERCISE"
) -> Plan:
    with database.unit_of_work() as session:
        return exchange.apply(session, actor, through(rows), why=why, now=NOW)


def changes(database: Database) -> int:
    with database.unit_of_work() as session:
        return session.scalar(select(func.count()).select_from(DirectoryChange)) or 0


def add(database: Database, unit: str = "kent/east", **fields: Any) -> ContactPoint:
    given = ContactIn.model_validate(
        {"purpose": "media", "channel": "telephone", "value": "020 7946 0123", **fields}
    )
    with database.unit_of_work() as session:
        found = find_unit(session, unit)
        assert found is not None
        return editing.add_contact(
            session, KEEPER, found.id, given, why="EXERCISE", now=NOW, checked=True
        )


def row_of(database: Database, contact: ContactPoint) -> Cells:
    return next(row for row in out(database) if row.get("contact_id") == str(contact.id))


def said(plan: Plan) -> list[str]:
    return [str(one) for one in plan.problems]


HOURS = st.none() | st.lists(
    st.fixed_dictionaries({
        "days": st.sets(st.integers(1, 7), min_size=1).map(sorted),
        "opens": st.sampled_from(["00:00", "08:30", "22:00"]),
        "closes": st.sampled_from(["06:00", "18:15", "24:00"]),
    }),
    min_size=1,
    max_size=3,
)  # fmt: skip
EXCEPTIONS = st.lists(
    st.fixed_dictionaries({
        "date": st.dates(NOW.date()).map(str),
        "spans": st.lists(st.just({"opens": "09:00", "closes": "12:00"}), max_size=1),
    }),
    max_size=2,
)  # fmt: skip
NOTES = st.none() | st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("=+-@'\",;"), max_size=40
)
CONTACTS = st.lists(
    st.fixed_dictionaries({
        "purpose": st.sampled_from(PURPOSES),
        "audience": st.sampled_from(["public", "professional", "police"]),
        "priority": st.integers(1, 999),
        "hours": HOURS,
        "bank_holiday_rule": st.sampled_from(["as-weekday", "as-sunday", "closed"]),
        "exceptions": EXCEPTIONS,
        "note": NOTES,
        "reached": st.sampled_from([
            ("telephone", "01632 960%03d"), ("mobile", "07700 900%03d"),
            ("telephone", "+33 1 23 45 6%03d"), ("email", "team%03d@example.org"),
            ("secure-email", "ŵ%03d@example.com"), ("web", "https://example.org/%03d"),
        ]),
    }),
    min_size=1,
    max_size=4,
)  # fmt: skip


def contact_fields(drawn: dict[str, Any], number: int) -> dict[str, Any]:
    channel, pattern = drawn["reached"]
    fields = {name: value for name, value in drawn.items() if name != "reached"}
    return {**fields, "channel": channel, "value": pattern % number}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=CONTACTS, after=CONTACTS, starts=st.integers(0, 900))
def test_what_goes_out_comes_in_as_it_was_and_an_edited_file_goes_out_as_it_came_in(
    database: Database, before: list[dict[str, Any]], after: list[dict[str, Any]], starts: int
) -> None:
    with database.unit_of_work() as session:  # each example begins anew
        kent = find_organisation(session, "kent")
        assert kent is not None
        session.execute(text("UPDATE contact_point SET closed_at = now(), valid_to = valid_from"))
    contacts = [
        add(database, **contact_fields(one, (starts + at) % 999)) for at, one in enumerate(before)
    ]
    rows = out(database, KEEPER, kent.id)
    count = changes(database)
    plan = applied(database, rows)
    assert (plan.differences, plan.problems) == ((), ())
    assert plan.unchanged == len([row for row in rows if any(row.values())])
    assert changes(database) == count

    edited = {
        str(contact.id): contact_csv.contact_cells(
            ContactIn.model_validate(contact_fields(drawn, (starts + 50 + at) % 999)).columns()
        )
        for at, (contact, drawn) in enumerate(zip(contacts, after, strict=False))
    }
    wanted = [{**row, **edited.get(row.get("contact_id", ""), {})} for row in rows]
    new = [
        {"unit": "kent/west", **contact_csv.contact_cells(
            ContactIn.model_validate(contact_fields(drawn, (starts + 100 + at) % 999)).columns()
        )}
        for at, drawn in enumerate(after)
    ]  # fmt: skip
    plan = applied(database, [*wanted, *new])
    assert plan.problems == ()
    given = contact_csv.GIVEN

    def contents(rows: Sequence[Cells]) -> list[tuple[str, ...]]:
        return sorted(
            (row["unit"], *(row[name] for name in given)) for row in rows if row.get("value")
        )

    assert contents(out(database, KEEPER, kent.id)) == contents([*wanted, *new])
    assert applied(database, out(database, KEEPER, kent.id)).differences == ()


def test_the_whole_directory_comes_in_as_it_went_out(database: Database) -> None:
    rows, count = out(database), changes(database)
    assert {row["unit"] for row in rows} >= {"kent", "kent/east", "E09000019/edt"}
    plan = applied(database, rows)
    assert (plan.differences, plan.problems, changes(database)) == ((), (), count)


def test_a_dry_run_shows_before_and_after_and_changes_nothing(database: Database) -> None:
    held, closing = add(database), add(database, value="020 7946 0999")
    count = changes(database)
    row = {**row_of(database, held), "value": "02079460124", "hours": "Mon to Fri 9 to 17"}
    row |= {"note": "=1+1", "priority": "100"}
    new = {"unit": "kent/east", "purpose": "MASH", "channel": "E-mail", "value": "a.b@example.org"}
    plan = planned(database, [row, {**row_of(database, closing), "close": "Yes"}, new])
    assert plan.problems == ()
    changed, closed, added = plan.differences
    assert changed.fields == (
        ("value", "020 7946 0123", "020 7946 0124"),
        ("hours", "", "Mon-Fri 09:00-17:00"),
        ("note", "", "=1+1"),
        ("verification", "verified", "unverified"),
    )
    assert (closed.kind, closed.title) == ("closing", "media, telephone 020 7946 0999")
    assert added.fields == (
        ("purpose", "", "mash"), ("channel", "", "email"), ("value", "", "a.b@example.org"),
    )  # fmt: skip
    assert "one person’s mailbox" in added.doubts[0]
    assert changes(database) == count


def test_every_change_says_why_and_a_row_that_is_not_there_closes_nothing(
    database: Database,
) -> None:
    kept, changed, closed = (add(database, value=f"020 7946 000{n}") for n in range(3))
    rows = [
        {**row_of(database, changed), "note": "by day"},
        {**row_of(database, closed), "close": "x"},
    ]
    applied(database, rows, why="EXERCISE: the quarterly file")
    with database.unit_of_work() as session:
        assert session.get_one(ContactPoint, kept.id).closed_at is None
        assert session.get_one(ContactPoint, changed.id).note == "by day"
        assert session.get_one(ContactPoint, changed.id).verification == "verified"
        assert session.get_one(ContactPoint, closed.id).closed_at == NOW
        whys = session.scalars(
            select(DirectoryChange.why).order_by(DirectoryChange.id.desc()).limit(2)
        )
        assert set(whys) == {"EXERCISE: the quarterly file"}
    with pytest.raises(HubError) as refused:
        applied(database, [{**row_of(database, kept), "note": "x"}], why=" ")
    assert refused.value.code == "why"


def test_one_wrong_row_and_nothing_is_taken(database: Database) -> None:
    count = changes(database)
    good = {"unit": "kent/east", "purpose": "media", "channel": "email", "value": "a@example.org"}
    with pytest.raises(HubError) as refused:
        applied(database, [good, {**good, "value": "no address"}])
    assert refused.value.status == 422
    assert "Row 3, value: Give an e-mail address" in refused.value.sentence
    assert changes(database) == count


GOOD = {"unit": "kent/east", "purpose": "media", "channel": "telephone", "value": "020 7946 0001"}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"unit": ""}, "Row 2, unit: Give the unit’s code"),
        ({"unit": "kent/nowhere"}, "Row 2, unit: There is no unit “kent/nowhere”"),
        ({"purpose": ""}, "Row 2, purpose: Write one of: missing-children-team"),
        ({"purpose": "team"}, "Row 2, purpose: Write one of: missing-children-team"),
        ({"channel": "fax"}, "Row 2, channel: Write one of: telephone, mobile"),
        ({"value": ""}, "Row 2, value: Give the number or address"),
        ({"value": "12"}, "Row 2, value: This is not a telephone number"),
        ({"audience": "all"}, "Row 2, audience: Write one of: public, professional, police."),
        ({"priority": "first"}, "Row 2, priority: Give a whole number from 1 to 999"),
        ({"priority": "0"}, "Row 2, priority: Give a whole number from 1 to 999"),
        ({"hours": "by day"}, "Row 2, hours: “by day” cannot be read as hours"),
        ({"bank_holidays": "open"}, "Row 2, bank_holidays: Write one of: as-weekday"),
        ({"exceptions": "Christmas"}, "Row 2, exceptions: “Christmas” cannot be read"),
        ({"note": "x" * 301}, "Row 2, note: Keep the note under 300 characters."),
        ({"close": "perhaps"}, "Row 2, close: Write yes to close the contact"),
        ({"close": "yes"}, "Row 2, close: Only a contact that has its contact_id"),
        ({"contact_id": "7"}, "Row 2, contact_id: Leave this as the export wrote it"),
        ({"contact_id": str(UUID(int=7))}, "Row 2, contact_id: There is no such contact."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_row_and_column(
    database: Database, cells: Cells, expected: str
) -> None:
    (found,) = said(planned(database, [{**GOOD, **cells}]))
    assert found.startswith(expected)


def test_every_error_of_every_row_is_said_at_once(database: Database) -> None:
    held = row_of(database, add(database))
    rows = [
        {"unit": "nowhere", "purpose": "x", "channel": "fax", "value": "", "audience": "all",
         "priority": "0", "hours": "by day", "exceptions": "Christmas", "note": "n" * 301,
         "bank_holidays": "open", "close": "perhaps"},
        GOOD,
        {**held, "value": "12", "hours": "late", "version": "9"},
        {**held, "priority": "none"},
    ]  # fmt: skip
    found = [(one.row, one.column) for one in planned(database, rows).problems]
    assert sorted(found[:11]) == sorted(
        (2, column)
        for column in ("unit", "purpose", "channel", "value", "audience", "priority", "hours",
                       "exceptions", "note", "bank_holidays", "close")
    )  # fmt: skip
    assert sorted(found[11:]) == [
        (4, "hours"), (4, "value"), (4, "version"), (5, "contact_id"), (5, "priority"),
    ]  # fmt: skip


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(range(4)), closes=st.booleans(), adds=st.booleans())
def test_contacts_of_a_unit_may_swap_what_they_have_in_one_file(
    database: Database, order: list[int], closes: bool, adds: bool
) -> None:
    with database.unit_of_work() as session:  # each example begins anew
        session.execute(text("UPDATE contact_point SET closed_at = now(), valid_to = valid_from"))
    held = [add(database, value=f"020 7946 001{n}", note=f"desk {n}") for n in range(4)]
    rows = [row_of(database, one) for one in held]
    wanted = [{**row, "value": rows[order[at]]["value"]} for at, row in enumerate(rows)]
    if closes:
        wanted[0] = {**rows[0], "close": "yes"}
        taken = {row["value"] for row in wanted[1:]}
        wanted[1]["value"] = rows[0]["value"] if rows[0]["value"] not in taken else "020 7946 0090"
    if adds:
        free = {row["value"] for row in rows} - {
            row["value"] for row in wanted if row.get("close") != "yes"
        }
        wanted.append({**GOOD, "value": min(free, default="020 7946 0091")})
    count = changes(database)
    plan = applied(database, wanted)
    assert plan.problems == ()
    assert changes(database) - count == len(plan.differences)
    then = [row for row in out(database) if row.get("contact_id")]
    assert sorted((row["value"], row.get("note", "")) for row in then) == sorted(
        (row["value"], row.get("note", "")) for row in wanted if row.get("close") != "yes"
    )
    assert applied(database, out(database)).differences == ()


def test_a_swap_goes_along_to_the_unit_that_takes_the_place(database: Database) -> None:
    held = [add(database, value=f"020 7946 000{n}", note=f"desk {n}") for n in (1, 2)]
    with database.unit_of_work() as session:
        kent = find_organisation(session, "kent")
        units = [find_unit(session, f"kent/{one}") for one in ("east", "west")]
        assert kent is not None
        wanted = ReorganisationIn.model_validate({
            "kind": "merge", "effective_on": NOW.date() + timedelta(days=30), "name": "EXERCISE",
            "units": [one.id for one in units if one],
        })  # fmt: skip
        reorganisations.reorganise(session, KEEPER, kent.id, wanted, why="EXERCISE", now=NOW)
    rows = [row_of(database, one) for one in held]
    rows[0]["value"], rows[1]["value"] = rows[1]["value"], rows[0]["value"]
    applied(database, rows)
    heir = [row for row in out(database) if row["unit_name"] == "EXERCISE" and row.get("value")]
    assert {(row["value"], row["note"]) for row in heir if row["purpose"] == "media"} == {
        ("020 7946 0002", "desk 1"), ("020 7946 0001", "desk 2"),
    }  # fmt: skip


def test_what_somebody_adds_meanwhile_is_no_repeat_of_a_swap(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = add(database), add(database, value="020 7946 0002")
    rows = [row_of(database, one) for one in (first, second)]
    rows[0]["value"], rows[1]["value"] = rows[1]["value"], "020 7946 0003"
    planning = exchange.plan

    def late(*arguments: Any) -> Plan:
        found = planning(*arguments)
        add(database, value="020 7946 0003")
        return found

    monkeypatch.setattr(exchange, "plan", late)
    with pytest.raises(HubError) as refused:
        applied(database, rows)
    assert (refused.value.code, refused.value.status) == ("rows-refused", 409)
    assert refused.value.fields[0].pointer == "/3/"
    with database.unit_of_work() as session:
        assert session.get_one(ContactPoint, first.id).value == first.value


def test_a_repeat_is_refused_in_the_file_and_on_record(database: Database) -> None:
    held = add(database)
    twice = {**GOOD, "value": "02079460001"}
    again = {**GOOD, "value": held.value}
    assert said(planned(database, [GOOD, twice, again])) == [
        "Row 3, value: East Kent has this contact for this purpose already (row 2): change that"
        " one.",
        "Row 4, value: East Kent has this contact for this purpose already (on record): change"
        " that one.",
    ]
    row = row_of(database, held)
    assert "Row 3, contact_id: The contact is in row 2 already" in said(
        planned(database, [row, {**row, "note": "again"}])
    )[0]  # fmt: skip


def test_a_contact_keeps_its_unit_and_is_closed_or_changed_not_both(database: Database) -> None:
    row = row_of(database, add(database))
    (moved,) = said(planned(database, [{**row, "unit": "kent/west"}]))
    assert moved.startswith(
        "Row 2, unit: The contact is not of West Kent. To move it, close it there"
    )
    (both,) = said(planned(database, [{**row, "note": "x", "close": "yes"}]))
    assert both == "Row 2, close: Close the contact or change it, not both."


def test_what_changed_since_the_file_was_written_is_a_conflict(database: Database) -> None:
    changed, closed = add(database), add(database, value="020 7946 0002")
    rows = [
        {**row_of(database, changed), "note": "mine"}, {**row_of(database, closed), "note": "mine"},
    ]  # fmt: skip
    given = ContactIn.model_validate({
        "purpose": "media", "channel": "telephone", "value": changed.value, "note": "theirs",
    })  # fmt: skip
    with database.unit_of_work() as session:
        editing.change_contact(
            session, KEEPER, changed.id, given, version=None, why="EXERCISE", now=NOW
        )
        editing.close_contact(session, KEEPER, closed.id, version=None, why="EXERCISE", now=NOW)
    first, second = said(planned(database, rows))
    assert first.startswith("Row 2, version: The contact was changed by test since the file")
    assert second == "Row 3, contact_id: The contact was closed meanwhile."
    with pytest.raises(HubError) as refused:
        applied(database, rows)
    assert refused.value.status == 409
    with database.unit_of_work() as session:
        assert session.get_one(ContactPoint, changed.id).note == "theirs"


def test_editors_have_their_own_and_delegated_entries_alone(
    database: Database, someone: Someone
) -> None:
    actor = someone("kent", "directory-editor", "actual")
    assert {row["unit"].partition("/")[0] for row in out(database, actor)} == {"kent"}
    (refused,) = said(planned(database, [{**GOOD, "unit": "surrey"}], actor))
    assert refused == "Row 2, unit: You do not keep the entry of Surrey Police."
    administrator = someone("npcc/missing-persons", "national-administrator", "actual")
    with database.unit_of_work() as session:
        surrey, kent = find_unit(session, "surrey"), find_unit(session, "kent")
        assert surrey is not None
        assert kent is not None
        keepers.delegate(session, administrator, surrey.organisation_id, kent.organisation_id, NOW)
        organisation = surrey.organisation_id
    assert applied(database, [{**GOOD, "unit": "surrey"}], actor).count("addition") == 1
    assert {row["unit"].partition("/")[0] for row in out(database, actor, organisation)} == {
        "surrey"
    }
    for other in (someone("kent", "officer", "actual"), Actor("public")):
        with pytest.raises(HubError):
            out(database, other)
        with pytest.raises(HubError):
            planned(database, [GOOD], other)


def test_an_exercise_has_its_own_contacts_and_an_editor_no_other_organisation(
    database: Database, someone: Someone
) -> None:
    actual = add(database)
    actor = someone("kent", "directory-editor")
    assert not any(row.get("value") for row in out(database, actor))
    row = {**row_of(database, actual), "note": "x"}
    assert said(planned(database, [row], actor)) == [
        "Row 2, contact_id: There is no such contact. Empty this for a new one."
    ]
    with database.unit_of_work() as session:
        surrey = find_unit(session, "surrey")
        assert surrey is not None
    with pytest.raises(HubError) as refused:
        out(database, actor, surrey.organisation_id)
    assert refused.value.status == 403
