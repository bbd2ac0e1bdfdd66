"""Processes of a run: all carry its mark, end with their starter, and may be stopped and continued."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from deploy.processes import RUN_VARIABLE, tail, tied_to

TERM_S = 30.0  # after a SIGTERM that nobody counts on


class Running:
    """One process and what came of it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                tied_to(os.getpid(), command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def require(self) -> None:
        """Raises AssertionError with the last words of one that has ended."""
        code = self._process.poll()
        assert code is None, f"{self.log.stem} ended with {code}:\n{tail(self.log, 40)}"

    def term(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def wait(self, timeout_s: float) -> int:
        """Its exit status. Raises subprocess.TimeoutExpired."""
        return self._process.wait(timeout_s)

    def end(self) -> None:
        """However it has to be."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self.term()
            try:
                self.wait(TERM_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self.wait(TERM_S)

    def named(self, word: str) -> list[psutil.Process]:
        """It and those that came of it, with this word in the title."""
        found = []
        for process in _family(self.pid):
            try:
                if word in " ".join(process.cmdline()):
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found


@contextmanager
def hung(processes: Sequence[psutil.Process]) -> Iterator[None]:
    """They are stopped for the time of the block: they exist, hold their ports, and do nothing."""
    try:
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)


def environment(run: str, folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """All variables of a process: what images bring (programs, this project, a home), then the rendered ones."""
    image = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]),
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "PYTHONUNBUFFERED": "1",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
    }
    keep_mark = {"SPT_NOENV": "1"}  # or setproctitle, in Ray and vLLM, writes titles over the environment
    return image | dict(variables) | keep_mark | {RUN_VARIABLE: run}


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
