"""The public tier for readers of Open Referral UK: keyless, and counted like any look-up of it."""

from collections.abc import Callable, Sequence
from datetime import time
from functools import wraps
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from flask import Response, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from directory import oruk
from directory.api import blueprint
from directory.api_documents import NONE_MATCH, tagged
from directory.oruk import Service, Services
from directory.oruk_documents import (
    TAXONOMY_ID,
    ListedAtLocationOut,
    ListedServiceOut,
    ServiceAtLocationOut,
    ServiceOut,
    TaxonomyOut,
    TermOut,
)
from directory.reading import lookup
from hub.errors import invalid, not_found
from hub.web import paging, ratelimit
from hub.web.context import now, runtime
from hub.web.guards import api
from hub.web.openapi import Operation
from hub.web.requests import query

PROFILE = "https://docs.openreferraluk.org/en/latest/"
Entry = TypeVar("Entry", bound=BaseModel)
View = Callable[..., BaseModel]


class AboutOut(BaseModel):
    """What this API is."""

    version: str
    profile: str
    openapi_url: str


class Page(BaseModel, Generic[Entry]):
    """A page of a list."""

    total_items: int
    total_pages: int
    page_number: int
    size: int
    first_page: bool
    last_page: bool
    empty: bool
    contents: list[Entry]


class ServicesOut(Page[ListedServiceOut]):
    """A page of services."""


class AtLocationsOut(Page[ListedAtLocationOut]):
    """A page of services at their locations."""


class TaxonomiesOut(Page[TaxonomyOut]):
    """A page of taxonomies."""


class TermsOut(Page[TermOut]):
    """A page of the terms of taxonomies."""


class PageQuery(BaseModel):
    """Which page, from 1 on."""

    page: int = Field(1, ge=1, le=1_000_000)
    per_page: int = Field(paging.PAGE, ge=1, le=paging.LONGEST_PAGE)


class ServicesQuery(PageQuery):
    """Which services. They state no ages: each is for a child of any age."""

    search: str | None = Field(None, max_length=120, description="Words of its name")
    taxonomy_term_id: str | None = Field(None, max_length=120)
    taxonomy_id: str | None = Field(None, max_length=120)
    minimum_age: float | None = Field(None, description="Excludes none")
    maximum_age: float | None = Field(None, description="Excludes none")
    start_time: time | None = Field(None, description="Opens at this time of day or later")
    end_time: time | None = Field(None, description="Closes at this time of day or earlier")
    day: str | None = Field(None, max_length=12, description="MO, TU, WE, TH, FR, SA or SU")


class AtLocationsQuery(ServicesQuery):
    """Which services, and for where."""

    postcode: str | None = Field(None, max_length=120, description="For this postcode’s district")
    proximity: str | None = Field(
        None, max_length=20, description="Excludes none: who answers lies with the district"
    )


def services() -> Services:
    """Return the services of today's directory."""
    here = lookup().snapshot
    held = here.cache.get("oruk")
    if held is None:
        held = here.cache["oruk"] = Services(here, runtime().settings.public_url)
    return cast(Services, held)


def _serving(
    rule: str, summary: str, model: type[BaseModel], *, ask: type[BaseModel] | None = None
) -> Callable[[View], Callable[..., ResponseReturnValue]]:
    """Register an operation of the public tier, without any key."""
    by_id = "<" in rule
    operation = Operation(
        "GET", summary, {200: model, 304: None}, query=ask, headers=NONE_MATCH,
        path={"id": "The UUID that a list has"} if by_id else {}, errors=(404,) if by_id else (),
    )  # fmt: skip

    def register(view: View) -> Callable[..., ResponseReturnValue]:
        @wraps(view)
        def answer(**arguments: Any) -> Response:
            ratelimit.public(request.remote_addr or "")
            return tagged(view(**arguments), leave_out_nulls=True)

        return api(blueprint, f"/oruk/{rule}", operation, scope=None)(answer)

    return register


@_serving("", "Open Referral UK: what this API is", AboutOut)
def about() -> BaseModel:
    """Say what this API is."""
    url = runtime().settings.public_url.rstrip("/")
    return AboutOut(
        version="HSDS-UK-3.0", profile=PROFILE, openapi_url=f"{url}/api/v1/openapi.json"
    )


@_serving("services", "Open Referral UK: services", ServicesOut, ask=ServicesQuery)
def listed_services() -> BaseModel:
    """List the services."""
    asked, here = query(ServicesQuery), services()
    found = _asked_for(here, here.all, asked)
    return _page(ServicesOut, found, asked, lambda one: here.listed(one, now()))


