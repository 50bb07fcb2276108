"""Contacts as a spreadsheet: what is written reads as it was, whatever a spreadsheet does to it."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.contact_csv import COLUMNS, MOST_ROWS, decode, one_line, read, write
from directory.hours_text import parse_exceptions, write_exceptions
from hub.errors import HubError

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40).map(one_line)
RISKY = st.builds(
    lambda quotes, sign, rest: one_line(quotes + sign + rest),
    st.text("'", max_size=3), st.sampled_from("=+-@＝＋"), TEXT,
)  # fmt: skip
HEADER = "unit,purpose,channel,value"


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, TEXT | RISKY)), max_size=5))
def test_what_is_written_reads_as_it_was(rows: list[dict[str, str]]) -> None:
    said = [row for row in rows if any(row.values())]
    assert [dict(row.cells) for row in read(decode(write(rows).encode()))] == said


@given(RISKY)
def test_no_cell_that_is_written_is_a_formula(text: str) -> None:
    table = list(csv.reader(io.StringIO(write([{"unit": "kent", "note": text}])[1:])))
    assert table[1][COLUMNS.index("note")].startswith("'")


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_the_codings_and_separators_of_spreadsheets(coding: str, sign: str) -> None:
    text = "Unit,Purpose,CHANNEL, value \r\nkent,media,email,café@example.org\r\n"
    content = text.replace(",", sign).encode(coding)
    assert [row.cells["value"] for row in read(decode(content))] == ["café@example.org"]


def test_rows_have_the_numbers_that_a_spreadsheet_shows() -> None:
    text = f'sep=,\r\n{HEADER}\r\nkent,"a\r\nb",c,d\r\n\r\n,,,\r\nkent,a,b,c\r\n'
    assert [row.number for row in read(text)] == [2, 5]
    assert read(text)[0].cells["purpose"] == "a b"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"\0\0\0\0", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"x" * 6_000_000, "larger than 5 MB"),
        (b"PK\x03\x04workbook", "workbook"),
        (b"\xff\xfea", "Save it as CSV"),
        (b"\x81\x8d", "Save it as CSV"),
        (b"unit,purpose\n", "no channel and no value"),
        (HEADER.encode() + b",value\n", "twice"),
        (HEADER.encode() + b",hourz\n", "hourz"),
        (HEADER.encode() + b'\nkent,"a,b,c\n', "Row 2 cannot be read"),
        (HEADER.encode() + b'\nkent,a,b,c\nkent,"a"b,b,c\n', "Row 3 cannot be read"),
        (HEADER.encode() + b"\nkent,a,b," + b"x" * 200_000, "Row 2 cannot be read"),
        (HEADER.encode() + b"\nkent,a,b,c" * (MOST_ROWS + 1), "more than 20,000 rows"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_contacts_is_refused_in_a_sentence(content: bytes, said: str) -> None:
    with pytest.raises(HubError) as refused:
        read(decode(content))
    assert refused.value.status == 422
    assert said in refused.value.sentence


SPAN = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda t: f"{t[0]:02}:{t[1]:02}")
DAYS = st.fixed_dictionaries({
    "date": st.dates().map(str),
    "spans": st.lists(st.fixed_dictionaries({"opens": SPAN, "closes": SPAN}), max_size=3),
})  # fmt: skip


@given(st.lists(DAYS, max_size=4), st.sampled_from(["\n", "; "]))
def test_exceptions_read_as_they_were_written(days: list[dict[str, object]], sign: str) -> None:
    assert parse_exceptions(write_exceptions(days, sign)) == days


def test_a_date_may_be_written_as_people_here_do() -> None:
    assert parse_exceptions("24/12/2026 9-12") == [
        {"date": "2026-12-24", "spans": [{"opens": "09:00", "closes": "12:00"}]}
    ]


@pytest.mark.parametrize("text", ["tomorrow closed", "31/02/2026 closed", "2026-12-24 early"])
def test_an_exception_that_cannot_be_read_is_named(text: str) -> None:
    with pytest.raises(HubError) as refused:
        parse_exceptions(text)
    assert text in refused.value.sentence


def test_what_cannot_be_kept_of_a_row_is_told_and_the_rest_is_read() -> None:
    first, second, third = read(f"{HEADER}\nkent,a,b,c,d\nkent,\x07a,b,\0c\nkent,a,b,c\n")
    assert [str(one) for one in (*first.problems, *second.problems, *third.problems)] == [
        "Row 2: It has more cells than row 1 has columns.",
        "Row 3, purpose: Remove the characters that cannot be kept.",
        "Row 3, value: Remove the characters that cannot be kept.",
    ]
    assert second.cells["value"] == "c"
