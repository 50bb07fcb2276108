"""What a message lacks is said at the field that lacks it, to a form and to a system alike."""

from typing import Any

import pytest

from hub.errors import HubError
from hub.web.forms import fields_of
from hub.web.typed import parse
from messaging.contracts import CONTRACTS, Command
from messaging.sending import read_body

REPORT = {"last_seen_at": "2026-11-24T01:00:00Z", "last_seen_place": "EXERCISE Road",
          "risk": "medium", "why": "EXERCISE", "callback_telephone": "020 7946 0001"}  # fmt: skip
CALL = {"called_at": "2026-11-24T01:00:00Z", "with_name": "PC Brown"}
LACKING: tuple[tuple[str, dict[str, Any], list[str]], ...] = (
    ("missing-episode-report", {**REPORT, "child": {"given_name": "Robin"}}, ["/body/child/age"]),
    ("telephone-record", {**CALL, "outcome": "refused"}, ["/body/reason"]),
    (
        "telephone-record",
        {**CALL, "outcome": "taken"},
        ["/body/with_collar", "/body/their_reference"],
    ),
    ("lead-transfer-decline", {"reason": "other"}, ["/body/explanation"]),
    (
        "report-not-accepted",
        {"reason": "wrong-force", "explanation": "EXERCISE"},
        ["/body/readdress_to"],
    ),
    (
        "report-not-accepted",
        {"reason": "duplicate", "explanation": "EXERCISE", "readdress_to": "kent"},
        ["/body/readdress_to"],
    ),
)


@pytest.mark.parametrize(("kind", "body", "pointers"), LACKING)
def test_a_system_is_pointed_at_the_field_that_lacks_something(
    kind: str, body: dict[str, Any], pointers: list[str]
) -> None:
    with pytest.raises(HubError) as refused:
        read_body(Command(type=kind, body=body))  # type: ignore[arg-type]
    assert [field.pointer for field in refused.value.fields] == pointers


def test_a_birth_date_that_cannot_be_read_is_the_only_thing_wrong_with_an_age() -> None:
    child = {"given_name": "Robin", "date_of_birth": "2012-02-30"}
    with pytest.raises(HubError) as refused:
        read_body(Command(type="missing-episode-report", body={**REPORT, "child": child}))
    assert [field.pointer for field in refused.value.fields] == ["/body/child/date_of_birth"]


def test_a_form_is_told_at_the_field_that_lacks_something() -> None:
    typed = {"called_at-date": "2026-11-24", "called_at-time": "01:00", "outcome": "refused",
             "with_name": "PC Brown"}  # fmt: skip
    parsed = parse(CONTRACTS["telephone-record"], typed)
    assert parsed.problems == {"reason": "Say what reason they gave for refusing"}


@pytest.mark.parametrize(
    "kind", ["missing-episode-report", "lead-transfer-request", "officer-handover", "joint-response-plan"]
)  # fmt: skip
def test_each_field_of_free_words_says_what_the_next_officer_needs(kind: str) -> None:
    fields = fields_of(CONTRACTS[kind])
    assert [one.name for one in fields if one.kind == "textarea" and not one.hint] == []


def test_what_is_known_of_the_child_is_asked_for_in_an_officers_words() -> None:
    hints = {one.name: one.hint for one in fields_of(CONTRACTS["missing-episode-report"])}
    for name in ("clothing", "transport_and_money", "medication", "publicity", "out_of_character"):
        assert hints[name], name
