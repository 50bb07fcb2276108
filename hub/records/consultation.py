"""Why a person looks at a case: asked once per case and session, then remembered."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hub.records.model import ConsultationReason
from hub.records.vault import Vault


@dataclass(frozen=True)
class Reason:
    """A reason given: its code and, where the person wrote some, its words."""

    code: str
    text: str | None
    at: datetime


def remember_reason(
    session: Session,
    vault: Vault,
    session_id: UUID,
    case_id: UUID,
    code: str,
    text: str | None = None,
    *,
    now: datetime,
) -> None:
    """Keep the reason for this session's looks at the case; the first one given stands."""
    reason = vault.encrypt(session, case_id, text.encode(), _aad(session_id)) if text else None
    session.execute(
        insert(ConsultationReason).on_conflict_do_nothing(),
        {
            "session_id": session_id,
            "case_id": case_id,
            "reason_code": code,
            "reason": reason,
            "at": now,
        },
    )


def known_reason(session: Session, vault: Vault, session_id: UUID, case_id: UUID) -> Reason | None:
    """Return the reason given in this session for this case, or None: then it must be asked."""
    row = session.get(ConsultationReason, (session_id, case_id))
    if row is None:
        return None
    text = (
        vault.decrypt(session, case_id, row.reason, _aad(session_id)).decode()
        if row.reason
        else None
    )
    return Reason(row.reason_code, text, row.at)


def _aad(session_id: UUID) -> tuple[str, ...]:
    return ("consultation-reason", str(session_id))
