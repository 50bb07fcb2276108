"""Lines for paper: none too wide, nothing lost, and scripts from the right as they are written."""

from hypothesis import given
from hypothesis import strategies as st

from messaging.pages import lettering

TEXT = st.text(st.characters(codec="latin-1", exclude_characters="\x85\xa0"), max_size=300)


def measure(text: str) -> float:
    return float(len(text))


@given(TEXT, st.integers(1, 40))
def test_no_line_is_too_wide_and_no_letter_is_lost(text: str, wide: int) -> None:
    found = lettering.lines(text, wide, measure)
    assert all(len(line.strip(" ")) <= wide for line in found)
    assert "".join(found).replace(" ", "") == lettering.clean(text).replace("\n", "").replace(
        " ", ""
    )


def test_lines_end_at_spaces_and_a_word_wider_than_a_line_is_cut() -> None:
    assert lettering.lines("one two\nthree", 7, measure) == ["one two", "three"]
    assert lettering.lines("a bcdefghij k", 4, measure) == ["a", "bcde", "fghi", "j k"]
    assert lettering.lines("abcde\u0301f", 5, measure) == ["abcd\u00e9", "f"]
    assert lettering.lines("", 5, measure) == [""]


def test_arabic_letters_are_joined_and_run_from_the_right() -> None:
    # beh alef beh: the first joins on, alef joins none after it, the last stands alone.
    assert lettering.joined("\u0628\u0627\u0628") == "\ufe91\ufe8e\ufe8f"
    assert lettering.joined("\u0644\u0627") == "\ufefb"
    assert lettering.joined("\u0628\u064e\u0628") == "\ufe91\u064e\ufe90"
    assert lettering.lines("\u0628\u0627 14:30", 20, measure) == ["14:30 \ufe8e\ufe91"]
    assert lettering.lines("Zo\u00eb \u05d0\u05d1", 20, measure) == ["Zo\u00eb \u05d1\u05d0"]
