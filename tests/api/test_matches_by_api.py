"""Matches by API: contested with whom to ring, an alias that answers, and searches."""

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import select, text

from hub.db import Database
from hub.records.vault import Vault
from messaging.model import Case, Message, MessagePart
from messaging.writing import part_aad
from tests.api.conftest import Partner
from tests.api.test_cases import KENT, MET, REPORT

CHILD = {"family_name": "EXERCISE-Name", "given_name": "EXERCISE Robin", "age": 14,
         "date_of_birth": "2012-03-27", "identifiers": ["NHS 999 000 0000"]}  # fmt: skip
Make = Callable[..., Partner]


def report(child: dict[str, Any] = CHILD, **more: Any) -> dict[str, Any]:
    return {**REPORT, "body": {**REPORT["body"], "child": child}, **more}


def test_a_match_is_told_joined_and_its_alias_answers(partner: Make) -> None:
    met, kent = partner(MET), partner(KENT)
    one = met.post("/api/v1/cases", report()).json["case_reference"]
    other = kent.post("/api/v1/cases", report()).json["case_reference"]
    again = kent.post("/api/v1/cases", report())
    assert (again.status_code, again.json["code"]) == (409, "case-known")
    assert again.json["case_reference"] == other
    said = met.get(f"/api/v1/cases/{one}").json
    (match,) = said["contested"]
    assert match["unit"]["code"] == KENT
    assert other not in str(said)
    assert {"lead-transfer-request", "not-same-child"} <= set(said["actions"])
    assert [r["type"] for r in met.get("/api/v1/inbox?need=answer").json["rows"]] == ["match"]
    assert met.get("/api/v1/inbox?need=new").json["rows"] == []
    assert met.get("/api/v1/cases").json["cases"][0]["contested"] is True
    ask = {"type": "lead-transfer-request", "callback_telephone": "020 7946 0001", "body": {
        "kind": "join-episodes", "match": match["match"], "rationale": "majority-of-enquiries",
        "circumstances": "EXERCISE"}}  # fmt: skip
    asked = met.post(f"/api/v1/cases/{one}/messages", ask)
    assert asked.status_code == 201, asked.text
    accept = {"type": "lead-transfer-accept", "in_reply_to": asked.json["message_id"],
              "body": {"named_officer": "EXERCISE Sergeant"}}  # fmt: skip
    assert kent.post(f"/api/v1/cases/{one}/messages", accept).status_code == 201
    lead = met.get(f"/api/v1/cases/{other}/lead").json
    assert (lead["case_reference"], lead["lead"]["code"]) == (one, KENT)
    alias, case = met.get(f"/api/v1/cases/{other}").json, kent.get(f"/api/v1/cases/{one}").json
    assert (alias["joined_into"], alias["contested"], alias["actions"]) == (one, [], [])
    assert (case["aliases"], case["joined_into"], case["contested"]) == ([other], None, [])
    late = met.post(f"/api/v1/cases/{other}/messages",
                    {"type": "update", "body": {"heading": "other", "text": "EXERCISE"}})  # fmt: skip
    assert (late.status_code, late.json["code"]) == (409, "case-joined")
    assert late.json["case_reference"] == one


def test_a_match_in_a_request_that_joins_nothing_is_refused(partner: Make) -> None:
    met = partner(MET)
    one = met.post("/api/v1/cases", report()).json["case_reference"]
    body = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE", "match": one}
    bad = met.post(f"/api/v1/cases/{one}/messages", {"type": "lead-transfer-request", "body": body})
    assert (bad.status_code, bad.json["errors"][0]["pointer"]) == (422, "/body/match")
    body |= {"match": "01a21428-58d5-71c6-bee9-c054458188c5", "kind": "transfer-lead"}
    bad = met.post(f"/api/v1/cases/{one}/messages", {"type": "lead-transfer-request", "body": body})
    assert (bad.status_code, bad.json["code"]) == (422, "match-kind")
    body |= {"kind": "join-episodes"}
    bad = met.post(f"/api/v1/cases/{one}/messages", {"type": "lead-transfer-request", "body": body})
    assert (bad.status_code, bad.json["code"]) == (409, "match-closed")


