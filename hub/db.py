"""The database: the declarative base, the unit of work, and constraint names as errors."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import psycopg
import uuid_utils.compat as uuid_utils
from sqlalchemy import (
    Date,
    DateTime,
    MetaData,
    Text,
    TextClause,
    TextualSelect,
    Uuid,
    column,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import Connection, CursorResult, Engine
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from hub.errors import HubError, conflict
from hub.presence import (
    BRIEF,
    CONNECT_SECONDS,
    AwayError,
    PatientConnection,
    Presence,
    patience,
    shows_away,
)

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

APP_ROLE = "hub_app"


class Base(DeclarativeBase):
    """Base of every mapped table; migrations, not this metadata, make the tables."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        date: Date(),
        UUID: Uuid(),
        str: Text(),
    }


def new_id() -> UUID:
    """Return a new UUIDv7: unique, and rising with time."""
    return uuid_utils.uuid7()


_constraints: dict[str, tuple[str, int, str]] = {}


def register_constraint(name: str, code: str, status: int, sentence: str) -> None:
    """Say which domain error a violation of the named constraint is."""
    _constraints[name] = (code, status, sentence)


def error_for(error: IntegrityError) -> HubError:
    """Return the domain error of a violated constraint; never the row that violated it."""
    diag = getattr(error.orig, "diag", None)
    name = getattr(diag, "constraint_name", None) or getattr(diag, "column_name", None) or ""
    if name in _constraints:
        code, status, sentence = _constraints[name]
        return HubError(code, status, sentence)
    return conflict("conflict", "Something else changed this first. Look again, and try once more.")


def sqlalchemy_url(url: str) -> str:
    """Return a plain `postgresql://` address as SQLAlchemy with psycopg 3 wants it."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url


class Database:
    """One pool of connections, all of them acting as `hub_app`.

    Made once per process, after any fork: nothing connects before the first unit of work.
    While it is away, whoever asks is told so at once. `admit`, if given, looks at a database that
    has come back before anybody else does, and raises to keep it out.
    """

    def __init__(
        self, url: str, *, pool_size: int = 20, admit: Callable[[Session], None] | None = None
    ) -> None:
        self.url = url
        self._admit = admit
        self._presence = Presence(self._look)
        self.engine: Engine = create_engine(
            sqlalchemy_url(url),
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=False,
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "options": "-c timezone=UTC -c statement_timeout=30s -c lock_timeout=10s"
                " -c idle_in_transaction_session_timeout=60s",
            },
        )
        event.listen(self.engine, "do_connect", _connect)
        event.listen(self.engine, "connect", _act_as_app)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False, autoflush=False)

    @property
    def away(self) -> bool:
        """Whether the database was away when it was last looked for."""
        return self._presence.away

    @contextmanager
    def unit_of_work(self, *, seconds: float | None = None) -> Iterator[Session]:
        """Yield a session: committed when the block ends cleanly, rolled back otherwise.

        `seconds` is how long the block may wait for the database in all; without, a statement may
        take as long as any.

        Raises:
            HubError: the domain error of the constraint that a write violated.
            OperationalError: the database is away.
        """
        if self._presence.away:
            raise AwayError
        try:
            with self._work(seconds) as session:
                yield session
        except OperationalError as error:
            if shows_away(error):
                self._presence.lost()
            raise

    @contextmanager
    def _work(self, seconds: float | None) -> Iterator[Session]:
        with patience(seconds):
            session = self._sessions()
            try:
                yield session
                session.commit()
            except IntegrityError as error:
                session.rollback()
                raise error_for(error) from None
            except BaseException:
                session.rollback()
                raise
            finally:
                session.close()

    def look(self) -> None:
        """Look whether the database is there and admitted; if it is not, look for it from here on.

        Raises:
            HubError: it was not admitted.
        """
        try:
            self._look()
        except OperationalError:
            self._presence.lost()

    def _look(self) -> None:
        with self._work(BRIEF) as session:
            session.execute(text("SELECT 1"))
            if self._admit is not None:
                self._admit(session)

    def dispose(self) -> None:
        """Close every connection."""
        self._presence.close()
        self.engine.dispose()


def _connect(_dialect: Any, _record: Any, arguments: Any, parameters: Any) -> PatientConnection:
    return PatientConnection.connect(*arguments, **parameters)


def _act_as_app(connection: Any, _record: Any) -> None:
    """Give up whatever else the login may do: the running hub is `hub_app` and no more."""
    if connection.info.user == APP_ROLE:
        return
    autocommit = connection.autocommit
    try:
        connection.autocommit = True
        connection.execute(f"SET ROLE {APP_ROLE}")
        connection.autocommit = autocommit
    except psycopg.Error:
        connection.close()  # nobody else has it yet
        raise


_known: dict[TextClause, TextualSelect] = {}


def fetch(
    session: Session, statement: TextClause, parameters: Mapping[str, Any]
) -> CursorResult[Any]:
    """Execute a statement that is written once in its module, and return its rows.

    Its columns are learnt at its first execution: SQLAlchemy, which works out a text's columns at
    each one, then spends half the time.
    """
    known = _known.get(statement)
    if known is not None:
        return session.connection().execute(known, parameters)
    result = session.connection().execute(statement, parameters)
    _known[statement] = statement.columns(*(column(name) for name in result.keys()))  # noqa: SIM118  # no dict
    return result


def advisory_lock(connection: Connection | Session, key: int) -> None:
    """Take a transaction-scoped advisory lock, waiting for it."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
