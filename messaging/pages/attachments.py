"""Handing out attachments to signed-in readers: as a download, or as a small picture in a page."""

from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue

from hub.errors import not_found
from hub.web import context
from hub.web.guards import page, permission
from messaging import attachments, downloads, serving
from messaging.pages.blueprint import blueprint
from messaging.pages.case import ask_reason, known_reason

READ = permission("inbox.read")


@page(
    blueprint,
    "/cases/<reference>/attachments/<uuid:attachment_id>",
    guard=READ,
    endpoint="attachment",
)
def download(reference: str, attachment_id: UUID) -> ResponseReturnValue:
    """Hand out the file; first ask why, as the case's page does."""
    with context.database().unit_of_work() as session:
        why = known_reason(session, reference)
        if why is None:
            return ask_reason(reference, request.path, {})
        found = downloads.open_(
            session, context.current_actor(), context.vault(), reference, attachment_id,
            context.now(), reason_code=why.code, reason=why.text,
        )  # fmt: skip
    return serving.file(found)


@page(
    blueprint,
    "/cases/<reference>/attachments/<uuid:attachment_id>/thumbnail",
    guard=READ,
    endpoint="attachment_thumbnail",
)
def thumbnail(reference: str, attachment_id: UUID) -> ResponseReturnValue:
    """Show the small picture to whoever said why they look at the case."""
    with context.database().unit_of_work() as session:
        why = known_reason(session, reference)
        if why is None:
            raise not_found()
        found = downloads.open_(
            session, context.current_actor(), context.vault(), reference, attachment_id,
            context.now(), reason_code=why.code, reason=why.text, thumbnail=True,
        )  # fmt: skip
        content = attachments.thumbnail(session, context.vault(), found.file.id)
    return serving.small_picture(content)
