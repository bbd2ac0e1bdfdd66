"""Waiting for replicas. The application itself: tests/e2e/test_engines.py."""

import pytest

from serving.application import DeploymentFailed, wait_until_ready
from serving.dashboard import ApplicationState, ReplicaAddress

ONE = ReplicaAddress("SERVE_REPLICA::1", "127.0.0.1", 30000)
TWO = ReplicaAddress("SERVE_REPLICA::2", "127.0.0.1", 30001)
READY = ApplicationState("RUNNING", "", (), (ONE,))

Seen = ApplicationState | None | OSError


def wait(*seen: Seen, replicas: int = 1, timeout_s: float = 60) -> tuple[ApplicationState, list[str]]:
    """Wait while the dashboard says one thing after the other; what was found, and what was told meanwhile."""
    told: list[str] = []
    answers = iter(seen)

    def read() -> ApplicationState | None:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    return wait_until_ready(read, replicas, timeout_s, told.append, rest=lambda: None), told


def test_it_is_ready_when_all_replicas_are_announced() -> None:
    ready = ApplicationState("RUNNING", "", (), (ONE, TWO))
    found, told = wait(
        None,
        ApplicationState("DEPLOYING", "", ("1 STARTING", "2 STARTING"), ()),
        ApplicationState("DEPLOYING", "", ("1 STARTING", "2 STARTING"), ()),
        ApplicationState("RUNNING", "", ("2 STARTING",), (ONE,)),
        ready,
        replicas=2,
    )
    assert ready == found
    assert [
        "waiting for Ray Serve",
        "deploying, 0 ready, 1 STARTING, 2 STARTING",
        "running, 1 ready, 2 STARTING",
        "running, 2 ready",
    ] == told


def test_a_replica_that_has_to_be_replaced_is_waited_for() -> None:
    assert READY == wait(ApplicationState("UNHEALTHY", "lost", ("1 STARTING",), ()), READY)[0]


def test_a_dashboard_that_is_slow_is_asked_again() -> None:
    found, told = wait(TimeoutError("timed out"), READY)
    assert READY == found
    assert "Ray's dashboard does not answer: timed out" == told[0]


def test_a_long_message_is_told_by_its_ends() -> None:
    message = "A replica failed to start.\nTraceback\n  File ...\nValueError: no weights\n"
    _, told = wait(ApplicationState("DEPLOYING", message, (), ()), READY)
    assert "deploying, 0 ready: A replica failed to start.: ValueError: no weights" == told[0]


def test_what_ray_gives_up_is_a_failure_with_rays_words() -> None:
    with pytest.raises(DeploymentFailed, match="no weights"):
        wait(ApplicationState("DEPLOY_FAILED", "no weights", (), ()))


def test_a_start_that_takes_too_long_is_a_failure() -> None:
    slow = ApplicationState("DEPLOYING", "", ("1 STARTING",), ())
    with pytest.raises(DeploymentFailed, match="not ready after 0 s: deploying, 0 ready, 1 STARTING"):
        wait(slow, slow, timeout_s=0)
