"""Child processes of the local stack: each with a log file, ended with its starter, counted from outside.

Rules
- A child's output goes to its log, never to the terminal.
- A child has a session of its own: Ctrl-C at the terminal reaches the starter alone, which stops things in order.
- The kernel sends a child SIGTERM when the thread that started it dies, however that happened (prctl(2),
  PR_SET_PDEATHSIG); each child sees to its own descendants then (`python -m serving` does).
- All of a run's processes carry its mark in their environment, so that "nothing is left" is seen, not assumed.
Linux only.
"""

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

RUN_VARIABLE = "TRAMONTANE_RUN"
SETTLE_S = 5.0  # what has lost its parent ends within a second or two, or never
TICK_S = 0.05


class ChildDied(Exception):
    """A child ended although nobody asked it to."""


class Child:
    """A running command."""

    def __init__(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, grace_s: float
    ) -> None:
        """Start it.

        Args:
            name: what messages and files call it.
            environment: the child's whole environment; see `marked`.
            folder: gets `NAME.out` and `NAME.log`, what it writes to stdout and stderr.
            grace_s: seconds it has to end after SIGTERM.
        """
        self.name = name
        self.output = folder / f"{name}.out"
        self.log = folder / f"{name}.log"
        self._grace_s = grace_s
        with self.output.open("wb") as output, self.log.open("wb") as log:
            self._process = subprocess.Popen(
                tied_to(os.getpid(), command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                env=dict(environment),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The command's process id (what `tied_to` puts before it becomes the command)."""
        return self._process.pid

    def check(self) -> None:
        """Raise if it has ended.

        Raises:
            ChildDied: with its exit status and last log lines.
        """
        status = self._process.poll()
        if status is not None:
            last = "\n".join(f"{path}:\n{tail(path)}" for path in (self.output, self.log) if path.stat().st_size)
            raise ChildDied(f"{self.name} ended ({_words(status)}). Its last words:\n{last or '    none'}")

    def stop(self) -> None:
        """SIGTERM, then SIGKILL when its grace is over. Returns when it has ended; again: does nothing."""
        self._process.terminate()
        try:
            self._process.wait(self._grace_s)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()

    def kill(self) -> None:
        """SIGKILL now. May be called by a signal handler that interrupted `stop`."""
        self._process.kill()


def tied_to(starter: int, command: Sequence[str]) -> list[str]:
    """The command, to be started by the process `starter`, with whose end it gets SIGTERM.

    A starter that is gone before the kernel was told would never be noticed, so the parent is looked at once more
    after that: if it is another one by then, the command is not begun.
    """
    unless_orphaned = ("sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"', str(starter))
    return ["setpriv", "--pdeathsig", "TERM", "--", *unless_orphaned, *command]  # util-linux, part of every Debian


def _words(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def tail(path: Path, lines: int = 15) -> str:
    """The last lines of a text file, each indented."""
    with path.open(errors="replace") as text:
        return "".join("    " + line for line in deque(text, maxlen=lines)).rstrip("\n")


def marked(run: str, extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment, more variables, and the run's mark."""
    keep_mark = {"SPT_NOENV": "1"}  # or setproctitle, in Ray and vLLM, writes titles over the environment
    return {**os.environ, "PYTHONUNBUFFERED": "1", **extra, **keep_mark, RUN_VARIABLE: run}


def of_run(run: str) -> list[int]:
    """The living processes that carry a run's mark, this one left out."""
    mark = f"{RUN_VARIABLE}={run}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            variables = (entry / "environ").read_bytes()  # empty for a zombie
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # ended while we looked, or another user's
        if mark in variables.split(b"\0"):
            found.append(int(entry.name))
    return found


def end_run(run: str, *, settle_s: float = SETTLE_S) -> list[int]:
    """Wait until no process of a run is left, killing those that stay.

    Args:
        settle_s: seconds before killing begins.

    Returns:
        The processes that had to be killed.
    """
    killed: set[int] = set()
    kill_at = time.monotonic() + settle_s
    while left := of_run(run):
        if time.monotonic() >= kill_at:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue  # it had ended by itself after all
                killed.add(pid)
        time.sleep(TICK_S)
    return sorted(killed)
