"""Reading the cells of reference files, noting every fault with its line and column."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from hub.errors import HubError

ONS_CODE = re.compile(r"[A-Z][0-9]{8}")
MOST_PROBLEMS = 20


class Problems:
    """What is wrong with the files, in the order found."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, file: str, line: int | None, column: str | None, sentence: str) -> None:
        """Note one problem, with where it stands; `line` counts as an editor does."""
        where = [file]
        if line is not None:
            where.append(f"line {line}")
        if column is not None:
            where.append(f"column {column}")
        self.found.append(f"{', '.join(where)}: {sentence}")

    def stop_if_any(self) -> None:
        """Raise HubError `reference-invalid` with every problem found, the first ones in words."""
        if not self.found:
            return
        shown = "; ".join(self.found[:MOST_PROBLEMS])
        more = len(self.found) - MOST_PROBLEMS
        tail = f"; and {more} more" if more > 0 else ""
        raise HubError(
            "reference-invalid", 422, f"The reference files were not read: {shown}{tail}."
        )


class Row:
    """One line of a file, whose cells are read by column and checked."""

    def __init__(self, file: str, line: int, cells: dict[str, str], problems: Problems) -> None:
        self.file, self.line, self.cells, self.problems = file, line, cells, problems

    def wrong(self, column: str, sentence: str) -> None:
        """Note a problem of one cell."""
        self.problems.add(self.file, self.line, column, sentence)

    def optional(self, column: str) -> str | None:
        """Return the cell, or None where it is empty."""
        return self.cells[column] or None

    def text(self, column: str) -> str:
        """Return the cell; an empty one is a problem."""
        if not self.cells[column]:
            self.wrong(column, "this cell must not be empty")
        return self.cells[column]

    def code(self, column: str, pattern: re.Pattern[str], what: str) -> str:
        """Return the cell; one that is not the kind of code wanted is a problem."""
        value = self.cells[column]
        if not pattern.fullmatch(value):
            self.wrong(column, f"“{value}” is not {what}")
        return value

    def one_of(self, column: str, choices: Iterable[str]) -> str:
        """Return the cell; one that is not among the choices is a problem."""
        value, known = self.cells[column], tuple(choices)
        if value not in known:
            self.wrong(column, f"“{value}” is none of: {', '.join(known)}")
        return value

    def known(self, column: str, codes: Iterable[str], file: str) -> str:
        """Return the cell; a code that the other file does not have is a problem."""
        value = self.cells[column]
        if value not in codes:
            self.wrong(column, f"“{value}” is not in {file}")
        return value

    def codes(self, column: str) -> tuple[str, ...]:
        """Return the ONS codes of a cell, separated by semicolons."""
        values = tuple(part.strip() for part in self.cells[column].split(";") if part.strip())
        for value in values:
            if not ONS_CODE.fullmatch(value):
                self.wrong(column, f"“{value}” is not an ONS code of nine characters")
        return values


def _rows(
    folder: Path, file: str, columns: tuple[str, ...], key: str | None, problems: Problems
) -> Iterator[Row]:
    path = folder / file
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = next(reader, [])
            missing = [column for column in columns if column not in header]
            if missing:
                problems.add(file, 1, None, f"there is no column {', '.join(missing)}")
                return
            seen: dict[str, int] = {}
            for cells in reader:
                if len(cells) != len(header):
                    problems.add(
                        file,
                        reader.line_num,
                        None,
                        f"there are {len(cells)} cells where the header has {len(header)}",
                    )
                    continue
                row = Row(
                    file,
                    reader.line_num,
                    {name: cell.strip() for name, cell in zip(header, cells, strict=True)},
                    problems,
                )
                if key is not None:
                    value = row.cells[key]
                    if value in seen:
                        row.wrong(key, f"“{value}” is already on line {seen[value]}")
                        continue
                    seen[value] = row.line
                yield row
    except FileNotFoundError:
        problems.add(file, None, None, "the file is missing")
    except UnicodeDecodeError:
        problems.add(file, None, None, "the file is not UTF-8")
    except csv.Error:
        problems.add(file, None, None, "the file is not well-formed CSV")


Record = TypeVar("Record")


def read_table(
    folder: Path,
    file: str,
    columns: str,
    make: Callable[[Row], Record],
    problems: Problems,
    *,
    key: str | None,
) -> tuple[Record, ...]:
    names = tuple(columns.split())
    records = tuple(make(row) for row in _rows(folder, file, names, key, problems))
    if not records and not problems.found:
        problems.add(file, None, None, "there are no rows")
    return records
