"""`python -m serving.probe head|worker`: does this Ray node do its work? For a pod's probes; if not, exit status 1 and
one line that says why.

What KubeRay brings by itself asks Ray's agent, which asks the head whether this node is alive: a worker whose head is
away would be ended with an engine that answers, and a process that was stopped counts as alive for as long as the head
has not noticed. So each process is asked itself: GCS and raylet are gRPC servers, which greet whoever connects with
HTTP/2's settings. A process that is stopped or hangs does not, though the kernel still accepts for it. No token is
needed for any of this.
"""

import argparse
import socket
import sys
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path

from serving import pod
from serving.local_get import get

HERE = "127.0.0.1"
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)  # and empty settings (RFC 9113, 3.4)
SETTINGS = 4  # type of the frame that a server sends first
HEALTH = "/-/healthz"
GCS_HEALTH = "/api/gcs_healthz"


class Sick(Exception):
    """Something does not do its work; the text says what."""


def require_grpc(name: str, host: str, port: int, timeout_s: float) -> None:
    """A gRPC server answers. Raises Sick."""
    try:
        with socket.create_connection((host, port), timeout_s) as connection:
            connection.settimeout(timeout_s)
            connection.sendall(GREETING)
            frame = b""
            while len(frame) < 4 and (more := connection.recv(64)):
                frame += more
    except OSError as error:
        raise Sick(f"{name} does not answer at port {port}: {error}") from None
    if len(frame) < 4 or frame[3] != SETTINGS:
        raise Sick(f"{name} does not answer at port {port} as gRPC does")


def require_ok(name: str, host: str, port: int, path: str, timeout_s: float) -> None:
    """An HTTP server answers with 200. Raises Sick."""
    try:
        status, _ = get(host, port, path, timeout_s)
    except (OSError, HTTPException) as error:
        raise Sick(f"{name} does not answer at port {port}: {error!r}") from None
    if status != 200:
        raise Sick(f"{name} answers {status} at port {port}{path}")


def require_raylet(timeout_s: float, proc: Path) -> None:
    """Ray's node process answers. Raises Sick."""
    found = pod.raylets(proc)
    if not found:
        raise Sick("no raylet runs here")
    for raylet in found:
        if raylet.port == 0:
            raise Sick("the raylet's port is unknown: start Ray with --node-manager-port")
        require_grpc("the raylet", HERE, raylet.port, timeout_s)


def require_started(start_s: float, ports: range, proc: Path) -> None:
    """No replica has been starting for too long: it opens its port when it is warm. Raises Sick."""
    oldest_s = max((each.age_s for each in pod.replicas(proc)), default=0.0)
    if oldest_s > start_s and not pod.listening(ports, proc):
        raise Sick(f"a replica has been starting for {oldest_s:.0f} s, and may take {start_s:.0f}")


def require_replicas(least: int, ports: range, timeout_s: float, proc: Path) -> None:
    """So many replicas are here, and all that are answer and do not drain. Raises Sick."""
    found = pod.listening(ports, proc)
    if len(found) < least:
        raise Sick("no replica has started here yet")
    for host, port in found:
        require_ok("a replica", host, port, HEALTH, timeout_s)


def look(given: argparse.Namespace, proc: Path = pod.PROC) -> None:
    """Do what the command line asks for. Raises Sick."""
    if given.node == "head":
        require_grpc("the GCS", HERE, given.gcs_port, given.timeout)
    require_raylet(given.timeout, proc)
    if given.dashboard:
        require_ok("the dashboard", HERE, given.dashboard_port, GCS_HEALTH, given.timeout)
    if given.start_seconds is not None:
        require_started(given.start_seconds, given.ports, proc)
    if given.replicas is not None:
        require_replicas(given.replicas, given.ports, given.timeout, proc)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m serving.probe", description=__doc__)
    parser.add_argument("node", choices=["head", "worker"])
    parser.add_argument("--dashboard", action="store_true", help="the dashboard too (head)")
    parser.add_argument("--start-seconds", type=float, help="that a replica may take to start")
    parser.add_argument("--replicas", type=int, help="at least so many answer, and all that are here")
    parser.add_argument("--timeout", type=float, default=3.0, help="seconds for each answer (default: 3)")
    parser.add_argument("--gcs-port", type=int, default=6379)
    parser.add_argument("--dashboard-port", type=int, default=8265)
    parser.add_argument("--ports", type=_ports, default=pod.PORTS, help="of replicas (default: 30000-31000)")
    return parser.parse_args(arguments)


def _ports(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main(arguments: Sequence[str] | None = None, proc: Path = pod.PROC) -> int:
    try:
        look(parse(arguments), proc)
    except Sick as sick:
        print(sick)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
