"""A file as a response: never shown in the page, never kept, never run."""

from flask import Response
from werkzeug.http import dump_options_header

from hub.web.context import database, vault
from messaging import downloads
from messaging.downloads import Download

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def file(found: Download) -> Response:
    """Return the file as a download, streamed."""
    disposition = dump_options_header("attachment", {"filename": found.file.name})
    return Response(
        downloads.content(database(), vault(), found),
        mimetype=found.file.media_type,
        headers={
            **HEADERS,
            "Content-Disposition": disposition,
            "Content-Length": str(found.file.size),
        },
    )


def small_picture(content: bytes) -> Response:
    """Return a thumbnail, to be shown in a page."""
    return Response(
        content, mimetype="image/jpeg", headers={**HEADERS, "Content-Disposition": "inline"}
    )
