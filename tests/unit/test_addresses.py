"""The private servers are found from any folder, by whatever way the data folder is named."""

import json
from pathlib import Path
from urllib.parse import unquote

import pytest

from hub.embedded import addresses


def test_a_data_folder_named_from_here_is_the_one_named_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ".hub"
    (folder / "run").mkdir(parents=True)
    given = dict.fromkeys(("hub_app", "hub_owner", "hub_super"), "secret")
    (folder / "postgres.json").write_text(json.dumps(given))
    monkeypatch.chdir(tmp_path)
    found = addresses(Path(".hub"))
    assert found == addresses(folder)
    assert "host=/" in unquote(found.database_url)
