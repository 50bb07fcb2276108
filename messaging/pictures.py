"""Pictures without where and by whom they were taken; nothing of what they show is lost.

Only the parts that a picture is drawn from are kept. Cameras write the place into EXIF, XMP, IPTC,
makers' notes, comments, previews and whatever they append: all of that goes, and the way up stays.
"""

import re
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

from hub.errors import HubError, invalid

MOST_PIXELS = 64_000_000
THUMBNAIL = 320
UPRIGHT = 1
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}

PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_KEPT = frozenset({
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT",
    b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
})  # fmt: skip
WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
WEBP_EXIF, WEBP_XMP = 0x08, 0x04

_ORIENTATION = 0x0112
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_one_at_a_time = threading.Semaphore(1)  # 64 million pixels take 256 MB: not many at once


@dataclass(frozen=True)
class Picture:
    """A picture as it is kept, and a small JPEG of it."""

    content: bytes
    thumbnail: bytes


def cleaned(content: bytes, media_type: str) -> Picture:
    """Return the picture without its metadata, the right way up, and a thumbnail of it.

    Raises:
        HubError: 422 `attachment-broken` when it cannot be read whole, `attachment-bomb` when it
            has more than 64 million pixels.
    """
    try:
        kept = _STRIPPERS[media_type](content)
    except (ValueError, IndexError, struct.error):
        raise _broken() from None
    return Picture(kept, _thumbnail(kept, FORMATS[media_type]))


def _broken() -> HubError:
    return invalid(
        "attachment-broken", "The picture is cut short or broken. Send it again.", "/file"
    )


def _thumbnail(content: bytes, kind: str) -> bytes:
    """Return a small JPEG; the whole picture is read for it, so a broken one is found."""
    with _one_at_a_time:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                with Image.open(BytesIO(content), formats=(kind,)) as image:
                    if image.width * image.height <= MOST_PIXELS:
                        image.draft("RGB", (THUMBNAIL, THUMBNAIL))
                        image.load()
                        return _small(image)
        except Image.DecompressionBombError:
            pass
        # Pillow raises many kinds for a broken or hostile picture; each means the same here.
        except Exception:
            raise _broken() from None
    raise invalid(
        "attachment-bomb",
        "The picture has more than 64 million pixels. Send a smaller one.",
        "/file",
    )


def _small(image: Image.Image) -> bytes:
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    upright = ImageOps.exif_transpose(image)
    plain = Image.new("RGB", upright.size, "white")
    seen = upright.convert("RGBA")
    plain.paste(seen, mask=seen.getchannel("A"))
    held = BytesIO()
    plain.save(held, "JPEG", quality=80)
    return held.getvalue()


def _way_up(exif: bytes) -> int:
    """Return the orientation (1 to 8) that EXIF gives; upright where it gives none."""
    found = Image.Exif()
    try:
        found.load(exif)
        way = found.get(_ORIENTATION)
    # Broken EXIF says nothing about the way up.
    except Exception:
        return UPRIGHT
    return way if isinstance(way, int) and 1 <= way <= 8 else UPRIGHT


def _exif(way: int) -> bytes:
    """Return EXIF that holds an orientation and nothing else."""
    entry = struct.pack(">HHIHH", _ORIENTATION, 3, 1, way, 0)
    return b"MM\x00\x2a\x00\x00\x00\x08\x00\x01" + entry + b"\x00\x00\x00\x00"


def _jpeg(content: bytes) -> bytes:
    """Return a JPEG of its tables, its scans, its colour profile and the way up.

    Raises:
        ValueError: it is none, or it is cut short.
    """
    head: list[bytes] = []
    rest: list[bytes] = []
    way = UPRIGHT
    at = 2
    while True:
        while content[at : at + 2] == b"\xff\xff":
            at += 1
        if content[at] != 0xFF:
            raise ValueError
        marker = content[at + 1]
        if marker == 0xD9:
            break
        length = struct.unpack_from(">H", content, at + 2)[0]
        data = content[at + 4 : at + 2 + length]
        if length < 2 or len(data) != length - 2:
            raise ValueError
        at += 2 + length
        if marker == 0xE1 and data.startswith(b"Exif\0\0"):
            way = _way_up(data)
        if marker == 0xE0 and data.startswith(b"JFIF\0") and len(data) >= 14:
            head = [_segment(0xE0, data[:12] + b"\0\0")]
        elif _drawn_from(marker, data):
            rest.append(_segment(marker, data))
        if marker == 0xDA:
            end = _MARKER.search(content, at)
            if end is None:
                raise ValueError
            rest.append(content[at : end.start()])
            at = end.start()
    if way != UPRIGHT:
        head.append(_segment(0xE1, b"Exif\0\0" + _exif(way)))
    return b"".join([b"\xff\xd8", *head, *rest, b"\xff\xd9"])


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _drawn_from(marker: int, data: bytes) -> bool:
    """Say whether a JPEG's segment is needed to draw it: no application's, and no comment."""
    if marker == 0xE2:
        return data.startswith(b"ICC_PROFILE\0")
    if marker == 0xEE:
        return data.startswith(b"Adobe") and len(data) == 12
    return not (0xE0 <= marker <= 0xEF or marker == 0xFE)


def _png(content: bytes) -> bytes:
    """Return a PNG of the chunks that it is drawn from, and the way up.

    Raises:
        ValueError: it is none, or it is cut short.
    """
    if not content.startswith(PNG_START):
        raise ValueError
    kept = [PNG_START]
    at, kind = len(PNG_START), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, at)
        data = content[at + 8 : at + 8 + length]
        check = struct.unpack_from(">I", content, at + 8 + length)[0]
        if len(data) != length or zlib.crc32(kind + data) != check:
            raise ValueError
        at += 12 + length
        if kind in PNG_KEPT:
            kept.append(_chunk(kind, data))
        elif kind == b"eXIf" and _way_up(data) != UPRIGHT:
            kept.append(_chunk(kind, _exif(_way_up(data))))
    return b"".join(kept)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _webp(content: bytes) -> bytes:
    """Return a WebP of the chunks that it is drawn from, and the way up.

    Raises:
        ValueError: it is none, or it is cut short.
    """
    size = struct.unpack_from("<I", content, 4)[0]
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or len(content) < size + 8:
        raise ValueError
    found = list(_riff(content[12 : size + 8]))
    exif = next((data for kind, data in found if kind == b"EXIF"), b"")
    way = _way_up(exif) if exif else UPRIGHT
    kept = []
    for kind, data in found:
        if kind not in WEBP_KEPT:
            continue
        if kind == b"VP8X":
            flags = data[0] & ~(WEBP_EXIF | WEBP_XMP) | (WEBP_EXIF if way != UPRIGHT else 0)
            data = bytes([flags]) + data[1:]
        elif kind == b"ANMF":
            frame = (_framed(k, d) for k, d in _riff(data[16:]) if k in WEBP_KEPT)
            data = data[:16] + b"".join(frame)
        kept.append(_framed(kind, data))
    if way != UPRIGHT:
        kept.append(_framed(b"EXIF", _exif(way)))
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _riff(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(content):
        kind, length = struct.unpack_from("<4sI", content, at)
        data = content[at + 8 : at + 8 + length]
        if len(data) != length:
            raise ValueError
        yield kind, data
        at += 8 + length + length % 2


def _framed(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


_STRIPPERS = {"image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp}
