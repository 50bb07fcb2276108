"""The API's description, made from what each route declares when it is registered."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from hub.web.problems import Problem

SCOPES = {
    "directory:read": "Look up whom to call, beyond the public tier",
    "directory:write": "Keep the contacts and names of one's own organisation",
    "cases:read": "Read the cases and the inbox of one's units",
    "cases:write": "Send and acknowledge messages",
}


@dataclass(frozen=True)
class Operation:
    """What one route takes and answers. `responses` maps a status to its model, or None if empty.

    `upload` takes a file as its body, `download` gives one of these media types.
    """

    method: str
    summary: str
    responses: Mapping[int, type[BaseModel] | None]
    query: type[BaseModel] | None = None
    request: type[BaseModel] | None = None
    path: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[int, ...] = ()
    idempotent: bool = False
    if_match: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    form: bool = False
    upload: bool = False
    download: tuple[str, ...] = ()


BINARY = {"type": "string", "format": "binary"}

_operations: dict[tuple[str, str], tuple[Operation, str | None, bool]] = {}


def describe(rule: str, operation: Operation, *, scope: str | None, public_tier: bool) -> None:
    """Take an operation into the description."""
    path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule)
    _operations[path, operation.method.lower()] = (operation, scope, public_tier)


def document(public_url: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of every operation there is."""
    models: dict[type[BaseModel], None] = {Problem: None}
    for operation, _, _ in _operations.values():
        for model in (operation.request, *operation.responses.values()):
            if model is not None:
                models[model] = None
    refs, definitions = models_json_schema(
        [(model, "validation") for model in models],
        ref_template="#/components/schemas/{model}",
    )
    schemas: dict[str, Any] = definitions.get("$defs", {})
    references: dict[type[BaseModel], dict[str, Any]] = {}
    for model in models:
        schema = refs[model, "validation"]
        if "$ref" not in schema:
            schemas[model.__name__] = schema
            schema = {"$ref": f"#/components/schemas/{model.__name__}"}
        references[model] = schema
    paths: dict[str, dict[str, Any]] = {}
    for (path, method), (operation, scope, public_tier) in sorted(_operations.items()):
        paths.setdefault(path, {})[method] = _operation(
            operation, scope, public_tier, references, path, method
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Missing Children Hub",
            "version": "1",
            "description": "Whom to call now, and who leads: directory, cases, messages, inbox.",
        },
        "servers": [{"url": public_url}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "oauth2": {
                    "type": "oauth2",
                    "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": SCOPES}},
                }
            },
        },
    }


def _operation(
    operation: Operation,
    scope: str | None,
    public_tier: bool,
    references: Mapping[type[BaseModel], dict[str, Any]],
    path: str,
    method: str,
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": re.sub(r"[^a-z0-9]+", "-", f"{method}{path}".lower()).strip("-"),
        "summary": operation.summary,
        "responses": {},
    }
    if scope:
        described["security"] = [{"oauth2": [scope]}] + ([{}] if public_tier else [])
    else:
        described["security"] = []
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": operation.path.get(name, name),
            "schema": {"type": "string"},
        }
        for name in re.findall(r"\{([^}]+)\}", path)
    ]
    parameters += _query(operation.query)
    parameters += [
        {"name": name, "in": "header", "required": False, "description": text,
         "schema": {"type": "string", "maxLength": 2000}}
        for name, text in operation.headers.items()
    ]  # fmt: skip
    if operation.idempotent:
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "description": "A key of your own for this request: a repeat takes no effect"
                " and gets the first answer, for ever.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255,
                           "pattern": "^[!-~]+$"},
            }
        )  # fmt: skip
    if operation.if_match:
        parameters.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": True,
                "description": "The ETag, or the version in quotes, that you change.",
                "schema": {"type": "string", "maxLength": 200, "pattern": "^[!-~]+$"},
            }
        )
    if parameters:
        described["parameters"] = parameters
    if operation.request is not None:
        kind = "application/x-www-form-urlencoded" if operation.form else "application/json"
        described["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": references[operation.request]}},
        }
    if operation.upload:
        described["requestBody"] = {"required": True, "content": {"*/*": {"schema": BINARY}}}
    for status, model in operation.responses.items():
        described["responses"][str(status)] = {"description": "As asked"} | (
            {"content": {"application/json": {"schema": references[model]}}} if model else {}
        )
    if operation.download:
        described["responses"]["200"]["content"] = {
            media_type: {"schema": BINARY} for media_type in operation.download
        }
    problem = {
        "description": "Refused, with the reason",
        "content": {"application/problem+json": {"schema": references[Problem]}},
    }
    for status in sorted(_errors(operation, scope)):
        described["responses"].setdefault(str(status), problem)
    return described


def _errors(operation: Operation, scope: str | None) -> set[int]:
    errors = {*operation.errors, 429, 503}
    if scope:
        errors |= {401, 403}
    if operation.query is not None or operation.request is not None:
        errors |= {422}
    if operation.request is not None:
        errors |= {400, 413, 415}
    if operation.idempotent or operation.headers:
        errors |= {400}
    if operation.if_match:
        errors |= {412, 428}
    return errors


def _query(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = model.model_json_schema()
    required = set(schema.get("required", ()))
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": part.pop("description", name),
            "schema": part,
        }
        for name, part in schema.get("properties", {}).items()
    ]
