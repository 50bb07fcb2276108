"""`hub directory export` and `import`: a file for the operator, with a dry run."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from directory.model import ContactPoint, DirectoryChange
from hub.cli import main
from hub.db import Database

Run = tuple[int, str, str]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, app_url: str, owner_url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", app_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", owner_url)
    monkeypatch.setenv("REDIS_URL", "unix:///nowhere")


def hub(*arguments: str | Path) -> Run:
    done = CliRunner().invoke(main, ["directory", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def test_out_and_in_again(tmp_path: Path, database: Database) -> None:
    file = tmp_path / "kent.csv"
    code, said, _ = hub("export", file, "--organisation", "kent")
    assert (code, said.endswith(f"rows are in {file}.\n")) == (0, True)
    assert hub("import", file)[:2] == (
        0, "Additions: 0, changes: 0, closings: 0; rows that change nothing: 9.\n"
    )  # fmt: skip
    text = file.read_text(encoding="utf-8").replace(
        ",kent/east,East Kent,,,", ",kent/east,East Kent,media,telephone,020 7946 0123"
    )
    file.write_text(text.replace("0123,,,", "0123,,"), encoding="utf-8")
    code, said, _ = hub("import", file, "--dry-run")
    assert code == 0
    assert "addition: kent/east: media, telephone 020 7946 0123" in said
    assert "This was a dry run: nothing was written." in said
    with database.unit_of_work() as session:
        chosen = select(ContactPoint.id).filter_by(value="020 7946 0123")
        assert session.scalar(chosen) is None
        assert hub("import", file, "--why", "EXERCISE")[0] == 0
        assert session.scalar(chosen) is not None
        newest = select(DirectoryChange).order_by(DirectoryChange.id.desc()).limit(1)
        change = session.scalars(newest).one()
        assert (change.who, change.why) == ("command line", "EXERCISE")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "cannot be read: No such file or directory."),
        (b"", "The file is empty."),
        (b"unit,purpose,channel,value\nkent,media,email,x\n", "Row 2, value: Give an e-mail"),
    ],
)
def test_what_is_wrong_is_a_sentence_and_a_failure(
    tmp_path: Path, content: bytes | None, expected: str
) -> None:
    file = tmp_path / "in.csv"
    if content is not None:
        file.write_bytes(content)
    code, _, said = hub("import", file)
    assert code == 1
    assert expected in said


def test_an_organisation_that_is_not_there_is_said(tmp_path: Path) -> None:
    code, _, said = hub("export", tmp_path / "out.csv", "--organisation", "nowhere")
    assert (code, said) == (1, "There is no organisation “nowhere”.\n")
    code, _, said = hub("export", tmp_path / "no" / "out.csv")
    assert (code, "cannot be written" in said) == (1, True)
