"""The directory's API: whom to call now (DESIGN.md 3)."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, json, request
from flask.typing import ResponseReturnValue
from pydantic import AwareDatetime, BaseModel, Field

from directory.ladder import Need
from directory.lookup import Asked, Choice, choice_document, document
from directory.reading import lookup, reader
from hub.web.context import current_actor, now
from hub.web.guards import api
from hub.web.openapi import Operation
from hub.web.requests import query

blueprint = Blueprint("directory_api", __name__)

MOST_CACHED = 4096


class LookupQuery(BaseModel):
    """What is looked up: exactly one of postcode, local_authority, force, unit and q."""

    postcode: str | None = Field(None, max_length=120, description="In any spacing or case")
    local_authority: str | None = Field(
        None,
        max_length=120,
        description="A district's or council's name, in Welsh too, or ONS code",
    )
    force: str | None = Field(None, max_length=120, description="A name, nickname or force_id")
    unit: str | None = Field(None, max_length=120, description="A code, UUID or name")
    q: str | None = Field(None, max_length=120, description="Any of these")
    at: AwareDatetime | None = Field(None, description="Another moment, with its offset")
    need: Need = Field("open-case", description="What for")


class RungOut(BaseModel):
    """One step of the ladder. `value` is null where nothing is on record."""

    purpose: str
    channel: str
    value: str | None
    unit: str
    unit_code: str
    open: bool
    opens_at: datetime | None
    verification: str
    verified_at: datetime | None
    verified_by: str | None
    audience: str
    connects: str | None
    note: str | None
    source: str | None


class LookupOut(BaseModel):
    """Whom to call. Where `matches` is not empty, choose one of them and ask again."""

    query: str
    need: str
    emergency: dict[str, str]
    area: dict[str, str | None] | None
    force: dict[str, str | None] | None
    unit: dict[str, str] | None
    reach: str | None
    match: dict[str, str | bool]
    call_now: RungOut | None
    write_to: list[RungOut]
    ladder: list[RungOut]
    warnings: list[str]
    matches: list[dict[str, str]]
    as_of: datetime


@api(
    blueprint,
    "/api/v1/directory/lookup",
    Operation(
        "GET", "Whom to call now for an address, area, force or unit", {200: LookupOut},
        query=LookupQuery, errors=(404,),
    ),
    scope="directory:read",
    public_tier=True,
)  # fmt: skip
def look_up() -> ResponseReturnValue:
    """Answer whom to call."""
    here = lookup()
    who = reader(current_actor())
    at = now()
    # An answer stands for the rest of its minute: hours open and close on minutes.
    key = (request.query_string, who, at.replace(second=0, microsecond=0))
    held = here.snapshot.cache.setdefault("answers", {})
    text: str | None = held.get(key)
    if text is None:
        text = json.dumps(_answer(), separators=(",", ":"))
        if len(held) >= MOST_CACHED:
            held.clear()
        held[key] = text
    return Response(text, mimetype="application/json")


def _answer() -> dict[str, Any]:
    asked = query(LookupQuery)
    at = asked.at or now()
    one = Asked(asked.q, asked.postcode, asked.local_authority, asked.force, asked.unit)
    found = lookup().answer(one, (asked.need,), reader(current_actor()), at)
    if isinstance(found, Choice):
        return choice_document(found, asked.need, at)
    return document(found, asked.need)
