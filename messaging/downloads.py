"""Handing out an attachment: to whom it is for, on record before its first byte."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.db import Database
from hub.errors import not_found
from hub.identity.actor import Actor
from hub.records import audit
from hub.records.vault import Vault
from messaging import attachments, conversation, references, who_leads
from messaging.attachment_model import Attachment, AttachmentFile
from messaging.attachments import AttachmentView
from messaging.model import Message, Recipient
from messaging.state import load


@dataclass(frozen=True)
class Download:
    """An attachment that its reader may have."""

    file: AttachmentView
    case_id: UUID
    status: str


def open_(
    session: Session,
    actor: Actor,
    vault: Vault,
    reference: str,
    attachment_id: UUID,
    now: datetime,
    *,
    reason_code: str,
    reason: str | None = None,
    only_of: UUID | None = None,
    thumbnail: bool = False,
) -> Download:
    """Return an attachment to hand out; that it leaves the server is on record with this.

    With `only_of`, it must have come with that message.

    Raises:
        HubError: the same `not-found` to strangers, to parties whom it is not for, and for none.
    """
    case = load(session, actor, references.clean(reference), now, lock=False)
    who_leads.reading_unit(case, actor)
    row = session.execute(
        select(Attachment, AttachmentFile, Message)
        .join(AttachmentFile, AttachmentFile.id == Attachment.file_id)
        .join(Message, Message.id == Attachment.message_id)
        .where(Attachment.file_id == attachment_id, Attachment.case_id == case.id)
    ).one_or_none()
    if row is None or only_of not in (None, row.Message.id):
        raise not_found()
    to = set(
        session.scalars(select(Recipient.unit_id).where(Recipient.message_id == row.Message.id))
    )
    mine = set(case.mine(actor))
    if not all(
        conversation.may_read(case, mine, row.Message, to, audience)
        for audience in (row.Message.audience, row.Attachment.audience)
    ):
        raise not_found()
    audit.record(
        session, actor.who, audit.CONSULTATION if thumbnail else audit.DISCLOSURE, now=now,
        case_id=case.id, object_kind="attachment", object_id=attachment_id,
        reason_code=reason_code, reason=reason, vault=vault,
        detail={"messages": [str(row.Message.id)]},
    )  # fmt: skip
    file = attachments.shown(session, vault, (row.Attachment, row.AttachmentFile))
    return Download(file, case.id, case.status)


def content(database: Database, vault: Vault, found: Download) -> Iterator[bytes]:
    """Yield the file piece by piece, each read for itself: a slow reader holds no connection."""
    for number in attachments.pieces(found.file.size):
        with database.unit_of_work() as session:
            piece = attachments.piece(
                session, vault, found.case_id, found.file.id, found.file.size, number
            )
        yield piece
