"""Who is missing from a strategy meeting, and when a reply is due (DOMAIN.md 6, 7, 8)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging import meetings
from messaging.lead import Refused
from messaging.meetings import Asked, Party, Reply

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
ATTENDANCES = ("attending", "deputy", "report-only", "declined")


def _asked(role: str, *attendances: str) -> Asked:
    return Asked(role, role, [Reply(f"EXERCISE {i}", a, AT) for i, a in enumerate(attendances)])


@pytest.mark.parametrize(
    ("attendances", "standing"),
    [
        ((), "waiting"),
        (("declined",), "declined"),
        (("declined", "report-only"), "report-only"),
        (("declined", "deputy"), "attending"),
        (("attending", "declined"), "attending"),
    ],
)
def test_one_who_comes_counts_whoever_else_of_the_unit_does_not(
    attendances: tuple[str, ...], standing: str
) -> None:
    assert _asked("health", *attendances).standing == standing


def test_a_chair_is_empty_without_a_named_person_asked_or_not() -> None:
    assert meetings.empty_chairs([]) == ["home-police", "destination-police"]
    asked = [_asked("home-police", "deputy"), _asked("destination-police", "report-only")]
    assert meetings.empty_chairs(asked) == ["destination-police"]
    assert [one.role for one in meetings.waiting([*asked, _asked("health")])] == ["health"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["Ann", " ann ", "ANN", "Bob"]), st.sampled_from(ATTENDANCES)),
        max_size=12,
    )
)
def test_the_latest_for_a_person_stands_however_the_name_is_typed(
    said: list[tuple[str, str]],
) -> None:
    replies = [Reply(who, what, AT + timedelta(minutes=i)) for i, (who, what) in enumerate(said)]
    standing = meetings.latest(replies)
    for reply in standing:
        assert not any(
            meetings.same_person(reply.person, later.person) and later.at > reply.at
            for later in replies
        )
    assert len(standing) == len({who.strip().lower() for who, _ in said})


@given(st.integers(-3000, 3000), st.booleans())
def test_a_reply_is_due_in_its_time_and_never_after_the_start(minutes: int, urgent: bool) -> None:
    starts = AT + timedelta(minutes=minutes)
    due = meetings.reply_due(AT, starts, urgent=urgent, settings={})
    assert due == min(starts, AT + (timedelta(hours=1) if urgent else timedelta(hours=24)))


def test_replies_end_and_records_begin_at_the_start() -> None:
    meetings.may_reply("called", AT, AT - timedelta(seconds=1))
    meetings.may_record("called", AT, AT)
    for act, code in (
        (lambda: meetings.may_reply("called", AT, AT), "meeting-started"),
        (lambda: meetings.may_reply("cancelled", AT, AT - timedelta(1)), "meeting-over"),
        (
            lambda: meetings.may_record("called", AT, AT - timedelta(seconds=1)),
            "meeting-not-started",
        ),
        (lambda: meetings.may_record("recorded", AT, AT), "meeting-over"),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.code == code


def test_the_hub_guesses_no_unit_where_two_could_be_meant() -> None:
    met, kent, essex = (Party(name, "police", True) for name in ("met", "kent", "essex"))
    council = Party("council", "responsible-authority", False)

    def holder(
        role: str, *parties: Party, home: str | None = None, lead: str | None = None
    ) -> object:
        return meetings.unit_for(role, parties, home=home, lead=lead)

    assert holder("home-police", met, kent, home="met") == "met"
    assert holder("home-police", met, kent) is None
    assert holder("destination-police", met, kent, home="met") == "kent"
    assert holder("destination-police", met, kent, essex, home="met") is None
    assert holder("destination-police", met, kent, essex, home="met", lead="essex") == "essex"
    assert holder("destination-police", met, kent, lead="kent") is None
    assert holder("responsible-authority", council) == "council"
    assert (
        holder("responsible-authority", council, Party("b", "responsible-authority", False)) is None
    )
    assert holder("education", council) is None
