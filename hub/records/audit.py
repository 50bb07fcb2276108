"""The audit log: one row in the transaction of what it records (DPA 2018 s.62, DOMAIN.md 4.12)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, cast, func, insert, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from hub.db import Base, new_id
from hub.records.model import AuditRecord
from hub.records.sealing import BATCH, Problem, Verification, seal, verify
from hub.records.vault import HUB_SUBJECT, Vault

__all__ = [
    "BATCH",
    "CONSULTATION",
    "DISCLOSURE",
    "OPENED",
    "SYSTEM",
    "Look",
    "Problem",
    "Verification",
    "Who",
    "looks_at",
    "record",
    "seal",
    "verify",
]

CONSULTATION = "consultation"  # a page or reply with content was shown
DISCLOSURE = "disclosure"  # content was handed to another body or system
OPENED = "opened"  # a named person opened one message
LOOKS = frozenset({CONSULTATION, DISCLOSURE, OPENED})


@dataclass(frozen=True)
class Who:
    """Who acted: a person, a client, a guest (of a link), the system itself, or the public."""

    kind: str
    id: UUID | None = None
    name: str = ""
    organisation_id: UUID | None = None
    unit_id: UUID | None = None
    session_id: UUID | None = None


_INSERT = insert(
    Base.metadata.tables["audit_record"]
)  # the table, not the class: half the time in every write

SYSTEM = Who("system", name="Missing Children Hub")


def record(
    session: Session,
    who: Who,
    action: str,
    *,
    now: datetime,
    case_id: UUID | None = None,
    object_kind: str | None = None,
    object_id: UUID | None = None,
    reason_code: str | None = None,
    reason: str | None = None,
    detail: Mapping[str, Any] | None = None,
    automatic: bool = False,
    vault: Vault | None = None,
) -> UUID:
    """Put one fact on record in the caller's transaction, and return its id.

    `action` is dotted lower-case words; a look at content is CONSULTATION, DISCLOSURE or OPENED,
    its messages in `object_id` (object_kind "message") or in `detail={"messages": [ids as text]}`.
    `detail` holds codes and ids only. `reason` is free text, so it needs the `vault`: it is
    encrypted under the case's key, or the hub's own where there is no case.
    """
    audit_id = new_id()
    sealed_reason = None
    if reason:
        if vault is None:
            raise ValueError("a reason in words is encrypted: give the vault")
        if case_id is None:
            vault.create_hub_key(session)
        sealed_reason = vault.encrypt(
            session, case_id or HUB_SUBJECT, reason.encode(), _reason_aad(audit_id)
        )
    session.execute(
        _INSERT,
        {
            "id": audit_id,
            "at": now,
            "who_kind": who.kind,
            "who_id": who.id,
            "who_name": who.name,
            "who_organisation_id": who.organisation_id,
            "who_unit_id": who.unit_id,
            "session_id": who.session_id,
            "action": action,
            "case_id": case_id,
            "object_kind": object_kind,
            "object_id": object_id,
            "reason_code": reason_code,
            "reason": sealed_reason,
            "detail": dict(detail) if detail is not None else None,
            "automatic": automatic,
        },
    )
    return audit_id


@dataclass(frozen=True)
class Look:
    """One look at content: who, when, by which act, at which messages, and why."""

    id: UUID
    at: datetime
    who: Who
    action: str
    message_ids: frozenset[UUID]
    reason_code: str | None
    reason: str | None
    automatic: bool


def looks_at(
    session: Session,
    case_id: UUID,
    message_ids: Collection[UUID] | None = None,
    *,
    vault: Vault | None = None,
    limit: int = 1000,
) -> list[Look]:
    """Return who has looked at a case, or at some of its messages, newest first.

    The reason in words is read only with the `vault`.
    """
    chosen = AuditRecord.action.in_(LOOKS) & (AuditRecord.case_id == case_id)
    if message_ids is not None:
        ids = list(message_ids)
        named = func.jsonb_exists_any(
            AuditRecord.detail["messages"],
            cast([str(message_id) for message_id in ids], ARRAY(Text())),
        )
        chosen &= or_(
            and_(AuditRecord.object_kind == "message", AuditRecord.object_id.in_(ids)), named
        )
    rows = session.scalars(
        select(AuditRecord)
        .where(chosen)
        .order_by(AuditRecord.at.desc(), AuditRecord.id.desc())
        .limit(limit)
    )
    return [_look(session, row, vault) for row in rows]


def _look(session: Session, row: AuditRecord, vault: Vault | None) -> Look:
    messages = {UUID(message) for message in (row.detail or {}).get("messages", ())}
    if row.object_kind == "message" and row.object_id is not None:
        messages.add(row.object_id)
    reason = None
    if vault is not None and row.reason is not None:
        subject = row.case_id or HUB_SUBJECT
        reason = vault.decrypt(session, subject, row.reason, _reason_aad(row.id)).decode()
    return Look(
        id=row.id,
        at=row.at,
        who=Who(
            row.who_kind,
            row.who_id,
            row.who_name,
            row.who_organisation_id,
            row.who_unit_id,
            row.session_id,
        ),
        action=row.action,
        message_ids=frozenset(messages),
        reason_code=row.reason_code,
        reason=reason,
        automatic=row.automatic,
    )


def _reason_aad(audit_id: UUID) -> tuple[str, ...]:
    return ("audit-reason", str(audit_id))
