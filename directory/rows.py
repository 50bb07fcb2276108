"""The directory's rows as they stand in the database, read in one consistent look."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.db import Database
from hub.presence import BRIEF

Row = dict[str, Any]

QUERIES = {
    "organisations": "SELECT * FROM organisation ORDER BY code, valid_from",
    "units": "SELECT * FROM unit ORDER BY code, valid_from",
    "areas": "SELECT * FROM area WHERE kind = 'district' ORDER BY code, valid_from",
    "coverage": "SELECT id, unit_id, area_id, sectors, valid_from, valid_to FROM coverage"
    " ORDER BY unit_id, area_id, valid_from, id",
    "contacts": "SELECT * FROM contact_point ORDER BY priority, id",
    "successions": "SELECT s.unit_id, s.successor_id FROM unit_succession s"
    " JOIN unit u ON u.id = s.successor_id WHERE s.withdrawn_at IS NULL"
    " ORDER BY s.unit_id, (SELECT superseded_by_id FROM unit WHERE id = s.unit_id) = u.id DESC,"
    " u.code",
    "renamings": "SELECT unit_id, name, effective_on FROM unit_renaming WHERE applied_at IS NULL"
    " AND withdrawn_at IS NULL"
    " ORDER BY effective_on, id",
    "problems": "SELECT contact_point_id, value, kind, reported_by_id, organisation_id, at"
    " FROM contact_problem WHERE answered_at IS NULL ORDER BY at, id",
    "memberships": "SELECT m.unit_id, m.role, m.valid_from, m.valid_to, p.status FROM membership m"
    " JOIN person p ON p.id = m.person_id WHERE p.suspended_at IS NULL ORDER BY m.id",
    "clients": "SELECT unit_id FROM oauth_client WHERE revoked_at IS NULL"
    " AND 'cases:read' = ANY(scopes) ORDER BY unit_id",
    "systems": "SELECT c.id, c.name, c.scopes, u.id AS unit_id, u.name AS unit_name,"
    " o.id AS organisation_id, o.code AS organisation_code, o.name AS organisation_name,"
    " o.kind AS organisation_kind FROM oauth_client c JOIN unit u ON u.id = c.unit_id"
    " JOIN organisation o ON o.id = c.organisation_id"
    " WHERE c.revoked_at IS NULL AND 'directory:read' = ANY(c.scopes) ORDER BY c.id",
    "suspended": "SELECT id FROM person WHERE suspended_at IS NOT NULL ORDER BY id",
    "positions": "SELECT kind, object_id, version FROM directory_position"
    " ORDER BY version, kind, object_id",
}


@dataclass(frozen=True)
class Rows:
    """Every row that is ever looked up, past and future ones too, at one version.

    `tables` is by the names of QUERIES. `taken_at` is aware UTC.
    """

    version: int
    taken_at: datetime
    tables: Mapping[str, list[Row]]


def version(database: Database) -> int:
    """Return the version of the directory as last committed.

    Raises:
        SQLAlchemyError: the database is away.
    """
    with database.unit_of_work(seconds=BRIEF) as session:
        return int(session.scalar(text("SELECT version FROM directory_version")) or 0)


def read_rows(database: Database, now: datetime) -> Rows:
    """Read the whole directory in one consistent look.

    Raises:
        SQLAlchemyError: the database is away.
    """
    with database.unit_of_work() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        current = int(session.scalar(text("SELECT version FROM directory_version")) or 0)
        tables = {name: _read(session, query) for name, query in QUERIES.items()}
    return Rows(current, now, tables)


def _read(session: Session, query: str) -> list[Row]:
    found = session.execute(text(query))
    names = tuple(found.keys())
    return [dict(zip(names, row, strict=True)) for row in found]
