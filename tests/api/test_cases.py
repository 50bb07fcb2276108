"""A handover by API: the lead, idempotency, refusals, and nothing for strangers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from markupsafe import escape
from sqlalchemy import text

from directory.model import ContactPoint
from hub.clock import utcnow
from hub.db import Database
from hub.identity.actor import Actor
from hub.organisations import find_unit
from hub.records.vault import Vault
from messaging import alarms, views
from messaging.guests import Guest, stand_in
from tests.api.conftest import Partner
from tests.worlds import World

MET, KENT = "metropolitan/central-north", "kent/east"
REPORT: dict[str, Any] = {
    "type": "missing-episode-report",
    "status": "exercise",
    "body": {
        "child": {"given_name": "EXERCISE child", "age": 14},
        "last_seen_at": "2026-11-24T01:00:00Z",
        "last_seen_place": "EXERCISE Road",
        "risk": "medium",
        "why": "EXERCISE",
        "callback_telephone": "020 7946 0001",
    },
}
OFFER: dict[str, Any] = {
    "type": "lead-transfer-request",
    "to": [KENT],
    "priority": "urgent",
    "callback_telephone": "020 7946 0001",
    "body": {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"},
}
Make = Callable[..., Partner]


def test_a_lead_passes_by_api(partner: Make) -> None:
    met, kent = partner(MET), partner(KENT)
    opened = met.post("/api/v1/cases", REPORT)
    assert opened.status_code == 201, opened.text
    ref = opened.json["case_reference"]
    lead = met.get(f"/api/v1/cases/{ref}/lead").json
    assert lead["lead"]["code"] == MET
    assert lead["basis"] == "recorded"
    silent = met.post(f"/api/v1/cases/{ref}/messages", {**OFFER, "callback_telephone": None})
    assert silent.status_code == 422
    assert [error["pointer"] for error in silent.json["errors"]] == ["/callback_telephone"]
    offer = met.post(f"/api/v1/cases/{ref}/messages", OFFER)
    assert offer.json["recipients"][0]["reach"] == "connected"
    rows = kent.get("/api/v1/inbox?need=answer").json["rows"]
    assert [row["case_reference"] for row in rows] == [ref]
    assert 0 < rows[0]["seconds_left"] <= 600
    message = rows[0]["message_id"]
    assert kent.post(f"/api/v1/inbox/{message}/acknowledgement", {}).status_code == 200
    assert met.get(f"/api/v1/cases/{ref}/lead").json["lead"]["code"] == MET
    accept = {
        "type": "lead-transfer-accept",
        "in_reply_to": message,
        "body": {"named_officer": "EXERCISE Sergeant"},
    }
    assert kent.post(f"/api/v1/cases/{ref}/messages", accept).status_code == 201
    lead = met.get(f"/api/v1/cases/{ref}/lead").json
    assert lead["lead"]["code"] == KENT
    assert lead["named_officer"]["name"] == "EXERCISE Sergeant"
    assert [one["unit"]["code"] for one in lead["tenures"]] == [MET, KENT]
    late = kent.post(f"/api/v1/cases/{ref}/messages", accept)
    assert late.status_code == 409
    assert late.json["code"] == "request-already-answered"
    assert late.json["winner"]["type"] == "lead-transfer-accept"


def test_a_system_opens_a_message_only_in_the_name_of_who_saw_it(
    partner: Make, database: Database
) -> None:
    met, kent = partner(MET), partner(KENT)
    ref = met.post("/api/v1/cases", REPORT).json["case_reference"]

    def send(body: dict[str, Any]) -> str:
        return str(met.post(f"/api/v1/cases/{ref}/messages", body).json["message_id"])

    def clock(message: str, column: str) -> Any:
        with database.unit_of_work() as session:
            return session.scalar(
                text(f"SELECT {column} FROM clock WHERE message_id = :id AND kind LIKE 'opened%'"),
                {"id": message},
            )  # fmt: skip

    def facts(message: str) -> dict[str, str]:
        found = met.get(f"/api/v1/cases/{ref}/messages").json["messages"]
        (one,) = next(m["recipients"] for m in found if m["message_id"] == message)
        return {fact["kind"]: fact["who"] for fact in one["facts"]}

    news = {"type": "update", "to": [KENT], "body": {"heading": "other", "text": "EXERCISE"}}
    offer, update, short = send(OFFER), send(news), send(news)
    kent.get("/api/v1/inbox")
    by_name = kent.post(f"/api/v1/inbox/{short}/acknowledgement", {"name": "EXERCISE Reed"})
    assert by_name.status_code == 200
    assert facts(short)["opened"] == f"EXERCISE Reed (by {kent.name})"
    address = f"/api/v1/inbox/{update}/acknowledgement"
    assert kent.post(address, {}).status_code == 200
    assert facts(update).keys() == {"delivered", "acknowledged"}
    assert clock(update, "met_at") is None
    nobody = kent.post(address, {"opened_by": {"name": " "}})
    assert [error["pointer"] for error in nobody.json["errors"]] == ["/opened_by/name"]
    who = {"name": "EXERCISE Reed", "rank": "Sergeant", "collar_number": "4471"}
    assert kent.post(address, {"opened_by": who}).status_code == 200
    assert facts(update)["opened"] == f"Sergeant EXERCISE Reed, 4471 (by {kent.name})"
    assert clock(update, "met_at") is not None

    with database.unit_of_work() as session:
        alarms.escalate(session, utcnow() + timedelta(minutes=6))
    assert clock(offer, "kind || step") == "opened-urgent1"
    decline = {
        "type": "lead-transfer-decline",
        "in_reply_to": offer,
        "body": {"reason": "wrong-area"},
    }
    assert kent.post(f"/api/v1/cases/{ref}/messages", decline).status_code == 201
    assert facts(offer).keys() == {"delivered", "answered"}
    assert clock(offer, "met_at") is not None
    asks = {"type": "information-request", "to": [KENT], "purpose": "EXERCISE",
            "body": {"questions": "EXERCISE"}}  # fmt: skip
    question = send(asks)
    answer = {"type": "information-response", "in_reply_to": question,
              "body": {"outcome": "none-held"}}  # fmt: skip
    assert clock(question, "met_at") is None
    assert kent.post(f"/api/v1/cases/{ref}/messages", answer).status_code == 201
    assert clock(question, "met_at") is not None


def test_the_open_request_says_which_repeat_it_is_and_who_holds_it(
    partner: Make, database: Database
) -> None:
    met, kent = partner(MET), partner(KENT)
    ref = met.post("/api/v1/cases", REPORT).json["case_reference"]
    offer = met.post(f"/api/v1/cases/{ref}/messages", OFFER).json["message_id"]

    def request() -> dict[str, Any]:
        case = met.get(f"/api/v1/cases/{ref}").json
        found: dict[str, Any] = met.get(f"/api/v1/cases/{ref}/lead").json["open_request"]
        assert case["lead"]["open_request"] == found
        (sent,) = [one for one in case["messages"] if one["message_id"] == offer]
        assert (sent["request_no"], sent["sender"]["kind"]) == (1, "client")
        return found

    assert (request()["request_no"], request()["held_until"]) == (1, None)
    with database.unit_of_work() as session:
        alarms.escalate(session, utcnow() + timedelta(minutes=11))
    until = (utcnow() + timedelta(minutes=30)).isoformat()
    holding = {"type": "holding-reply", "in_reply_to": offer,
               "body": {"decide_by": until, "reason": "EXERCISE"}}  # fmt: skip
    assert kent.post(f"/api/v1/cases/{ref}/messages", holding).status_code == 201
    held = request()
    assert (held["request_no"], held["held_until"], held["held_by"]) == (2, until, kent.name)
    (line,) = kent.get("/api/v1/inbox?need=answer").json["rows"]
    assert line["request_no"] == 2


def test_a_sender_without_an_account_is_shown_as_a_guest(
    partner: Make, app: Flask, database: Database, vault: Vault,
    someone: Callable[..., Actor], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    world = World(database, vault, someone)
    ref = world.open(world.met).case_reference
    devon = "devon-and-cornwall"
    offer = world.send(world.met, ref, "lead-transfer-request", to=[devon], **OFFER["body"])
    with database.unit_of_work() as session:
        unit = find_unit(session, devon)
        assert unit is not None
        guest = stand_in(session, unit.id, Guest("EXERCISE Tremayne", "4471", ""), uuid4())
    world.send(guest, ref, "lead-transfer-decline", in_reply_to=offer.message_id,
               reason="wrong-area")  # fmt: skip
    messages = partner(MET).get(f"/api/v1/cases/{ref}/messages").json["messages"]
    assert [one["sender"]["kind"] for one in messages] == ["person", "person", "guest"]
    monkeypatch.setattr("hub.web.guards.from_cookie", lambda: world.met)
    page = app.test_client().get(f"/cases/{ref}").text
    sender = f"EXERCISE Tremayne, 4471, {escape(guest.unit_name)}, without an account on the hub"
    assert sender in page


def test_an_offer_is_filled_in_with_the_last_number_of_the_unit_or_with_the_directorys(
    app: Flask, database: Database, vault: Vault, someone: Callable[..., Actor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    world = World(database, vault, someone)
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT],
               callback_telephone="020 7946 0009", **OFFER["body"])  # fmt: skip
    world.send(world.kent, ref, "lead-transfer-accept", named_officer="EXERCISE Sergeant")

    def number(actor: Actor) -> Any:
        with database.unit_of_work() as session:
            known = views.prefill(session, actor, vault, ref, OFFER["type"], world.now)
        return known.body.get("callback_telephone")

    assert (number(world.met), number(world.kent)) == ("020 7946 0009", None)
    with database.unit_of_work() as session:
        session.add(
            ContactPoint(
                unit_id=world.kent.unit_id, purpose="missing-children-team", channel="telephone",
                value="01632 960201", audience="professional", bank_holiday_rule="as-weekday",
                status="exercise", valid_from=date(2026, 1, 1), source="test",
                source_date="2026-01-01", verification="verified", verified_at=utcnow(),
                verified_by="EXERCISE",
            )
        )  # fmt: skip
    monkeypatch.setattr("hub.web.guards.from_cookie", lambda: world.kent)
    page = app.test_client().get(f"/cases/{ref}/send/lead-transfer-request?to={MET}").text
    assert 'value="01632 960201"' in page
    handover = {"to_officer": "EXERCISE PS", "contact_telephone": "01632 960299"}
    world.send(world.kent, ref, "officer-handover", **handover)
    assert number(world.kent) == "01632 960299"


def test_a_key_takes_effect_once_for_ever(partner: Make, database: Database) -> None:
    met = partner(MET)
    first = met.post("/api/v1/cases", REPORT, key="one")
    again = met.post("/api/v1/cases", REPORT, key="one")
    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    other = met.post("/api/v1/cases", {**REPORT, "priority": "urgent"}, key="one")
    assert other.status_code == 422
    assert other.json["code"] == "idempotency-key-reused"
    missing = met.client.post(
        "/api/v1/cases", json=REPORT, headers={"Authorization": f"Bearer {met.token}"}
    )
    assert missing.status_code == 400
    assert missing.json["code"] == "idempotency-key-required"
    with database.unit_of_work() as session:
        assert session.scalar(text("SELECT count(*) FROM cases")) == 1


def test_the_same_key_at_once_makes_one_case(partner: Make, app: Flask, database: Database) -> None:
    met = partner(MET)

    def send(_: int) -> str:
        one = Partner(app.test_client(), met.token, "")
        return str(one.post("/api/v1/cases", REPORT, key="at-once").json["case_reference"])

    with ThreadPoolExecutor(8) as pool:
        references = set(pool.map(send, range(8)))
    assert len(references) == 1
    with database.unit_of_work() as session:
        assert session.scalar(text("SELECT count(*) FROM cases")) == 1


def test_a_stranger_gets_the_same_404_on_every_verb(partner: Make) -> None:
    ref = partner(MET).post("/api/v1/cases", REPORT).json["case_reference"]
    essex = partner("essex")
    for path in ("", "/messages", "/lead"):
        real = essex.get(f"/api/v1/cases/{ref}{path}")
        none = essex.get(f"/api/v1/cases/EX-2222-2222{path}")
        assert real.status_code == none.status_code == 404
        assert real.data == none.data
    update = {"type": "update", "body": {"heading": "other", "text": "EXERCISE"}}
    real = essex.post(f"/api/v1/cases/{ref}/messages", update)
    none = essex.post("/api/v1/cases/EX-2222-2222/messages", update)
    assert real.status_code == 404
    assert real.data == none.data


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"body": {}}, 422, "/body/child"),
        ({"type": "no-such-type"}, 422, "/type"),
        ({"to": ["no/such/unit"]}, 422, "/to/0"),
        ({"to": "kent"}, 422, "/to"),
        ({"priority": "now"}, 422, "/priority"),
        ({"surprise": 1}, 422, "/surprise"),
        ({"purpose": "nul \0"}, 422, "/purpose"),
        ({"purpose": "x" * 10_001}, 422, "/purpose"),
        ({"status": None}, 422, "/status"),
    ],
)
def test_bad_input_is_named_by_pointer(
    partner: Make, change: dict[str, Any], status: int, pointer: str
) -> None:
    reply = partner(MET).post("/api/v1/cases", {**REPORT, **change})
    assert reply.status_code == status
    assert reply.mimetype == "application/problem+json"
    assert pointer in [error["pointer"] for error in reply.json["errors"]], reply.json


def test_what_is_not_json_is_refused(partner: Make) -> None:
    met = partner(MET)
    headers = {"Authorization": f"Bearer {met.token}", "Idempotency-Key": "k"}
    text_ = met.client.post("/api/v1/cases", data="x", headers=headers)
    assert text_.status_code == 415
    broken = met.client.post(
        "/api/v1/cases", data="{", headers=headers, content_type="application/json"
    )
    assert broken.status_code == 400


def test_scopes_and_tokens_are_asked_for(partner: Make, app: Flask) -> None:
    reader = partner(MET, "cases:read")
    assert reader.post("/api/v1/cases", REPORT).status_code == 403
    nobody = app.test_client().get("/api/v1/cases")
    assert nobody.status_code == 401
    assert nobody.headers["WWW-Authenticate"].startswith("Bearer")
    forged = Partner(app.test_client(), reader.token[:-3] + "AAA", "")
    assert forged.get("/api/v1/cases").status_code == 401


def test_a_case_keeps_its_status(partner: Make) -> None:
    met = partner(MET)
    ref = met.post("/api/v1/cases", REPORT).json["case_reference"]
    update = {"type": "update", "status": "actual", "body": {"heading": "other", "text": "x"}}
    reply = met.post(f"/api/v1/cases/{ref}/messages", update)
    assert reply.status_code == 409
    assert reply.json["code"] == "status-mismatch"


def test_a_unit_that_is_not_on_the_hub_has_received_nothing(partner: Make) -> None:
    met = partner(MET)
    ref = met.post("/api/v1/cases", REPORT).json["case_reference"]
    offer = met.post(f"/api/v1/cases/{ref}/messages", {**OFFER, "to": ["devon-and-cornwall"]})
    assert offer.json["recipients"][0]["reach"] == "not-on-hub"
    assert offer.json["recipients"][0]["delivered"] is False
    assert offer.json["reply_due_at"] is None


def test_a_purpose_goes_on_record(partner: Make, database: Database) -> None:
    met = partner(MET)
    ref = met.post("/api/v1/cases", REPORT).json["case_reference"]
    assert met.get(f"/api/v1/cases/{ref}", Purpose="EXERCISE purpose").status_code == 200
    with database.unit_of_work() as session:
        row = session.execute(
            text("SELECT reason, reason_code FROM audit_record WHERE action = 'consultation'")
        ).one()
    assert row.reason is not None
    assert b"EXERCISE" not in bytes(row.reason)
    assert row.reason_code == "stated"
