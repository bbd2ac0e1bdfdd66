"""One application on a cluster that `serving.cluster` runs: started, waited for, drained."""

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from serving.cluster import HOST, POLL_S, ClusterLost, free_port
from serving.config import Deployment
from serving.dashboard import ApplicationState, Dashboard

SHUTDOWN_S = 30.0  # for Ray itself to stop, beyond what the requests are given


class DeploymentFailed(RuntimeError):
    """Ray gave the application up, or it was not ready in time."""


@contextmanager
def running_application(
    dashboard: Dashboard, deployment: Deployment, name: str, stopping: Callable[[], None]
) -> Iterator[None]:
    """Start an application without waiting for it; at the end drain it and stop Ray Serve.

    Args:
        dashboard: the cluster's.
        deployment: what to run.
        name: of the application.
        stopping: called before draining, which may take as long as the deployment allows.

    Raises:
        OSError: the dashboard does not take the application.
    """
    proxy = (HOST, free_port())
    application = {
        "name": name,
        "route_prefix": deployment.route_prefix,
        "import_path": "serving.app:build",
        "args": deployment.model_dump(mode="json", exclude_unset=True),
    }
    try:
        dashboard.declare([application], proxy)
        yield
    except ClusterLost:
        raise
    except BaseException:
        stopping()
        _drain(dashboard, proxy, name, deployment.drain.timeout_s)
        raise
    else:
        stopping()
        _drain(dashboard, proxy, name, deployment.drain.timeout_s)


def _drain(dashboard: Dashboard, proxy: tuple[str, int], name: str, timeout_s: float) -> None:
    # The dashboard waits without end for a controller that does not answer; the alarm ends this process then, and the
    # keeper the rest.
    signal.alarm(math.ceil(timeout_s + 2 * SHUTDOWN_S))
    dashboard.declare([], proxy)
    deadline = time.monotonic() + timeout_s + SHUTDOWN_S
    while dashboard.read(name) is not None and time.monotonic() < deadline:
        time.sleep(POLL_S)
    dashboard.end_serve()
    signal.alarm(0)


def wait_until_ready(
    read: Callable[[], ApplicationState | None],
    replicas: int,
    timeout_s: float,
    tell: Callable[[str], None],
    rest: Callable[[], None],
) -> ApplicationState:
    """Wait for the replicas to be announced.

    Args:
        read: asks the dashboard.
        replicas: how many are wanted.
        timeout_s: seconds to wait at most.
        tell: hears each change.
        rest: lets some time pass between two looks.

    Raises:
        DeploymentFailed: Ray gave up, or the time is over; with Ray's own message.
    """
    deadline = time.monotonic() + timeout_s
    last = ""
    state: ApplicationState | None
    while True:
        try:
            state = read()
            news = _summary(state)
        except OSError as error:  # a busy machine's dashboard may be slow; the time limit is above it all
            state, news = None, f"Ray's dashboard does not answer: {error}"
        if news != last:
            tell(news)
            last = news
        if state is not None:
            if state.status == "RUNNING" and len(state.replicas) >= replicas:
                return state
            if state.status == "DEPLOY_FAILED":
                raise DeploymentFailed(state.message)
        if time.monotonic() > deadline:
            raise DeploymentFailed(f"not ready after {timeout_s:g} s: {news}")
        rest()


def _summary(state: ApplicationState | None) -> str:
    if state is None:
        return "waiting for Ray Serve"
    parts = ", ".join([state.status.lower(), f"{len(state.replicas)} ready", *state.starting])
    lines = state.message.strip().splitlines()
    # Ray puts a whole traceback in between, of which the last line says what happened.
    return ": ".join([parts, *dict.fromkeys([*lines[:1], *lines[-1:]])])
