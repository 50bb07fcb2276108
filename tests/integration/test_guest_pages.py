"""The pages of a guest link: a GET shows no content and changes nothing; one answer, once."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from hub.app import create_app
from hub.db import Database
from hub.identity.actor import Actor
from hub.records.keys import Keys
from hub.records.model import AuditRecord
from hub.records.vault import Vault
from hub.settings import Settings
from messaging import attachments, guest_links, guest_secrets, sending
from messaging.attachments import Label, examine
from messaging.contracts import Command
from messaging.guest_model import GuestLink
from messaging.model import LeadRequest, Receipt, Tenure
from seed import cast, demo
from tests.documents import PDF

pytestmark = pytest.mark.exercise

WHO = {"name": "Joan Tremayne", "collar_number": "4471", "rank": "Inspector"}


class Visit:
    """A guest's browser at the link of an offer to Devon and Cornwall."""

    def __init__(
        self, client: FlaskClient, database: Database, path: str, code: str, link_id: UUID
    ) -> None:
        self.client, self.database, self.path = client, database, path
        self.code, self.link_id = code, link_id
        self.mine = self.other = UUID(int=0)

    def post(self, path: str, **fields: str) -> TestResponse:
        shown = self.client.get(self.path).text
        found = re.search(r'name="csrf_token" value="([^"]+)"', shown)
        token = found.group(1) if found else self.token
        self.token = token
        return self.client.post(path, data={"csrf_token": token, **fields})

    def open(self) -> TestResponse:
        return self.post(self.path, code=self.code, **WHO)

    def count(self, action: str) -> int:
        with self.database.unit_of_work() as session:
            found = select(func.count()).where(AuditRecord.action == action)
            return session.scalar(found.where(AuditRecord.who_kind == "guest")) or 0


@pytest.fixture
def visit(database: Database, settings: Settings, keys: Keys) -> Iterator[Visit]:
    now = datetime.now(UTC)
    vault = Vault(keys)
    report = {
        "child": {"given_name": "Testchild", "age": 14},
        "last_seen_at": now.isoformat(),
        "last_seen_place": "A bus stop",
        "risk": "medium",
        "why": "Reasons",
        "callback_telephone": "020 7946 0101",
    }
    with database.unit_of_work() as session:
        officer = demo.actor_of(session, cast.MET_OFFICER)
        opened = Command(type="missing-episode-report", status="exercise", body=report)
        reference = sending.open_case(session, officer, vault, opened, now).case_reference
        files = [_uploaded(session, officer, vault, reference, now) for _ in range(2)]
        news = {"heading": "other", "text": "EXERCISE"}
        update = Command(type="update", body=news, attachments=files[:1])
        sending.send(session, officer, vault, reference, update, now)
        offer = Command(
            type="lead-transfer-request",
            to=["devon-and-cornwall"],
            attachments=files[1:],
            callback_telephone="020 7946 0101",
            body={"rationale": "majority-of-enquiries", "circumstances": "Seen in Plymouth"},
        )
        sent = sending.send(session, officer, vault, reference, offer, now)
        unit_id = session.scalars(
            select(LeadRequest.to_unit_id).where(LeadRequest.message_id == sent.message_id)
        ).one()
        made = guest_links.issue(session, officer, keys, sent.message_id, unit_id, now)
    app = create_app(settings, keys=keys)
    path = f"/answer/{guest_secrets.token(keys, made.id)}"
    with app.test_client() as client:
        visit = Visit(client, database, path, made.code, made.id)
        visit.other, visit.mine = files
        yield visit
    app.extensions["hub"].database.dispose()


def _uploaded(session: Session, officer: Actor, vault: Vault, ref: str, now: datetime) -> UUID:
    at = attachments.place(session, officer, ref, now)
    label = Label("EXERCISE lines.pdf", "document")
    return attachments.stage(session, officer, vault, at, examine(PDF, ""), label, now)


def test_a_guest_has_the_files_of_their_message_alone_and_by_the_code(visit: Visit) -> None:
    shown = visit.open().text
    assert "EXERCISE lines.pdf" in shown
    assert "Not scanned for viruses" in shown
    found = re.search(r'name="pass" value="([^"]+)"', shown)
    assert found is not None
    address = f"{visit.path}/attachments/"
    got = visit.post(f"{address}{visit.mine}", **{"pass": found.group(1)})
    assert (got.status_code, got.data) == (200, PDF)
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert got.headers["Cache-Control"] == "no-store"
    assert visit.count("disclosure") == 1
    assert visit.post(f"{address}{visit.other}", **{"pass": found.group(1)}).status_code == 404
    refused = visit.post(f"{address}{visit.mine}", **{"pass": "forged"})
    assert refused.status_code == 403
    assert PDF not in refused.data
    assert visit.client.get(f"{address}{visit.mine}").status_code == 405
    assert visit.count("disclosure") == 1


