"""Mail that came back: delivery status notifications (RFC 3464), and who a mail was sent to."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.errors import invalid
from hub.jobs.model import OutboxJob
from hub.post import mail

LARGEST = 10 * 1024 * 1024

SentTo = Callable[[Session, OutboxJob], Collection[str]]
OF_TWO = re.compile(r"([0-9a-f-]{36}\.[0-9a-f-]{36})(\.\d)?")
"""The key of a mail that is one of several of a cause: the cause's id, whose it is, and which."""

_sent_to: dict[str, SentTo] = {}


@dataclass(frozen=True)
class Returned:
    """What a notification says of one mailbox: `status` such as 5.1.1, `addresses` as it names it.

    `message_id` is that of the mail that came back, where it says so.
    """

    addresses: frozenset[str]
    message_id: str | None
    action: str
    status: str

    @property
    def permanent(self) -> bool:
        """Whether the mail was given up for good (Action: failed, 5.x.x)."""
        return self.action == "failed" and self.status.startswith("5.")


def sent_to(kind: str) -> Callable[[SentTo], SentTo]:
    """Register the function that says which address a job of this kind mailed: it, or where that
    is not kept, those that it may have been.
    """

    def register(function: SentTo) -> SentTo:
        _sent_to[kind] = function
        return function

    return register


def job_of(session: Session, reference: str | None) -> OutboxJob | None:
    """Return the job whose mail has this Message-ID (or reference), if it is one of ours."""
    local = (reference or "").strip().strip("<>").partition("@")[0].lower()
    of_two = OF_TWO.fullmatch(local)
    if of_two:
        return session.scalar(
            select(OutboxJob).where(OutboxJob.dedupe_key == mail.dedupe_key(of_two[1]))
        )
    try:
        return session.get(OutboxJob, UUID(local))
    except ValueError:
        return None


def addressees(session: Session, job: OutboxJob) -> frozenset[str]:
    """Return the address that a job's mail was sent to, or may have been, in lower case."""
    find = _sent_to.get(job.kind)
    return frozenset(address.lower() for address in find(session, job)) if find else frozenset()


def read(content: bytes) -> list[Returned]:
    """Return what a message says of each mailbox that it is about.

    Raises:
        HubError: 422 when it is no delivery status notification, such as an automatic reply.
    """
    message = message_from_bytes(content, policy=default)
    parts = list(message.walk()) if isinstance(message, EmailMessage) else []
    status = next((p for p in parts if p.get_content_type() == "message/delivery-status"), None)
    if message.get_content_type() != "multipart/report" or status is None:
        raise invalid("not-a-returned-mail", "This is no delivery status notification (RFC 3464).")
    message_id = _original_id(parts)
    found = []
    for block in _inside(status):
        addresses = frozenset(
            address
            for name in ("Final-Recipient", "Original-Recipient")
            if (address := _address(str(block.get(name, ""))))
        )
        if addresses:
            code = re.match(r"\s*(\d\.\d{1,3}\.\d{1,3})", str(block.get("Status", "")))
            action = str(block.get("Action", "")).strip().lower()
            found.append(Returned(addresses, message_id, action, code[1] if code else ""))
    return found


def _original_id(parts: list[EmailMessage]) -> str | None:
    """Return the Message-ID of the mail that came back, from its copy or its headers."""
    for part in parts[1:]:
        if part.get_content_type() == "text/rfc822-headers":
            text = part.get_payload(decode=True)
            headers = message_from_bytes(text if isinstance(text, bytes) else b"", policy=default)
            return str(headers.get("Message-ID", "")).strip() or None
        if part.get_content_type() == "message/rfc822":
            return next((str(m.get("Message-ID", "")).strip() or None for m in _inside(part)), None)
    return None


def _inside(part: EmailMessage) -> list[Message]:
    held = part.get_payload()
    return [one for one in held if isinstance(one, Message)] if isinstance(held, list) else []


def _address(field: str) -> str:
    """Return the mailbox of "rfc822; ann@example.org", in lower case."""
    kind, _, address = field.partition(";")
    address = address.strip().strip("<>").lower()
    return address if kind.strip().lower() in ("rfc822", "utf-8") and "@" in address else ""
