"""The API's description is true: every operation, asked well and badly, answers as declared."""

from collections.abc import Callable

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

from hub.web import oauth, ratelimit
from tests.api.conftest import Partner
from tests.api.test_cases import OFFER, REPORT

UPDATE = {"type": "update", "body": {"heading": "other", "text": "EXERCISE"}}

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
    bearer = partner("metropolitan/central-north").token
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) == 13
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