def test_a_get_shows_a_reference_and_a_form_and_changes_nothing(visit: Visit) -> None:
    for method in (visit.client.get, visit.client.head, visit.client.get):
        reply = method(visit.path)
        assert reply.status_code == 200
        assert "Testchild" not in reply.text
        assert "Plymouth" not in reply.text
        assert reply.headers["Referrer-Policy"] == "same-origin"
        assert reply.headers["Cache-Control"] == "no-store"
    with visit.database.unit_of_work() as session:
        link = session.get_one(GuestLink, visit.link_id)
        assert (link.attempts, link.used_at, link.revoked_at) == (0, None, None)
        seen = select(func.count()).select_from(Receipt).where(Receipt.who_kind == "guest")
        assert session.scalar(seen) == 0
    assert visit.count("consultation") == 0


def test_the_code_opens_the_message_on_record_with_the_guests_name(visit: Visit) -> None:
    reply = visit.open()
    assert reply.status_code == 200
    assert "Testchild" in reply.text
    assert "Plymouth" in reply.text
    assert reply.headers["Referrer-Policy"] == "same-origin"
    assert visit.count("consultation") >= 1
    with visit.database.unit_of_work() as session:
        opened = select(Receipt.who_name).where(
            Receipt.kind == "opened", Receipt.who_kind == "guest"
        )
        assert session.scalars(opened).all() == ["Joan Tremayne"]
        assert session.get_one(GuestLink, visit.link_id).used_at is None


def test_a_wrong_code_says_how_many_tries_are_left_and_shows_nothing(visit: Visit) -> None:
    wrong = "000000" if visit.code != "000000" else "111111"
    reply = visit.post(visit.path, code=wrong, **WHO)
    assert reply.status_code == 422
    assert "4 more times" in reply.text
    assert "Testchild" not in reply.text
    assert 'value="Joan Tremayne"' in reply.text
    assert visit.count("guest-link.wrong-code") == 1


def passed(reply: TestResponse) -> str:
    found = re.search(r'name="pass" value="([^"]+)"', reply.text)
    assert found is not None
    return found.group(1)


def test_an_accepting_answer_moves_the_lead_once(visit: Visit) -> None:
    pass_ = passed(visit.open())
    answer = {"pass": pass_, "answer": "lead-transfer-accept", "named_officer": "Joan Tremayne"}
    first = visit.post(visit.path + "/answer", **answer)
    assert first.status_code == 200
    assert "leads from this moment" in first.text
    assert "EXERCISE EXERCISE EXERCISE" in first.text
    again = visit.post(visit.path + "/answer", **answer)
    assert again.status_code == 410
    assert "has been used" in again.text
    with visit.database.unit_of_work() as session:
        named = select(Tenure.officer_name).where(Tenure.officer_name == "Joan Tremayne")
        assert session.scalars(named).all() == ["Joan Tremayne"]
    gone = visit.client.get(visit.path)
    assert gone.status_code == 410
    assert "Testchild" not in gone.text


def test_a_decline_without_its_reason_can_be_mended(visit: Visit) -> None:
    pass_ = passed(visit.open())
    answer = {"pass": pass_, "answer": "lead-transfer-decline", "suggested_lead": "Cornwall"}
    refused = visit.post(visit.path + "/answer", **answer)
    assert refused.status_code == 422
    assert 'value="Cornwall"' in refused.text
    mended = visit.post(visit.path + "/answer", **answer, reason="wrong-area")
    assert mended.status_code == 200
    assert "The lead has not moved" in mended.text


def test_no_answer_is_taken_without_the_code(visit: Visit) -> None:
    reply = visit.post(
        visit.path + "/answer",
        **{"pass": "forged.pass", "answer": "lead-transfer-accept", "named_officer": "Mallory"},
    )
    assert reply.status_code == 403
    with visit.database.unit_of_work() as session:
        assert session.get_one(GuestLink, visit.link_id).used_at is None


def test_a_token_that_is_none_is_a_404(visit: Visit) -> None:
    assert visit.client.get("/answer/" + "x" * 43).status_code == 404
