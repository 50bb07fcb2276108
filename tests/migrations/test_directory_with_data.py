"""Migration 0006 goes down and up with what it brought in place: suggestions, sectors, successors."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text

from directory.model import ContactPoint, ContactProblem, Coverage, Delegation
from hub.db import Database, new_id
from hub.migrating import downgrade, position, upgrade
from hub.organisations import UnitRenaming, UnitSuccession, find_organisation, find_unit

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def _contact(**values: Any) -> ContactPoint:
    plain: dict[str, Any] = {
        "purpose": "missing-children-team", "channel": "telephone", "value": "01632 960001",
        "audience": "professional", "valid_from": date(2026, 11, 1), "source": "EXERCISE",
        "source_date": "2026-11-01",
    }  # fmt: skip
    return ContactPoint(**(plain | values))


def _fill(database: Database) -> None:
    with database.unit_of_work() as session:
        east, west = find_unit(session, "kent/east"), find_unit(session, "kent/west")
        kent, essex = find_organisation(session, "kent"), find_organisation(session, "essex")
        assert east is not None
        assert west is not None
        assert kent is not None
        assert essex is not None
        kept = _contact(unit_id=east.id)
        session.add_all([
            kept,
            _contact(unit_id=east.id, value="01632 960002", verification="suggested",
                     suggested_by="EXERCISE Reader"),
            _contact(unit_id=east.id, value="01632 960003", purpose="mash", bounced_at=NOW),
            _contact(unit_id=east.id, value="01632 960004", valid_to=date(2026, 11, 2),
                     closed_at=NOW),
        ])  # fmt: skip
        session.flush()
        area_id = session.execute(
            text("SELECT area_id FROM coverage WHERE unit_id = :unit ORDER BY id LIMIT 1"),
            {"unit": east.id},
        ).scalar_one()
        session.add_all([
            Coverage(unit_id=west.id, area_id=area_id, sectors=["CT9 1"], basis="stated",
                     valid_from=date(2026, 11, 1), as_of="2026-11-01", source="EXERCISE"),
            UnitSuccession(unit_id=east.id, successor_id=west.id),
            UnitRenaming(unit_id=west.id, name="Far West", effective_on=date(2027, 4, 1)),
            Delegation(organisation_id=kent.id, to_organisation_id=essex.id,
                       granted_by="EXERCISE", granted_at=NOW),
            ContactProblem(contact_point_id=kept.id, value=kept.value, kind="rang-out",
                           reported_by_id=new_id(), reported_by="EXERCISE",
                           organisation_id=essex.id, at=NOW),
        ])  # fmt: skip
        east.former_names = ["Margate Division"]
        east.name_welsh = "Dwyrain Caint"


def _exercise(database: Database, table: str) -> list[str]:
    column = "value" if table == "contact_point" else "basis"
    with database.unit_of_work() as session:
        return list(
            session.execute(
                text(f"SELECT {column} FROM {table} WHERE source = 'EXERCISE' ORDER BY 1")
            ).scalars()
        )


def test_up_down_and_up_with_suggestions_sectors_and_successors(
    owner_url: str, database: Database
) -> None:
    _fill(database)
    with database.unit_of_work() as session:
        counts = {
            table: session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in ("organisation", "unit", "area", "coverage", "contact_point")
        }
    downgrade(owner_url, "0005")
    assert position(owner_url) == "behind"
    assert _exercise(database, "contact_point") == ["01632 960001", "01632 960004"]
    assert _exercise(database, "coverage") == []
    upgrade(owner_url)
    assert position(owner_url) == "current"
    with database.unit_of_work() as session:
        version = session.execute(text("SELECT version FROM directory_version")).scalar_one()
        recorded = session.execute(
            text("SELECT kind, version, who, before IS NULL, count(*) FROM directory_change"
                 " GROUP BY 1, 2, 3, 4")
        ).all()  # fmt: skip
    assert {row[0]: row[4] for row in recorded} == counts | {
        "coverage": counts["coverage"] - 1, "contact_point": counts["contact_point"] - 2
    }  # fmt: skip
    assert {row[1:4] for row in recorded} == {(version, "Missing Children Hub", True)}
    _fill(database)
    assert len(_exercise(database, "contact_point")) == 6
