"""What a report could have said and does not is said to be not given (DOMAIN.md 8)."""

from messaging.pages.reading import not_given

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
