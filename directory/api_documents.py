"""The directory as documents, by API: organisations, units, areas, and what changed (DESIGN.md 3).

All is read from memory, as look-ups are, and shows no more than the audience of the reader's token.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from directory.api import blueprint
from directory.documents import (
    AreaOut,
    ContactOut,
    Documents,
    Kind,
    OrganisationOut,
    Position,
    UnitOut,
)
from directory.reading import holder, reader
from hub.clock import LONDON
from hub.errors import conflict, invalid, not_found
from hub.web import paging
from hub.web.context import current_actor, now, runtime
from hub.web.guards import api
from hub.web.openapi import Operation
from hub.web.requests import query

NONE_MATCH = {"If-None-Match": "The ETag of what you have: 304 when it is still so"}
AFTER_ALL = "~"
"""Comes after every kind: the end of a version, in a cursor."""


class OrganisationsOut(BaseModel):
    """Organisations by code; `next` is the cursor of the following page, or null."""

    organisations: list[OrganisationOut]
    next: str | None


class UnitsOut(BaseModel):
    """Units by code; `next` is the cursor of the following page, or null."""

    units: list[UnitOut]
    next: str | None


class AreasOut(BaseModel):
    """Districts by code; `next` is the cursor of the following page, or null."""

    areas: list[AreaOut]
    next: str | None


class ContactOfUnitOut(ContactOut):
    """A contact and the id of its unit."""

    unit_id: UUID


class ChangeOut(BaseModel):
    """One object as it is now; the one of organisation, unit and area that `kind` names is there."""

    kind: Kind
    id: UUID
    version: int
    organisation: OrganisationOut | None = None
    unit: UnitOut | None = None
    area: AreaOut | None = None


class ChangesOut(BaseModel):
    """What changed, in the order of commits.

    Put each object in the place of what you have of it, then ask for what comes after `next`. With
    `more` false you have all of the directory's `version`.
    """

    changes: list[ChangeOut]
    next: str
    more: bool
    version: int


class PageQuery(BaseModel):
    """Which page."""

    cursor: str | None = Field(None, max_length=500)
    limit: int = Field(paging.PAGE, ge=1, le=paging.LONGEST_PAGE)


class UnitsQuery(PageQuery):
    """Whose units, and which page."""

    organisation: str | None = Field(None, max_length=120, description="A code or UUID")


class ChangesQuery(BaseModel):
    """After what; without, all there is."""

    after: str | None = Field(None, max_length=500, description="The `next` of the page before")
    limit: int = Field(paging.PAGE, ge=1, le=paging.LONGEST_PAGE)


def documents() -> Documents:
    """Return the directory's documents of today, a second stale at most."""
    directory = holder().directory(now())
    snapshot = directory.on(now().astimezone(LONDON).date())
    held = snapshot.cache.get("documents")
    if held is None:
        held = Documents(directory.rows, snapshot.day, runtime().settings.verify_every)
        snapshot.cache["documents"] = held
    return cast(Documents, held)


def tagged(document: BaseModel, prefix: str = "", *, leave_out_nulls: bool = False) -> Response:
    """Answer with a document and its ETag; 304 where the reader has it already."""
    text = document.model_dump_json(exclude_none=leave_out_nulls)
    response = Response(text, mimetype="application/json")
    response.set_etag(prefix + sha256(text.encode()).hexdigest()[:32])
    response.vary.add("Authorization")
    private = "Authorization" in request.headers
    response.headers["Cache-Control"] = "private, no-cache" if private else "no-cache"
    return cast(Response, response.make_conditional(request))


def audiences() -> frozenset[str]:
    """Return the audiences that the reader's token may see."""
    return reader(current_actor()).audiences


def _reading(
    rule: str,
    summary: str,
    model: type[BaseModel],
    *,
    ask: type[BaseModel] | None = None,
    path: dict[str, str] | None = None,
    errors: tuple[int, ...] = (),
) -> Callable[[Callable[..., ResponseReturnValue]], Callable[..., ResponseReturnValue]]:
    """Register an operation that reads, for the public tier too."""
    operation = Operation(
        "GET", summary, {200: model, 304: None}, query=ask, path=path or {}, errors=errors,
        headers=NONE_MATCH,
    )  # fmt: skip
    return api(
        blueprint, f"/api/v1/directory/{rule}", operation, scope="directory:read", public_tier=True
    )


@_reading("organisations", "Organisations, by code", OrganisationsOut, ask=PageQuery)
def organisations() -> ResponseReturnValue:
    """List the organisations."""
    here, asked = documents(), query(PageQuery)
    page, next_ = _page(here.listed("organisation"), asked)
    return _listed(OrganisationsOut(organisations=_all(here, "organisation", page), next=next_))


@_reading(
    "organisations/<path:organisation>", "An organisation; its ETag is what If-Match takes",
    OrganisationOut,
    path={"organisation": "Its code or UUID"}, errors=(404,),
)  # fmt: skip
def organisation(organisation: str) -> ResponseReturnValue:
    """Show an organisation, present or former."""
    return _one("organisation", organisation)


@_reading("units", "Units with their contacts, by code", UnitsOut, ask=UnitsQuery, errors=(404,))
def units() -> ResponseReturnValue:
    """List the units, of one organisation if need be."""
    here, asked = documents(), query(UnitsQuery)
    found = here.listed("unit")
    if asked.organisation is not None:
        of = here.find("organisation", asked.organisation)
        if of is None:
            raise not_found("No organisation has this code or UUID.")
        found = [one for one in found if here.organisation_of(UUID(one[1])) == of]
    page, next_ = _page(found, asked)
    return _listed(UnitsOut(units=_all(here, "unit", page), next=next_))


