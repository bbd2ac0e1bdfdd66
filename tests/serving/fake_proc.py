"""A folder like Linux's /proc, with the processes that a test wants."""

import os
from collections.abc import Sequence
from pathlib import Path

UPTIME_S = 10_000.0
RAYLET = "/opt/ray/core/src/ray/raylet/raylet"


class Proc:
    """Made of what runs and what listens."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "net").mkdir(parents=True)
        (root / "uptime").write_text(f"{UPTIME_S} 1.0\n")
        self.listen()
        self._pid = 100

    def add(self, *arguments: str, age_s: float = 60.0, state: str = "S") -> Path:
        """A process; returns its folder, so that it can end."""
        self._pid += 1
        folder = self.root / str(self._pid)
        folder.mkdir()
        (folder / "cmdline").write_bytes("\0".join(arguments).encode() + bytes(3))
        started = int((UPTIME_S - age_s) * os.sysconf("SC_CLK_TCK"))
        fields = [state, *["0"] * 18, str(started), *["0"] * 30]
        (folder / "stat").write_text(f"{self._pid} (a) name) {' '.join(fields)}\n")
        return folder

    def raylet(self, port: int, node_id: str = "ab12") -> Path:
        return self.add(RAYLET, f"--node_id={node_id}", "--gcs-address=head:6379", f"--node_manager_port={port}")

    def replica(self, age_s: float = 60.0) -> Path:
        return self.add("ray::ServeReplica:pocket:engine:pocket", age_s=age_s)

    def listen(self, ports: Sequence[int] = (), address: str = "00000000") -> None:
        head = "  sl  local_address rem_address   st tx_queue rx_queue\n"
        lines = [f"   0: {address}:{port:04X} 00000000:0000 0A 00000000:00000000\n" for port in ports]
        lines.append(f"   9: {address}:{30999:04X} 0100007F:1234 01 00000000:00000000\n")  # a connection, no listener
        (self.root / "net" / "tcp").write_text(head + "".join(lines))
