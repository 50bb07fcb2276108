"""A signed reply is a PDF or an image by its content, and at most ten megabytes."""

from io import BytesIO

import pytest
from PIL import Image

from hub.errors import HubError
from messaging.encrypted_files import CHUNK_BYTES, chunks
from messaging.signed_files import MAX_BYTES, media_type, read_whole

PDF = b"%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n"


def picture(kind: str) -> bytes:
    held = BytesIO()
    Image.new("RGB", (20, 20), "white").save(held, kind)
    return held.getvalue()


def test_a_pdf_a_png_and_a_jpeg_are_taken() -> None:
    assert media_type(PDF) == "application/pdf"
    assert media_type(picture("PNG")) == "image/png"
    assert media_type(picture("JPEG")) == "image/jpeg"


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00 a program",
        b"<html><script>alert(1)</script></html>",
        b"%PDF-1.7 cut off",
        picture("GIF"),
        picture("PNG")[:40],
        b"\xff\xd8\xff" + b"\x00" * 100,
    ],
    ids=["program", "html", "cut-pdf", "gif", "cut-png", "false-jpeg"],
)
def test_anything_else_is_refused_whatever_it_calls_itself(content: bytes) -> None:
    with pytest.raises(HubError) as refused:
        media_type(content)
    assert refused.value.code == "file-type"
    assert refused.value.fields[0].pointer == "/file"


def test_ten_megabytes_is_the_most_and_nothing_is_nothing() -> None:
    assert len(read_whole(BytesIO(b"x" * MAX_BYTES))) == MAX_BYTES
    for content, code in ((b"x" * (MAX_BYTES + 1), "file-too-large"), (b"", "file-missing")):
        with pytest.raises(HubError) as refused:
            read_whole(BytesIO(content))
        assert refused.value.code == code


def test_the_pieces_make_up_the_whole() -> None:
    content = bytes(range(256)) * 3000
    pieces = list(chunks(content))
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) == CHUNK_BYTES
