"""Keeping organisations: who may change what, what the database refuses, and putting it back."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from directory import changes, organisations
from directory.organisations import OrganisationIn
from hub.db import Database
from hub.identity.actor import PUBLIC, Actor
from hub.organisations import Organisation, find_organisation
from tests.conftest import Someone
from tests.directories import read
from tests.worlds import refused

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TODAY = NOW.date()
GROUP, HOME = "exercise-group", "exercise-home"


@pytest.fixture
def national(someone: Someone) -> Actor:
    return someone("kent", "national-administrator", status="actual")


@pytest.fixture(autouse=True)
def provider(database: Database) -> None:
    """Put a care provider's group, and a home of it, on record."""
    with database.unit_of_work() as session:
        for code in (GROUP, HOME):
            session.add(
                Organisation(
                    code=code, kind="provider", name=code.replace("-", " ").title(),
                    valid_from=date(2025, 4, 1), source="EXERCISE", source_date="2026-11-01",
                )
            )  # fmt: skip


def found(session: Session, code: str) -> Organisation:
    there = find_organisation(session, code)
    assert there is not None
    return there


@pytest.fixture
def change(database: Database) -> Callable[..., Organisation]:
    def save(actor: Actor, code: str, version: int | None = None, **more: Any) -> Organisation:
        with database.unit_of_work() as session:
            held = found(session, code)
            plain: dict[str, Any] = {
                "name": held.name, "name_welsh": held.name_welsh, "valid_to": held.valid_to,
                "other_names": held.other_names, "valid_from": held.valid_from,
                "parent": str(held.parent_id) if held.parent_id else None,
            }  # fmt: skip
            return organisations.change_organisation(
                session, actor, held.id, OrganisationIn(**plain | more), version=version,
                why="EXERCISE: as its board says", now=NOW,
            )  # fmt: skip

    return save


Change = Callable[..., Organisation]


def test_a_renamed_organisation_keeps_its_former_name_with_its_day_and_can_be_put_back(
    database: Database, national: Actor, change: Change
) -> None:
    changed = change(national, GROUP, 1, name="EXERCISE  Kindly Homes", name_welsh="Cartrefi")
    assert (changed.name, changed.former_names, changed.version) == (
        "EXERCISE Kindly Homes", ["Exercise Group"], 2,
    )  # fmt: skip
    assert changed.former_until == {"Exercise Group": TODAY.isoformat()}
    with database.unit_of_work() as session:
        last = changes.of_organisation(session, changed.id)[0]
        assert (last.who, last.why) == (national.name, "EXERCISE: as its board says")
        assert {one.name for one in last.fields} == {
            "name", "name_welsh", "former_names", "former_until",
        }  # fmt: skip

        def put_back(version: int) -> Organisation:
            return organisations.revert_organisation(
                session, national, last.id, version=version, why="never said", now=NOW
            )

        refused("changed-meanwhile", lambda: put_back(1))
        assert put_back(2).version == 3
        back = found(session, GROUP)
        assert (back.name, back.former_names, back.name_welsh) == ("Exercise Group", [], None)
        first = changes.of_organisation(session, back.id)[-1]
        refused(
            "not-reverted",
            lambda: organisations.revert_organisation(
                session, national, first.id, version=None, why="never said", now=NOW
            ),
        )


def test_who_may_change_what(someone: Someone, national: Actor, change: Change) -> None:
    own = someone("kent", "administrator", status="actual")
    assert change(own, "kent", name="EXERCISE Kent Police").version == 2
    for more in ({"parent": GROUP}, {"valid_from": date(2025, 4, 2)}, {"valid_to": TODAY}):
        refused("not-permitted", lambda more=more: change(own, "kent", **more))
    for actor in (
        someone("essex", "administrator", status="actual"),
        someone("kent", "directory-editor", status="actual"),
        someone("kent", "officer", status="actual"),
    ):
        refused("not-permitted", lambda actor=actor: change(actor, "kent", name="EXERCISE"))
    refused("sign-in-needed", lambda: change(PUBLIC, "kent", name="EXERCISE"))
    player = someone("kent", "national-administrator", status="exercise")
    refused("actual-only", lambda: change(player, "kent", name="EXERCISE"))
    refused("changed-meanwhile", lambda: change(national, "kent", 1, name="EXERCISE"))


def test_what_is_part_of_what_is_no_circle_in_the_service_and_in_the_database(
    database: Database, national: Actor, change: Change
) -> None:
    home = change(national, HOME, parent=GROUP)
    snapshot = read(database, NOW)
    assert snapshot.organisations[home.id].parent_id == snapshot.organisation_by_code[GROUP].id
    for code, parent in ((GROUP, HOME), (GROUP, GROUP), (HOME, "nowhere")):
        caught = refused("parent", lambda c=code, p=parent: change(national, c, parent=p))
        assert caught.fields[0].pointer == "/parent"
    circle = "UPDATE organisation a SET parent_id = b.id FROM organisation b WHERE a.code = '{}'"

    def by_hand(code: str, parent: str) -> None:
        with database.unit_of_work() as session:
            session.execute(text(f"{circle.format(code)} AND b.code = '{parent}'"))

    refused("parent-above", lambda: by_hand(GROUP, HOME))
    refused("parent-above", lambda: by_hand(GROUP, GROUP))


def test_it_is_closed_on_a_day_and_never_while_it_has_units_or_districts(
    database: Database, national: Actor, change: Change
) -> None:
    day = TODAY + timedelta(days=7)
    closed = change(national, HOME, valid_to=day)
    assert closed.id in read(database, NOW).organisations
    assert closed.id not in read(database, NOW + timedelta(days=7)).organisations
    assert change(national, HOME, valid_to=None).valid_to is None
    assert "units" in refused("valid_to", lambda: change(national, "kent", valid_to=day)).sentence
    council = refused("valid_to", lambda: change(national, "E10000016", valid_to=day))
    assert council.fields[0].pointer == "/valid_to"
    change(national, HOME, valid_to=TODAY)

    def by_hand(statement: str) -> None:
        with database.unit_of_work() as session:
            session.execute(text(statement))

    close = "UPDATE organisation SET valid_to = '2027-01-01' WHERE code = '{}'"
    refused("organisation-has-units", lambda: by_hand(close.format("kent")))
    refused(
        "organisation-has-units",
        lambda: by_hand(
            "INSERT INTO unit (id, code, organisation_id, kind, kind_label, name, valid_from,"
            " source, source_date) SELECT gen_random_uuid(), 'exercise-unit', id, 'other', 'x',"
            f" 'x', '2026-11-01', 'x', 'x' FROM organisation WHERE code = '{HOME}'"
        ),
    )
    refused(
        "organisation-has-districts",
        lambda: by_hand(
            "UPDATE unit SET valid_to = '2026-12-01' WHERE code LIKE 'E06000001%';"
            " UPDATE organisation SET valid_to = '2026-12-01' WHERE code = 'E06000001'"
        ),
    )
