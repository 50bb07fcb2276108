"""The API's description is true: every operation, asked well and badly, answers as declared."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.generation import GenerationMode

from directory import holder
from hub.web import oauth, ratelimit
from tests.api.conftest import Partner
from tests.api.test_cases import OFFER, REPORT

UPDATE = {"type": "update", "body": {"heading": "other", "text": "EXERCISE"}}

EVERY_SCOPE = "directory:read directory:write cases:read cases:write"
CONTACT = {
    "purpose": "coordinator", "channel": "telephone", "value": "01632 960001", "audience": "public",
    "hours": [{"days": [1, 7], "opens": "08:00", "closes": "24:00"}], "why": "EXERCISE",
}  # fmt: skip

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


def test_every_operation_answers_as_it_says(
    app: Flask, partner: Callable[..., Partner], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ratelimit, "PUBLIC_PER_WINDOW", 1_000_000)
    monkeypatch.setattr(oauth, "TRIES_PER_MINUTE", 1_000_000)
    bearer = partner("metropolitan/central-north", EVERY_SCOPE).token
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) == 39
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                strategy = operation.as_strategy(generation_mode=mode)
            except Exception as error:  # nothing can be wrong with no parameters
                assert "Unsatisfiable" in type(error).__name__
                continue
            _drive(strategy, bearer)


def _drive(strategy: object, bearer: str) -> None:
    from hypothesis import given

    @given(case=strategy)
    @settings(
        max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    def ask(case: schemathesis.Case) -> None:
        reply = case.call(headers={"Authorization": f"Bearer {bearer}"})
        case.validate_response(reply, checks=list(CHECKS))

    try:
        ask()
    except Exception as error:
        if "Unsatisfiable" not in type(error).__name__:
            raise


def test_what_succeeds_is_as_declared_too(app: Flask, partner: Callable[..., Partner]) -> None:
    met, kent = partner("metropolitan/central-north"), partner("kent/east")
    report = {**REPORT, "to": ["kent/east"]}
    reference = met.post("/api/v1/cases", report).json["case_reference"]
    met.post(f"/api/v1/cases/{reference}/messages", OFFER)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    at = {"reference": reference}
    asked: list[tuple[str, str, dict[str, object]]] = [
        ("GET", "/api/v1/cases", {}),
        ("GET", "/api/v1/cases/{reference}", {"path_parameters": at}),
        ("GET", "/api/v1/cases/{reference}/messages", {"path_parameters": at}),
        ("GET", "/api/v1/cases/{reference}/lead", {"path_parameters": at}),
        ("GET", "/api/v1/inbox", {}),
        ("GET", "/api/v1/directory/lookup", {"query": {"postcode": "CT1 2RB"}}),
        ("GET", "/api/v1/directory/lookup", {"query": {"q": "richmond"}}),
        ("GET", "/api/v1/openapi.json", {}),
        (
            "GET",
            "/api/v1/schemas/{type_name}/{version}",
            {"path_parameters": {"type_name": "update", "version": "1"}},
        ),
        ("POST", "/api/v1/cases", {"body": REPORT, "headers": {"Idempotency-Key": "s-1"}}),
        (
            "POST",
            "/api/v1/cases/{reference}/messages",
            {"path_parameters": at, "body": UPDATE, "headers": {"Idempotency-Key": "s-2"}},
        ),
    ]
    for who in (met, kent):
        for method, path, parts in asked:
            case = schema[path][method].Case(**parts)
            headers = {"Authorization": f"Bearer {who.token}"}
            reply = case.call(headers={**headers, **(case.headers or {})})
            assert reply.status_code in (200, 201), (method, path, reply.text)
            case.validate_response(reply, checks=list(CHECKS))


def test_what_comes_of_disputes_and_questions_is_as_declared_too(
    app: Flask, partner: Callable[..., Partner]
) -> None:
    met, kent, essex = (partner(u) for u in ("metropolitan/central-north", "kent/east", "essex"))
    reference = met.post("/api/v1/cases", REPORT).json["case_reference"]
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    path = "/api/v1/cases/{reference}/messages"
    keys = iter(range(100))

    def send(who: Partner, kind: str, status: int, words: dict[str, Any], **more: Any) -> Any:
        case = schema[path]["POST"].Case(
            path_parameters={"reference": reference},
            body={"type": kind, "body": words, **more},
            headers={
                "Authorization": f"Bearer {who.token}", "Idempotency-Key": f"k-{next(keys)}",
            },
        )  # fmt: skip
        reply = case.call(headers=case.headers)
        assert reply.status_code == status, (kind, reply.text)
        case.validate_response(reply, checks=list(CHECKS))
        return reply.json()

    def read(who: Partner, tail: str, status: int) -> Any:
        case = schema["/api/v1/cases/{reference}" + tail]["GET"].Case(
            path_parameters={"reference": reference}
        )
        reply = case.call(headers={"Authorization": f"Bearer {who.token}"})
        assert reply.status_code == status, (tail, reply.text)
        case.validate_response(reply, checks=list(CHECKS))
        return reply.json()

    send(met, "lead-transfer-request", 422, OFFER["body"], to=["kent/east"])
    send(met, "lead-transfer-request", 201, OFFER["body"], to=["kent/east"],
         callback_telephone="020 7946 0001")  # fmt: skip
    late = {"decide_by": "2027-11-24T01:00:00Z", "reason": "EXERCISE"}
    send(kent, "holding-reply", 422, late)
    send(kent, "dispute", 201, {"grounds": "EXERCISE"})
    send(met, "dispute", 409, {"grounds": "EXERCISE"})
    send(kent, "direction", 403, {"lead": "kent/east", "reasons": "EXERCISE"})
    send(kent, "direction-acknowledge", 409, {"named_officer": "EXERCISE"})
    send(kent, "dispute-withdraw", 201, {"reason": "EXERCISE"})
    send(met, "officer-handover", 201, {"to_officer": "EXERCISE PS"})
    for tail in ("", "/messages", "/lead"):
        read(essex, tail, 404)
    send(essex, "information-response", 404, {"outcome": "none-held"})
    ask = {"to": ["essex"], "purpose": "EXERCISE"}
    send(met, "information-request", 422, {"questions": "EXERCISE"}, to=["essex"])
    asked = send(met, "information-request", 201, {"questions": "EXERCISE"}, **ask)
    assert read(essex, "", 200)["actions"] == ["located", "information-response"]
    assert read(essex, "/lead", 200)["asked_only"]
    assert len(read(essex, "/messages", 200)["messages"]) == 1
    answer = {"in_reply_to": asked["message_id"]}
    send(essex, "information-response", 422, {"outcome": "provided"}, **answer)
    send(essex, "information-response", 201, {"outcome": "none-held"}, **answer)
    again = send(essex, "information-response", 409, {"outcome": "none-held"}, **answer)
    assert again["code"] == "question-answered"
    assert again["winner"]["type"] == "information-response"
    send(essex, "dispute", 403, {"grounds": "EXERCISE"})
    assert read(met, "", 200)["lead"]["named_officer"]["name"] == "EXERCISE PS"


def test_what_the_directory_answers_is_as_declared_too(
    app: Flask, partner: Callable[..., Partner], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ratelimit, "PUBLIC_PER_WINDOW", 1_000_000)
    monkeypatch.setattr(holder, "POLL_SECONDS", 0.0)
    kent = partner("kent", EVERY_SCOPE)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)

    def ask(method: str, path: str, status: int = 200, **parts: Any) -> Any:
        case = schema[path][method].Case(**parts)
        headers = {"Authorization": f"Bearer {kent.token}", **(case.headers or {})}
        reply = case.call(headers=headers)
        assert reply.status_code == status, (method, path, reply.text)
        case.validate_response(reply, checks=list(CHECKS))
        return reply

    directory, unit = "/api/v1/directory", {"path_parameters": {"unit": "kent/east"}}
    contact = ask(
        "POST", f"{directory}/units/{{unit}}/contacts", 201, body=CONTACT,
        headers={"Idempotency-Key": "s-1"}, **unit,
    ).json()  # fmt: skip
    this = {"path_parameters": {"contact": contact["id"]}}
    for path, parts in (
        ("organisations", {"query": {"limit": 3}}),
        ("organisations/{organisation}", {"path_parameters": {"organisation": "kent"}}),
        ("units", {"query": {"organisation": "kent"}}),
        ("units/{unit}", unit),
        ("areas", {}),
        ("areas/{lad_code}", {"path_parameters": {"lad_code": "E07000106"}}),
        ("contacts/{contact}", this),
        ("changes", {"query": {"limit": 200}}),
        ("lookup", {"query": {"unit": "kent/east"}}),
    ):
        tag = ask("GET", f"{directory}/{path}", **parts).headers.get("ETag")
        if tag:
            tag = tag[0] if isinstance(tag, list) else tag
            ask("GET", f"{directory}/{path}", 304, headers={"If-None-Match": tag}, **parts)
    lists = {}
    for name in ("services", "service_at_locations", "taxonomies", "taxonomy_terms"):
        lists[name] = ask("GET", f"/oruk/{name}", query={"per_page": 200}).json()["contents"]
        for one in lists[name][:3]:
            ask("GET", f"/oruk/{name}/{{id}}", path_parameters={"id": one["id"]})
    assert "East Kent: Coordinator" in {one["name"] for one in lists["services"]}
    ask("GET", "/oruk/")
    change, this_one = f"{directory}/contacts/{{contact}}", {"If-Match": '"1"'}
    ask("PUT", change, body={**CONTACT, "note": "Ring twice"}, headers=this_one, **this)
    ask("PUT", change, 412, body=CONTACT, headers=this_one, **this)
    ask("DELETE", change, body={"why": "EXERCISE"}, headers={"If-Match": '"2"'}, **this)
