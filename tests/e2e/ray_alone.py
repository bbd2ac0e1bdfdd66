"""A Ray cluster of one machine as `python -m serving` makes it, without engines: seconds instead of minutes.

Run as a program it starts one, writes where it is as a line of JSON, and stops it when its standard input ends.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from serving.cluster import RunFolder, ray_cluster
from serving.environment import one_machine

ROOT = Path(__file__).resolve().parents[2]
PORTS = range(31900, 31910)  # of replicas; there are none


@dataclass(frozen=True, slots=True)
class RayAlone:
    """A running cluster."""

    pid: int  # of the process that holds it
    dashboard: str  # base URL
    folder: RunFolder
    token: str

    def processes(self) -> list[psutil.Process]:
        """The holder and all that came of it."""
        holder = psutil.Process(self.pid)
        return [holder, *holder.children(recursive=True)]


@contextmanager
def ray_alone(environment: dict[str, str]) -> Iterator[RayAlone]:
    """Run one, with these variables besides the ones it needs."""
    folder = RunFolder.create()
    ours = one_machine(str(folder.token_file), PORTS, str(ROOT))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.ray_alone", str(folder.path)],
        cwd=ROOT,
        env=dict(os.environ) | environment | ours,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line: dict[str, Any] = json.loads(process.stdout.readline())
        yield RayAlone(process.pid, line["dashboard"], folder, folder.token_file.read_text(encoding="ascii"))
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()
        folder.remove()


def main(folder: Path) -> None:
    """Hold a cluster until standard input ends."""
    with ray_cluster(RunFolder(folder), cpus=1, dashboard_port=0) as cluster:
        print(json.dumps({"dashboard": cluster.dashboard}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
