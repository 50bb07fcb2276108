"""The documents of Open Referral UK (HSDS 3, UK profile) that the public tier has something for."""

from typing import Literal
from uuid import UUID, uuid5

from pydantic import BaseModel

NAMESPACE = UUID("5b0f4a3e-6a0c-5d0b-9c50-3c4be0f5a7d1")
TAXONOMY_ID = uuid5(NAMESPACE, "purposes")
LOCATION_ID = uuid5(NAMESPACE, "by telephone or online")


class TaxonomyOut(BaseModel):
    """The one taxonomy: what a contact is for."""

    id: UUID = TAXONOMY_ID
    name: str = "Purposes of contacts"
    description: str = "What the contacts of the directory for missing children are for"
    version: str = "1"


class TermOut(BaseModel):
    """One purpose."""

    id: UUID
    name: str
    description: str
    taxonomy: str = "Purposes of contacts"
    taxonomy_id: UUID = TAXONOMY_ID


class AttributeOut(BaseModel):
    """The purpose of a service."""

    id: UUID
    link_id: UUID
    link_type: str = "service"
    taxonomy_term_id: UUID
    taxonomy_term: TermOut


class IdentifierOut(BaseModel):
    """What others call an organisation."""

    id: UUID
    organization_id: UUID
    identifier_type: str
    identifier: str


class OrganizationOut(BaseModel):
    """An organisation, as far as the service's document has it."""

    id: UUID
    name: str
    description: str
    website: str | None = None
    uri: str
    parent_organization_id: UUID | None = None
    organization_identifiers: list[IdentifierOut] | None = None


class PhoneOut(BaseModel):
    """A number of a contact."""

    id: UUID
    contact_id: UUID
    service_id: UUID
    number: str
    type: Literal["voice", "cell", "text"]
    description: str | None = None


class ServiceContactOut(BaseModel):
    """A contact point of a service."""

    id: UUID
    service_id: UUID
    name: str
    title: str
    email: str | None = None
    phones: list[PhoneOut]


class ScheduleOut(BaseModel):
    """Weekly hours of a contact. One that closes at or before it opens closes on the next day."""

    id: UUID
    service_id: UUID
    valid_from: str
    valid_to: str | None = None
    freq: Literal["WEEKLY"] = "WEEKLY"
    interval: int = 1
    byday: str
    opens_at: str
    closes_at: str
    description: str
    notes: str


class ServiceAreaOut(BaseModel):
    """A district that a service is for."""

    id: UUID
    service_id: UUID
    name: str
    service_area: str
    uri: str


class LocationOut(BaseModel):
    """Where a service is: nowhere that one could go to."""

    id: UUID = LOCATION_ID
    location_type: Literal["virtual"] = "virtual"
    name: str = "By telephone or online"


class AtLocationOut(BaseModel):
    """A service at its location."""

    id: UUID
    service_id: UUID
    location_id: UUID = LOCATION_ID
    location: LocationOut = LocationOut()


class ListedServiceOut(BaseModel):
    """A service in a list."""

    id: UUID
    organization_id: UUID
    name: str
    description: str
    url: str
    email: str | None = None
    status: Literal["active"] = "active"
    assured_date: str | None = None
    alert: str | None = None
    organization: OrganizationOut


class ServiceOut(ListedServiceOut):
    """A service with all that is known of it."""

    schedules: list[ScheduleOut]
    service_areas: list[ServiceAreaOut]
    service_at_locations: list[AtLocationOut]
    contacts: list[ServiceContactOut]
    attributes: list[AttributeOut]


class ListedAtLocationOut(AtLocationOut):
    """A service at its location, in a list."""

    service: ListedServiceOut


class ServiceAtLocationOut(AtLocationOut):
    """A service at its location, with all that is known of it.

    The profile's own description of this answer is that of a service: hence `name` and `status`.
    """

    name: str
    status: Literal["active"] = "active"
    service: ServiceOut
