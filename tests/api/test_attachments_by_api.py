"""Attachments by API: uploaded, named in a message, downloaded by whom they are for."""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from hub.db import Database
from hub.settings import Settings
from tests.api.conftest import Partner
from tests.api.test_cases import OFFER, REPORT
from tests.api.test_schemathesis import CHECKS
from tests.clamd import VIRUS, clamd
from tests.documents import DOCX, PDF, office, picture

Make = Callable[..., Partner]
NAMED = {"Content-Disposition": "attachment; filename*=UTF-8''EXERCISE%20face.jpeg"}


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("c")


def put(
    who: Partner, ref: str, content: bytes, query: str = "kind=photo", **headers: str
) -> TestResponse:
    return who.client.post(
        f"/api/v1/cases/{ref}/attachments?{query}",
        data=content,
        headers={
            "Authorization": f"Bearer {who.token}",
            "Idempotency-Key": uuid4().hex,
            "Content-Type": "text/html",
            **NAMED,
            **headers,
        },
    )


def opened(met: Partner) -> str:
    return str(met.post("/api/v1/cases", REPORT).json["case_reference"])


def test_a_photo_goes_with_a_message_and_comes_out_for_whom_it_is(
    partner: Make, app: Flask
) -> None:
    met, kent, essex = partner("metropolitan/central-north"), partner("kent/east"), partner("essex")
    ref = opened(met)
    made = put(met, ref, picture())
    assert made.status_code == 201, made.text
    assert made.json["media_type"] == "image/jpeg"
    assert made.json["scan"] == "not-scanned"
    offer = {**OFFER, "attachments": [made.json["id"]]}
    assert met.post(f"/api/v1/cases/{ref}/messages", offer).status_code == 201
    listed = kent.get(f"/api/v1/cases/{ref}").json["messages"][-1]["attachments"]
    assert [(one["name"], one["kind"], one["size"]) for one in listed] == [
        ("EXERCISE face.jpg", "photo", made.json["size"])
    ]
    path = f"/api/v1/cases/{ref}/attachments/{listed[0]['id']}"
    got = kent.get(path)
    assert got.status_code == 200
    assert got.headers["Content-Length"] == str(len(got.data)) == str(made.json["size"])
    assert got.headers["Content-Disposition"] == 'attachment; filename="EXERCISE face.jpg"'
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Cache-Control"] == "no-store"
    assert "sandbox" in got.headers["Content-Security-Policy"]
    assert b"EXERCISE place" not in got.data
    none = essex.get(f"/api/v1/cases/{ref}/attachments/{uuid4()}")
    assert essex.get(path).status_code == none.status_code == 404
    assert essex.get(path).data == none.data
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    at = {"reference": ref, "attachment_id": listed[0]["id"]}
    case = schema["/api/v1/cases/{reference}/attachments/{attachment_id}"]["GET"].Case(
        path_parameters=at
    )
    for who, status in ((kent, 200), (essex, 404)):
        reply = case.call(headers={"Authorization": f"Bearer {who.token}"})
        assert reply.status_code == status
        case.validate_response(reply, checks=list(CHECKS))


def test_a_repeat_makes_no_second_file(partner: Make, database: Database) -> None:
    met = partner("metropolitan/central-north")
    ref = opened(met)
    key = {"Idempotency-Key": "one"}
    first = put(met, ref, PDF, "kind=document", **key)
    again = put(met, ref, PDF, "kind=document", **key)
    assert first.json == again.json
    assert again.headers["Idempotency-Replayed"] == "true"
    for other in (
        put(met, ref, PDF + b"%%EOF", "kind=document", **key),
        put(met, ref, PDF, "kind=other", **key),
    ):
        assert other.json["code"] == "idempotency-key-reused"
    with database.unit_of_work() as session:
        assert session.scalar(text("SELECT count(*) FROM attachment_file")) == 1


