"""Drafts: what somebody has typed and not sent yet, readable by that person alone.

Each draft has a data key of its own, so that nothing of it is left once it is thrown away.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hub.db import new_id
from hub.errors import not_found
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging.model import Case, Draft

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class DraftRow:
    """One line of a person's list of drafts: no content. Times are aware UTC."""

    id: UUID
    type: str
    case_reference: str | None
    updated_at: datetime


def save(
    session: Session,
    actor: Actor,
    vault: Vault,
    *,
    message_type: str,
    fields: Fields,
    now: datetime,
    case_id: UUID | None = None,
    draft_id: UUID | None = None,
) -> UUID:
    """Keep the fields of a form as they were typed, and return the draft's id.

    With `draft_id`, that draft is overwritten.

    Raises:
        HubError: `not-found` when the draft is not this person's.
    """
    person_id = _person(actor)
    if draft_id is None:
        draft = Draft(id=new_id(), person_id=person_id, case_id=case_id, type=message_type)
        vault.create_key(session, draft.id)
        draft.ciphertext = _seal(session, vault, draft, fields)
        draft.updated_at = now
        session.add(draft)
    else:
        draft = _own(session, actor, draft_id)
        draft.ciphertext = _seal(session, vault, draft, fields)
        draft.updated_at = now
    session.flush()
    return draft.id


def load(session: Session, actor: Actor, vault: Vault, draft_id: UUID) -> dict[str, list[str]]:
    """Return the fields of a draft as they were typed.

    Raises:
        HubError: `not-found` when the draft is not this person's.
    """
    draft = _own(session, actor, draft_id)
    plain = vault.decrypt(session, draft.id, draft.ciphertext, _aad(draft))
    fields: dict[str, list[str]] = json.loads(plain)
    # Identifiers were asked for in lines at first: none that was typed is lost.
    for index, line in enumerate("\n".join(fields.pop("child.identifiers", [])).splitlines()):
        fields[f"child.identifiers.{index}.system"] = ["other"]
        fields[f"child.identifiers.{index}.value"] = [line]
    return fields


def mine(session: Session, actor: Actor, draft_id: UUID) -> bool:
    """Say whether there is such a draft of this person's still."""
    found = select(Draft.id).where(Draft.id == draft_id, Draft.person_id == _person(actor))
    return session.scalar(found) is not None


def discard(session: Session, actor: Actor, vault: Vault, draft_id: UUID, now: datetime) -> None:
    """Throw a draft away, and its key with it; nothing happens when it is gone already."""
    person_id = _person(actor)
    gone = session.scalar(
        delete(Draft).where(Draft.id == draft_id, Draft.person_id == person_id).returning(Draft.id)
    )
    if gone is not None:
        vault.destroy_key(session, gone, now=now)


def listing(session: Session, actor: Actor) -> list[DraftRow]:
    """Return a person's drafts, newest first, without their content."""
    rows = session.execute(
        select(Draft.id, Draft.type, Case.reference, Draft.updated_at)
        .outerjoin(Case, Case.id == Draft.case_id)
        .where(Draft.person_id == _person(actor))
        .order_by(Draft.updated_at.desc(), Draft.id.desc())
        .limit(100)
    )
    return [DraftRow(*row) for row in rows]


def _person(actor: Actor) -> UUID:
    if actor.kind != "person" or actor.id is None:
        raise not_found()
    return actor.id


def _own(session: Session, actor: Actor, draft_id: UUID) -> Draft:
    draft = session.scalar(
        select(Draft)
        .where(Draft.id == draft_id, Draft.person_id == _person(actor))
        .with_for_update()
    )
    if draft is None:
        raise not_found()
    return draft


def _seal(session: Session, vault: Vault, draft: Draft, fields: Fields) -> bytes:
    plain = json.dumps({name: list(values) for name, values in fields.items()}).encode()
    return vault.encrypt(session, draft.id, plain, _aad(draft))


def _aad(draft: Draft) -> tuple[str, ...]:
    return ("draft", str(draft.id), draft.type)
