"""Building the table of postcodes from the package that carries the ONS Postcode Directory."""

import json
import os
import tempfile
import zlib
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path
from typing import IO, Any

import brotli
import msgpack
import numpy as np
import numpy.typing as npt

from directory.postcode_table import LETTERS, MAGIC, NO_DISTRICT, OUTWARD, PACKAGE, PREFIX, SECTOR
from hub.errors import unavailable

Cells = npt.NDArray[np.uint16]
WANTED = ("pcd", "laua")


def build(package: Distribution, path: Path) -> None:
    """Write the table beside its place, then move it there in one step."""
    districts = ["", ""]
    outwards: list[str] = []
    with tempfile.TemporaryFile(dir=path.parent) as cells:
        for columns in _source(package):
            names, block = _block(columns, districts)
            outwards += names
            cells.write(block.tobytes())
        header = json.dumps(
            {"edition": package.version, "outwards": outwards, "districts": districts}
        ).encode()
        header += b" " * (-(PREFIX.size + len(header)) % 8)
        cells.seek(0)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as made:
            try:
                _write(made, header, cells)
                os.replace(made.name, path)
            except BaseException:
                os.unlink(made.name)
                raise


def _write(out: IO[bytes], header: bytes, cells: IO[bytes]) -> None:
    out.write(PREFIX.pack(MAGIC, len(header), 0))
    out.write(header)
    checksum = zlib.crc32(header)
    while block := cells.read(1 << 20):
        checksum = zlib.crc32(block, checksum)
        out.write(block)
    out.seek(0)
    out.write(PREFIX.pack(MAGIC, len(header), checksum))
    out.flush()
    os.fsync(out.fileno())


def _source(package: Distribution) -> Iterator[dict[str, list[Any]]]:
    """Yield the columns of each of the package's files; no outward code is in two of them."""
    found = sorted(file for file in package.files or () if file.name.endswith(".msgpack.br"))
    if not found:
        raise unavailable("postcodes-unavailable", f"The package {PACKAGE} has no data files.")
    for file in found:
        packed = Path(str(package.locate_file(file))).read_bytes()
        yield _columns(brotli.decompress(packed))


def _columns(packed: bytes) -> dict[str, list[Any]]:
    """Return the wanted columns, passing over the rest: it would double the memory."""
    unpacker = msgpack.Unpacker(max_buffer_size=len(packed))
    unpacker.feed(packed)
    columns = {}
    for _ in range(unpacker.read_map_header()):
        if unpacker.unpack() != "data":
            unpacker.skip()
            continue
        for _ in range(unpacker.read_map_header()):
            name = unpacker.unpack()
            if name in WANTED:
                columns[name] = unpacker.unpack()
            else:
                unpacker.skip()
    return columns


def _block(columns: dict[str, list[Any]], districts: list[str]) -> tuple[list[str], Cells]:
    """Return the outward codes of one file, and their rows; new districts join the list."""
    postcodes = np.array(columns["pcd"], dtype="S7")
    letters = postcodes.view(np.uint8).reshape(-1, 7)
    # Fixed width: four characters outward, padded; three inward.
    names, rows = np.unique(np.ascontiguousarray(letters[:, :4]).view("S4"), return_inverse=True)
    value = np.full(256, -1, dtype=np.int64)
    value[[ord(letter) for letter in LETTERS]] = range(len(LETTERS))
    digits = letters[:, 4].astype(np.int64) - ord("0")
    first, second = value[letters[:, 5]], value[letters[:, 6]]
    if not np.all((digits >= 0) & (digits < 10) & (first >= 0) & (second >= 0)):
        raise unavailable(
            "postcodes-unavailable", f"The package {PACKAGE} has postcodes of an unknown form."
        )
    number = {code: at for at, code in enumerate(districts) if code}
    for code in sorted({code for code in columns["laua"] if isinstance(code, str)}):
        if code not in number:
            number[code] = len(districts)
            districts.append(code)
    block = np.zeros(len(names) * OUTWARD, dtype="<u2")
    block[rows.reshape(-1) * OUTWARD + digits * SECTOR + first * len(LETTERS) + second] = [
        number.get(code, NO_DISTRICT) for code in columns["laua"]
    ]
    return [name.decode().strip() for name in names.reshape(-1)], block
