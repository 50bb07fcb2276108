"""Logs carry types, codes and places; never the text of an error or a library's arguments."""

import json
import subprocess
import sys
from typing import Any

import pytest

from hub import logs
from hub.errors import HubError

PROCESS = """
import logging, threading
import psycopg
from hub import logs

logs.configure()
log = logs.get_logger("hub.test")
log.warning("job-failed", job_id="1", attempts=2)
try:
    raise psycopg.errors.NotNullViolation("DETAIL: Failing row contains (Alex Example)")
except psycopg.Error:
    log.warning("write-failed", exc_info=True)
    logging.getLogger("library").exception("could not store %s", "Alex Example")

def fail():
    raise ValueError("Alex Example")

thread = threading.Thread(target=fail)
thread.start()
thread.join()
fail()
"""


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    """What a process of its own logs."""
    done = subprocess.run(
        [sys.executable, "-c", PROCESS], capture_output=True, text=True, check=False
    )
    assert "Alex" not in done.stdout + done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_an_event_is_one_json_line_with_its_facts(lines: list[dict[str, Any]]) -> None:
    line = lines[0]
    assert (line["event"], line["level"], line["logger"]) == ("job-failed", "warning", "hub.test")
    assert (line["job_id"], line["attempts"]) == ("1", 2)


def test_an_error_is_logged_by_type_state_and_place(lines: list[dict[str, Any]]) -> None:
    line = lines[1]
    assert (line["error"], line["sqlstate"], line["where"]) == (
        "NotNullViolation",
        "23502",
        ["<string>:10:<module>"],
    )


def test_a_librarys_message_stays_a_template(lines: list[dict[str, Any]]) -> None:
    assert (lines[2]["event"], lines[2]["error"]) == ("could not store %s", "NotNullViolation")


def test_an_uncaught_error_is_logged_without_its_text(lines: list[dict[str, Any]]) -> None:
    assert [(line["event"], line["error"]) for line in lines[3:]] == [
        ("uncaught-in-thread", "ValueError"),
        ("uncaught", "ValueError"),
    ]


def test_a_domain_error_is_logged_by_its_code() -> None:
    facts = logs.describe(HubError("mail-refused", 503, "The mail server refused the mail."))
    assert facts["error_code"] == "mail-refused"
    assert "sentence" not in facts
