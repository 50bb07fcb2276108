"""What a message says is read in words for its reader, and what it lacks is named (DOMAIN.md 8)."""

import re

import pytest

from hub.web.forms import fields_of
from messaging.contracts import CONTRACTS
from messaging.pages.reading import not_given, rows

BODY = {"child": {"given_name": "EXERCISE", "age": 14}, "clothing": "EXERCISE coat"}


def test_what_was_not_given_is_named_in_one_row() -> None:
    (row,) = not_given("missing-episode-report", BODY, whole=True)
    lacks = row["value"].split("; ")
    assert {"Medication and health", "Associates", "Date of birth"} <= set(lacks)
    assert not {"Clothing", "Given name", "Age in years", "Version of the list of risks"} & set(
        lacks
    )


def test_of_what_is_for_others_nothing_is_said() -> None:
    (row,) = not_given("missing-episode-report", BODY, whole=False)
    assert "Associates" not in row["value"].split("; ")


def test_an_update_lacks_nothing() -> None:
    assert not_given("update", {"heading": "other"}, whole=True) == []


@pytest.mark.parametrize("message_type", CONTRACTS)
def test_no_answer_is_read_under_words_that_speak_to_whoever_wrote_it(message_type: str) -> None:
    read = [one.read for one in fields_of(CONTRACTS[message_type])]
    assert [words for words in read if re.search(r"\byou\b|\byour\b|^Explain", words, re.I)] == []


def test_what_is_told_of_a_placement_is_read_as_such() -> None:
    (row,) = rows("placement-notification", {"action": "end"})
    assert row == {"label": "What is told", "value": "The placement ends"}
