"""The rules of two cases of one child, for all that may be asked of them (DOMAIN.md 4.10)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging import joining, lead

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


def two() -> tuple[lead.Episode, lead.Episode]:
    return lead.record("met", "EXERCISE A", AT), lead.record("kent", "EXERCISE B", AT)


@given(after=st.sampled_from(["theirs", "ours"]), disputed=st.booleans())
def test_of_two_that_are_joined_one_goes_on_with_one_lead(
    after: joining.After, disputed: bool
) -> None:
    ours, theirs = two()
    request = lead.Request("q", "kent", urgent=True)
    ours = joining.ask(ours, theirs, "met", request, None)
    if disputed:
        ours = lead.contest(ours, "kent", "d", "met")
    ours, theirs = joining.accept(ours, theirs, "kent", "q", "EXERCISE C", LATER, after)
    assert ours.lead == ("kent" if after == "theirs" else "met")
    assert (theirs.lead, theirs.ended_at) == (None, LATER)
    assert ours.request is ours.dispute is None
    assert sum(tenure.until is None for tenure in (*ours.tenures, *theirs.tenures)) == 1


def test_what_only_their_lead_can_settle_is_settled_first() -> None:
    ours, theirs = two()
    ours = joining.ask(ours, theirs, "met", lead.Request("q", "kent", urgent=False), None)
    claimed = lead.locate(theirs, "essex", "c", AT)
    directed = lead.direct(theirs, lead.Direction("w", "essex"))
    moved = lead.record("essex", "EXERCISE D", AT)
    for state, code in (
        (claimed, "claim-open"), (directed, "lead-directed"), (moved, "match-moved"),
        (None, "match-ended"), (lead.join(theirs, AT), "match-ended"),
    ):  # fmt: skip
        with pytest.raises(lead.Refused) as refused:
            joining.accept(ours, state, "kent", "q", "EXERCISE", LATER, "theirs")
        assert refused.value.code == code


def test_who_asks_leads_here_and_asks_who_leads_there() -> None:
    ours, theirs = two()
    for by, to, code in (("essex", "kent", "not-lead"), ("met", "essex", "match-moved")):
        with pytest.raises(lead.Refused) as refused:
            joining.ask(ours, theirs, by, lead.Request("q", to, urgent=False), None)
        assert refused.value.code == code


def test_an_episode_is_admitted_with_its_lead_and_officer() -> None:
    _, theirs = two()
    new, ended = joining.admit(None, theirs, LATER)
    assert (new.lead, new.tenures[0].officer, new.tenures[0].since) == ("kent", "EXERCISE B", LATER)
    assert ended.ended_at == LATER
    for ours, found, code in (
        (lead.record("met", "E", AT), theirs, "both-open"), (None, None, "nothing-to-admit"),
    ):  # fmt: skip
        with pytest.raises(lead.Refused) as refused:
            joining.admit(ours, found, LATER)
        assert refused.value.code == code


@given(st.lists(st.sampled_from(["one", "other"]), max_size=6))
def test_it_takes_the_word_of_both_sides(said: list[str]) -> None:
    match = joining.Match("one", "other")
    for case in said:
        try:
            match = joining.deny(match, case)
        except lead.Refused as refused:
            assert refused.code in ("denied-already", "match-closed")
    assert (match.state == "not-same") == ({"one", "other"} <= set(said))
