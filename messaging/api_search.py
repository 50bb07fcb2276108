"""The API's search by the child: a POST, so that no name is in an address (DOMAIN.md 4.11)."""

from flask.typing import ResponseReturnValue

from hub.web.context import current_actor, database, now, vault
from hub.web.guards import api
from hub.web.openapi import Operation
from hub.web.requests import body, reply
from messaging import searching
from messaging.api import blueprint, case_row
from messaging.api_documents import CasesOut


@api(
    blueprint,
    "/api/v1/cases/search",
    Operation(
        "POST", "Find your units' cases of a child, with a reason that goes on record",
        {200: CasesOut}, request=searching.ChildSearch,
    ),
    scope="cases:read",
)  # fmt: skip
def search_cases() -> ResponseReturnValue:
    """Find cases by the child."""
    asked = body(searching.ChildSearch)
    with database().unit_of_work() as session:
        found = searching.by_child(session, current_actor(), vault(), asked, now())
    return reply(CasesOut(cases=[case_row(row) for row in found], next=None))
