"""Forms with files: whatever is wrong with one file, nothing that was typed or uploaded is lost."""

import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, encode_multipart

from hub.clock import utcnow
from hub.db import Database
from hub.records.keys import Keys
from messaging import attachments
from seed import cast, demo
from tests.documents import PDF, picture

pytestmark = pytest.mark.exercise

MEGABYTE = 1024 * 1024


def sent(client: FlaskClient, path: str, form: dict[str, Any]) -> TestResponse:
    """Send a form as a browser does, from memory: the client's own file would stay open."""
    boundary, body = encode_multipart(MultiDict(form))
    return client.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}")


class Desk:
    """An officer's browser, at a case of the Met."""

    def __init__(self, client: FlaskClient, database: Database, password: str) -> None:
        self.client, self.database = client, database
        page = client.get("/sign-in")
        given = {"email": cast.MET_OFFICER.email, "password": password}
        entered = client.post("/sign-in", data={**given, "csrf_token": self.token(page)})
        assert entered.status_code == 303
        opened = self.post("/cases/new", **REPORT)
        assert opened.status_code == 303, opened.text
        self.case = opened.headers["Location"].partition("#")[0]

    def token(self, page: TestResponse) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found is not None
        return found.group(1)

    def post(self, path: str, form_id: str = "", **fields: Any) -> TestResponse:
        page = self.client.get(path)
        form = {"csrf_token": self.token(page), "form_id": form_id or uuid4().hex, "do": "send"}
        return sent(self.client, path, {**form, **fields})

    def update(self, **fields: Any) -> TestResponse:
        words = {"heading": "other", "text": "EXERCISE words"}
        return self.post(f"{self.case}/send/update", **{**words, **fields})

    def count(self, table: str) -> int:
        with self.database.unit_of_work() as session:
            return session.scalar(text(f"SELECT count(*) FROM {table}")) or 0


REPORT = {
    "child.given_name": "EXERCISE Robin", "child.age": "14", "last_seen_at-date": "2026-11-01",
    "last_seen_at-time": "21:30", "last_seen_place": "EXERCISE Road", "risk": "medium",
    "why": "EXERCISE", "callback_telephone": "020 7946 0201", "do": "send",
}  # fmt: skip


@pytest.fixture
def desk(app: Flask, database: Database, keys: Keys) -> Iterator[Desk]:
    with app.test_client() as client:
        yield Desk(client, database, demo.password(keys))


def of(content: bytes, name: str = "EXERCISE a.pdf") -> FileStorage:
    return FileStorage(BytesIO(content), name, content_type="text/html")


def waiting(reply: TestResponse) -> list[str]:
    return re.findall(r'name="files" value="([^"]+)"', reply.text)


def test_one_file_too_large_costs_no_word_and_no_other_file(desk: Desk) -> None:
    large = b"%PDF-" + b"x" * 20 * MEGABYTE
    first = {"file-0": of(PDF), "file-1": of(large, "EXERCISE b.pdf")}
    reply = desk.update(**first)
    assert reply.status_code == 422
    assert "EXERCISE b.pdf: The file is larger than 20 MB" in reply.text
    assert "EXERCISE words" in reply.text
    kept = waiting(reply)
    assert len(kept) == 1
    assert desk.update(files=kept).status_code == 303
    assert desk.count("attachment") == 1
    shown = desk.client.get(desk.case).text
    assert "EXERCISE a.pdf" in shown
    assert "Not scanned for viruses" in shown


def test_a_form_larger_than_any_is_refused_and_a_strangers_sooner(desk: Desk, app: Flask) -> None:
    path = f"{desk.case}/send/update"
    reply = desk.update(**{"file-0": of(b"x" * 101 * MEGABYTE)})
    assert reply.status_code == 413
    assert "the most is 100 MB" in reply.text
    form = {"csrf_token": desk.token(desk.client.get(path)), "file-0": of(b"x" * 13 * MEGABYTE)}
    stranger = sent(app.test_client(), path, form)
    assert stranger.status_code == 413
    assert "the most is 12 MB" in stranger.text


def test_one_more_row_sends_nothing_and_an_old_draft_has_its_lines(desk: Desk) -> None:
    before = desk.count("cases")
    child = {"child.identifiers-rows": "1", "child.identifiers.0.system": "COMPACT",
             "child.identifiers.0.value": "EXERCISE 12345"}  # fmt: skip
    more = {**REPORT, **child, "more_rows": "child.identifiers"}
    for path in ("/cases/new", f"{desk.case}/send/missing-episode-report"):
        reply = desk.post(path, **more)
        assert reply.status_code == 200
        assert 'name="child.identifiers.1.value"' in reply.text
        assert "EXERCISE 12345" in reply.text
        assert 'class="govuk-details" open' in reply.text
    assert desk.count("cases") == before
    kept = desk.post(
        "/cases/new", **{"child.identifiers": "EXERCISE 1\r\nEXERCISE 2", "do": "draft"}
    )
    shown = desk.client.get(kept.headers["Location"]).text
    assert [f'value="EXERCISE {n}"' in shown for n in (1, 2)] == [True, True]


def test_files_go_once_at_most_ten_for_no_more_readers_and_for_a_day(
    desk: Desk, database: Database
) -> None:
    before, form_id = desk.count("message"), uuid4().hex
    for _ in range(2):
        reply = desk.update(form_id=form_id, **{"file-0": of(picture(), "EXERCISE.jpg")})
        assert reply.status_code == 303
    assert desk.count("message") == before + 1
    assert desk.count("attachment") == 1
    kept: list[str] = []
    for _ in range(4):
        rows = {f"file-{row}": of(PDF) for row in range(3)}
        reply = desk.update(text="", files=kept, **rows)
        kept = waiting(reply)
    assert len(kept) == 10
    assert "A message takes at most 10 files" in reply.text
    wide = desk.update(**{"file-0": of(PDF), "file-readers-0": "all-parties"})
    assert wide.status_code == 422
    assert "is for no more readers than its message" in wide.text
    assert "EXERCISE words" in wide.text
    false = desk.update(**{"file-0": of(PDF), "file-kind-0": "secret"})
    assert false.status_code == 422
    assert "Say what it is" in false.text
    assert desk.update(files=["none"]).status_code == 404
    draft = desk.update(do="draft", **{"file-0": of(PDF)}).headers["Location"]
    assert "EXERCISE a.pdf" in desk.client.get(draft).text
    with database.unit_of_work() as session:
        attachments.sweep(session, utcnow() + timedelta(days=2))
    shown = desk.client.get(draft).text
    assert "EXERCISE a.pdf" not in shown
    assert "are gone from this form" in shown
    assert "EXERCISE words" in shown
