"""Organisations kept by partner systems: the names of their own, as their administrators keep them."""

from typing import Any
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from directory import organisations
from directory.api import blueprint
from directory.api_editing import SCOPE, WHY, changed_meanwhile, versions_named
from directory.documents import OrganisationOut, organisation_out
from directory.organisations import OrganisationIn
from directory.reading import holder
from hub.errors import not_found
from hub.organisations import Organisation, find_organisation
from hub.web.context import current_actor, database, now
from hub.web.guards import api
from hub.web.openapi import Operation
from hub.web.requests import body, reply


class OrganisationCommand(OrganisationIn):
    """An organisation as it is to be from now on, and why. Days and parent are a national matter."""

    why: str = WHY

    @property
    def organisation(self) -> OrganisationIn:
        """The organisation alone."""
        return OrganisationIn(**self.model_dump(exclude={"why"}))


class OrganisationKeptOut(BaseModel):
    """The organisation is on record at this version."""

    id: UUID
    code: str
    version: int = Field(description="What If-Match names")


@api(
    blueprint,
    "/api/v1/directory/organisations/<path:organisation>",
    Operation(
        "PUT", "Change what is kept of an organisation", {200: OrganisationKeptOut},
        request=OrganisationCommand, path={"organisation": "Its code or UUID"}, errors=(404, 409),
        if_match=True,
    ),
    scope=SCOPE,
)  # fmt: skip
def change_organisation(organisation: str) -> Response:
    """Change an organisation whose present version the sender has seen."""
    command = body(OrganisationCommand)
    versions = versions_named("organisation")
    with database().unit_of_work() as session:
        found = find_organisation(session, organisation)
        if found is None:
            raise not_found("No organisation has this code or UUID.")
        there = organisations.organisation_to_edit(session, current_actor(), found.id)
        if str(there.version) not in versions:
            yours: dict[str, Any] = command.organisation.model_dump(mode="json")
            raise changed_meanwhile("organisation", there.version, _document(session, there), yours)
        changed = organisations.change_organisation(
            session, current_actor(), there.id, command.organisation, version=None,
            why=command.why, now=now(),
        )  # fmt: skip
        kept = OrganisationKeptOut(id=changed.id, code=changed.code, version=changed.version)
    holder().look_again()
    return reply(kept, headers={"ETag": f'"{kept.version}"'})


def _document(session: Session, there: Organisation) -> OrganisationOut:
    row = {column.key: getattr(there, column.key) for column in Organisation.__table__.columns}
    codes = [
        session.get_one(Organisation, one).code if one else None
        for one in (there.parent_id, there.superseded_by_id)
    ]
    return organisation_out(row, parent=codes[0], successor=codes[1])
