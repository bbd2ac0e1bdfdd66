"""Every way to end `up` and `demo`, in a process of its own, with fakes in place of engines and router."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.processes import end_run, of_run
from tests.deploy.waiting import ended

SESSION = Path(__file__).parent / "fakes" / "session.py"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


class Session:
    """A running session and what it prints."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self.process = process
        self._folder = folder
        self.said = ""

    def until(self, words: str) -> None:
        """Read on until it says so."""
        assert self.process.stdout is not None
        while words not in self.said:
            line = self.process.stdout.readline()
            assert line, f"ended without saying {words!r}:\n{self.said}"
            self.said += line

    def end(self) -> int:
        """Its exit status, once it has ended."""
        self.said += self.process.communicate(timeout=60)[0]
        return self.process.returncode

    @property
    def run(self) -> str:
        return next(self._folder.iterdir()).name


@contextmanager
def session(folder: Path, manner: str = "ready", work: str = "wait") -> Iterator[Session]:
    command = [sys.executable, str(SESSION), str(folder), manner, work]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        running = Session(process, folder)
        try:
            yield running
        finally:
            process.kill()
            if any(folder.iterdir()):
                end_run(running.run, settle_s=0)


def test_work_that_returns_ends_the_session_and_everything_in_it(tmp_path: Path) -> None:
    with session(tmp_path, work="return") as running:
        assert 0 == running.end()
        assert running.said.endswith("stopped; nothing is left running\n")
        assert [] == of_run(running.run)


def test_work_that_fails_ends_everything_too(tmp_path: Path) -> None:
    with session(tmp_path, work="fail") as running:
        assert 1 == running.end()
        assert running.said.endswith("the work failed\n")
        assert [] == of_run(running.run)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything(tmp_path: Path, signum: signal.Signals) -> None:
    with session(tmp_path) as running:
        running.until("working")
        running.process.send_signal(signum)
        assert 128 + signum == running.end()
        assert [] == of_run(running.run)


def test_a_signal_while_starting_ends_everything(tmp_path: Path) -> None:
    with session(tmp_path, "starting") as running:
        running.until("engine 1 of 1: loading")
        running.process.send_signal(signal.SIGINT)
        assert 130 == running.end()
        assert [] == of_run(running.run)


def test_a_second_signal_does_not_wait_and_cannot_break_off_the_cleaning_up(tmp_path: Path) -> None:
    with session(tmp_path, "stubborn") as running:
        running.until("working")
        router = [pid for pid in of_run(running.run) if b"router.py" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        running.process.send_signal(signal.SIGINT)
        assert ended(router)  # the engines, which come next, are the ones that would take their whole grace
        running.process.send_signal(signal.SIGINT)
        running.process.send_signal(signal.SIGINT)
        assert 130 == running.end()
        assert [] == of_run(running.run)


def test_what_had_to_be_killed_is_no_success(tmp_path: Path) -> None:
    with session(tmp_path, "messy", work="return") as running:
        assert 1 == running.end()
        assert "1 process(es) had to be killed" in running.said


def test_a_session_that_is_killed_takes_its_children_along(tmp_path: Path) -> None:
    with session(tmp_path) as running:
        running.until("working")
        children = of_run(running.run)
        assert 3 == len(children)  # engines, their daemon, router
        running.process.send_signal(signal.SIGKILL)
        assert ended(children)
