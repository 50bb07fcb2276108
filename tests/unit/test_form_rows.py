"""Lists of a contract as repeated rows of a form: nothing typed is lost, and errors find their row."""

from hub.web.forms import fields_of
from hub.web.typed import as_shown, parse, typed_from
from messaging.contracts import CONTRACTS
from messaging.pages.reading import rows

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


def test_rows_within_a_group_are_read_shown_and_pointed_at_as_any_others() -> None:
    report = CONTRACTS["missing-episode-report"]
    of = "child.identifiers"
    typed = {f"{of}.0.system": "NHS number", f"{of}.0.value": "999 000 0018",
             f"{of}.2.system": "Liquidlogic", f"{of}.2.value": "EX 12", f"{of}-rows": "3"}  # fmt: skip
    problems = parse(report, {**typed, f"{of}.0.value": "999 000 0010"}).problems
    assert "10 digits" in problems[f"{of}.0.value"]
    assert as_shown(f"{of}.1.value", typed) == f"{of}.2.value"
    child = {"given_name": "EXERCISE Robin", "age": "14"}
    rest = {"last_seen_at-date": "2026-11-24", "last_seen_at-time": "01:00", "risk": "low",
            "last_seen_place": "EXERCISE", "why": "EXERCISE",
            "callback_telephone": "020 7946 0001"}  # fmt: skip
    whole = parse(report, {**typed, **rest, **{f"child.{k}": v for k, v in child.items()}})
    assert whole.instance is not None, whole.problems
    document = whole.instance.model_dump(mode="json", exclude_none=True)
    assert document["child"]["identifiers"] == [
        {"system": "nhs-number", "value": "9990000018"},
        {"system": "Liquidlogic", "value": "EX 12"},
    ]
    assert parse(report, typed_from(document)).instance == whole.instance
    asked = {**parse(report, {**typed, "more_rows": of}).values, "more_rows": of}
    (shown,) = [one for one in fields_of(report, asked) if one.name == of]
    assert len(shown.rows) == 4
    assert shown.wanted
    assert rows("missing-episode-report", document)[-1]["value"] == (
        "NHS number, 9990000018\nLiquidlogic, EX 12"
    )


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
