"""Pages about the hub itself, and the API's description."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from pydantic import BaseModel

from hub.errors import not_found
from hub.web.context import runtime
from hub.web.guards import api, page, public
from hub.web.openapi import Operation, document
from hub.web.requests import reply

blueprint = Blueprint("information", __name__)

SCHEMAS: dict[tuple[str, str], type[BaseModel]] = {}
"""The contracts of message types by type and version; messaging puts its own here."""


class AnyDocument(BaseModel):
    """A JSON document of its own schema."""

    model_config = {"extra": "allow"}


@page(blueprint, "/accessibility", guard=public, offline=True)
def accessibility() -> ResponseReturnValue:
    """Say how the hub can be used, and what is known not to work."""
    return render_template("accessibility.html")


@page(blueprint, "/privacy", guard=public, offline=True)
def privacy() -> ResponseReturnValue:
    """Say what is kept of whom."""
    return render_template("privacy.html")


@api(
    blueprint,
    "/api/v1/openapi.json",
    Operation("GET", "This description", {200: AnyDocument}),
    scope=None,
)
def openapi() -> ResponseReturnValue:
    """Answer the OpenAPI document."""
    return reply(document(runtime().settings.public_url))


@page(blueprint, "/api/v1/docs", guard=public, offline=True)
def docs() -> ResponseReturnValue:
    """Show the API in a page."""
    described = document(runtime().settings.public_url)
    return render_template("docs.html", paths=described["paths"], schemas=sorted(SCHEMAS))


@api(
    blueprint,
    "/api/v1/schemas/<type_name>/<version>",
    Operation(
        "GET",
        "The JSON Schema of a message type's body",
        {200: AnyDocument},
        path={"type_name": "such as lead-transfer-request", "version": "such as 1"},
        errors=(404,),
    ),
    scope=None,
)
def schema(type_name: str, version: str) -> ResponseReturnValue:
    """Answer a contract."""
    model = SCHEMAS.get((type_name, version))
    if model is None:
        raise not_found()
    return reply(model.model_json_schema())