def test_a_case_is_found_by_numbers_and_by_its_child_by_its_parties_alone(
    partner: Make, database: Database
) -> None:
    met, kent, essex = partner(MET), partner(KENT), partner("essex")
    ref = met.post("/api/v1/cases", report(sender_reference="EXERCISE/12-34")).json[
        "case_reference"
    ]
    offer = {"type": "lead-transfer-request", "to": [KENT], "sender_reference": "EXERCISE 99",
             "callback_telephone": "020 7946 0001",
             "body": {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}}  # fmt: skip
    met.post(f"/api/v1/cases/{ref}/messages", offer)

    def found(who: Partner, query: str) -> list[str]:
        reply = who.get(f"/api/v1/cases?{query}")
        assert reply.status_code == 200, reply.text
        return [row["reference"] for row in reply.json["cases"]]

    def by_child(who: Partner, **asked: str) -> list[str]:
        reply = who.send("POST", "/api/v1/cases/search", {"reason": "EXERCISE reason", **asked})
        assert reply.status_code == 200, reply.text
        return [row["reference"] for row in reply.json["cases"]]

    name = {"family_name": "exercise name", "date_of_birth": "2012-03-27"}
    assert found(met, f"reference={ref.lower().replace('-', '')}") == [ref]
    assert (
        found(met, "own_reference=exercise1234") == found(met, "own_reference=EXERCISE-99") == [ref]
    )
    assert found(kent, "own_reference=exercise1234") == [], "it is the Met's number, not Kent's"
    assert found(kent, f"reference={ref}") == [ref]
    for who, expected in ((met, [ref]), (kent, [ref]), (essex, [])):
        assert by_child(who, **name) == expected
        assert by_child(who, identifier="nhs no. 9990000000") == expected
    assert found(essex, f"reference={ref}") == found(essex, "own_reference=exercise1234") == []
    assert by_child(met, **{**name, "date_of_birth": "2012-03-28"}) == []
    for asked in ({}, name, {"reason": "EXERCISE", "family_name": "EXERCISE"}):
        refused = met.send("POST", "/api/v1/cases/search", asked)
        assert refused.status_code == 422
    with database.unit_of_work() as session:
        rows = session.execute(
            text("SELECT reason, detail::text FROM audit_record WHERE action = 'case.search'")
        ).all()
    assert len(rows) == 7
    assert all(row.reason is not None and "EXERCISE" not in row.detail for row in rows)


def test_an_identifier_is_of_a_system_or_as_before_a_line(
    partner: Make, database: Database, vault: Vault
) -> None:
    met, kent = partner(MET), partner(KENT)

    def of(*identifiers: object) -> dict[str, Any]:
        child = {"given_name": "EXERCISE", "age": 14, "identifiers": identifiers}
        return {**report(), "body": {**report()["body"], "child": child}}

    lines = met.post("/api/v1/cases", of("NHS 999 000 0018")).json["case_reference"]
    wrong = kent.post("/api/v1/cases", of({"system": "nhs-number", "value": "999 000 0000"}))
    assert wrong.status_code == 422
    assert [one["pointer"] for one in wrong.json["errors"]] == ["/body/child/identifiers/0/value"]
    assert "10 digits" in wrong.json["errors"][0]["detail"]
    number = {"system": "nhs-number", "value": "999 000 0018"}
    case = kent.post("/api/v1/cases", of(number)).json["case_reference"]
    assert kent.get(f"/api/v1/cases/{case}").json["contested"], "both are of one child"
    shown = met.get(f"/api/v1/cases/{lines}").json["child"]["identifiers"]
    assert shown == [{"system": "other", "value": "NHS 999 000 0018"}]
    with database.unit_of_work() as session:
        message = session.scalars(
            select(Message).join(Case, Case.id == Message.case_id).where(Case.reference == lines)
        ).one()
        stored = {"body": {"child": {"identifiers": ["EXERCISE 12345"]}}, "envelope": {}}
        session.add(
            MessagePart(
                message_id=message.id, audience="statutory",
                ciphertext=vault.encrypt(
                    session, message.case_id, json.dumps(stored).encode(),
                    part_aad(message.id, message.type, "statutory"),
                ),
            )
        )  # fmt: skip
    shown = met.get(f"/api/v1/cases/{lines}").json["child"]["identifiers"]
    assert shown == [{"system": "other", "value": "EXERCISE 12345"}]


def test_an_enquiry_does_not_let_its_unit_find_the_child(partner: Make) -> None:
    met, kent = partner(MET), partner(KENT)
    ref = met.post("/api/v1/cases", report()).json["case_reference"]
    ask = {
        "type": "information-request",
        "to": [KENT],
        "purpose": "EXERCISE",
        "body": {"questions": "EXERCISE?"},
    }
    met.post(f"/api/v1/cases/{ref}/messages", ask)
    assert [row["reference"] for row in kent.get("/api/v1/cases").json["cases"]] == [ref]
    asked = {"reason": "EXERCISE", "identifier": "NHS 999 000 0000"}
    assert kent.send("POST", "/api/v1/cases/search", asked).json["cases"] == []
