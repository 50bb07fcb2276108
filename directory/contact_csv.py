"""Contacts as a spreadsheet: one row a contact, written and read back. Pure.

What is written is read as what it was. A cell that a spreadsheet would take for a formula is
written behind an apostrophe, which reading takes away again.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from directory import hours_text
from hub.clock import LONDON
from hub.errors import HubError, invalid

GIVEN: Final[Mapping[str, str]] = {
    "purpose": "purpose", "channel": "channel", "value": "value", "audience": "audience",
    "priority": "priority", "hours": "hours", "bank_holidays": "bank_holiday_rule",
    "exceptions": "exceptions", "note": "note",
}  # fmt: skip
"""The columns that an import takes, and the contact's field that each of them is."""
TOLD = ("organisation", "unit_name", "verification")
"""The columns that are for the reader alone: an import passes them over."""
COLUMNS = (
    "organisation", "unit", "unit_name", *GIVEN, "verification", "close", "contact_id", "version",
)  # fmt: skip
NEEDED = ("unit", "purpose", "channel", "value")
MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS = 20_000
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")


@dataclass(frozen=True)
class RowProblem:
    """What is wrong in a row, and in which column of it ("" is the row as a whole)."""

    row: int
    column: str
    sentence: str
    conflict: bool = False

    def __str__(self) -> str:
        where = f"Row {self.row}, {self.column}" if self.column else f"Row {self.row}"
        return f"{where}: {self.sentence}"


@dataclass(frozen=True)
class Row:
    """One row of a file by the number that a spreadsheet shows; the header is row 1.

    `problems` are what cannot be kept of it.
    """

    number: int
    cells: Mapping[str, str]
    problems: tuple[RowProblem, ...] = ()


def contact_cells(held: Mapping[str, Any]) -> dict[str, str]:
    """Return the cells of a contact's fields, by column."""
    cells = {column: held[field] for column, field in GIVEN.items()}
    cells["hours"] = hours_text.write(held["hours"])
    cells["exceptions"] = hours_text.write_exceptions(held["exceptions"], "; ")
    return {name: one_line("" if value is None else str(value)) for name, value in cells.items()}


def unit_rows(
    organisation: str, code: str, name: str, contacts: Iterable[Mapping[str, Any]]
) -> list[dict[str, str]]:
    """Return the rows of one unit: one for each contact, or an empty one to be filled in."""
    unit = {"organisation": organisation, "unit": code, "unit_name": name}
    return [
        {
            **unit,
            **contact_cells(one),
            "verification": _verification(one),
            "contact_id": str(one["id"]),
            "version": str(one["version"]),
        }
        for one in contacts
    ] or [unit]


def _verification(held: Mapping[str, Any]) -> str:
    if held["verified_at"] is not None:
        day = held["verified_at"].astimezone(LONDON).date()
        return f"verified {day.isoformat()} by {held['verified_by']}"
    return str(held["verification"])


def one_line(text: str) -> str:
    """Return a text as a cell holds it: one line, single spaces."""
    return " ".join(text.split())


def write(rows: Iterable[Mapping[str, str]]) -> str:
    """Return rows as CSV, with the byte order mark by which spreadsheets know UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([guarded(row.get(name, "")) for name in COLUMNS])
    return "\ufeff" + text.getvalue()


def decode(content: bytes) -> str:
    """Return the text of a file in the codings that spreadsheets write.

    Raises:
        HubError: 422 `file` for an empty, a huge or an unreadable one.
    """
    if not content.strip(b"\0 \r\n\t"):
        raise _refused("The file is empty.")
    if len(content) > MOST_BYTES:
        raise _refused(f"The file is larger than {MOST_BYTES // 1024 // 1024} MB: part it.")
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise _refused("This is a workbook. Save it as CSV (UTF-8), and give that file.")
    codings = ("utf-8-sig", "cp1252")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        codings = ("utf-16", "utf-16")
    for coding in codings:
        try:
            return content.decode(coding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    raise _refused("This is no text that can be read. Save it as CSV (UTF-8).")


def read(text: str) -> list[Row]:
    """Return the rows of a file that say something.

    Raises:
        HubError: 422 `file` for one that cannot be read as a table with these columns.
    """
    text = text.removeprefix("\ufeff")
    if text[:4].lower() == "sep=":
        text = text.partition("\n")[2]
    if not text.strip():
        raise _refused("The file is empty.")
    table = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    header: list[str] = []
    rows: list[Row] = []
    number = 0
    try:
        for number, cells in enumerate(table, 1):
            if number == 1:
                header = _header(cells)
            elif any(one.strip() for one in cells):
                rows.append(_row(number, header, cells))
                if len(rows) > MOST_ROWS:
                    raise _refused(f"The file has more than {MOST_ROWS:,} rows: part it.")
    except csv.Error:
        raise _refused(
            f"Row {number + 1} cannot be read: a quotation mark is missing, or the cell is too long."
        ) from None
    return rows


def _delimiter(text: str) -> str:
    """Return what parts the columns: of an English Excel a comma, of others a semicolon or tab."""
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    return max(
        ",;\t", key=lambda sign: sum(_name(one) in COLUMNS for one in first.split(sign))
    )  # fmt: skip


def _name(cell: str) -> str:
    return re.sub(r"[\s-]+", "_", cell.strip().strip('"').lower())


def _header(cells: Sequence[str]) -> list[str]:
    header = [_name(cell) for cell in cells]
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise _refused(
            f"Row 1 has to name the columns; there is no {' and no '.join(missing)}. Take the file"
            " that the directory exports."
        )
    for name in header:
        if name and name not in COLUMNS:
            raise _refused(f"The column “{name[:40]}” is none of the directory’s: remove it.")
        if name and header.count(name) > 1:
            raise _refused(f"The column “{name}” is there twice: remove one.")
    return header


def _row(number: int, header: Sequence[str], cells: Sequence[str]) -> Row:
    found: dict[str, str] = dict.fromkeys((name for name in header if name), "")
    problems = []
    for at, cell in enumerate(cells):
        name = header[at] if at < len(header) else ""
        if not name and cell.strip():
            problems.append(RowProblem(number, "", "It has more cells than row 1 has columns."))
            break
        if any(ord(sign) < 32 and sign not in "\t\r\n" for sign in cell):
            problems.append(RowProblem(number, name, "Remove the characters that cannot be kept."))
            cell = "".join(sign for sign in cell if ord(sign) >= 32)
        if name:
            found[name] = one_line(_unguarded(cell))
    return Row(number, found, tuple(problems))


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _refused(sentence: str) -> HubError:
    return invalid("file", sentence, "/file")
