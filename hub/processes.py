"""The processes of a hub: web, worker and scheduler, and `hub up`, which runs all on one machine."""

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy.exc import OperationalError

from hub import logs
from hub.clock import said, utcnow
from hub.db import Database
from hub.embedded import Servers, addresses, die_with_parent, stop_when_parent_dies
from hub.errors import HubError
from hub.settings import Settings

READY_SECONDS = 60.0
STOP_SECONDS = 15.0
STEADY_SECONDS = 5.0
LONGEST_WAIT = 30.0


@contextmanager
def loading() -> Iterator[None]:
    """Import code without searching it for garbage, now or later: a fifth of the time it takes.

    What a process has loaded stays; its forks share the memory of it.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def find_servers(settings: Settings) -> Settings:
    """Fill in the addresses of the private servers where the environment names none.

    Raises:
        HubError: no address is given, and no hub was started on the data folder.
    """
    if settings.database_url and settings.redis_url:
        return settings
    private = addresses(settings.data_dir)
    return settings.model_copy(
        update={
            "database_url": settings.database_url or private.database_url,
            "database_owner_url": settings.owner_url or private.database_owner_url,
            "redis_url": settings.redis_url or private.redis_url,
        }
    )


def probe(host: str, port: int) -> None:
    """Refuse a port that something else listens on: granian would share it without a word.

    Raises:
        HubError: the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise HubError(
                "port-taken",
                503,
                f"Port {port} of {host} cannot be used ({error.strerror}):"
                " stop what uses it, or give --port another number.",
            ) from None


def web_application() -> Callable[..., Any]:
    """Return the application of one web worker, which ends when granian's main process does."""
    from granian.utils.proxies import wrap_wsgi_with_proxy_headers

    from directory.reading import keep_current
    from hub.app import create_app
    from hub.web.context import EXTENSION

    stop_when_parent_dies(signal.SIGTERM)
    logs.configure()
    settings = find_servers(Settings())
    app = create_app(settings)
    app.extensions[EXTENSION].database.look()
    keep_current(app)
    trusted = [
        network.strip() for network in settings.trusted_proxies.split(",") if network.strip()
    ]
    return wrap_wsgi_with_proxy_headers(app, trusted_hosts=trusted) if trusted else app


def check_keys(settings: Settings) -> None:
    """Refuse to start with keys that are not this database's.

    Raises:
        HubError: a key is missing or wrong, or the database is away.
    """
    from hub.records.keys import Keys

    database = Database(settings.database_url)
    try:
        with database.unit_of_work() as session:
            Keys.load(settings.keys_dir).check(session)
    finally:
        database.dispose()


def check_keys_or_kept(settings: Settings, say: Callable[[str], None]) -> None:
    """Refuse to serve with keys that are not this database's; while the database is away, serve
    the directory that was kept on disk, and refuse where there is none.

    Raises:
        HubError: in one sentence, what stands in the way.
    """
    from directory.holder import Kept
    from hub.records.keys import Keys

    try:
        check_keys(settings)
    except OperationalError:
        rows = Kept(settings.data_dir, Keys.load(settings.keys_dir)).load()
        if rows is None:
            raise HubError(
                "database-away",
                503,
                "The database does not answer, and no directory of this hub is kept in"
                f" {settings.data_dir}: start the database.",
            ) from None
        say(
            f"The database does not answer: the directory of {said(rows.taken_at)}, kept on disk,"
            " is served until it does."
        )


def web(host: str, port: int, workers: int | None = None, threads: int = 16) -> None:
    """Serve the pages and the API until told to stop."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    with loading():
        import hub.app  # noqa: F401  # once, here: the workers are forks of this process

    probe(host, port)
    Granian(
        "hub.processes:web_application",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers or min(4, os.cpu_count() or 1),
        blocking_threads=threads,
        backlog=1024,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        log_level=LogLevels.warning,
        log_access=False,
    ).serve()


def worker(threads: int = 8) -> None:
    """Do jobs until told to stop: becomes dramatiq, in one process with so many threads."""
    arguments = ["hub.worker", "--processes", "1", "--threads", str(threads)]
    os.environ.setdefault("dramatiq_worker_timeout", "20")
    os.execv(  # noqa: S606  # becomes dramatiq, with no shell between
        sys.executable, [sys.executable, "-m", "dramatiq", *arguments]
    )


def scheduler(settings: Settings) -> None:
    """Run the clocks, the sweep and the sealing until told to stop; one of however many leads."""
    with loading():
        import directory.actors  # noqa: F401  # registers its ticks
        import messaging.actors  # noqa: F401  # registers its ticks
        from hub.jobs import broker, schedule
        from hub.records.keys import Keys

    stop = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    keys = Keys.load(settings.keys_dir)
    broker.install(settings)
    schedule.run(settings.database_url, stop, keys)


def prepare(settings: Settings, *, demo: bool, say: Callable[[str], None]) -> None:
    """Bring the database to this version: keys, tables, reference data, and the exercise if asked.

    Raises:
        HubError: in one sentence, what stands in the way.
    """
    with loading():
        from directory.postcodes import Postcodes
        from hub.migrating import upgrade
        from hub.records.keys import Keys
        from seed import demo as exercise
        from seed import reference

    keys = Keys.load(settings.keys_dir, create=True)
    say("Checking the tables …")
    upgrade(settings.owner_url)
    database = Database(settings.database_url)
    try:
        with database.unit_of_work() as session:
            keys.check(session)
        say("Reading the reference data …")
        with database.unit_of_work() as session:
            reference.load(session, utcnow())
        if demo:
            say("Setting up the exercise …")
            with database.unit_of_work() as session:
                exercise.load(session, keys, utcnow())
    finally:
        database.dispose()
    say("Reading the postcodes …")
    Postcodes.open(settings.data_dir)


@dataclass
class _Child:
    """One process that `hub up` keeps running."""

    name: str
    command: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    quick_deaths: int = 0

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )

    def revive(self) -> None:
        """Start it again if it died; more slowly if it keeps dying."""
        if self.process is None or self.process.poll() is None:
            return
        lived = time.monotonic() - self.started_at
        self.quick_deaths = 0 if lived > STEADY_SECONDS else self.quick_deaths + 1
        _end_group(self.process.pid)
        time.sleep(min(0.2 * self.quick_deaths, 5.0))
        self.start()

    def stop(self) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        _end_group(self.process.pid)
        self.process = None


def _end_group(group: int) -> None:
    """End what a dead child's own children are still doing: they would hold its port."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


