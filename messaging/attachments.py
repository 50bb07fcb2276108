"""Attachments: uploaded first, seen by the uploader's unit alone, then taken by a message.

A file lies encrypted under the key of its case; of a case that is yet to be opened, under the key
that it will have. What no message took within a day is deleted.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any, Literal, get_args
from uuid import UUID

from sqlalchemy import delete, exists, insert, select
from sqlalchemy.orm import Session

from hub.db import new_id
from hub.errors import HubError, conflict, forbidden, invalid, not_found
from hub.identity import policy
from hub.identity.actor import Actor
from hub.records import audit
from hub.records.vault import Vault
from messaging import audiences, encrypted_files, file_types, references, virus_scan
from messaging.attachment_model import UNKNOWN, Attachment, AttachmentChunk, AttachmentFile
from messaging.model import Case
from messaging.state import load

MOST_BYTES = 20 * 1024 * 1024
MOST = 10
WAITS = timedelta(hours=24)
PIECE = 256 * 1024
MOST_NAME = 120

Kind = Literal["photo", "vital-information-form", "document", "image", "other"]
KINDS: tuple[str, ...] = get_args(Kind)
PICTURES = ("image/jpeg", "image/png", "image/webp")

_UNFIT = re.compile(r"[\\/:*?\"<>|\s]+")


@dataclass(frozen=True)
class Place:
    """Where a file is to go: its case, or the case to come; and the unit that uploads it."""

    case_id: UUID
    unit_id: UUID
    new: bool = False


@dataclass(frozen=True)
class Label:
    """What its uploader says of a file; without an audience it is for whom its message is for."""

    name: str
    kind: str
    audience: str | None = None


@dataclass(frozen=True)
class Examined:
    """A file that may be kept, and what came of looking for viruses."""

    file: file_types.Checked
    scan: str


@dataclass(frozen=True)
class Waiting:
    """A file that waits for its message, as its uploader's unit sees it."""

    id: UUID
    case_id: UUID
    name: str
    kind: str
    audience: str | None
    media_type: str
    size: int
    scan: str


@dataclass(frozen=True)
class AttachmentView:
    """An attachment as a reader whom it is for sees it."""

    id: UUID
    number: int
    kind: str
    name: str
    audience: str
    media_type: str
    size: int
    scan: str

    @property
    def picture(self) -> bool:
        """Whether there is a thumbnail of it."""
        return self.media_type in PICTURES


def place(session: Session, actor: Actor, reference: str, now: datetime) -> Place:
    """Return where a file for a case goes.

    Raises:
        HubError: `not-found` to strangers; 403 by the map; 409 `case-closed`.
    """
    case = load(session, actor, references.clean(reference), now, lock=False)
    if case.closed_at is not None:
        raise conflict("case-closed", "The case is closed.")
    for unit in case.mine(actor):
        if policy.allows(actor, "attachment.upload", *case.relations(unit)):
            return Place(case.id, unit)
    raise forbidden("not-permitted", "Your part in this case does not allow this.")


def place_of_new_case(session: Session, actor: Actor, earlier: Sequence[UUID]) -> Place:
    """Return where a file goes whose message is to open a case: beside those uploaded earlier.

    Raises:
        HubError: 403 by the map.
    """
    policy.require(actor, "case.open")
    if actor.unit_id is None:
        raise not_found()
    known = planned_case(session, actor, earlier)
    return Place(known or new_id(), actor.unit_id, new=known is None)


def planned_case(session: Session, actor: Actor, ids: Sequence[UUID]) -> UUID | None:
    """Return the id of the case that uploaded files wait for, where there is no such case yet."""
    return session.scalar(
        select(AttachmentFile.case_id)
        .where(
            AttachmentFile.id.in_(ids),
            AttachmentFile.unit_id.in_(actor.unit_ids),
            ~exists().where(Case.id == AttachmentFile.case_id),
        )
        .order_by(AttachmentFile.id)
        .limit(1)
    )


def read_whole(stream: IO[bytes]) -> bytes:
    """Return the file's bytes, never holding more than the most.

    Raises:
        HubError: 413 `attachment-too-large`, 422 `attachment-empty`.
    """
    held = bytearray()
    while piece := stream.read(min(PIECE, MOST_BYTES + 1 - len(held))):
        held += piece
        if len(held) > MOST_BYTES:
            raise too_large()
    if not held:
        raise invalid("attachment-empty", "The file is empty. Choose another.", "/file")
    return bytes(held)


def too_large() -> HubError:
    """Return the refusal of a file above 20 MB."""
    return HubError(
        "attachment-too-large",
        413,
        "The file is larger than 20 MB. Send a smaller one, or in parts.",
        pointer="/file",
    )


