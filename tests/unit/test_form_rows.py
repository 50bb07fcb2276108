"""Lists of a contract as repeated rows of a form: nothing typed is lost, and errors find their row."""

from hub.web.forms import fields_of
from hub.web.typed import as_shown, parse, typed_from
from messaging.contracts import CONTRACTS

RECORD = CONTRACTS["strategy-meeting-record"]
TYPED = {
    "decisions": "EXERCISE", "attendance.0.unit": "kent/east", "attendance.0.attended": "absent",
    "actions.1.what": "EXERCISE one", "actions.1.owner": "lead",
    "actions.1.due-date": "2026-12-01", "actions.1.due-time": "09:30",
}  # fmt: skip


def test_rows_left_empty_are_left_out_and_come_back_as_typed() -> None:
    parsed = parse(RECORD, TYPED)
    assert parsed.problems == {}
    assert parsed.instance is not None
    document = parsed.instance.model_dump(mode="json", exclude_none=True)
    assert [row["what"] for row in document["actions"]] == ["EXERCISE one"]
    again = parse(RECORD, typed_from(document))
    assert again.instance == parsed.instance


def test_a_problem_is_shown_at_the_row_in_which_it_was_typed() -> None:
    typed = {**TYPED, "actions.1.owner": "", "actions.2.what": "x", "actions.2.owner": "lead",
             "actions.2.due-date": "tomorrow"}  # fmt: skip
    parsed = parse(RECORD, typed)
    assert set(parsed.problems) == {"actions.1.owner", "actions.2.due"}
    assert as_shown("actions.0.owner", parsed.values) == "actions.1.owner"
    assert as_shown("decisions", parsed.values) == "decisions"
    (rows,) = [
        f.rows for f in fields_of(RECORD, parsed.values, parsed.problems) if f.name == "actions"
    ]
    assert [one.error != "" for one in rows[1]] == [False, True, False, False]
    assert rows[2][0].value == "x"


def test_another_row_is_shown_when_it_is_asked_for_and_no_more_than_there_may_be() -> None:
    def count(**typed: str) -> int:
        fields = fields_of(RECORD, typed)
        return next(len(one.rows) for one in fields if one.name == "actions")

    assert count() == 3
    assert count(**{"actions-rows": "3", "more_rows": "actions"}) == 4
    assert count(**{"actions-rows": "3", "more_rows": "attendance"}) == 3
    assert count(**{"actions-rows": "30", "more_rows": "actions"}) == 30
    for huge in ("999999", "-1", "x", "²"):
        assert count(**{"actions-rows": huge, f"actions.{huge}.what": "x"}) <= 30
