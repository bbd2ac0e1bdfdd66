import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.processes import child, cores

SLEEPER = "import sys; print('up', flush=True); sys.stdin.read(); import time; time.sleep(600)"


@pytest.fixture
def sleeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that says it is up and goes on when its input closes."""
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}")
    return "sleeper"


def test_a_child_runs_on_its_cores_and_is_gone_after_the_block(sleeper: str, tmp_path: Path) -> None:
    one = [cores()[0][0]]
    with child(sleeper, cores=one, log=tmp_path / "log", output=True) as process:
        assert process.stdout is not None
        assert b"up\n" == process.stdout.readline()
        assert set(one) == os.sched_getaffinity(process.pid)
    assert -signal.SIGTERM == process.returncode


def test_a_child_is_gone_after_an_interrupt(sleeper: str, tmp_path: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        child(sleeper, cores=cores()[1], log=tmp_path / "log", output=True) as process,
    ):
        raise KeyboardInterrupt
    assert process.returncode is not None


def test_a_child_does_not_outlive_a_parent_that_is_killed(sleeper: str, tmp_path: Path) -> None:
    starter = f"""
import sys
from pathlib import Path
from bench.processes import child
with child("sleeper", cores=[{cores()[1][0]}], log=Path(sys.argv[1]), output=True) as process:
    process.stdout.readline()
    print(process.pid, flush=True)
    sys.stdin.read()
"""
    argv = [sys.executable, "-c", starter, str(tmp_path / "log")]
    parent = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    watched = os.pidfd_open(int(parent.stdout.readline()))
    try:
        assert ([], [], []) == select.select([watched], [], [], 0.0)  # it runs
        parent.kill()
        parent.communicate()
        assert ([watched], [], []) == select.select([watched], [], [], 10.0)  # it has ended
    finally:
        os.close(watched)


def test_the_router_and_its_load_share_no_core_where_there_are_two() -> None:
    router, others = cores()
    assert 1 == len(router)
    assert set(router) | set(others) == os.sched_getaffinity(0)
    if len(os.sched_getaffinity(0)) > 1:
        assert not set(router) & set(others)
