"""The yardstick of an accepted message: raw transactions of four statements on the same PostgreSQL."""

import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import psycopg

TABLES = """
CREATE TABLE bench_case (id int PRIMARY KEY, n int NOT NULL);
CREATE TABLE bench_message (id bigserial PRIMARY KEY, case_id int NOT NULL, body bytea NOT NULL);
CREATE TABLE bench_audit (id bigserial PRIMARY KEY, case_id int NOT NULL, at timestamptz NOT NULL);
INSERT INTO bench_case SELECT i, 0 FROM generate_series(1, 1000) AS i;
"""
BODY = b"x" * 1500


def _transactions(url: str, first: int, threads: int, seconds: float) -> int:
    done = [0] * threads
    started = threading.Barrier(threads)

    def work(index: int) -> None:
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            started.wait()
            ends = time.perf_counter() + seconds
            case = first + index
            while time.perf_counter() < ends:
                cursor.execute("SELECT n FROM bench_case WHERE id = %s FOR UPDATE", (case,))
                cursor.execute("UPDATE bench_case SET n = n + 1 WHERE id = %s", (case,))
                cursor.execute(
                    "INSERT INTO bench_message (case_id, body) VALUES (%s, %s)", (case, BODY)
                )
                cursor.execute("INSERT INTO bench_audit (case_id, at) VALUES (%s, now())", (case,))
                connection.commit()
                done[index] += 1

    workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(done)


def rate(url: str, *, processes: int, connections: int, seconds: float) -> float:
    """Return committed transactions a second: a lock, an update and two inserts each.

    As many processes and connections as the hub's web processes have, in the same language
    and with the same driver; the owner's address, since the tables are made and dropped here.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bench_case, bench_message, bench_audit")
        connection.execute(TABLES)
    threads = connections // processes
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        runs = [
            pool.submit(_transactions, url, 1 + n * threads, threads, seconds)
            for n in range(processes)
        ]
        done = sum(run.result() for run in runs)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE bench_case, bench_message, bench_audit")
    return done / seconds
