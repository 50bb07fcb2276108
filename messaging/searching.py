"""Finding a case again: by its reference, by one's own number, and with a reason by the child.

Only cases that the reader's unit is a party of are found; of all others nothing is said, not even
that there are any. What is looked for is compared by blind keys, and kept nowhere.
"""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.orm import Session

from hub.identity import policy
from hub.identity.actor import Actor
from hub.records import audit
from hub.records.vault import Vault
from messaging import matching, references
from messaging.case_list import CaseRow, cases
from messaging.contracts import Line, Words, ask, long

STATUSES = ("actual", "exercise", "test")
MOST = 50


class ChildSearch(BaseModel):
    """Whom is looked for, and why: family name and date of birth together, or an identifier."""

    model_config = ConfigDict(extra="forbid")

    reason: Words = Field(
        json_schema_extra=long(
            "Why you look for this child", "It goes on record with your name, before the search."
        )
    )
    family_name: Line | None = Field(None, json_schema_extra=ask("Family name"))
    date_of_birth: date | None = Field(
        None, json_schema_extra=ask("Date of birth", "For example, 27 3 2012")
    )
    identifier: Line | None = Field(
        None, json_schema_extra=ask("Or an identifier", "Such as “NHS 999 000 0000”")
    )

    @model_validator(mode="after")
    def _enough(self) -> "ChildSearch":
        if not self.identifier and not (self.family_name and self.date_of_birth):
            raise ValueError("Give the family name and the date of birth, or an identifier")
        return self


def by_number(session: Session, actor: Actor, vault: Vault, number: str) -> list[CaseRow]:
    """Return the cases of this reference, or else of this case number of the actor's organisation.

    Raises:
        HubError: 403 by the map.
    """
    return by_reference(session, actor, number) or by_own_number(session, actor, vault, number)


def by_reference(session: Session, actor: Actor, reference: str) -> list[CaseRow]:
    """Return the case of this reference, where it is one of theirs."""
    return cases(session, actor, reference=references.clean(reference))


def by_own_number(session: Session, actor: Actor, vault: Vault, number: str) -> list[CaseRow]:
    """Return the cases in which somebody of the actor's organisation gave this case number."""
    return cases(session, actor, keys=own_keys(actor, vault, number), most=MOST)


def own_keys(actor: Actor, vault: Vault, number: str) -> list[bytes]:
    """Return the keys of a case number of the actor's organisation."""
    organisation = actor.organisation_id
    if organisation is None:
        return []
    return [matching.own_key(vault, status, organisation, number) for status in _statuses(actor)]


def by_child(
    session: Session, actor: Actor, vault: Vault, asked: ChildSearch, now: datetime
) -> list[CaseRow]:
    """Return the cases of theirs of this child; who looked, why, and what was found is on record.

    Raises:
        HubError: 403 by the map.
    """
    policy.require(actor, "case.search")
    keys = [
        key
        for status in _statuses(actor)
        for key in matching.searched(
            vault, status, asked.family_name, asked.date_of_birth, asked.identifier
        )
    ]
    found = cases(session, actor, keys=keys, most=MOST)
    by: Literal["name", "identifier"] = "identifier" if asked.identifier else "name"
    audit.record(
        session, actor.who, "case.search", now=now, reason=asked.reason, vault=vault,
        detail={"by": by, "found": [str(row.id) for row in found]},
    )  # fmt: skip
    return found


def _statuses(actor: Actor) -> tuple[str, ...]:
    return (actor.status,) if actor.status else STATUSES
