"""The API of attachments: upload a file for a case, name it in a message, download it."""

from typing import Any, Literal
from uuid import UUID

from flask import Response, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header

from hub.web.context import current_actor, database, now, vault
from hub.web.guards import api
from hub.web.openapi import Operation
from hub.web.requests import once, query, reply
from messaging import attachments, downloads, file_types, receiving, references, serving
from messaging.api import PURPOSE, REFERENCE, blueprint, reason_of_reader
from messaging.attachments import Kind, Label

NAME = {
    "Content-Disposition": "The file's name, as attachment; filename*=UTF-8''face.jpg: a name may be"
    " content, so it is in no address"
}


class UploadQuery(BaseModel):
    """What the file is, and whom it is for: by default, whom its message is for."""

    kind: Kind
    audience: Literal["police", "statutory", "all-parties", "units"] | None = Field(
        None, description="Narrower than its message's, never wider"
    )


class UploadedOut(BaseModel):
    """A file that waits 24 hours for a message of your unit to name it in `attachments`."""

    id: str
    case_reference: str
    media_type: str
    size: int
    scan: Literal["clean", "not-scanned"]


@api(
    blueprint,
    "/api/v1/cases/<reference>/attachments",
    Operation(
        "POST", "Upload a file for a case, of at most 20 MB", {201: UploadedOut},
        query=UploadQuery, path=REFERENCE, errors=(400, 404, 409, 413, 415), idempotent=True,
        headers=NAME, upload=True,
    ),
    scope="cases:write",
)  # fmt: skip
def upload(reference: str) -> ResponseReturnValue:
    """Keep a file until a message takes it."""
    asked, label_name = query(UploadQuery), _name()
    actor = current_actor()
    with database().unit_of_work() as session:
        at = attachments.place(session, actor, reference, now())
    try:
        request.max_content_length = attachments.MOST_BYTES + 1
        content = attachments.read_whole(request.stream)
    except RequestEntityTooLarge:
        raise attachments.too_large() from None
    file = receiving.examined(content, at)

    def act(session: Session) -> dict[str, Any]:
        label = Label(label_name, asked.kind, asked.audience)
        return {
            "id": receiving.keep(session, at, file, label),
            "case_reference": references.clean(reference),
            "media_type": file.file.media_type,
            "size": len(file.file.content),
            "scan": file.scan,
        }

    said = f"{label_name}\0{asked.kind}\0{asked.audience}\0".encode()
    done, repeated = once(act, content=said + content)
    return reply(done, 201, {"Idempotency-Replayed": "true"} if repeated else None)


def _name() -> str:
    _kind, options = parse_options_header(request.headers.get("Content-Disposition", ""))
    return options.get("filename", "")[:1000]


@api(
    blueprint,
    "/api/v1/cases/<reference>/attachments/<uuid:attachment_id>",
    Operation(
        "GET", "Download an attachment; that is on record", {200: None},
        path=REFERENCE, errors=(404, 410, 422), headers=PURPOSE,
        download=tuple(file_types.ENDINGS),
    ),
    scope="cases:read",
)  # fmt: skip
def download(reference: str, attachment_id: UUID) -> Response:
    """Hand out an attachment."""
    with database().unit_of_work() as session:
        code, purpose = reason_of_reader(session, reference)
        found = downloads.open_(
            session, current_actor(), vault(), reference, attachment_id, now(),
            reason_code=code, reason=purpose,
        )  # fmt: skip
    return serving.file(found)