@dataclass
class Up:
    """The whole hub on one machine."""

    settings: Settings
    host: str = "127.0.0.1"
    port: int = 8000
    demo: bool = True
    say: Callable[[str], None] = print
    children: list[_Child] = field(default_factory=list)
    failures: int = 0
    revive_at: float = 0.0

    def run(self) -> None:
        """Start everything, say where it is, keep it running, and stop it in order when told.

        Raises:
            HubError: one sentence about what stands in the way; nothing is left running.
        """
        stop = threading.Event()

        def ask(_signal: int, _frame: FrameType | None) -> None:
            if stop.is_set():
                return
            stop.set()
            raise KeyboardInterrupt

        signal.signal(signal.SIGINT, ask)
        signal.signal(signal.SIGTERM, ask)
        probe(self.host, self.port)
        servers = Servers(self.settings.data_dir)
        own_postgres, own_redis = not self.settings.database_url, not self.settings.redis_url
        with ExitStack() as stack:
            stack.callback(servers.stop)
            try:
                self.say("Starting PostgreSQL and Redis …")
                servers.start(postgres=own_postgres, redis=own_redis)
                settings = find_servers(self.settings)
                prepare(settings, demo=self.demo, say=self.say)
                settings, mails = self._with_mail(settings, stack)
                stack.callback(self._stop_children)
                self._make_children(settings)
                self.children[-1].start()  # web alone, until it answers: all want the processor
                self._wait_until_ready()
                for child in self.children[:-1]:
                    child.start()
                self._announce(settings, mails)
                while not stop.wait(0.2):
                    self._tend(servers)
            except KeyboardInterrupt:
                self.say("Stopping …")
        self.say("Stopped. Everything is kept.")

    def _tend(self, servers: Servers) -> None:
        """Start again what died. While a server will not start, the directory goes on answering."""
        if time.monotonic() >= self.revive_at:
            try:
                servers.revive()
            except HubError as error:
                self.failures += 1
                self.revive_at = time.monotonic() + min(2.0**self.failures, LONGEST_WAIT)
                if self.failures == 1:
                    self.say(f"{error.sentence} It is tried again; look-ups go on answering.")
            else:
                self.failures = 0
        for child in self.children:
            child.revive()

    def _with_mail(self, settings: Settings, stack: ExitStack) -> tuple[Settings, Path | None]:
        """Catch mails in a folder where no mail server is given."""
        from hub.post.catcher import Catcher

        if settings.smtp_url or settings.notify_api_key:
            return settings, None
        folder = settings.data_dir / "mail"
        catcher = stack.enter_context(Catcher(folder))
        return settings.model_copy(update={"smtp_url": catcher.url}), folder

    def _make_children(self, settings: Settings) -> None:
        environment = {k: v for k, v in os.environ.items() if k != "DATABASE_OWNER_URL"} | {
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "SMTP_URL": settings.smtp_url,
            "HUB_DATA_DIR": str(settings.data_dir),
            "HUB_PUBLIC_URL": os.environ.get("HUB_PUBLIC_URL", self._address),
        }
        hub = [sys.executable, "-m", "hub.cli"]
        commands = {
            "web": [*hub, "web", "--host", self.host, "--port", str(self.port)],
            "worker": [*hub, "worker"],
            "scheduler": [*hub, "scheduler"],
        }
        # Stopped in reverse: web first, so that nothing new comes in.
        for name in ("scheduler", "worker", "web"):
            self.children.append(_Child(name, commands[name], environment))

    def _stop_children(self) -> None:
        for child in reversed(self.children):
            child.stop()

    @property
    def _address(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{self.port}"  # noqa: S104

    def _wait_until_ready(self) -> None:
        ends = time.monotonic() + READY_SECONDS
        ready = f"{self._address}/healthz/ready"
        while True:
            try:
                with urllib.request.urlopen(ready, timeout=5):  # noqa: S310  # our own address
                    return
            except (OSError, urllib.error.URLError):
                time.sleep(0.05)
            for child in self.children:
                child.revive()
            if time.monotonic() > ends:
                raise HubError(
                    "not-ready", 503, "The web process did not become ready: see its lines above."
                )

    def _announce(self, settings: Settings, mails: Path | None) -> None:
        from hub.records.keys import Keys
        from seed import demo as exercise

        lines = ["", f"  The hub is at {self._address}", ""]
        if self.demo:
            keys = Keys.load(settings.keys_dir)
            lines += ["  EXERCISE sign-ins (fictional people):"]
            lines += [f"    {line}" for line in exercise.sign_in_lines(keys)]
            lines += [""]
        lines += [f"  Data: {settings.data_dir.resolve()}"]
        if mails:
            lines += [
                f"  Mails: {mails.resolve()} (none leaves this machine; SMTP_URL changes that)"
            ]
        lines += ["  Ctrl-C stops everything; the next start finds everything.", ""]
        self.say("\n".join(lines))
