"""Files as people attach them, made for a test."""

import zipfile
from io import BytesIO

from PIL import Image

PDF = b"%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def picture(kind: str = "JPEG", width: int = 400, height: int = 300) -> bytes:
    held = BytesIO()
    made = Image.new("RGB", (width, height), "steelblue")
    exif = Image.Exif()
    exif[0x010E] = "EXERCISE place"
    made.save(held, kind, exif=exif)
    return held.getvalue()


def packed(members: dict[str, bytes]) -> bytes:
    held = BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return held.getvalue()


def office(member: str = "word/document.xml", types: bytes = b"<Types/>", **more: bytes) -> bytes:
    return packed({"[Content_Types].xml": types, member: b"<EXERCISE/>", **more})
