"""A hub that was started once and stopped, to be copied by tests of what comes after."""

import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from running import Running


@pytest.fixture(scope="session")
def _stopped(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Path]:
    @cache
    def make(demo: bool) -> Path:
        first = Running(tmp_path_factory.mktemp("stopped") / "hub", demo=demo)
        first.start()
        assert first.stop() == 0
        return first.data_dir

    return make


@pytest.fixture
def prepared(_stopped: Callable[[bool], Path], tmp_path: Path) -> Callable[..., Running]:
    """Return a function that gives a hub which was started before, and is not running."""

    def make(*, demo: bool = False) -> Running:
        folder = tmp_path / "data of a hub"
        shutil.copytree(_stopped(demo), folder, symlinks=True)
        return Running(folder, demo=demo)

    return make
