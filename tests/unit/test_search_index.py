"""Only names that could be near are scored, and what is scored is what scoring all would find."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from directory.search_index import SIGNS, Beginnings, Near, core, normal

NAMES = st.lists(st.text("abcent 1", max_size=12).map(normal), unique=True, max_size=30)
QUERIES = st.text("abcent 1", min_size=1, max_size=12).map(normal).filter(bool)


@given(NAMES, QUERIES)
@settings(max_examples=300, deadline=None)
def test_none_that_is_near_is_left_out(names: list[str], query: str) -> None:
    near = Near(names)
    ids, scores = near.ratio(query, 72, np.zeros(len(names)), 30)
    found = {names[at]: score for at, score in zip(ids, scores, strict=True) if score}
    assert found == pytest.approx(
        {name: fuzz.ratio(query, name) for name in names if fuzz.ratio(query, name) >= 72}
    )
    ids, scores = near.slips(query, 72)
    found = {names[at]: score for at, score in zip(ids, scores, strict=True) if score}
    alike = {name: 100 * OSA.normalized_similarity(query, name) for name in names}
    wanted = {name: score for name, score in alike.items() if score > 72.001}
    assert {name: found.get(name) for name in wanted} == pytest.approx(wanted)


@given(NAMES, QUERIES)
@settings(max_examples=300, deadline=None)
def test_beginnings_are_those_of_words(names: list[str], query: str) -> None:
    ids, first = Beginnings(names).of(query)
    begun = {names[at] for at in ids}
    assert begun == {name for name in names if f" {query}" in f" {name}"}
    assert {names[at] for at in ids[first]} == {name for name in names if name.startswith(query)}


@given(NAMES, QUERIES)
@settings(max_examples=300, deadline=None)
def test_beginnings_with_a_slip_are_found(names: list[str], query: str) -> None:
    slips = {query[:at] + query[at + 1 :] for at in range(len(query))}
    slips |= {
        query[:at] + query[at + 1 : at + 2] + query[at] + query[at + 2 :]
        for at in range(len(query))
    }
    for sign in SIGNS:
        slips |= {query[:at] + sign + query[at + 1 :] for at in range(len(query))}
        slips |= {query[:at] + sign + query[at:] for at in range(len(query))}
    tails = {
        name: [name, *(name[at + 1 :] for at, sign in enumerate(name) if sign == " ")]
        for name in names
    }
    wanted = {
        name
        for name, ends in tails.items()
        if any(end.startswith(slip) for end in ends for slip in slips)
    }
    found = {names[at] for at in Beginnings(names).nearly(query)}
    right = {name for name in names if f" {query}" in f" {name}"}
    assert found | right == wanted | right


def test_the_best_few_of_very_many_are_found_with_handicaps_taken_off() -> None:
    draw = random.Random(7)
    names = sorted({"".join(draw.choices("aben", k=6)) + " borough council" for _ in range(4000)})
    handicaps = np.array([draw.choice([0.0, 10.0, 1000.0]) for _ in names])
    near = Near(names)
    for query in ("banana borough council", "neanbe borough cuoncil"):
        ids, scores = near.ratio(query, 72, handicaps, 20)
        assert len(ids) < len(names)
        every = np.array([fuzz.ratio(query, name) for name in names]) - handicaps
        best = np.sort(every)[-20:]
        assert np.sort(scores - handicaps[ids])[-20:] == pytest.approx(best, abs=1e-4)


def test_nothing_is_near_nothing() -> None:
    ids, scores = Near([]).ratio("hackney", 72, np.zeros(0), 30)
    assert (len(ids), len(scores)) == (0, 0)
    assert len(Near([]).slips("hackney", 72)[0]) == 0
    assert len(Beginnings([]).of("ha")[0]) == len(Beginnings([]).nearly("hackn")) == 0


@pytest.mark.parametrize(
    ("typed", "plain", "short"),
    [
        ("  Ynys Môn ", "ynys mon", "ynys mon"),
        ("Devon & Cornwall Police", "devon and cornwall police", "devon cornwall"),
        ("King’s Lynn", "kings lynn", "kings lynn"),
        ("City of London", "city of london", "city of london"),
        ("the County Council", "the county council", "the county council"),
    ],
)
def test_normal_and_core(typed: str, plain: str, short: str) -> None:
    assert normal(typed) == plain
    assert core(plain) == short
