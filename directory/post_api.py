"""Where GOV.UK Notify calls back with what became of a mail; no part of the API for partners."""

import hmac

from flask import request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field

from directory import bounces
from directory.api import blueprint
from hub.errors import HubError
from hub.web.context import database, now, runtime
from hub.web.guards import page, public
from hub.web.requests import body, reply


class Receipt(BaseModel):
    """A delivery receipt of GOV.UK Notify, as far as it is read."""

    model_config = ConfigDict(extra="ignore")

    reference: str | None = Field(None, max_length=1000)
    to: str = Field(max_length=320)
    status: str = Field(max_length=40)


@page(blueprint, "/api/v1/post/notify-callback", guard=public, methods=("POST",))
def notify_callback() -> ResponseReturnValue:
    """Take a receipt, with the bearer token that was agreed with Notify; say what was done.

    The outcome is `flagged`, `again` or `ignored`.
    """
    wanted = runtime().settings.notify_callback_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), wanted.encode()) or not wanted:
        raise HubError("token-invalid", 401, "Send the bearer token that was agreed.")
    receipt = body(Receipt)
    with database().unit_of_work() as session:
        outcome = bounces.take_receipt(
            session, reference=receipt.reference, to=receipt.to, status=receipt.status, now=now()
        )
    return reply({"outcome": outcome.what})
