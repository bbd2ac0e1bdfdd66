"""`python -m serving.leave --seconds N`: for a pod's preStop: replicas of this Ray node end in peace before it does.

At SIGTERM Ray ends its node and every engine on it at once. So Kubernetes calls this first: it asks Ray to drain the
node (as Ray's autoscaler does before it takes one away), upon which Serve starts replicas elsewhere if there is room,
takes those here off the list that routers read, lets their streams end, and stops them. It returns when none is left,
or after N seconds, whatever happens: Kubernetes' grace period, which has begun with it, must be longer.

Where the head cannot be asked, it waits for the engines to have nothing to do. A node that only shares in a replica of
another one waits for it to end, and cannot bring that about: Serve moves replicas by the node of their first process.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from serving import pod
from serving.local_get import get

ASK_S = 20.0  # for the head to take the request; Ray's command itself takes two
LOOK_S = 0.5  # between two looks
HTTP_S = 3.0
WORK = ("vllm:num_requests_running", "vllm:num_requests_waiting")


@dataclass(frozen=True, slots=True)
class World:
    """What is asked and waited with."""

    run: Callable[[Sequence[str]], bool]
    is_busy: Callable[[], bool]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    tell: Callable[[str], None] = print
    proc: Path = pod.PROC


def leave(seconds: float, world: World) -> bool:
    """Drain this node.

    Args:
        seconds: to take at most.
        world: what is asked.

    Returns:
        Whether nothing was left running.
    """
    end = world.clock() + seconds
    if not pod.engines(world.proc):
        return True
    raylets = pod.raylets(world.proc)
    is_drained = bool(raylets) and all(world.run(command(each, seconds)) for each in raylets)
    world.tell("Ray drains this node" if is_drained else "the head cannot be asked; waiting for running requests")
    while pod.engines(world.proc) if is_drained else world.is_busy():
        if world.clock() >= end:
            world.tell(f"replicas still run after {seconds:g} s")
            return False
        world.sleep(LOOK_S)
    return True


def command(raylet: pod.Raylet, seconds: float) -> list[str]:
    """Ray's own. A preemption is never refused, and its deadline is when Serve must have let go."""
    return [
        *("ray", "drain-node", "--address", raylet.gcs_address, "--node-id", raylet.node_id),
        *("--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "its pod ends"),
        *("--deadline-remaining-seconds", str(int(seconds))),
    ]


def run(words: Sequence[str]) -> bool:
    """Whether the command did it, in time."""
    try:
        return subprocess.run(words, timeout=ASK_S, check=False, stdin=subprocess.DEVNULL).returncode == 0
    except (OSError, subprocess.TimeoutExpired) as error:
        print(error)
        return False


def is_busy(ports: range = pod.PORTS, proc: Path = pod.PROC) -> bool:
    """Whether an engine here says that it has requests; one that says nothing has none that could be saved."""
    return any(requests_of(_metrics(host, port)) > 0 for host, port in pod.listening(ports, proc))


def requests_of(metrics: str) -> float:
    """Running and waiting ones, by vLLM's metrics."""
    lines = (line for line in metrics.splitlines() if line.startswith(WORK))
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def _metrics(host: str, port: int) -> str:
    """Below the replica's route prefix, which its list of routes names."""
    routes = _read(host, port, "/-/routes")
    prefix = routes.split('"')[1].rstrip("/") if routes.count('"') > 1 else ""
    return _read(host, port, f"{prefix}/metrics")


def _read(host: str, port: int, path: str) -> str:
    try:
        status, text = get(host, port, path, HTTP_S)
    except (OSError, HTTPException):
        return ""
    return text if status == 200 else ""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m serving.leave", description=__doc__)
    parser.add_argument("--seconds", type=float, required=True, help="to take at most")
    given = parser.parse_args(arguments)
    return 0 if leave(given.seconds, World(run, is_busy)) else 1


if __name__ == "__main__":
    sys.exit(main())
