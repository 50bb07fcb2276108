"""Loading the nation: once whole, again without a trace, newer without overruling people."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter
from typing import Protocol

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from directory.model import Area, ContactPoint, Coverage, DirectoryVersion
from hub.db import Base, Database
from hub.errors import HubError
from hub.organisations import Organisation, Unit, find_unit
from hub.records.model import AuditRecord
from seed import files, reference

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = datetime(2027, 4, 1, 9, tzinfo=UTC)
TABLES: tuple[type[Base], ...] = (Organisation, Unit, Area, Coverage, ContactPoint)

Edit = Callable[[str], str]


class Servers(Protocol):
    """What of the run's servers is used here."""

    app_url: str

    def database(self, url: str, name: str) -> str: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(files.BUNDLED, tmp_path / "reference"))


@pytest.fixture
def empty(servers: Servers, empty_template: str, clone: Callable[[str], str]) -> Iterator[Database]:
    database = Database(servers.database(servers.app_url, clone(empty_template)))
    yield database
    database.dispose()


def _edit(folder: Path, file: str, edit: Edit) -> None:
    path = folder / file
    before = path.read_text("utf-8")
    after = edit(before)
    assert after != before
    path.write_text(after, "utf-8")


def _without(start: str) -> Edit:
    return lambda before: "".join(
        line for line in before.splitlines(keepends=True) if not line.startswith(start)
    )


def _load(
    database: Database, folder: Path | None = None, now: datetime = LATER
) -> reference.Report:
    with database.unit_of_work() as session:
        return reference.load(session, now, folder=folder)


def _version(session: Session) -> int:
    return session.scalars(select(DirectoryVersion.version)).one()


def _state(database: Database) -> list[list[tuple[object, ...]]]:
    with database.unit_of_work() as session:
        return [
            sorted(
                (
                    tuple(row)
                    for row in session.execute(
                        text(f"SELECT id::text, xmin::text, * FROM {model.__tablename__}")
                    )
                ),
                key=lambda row: str(row[0]),
            )
            for model in TABLES
        ]


def test_the_nation_is_there(database: Database) -> None:
    with database.unit_of_work() as session:
        police = select(func.count()).where(Organisation.kind == "police")
        assert session.scalar(police) == 51
        councils = select(func.count()).where(Organisation.kind == "local-authority")
        assert session.scalar(councils) == 175
        assert session.scalar(select(func.count(Area.id))) == 318
        kinds = dict(session.execute(select(Unit.kind, func.count()).group_by(Unit.kind)).all())
        assert kinds == {
            "force": 51,
            "bcu": 82,
            "missing-children-team": 128,
            "control-room": 46,
            "childrens-social-care": 175,
            "edt": 175,
            "national": 2,
            "other": 2,
        }


def test_every_row_says_its_source_its_date_and_unverified(database: Database) -> None:
    with database.unit_of_work() as session:
        for model, dated in (
            (Organisation, "source_date"),
            (Unit, "source_date"),
            (Area, "source_date"),
            (Coverage, "as_of"),
            (ContactPoint, "source_date"),
        ):
            wrong = session.scalar(
                text(
                    f"SELECT count(*) FROM {model.__tablename__}"
                    f" WHERE source = '' OR {dated} = '' OR verification <> 'unverified'"
                    " OR valid_from > '2025-04-01' OR valid_to IS NOT NULL"
                )
            )
            assert wrong == 0


def test_every_force_covers_its_districts_and_every_team_waits_for_a_contact(
    database: Database,
) -> None:
    with database.unit_of_work() as session:
        covering = (
            select(func.count(func.distinct(Coverage.area_id)))
            .join(Unit, Unit.id == Coverage.unit_id)
            .where(Unit.kind == "force")
        )
        assert session.scalar(covering) == 318
        teams = select(func.count()).select_from(ContactPoint).join(Unit)
        assert session.scalar(teams.where(Unit.kind == "missing-children-team")) == 0
        east_kent = find_unit(session, "kent/east/missing-children-team")
        assert east_kent is not None
        assert east_kent.parent_id == session.scalar(
            select(Unit.id).where(Unit.code == "kent/east")
        )


def test_each_territorial_force_has_101_once_and_btp_its_own(database: Database) -> None:
    with database.unit_of_work() as session:
        numbers = session.execute(
            select(Unit.code, ContactPoint.channel, ContactPoint.value)
            .join(Unit)
            .where(ContactPoint.purpose == "non-emergency")
            .order_by(Unit.code, ContactPoint.channel)
        ).all()
    assert [code for code, _, value in numbers if value == "101"].count("cheshire") == 1
    assert sum(value == "101" for _, _, value in numbers) == 45
    assert [(channel, value) for code, channel, value in numbers if code == "btp"] == [
        ("telephone", "0800 40 50 40"),
        ("text", "61016"),
    ]
    assert not {"mdp", "guernsey", "isle-of-man"} & {code for code, _, _ in numbers}


def test_loading_takes_less_than_three_seconds_and_is_on_record(empty: Database) -> None:
    started = perf_counter()
    report = _load(empty, now=NOW)
    assert perf_counter() - started < 3
    assert report.changed
    assert "Districts: 318 added, 0 updated" in str(report)
    with empty.unit_of_work() as session:
        records = session.scalars(
            select(AuditRecord).where(AuditRecord.action == "directory.reference-loaded")
        ).all()
        assert [record.detail["districts"]["added"] for record in records if record.detail] == [318]


def test_a_second_load_writes_nothing(database: Database) -> None:
    before = _state(database)
    with database.unit_of_work() as session:
        version = _version(session)
    report = _load(database)
    assert not report.changed
    assert _state(database) == before
    with database.unit_of_work() as session:
        assert _version(session) == version


