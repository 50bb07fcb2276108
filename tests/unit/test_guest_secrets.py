"""A guest's pass holds for one link, one hour and one key; a code survives being read out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from hub.records.keys import Keys
from messaging.guest_secrets import Guest, code, code_hash, grant, read_pass, token, token_hash

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
LINK, OTHER = UUID(int=7), UUID(int=8)
GUEST = Guest("Joan Tremayne", "4471", "Inspector")


def keys(secret: bytes = b"s" * 32) -> Keys:
    return Keys(folder=Path("unused"), keks={}, audit=b"", session=secret, token_signing=b"")


def test_the_pass_names_the_guest_who_gave_the_code() -> None:
    assert read_pass(keys(), LINK, grant(keys(), LINK, GUEST, NOW), NOW) == GUEST


def test_a_pass_holds_for_its_own_link_for_an_hour_and_under_its_own_key() -> None:
    held = grant(keys(), LINK, GUEST, NOW)
    assert read_pass(keys(), OTHER, held, NOW) is None
    assert read_pass(keys(), LINK, held, NOW + timedelta(hours=1)) is None
    assert read_pass(keys(b"t" * 32), LINK, held, NOW) is None


def test_a_forged_or_broken_pass_is_nobodys() -> None:
    held = grant(keys(), LINK, GUEST, NOW)
    head, tail = held.split(".")
    for broken in ("", ".", "x", head, head + ".", "A" + held, head + ".é", head[:-4] + "." + tail):
        assert read_pass(keys(), LINK, broken, NOW) is None


def test_a_code_is_six_digits_and_spaces_do_not_matter() -> None:
    six = code(keys(), LINK)
    assert len(six) == 6
    assert six.isdigit()
    assert code_hash(keys(), LINK, f"{six[:3]} {six[3:]}") == code_hash(keys(), LINK, six)
    assert code_hash(keys(), LINK, six) != code_hash(keys(), OTHER, six)


def test_the_database_keeps_no_token() -> None:
    assert token_hash(token(keys(), LINK)) != token(keys(), LINK).encode()
    assert token(keys(), LINK) != token(keys(), OTHER)
