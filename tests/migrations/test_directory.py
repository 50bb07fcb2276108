"""The directory's migration goes down and up again under data, and its models equal its tables."""

from datetime import UTC, datetime

from sqlalchemy import func, inspect, select
from sqlalchemy.dialects import postgresql

from directory import links, model, reorganisations
from directory.reorganising import ReorganisationIn
from hub.db import Base, Database
from hub.migrating import downgrade, position, upgrade
from hub.organisations import UnitRenaming, UnitSuccession, find_unit
from hub.records.keys import Keys
from seed import reference
from tests.conftest import Someone

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TABLES = [
    model.Area.__tablename__,
    model.Coverage.__tablename__,
    model.ContactPoint.__tablename__,
    model.MailboxVerification.__tablename__,
    model.DirectoryVersion.__tablename__,
    model.DirectoryChange.__tablename__,
    model.DirectoryPosition.__tablename__,
    model.Delegation.__tablename__,
    model.DirectoryLink.__tablename__,
    model.ContactProblem.__tablename__,
    UnitRenaming.__tablename__,
    UnitSuccession.__tablename__,
]


def test_down_and_up_with_the_nation_loaded(owner_url: str, database: Database) -> None:
    downgrade(owner_url, "0003")
    assert position(owner_url) == "behind"
    upgrade(owner_url)
    assert position(owner_url) == "current"
    with database.unit_of_work() as session:
        report = reference.load(session, NOW)
    assert report.of("Units").unchanged == 661  # older than this migration
    assert len(report.of("Districts").added) == 318
    assert len(report.of("Coverage").added) == 453
    assert len(report.of("Contacts").added) == 54


def test_the_models_equal_the_tables(database: Database) -> None:
    dialect = postgresql.dialect()
    with database.engine.connect() as connection:
        inspector = inspect(connection)
        for name in TABLES:
            there = {
                column["name"]: (column["type"].compile(dialect), column["nullable"])
                for column in inspector.get_columns(name)
            }
            mapped = {
                column.name: (column.type.compile(dialect), column.nullable)
                for column in Base.metadata.tables[name].columns
            }
            assert mapped == there


def test_0006_goes_down_and_up_under_a_reorganisation_and_open_links(
    owner_url: str, database: Database, keys: Keys, someone: Someone
) -> None:
    """What did not exist before goes; units and their coverage stay, and it works again after."""
    editor = someone("kent", "directory-editor", "actual")
    assert editor.organisation_id is not None
    today = datetime.now(UTC).date()
    with database.unit_of_work() as session:
        codes = ("kent/east", "kent/north", "kent/west")
        east, north, west = (unit.id for code in codes if (unit := find_unit(session, code)))
        area = session.scalars(
            select(model.Coverage.area_id).where(model.Coverage.unit_id == west).limit(1)
        ).one()
        for wanted in (
            {"kind": "move", "areas": [area], "to": east, "sectors": ["TN1 1"]},
            {"kind": "merge", "units": [east, north], "name": "East and North"},
        ):
            reorganisations.reorganise(
                session, editor, editor.organisation_id,
                ReorganisationIn.model_validate({"effective_on": today, **wanted}),
                why="a new structure", now=datetime.now(UTC),
            )  # fmt: skip
        links.issue(
            session, keys, purpose="verify", organisation_id=editor.organisation_id, unit_id=west,
            address="west@kent.example.org", sent_by="the hub", now=NOW,
        )  # fmt: skip
    open_coverage = select(func.count()).where(
        model.Coverage.valid_to.is_(None), model.Coverage.sectors.is_(None)
    )
    with database.unit_of_work() as session:
        before = session.scalar(open_coverage)
    downgrade(owner_url, "0005")
    upgrade(owner_url)
    with database.unit_of_work() as session:
        assert session.scalar(open_coverage) == before
        assert session.scalar(select(func.count(model.DirectoryLink.id))) == 0
        merged = find_unit(session, "kent/east-and-north")
        assert merged is not None
        assert merged.valid_to is None
        old = find_unit(session, "kent/east")
        assert old is not None
        assert old.superseded_by_id == merged.id