def test_a_newer_file_updates_what_changed(database: Database, folder: Path) -> None:
    _edit(
        folder,
        "local_authorities.csv",
        lambda old: old.replace(
            "Hartlepool Borough Council,cleveland", "Borough of Hartlepool,cleveland"
        ),
    )
    _edit(
        folder,
        "police_forces.csv",
        lambda old: old.replace(
            "https://www.kent.police.uk/,101", "https://www.kent.police.uk/,01632 960001"
        ),
    )
    report = _load(database, folder)
    assert report.of("Districts").updated == ("E06000001",)
    assert report.of("Contacts").updated == ("reference:kent/non-emergency/telephone/1",)
    assert report.of("Units").updated == ()
    with database.unit_of_work() as session:
        area = session.scalars(select(Area).where(Area.code == "E06000001")).one()
        assert area.official_name == "Borough of Hartlepool"
        contact = session.scalars(select(ContactPoint).join(Unit).where(Unit.code == "kent")).one()
        assert (contact.value, contact.version) == ("01632 960001", 2)


def test_what_is_gone_is_closed_and_never_deleted(database: Database, folder: Path) -> None:
    _edit(folder, "bcus.csv", _without("kent,kent/east,"))
    report = _load(database, folder)
    assert report.of("Units").closed == ("kent/east", "kent/east/missing-children-team")
    assert len(report.of("Coverage").closed) == 5
    assert "closed, gone from the files: kent/east, kent/east/missing" in str(report)
    with database.unit_of_work() as session:
        unit = find_unit(session, "kent/east")
        assert unit is not None
        assert unit.valid_to == date(2027, 4, 1)
    again = _load(database, folder)
    assert not again.changed
    back = _load(database)
    assert back.of("Units").updated == ("kent/east", "kent/east/missing-children-team")
    assert len(back.of("Coverage").added) == 5
    with database.unit_of_work() as session:
        unit = find_unit(session, "kent/east")
        assert unit is not None
        assert unit.valid_to is None


def test_districts_that_merge_are_superseded(database: Database, folder: Path) -> None:
    """Thanet and Dover become one district with a new code; the old ones lead to it."""
    _edit(folder, "local_authorities.csv", _without("E07000108,"))
    _edit(
        folder,
        "local_authorities.csv",
        lambda old: "".join(
            line.rstrip("\n") + "E07000108;E07000114\n" if line.startswith("E07000114,") else line
            for line in old.splitlines(keepends=True)
        ).replace("E07000114,Thanet", "E07000999,East Kent Coast"),
    )
    _edit(
        folder,
        "bcus.csv",
        lambda old: old.replace("E07000108;E07000112;E07000114", "E07000112;E07000999"),
    )
    report = _load(database, folder)
    assert report.of("Districts").added == ("E07000999",)
    assert set(report.of("Districts").closed) == {"E07000108", "E07000114"}
    with database.unit_of_work() as session:
        new = session.scalars(select(Area).where(Area.code == "E07000999")).one()
        assert new.valid_from == date(2027, 4, 1)
        assert new.previous_codes == ["E07000108", "E07000114"]
        old = session.scalars(select(Area).where(Area.code.in_(["E07000108", "E07000114"]))).all()
        assert {area.superseded_by_id for area in old} == {new.id}
        assert {area.valid_to for area in old} == {date(2027, 4, 1)}


def test_what_people_edited_is_kept_and_reported(database: Database, folder: Path) -> None:
    with database.unit_of_work() as session:
        unit = find_unit(session, "kent/east")
        gone = find_unit(session, "kent/west")
        assert unit is not None
        assert gone is not None
        unit.name, unit.edited_at, unit.edited_by = "East Division", NOW, "Editor Example"
        gone.edited_at, gone.edited_by = NOW, "Editor Example"
        contact = session.scalars(select(ContactPoint).join(Unit).where(Unit.code == "kent")).one()
        contact.valid_to, contact.edited_at = NOW.date(), NOW
        session.flush()
    _edit(folder, "bcus.csv", _without("kent,kent/west,"))
    before = _state(database)[1]
    report = _load(database, folder)
    assert set(report.of("Units").kept) == {"kent/east", "kent/west"}
    assert report.of("Contacts").kept == ("reference:kent/non-emergency/telephone/1",)
    assert "kept, differs from the files: kent/east" in str(report)
    after = _state(database)[1]
    west = [row for row in before if str(row[3]).startswith("kent/west")]
    assert len(west) == 2
    assert all(row in after for row in west)
    assert report.of("Coverage").closed == ()
    with database.unit_of_work() as session:
        contacts = select(func.count()).select_from(ContactPoint).join(Unit)
        assert session.scalar(contacts.where(Unit.code == "kent")) == 1


def test_what_people_added_is_not_closed(database: Database) -> None:
    with database.unit_of_work() as session:
        unit = find_unit(session, "kent")
        assert unit is not None
        session.add(
            ContactPoint(
                unit_id=unit.id,
                purpose="duty-inspector",
                channel="telephone",
                value="01632 960002",
                audience="police",
                valid_from=NOW.date(),
                source="entered by Editor Example",
                source_date="2026-11-24",
            )
        )
    assert not _load(database).changed


def test_a_bad_file_changes_nothing(database: Database, folder: Path) -> None:
    _edit(folder, "local_authorities.csv", lambda old: old.replace("E06000001,", "E0600000X,", 1))
    before = _state(database)
    with pytest.raises(HubError, match="reference-invalid"):
        _load(database, folder)
    assert _state(database) == before
