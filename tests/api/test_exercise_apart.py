"""Exercise and actual never meet: over every type of message, page and address (issue 4.9)."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from hub.app import create_app
from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import PUBLIC, Actor
from hub.records.keys import Keys
from hub.records.vault import Vault
from hub.settings import Settings
from messaging import case_list, inbox, resetting, sending
from messaging.contracts import CONTRACTS, Command
from messaging.sending import OPENERS
from tests.worlds import KENT, MET, REPORT, World, refused

ROLES = ("officer", "supervisor", "practitioner", "adjudicator", "administrator")
ROBIN = {"family_name": "Example", "given_name": "EXERCISE Robin", "date_of_birth": "2012-03-27"}
OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}


class Both:
    """One case of each status, with the same units and the same child in both, and a clock."""

    def __init__(self, database: Database, vault: Vault, someone: Callable[..., Actor]) -> None:
        self.world = World(database, vault, someone)
        self.references = {}
        self.messages = {}
        for status in ("actual", "exercise"):
            met = someone(MET, status=status)
            command = Command.model_validate(
                {
                    "type": "missing-episode-report",
                    "body": {**REPORT, "child": ROBIN},
                    "status": status,
                }
            )
            with database.unit_of_work() as session:
                opened = sending.open_case(session, met, vault, command, self.world.now)
            sent = self.world.send(
                met, opened.case_reference, "lead-transfer-request", to=[KENT], **OFFER
            )
            self.references[status] = opened.case_reference
            self.messages[status] = sent.message_id


@pytest.fixture
def both(database: Database, vault: Vault, someone: Callable[..., Actor]) -> Both:
    return Both(database, vault, someone)


OTHER = {"actual": "exercise", "exercise": "actual"}


@pytest.mark.parametrize("status", OTHER)
def test_no_type_of_message_goes_into_a_case_of_the_other_status(both: Both, status: str) -> None:
    world = both.world
    people = [world.someone(unit, role, status) for unit in (MET, KENT) for role in ROLES]
    theirs = both.references[OTHER[status]]
    for message_type in CONTRACTS:
        for person in people:
            refused("not-found", lambda t=message_type, p=person: world.send(p, theirs, t))
            refused(
                "not-found",
                lambda t=message_type, p=person: world.send(
                    p, theirs, t, in_reply_to=both.messages[OTHER[status]]
                ),
            )
        if message_type in OPENERS:
            named = {"type": message_type, "status": status, "placement_reference": theirs}
            command = Command.model_validate({**named, "body": REPORT})
            with world.database.unit_of_work() as session, pytest.raises(HubError) as caught:
                sending.open_case(session, people[0], world.vault, command, world.now)
            assert caught.value.status in (404, 409, 422)
            assert theirs not in caught.value.sentence
        command = Command.model_validate(
            {"type": message_type, "status": OTHER[status], "body": REPORT}
        )
        with world.database.unit_of_work() as session, pytest.raises(HubError) as caught:
            sending.open_case(session, people[0], world.vault, command, world.now)
        assert caught.value.code in ("status-mismatch", "case-opener", "not-permitted")
    with world.database.unit_of_work() as session:
        assert session.scalar(text("SELECT count(*) FROM message")) == 4
        assert session.scalar(text("SELECT count(*) FROM match")) == 0
        for person in people[:2]:
            found = [row.reference for row in inbox.inbox(session, person, now=world.now)]
            found += [row.reference for row in case_list.cases(session, person)]
            assert theirs not in found


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> list[Actor]:
    actors: list[Actor] = [PUBLIC]
    monkeypatch.setattr("hub.web.guards.from_cookie", lambda: actors[-1])
    monkeypatch.setattr("hub.web.guards._from_token", lambda *_: actors[-1])
    return actors


@pytest.fixture
def pages(settings: Settings, keys: Keys) -> Iterator[Flask]:
    app = create_app(settings, keys=keys)
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    app.extensions["hub"].database.dispose()


def addresses(app: Flask, both: Both, status: str) -> Iterator[tuple[str, str]]:
    """Give every address that names a case, or a message of it, with each of its methods."""
    fill = {
        "reference": both.references[status],
        "message_type": "update",
        "type": "update",
        "number": 2,
        "unit": KENT,
    }
    for rule in app.url_map.iter_rules():
        if not rule.arguments & {"reference", "message_id"} or rule.endpoint.startswith(
            "directory"
        ):
            continue
        values = {
            name: both.messages[status] if name == "message_id" else fill.get(name, uuid4())
            for name in rule.arguments
        }
        with app.test_request_context():
            path = app.url_for(rule.endpoint, **values)
        for method in (rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}:
            yield method, path


def answers(client: FlaskClient, method: str, path: str) -> tuple[int, str]:
    said = {"type": "update", "body": {"heading": "other", "text": "EXERCISE"}}
    body = {"json": {} if path.endswith("/acknowledgement") else said}
    form = {"data": {"purpose": "court", "why": "EXERCISE", "reason": "EXERCISE"}}
    key = {"Idempotency-Key": uuid4().hex}
    reply = client.open(
        path,
        method=method,
        headers=key,
        follow_redirects=True,
        **(body if "/api/" in path else form),
    )
    return reply.status_code, reply.text


@pytest.mark.parametrize("status", OTHER)
def test_no_page_shows_a_case_of_the_other_status_nor_one_that_was_reset(
    both: Both, status: str, pages: Flask, acting: list[Actor]
) -> None:
    world, client = both.world, pages.test_client()
    here = [world.someone(MET, role, status) for role in ("officer", "supervisor")]
    asked = list(addresses(pages, both, OTHER[status]))
    theirs, message = both.references[OTHER[status]], str(both.messages[OTHER[status]])
    assert len(asked) > 25
    for actor in here:
        acting.append(actor)
        for method, path in asked:
            code, body = answers(client, method, path)
            nobody = path.replace(theirs, "MC-2222-2222").replace(message, str(uuid4()))
            assert (code, code in (404, 422)) == (answers(client, method, nobody)[0], True), path
            assert "EXERCISE Robin" not in body
            assert "reset this exercise" not in body
    if OTHER[status] == "exercise":
        ref = both.references["exercise"]
        inspector = world.someone(MET, "supervisor")
        with world.database.unit_of_work() as session:
            resetting.reset(session, inspector, world.vault, [ref], "EXERCISE", world.now)
        acting.append(world.met)
        for method, path in asked:
            code, body = answers(client, method, path)
            assert code in (404, 422), (method, path, code)
            assert "EXERCISE Robin" not in body
