"""A real hub in real processes, for tests that kill them."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def hub(
    *arguments: str, data_dir: Path, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command of the command line to its end."""
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    return subprocess.run(
        [sys.executable, "-m", "hub.cli", *arguments, "--data-dir", str(data_dir)],
        env=environment,
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@dataclass
class Running:
    """One `hub up`, in a process group of its own."""

    data_dir: Path
    port: int = field(default_factory=free_port)
    demo: bool = False
    process: subprocess.Popen[str] | None = None
    lines: list[str] = field(default_factory=list)
    reader: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, seconds: float = 90) -> float:
        """Start, and return how many seconds it took until its block was printed."""
        began = time.monotonic()
        environment = {
            k: v
            for k, v in os.environ.items()
            if k not in ("DATABASE_URL", "REDIS_URL", "SMTP_URL")
        }
        self.lines = []
        self.process = subprocess.Popen(
            [
                sys.executable, "-u", "-m", "hub.cli", "up", "--port", str(self.port),
                "--data-dir", str(self.data_dir), "--demo" if self.demo else "--no-demo",
            ],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )  # fmt: skip
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self.reader.start()
        while not any("Ctrl-C stops everything" in line for line in self.lines):
            if self.process.poll() is not None or time.monotonic() - began > seconds:
                raise AssertionError("hub up did not start:\n" + "".join(self.lines))
            time.sleep(0.02)
        return time.monotonic() - began

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self.lines.append(line)  # others watch it grow

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Send the signal to `hub up`, and return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end, and return its exit code."""
        assert self.process is not None
        assert self.reader is not None
        code = self.process.wait(60)
        self.reader.join(10)
        self.process = None
        return code

    def kill(self) -> None:
        """Kill `hub up` itself, and nothing else."""
        assert self.process is not None
        self.process.kill()
        self.wait()

    def pids(self, *marks: str) -> list[int]:
        """Return the processes of this hub whose command line holds every mark."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or not self._is_ours(int(entry.name)):
                continue
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if all(mark in command for mark in marks):
                found.append(int(entry.name))
        return sorted(found)

    def _is_ours(self, pid: int) -> bool:
        assert self.process is not None
        while pid > 1:
            if pid == self.process.pid:
                return True
            try:
                stat = Path(f"/proc/{pid}/stat").read_text()
            except OSError:
                return False
            pid = int(stat.rpartition(")")[2].split()[1])
        return False

    def ready(self, *, seconds: float = 30) -> None:
        """Return once it answers."""
        ends = time.monotonic() + seconds
        while True:
            try:
                if httpx.get(f"{self.url}/healthz/ready", timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            if time.monotonic() > ends:
                raise AssertionError("the hub is not ready:\n" + "".join(self.lines[-30:]))
            time.sleep(0.05)
