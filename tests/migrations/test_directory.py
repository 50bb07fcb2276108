"""The directory's migration goes down and up again under data, and its models equal its tables."""

from datetime import UTC, datetime

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql

from directory import model
from hub.db import Base, Database
from hub.migrating import downgrade, position, upgrade
from hub.organisations import UnitRenaming, UnitSuccession
from seed import reference

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
