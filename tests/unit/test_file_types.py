"""What an attached file is comes from its content; what could do harm is refused in plain words."""

import struct

import pytest

from hub.errors import HubError
from messaging import file_types
from messaging.attachments import MOST_BYTES, clean_name, read_whole
from messaging.file_types import ENDINGS, checked
from tests.documents import PDF, office, packed, picture
from tests.streams import Slow

ODT = "application/vnd.oasis.opendocument.text"


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (picture("JPEG"), "jpg"),
        (picture("PNG"), "png"),
        (picture("WEBP"), "webp"),
        (PDF, "pdf"),
        (office(), "docx"),
        (office("xl/workbook.xml"), "xlsx"),
        (office("ppt/presentation.xml"), "pptx"),
        (packed({"mimetype": ODT.encode(), "content.xml": b"<EXERCISE/>"}), "odt"),
    ],
)
def test_what_people_send_is_taken_for_what_it_is(content: bytes, ending: str) -> None:
    found = checked(content)
    assert ENDINGS[found.media_type] == ending
    assert (found.thumbnail is not None) == found.media_type.startswith("image/")
    assert b"EXERCISE place" not in found.content


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"MZ\x90\x00 a program", 415, "attachment-type"),
        (b"<html><script>alert(1)</script></html>", 415, "attachment-type"),
        (b"plain words", 415, "attachment-type"),
        (picture("GIF"), 415, "attachment-type"),
        (b"\x00\x00\x00\x18ftypheic" + b"\0" * 40, 415, "attachment-type"),
        (packed({"a.txt": b"EXERCISE"}), 415, "attachment-type"),
        (packed({"mimetype": b"application/zip", "content.xml": b""}), 415, "attachment-type"),
        (PDF[:-8], 422, "attachment-broken"),
        (office()[:-10], 422, "attachment-broken"),
        (office(**{"word/vbaProject.bin": b"x"}), 422, "attachment-macros"),
        (office(types=b"application/vnd.ms-word.document.macroEnabled"), 422, "attachment-macros"),
        (packed({"mimetype": ODT.encode(), "content.xml": b"", "Basic/x": b""}), 422,
         "attachment-macros"),
        (office(**{"word/big.xml": b"\0" * (file_types.MOST_UNPACKED + 1)}), 422,
         "attachment-bomb"),
        (packed({str(n): b"" for n in range(file_types.MOST_MEMBERS + 1)}), 422,
         "attachment-bomb"),
        (b"PK\x03\x04", 422, "attachment-broken"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_anything_else_is_refused_with_a_reason(content: bytes, status: int, code: str) -> None:
    with pytest.raises(HubError) as refused:
        checked(content)
    assert (refused.value.status, refused.value.code) == (status, code)
    assert refused.value.fields[0].pointer == "/file"


def test_a_member_whose_words_were_altered_or_locked_is_found() -> None:
    whole = packed({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<EXERCISE/>" * 200})
    at = whole.index(b"word/document.xml") + len("word/document.xml") + 5
    with pytest.raises(HubError) as refused:
        checked(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
    assert refused.value.code == "attachment-broken"
    listed = whole.rindex(b"PK\x01\x02")
    with pytest.raises(HubError) as refused:
        checked(whole[: listed + 8] + struct.pack("<H", 1) + whole[listed + 10 :])
    assert refused.value.code == "attachment-locked"


def test_twenty_megabytes_is_the_most_and_no_more_is_read() -> None:
    assert len(read_whole(Slow(MOST_BYTES))) == MOST_BYTES
    endless = Slow(10 * MOST_BYTES)
    for stream, code in ((endless, "attachment-too-large"), (Slow(0), "attachment-empty")):
        with pytest.raises(HubError) as refused:
            read_whole(stream)
        assert refused.value.code == code
    assert endless.given == MOST_BYTES + 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("photo.jpeg", "photo.png"),
        ("../../etc/passwd", "etc passwd.png"),
        ("C:\\docs\\a b.exe", "C docs a b.png"),
        ("gpj\u202e exe\0\n.png", "gpj exe.png"),
        ("", "photo.png"),
        ("...", "photo.png"),
        ("x" * 500, "x" * 120 + ".png"),
        ("Dr. Jones", "Dr. Jones.png"),
    ],
)
def test_a_name_is_harmless_and_ends_as_what_the_file_is(given: str, kept: str) -> None:
    assert clean_name(given, "photo", "png") == kept