def examine(content: bytes, clamd: str) -> Examined:
    """Return a file as it may be kept: of a type that is taken, and no virus found in it.

    It takes no database, so that nothing is held up by it.

    Raises:
        HubError: 415 `attachment-type`; 422 `attachment-infected`, `attachment-broken` and others;
            503 `scanner-away`.
    """
    scan = virus_scan.scan(clamd, content)
    return Examined(file_types.checked(content), scan)


def note_infected(session: Session, actor: Actor, at: Place, now: datetime) -> None:
    """Put it on record that a file was refused for a virus; nothing of it is kept."""
    audit.record(
        session, actor.who, "attachment.infected", now=now,
        case_id=None if at.new else at.case_id,
        object_kind="unit", object_id=at.unit_id,
    )  # fmt: skip


def stage(
    session: Session, actor: Actor, vault: Vault, at: Place, file: Examined, label: Label,
    now: datetime,
) -> UUID:  # fmt: skip
    """Keep a file, encrypted, until a message takes it; return its id.

    Raises:
        HubError: 422 `attachment-kind`, `attachment-audience`, `attachment-name`.
    """
    if label.kind not in KINDS:
        raise invalid("attachment-kind", "Say what it is: " + ", ".join(KINDS) + ".", "/kind")
    if label.audience not in (None, "units", *audiences.ORDER):
        raise invalid(
            "attachment-audience",
            "Say whom it is for: " + ", ".join(("units", *audiences.ORDER)) + ".",
            "/audience",
        )
    if actor.id is None:
        raise not_found()
    if at.new:
        vault.create_key(session, at.case_id)
    checked = file.file
    file_id = new_id()
    name = clean_name(label.name, label.kind, file_types.ENDINGS[checked.media_type])
    fixed = (file_id, label.kind, checked.media_type, len(checked.content), file.scan)
    session.execute(
        insert(AttachmentFile),
        {
            "id": file_id, "case_id": at.case_id, "unit_id": at.unit_id,
            "uploaded_by": actor.id, "uploaded_by_name": actor.name, "uploaded_at": now,
            "kind": label.kind, "audience": label.audience, "media_type": checked.media_type,
            "size": len(checked.content), "scan": file.scan,
            "name": vault.encrypt(session, at.case_id, name.encode(), _name_aad(*fixed)),
            "thumbnail": checked.thumbnail
            and vault.encrypt(session, at.case_id, checked.thumbnail, _thumbnail_aad(file_id)),
        },
    )  # fmt: skip
    for number, piece in encrypted_files.sealed(
        session, vault, at.case_id, file_id, checked.content
    ):
        session.execute(
            insert(AttachmentChunk), {"file_id": file_id, "number": number, "ciphertext": piece}
        )
    audit.record(
        session, actor.who, "attachment.upload", now=now, case_id=at.case_id,
        object_kind="attachment", object_id=file_id,
        detail={"kind": label.kind, "type": checked.media_type, "scan": file.scan},
    )  # fmt: skip
    return file_id


def clean_name(name: str, kind: str, ending: str) -> str:
    """Return a name that any system keeps, with the ending of what the file is."""
    plain = "".join(
        " " if unicodedata.category(letter)[0] == "Z" else letter
        for letter in name
        if unicodedata.category(letter)[0] != "C"
    )
    stem, dot, last = plain.rpartition(".")
    if not dot or len(last) > 5:
        stem = plain
    stem = _UNFIT.sub(" ", stem).strip(" .")[:MOST_NAME]
    return f"{stem or kind}.{ending}"


def _name_aad(file_id: UUID, kind: str, media_type: str, size: int, scan: str) -> tuple[str, ...]:
    """Return what a name is bound to: nobody turns a file into another kind unnoticed."""
    return ("file-name", str(file_id), kind, media_type, str(size), scan)


def _thumbnail_aad(file_id: UUID) -> tuple[str, ...]:
    return ("file-thumbnail", str(file_id))


def _name(session: Session, vault: Vault, file: AttachmentFile) -> str:
    aad = _name_aad(file.id, file.kind, file.media_type, file.size, file.scan)
    return vault.decrypt(session, file.case_id, file.name, aad).decode()


def waiting(
    session: Session, actor: Actor, vault: Vault, ids: Sequence[UUID], now: datetime
) -> list[Waiting]:
    """Return which of these files wait still, in the order of their upload, as their unit sees them."""
    if not ids:
        return []
    found = session.scalars(_waiting(actor, ids, now))
    return [
        Waiting(
            one.id, one.case_id, _name(session, vault, one), one.kind, one.audience,
            one.media_type, one.size, one.scan,
        )
        for one in found
    ]  # fmt: skip


