"""Alembic's environment: sequential, under an advisory lock, with lock and statement time-outs."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from hub.db import sqlalchemy_url

LOCK = 0x4D43_4855_4200_0001  # "MCHUB", migrations


def run() -> None:
    """Upgrade or downgrade in one transaction, as the owner."""
    url = context.config.get_main_option("sqlalchemy.url")
    if not url:
        raise RuntimeError("no database address was given")
    engine = create_engine(sqlalchemy_url(url), poolclass=pool.NullPool, hide_parameters=True)
    with engine.connect() as connection:
        connection.execute(text("SET lock_timeout = '30s'"))
        connection.execute(text("SET statement_timeout = '10min'"))
        connection.execute(text("SET timezone = 'UTC'"))
        connection.commit()
        context.configure(
            connection=connection, target_metadata=None, transaction_per_migration=False
        )
        with context.begin_transaction():
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            context.run_migrations()


run()
