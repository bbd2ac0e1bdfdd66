"""The keeper, with small commands in place of a cluster; each test runs it in a process of its own."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEEP = (
    "import os, sys; from serving.processes import keep;"
    "sys.exit(keep([sys.executable, '-c', sys.argv[1], str(os.getpid())], dict(os.environ), float(sys.argv[2])))"
)
# Starts a process that leaves its session and its parent, as a daemon does, and tells its id.
DAEMON = (
    "import subprocess, sys\n"
    "p = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'], start_new_session=True)\n"
    "print(p.pid, flush=True)\n"
)
WAIT = (
    "import signal, sys\n"
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
    "print('waiting', flush=True)\n"
    "signal.pause()\n"
)
DEAF = (
    "import signal\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('waiting', flush=True)\n"
    "while True: signal.pause()\n"
)


@contextmanager
def keeper(code: str, stop_timeout_s: float = 60) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", KEEP, code, str(stop_timeout_s)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def has_ended(pid: int) -> bool:
    """Whether a process that is no child of ours ends within ten seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 10)[0])
    finally:
        os.close(descriptor)


def test_the_commands_status_is_the_keepers() -> None:
    with keeper("raise SystemExit(3)") as process:
        assert 3 == process.wait(20)


def test_a_command_that_was_killed_has_the_shells_status() -> None:
    with keeper("import os, signal; os.kill(os.getpid(), signal.SIGKILL)") as process:
        assert 128 + signal.SIGKILL == process.wait(20)


def test_a_daemon_that_was_left_is_ended_and_named() -> None:
    with keeper(DAEMON) as process:
        daemon = int(line(process))
        assert 0 == process.wait(20)
        assert process.stderr is not None
        assert f"ended a process that was left: {daemon} python" in process.stderr.read()
    assert has_ended(daemon)


def test_one_signal_asks_the_command_to_stop() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with keeper(WAIT) as process:
            assert "waiting" == line(process)
            process.send_signal(number)
            assert 5 == process.wait(20)


@pytest.mark.parametrize("way", ["signal.SIG_DFL", "lambda *_: os.abort()"])
def test_a_command_that_was_still_starting_when_it_was_asked_has_ended_well(way: str) -> None:
    code = f"import os, signal; signal.signal(signal.SIGTERM, {way}); print('starting', flush=True); signal.pause()"
    with keeper(code) as process:
        assert "starting" == line(process)
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(20)


def test_a_command_that_aborts_unasked_has_not() -> None:
    with keeper("import os; os.abort()") as process:
        assert 128 + signal.SIGABRT == process.wait(20)


def test_a_second_signal_does_not_ask() -> None:
    with keeper(DEAF) as process:
        assert "waiting" == line(process)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        assert 128 + signal.SIGKILL == process.wait(20)


def test_a_command_that_takes_too_long_to_stop_is_killed() -> None:
    with keeper(DEAF, stop_timeout_s=0.2) as process:
        assert "waiting" == line(process)
        process.send_signal(signal.SIGTERM)
        assert 128 + signal.SIGKILL == process.wait(20)


def test_a_command_stops_when_its_keeper_is_killed() -> None:
    code = (
        "import os, sys\n"
        "from serving.processes import stop_with_keeper\n"
        "stop_with_keeper(int(sys.argv[1]))\n"
        "print(os.getpid(), flush=True)\n" + WAIT
    )
    with keeper(code) as process:
        command = int(line(process))
        process.kill()
        assert has_ended(command)


def test_a_command_whose_keeper_is_gone_already_stops_at_once() -> None:
    code = "from serving.processes import stop_with_keeper; stop_with_keeper(1); print('not stopped')"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (-signal.SIGTERM, "") == (ended.returncode, ended.stdout)
