"""What runs in this pod (or on this machine): Ray's node process, replicas, and the ports they answer at.

Read off Linux's /proc, as nothing that may hang is to be asked who hangs. Needs no Ray, and starts in a moment: probes
run it every few seconds.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

PROC = Path("/proc")
REPLICA = "ray::ServeReplica:"  # how Ray names the process of a replica
SHARE = "ray::RayWorker"  # and vLLM's workers of one that lies on several nodes
PORTS = range(30000, 31001)  # of replicas, unless the cluster's variables say otherwise
LISTENING = "0A"  # in /proc/net/tcp
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, slots=True)
class Process:
    """One that runs."""

    pid: int
    arguments: tuple[str, ...]
    age_s: float

    def option(self, name: str) -> str | None:
        """The value of `--name=value`."""
        start = f"--{name}="
        return next((each.removeprefix(start) for each in self.arguments if each.startswith(start)), None)


@dataclass(frozen=True, slots=True)
class Raylet:
    """Ray's process of a node."""

    node_id: str
    gcs_address: str
    port: int  # 0: the kernel chose one


def processes(proc: Path = PROC) -> Iterator[Process]:
    """All that can be seen, but for zombies and those that go meanwhile."""
    uptime_s = float((proc / "uptime").read_text().split()[0])
    ticks = os.sysconf("SC_CLK_TCK")
    for folder in proc.glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            # The name in parentheses may hold blanks and parentheses; what follows the last one is numbers.
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        arguments = tuple(word for word in words if word)
        if arguments and fields[0] != "Z":
            yield Process(int(folder.name), arguments, uptime_s - int(fields[19]) / ticks)


def raylets(proc: Path = PROC) -> list[Raylet]:
    """One in a pod; more where several Ray nodes share a machine."""
    return [
        Raylet(node_id, each.option("gcs-address") or "", int(each.option("node_manager_port") or 0))
        for each in processes(proc)
        if Path(each.arguments[0]).name == "raylet" and (node_id := each.option("node_id"))
    ]


def replicas(proc: Path = PROC) -> list[Process]:
    """Serve's replicas, those that are starting among them."""
    return [each for each in processes(proc) if each.arguments[0].startswith(REPLICA)]


def engines(proc: Path = PROC) -> list[Process]:
    """Replicas, and workers of those that have their first process on another node."""
    return [each for each in processes(proc) if each.arguments[0].startswith((REPLICA, SHARE))]


def listening(ports: range, proc: Path = PROC) -> list[tuple[str, int]]:
    """Hosts and ports among these that somebody here accepts connections at; each port once."""
    found: dict[int, str] = {}
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue  # without IPv6 there is no such file
        for line in lines:
            _, local, _, state, *_ = line.split()
            address, _, port = local.partition(":")
            if state == LISTENING and int(port, 16) in ports:
                found.setdefault(int(port, 16), _host(address))
    return [(host, port) for port, host in sorted(found.items())]


def _host(hexadecimal: str) -> str:
    """An address as the kernel writes it: words of 32 bits, each in the machine's order, which is little-endian."""
    words = [bytes.fromhex(hexadecimal[at : at + 8])[::-1] for at in range(0, len(hexadecimal), 8)]
    packed = b"".join(words)
    host = str(IPv4Address(packed)) if len(packed) == 4 else str(IPv6Address(packed))
    return ANY.get(host, host)
