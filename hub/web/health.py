"""Whether this process lives and is ready, and its figures."""

import hmac
import ipaddress
import time

from flask import Blueprint, Flask, Response, g, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Histogram, generate_latest
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from hub.errors import not_found
from hub.web.context import database, runtime
from hub.web.guards import page, public
from hub.web.requests import reply

blueprint = Blueprint("health", __name__)

_seconds = Histogram(
    "hub_reply_seconds",
    "Time to a reply, in seconds, by route and status",
    ["route", "status"],
    buckets=(0.005, 0.02, 0.05, 0.2, 1, 5),
)


def measure(app: Flask) -> None:
    """Count every reply of the application by its route; never by its address."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        route = str(request.url_rule) if request.url_rule else "none"
        _seconds.labels(route, response.status_code).observe(time.perf_counter() - g.began)
        return response


@page(blueprint, "/healthz/live", guard=public)
def live() -> ResponseReturnValue:
    """Say that the process answers."""
    return reply({"status": "live"})


@page(blueprint, "/healthz/ready", guard=public)
def ready() -> ResponseReturnValue:
    """Say whether the database answers; Redis away is told, and does not make it unready."""
    try:
        with database().unit_of_work() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return reply({"status": "unavailable", "database": "away"}, 503, {"Retry-After": "5"})
    try:
        runtime().redis.ping()
        redis = "ready"
    except (RedisError, OSError):
        redis = "away"
    return reply({"status": "ready", "database": "ready", "redis": redis})


@page(blueprint, "/metrics", guard=public)
def metrics() -> ResponseReturnValue:
    """Answer this process's figures to this machine, or to whoever has the token."""
    wanted = runtime().settings.metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    local = ipaddress.ip_address(request.remote_addr or "0.0.0.0").is_loopback  # noqa: S104
    if not (hmac.compare_digest(given, wanted) if wanted else local):
        raise not_found()
    return Response(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
