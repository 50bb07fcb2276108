"""The file of a signed reply: what it may be, told from its content and never from its name."""

import warnings
from io import BytesIO
from typing import IO

from PIL import Image

from hub.errors import invalid

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 100_000_000
ENDINGS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}
_IMAGES = {"PNG": "image/png", "JPEG": "image/jpeg"}


def read_whole(stream: IO[bytes]) -> bytes:
    """Return the file's bytes.

    Raises:
        HubError: `file-missing` for an empty one, `file-too-large` above ten megabytes.
    """
    content = stream.read(MAX_BYTES + 1)
    if not content:
        raise invalid("file-missing", "Choose the file of the signed reply.", "/file")
    if len(content) > MAX_BYTES:
        raise invalid(
            "file-too-large", "The file is larger than 10 MB. Send a smaller one.", "/file"
        )
    return content


def media_type(content: bytes) -> str:
    """Return the media type that the content itself shows: PDF, PNG or JPEG.

    Raises:
        HubError: `file-type` when it is none of them.
    """
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-2048:]:
        return "application/pdf"
    if content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        found = _image_type(content)
        if found is not None:
            return found
    raise invalid(
        "file-type", "The file is not a PDF, a PNG or a JPEG. Scan or photograph it.", "/file"
    )


def _image_type(content: bytes) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=tuple(_IMAGES)) as image:
                kind = image.format or ""
                if image.width * image.height > MAX_PIXELS:
                    return None
                image.verify()
    # Pillow raises many kinds for a broken or hostile image; each means "not an image".
    except Exception:
        return None
    return _IMAGES.get(kind)
