"""A board of five thousand open cases: what the server needs for its first page and a late one."""

import time

import psycopg
from screens import cpu_seconds
from sqlalchemy import text

from hub.db import Database
from hub.identity.actor import Actor
from hub.organisations import find_unit, units_below
from messaging import board

CASES = 5000
ROUNDS = 20
_MANY = """
SET session_replication_role = replica;
CREATE TEMP TABLE fresh AS SELECT n, gen_random_uuid() AS id, gen_random_uuid() AS episode_id,
    gen_random_uuid() AS message_id FROM generate_series(1, %(cases)s) n;
INSERT INTO cases (id, reference, status, opened_at, opener_unit_id, home_unit_id, last_message_no,
        last_at)
    SELECT id, 'EX-BNCH-' || n, 'exercise', now(), %(unit)s, %(unit)s, 1, now() FROM fresh;
INSERT INTO party SELECT id, %(unit)s, 'police', 'full', now() FROM fresh;
INSERT INTO party SELECT id, %(other)s, 'police', 'full', now() FROM fresh;
INSERT INTO message (id, case_id, number, type, schema_version, status, classification, priority,
        sent_at, sender_unit_id, sender_kind, sender_name, audience)
    SELECT message_id, id, 1, 'missing-episode-report', '1', 'exercise', 'OFFICIAL', 'routine',
        now(), %(unit)s, 'person', 'EXERCISE', 'police' FROM fresh;
INSERT INTO episode (id, case_id, number, opened_at, opened_by_message_id, recording_unit_id, risk)
    SELECT episode_id, id, 1, now(), message_id, %(unit)s, (ARRAY['high', 'medium', 'low'])[1 + n %% 3]
    FROM fresh;
INSERT INTO tenure (id, episode_id, number, unit_id, officer_name, since, basis, message_id)
    SELECT gen_random_uuid(), episode_id, 1, %(unit)s, 'EXERCISE', now(), 'recorded', message_id
    FROM fresh;
INSERT INTO clock (id, case_id, kind, message_id, owed_by_unit_id, started_at, due_at, missed_at)
    SELECT gen_random_uuid(), id, kind, message_id, %(unit)s, now(),
        now() + (n %% 700) * interval '1 minute', CASE WHEN n %% 50 = 0 THEN now() END
    FROM fresh, unnest(ARRAY['review-medium', 'ukmpu', 'shift-end', 'opened-urgent']) kind;
ANALYZE;
"""


def measure(database_url: str, superuser_url: str) -> tuple[float, float, float]:
    """Return the milliseconds of CPU, of server and PostgreSQL, that each of three takes.

    The first page, a late one, and the board's mark. CPU, since the machine may be busy.
    """
    database = Database(database_url)
    with database.unit_of_work() as session:
        unit, other = find_unit(session, "kent/east"), find_unit(session, "kent/west")
        assert unit is not None
        assert other is not None
        below = units_below(session, unit.parent_id or unit.id)
    with psycopg.connect(superuser_url) as connection:
        statements = _MANY.replace("%(unit)s", f"'{unit.id}'").replace("%(other)s", f"'{other.id}'")
        connection.execute(statements.replace("%(cases)s", str(CASES)).replace("%%", "%"))  # type: ignore[call-overload]
    reader = Actor(
        "person", unit_id=unit.parent_id, unit_ids=below, roles=frozenset({"supervisor"}),
        status="exercise", organisation_kind="police",
    )  # fmt: skip
    with database.unit_of_work() as session:
        everything = board.board(session, reader, most=CASES)
    assert len(everything) >= CASES
    late = everything[CASES - 100].cursor
    figures = []
    for ask in (
        lambda session: board.board(session, reader),
        lambda session: board.board(session, reader, after=late),
        lambda session: board.mark(session, reader),
    ):
        with database.unit_of_work() as session:
            backend = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
            ask(session)
            before = cpu_seconds([backend]) + time.process_time()
            for _ in range(ROUNDS):
                ask(session)
            used = cpu_seconds([backend]) + time.process_time() - before
        figures.append(used / ROUNDS * 1000)
    database.dispose()
    return figures[0], figures[1], figures[2]
