"""Keys lie in files of their own, closed to others; each fault is one sentence."""

import stat
from pathlib import Path

import pytest

from hub.errors import HubError
from hub.records.keys import SYMMETRIC, TOKEN_SIGNING, Keys


def _refusal(folder: Path, create: bool = False) -> HubError:
    with pytest.raises(HubError) as caught:
        Keys.load(folder, create=create)
    return caught.value


def test_made_once_and_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "keys"
    made = Keys.load(folder, create=True)
    assert Keys.load(folder) == made == Keys.load(folder, create=True)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} == {*SYMMETRIC, TOKEN_SIGNING}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert len({made.keks[1], made.audit, made.session}) == 3
    assert made.kek_epoch == 1
    assert [path.name for path in folder.parent.iterdir()] == ["keys"]


def test_no_key_shows_in_a_representation(tmp_path: Path) -> None:
    keys = Keys.load(tmp_path / "keys", create=True)
    assert keys.audit.hex() not in repr(keys)
    assert "PRIVATE" not in repr(keys)
    assert repr(keys.keks) not in repr(keys)


def test_a_missing_folder_is_not_made_unasked(tmp_path: Path) -> None:
    assert _refusal(tmp_path / "keys").code == "keys-missing"


@pytest.mark.parametrize("name", [*SYMMETRIC, TOKEN_SIGNING])
def test_a_missing_key_is_named_and_never_made_anew(tmp_path: Path, name: str) -> None:
    Keys.load(tmp_path / "keys", create=True)
    (tmp_path / "keys" / name).unlink()
    refusal = _refusal(tmp_path / "keys", create=True)
    assert refusal.code == "key-missing"
    assert str(tmp_path / "keys" / name) in refusal.sentence


@pytest.mark.parametrize(
    "content", [b"", b"not hex", b"00" * 31, b"\xff" * 64, b"-----BEGIN NOTHING-----"]
)
@pytest.mark.parametrize("name", ["kek-1", TOKEN_SIGNING])
def test_a_malformed_key_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    Keys.load(tmp_path / "keys", create=True)
    (tmp_path / "keys" / name).write_bytes(content)
    assert _refusal(tmp_path / "keys").code == "key-malformed"


def test_a_key_open_to_others_is_refused(tmp_path: Path) -> None:
    Keys.load(tmp_path / "keys", create=True)
    (tmp_path / "keys" / "audit").chmod(0o640)
    assert _refusal(tmp_path / "keys").code == "key-open"
    (tmp_path / "keys").chmod(0o750)
    assert _refusal(tmp_path / "keys").code == "keys-open"


def test_later_epochs_are_read_and_the_newest_wraps(tmp_path: Path) -> None:
    Keys.load(tmp_path / "keys", create=True)
    later = tmp_path / "keys" / "kek-2"
    later.touch(mode=0o600)
    later.write_text("ab" * 32)
    keys = Keys.load(tmp_path / "keys")
    assert sorted(keys.keks) == [1, 2]
    assert keys.kek_epoch == 2