def _waiting(actor: Actor, ids: Sequence[UUID], now: datetime) -> Any:
    return (
        select(AttachmentFile)
        .where(
            AttachmentFile.id.in_(ids),
            AttachmentFile.unit_id.in_(actor.unit_ids),
            AttachmentFile.uploaded_at > now - WAITS,
            ~exists().where(Attachment.file_id == AttachmentFile.id),
        )
        .order_by(AttachmentFile.id)
    )


def take(
    session: Session, actor: Actor, case_id: UUID, message_id: UUID, audience: str,
    ids: Sequence[UUID], now: datetime,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the rows by which a message of an audience takes files that wait.

    Raises:
        HubError: 422 `attachment-repeated`, `attachment-unknown`, `attachment-audience`.
    """
    found = {one.id: one for one in session.scalars(_waiting(actor, ids, now))}
    rows = []
    for index, file_id in enumerate(ids):
        pointer = f"/attachments/{index}"
        if file_id in ids[:index]:
            raise invalid("attachment-repeated", "Name each file once.", pointer)
        file = found.get(file_id)
        if file is None or file.case_id != case_id:
            raise invalid("attachment-unknown", UNKNOWN, pointer)
        wanted = file.audience or audience
        if not audiences.within(wanted, audience):
            raise invalid(
                "attachment-audience",
                "What is attached is for no more readers than its message is.",
                pointer,
            )
        rows.append(
            {
                "file_id": file_id, "case_id": case_id, "message_id": message_id,
                "number": index + 1, "audience": wanted,
            }
        )  # fmt: skip
    return rows


Row = tuple[Attachment, AttachmentFile]


def of_case(session: Session, case_id: UUID) -> dict[UUID, list[Row]]:
    """Return what the messages of a case took, by message; nothing of it is decrypted."""
    rows = session.execute(
        select(Attachment, AttachmentFile)
        .join(AttachmentFile, AttachmentFile.id == Attachment.file_id)
        .where(Attachment.case_id == case_id)
        .order_by(Attachment.message_id, Attachment.number)
    )
    found: dict[UUID, list[Row]] = {}
    for attachment, file in rows:
        found.setdefault(attachment.message_id, []).append((attachment, file))
    return found


def shown(session: Session, vault: Vault, row: Row) -> AttachmentView:
    """Return an attachment to a reader whom it is for."""
    attachment, file = row
    return AttachmentView(
        file.id, attachment.number, file.kind, _name(session, vault, file), attachment.audience,
        file.media_type, file.size, file.scan,
    )  # fmt: skip


def thumbnail(session: Session, vault: Vault, file_id: UUID) -> bytes:
    """Return the small JPEG of a picture.

    Raises:
        HubError: `not-found` where it is none.
    """
    row = session.execute(
        select(AttachmentFile.case_id, AttachmentFile.thumbnail).where(AttachmentFile.id == file_id)
    ).one_or_none()
    if row is None or row.thumbnail is None:
        raise not_found()
    return vault.decrypt(session, row.case_id, row.thumbnail, _thumbnail_aad(file_id))


def piece(
    session: Session, vault: Vault, case_id: UUID, file_id: UUID, size: int, number: int
) -> bytes:
    """Return one piece of a file, decrypted.

    Raises:
        HubError: 500 when it is missing or is not what was stored; 410 when the case was erased.
    """
    ciphertext = session.scalar(
        select(AttachmentChunk.ciphertext).where(
            AttachmentChunk.file_id == file_id, AttachmentChunk.number == number
        )
    )
    return encrypted_files.opened(session, vault, case_id, file_id, size, number, ciphertext or b"")


def pieces(size: int) -> Iterator[int]:
    """Yield the numbers of the pieces of a file of so many bytes."""
    yield from range(encrypted_files.count(size))


def sweep(session: Session, now: datetime, *, most: int = 200) -> int:
    """Delete files that no message took within a day; return how many.

    Raises:
        HubError: 422 when a message took one in this moment; the next sweep leaves it.
    """
    old = session.scalars(
        select(AttachmentFile.id)
        .where(
            AttachmentFile.uploaded_at <= now - WAITS,
            ~exists().where(Attachment.file_id == AttachmentFile.id),
        )
        .order_by(AttachmentFile.uploaded_at)
        .limit(most)
    ).all()
    if not old:
        return 0
    session.execute(delete(AttachmentFile).where(AttachmentFile.id.in_(old)))
    return len(old)
