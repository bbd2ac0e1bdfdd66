import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.processes import Child, ChildDied, end_run, marked, of_run, tail, tied_to
from tests.deploy.waiting import ended

RUN = "test-of-processes"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[str]:
    """A run's name; at the end nothing of it may be left, whatever the test did."""
    name = f"{RUN}-{tmp_path.name}"
    yield name
    end_run(name, settle_s=0)


def start(run: str, folder: Path, script: str, grace_s: float = 10.0) -> Child:
    """A shell script as a child that has printed a line."""
    child = Child("child", ["bash", "-c", script], environment=marked(run, {}), folder=folder, grace_s=grace_s)
    while not child.output.read_text().endswith("\n"):
        child.check()
    return child


def test_a_child_that_ends_well_at_sigterm_is_gone_after_stop(run: str, tmp_path: Path) -> None:
    child = start(run, tmp_path, "echo up; exec sleep 1000")
    while [child.pid] != of_run(run):  # none while the shell becomes the sleeper
        child.check()
    child.stop()
    assert [] == of_run(run)


def test_a_child_that_ignores_sigterm_is_killed_when_its_grace_is_over(run: str, tmp_path: Path) -> None:
    child = start(run, tmp_path, "trap '' TERM; echo up; while true; do read -t 1000 < <(:); done", grace_s=0.1)
    child.stop()
    with pytest.raises(ChildDied, match="killed by SIGKILL"):
        child.check()


def test_orphans_in_sessions_of_their_own_are_found_and_killed(run: str, tmp_path: Path) -> None:
    child = start(run, tmp_path, "setsid sleep 1000 & setsid sleep 1000 & echo up; wait")
    while len(orphans := sorted(set(of_run(run)) - {child.pid})) < 2:  # fewer while the shells become the sleepers
        child.check()
    child.stop()
    assert orphans == end_run(run, settle_s=0)
    assert [] == of_run(run)


def test_orphans_that_end_soon_are_not_killed(run: str, tmp_path: Path) -> None:
    child = start(run, tmp_path, "setsid tail --pid=$$ -s 0.1 -f /dev/null & echo up; wait")
    child.stop()
    assert [] == end_run(run, settle_s=20)


def test_a_child_gets_sigterm_when_its_starter_is_killed(run: str, tmp_path: Path) -> None:
    code = (
        "import signal, sys; from pathlib import Path; from deploy.processes import Child, marked\n"
        "Child('child', ['sleep', '1000'], environment=marked(sys.argv[1], {}), folder=Path(sys.argv[2]), grace_s=1)\n"
        "print('started', flush=True); signal.pause()"
    )
    command = [sys.executable, "-c", code, run, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        assert "started\n" == starter.stdout.readline()
        while not (children := of_run(run)):  # none while one program of the child takes the other's place
            assert starter.poll() is None
        starter.send_signal(signal.SIGKILL)
    assert 1 == len(children)
    assert ended(children)


def test_a_command_whose_starter_is_gone_already_is_not_begun(tmp_path: Path) -> None:
    sign = tmp_path / "begun"
    of_somebody_else = os.getppid()
    assert 0 != subprocess.run(tied_to(of_somebody_else, ["touch", str(sign)]), check=False, timeout=20).returncode
    assert not sign.exists()
    assert 0 == subprocess.run(tied_to(os.getpid(), ["touch", str(sign)]), check=False, timeout=20).returncode
    assert sign.exists()


def test_ctrl_c_at_the_terminal_does_not_reach_a_child(run: str, tmp_path: Path) -> None:
    child = start(run, tmp_path, "ps -o sid= -p $$; exec sleep 1000")
    assert child.pid == int(child.output.read_text())
    child.stop()


def test_the_death_of_a_child_is_told_with_its_status_and_last_words(run: str, tmp_path: Path) -> None:
    child = Child(
        "engines",
        ["bash", "-c", "echo done so far; echo out of memory >&2; exit 3"],
        environment=marked(run, {}),
        folder=tmp_path,
        grace_s=1,
    )
    assert ended([child.pid])
    with pytest.raises(ChildDied) as death:
        child.check()
    assert (
        "engines ended (exit status 3). Its last words:\n"
        f"{tmp_path}/engines.out:\n    done so far\n{tmp_path}/engines.log:\n    out of memory"
    ) == str(death.value)


def test_a_child_that_never_spoke_is_told_so(run: str, tmp_path: Path) -> None:
    child = Child("router", ["false"], environment=marked(run, {}), folder=tmp_path, grace_s=1)
    assert ended([child.pid])
    with pytest.raises(ChildDied, match=r"exit status 1\). Its last words:\n    none"):
        child.check()


def test_a_tail_is_the_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    assert "    line 98\n    line 99" == tail(log, lines=2)
