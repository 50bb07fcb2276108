"""The directory's API: whom to call now (DESIGN.md 3)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, json, request
from flask.typing import ResponseReturnValue
from pydantic import AwareDatetime, BaseModel, Field

from directory.ladder import EMERGENCY, Need, Rung
from directory.lookup import Answer, Asked, Choice
from directory.reading import MOMENTS, as_of, lookup, reader
from directory.search import Found
from hub.clock import said
from hub.errors import invalid
from hub.web.context import current_actor, database, now
from hub.web.guards import api
from hub.web.openapi import Operation
from hub.web.requests import query

blueprint = Blueprint("directory_api", __name__)

MOST_CACHED = 4096
EMERGENCY_OUT = {
    "purpose": "emergency",
    "channel": "telephone",
    "value": "999",
    "condition": EMERGENCY,
    "connects": "where you are; say where the child is",
}


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


class StandingOut(BaseModel):
    """What is known against a contact, as flags and, in `words`, as sentences for a reader.

    `reports` are the people who reported it as wrong; `lowered` is tried last for it.
    """

    due_at: datetime | None
    overdue: bool
    bounced: bool
    suggested: bool
    reports: int
    reported_since: datetime | None
    lowered: bool
    words: list[str]


class RungOut(BaseModel):
    """One step of the ladder. `value` is null where nothing is on record."""

    contact_id: UUID | None

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
    standing: StandingOut
    connects: str | None
    note: str | None
    source: str | None


class LookupOut(BaseModel):
    """Whom to call. `matches` are what else may be meant; choose one where `call_now` is null."""

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
    as_of_directory: datetime = Field(
        description="When the directory was last known to be current; older than a minute only"
        " while the hub’s database is away"
    )
    stale: bool = Field(description="Whether the hub’s database is away")


@blueprint.after_request
def age(response: Response) -> Response:
    """Say in the header Age (RFC 9111) how many seconds old a directory is that is not current."""
    if response.status_code < 400 and database().away:
        current, stale = as_of()
        if stale:
            response.headers["Age"] = str(max(0, int((now() - current).total_seconds())))
    return response


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
    current, stale = as_of()
    text: str | None = held.get((key, stale))
    if text is None:
        text = json.dumps(_aged(_answer(), current, stale), separators=(",", ":"))
        if len(held) >= MOST_CACHED:
            held.clear()
        held[key, stale] = text
    return Response(text, mimetype="application/json")


def _aged(answer: dict[str, Any], current: datetime, stale: bool) -> dict[str, Any]:
    """Return the answer with how old the directory is that it was found in."""
    if stale:
        answer["warnings"].append(
            f"The hub’s database is away: this is the directory as it was at {said(current)}."
        )
    return {**answer, "as_of_directory": current.isoformat(), "stale": stale}


def _answer() -> dict[str, Any]:
    asked = query(LookupQuery)
    at = asked.at or now()
    if not MOMENTS[0] <= at < MOMENTS[1]:
        raise invalid("at-range", "Ask for a moment between 2000 and 2100.", "/at")
    one = Asked(asked.q, asked.postcode, asked.local_authority, asked.force, asked.unit)
    found = lookup(at).answer(one, (asked.need,), reader(current_actor()), at)
    if isinstance(found, Choice):
        return choice_document(found, asked.need, at)
    return document(found, asked.need)


def document(answer: Answer, need: Need) -> dict[str, Any]:
    """Return an answer as the API has it."""
    one = answer.ladders[need]
    force = answer.place.force
    unit = answer.unit
    return {
        "query": answer.query,
        "need": need,
        "emergency": EMERGENCY_OUT,
        "area": {
            "lad_code": answer.area.code,
            "name": answer.area.name,
            "name_welsh": answer.area.name_welsh,
            "council": answer.place.council.name if answer.place.council else None,
        }
        if answer.area
        else None,
        "force": {
            "force_id": force.code,
            "name": force.name,
            "name_welsh": force.name_welsh,
            "website": force.website,
        },
        "unit": {"id": str(unit.id), "code": unit.code, "name": unit.name} if unit else None,
        "reach": answer.reach,
        "match": {
            "basis": answer.match.basis,
            "guess": answer.match.guess,
            "note": answer.match.note,
            "why": answer.match.why,
        },
        "call_now": _rung(one.call_now) if one.call_now else None,
        "write_to": [_rung(rung) for rung in one.write_to],
        "ladder": [_rung(rung) for rung in one.rungs],
        "warnings": list(answer.warnings),
        "matches": [_match(one) for one in answer.others],
        "as_of": answer.at.isoformat(),
    }


def _rung(rung: Rung) -> dict[str, Any]:
    return {
        "contact_id": str(rung.contact_id) if rung.contact_id else None,
        "purpose": rung.purpose,
        "channel": rung.channel,
        "value": rung.value,
        "unit": rung.unit,
        "unit_code": rung.unit_code,
        "open": rung.open,
        "opens_at": rung.opens_at.isoformat() if rung.opens_at else None,
        "verification": rung.verification,
        "verified_at": rung.verified_at.isoformat() if rung.verified_at else None,
        "verified_by": rung.verified_by,
        "audience": rung.audience,
        "standing": _standing(rung),
        "connects": rung.connects,
        "note": rung.note,
        "source": rung.source,
    }


def _standing(rung: Rung) -> dict[str, Any]:
    one = rung.standing
    return {
        "due_at": one.due_at.isoformat() if one.due_at else None,
        "overdue": one.overdue,
        "bounced": one.bounced,
        "suggested": one.verification == "suggested",
        "reports": one.reports,
        "reported_since": one.reported_since.isoformat() if one.reported_since else None,
        "lowered": one.lowered,
        "words": one.words(rung.value) if rung.value and rung.verification != "standard" else [],
    }


def choice_document(choice: Choice, need: Need, at: datetime) -> dict[str, Any]:
    """Return a choice as the API has it: `matches`, and nobody to call yet but 999."""
    return {
        "query": choice.query,
        "need": need,
        "emergency": EMERGENCY_OUT,
        "area": None,
        "force": None,
        "unit": None,
        "reach": None,
        "match": {"basis": "name", "guess": True, "note": "", "why": ""},
        "call_now": None,
        "write_to": [],
        "ladder": [],
        "warnings": ["Several places may be meant: choose one."],
        "matches": [_match(one) for one in choice.matches],
        "as_of": at.isoformat(),
    }


def _match(found: Found) -> dict[str, str]:
    return {
        "kind": found.kind,
        "code": found.code,
        "name": found.name,
        "detail": found.detail,
        "why": found.why,
    }
