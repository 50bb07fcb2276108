"""When two ways of writing a child down are the same, and when they are not (DOMAIN.md 4.10)."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging import likeness
from messaging.contracts.identifiers import Identifier

BORN = date(2012, 3, 27)
LETTERS = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzéøłß"), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("O’Brien", "OBRIEN"), ("O'Brien", "o brien"), ("Smith-Jones", "Jones Smith"),
        ("Mac Donald", "MacDonald"), ("Žižek", "ZIZEK"), ("Łukasz", "lukasz"), ("Strauß", "STRAUSS"),
        ("Ó\u200bDómhnaill", "O Domhnaill"), ("van der Berg", "Van-Der-Berg"),
    ],
)  # fmt: skip
def test_names_that_are_alike(one: str, other: str) -> None:
    assert likeness.names(one) & likeness.names(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Smith", "Smyth"), ("Jones", "Jones Smith"), ("", "x")]
)
def test_names_that_are_not(one: str, other: str) -> None:
    assert not likeness.names(one) & likeness.names(other)


@given(words=st.lists(LETTERS, min_size=1, max_size=3), data=st.data())
def test_case_accents_punctuation_and_order_make_no_difference(
    words: list[str], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(words))
    between = data.draw(st.sampled_from([" ", "-", "’", "' ", " – "]))
    written = between.join(shuffled)
    form = data.draw(st.sampled_from(["NFC", "NFD", "NFKC"]))
    written = unicodedata.normalize(form, data.draw(st.sampled_from([written, written.upper()])))
    assert likeness.names(" ".join(words)) & likeness.names(written)


@given(st.text(max_size=60))
def test_any_text_has_forms_without_failing(text: str) -> None:
    assert all(form and not form.isspace() for form in likeness.names(text))
    found = likeness.identifier(text)
    assert found is None or any(sign.isdigit() for sign in found)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("NHS 943 476 5919", "nhs number: 943-476-5919"), ("NHS 9434765919", "943 476 5919"),
        ("COMPACT AB12/345", "compact ab12 345"),
    ],
)  # fmt: skip
def test_identifiers_that_are_alike(one: str, other: str) -> None:
    assert likeness.identifier(one) == likeness.identifier(other) is not None


@pytest.mark.parametrize(
    ("system", "value", "line"),
    [
        ("nhs-number", "943 476 5919", "NHS 943 476 5919"), ("other", "LA 12345", "LA 12345"),
        ("local-authority-id", "12345", "LA 12345"), ("merlin", "EX-1234", "Merlin EX 1234"),
        ("Liquidlogic", "77/12345", "liquidlogic 77 12345"),
    ],
)  # fmt: skip
def test_an_identifier_of_a_system_is_alike_what_was_written_in_a_line(
    system: str, value: str, line: str
) -> None:
    given = Identifier(system=system, value=value)
    assert likeness.identifier(given.line) == likeness.identifier(line) is not None


def test_identifiers_of_two_systems_or_without_a_number_are_not() -> None:
    assert likeness.identifier("LA 12345") != likeness.identifier("Niche 12345")
    assert likeness.identifier("not known") is likeness.identifier("NHS") is None


def test_a_name_counts_with_its_whole_birth_date_alone() -> None:
    assert dict(likeness.of_child("Name", "Given", None, [])) == {}
    assert dict(likeness.of_child(None, "Given", BORN, [])) == {}
    kinds = [kind for kind, _ in likeness.of_child("Name", "Given", BORN, ["NHS 943 476 5919"])]
    assert sorted(kinds) == ["birth", "identifier", "person"]