@pytest.mark.parametrize(
    ("content", "query", "status", "code"),
    [
        (PDF, "", 422, "invalid"),
        (PDF, "kind=secret", 422, "invalid"),
        (PDF, "kind=photo&audience=world", 422, "invalid"),
        (b"", "kind=photo", 422, "attachment-empty"),
        (b"MZ", "kind=photo", 415, "attachment-type"),
        (picture()[:300], "kind=photo", 422, "attachment-broken"),
        (b"%PDF-" + b"x" * 20 * 1024 * 1024 + b"%%EOF", "kind=photo", 413,
         "attachment-too-large"),
    ],
    ids=["no-kind", "kind", "audience", "empty", "type", "broken", "large"],
)  # fmt: skip
def test_what_is_not_taken_is_refused_by_name(
    partner: Make, content: bytes, query: str, status: int, code: str
) -> None:
    met = partner("metropolitan/central-north")
    reply = put(met, opened(met), content, query)
    assert (reply.status_code, reply.json["code"]) == (status, code), reply.text
    assert reply.json["errors"][0]["pointer"].startswith(("/file", "/kind", "/audience"))


def test_only_a_party_with_the_scope_uploads(partner: Make) -> None:
    met = partner("metropolitan/central-north")
    ref = opened(met)
    essex, reader = partner("essex"), partner("metropolitan/central-north", "cases:read")
    real, none = put(essex, ref, PDF), put(essex, "EX-2222-2222", PDF)
    assert real.status_code == none.status_code == 404
    assert real.data == none.data
    assert put(reader, ref, PDF).status_code == 403
    unknown = {"type": "update", "body": {"heading": "other", "text": "EXERCISE"},
               "attachments": [str(uuid4())]}  # fmt: skip
    reply = met.post(f"/api/v1/cases/{ref}/messages", unknown)
    assert reply.json["errors"][0]["pointer"] == "/attachments/0"
    many = {**unknown, "attachments": [str(uuid4()) for _ in range(11)]}
    reply = met.post(f"/api/v1/cases/{ref}/messages", many)
    assert (reply.status_code, reply.json["errors"][0]["pointer"]) == (422, "/attachments")


def test_a_document_of_twenty_megabytes_comes_back_as_it_went(partner: Make) -> None:
    met = partner("metropolitan/central-north")
    ref = opened(met)
    whole = b"%PDF-1.7" + bytes(range(256)) * 81_919 + b"%%EOF" + b" " * 243
    assert len(whole) == 20 * 1024 * 1024
    made = put(met, ref, whole, "kind=document").json["id"]
    update = {"type": "update", "body": {"heading": "other", "text": "EXERCISE"},
              "attachments": [made]}  # fmt: skip
    assert met.post(f"/api/v1/cases/{ref}/messages", update).status_code == 201
    got = met.get(f"/api/v1/cases/{ref}/attachments/{made}")
    assert hashlib.sha256(got.data).digest() == hashlib.sha256(whole).digest()


class TestWithScanner:
    """A hub that is told of a clamd never takes a file unscanned."""

    @pytest.fixture
    def settings(self, settings: Settings, short: Any) -> Settings:
        return settings.model_copy(update={"clamd": str(short / "c.sock")})

    def test_a_virus_is_refused_and_on_record_and_nothing_kept(
        self, partner: Make, database: Database, short: Any
    ) -> None:
        met = partner("metropolitan/central-north")
        ref = opened(met)
        with clamd(short):
            clean = put(met, ref, office(), "kind=document")
            found = put(met, ref, office(**{"word/x": VIRUS * 2}) + VIRUS, "kind=document")
        assert (clean.json["scan"], clean.json["media_type"]) == ("clean", DOCX)
        assert (found.status_code, found.json["code"]) == (422, "attachment-infected")
        with database.unit_of_work() as session:
            assert session.scalar(text("SELECT count(*) FROM attachment_file")) == 1
            row = session.execute(
                text("SELECT case_id, who_id FROM audit_record"
                     " WHERE action = 'attachment.infected'")
            ).one()  # fmt: skip
        assert row.case_id is not None
        assert row.who_id is not None

    def test_while_the_scanner_is_away_no_file_is_taken(
        self, partner: Make, database: Database
    ) -> None:
        met = partner("metropolitan/central-north")
        reply = put(met, opened(met), PDF)
        assert (reply.status_code, reply.json["code"]) == (503, "scanner-away")
        assert reply.headers["Retry-After"] == "60"
        with database.unit_of_work() as session:
            assert session.scalar(text("SELECT count(*) FROM attachment_file")) == 0
