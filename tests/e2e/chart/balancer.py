"""haproxy in the place of a Service: connections, not requests, spread over the routers that are ready.

A pod is an endpoint as long as its readiness probe says so, asked as often as the chart says. Nothing is tried a second
time: a Service does not either, so a connection that a router refuses is a failed one.
"""

import csv
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from serving.cluster import free_port
from tests.e2e.chart.processes import Running, environment
from tests.e2e.chart.routers import FIRST, MOST, Router, Routers
from tests.e2e.engines import until

SETTLE_S = 60.0  # until haproxy has looked at every address, of which it thinks well at first
BACKEND = "routers"


def program() -> str:
    found = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        pytest.fail("haproxy is not installed; `make system-deps` sees to it")
    return found


@dataclass(frozen=True)
class Balancer:
    """A balancer that runs."""

    url: str
    process: Running
    socket: Path

    def up(self) -> frozenset[str]:
        """Addresses that get new connections."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self.socket))
            connection.sendall(b"show stat\n")
            text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        rows = csv.DictReader(text.removeprefix("# ").splitlines())
        servers = [row for row in rows if row["pxname"] == BACKEND and row["svname"] not in ("FRONTEND", "BACKEND")]
        return frozenset(row["svname"] for row in servers if row["status"].startswith("UP"))

    def wait(self, routers: Sequence[Router]) -> None:
        """Until exactly these get new connections."""
        wanted = {router.pod.address for router in routers}
        self.process.require()
        until(lambda: self.up() == wanted, SETTLE_S, f"haproxy sends to {sorted(wanted)}")


@contextmanager
def balancer(routers: Routers) -> Iterator[Balancer]:
    """One before all routers that there may be, under the address of the chart's Service."""
    machine = routers.machine
    address = machine.address(1)
    url = f"{address}:{free_port(address)}"
    control, file = machine.folder / "haproxy.sock", machine.folder / "haproxy.cfg"
    file.write_text(configuration(routers, url, control), encoding="utf-8")
    variables = environment(routers.run, machine.folder, {})
    process = Running([program(), "-db", "-f", str(file)], variables, machine.folder, machine.folder / "haproxy.log")
    try:
        until(control.exists, SETTLE_S, "haproxy listens")
        yield Balancer(f"http://{url}", process, control)
    finally:
        process.end()


def configuration(routers: Routers, bind: str, control: Path) -> str:
    """haproxy's, with the rendered readiness probe as its health check."""
    container = routers.container
    probe = container["readinessProbe"]
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    addresses = [routers.machine.address(FIRST + number) for number in range(MOST)]
    servers = "\n".join(f"    server {address} {address}:{ports['http']}" for address in addresses)
    return f"""\
global
    stats socket {control} mode 600
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout check {probe["timeoutSeconds"]}s
    retries 0
frontend service
    bind {bind}
    default_backend {BACKEND}
backend {BACKEND}
    balance roundrobin
    option httpchk GET {probe["httpGet"]["path"]}
    http-check expect status 200
    default-server check port {ports[probe["httpGet"]["port"]]} inter {probe["periodSeconds"]}s \
fall {probe["failureThreshold"]} rise {probe.get("successThreshold", 1)}
{servers}
"""
