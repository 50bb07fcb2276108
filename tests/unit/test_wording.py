"""Times in words: what is left, what is overdue, and what London's clocks show."""

from datetime import UTC, datetime, timedelta

import pytest

from messaging import wording

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a minute left"),
        (59, "less than a minute left"),
        (60, "1 minute left"),
        (299, "4 minutes left"),
        (3900, "1 hour 5 minutes left"),
        (86400, "1 day left"),
        (86400 * 2 + 3600 * 23, "2 days 23 hours left"),
        (-30, "overdue by less than a minute"),
        (-720, "overdue by 12 minutes"),
        (-7200, "overdue by 2 hours"),
    ],
)
def test_time_left_is_told_in_words(seconds: int, words: str) -> None:
    assert wording.time_left(NOW + timedelta(seconds=seconds), NOW) == words


def test_a_moment_names_its_zone_in_winter_and_summer() -> None:
    assert wording.moment(NOW) == "24 November 2026, 03:00 GMT"
    assert wording.moment(datetime(2026, 7, 1, 23, 30, tzinfo=UTC)) == "2 July 2026, 00:30 BST"


def test_a_type_that_pages_do_not_know_shows_its_own_name() -> None:
    assert wording.type_name("lead-transfer-request") == "Offer of the lead"
    assert wording.type_name("carrier-pigeon") == "carrier-pigeon"


def test_a_council_has_no_inspector_to_tell() -> None:
    assert wording.rung("duty-inspector", police=True) == "up to the duty inspector"
    for rung in ("duty-inspector", "control-room", "coordinator"):
        assert "inspector" not in wording.rung(rung, police=False)
        assert "force" not in wording.rung(rung, police=False)
