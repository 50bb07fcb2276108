"""Who may read what: the rule of DOMAIN.md 4.8, over every audience and every kind of reader."""

from itertools import product

import pytest

from messaging import audiences
from messaging.contracts import CONTRACTS

PARTS = (
    "lead", "home", "destination", "responsible-authority", "host-authority", "health", "reporter",
    "other",
)  # fmt: skip
POLICE_ALONE = {"associates", "warnings", "live_lines", "live_line", "live_until", "police_only"}
"""What 4.8 gives to police alone, whatever it is sent in."""
WIDER = {"units": 0, "police": 0, "statutory": 1, "all-parties": 2}


def meant_for(audience: str, part: str, *, police: bool) -> bool:
    """Say whom an audience means, as the domain has it."""
    councils_and_health = part in {"responsible-authority", "host-authority", "health"}
    return {
        "police": police,
        "statutory": police or councils_and_health,
        "all-parties": True,
    }[audience]


@pytest.mark.parametrize("audience", audiences.ORDER)
def test_each_reads_what_is_meant_for_them_and_was_theirs_to_see(audience: str) -> None:
    for police, part, full, recipient in product(
        (True, False), PARTS, (True, False), (True, False)
    ):
        read = audiences.may_read(
            audience, police=police, part=part, full=full, recipient=recipient, sender=False
        )
        theirs = full or recipient
        assert read == (theirs and meant_for(audience, part, police=police)), (
            part,
            full,
            recipient,
        )


def test_what_names_its_readers_is_for_those_alone() -> None:
    for police, part, full, recipient in product(
        (True, False), PARTS, (True, False), (True, False)
    ):
        read = audiences.may_read(
            "units", police=police, part=part, full=full, recipient=recipient, sender=False
        )
        assert read == recipient


def test_whoever_wrote_something_reads_it() -> None:
    for audience, part in product((*audiences.ORDER, "units"), PARTS):
        assert audiences.may_read(
            audience, police=False, part=part, full=False, recipient=False, sender=True
        )


@pytest.mark.parametrize("kind", CONTRACTS)
def test_each_field_of_a_message_is_in_one_part_that_is_never_wider_than_the_message(
    kind: str,
) -> None:
    fields = CONTRACTS[kind].model_fields
    body = dict.fromkeys(fields, "EXERCISE")
    for audience in audiences.ORDER:
        parts = audiences.split(CONTRACTS[kind], body, audience)
        assert sorted(name for part in parts.values() for name in part) == sorted(body)
        for of, part in parts.items():
            assert WIDER[of] <= WIDER[audience]
            assert of in ("police", "units") or not POLICE_ALONE & set(part), (kind, of)


def test_the_narrower_of_two_audiences_is_within_both() -> None:
    every = (*audiences.ORDER, "units")
    for one, other in product(every, repeat=2):
        least = audiences.narrower(one, other)
        assert least == audiences.narrower(other, one)
        assert audiences.within(least, one)
        assert audiences.within(least, other)
