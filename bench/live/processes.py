"""The processes of a live measurement: simulated engines, and a router before them, fresh for every run."""

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from bench.processes import ChildFailed, child, tail
from serving.cluster import free_port

READY_S = 30.0
MODEL = "bench/live"  # what the router calls it


@dataclass(frozen=True, slots=True)
class Simulated:
    """Engines that listen."""

    urls: Sequence[str]
    admin: str

    def lag_s(self) -> float:
        """How late a step ended at the worst, real seconds: above a few steps' time the machine was too slow."""
        state = get(self.admin, "/admin/state") or {"engines": []}
        return max((engine["lag_s"] for engine in state["engines"]), default=0.0)


@contextmanager
def simulated(folder: Path, cores: Sequence[int], count: int, settings: dict[str, Any]) -> Iterator[Simulated]:
    """Simulated engines. `settings`: fields of SimulatorSettings. Raises ChildFailed."""
    log = folder / "simulator.log"
    with child("bench.simulator", str(count), json.dumps(settings), cores=cores, log=log, output=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise ChildFailed(f"the simulated engines did not start:\n{tail(log)}")
        told = json.loads(line)
        yield Simulated(told["engines"], told["admin"])


@contextmanager
def router(
    folder: Path,
    cores: Sequence[int],
    urls: Sequence[str],
    model: str,
    balancer: str,
    more: dict[str, Any],
    context: int = 131_072,
) -> Iterator[str]:
    """A router before these engines, ready; gives its address.

    `more`: sections of its configuration. Raises ChildFailed.
    """
    port = free_port()
    pool = {
        "name": "live",
        "upstream_model": model,
        "balancer": balancer,
        "discovery": {"kind": "static", "endpoints": list(urls)},
    }
    served = {"id": MODEL, "context_length": context, "input_modalities": ["text", "image"], "pools": [pool]}
    config = {"listen": {"host": "127.0.0.1", "port": port}, "allow_anonymous": True, "models": [served], **more}
    file, log = folder / "router.yaml", folder / "router.log"
    file.write_text(json.dumps(config))  # JSON is YAML
    with child("router", "--config", str(file), cores=cores, log=log) as process:
        address = f"127.0.0.1:{port}"
        _wait_until_ready(process, address, log)
        yield address


def _wait_until_ready(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    give_up_at = time.monotonic() + READY_S
    while get(f"http://{address}", "/readyz") is None:
        if process.poll() is not None:
            raise ChildFailed(f"the router ended with exit status {process.returncode}:\n{tail(log)}")
        if time.monotonic() > give_up_at:
            raise ChildFailed(f"the router was not ready after {READY_S:.0f} s:\n{tail(log)}")
        time.sleep(0.1)


def get(url: str, path: str, body: object = None) -> Any:
    """The JSON of an answer (or its text); None when there is none, or it is an error. With `body`: POST."""
    host = url.removeprefix("http://").rstrip("/")
    connection = HTTPConnection(host, timeout=10.0)
    try:
        if body is None:
            connection.request("GET", path)
        else:
            connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
        answer = connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            return None
        try:
            return json.loads(data)
        except ValueError:
            return data.decode(errors="replace")
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
