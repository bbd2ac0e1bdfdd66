"""A real PostgreSQL for tests: a cluster of its own in a temporary directory, never the machine's service.

It listens on a unix socket and on a free port of 127.0.0.1, trusts everybody, and leaves it to the kernel when to write
to the disk: what was committed survives `kill`, and would not survive the machine. One cluster serves a whole session
of tests; a fresh database costs some 50 ms (`CREATE DATABASE … TEMPLATE`). Faults: `stop`, `kill`, `pause`, and `start`
or `resume` to get over them.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from serving.cluster import free_port

_READY_WITHIN_S = 60.0  # initdb takes two seconds, starting a tenth; the rest is a busy machine
_UNPRIVILEGED = ("postgres", "nobody")  # as whom it runs for root, whom initdb refuses


class PostgresMissing(Exception):
    """No server program is installed (Debian's package is `postgresql`)."""


class Postgres:
    """One cluster. Started by `running`, and stopped by its end."""

    def __init__(self, directory: Path, programs: Path, user: str | None) -> None:
        self._directory = directory
        self._programs = programs
        self._user = user
        self._databases = 0
        self.port = free_port()

    def url(self, database: str) -> str:
        return f"postgresql://tests@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template1") -> str:
        """A new database, equal to `template`; gives its URL."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.sql(f'CREATE DATABASE {name} TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, url: str) -> None:
        """Whoever is connected to it still is thrown out."""
        self.sql(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql prints: values alone, a row a line."""
        command = [self._programs / "psql", "-h", self._directory, "-p", str(self.port), "-U", "tests", "-d", database]
        done = self._run([*command, "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statement])
        return done.stdout.strip()

    def start(self) -> None:
        """Returns when it takes connections."""
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._directory} -c fsync=off "
            "-c full_page_writes=off -c max_connections=100 -c shared_buffers=32MB"
        )
        self._ctl("start", "-l", str(self._directory / "log"), "-o", options)

    def stop(self) -> None:
        """As for maintenance: connections are closed, everything is written."""
        self._ctl("stop", "-m", "fast")

    def kill(self) -> None:
        """As a crash: no farewell to anybody."""
        processes = self._processes()
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        deadline = time.monotonic() + _READY_WITHIN_S
        while any(_is_alive(process) for process in processes) and time.monotonic() < deadline:
            psutil.wait_procs(processes, timeout=0.01)
        # a container's first process may leave the dead unburied, and a new server takes their number for life
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        (self._directory / f".s.PGSQL.{self.port}.lock").unlink(missing_ok=True)

    def pause(self) -> None:
        """It hangs: connections stay open, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    @property
    def is_running(self) -> bool:
        return self._pid() is not None

    def initialise(self) -> None:
        options = "--username=tests --auth=trust --no-sync --encoding=UTF8 --locale=C"
        self._run([self._programs / "initdb", "-D", self._data, *options.split()])

    def end(self) -> None:
        """Whatever state it is in."""
        if self.is_running:
            self.resume()
            with contextlib.suppress(subprocess.SubprocessError):
                self._ctl("stop", "-m", "immediate")
            if self.is_running:
                self.kill()

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def _pid(self) -> int | None:
        try:
            pid = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        with contextlib.suppress(psutil.NoSuchProcess):
            return pid if _is_alive(psutil.Process(pid)) else None
        return None

    def _processes(self) -> list[psutil.Process]:
        """The postmaster before its children: it must not see them die."""
        pid = self._pid()
        if pid is None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(pid)
            return [parent, *parent.children(recursive=True)]
        return []

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _ctl(self, verb: str, *arguments: str) -> None:
        self._run([self._programs / "pg_ctl", verb, "-D", self._data, "-w", "-s", *arguments])

    def _run(self, command: list[Path | str]) -> subprocess.CompletedProcess[str]:
        """To a file, not to a pipe, which the server would inherit and keep open."""
        with tempfile.TemporaryFile("w+") as out:
            done = subprocess.run(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                user=self._user,
                group=None if self._user is None else pwd.getpwnam(self._user).pw_gid,
                extra_groups=None if self._user is None else (),
                cwd=self._directory,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "PGTZ": "UTC"},
                timeout=_READY_WITHIN_S,
                check=False,
            )
            out.seek(0)
            text = out.read()
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, command, text)
        return subprocess.CompletedProcess(command, 0, stdout=text)


@contextlib.contextmanager
def running() -> Iterator[Postgres]:
    """A cluster that takes connections, and is gone with its directory afterwards.

    Raises:
        PostgresMissing: there is no server program.
    """
    programs, user = _programs(), _unprivileged()
    # not below pytest's tmp_path: the path of a unix socket has 107 bytes at most
    directory = Path(tempfile.mkdtemp(prefix="tramontane-pg-"))
    cluster = Postgres(directory, programs, user)
    with _reaper(directory):
        if user is not None:
            shutil.chown(directory, user)
        try:
            cluster.initialise()
            cluster.start()
            yield cluster
        finally:
            cluster.end()


@contextlib.contextmanager
def _reaper(directory: Path) -> Iterator[None]:
    """Removes the directory at the end, and what still runs there, also if this process is killed.

    A process of its own waits until the pipe from here is closed, by whomever.
    """
    script = 'read _; pid=$(head -n 1 data/postmaster.pid); kill -QUIT "$pid"; kill -CONT "$pid"; rm -rf "$PWD"'
    reaper = subprocess.Popen(
        ["sh", "-c", script],
        cwd=directory,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is not for it
    )
    try:
        yield
    finally:
        reaper.communicate(timeout=_READY_WITHIN_S)


def _programs() -> Path:
    """The directory of the newest version that is installed. Debian keeps servers off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("postgres")
    if found:
        return found[-1].parent
    if on_path is None:
        raise PostgresMissing("PostgreSQL's server is not installed; `make system-deps` sees to it")
    return Path(on_path).resolve().parent


def _is_alive(process: psutil.Process) -> bool:
    """Dead and unburied is dead."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _unprivileged() -> str | None:
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise PostgresMissing(f"root cannot run PostgreSQL, and there is no user {' or '.join(_UNPRIVILEGED)} to run it as")
