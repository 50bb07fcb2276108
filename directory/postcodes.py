"""What a typed postcode says: its district, or truthfully why there is none."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

from directory import postcode_table
from directory.postcode_table import NO_DISTRICT, OUTWARD, SECTOR, UNKNOWN

Kind = Literal[
    "live",
    "no-district",
    "unknown-unit",
    "scotland",
    "northern-ireland",
    "jersey",
    "guernsey",
    "isle-of-man",
    "overseas",
    "not-a-postcode",
]
Precision = Literal["unit", "sector", "outcode", "area"]

OUTSIDE: dict[str, Kind] = {"S": "scotland", "N": "northern-ireland", "M": "isle-of-man"}
OVERSEAS = frozenset(
    {"ASCN", "BBND", "BIQQ", "FIQQ", "PCRN", "SIQQ", "STHL", "TDCU", "TKCA", "GX11"}
)

_TYPED = re.compile(r"[A-Z0-9]{2,8}")
_OUTWARD = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?")
_INWARD = re.compile(r"[0-9][A-Z]{2}")
_IGNORED = re.compile(r"[\s.,'’‐-―-]+")
_AREA = re.compile(r"[A-Z]+")
_SLIPS = {"O": "O0", "0": "0O", "I": "I1", "L": "L1", "1": "1IL"}
_BFPO = re.compile(r"BFPO[0-9]{0,4}|BF1(?:[0-9][A-Z]{2})?")


@dataclass(frozen=True, slots=True)
class PostcodeMatch:
    """What one typed postcode, sector or outward code says.

    `kind`: `live` lies in `lad_codes`; `no-district` is on record without a district, and
    `unknown-unit` is not on record (newer than our data): for both, `lad_codes` is the nearest
    match and `guess` is set; the nations and dependencies lie outside England and Wales; a
    `not-a-postcode` with a `postcode` is well formed, but its area does not exist (ZZ99 …).
    `typed` is how much was typed, `basis` what the districts rest on. `lad_codes` are the codes of
    England and Wales, the one with most postcodes first; `outside` is where else the sector or
    outward code reaches. `corrected` says that an O was read as 0 or an I or L as 1, or the reverse,
    or that a postcode without its last letter was read as its sector.
    """

    postcode: str
    kind: Kind
    lad_codes: tuple[str, ...] = ()
    typed: Precision = "unit"
    basis: Precision = "unit"
    guess: bool = False
    outside: tuple[Kind, ...] = ()
    corrected: bool = False


NOT_A_POSTCODE = PostcodeMatch("", "not-a-postcode")


class Postcodes:
    """The 2.7 million postcodes of one edition, in memory that all processes share."""

    def __init__(self, table: postcode_table.Table) -> None:
        self._table = table
        self._areas: dict[str, list[str]] = {}
        for outward in table.rows:
            area = _AREA.match(outward)
            self._areas.setdefault(area[0] if area else outward, []).append(outward)

    @classmethod
    def open(cls, place: Path) -> "Postcodes":
        """Open a table's file, or the one in a data folder, built there in seconds at first.

        Raises:
            HubError: `postcodes-unavailable`.
        """
        return cls(postcode_table.open_table(place))

    @property
    def edition(self) -> str:
        """The version of the package that the postcodes come from."""
        return self._table.edition

    def find(self, text: str) -> PostcodeMatch:
        """Return what a typed text says as a postcode, a sector (CF10 1) or outward code (SW1A).

        Any case and spacing; O for 0, I and L for 1, and the reverse, where only one reading exists;
        a postcode that lacks its last letter as its sector.
        Answers anything, in microseconds; what is no postcode at all is `not-a-postcode`.
        """
        if not text.isascii():
            text = unicodedata.normalize("NFKC", text)
        compact = _IGNORED.sub("", text).upper()
        if not _TYPED.fullmatch(compact):
            return NOT_A_POSTCODE
        outward, inward = compact[:-3], compact[-3:]
        row = self._table.rows.get(outward)
        if row is not None and _INWARD.fullmatch(inward):  # the common case, with no more ado
            number = postcode_table.inward_number(inward)
            if number is not None:
                cell = self._table.cell(row, number)
                if cell > NO_DISTRICT:
                    return self._in(f"{outward} {inward}", outward, {cell: 1}, "unit", "unit")
        if _BFPO.fullmatch(compact) or outward in OVERSEAS:
            return PostcodeMatch(_spaced(compact), "overseas")
        reading = self._read(text, compact)
        if reading is None:
            return NOT_A_POSTCODE
        outward, inward = reading
        return self._match(outward, inward, corrected=outward + inward != compact)

    def _read(self, text: str, compact: str) -> tuple[str, str] | None:
        """Return (outward, inward) of the one reading to go by; the inward may be short."""
        literal = self._split(text, compact)
        if literal is not None and literal[0] in self._table.rows:
            return literal
        if not any(letter.isdigit() for letter in compact):
            return None
        readings = {
            split
            for letters in product(*(_SLIPS.get(letter, letter) for letter in compact))
            if (split := self._split(text, "".join(letters))) is not None
        }
        for good in (
            {reading for reading in readings if self._exists(*reading)},
            {reading for reading in readings if reading[0] in self._table.rows},
        ):
            if len(good) == 1:
                return good.pop()
        return literal

    def _split(self, text: str, compact: str) -> tuple[str, str] | None:
        rows = self._table.rows
        if len(compact) >= 5 and _INWARD.fullmatch(compact[-3:]):
            outward = compact[:-3]
            if outward in rows or _OUTWARD.fullmatch(outward):
                return outward, compact[-3:]
            return None
        # A sector is told from a longer outward code by its space: "CF1 1" and "CF11".
        first, space, last = text.strip().rpartition(" ")
        if space and len(last) == 1 and first.strip() and compact[-1].isdigit():
            outward = compact[:-1]
            return (
                (outward, compact[-1]) if outward in rows or _OUTWARD.fullmatch(outward) else None
            )
        if compact in rows or _OUTWARD.fullmatch(compact):
            return compact, ""
        if compact[:-1] in rows and compact[-1].isdigit():
            return compact[:-1], compact[-1]
        if compact[:-2] in rows and compact[-2].isdigit() and compact[-1].isalpha():
            return compact[:-2], compact[-2]
        return None

    def _exists(self, outward: str, inward: str) -> bool:
        row = self._table.rows.get(outward)
        if row is None or len(inward) < 3:
            return row is not None
        number = postcode_table.inward_number(inward)
        return number is not None and self._table.cell(row, number) != UNKNOWN

    def _match(self, outward: str, inward: str, *, corrected: bool) -> PostcodeMatch:
        postcode = f"{outward} {inward}".strip()
        typed: Precision = "unit" if len(inward) == 3 else "sector" if inward else "outcode"
        row = self._table.rows.get(outward)
        wanted: Kind = "unknown-unit"
        if row is not None and typed == "unit":
            number = postcode_table.inward_number(inward)
            cell = UNKNOWN if number is None else self._table.cell(row, number)
            if cell > NO_DISTRICT:
                return self._in(postcode, outward, {cell: 1}, typed, "unit", corrected=corrected)
            wanted = "no-district" if cell == NO_DISTRICT else "unknown-unit"
        if row is not None and inward:
            start = row * OUTWARD + int(inward[0]) * SECTOR
            span = self._count(start, start + SECTOR)
            if span:
                kind = "live" if typed == "sector" else wanted
                return self._in(postcode, outward, span, typed, "sector", kind, corrected)
        if row is not None:
            span = self._count(row * OUTWARD, (row + 1) * OUTWARD)
            if span:
                kind = "live" if typed == "outcode" else wanted
                return self._in(postcode, outward, span, typed, "outcode", kind, corrected)
        area = _AREA.match(outward)
        span = Counter()
        for other in self._areas.get(area[0] if area else "", ()):
            start = self._table.rows[other] * OUTWARD
            span += self._count(start, start + OUTWARD)
        if span:
            return self._in(postcode, outward, span, typed, "area", wanted, corrected)
        if row is not None:
            return PostcodeMatch(postcode, wanted, typed=typed, corrected=corrected)
        return PostcodeMatch(postcode, "not-a-postcode", typed=typed, corrected=corrected)

    def _count(self, start: int, end: int) -> Counter[int]:
        counts = Counter(self._table.cells[start:end].tolist())
        del counts[UNKNOWN], counts[NO_DISTRICT]
        return counts

    def _in(
        self,
        postcode: str,
        outward: str,
        span: dict[int, int],
        typed: Precision,
        basis: Precision,
        kind: Kind = "live",
        corrected: bool = False,
    ) -> PostcodeMatch:
        codes = [self._table.districts[at] for at in sorted(span, key=lambda at: (-span[at], at))]
        ours = tuple(code for code in codes if code[0] in "EW")
        outside = tuple(
            dict.fromkeys(_nation(code, outward) for code in codes if code[0] not in "EW")
        )
        return PostcodeMatch(
            postcode,
            kind if ours else outside[0],
            ours,
            typed,
            basis,
            guess=kind != "live",
            outside=outside,
            corrected=corrected,
        )


def _nation(code: str, outward: str) -> Kind:
    if code[0] == "L":
        return "jersey" if outward.startswith("JE") else "guernsey"
    return OUTSIDE[code[0]]


def _spaced(compact: str) -> str:
    if compact.startswith("BFPO"):
        return f"BFPO {compact[4:]}".strip()
    return f"{compact[:-3]} {compact[-3:]}" if len(compact) > 4 else compact
