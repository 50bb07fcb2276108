"""What an attached file is, told from its content and never from its name or header."""

import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO

from hub.errors import HubError, invalid
from messaging import pictures

ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.oasis.opendocument.text": "odt",
}
"""The media types that are taken, with the ending of their names."""

TAKEN = "JPEG, PNG, WebP, PDF, Word (.docx), Excel (.xlsx), PowerPoint (.pptx) or OpenDocument text (.odt)"

MOST_MEMBERS = 4000
MOST_UNPACKED = 200 * 1024 * 1024
PIECE = 1024 * 1024
_OFFICE = {
    "word/document.xml": ".wordprocessingml.document",
    "xl/workbook.xml": ".spreadsheetml.sheet",
    "ppt/presentation.xml": ".presentationml.presentation",
}
_HEIF = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif")


@dataclass(frozen=True)
class Checked:
    """A file as it is kept: a picture without its metadata, with a thumbnail."""

    content: bytes
    media_type: str
    thumbnail: bytes | None


def checked(content: bytes) -> Checked:
    """Return the file as it is kept.

    Raises:
        HubError: 415 `attachment-type` for what is not taken; 422 `attachment-broken`,
            `attachment-bomb`, `attachment-macros`.
    """
    if content.startswith(b"\xff\xd8\xff"):
        return _picture(content, "image/jpeg")
    if content.startswith(pictures.PNG_START):
        return _picture(content, "image/png")
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _picture(content, "image/webp")
    if content.startswith(b"%PDF-"):
        if b"%%EOF" not in content[-2048:]:
            raise _broken("The PDF is cut short. Send it again.")
        return Checked(content, "application/pdf", None)
    if content.startswith(b"PK\x03\x04"):
        return Checked(content, _office(content), None)
    if content[4:8] == b"ftyp" and content[8:12] in _HEIF:
        raise _not_taken(
            "The hub cannot read HEIC pictures. Send it as a JPEG: on an iPhone, share it by"
            " “Options”, “Most Compatible”."
        )
    raise _not_taken(f"The hub does not take files of this type. Send {TAKEN}.")


def _picture(content: bytes, media_type: str) -> Checked:
    found = pictures.cleaned(content, media_type)
    return Checked(found.content, media_type, found.thumbnail)


def _not_taken(sentence: str) -> HubError:
    error = HubError("attachment-type", 415, sentence, pointer="/file")
    error.extra["allowed"] = list(ENDINGS)
    return error


def _broken(sentence: str) -> HubError:
    return invalid("attachment-broken", sentence, "/file")


def _office(content: bytes) -> str:
    """Return which office document a ZIP is; each member is unpacked once, in pieces, to prove it."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as packed:
            members = packed.infolist()
            if len(members) > MOST_MEMBERS or sum(m.file_size for m in members) > MOST_UNPACKED:
                raise invalid(
                    "attachment-bomb", "The document unpacks to more than 200 MB.", "/file"
                )
            found = _kind(packed, {member.filename for member in members})
            for member in members:
                if member.flag_bits & 1:
                    raise invalid(
                        "attachment-locked",
                        "The document is locked by a password. Take the password off, and send it.",
                        "/file",
                    )
                with packed.open(member) as unpacked:
                    while unpacked.read(PIECE):
                        pass
    except HubError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, OSError,
            NotImplementedError, RuntimeError):  # fmt: skip
        raise _broken("The document is cut short or broken. Send it again.") from None
    return found


def _kind(packed: zipfile.ZipFile, names: set[str]) -> str:
    """Return the media type by the members that make a document one.

    Raises:
        HubError: it is another ZIP, or it carries macros.
    """
    low = {name.lower() for name in names}
    if any(
        name.endswith(("vbaproject.bin", "vbadata.xml")) or name.startswith(("basic/", "scripts/"))
        for name in low
    ):
        raise _macros()
    if "[Content_Types].xml" in names:
        if b"macroenabled" in _start(packed, "[Content_Types].xml").lower():
            raise _macros()
        for member, ending in _OFFICE.items():
            if member in names:
                return f"application/vnd.openxmlformats-officedocument{ending}"
    if {"mimetype", "content.xml"} <= names:
        declared = _start(packed, "mimetype").strip().decode("ascii")
        if declared == "application/vnd.oasis.opendocument.text":
            return declared
    raise _not_taken(f"This is a ZIP file and no document of a type that is taken. Send {TAKEN}.")


def _start(packed: zipfile.ZipFile, name: str) -> bytes:
    with packed.open(name) as member:
        return member.read(PIECE)


def _macros() -> HubError:
    return invalid(
        "attachment-macros",
        "The document carries macros. Save it without them, or as a PDF, and send that.",
        "/file",
    )
