"""Refusals: RFC 9457 problem details for systems, a page in plain words for people."""

from typing import Any
from uuid import uuid4

import psycopg
from flask import Flask, Response, g, json, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from pydantic import BaseModel, ValidationError
from redis.exceptions import RedisError
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from hub.errors import FieldProblem, HubError, unavailable
from hub.logs import get_logger

log = get_logger(__name__)

MACHINES = ("/api/", "/oauth/", "/.well-known/", "/oruk/")
"""Where systems ask, and not people."""

TITLES = {
    400: "The request cannot be read",
    401: "Sign in first",
    403: "Not permitted",
    404: "Not found",
    405: "Not this method",
    409: "Something happened first",
    410: "Erased",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Not this type of content",
    422: "Not acceptable as it stands",
    428: "Say which version",
    429: "Too many requests",
    500: "The hub failed",
    503: "The hub is not available just now",
}


class ProblemError(BaseModel):
    """One field at fault."""

    pointer: str
    code: str
    detail: str


class Problem(BaseModel):
    """Problem details (RFC 9457), with a stable code and the fields at fault."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[ProblemError] | None = None

    model_config = {"extra": "allow"}


def field_problems(error: ValidationError) -> list[FieldProblem]:
    """Return what pydantic found, without the values, as JSON pointers and sentences."""
    found = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        steps = [str(step) for step in item["loc"] if not _is_tag(step)]
        pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
        sentence = item["msg"].removeprefix("Value error, ")
        found.append(FieldProblem(pointer, item["type"].replace("_", "-"), sentence))
    return found


def _is_tag(step: int | str) -> bool:
    """Say whether a step is pydantic's own name of a branch, and not a member of the document."""
    return isinstance(step, str) and ("[" in step or step.startswith("function-"))


def from_validation(error: ValidationError) -> HubError:
    """Return the 422 of a document that does not fit its contract."""
    return HubError(
        "invalid", 422, "Some fields are missing or wrong.", fields=field_problems(error)
    )


def install(app: Flask) -> None:
    """Answer every error of the application in the way of its reader."""
    app.register_error_handler(HubError, _refuse)
    app.register_error_handler(ValidationError, lambda error: _refuse(from_validation(error)))
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(PoolTimeout, _away)
    app.register_error_handler(psycopg.OperationalError, _away)
    app.register_error_handler(RedisError, _away)
    app.register_error_handler(UnicodeEncodeError, _bad_text)
    app.register_error_handler(Exception, _unknown)


def is_machine(path: str) -> bool:
    """Say whether systems ask at this path; the API's documentation is a page."""
    return path.startswith(MACHINES) and path != "/api/v1/docs"


def wants_json() -> bool:
    """Say whether the reader is a system."""
    return is_machine(request.path)


def _refuse(error: HubError) -> ResponseReturnValue:
    extra = dict(error.extra)
    retry_after = extra.pop("retry_after", 5 if error.status == 503 else None)
    response = _as_problem(error, extra) if wants_json() else _as_page(error, extra)
    response.status_code = error.status
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    if error.status == 401 and wants_json():
        response.headers["WWW-Authenticate"] = 'Bearer realm="hub"'
    return response


def _as_problem(error: HubError, extra: dict[str, Any]) -> Response:
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(error.status, "Refused"),
        "status": error.status,
        "code": error.code,
        "detail": error.sentence,
        **extra,
    }
    if error.fields:
        document["errors"] = [
            {"pointer": field.pointer, "code": field.code, "detail": field.sentence}
            for field in error.fields
        ]
    return Response(json.dumps(document), mimetype="application/problem+json")


def _as_page(error: HubError, extra: dict[str, Any]) -> Response:
    return make_response(
        render_template(
            "error.html",
            title=TITLES.get(error.status, "Refused"),
            error=error,
            extra=extra,
        )
    )


def _stale_form(_error: CSRFError) -> ResponseReturnValue:
    return _refuse(
        HubError(
            "form-stale",
            400,
            "This form was open too long, or came from elsewhere. Go back, reload the page,"
            " and send it again.",
        )
    )


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    sentences = {
        400: ("bad-request", "The request cannot be read: check its form."),
        404: ("not-found", "There is nothing here."),
        405: ("method-not-allowed", "This address does not take this method."),
        413: ("too-large", f"That is too large: the most is {_most()} MB."),
        415: ("unsupported-media-type", "Send JSON, as application/json."),
    }
    if status < 400:
        return error.get_response()
    code, sentence = sentences.get(status, ("refused", "The hub refused this."))
    response = make_response(_refuse(HubError(code, status, sentence)))
    for name, value in error.get_headers():
        if name.lower() == "allow":
            response.headers[name] = value
    valid_methods = getattr(error, "valid_methods", None)
    if valid_methods:
        response.headers["Allow"] = ", ".join(sorted(valid_methods))
    return response


def _most() -> int:
    return (request.max_content_length or 0) // (1024 * 1024)


def _database(error: DBAPIError) -> ResponseReturnValue:
    if isinstance(error, DataError):
        return _bad_text(error)
    if isinstance(error, OperationalError) or error.connection_invalidated:
        return _away(error)
    return _unknown(error)


def _bad_text(_error: Exception) -> ResponseReturnValue:
    return _refuse(
        HubError("text-unusable", 422, "Some text holds characters that cannot be kept.")
    )


def _away(error: Exception) -> ResponseReturnValue:
    log.warning("part-away", exc_info=error)
    sent = (
        ""
        if request.method in ("GET", "HEAD")
        else " What you sent may not have been kept: look whether it was before you send it again."
    )
    return _refuse(
        unavailable(
            "unavailable",
            "The hub cannot reach its database just now: only “Whom to call now” still answers."
            f"{sent} Try again in a minute. If it is urgent, telephone.",
        )
    )


def _unknown(error: Exception) -> ResponseReturnValue:
    incident = uuid4().hex[:12]
    log.error("failed", incident=incident, route=str(request.url_rule), exc_info=error)
    g.failed = True
    return _refuse(
        HubError(
            "failed",
            500,
            f"The hub failed and nothing was done. Tell your administrator: {incident}.",
            extra={"incident": incident},
        )
    )
