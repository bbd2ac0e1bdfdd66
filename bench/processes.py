"""Child processes that cannot outlive the bench: each is pinned to its cores and dies with its parent.

Whoever starts a child stops it (`with`). Should the bench itself be killed, the kernel kills the children
(PR_SET_PDEATHSIG). Linux only.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
STOP_S = 10.0  # seconds a child has to end after SIGTERM before it is killed


class ChildFailed(Exception):
    """A child did not do what it was started for. The message holds the end of what it said."""


@contextmanager
def child(
    module: str, *args: str, cores: Collection[int], log: Path, output: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m module args` on these cores until the block ends.

    `log` takes its standard error, and its standard output too unless that is asked for with `output`. Its standard
    input is a pipe that stays open as long as the child may live.
    """
    libc = ctypes.CDLL(None)  # loaded here: nothing may be loaded between fork and exec
    parent = os.getpid()

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)
        os.sched_setaffinity(0, cores)

    with log.open("ab") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if output else sink,
            stderr=sink,
            start_new_session=True,  # Ctrl-C goes to the bench alone, which stops its children in order
            preexec_fn=prepare,  # noqa: PLW1509  (the bench has no threads)
        )
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a child and wait for it."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def tail(log: Path, lines: int = 20) -> str:
    """The end of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def cores() -> tuple[Sequence[int], Sequence[int]]:
    """The core for the router, and those for everything else; the same one when there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[-1:], allowed[:-1] or allowed
