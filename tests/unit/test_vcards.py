"""Units as vCard 4.0: an independent reader finds in them what was put in."""

import vobject
from hypothesis import given
from hypothesis import strategies as st

from directory.vcards import escape, fold, telephone_uri

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=200)


@given(TEXT)
def test_lines_are_folded_at_75_octets_and_never_inside_a_letter(text: str) -> None:
    line = f"NOTE:{escape(text)}"
    lines = fold(line).split("\r\n")
    assert all(len(one.encode()) <= 75 for one in lines)
    assert all(one.startswith(" ") for one in lines[1:])
    assert lines[0] + "".join(one[1:] for one in lines[1:]) == line


@given(st.text(st.sampled_from('aŵ€\\,;:"\n -'), max_size=200))
def test_another_reader_finds_the_text_that_was_put_in(text: str) -> None:
    card = f"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:x\r\n{fold(f'NOTE:{escape(text)}')}\r\nEND:VCARD\r\n"
    assert vobject.readOne(card).note.value == text


def test_numbers_are_what_a_telephone_dials_from_anywhere() -> None:
    assert telephone_uri("020 7946 0123") == "tel:+44-20-7946-0123"
    assert telephone_uri("+33 1 23 45 67 89") == "tel:+33-1-23-45-67-89"
    assert telephone_uri("101") == "tel:101;phone-context=+44"
