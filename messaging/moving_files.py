"""Files that were uploaded for a new case, whose message goes into one that is there already.

A file lies under the key of its case, and stays with it: it is encrypted anew for the other.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import attachments
from messaging.attachment_model import AttachmentFile
from messaging.attachments import PICTURES, Examined, Label, Place, Waiting
from messaging.file_types import Checked


def moved(
    session: Session, actor: Actor, vault: Vault, to: Place, ids: Sequence[UUID], now: datetime
) -> list[UUID]:
    """Return the files that a message names, those that wait for no case yet moved into its case.

    What waits for another case that is there keeps its place, and is no file of this message.
    """
    planned = attachments.planned_case(session, actor, ids)
    if planned is None:
        return list(ids)
    new: dict[UUID, UUID] = {}
    for one in attachments.waiting(session, actor, vault, ids, now):
        if one.case_id != planned:
            continue
        file = _examined(session, vault, one)
        gone = delete(AttachmentFile).where(AttachmentFile.id == one.id)
        if session.scalar(gone.returning(AttachmentFile.id)) is None:
            continue  # another message took it in this moment
        label = Label(one.name, one.kind, one.audience)
        new[one.id] = attachments.stage(session, actor, vault, to, file, label, now)
    return [new.get(one, one) for one in ids]


def _examined(session: Session, vault: Vault, one: Waiting) -> Examined:
    """Return a file as it was kept: it was examined when it was uploaded."""
    content = b"".join(
        attachments.piece(session, vault, one.case_id, one.id, one.size, number)
        for number in attachments.pieces(one.size)
    )
    small = attachments.thumbnail(session, vault, one.id) if one.media_type in PICTURES else None
    return Examined(Checked(content, one.media_type, small), one.scan)
