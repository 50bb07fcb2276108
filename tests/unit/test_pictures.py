"""A picture keeps nothing of where it was taken, and loses nothing of what it shows."""

import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps, PngImagePlugin

from hub.errors import HubError
from messaging import pictures
from messaging.pictures import THUMBNAIL, cleaned

KINDS = ("image/jpeg", "image/png", "image/webp")
SECRET = b"EXERCISE-51.5074N-0.1278W"


def drawn(width: int = 60, height: int = 40, mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, (width, height))
    for x in range(width):
        for y in range(height):
            colour = (x * 4 % 256, y * 6 % 256, (x + y) % 256)
            image.putpixel((x, y), colour if mode == "RGB" else (*colour, x % 256))
    return image


def exif(way: int) -> bytes:
    made = Image.Exif()
    made[0x0112] = way
    made[0x010E] = SECRET.decode()
    made[0x927C] = SECRET
    gps = made.get_ifd(0x8825)
    gps[1], gps[2] = "N", (51.0, 30.0, 26.0)
    gps[29] = SECRET.decode()
    return made.tobytes()


def taken(kind: str, way: int = 1) -> bytes:
    """Return a picture as a phone makes it: with a place in every corner."""
    held = BytesIO()
    image = drawn()
    if kind == "image/png":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", SECRET.decode())
        info.add_text("Zipped", SECRET.decode(), zip=True)
        info.add_itxt("XML:com.adobe.xmp", SECRET.decode())
        image.save(held, "PNG", exif=exif(way), pnginfo=info)
        content = held.getvalue()
        private = struct.pack(">I", len(SECRET)) + b"prVt" + SECRET
        private += struct.pack(">I", zlib.crc32(b"prVt" + SECRET))
        return content[:-12] + private + content[-12:] + SECRET
    if kind == "image/webp":
        image.save(held, "WEBP", exif=exif(way), xmp=SECRET, lossless=True)
        return held.getvalue() + SECRET
    image.save(held, "JPEG", exif=exif(way), xmp=SECRET, comment=SECRET, quality=95)
    content = held.getvalue()
    segments = b"".join(
        b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data
        for marker, data in (
            (0xED, b"Photoshop 3.0\0" + SECRET), (0xE2, b"FPXR\0" + SECRET), (0xE5, SECRET),
            (0xE0, b"JFXX\0" + SECRET),
        )
    )  # fmt: skip
    return content[:2] + segments + content[2:] + content + SECRET


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", range(1, 9))
def test_no_place_survives_and_the_picture_is_the_same_pixel_for_pixel(kind: str, way: int) -> None:
    content = taken(kind, way)
    assert SECRET in content
    found = cleaned(content, kind)
    for kept in (found.content, found.thumbnail):
        assert SECRET not in kept
        assert b"GPS" not in kept
        assert b"adobe" not in kept
    with Image.open(BytesIO(content)) as before, Image.open(BytesIO(found.content)) as after:
        assert dict(after.getexif()) == ({0x0112: way} if way != 1 else {})
        assert not after.getexif().get_ifd(0x8825)
        assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()
        upright = ImageOps.exif_transpose(before)
    with Image.open(BytesIO(found.thumbnail)) as small:
        assert small.size == upright.size


@given(
    st.sampled_from(KINDS),
    st.integers(0, 100_000),
    st.binary(min_size=1, max_size=20),
)
@settings(max_examples=150, deadline=None)
def test_no_broken_picture_does_harm(kind: str, at: int, noise: bytes) -> None:
    content = taken(kind)
    broken = content[: at % len(content)] + noise + content[at % len(content) + len(noise) :]
    try:
        found = cleaned(broken, kind)
    except HubError as error:
        assert error.code in ("attachment-broken", "attachment-bomb")
        assert error.status == 422
    else:
        with Image.open(BytesIO(found.content)) as image:
            image.load()


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_cut_short_is_refused(kind: str) -> None:
    held = BytesIO()
    drawn(200, 200).save(held, pictures.FORMATS[kind])
    content = held.getvalue()
    for part in (12, 40, len(content) // 2, len(content) - 20):
        with pytest.raises(HubError) as refused:
            cleaned(content[:part], kind)
        assert refused.value.code == "attachment-broken"


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png"])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(kind: str) -> None:
    held = BytesIO()
    Image.new("L", (10, 10)).save(held, pictures.FORMATS[kind])
    content = held.getvalue()
    if kind == "image/png":
        head = b"IHDR" + struct.pack(">II", 30_000, 30_000) + content[24:29]
        content = content[:12] + head + struct.pack(">I", zlib.crc32(head)) + content[33:]
    else:
        at = content.index(b"\xff\xc0") + 5
        content = content[:at] + struct.pack(">HH", 30_000, 30_000) + content[at + 4 :]
    with pytest.raises(HubError) as refused:
        cleaned(content, kind)
    assert refused.value.code == "attachment-bomb"


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "I;16", "1", "CMYK"])
def test_every_kind_of_colour_has_a_thumbnail(mode: str) -> None:
    held = BytesIO()
    kind = "image/jpeg" if mode == "CMYK" else "image/png"
    Image.new(mode, (900, 400)).save(held, pictures.FORMATS[kind])
    with Image.open(BytesIO(cleaned(held.getvalue(), kind).thumbnail)) as small:
        assert max(small.size) <= THUMBNAIL
        assert small.mode == "RGB"


def test_a_colour_profile_and_a_moving_webp_are_kept() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in KINDS:
        held = BytesIO()
        drawn().save(held, pictures.FORMATS[kind], icc_profile=profile)
        with Image.open(BytesIO(cleaned(held.getvalue(), kind).content)) as image:
            assert image.info["icc_profile"] == profile
    held = BytesIO()
    drawn().save(
        held, "WEBP", save_all=True, append_images=[drawn(mode="RGBA").convert("RGB")], xmp=SECRET
    )
    with Image.open(BytesIO(cleaned(held.getvalue(), "image/webp").content)) as moving:
        assert SECRET not in cleaned(held.getvalue(), "image/webp").content
        assert getattr(moving, "n_frames", 1) >= 1
