"""Reading what a system sends, and answering it."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import Response, json, request
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from hub.errors import HubError, invalid
from hub.identity import idempotency
from hub.web.context import current_actor, database, now
from hub.web.problems import from_validation

Model = TypeVar("Model", bound=BaseModel)

UNUSABLE = re.compile("[\0\ud800-\udfff]")


def body(model: type[Model]) -> Model:
    """Return the JSON body as the model.

    Raises:
        HubError: 415 when it is not JSON, 400 when it cannot be read, 422 when it does not fit.
    """
    if request.mimetype != "application/json":
        raise HubError(
            "unsupported-media-type", 415, "Send JSON, with Content-Type: application/json."
        )
    data = request.get_data(cache=True)
    try:
        text = data.decode("utf-8")
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise HubError("malformed", 400, "The body is not JSON in UTF-8.") from None
    _refuse_unusable(document)
    try:
        return model.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise from_validation(error) from None


def query(model: type[Model]) -> Model:
    """Return the query string as the model; a name given twice or not known is refused.

    Raises:
        HubError: 422, naming the parameter.
    """
    for name, values in request.args.lists():
        if name not in model.model_fields:
            raise invalid(
                "parameter-unknown", f"There is no parameter “{name[:40]}”.", "/" + name[:40]
            )
        if len(values) > 1:
            raise invalid("parameter-repeated", f"Give {name} once.", "/" + name)
    given = request.args.to_dict()
    _refuse_unusable(given)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise from_validation(error) from None


def _refuse_unusable(value: Any, pointer: str = "") -> None:
    """Refuse text that PostgreSQL cannot keep: NUL, and lone halves of surrogate pairs."""
    if isinstance(value, str):
        if UNUSABLE.search(value):
            raise invalid(
                "text-unusable", "This text holds a character that cannot be kept.", pointer
            )
    elif isinstance(value, Mapping):
        for name, part in value.items():
            _refuse_unusable(name, pointer)
            _refuse_unusable(part, f"{pointer}/{name}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            _refuse_unusable(part, f"{pointer}/{index}")


def reply(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response of a model or of plain data."""
    if isinstance(document, BaseModel):
        text = document.model_dump_json()
    else:
        text = json.dumps(document, separators=(",", ":"))
    return Response(text, status, headers, mimetype="application/json")


def once(
    act: Callable[[Session], dict[str, Any]], *, content: bytes | None = None
) -> tuple[dict[str, Any], bool]:
    """Do an act once for the request's Idempotency-Key, in one unit of work with the key.

    `act` returns references and ids, never content. Return them, and whether they are a repeat's.
    `content` is what the request asks, where that is not its body alone.

    Raises:
        HubError: 400 without a usable key; 422 when the key was used for another request.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key or len(key) > 255 or not all("!" <= letter <= "~" for letter in key):
        raise HubError(
            "idempotency-key-required",
            400,
            "Send an Idempotency-Key header: 1 to 255 visible characters, new for each request.",
        )
    actor = current_actor()
    if actor.id is None:
        raise HubError("token-needed", 401, "Send an access token.")
    sent = request.get_data() if content is None else content
    asked = b"\0".join([request.method.encode(), request.path.encode(), sent])
    with database().unit_of_work() as session:
        earlier = idempotency.claim(session, actor.id, key, asked, now())
        if earlier is not None:
            return earlier, True
        done = act(session)
        idempotency.keep(session, actor.id, key, done)
    return done, False
