"""Bringing the database to this version's tables, and saying whether it is there."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool
from sqlalchemy.exc import OperationalError, ProgrammingError

from hub.db import sqlalchemy_url
from hub.errors import HubError, unavailable


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Apply every migration up to `revision`, as the owner whose address this is.

    Raises:
        HubError: no database answers, its owner may not do this, or it is a newer hub's.
    """
    if position(url) == "newer":
        raise HubError("database-newer", 503, "The database was made by a newer hub: run that one.")
    try:
        command.upgrade(_config(url), revision)
    except ProgrammingError:
        raise HubError(
            "migration-refused",
            503,
            "The database refused a migration: DATABASE_OWNER_URL must own the database, and may"
            " need CREATEROLE once, to make the role hub_app.",
        ) from None
    except OperationalError:
        raise unavailable(
            "migration-interrupted",
            "A migration was interrupted or waited too long for a lock: nothing was changed;"
            " stop what holds the tables, and try again.",
        ) from None


def downgrade(url: str, revision: str) -> None:
    """Undo migrations down to `revision`."""
    command.downgrade(_config(url), revision)


def position(url: str) -> str:
    """Return "current", "behind" or "newer".

    Raises:
        HubError: no database answers at this address.
    """
    scripts = ScriptDirectory.from_config(_config(url))
    known = {script.revision for script in scripts.walk_revisions()}
    engine = create_engine(sqlalchemy_url(url), poolclass=pool.NullPool, hide_parameters=True)
    try:
        with engine.connect() as connection:
            at = MigrationContext.configure(connection).get_current_revision()
    except OperationalError:
        raise unavailable(
            "no-database",
            "No database answers at the address given: check DATABASE_URL, and that PostgreSQL"
            " is running.",
        ) from None
    if at is None:
        return "behind"
    if at not in known:
        return "newer"
    return "current" if at == scripts.get_current_head() else "behind"
