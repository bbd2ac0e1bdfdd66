"""Nothing left behind: a keeper process that outlives whatever it runs, and ends everything that came of it.

Ray and vLLM start some twenty processes, several of which leave their parent's session or outlive it. The keeper makes
itself the kernel's "child subreaper": orphans of any depth become its children, so that "everything that came of this"
is an exact set however the run ended. It does as little as possible itself, so that it does not crash. Linux only.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType

import psutil

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
STOPPED_BY = (signal.SIGTERM, signal.SIGABRT)
"""How a command may end that was asked to stop while it was starting: before it could handle the signal, or, while Ray
has a handler of its own in place, by Ray's abort. There is nothing to drain then, and nothing went wrong."""
SETTLE_S = 5.0  # seconds that processes already on their way out get, before they are killed and counted


def prctl(option: int, value: int) -> None:
    """Linux `prctl(2)`.

    Raises:
        OSError: the kernel refused.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def keep(command: Sequence[str], environment: dict[str, str], stop_timeout_s: float) -> int:
    """Run a command until it ends, pass signals on, then see that nothing of it is left.

    The first SIGTERM, SIGINT or SIGHUP asks the command to stop; after `stop_timeout_s`, or at the second signal, it is
    killed. The command has a session of its own, so that Ctrl-C reaches it only this way.

    Returns:
        The command's exit status; 128 + n if signal n ended it; 0 if it ended as it was asked to (see STOPPED_BY).
    """
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    child: subprocess.Popen[bytes] | None = None
    asked = 0

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked += 1
        if child is not None:
            child.send_signal(signal.SIGTERM if asked == 1 else signal.SIGKILL)
        signal.setitimer(signal.ITIMER_REAL, stop_timeout_s)

    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(each, stop)
    child = subprocess.Popen(
        command,
        env=environment,
        start_new_session=True,
    )
    if asked:  # between the handlers and the child
        child.send_signal(signal.SIGTERM)
    pid, status = 0, 0
    while pid != child.pid:  # others are orphans, which must be reaped by somebody
        pid, status = os.waitpid(-1, 0)
    code = os.waitstatus_to_exitcode(status)
    child.returncode = code
    signal.setitimer(signal.ITIMER_REAL, 0)
    for name in end_descendants(SETTLE_S):
        print(f"ended a process that was left: {name}", file=sys.stderr)
    if asked == 1 and -code in STOPPED_BY:
        return 0
    return code if code >= 0 else 128 - code


def stop_with_keeper(keeper: int) -> None:
    """Have the kernel send this process SIGTERM when the keeper is gone, however it went.

    Args:
        keeper: process id of the parent that is expected.
    """
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != keeper:  # it went before the kernel knew
        signal.raise_signal(signal.SIGTERM)


def end_descendants(settle_s: float) -> list[str]:
    """Wait for all processes that came of this one, and kill those that stay.

    Args:
        settle_s: seconds to wait before killing.

    Returns:
        Names of the processes that had to be killed.
    """
    killed: dict[int, str] = {}
    kill_at = time.monotonic() + settle_s
    while left := psutil.Process().children(recursive=True):
        if time.monotonic() >= kill_at:
            for process in left:
                try:
                    killed.setdefault(process.pid, f"{process.pid} {process.name()}")
                    process.kill()
                except psutil.NoSuchProcess:
                    killed.pop(process.pid, None)
        _reap()
        time.sleep(0.05)
    return list(killed.values())


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return