@_reading(
    "units/<path:unit>", "A unit with its contacts; of one that is no more, what took its place",
    UnitOut, path={"unit": "Its code (such as kent/east) or UUID"}, errors=(404,),
)  # fmt: skip
def unit(unit: str) -> ResponseReturnValue:
    """Show a unit, present or former."""
    return _one("unit", unit)


@_reading("areas", "Districts, by code", AreasOut, ask=PageQuery)
def areas() -> ResponseReturnValue:
    """List the districts."""
    here, asked = documents(), query(PageQuery)
    page, next_ = _page(here.listed("area"), asked)
    return _listed(AreasOut(areas=_all(here, "area", page), next=next_))


@_reading(
    "areas/<path:lad_code>", "A district, with its force, council and units", AreaOut,
    path={"lad_code": "Its ONS code, also one that it had before"}, errors=(404,),
)  # fmt: skip
def area(lad_code: str) -> ResponseReturnValue:
    """Show a district."""
    return _one("area", lad_code)


@_reading(
    "contacts/<uuid:contact>", "A contact; its ETag is what If-Match takes", ContactOfUnitOut,
    path={"contact": "Its UUID"}, errors=(404,),
)  # fmt: skip
def contact(contact: UUID) -> ResponseReturnValue:
    """Show a contact of the reader's audience."""
    found = documents().contact(contact, audiences())
    if found is None:
        raise not_found("No contact of yours to see has this UUID.")
    unit_id, there = found
    document = ContactOfUnitOut(unit_id=unit_id, **dict(there))
    return tagged(document, f"{there.version}-")


@_reading(
    "changes", "What changed, in the order of commits, to keep a mirror", ChangesOut,
    ask=ChangesQuery, errors=(409,),
)  # fmt: skip
def changes() -> ResponseReturnValue:
    """Show what changed after a cursor, each object once and as it is now."""
    asked, may_see = query(ChangesQuery), audiences()
    after = _after(asked.after, may_see)
    here = documents()
    if after[0] > here.version:
        here = _newer(after)
    page, more = here.changed_after(after, asked.limit)
    end = page[-1] if more else max(after, (here.version, AFTER_ALL, ""))
    return tagged(
        ChangesOut(
            changes=[_change(here, one, may_see) for one in page],
            next=paging.encode(*end, _mark(may_see)),
            more=more,
            version=here.version,
        )
    )


def _change(here: Documents, position: Position, may_see: frozenset[str]) -> ChangeOut:
    version, kind, id_ = position
    document = here.document(cast(Kind, kind), UUID(id_), may_see)
    return ChangeOut.model_validate({"version": version, "kind": kind, "id": id_, kind: document})


def _newer(after: Position) -> Documents:
    """Look again: another process may have read on. A cursor ahead of the database is no cursor.

    Raises:
        HubError: 409, where the directory was set back to an earlier state.
    """
    holder().look_again()
    here = documents()
    if after[0] > here.version and holder().away_since is None:
        raise conflict(
            "mirror-ahead", "The directory was set back: begin your mirror again, without after."
        )
    return here


def _after(cursor: str | None, may_see: frozenset[str]) -> Position:
    """Read where a mirror stands.

    Raises:
        HubError: 422 for what is no cursor; 409 for one of another audience, whose mirror would
            keep what this reader may not see, or miss what they may.
    """
    found = paging.decode(cursor, 4, "/after")
    if found is None:
        return (-1, "", "")
    version, kind, id_, mark = found
    if not isinstance(version, int) or not all(isinstance(one, str) for one in (kind, id_, mark)):
        raise invalid("cursor", "This cursor is not one of this list: start without.", "/after")
    if mark != _mark(may_see):
        raise conflict(
            "mirror-of-another-audience",
            "Your token sees another part of the directory than this mirror holds: begin again,"
            " without after.",
        )
    return version, kind, id_


def _mark(may_see: frozenset[str]) -> str:
    return "+".join(sorted(may_see))


def _page(rows: Sequence[tuple[str, str]], asked: PageQuery) -> tuple[Sequence[str], str | None]:
    """Return the ids of a page of what is sorted by code and id, and the cursor of the next."""
    last = paging.decode(asked.cursor, 2)
    begin = 0
    if last is not None:
        if not all(isinstance(one, str) for one in last):
            raise invalid(
                "cursor", "This cursor is not one of this list: start without.", "/cursor"
            )
        begin = bisect_right(rows, (last[0], last[1]))
    page = rows[begin : begin + asked.limit]
    more = begin + asked.limit < len(rows)
    return [id_ for _, id_ in page], paging.encode(*page[-1]) if more else None


def _all(here: Documents, kind: Kind, ids: Sequence[str]) -> list[Any]:
    may_see = audiences()
    return [here.document(kind, UUID(one), may_see) for one in ids]


def _listed(document: OrganisationsOut | UnitsOut | AreasOut) -> Response:
    response = tagged(document)
    if document.next:
        asked = {**request.args.to_dict(), "cursor": document.next}
        response.headers["Link"] = f'<{request.path}?{urlencode(asked)}>; rel="next"'
    return response


def _one(kind: Kind, identifier: str) -> Response:
    here = documents()
    found = here.find(kind, identifier)
    if found is None:
        raise not_found("Nothing in the directory has this code or UUID.")
    document = here.document(kind, found, audiences())
    prefix = f"{document.version}-" if isinstance(document, OrganisationOut) else ""
    return tagged(document, prefix)