@_serving("services/<uuid:id>", "Open Referral UK: a service, whole", ServiceOut)
def service(id: UUID) -> BaseModel:  # noqa: A002  # the profile's name
    """Show a service."""
    here = services()
    return here.full(_there(here.by_id.get(id)), now())


@_serving(
    "service_at_locations", "Open Referral UK: services at locations, by postcode", AtLocationsOut,
    ask=AtLocationsQuery,
)  # fmt: skip
def listed_at_locations() -> BaseModel:
    """List the services at their locations."""
    asked, here = query(AtLocationsQuery), services()
    among: Sequence[Service] = here.all
    if asked.postcode is not None:
        match = lookup().postcodes.find(asked.postcode)
        if match.kind == "not-a-postcode" and not match.postcode:
            raise invalid("postcode-malformed", "A postcode looks like SW1A 1AA.", "/postcode")
        among = here.where(match)
    found = _asked_for(here, among, asked)

    def entry(one: Service) -> ListedAtLocationOut:
        return ListedAtLocationOut(
            **dict(here.at_location(one)), service=here.listed(one, now())
        )  # fmt: skip

    return _page(AtLocationsOut, found, asked, entry)


@_serving(
    "service_at_locations/<uuid:id>", "Open Referral UK: a service at its location, whole",
    ServiceAtLocationOut,
)  # fmt: skip
def at_location(id: UUID) -> BaseModel:  # noqa: A002  # the profile's name
    """Show a service at its location."""
    here = services()
    one = _there(here.by_at_location.get(id))
    return ServiceAtLocationOut(
        **dict(here.at_location(one)), name=one.name, service=here.full(one, now())
    )


@_serving("taxonomies", "Open Referral UK: taxonomies", TaxonomiesOut, ask=PageQuery)
def taxonomies() -> BaseModel:
    """List the taxonomies."""
    return _page(TaxonomiesOut, [TaxonomyOut()], query(PageQuery), lambda one: one)


@_serving("taxonomies/<uuid:id>", "Open Referral UK: a taxonomy", TaxonomyOut)
def taxonomy(id: UUID) -> BaseModel:  # noqa: A002  # the profile's name
    """Show a taxonomy."""
    return _there(TaxonomyOut() if id == TAXONOMY_ID else None)


@_serving("taxonomy_terms", "Open Referral UK: terms of taxonomies", TermsOut, ask=PageQuery)
def terms() -> BaseModel:
    """List the terms."""
    return _page(TermsOut, list(services().terms.values()), query(PageQuery), lambda one: one)


@_serving("taxonomy_terms/<uuid:id>", "Open Referral UK: a term of a taxonomy", TermOut)
def term(id: UUID) -> BaseModel:  # noqa: A002  # the profile's name
    """Show a term."""
    return _there(services().terms.get(id))


def _asked_for(here: Services, among: Sequence[Service], asked: ServicesQuery) -> list[Service]:
    day = asked.day[:2].upper() if asked.day else None
    if day is not None and day not in oruk.DAYS:
        raise invalid("day", "Give a day as MO, TU, WE, TH, FR, SA or SU.", "/day")
    found = list(among)
    if asked.search:
        found = here.matching(asked.search, found)
    if asked.taxonomy_term_id:
        wanted = [term for term in here.terms.values() if str(term.id) == asked.taxonomy_term_id]
        found = [one for one in found if one.label in {term.name for term in wanted}]
    if asked.taxonomy_id and asked.taxonomy_id != str(TAXONOMY_ID):
        found = []
    if day or asked.start_time or asked.end_time:
        found = [one for one in found if one.open_between(day, asked.start_time, asked.end_time)]
    return found


Row = TypeVar("Row")
AnyPage = TypeVar("AnyPage", bound=Page[Any])


def _page(
    model: type[AnyPage], rows: Sequence[Row], asked: PageQuery, entry: Callable[[Row], BaseModel]
) -> AnyPage:
    begin = (asked.page - 1) * asked.per_page
    page = rows[begin : begin + asked.per_page]
    pages = -(-len(rows) // asked.per_page)
    return model(
        total_items=len(rows),
        total_pages=pages,
        page_number=asked.page,
        size=len(page),
        first_page=asked.page == 1,
        last_page=asked.page >= pages,
        empty=not page,
        contents=[entry(one) for one in page],
    )


Found = TypeVar("Found")


def _there(found: Found | None) -> Found:
    if found is None:
        raise not_found("Nothing here has this id.")
    return found
