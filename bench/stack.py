"""The router under test and the cheap upstream behind it, each started fresh and stopped at the end of its block."""

import json
import subprocess
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bench import upstream
from bench.jobs import Target
from bench.processes import ChildFailed, child, tail
from serving.cluster import free_port

KEY = "sk-bench-0123456789abcdef0123456789abcdef"  # lets nobody in anywhere but here
CONNECT_S = 10.0  # on a saturated core a second of waiting is no dead host
START_S = 30.0  # the router imports in a second; thirty is a busy machine


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine to ask for first-token times, beside the cheap upstream."""

    address: str  # host:port
    model: str  # the name it serves


@dataclass(frozen=True, slots=True)
class Router:
    pid: int
    address: str
    log: Path

    def target(self, model: str) -> Target:
        return Target(self.address, model, KEY)


def configuration(port: int, cheap: str, engine: Engine | None) -> str:
    """The router's configuration: one model per engine, the same name with `bench/` before it. JSON, which is YAML."""
    served = [(upstream.MODEL, cheap)] + ([(engine.model, engine.address)] if engine else [])
    models = [
        {
            "id": slug(name),
            "context_length": 131_072,
            "input_modalities": ["text", "image"],
            "pools": [
                {
                    "name": f"pool-{number}",
                    "upstream_model": name,
                    "price": {"prompt": 0.1, "completion": 0.3},
                    "discovery": {"kind": "static", "endpoints": [f"http://{address}"]},
                }
            ],
        }
        for number, (name, address) in enumerate(served)
    ]
    config = {
        "listen": {"host": "127.0.0.1", "port": port},
        "keys": [{"name": "bench", "secret": {"value": KEY}}],
        "models": models,
        "deadlines": {"connect_s": CONNECT_S},
    }
    return json.dumps(config, indent=2)


def slug(model: str) -> str:
    """What the router calls a model of an engine."""
    return f"bench/{model.strip('/')}"


@contextmanager
def cheap_upstream(folder: Path, cores: Collection[int]) -> Iterator[str]:
    """Its address. Raises ChildFailed when it does not start."""
    log = folder / "upstream.log"
    with child("bench.upstream", cores=cores, log=log, output=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise ChildFailed(f"the cheap upstream did not start:\n{tail(log)}")
        yield f"127.0.0.1:{int(line)}"


def set_pace(address: str, interval_s: float) -> None:
    """Seconds between two tokens of the cheap upstream's streams."""
    if _status(address, "PUT", f"/pace/{interval_s}") != 200:
        raise ChildFailed(f"the cheap upstream at {address} does not answer")


@contextmanager
def router(folder: Path, cores: Collection[int], cheap: str, engine: Engine | None) -> Iterator[Router]:
    """A router that has said it is ready. Raises ChildFailed when it does not."""
    port = free_port()
    config, log = folder / "router.yaml", folder / "router.log"
    config.write_text(configuration(port, cheap, engine))
    with child("router", "--config", str(config), cores=cores, log=log) as process:
        address = f"127.0.0.1:{port}"
        _wait_until_ready(process, address, log)
        yield Router(process.pid, address, log)


def _wait_until_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    give_up_at = time.monotonic() + START_S
    while _status(address, "GET", "/readyz") != 200:
        if process.poll() is not None:
            raise ChildFailed(f"the router ended with exit status {process.returncode}:\n{tail(log)}")
        if time.monotonic() > give_up_at:
            raise ChildFailed(f"the router was not ready after {START_S:.0f} s:\n{tail(log)}")
        time.sleep(0.1)


def _status(address: str, method: str, path: str) -> int | None:
    """The status of an answer; None when there is none."""
    connection = HTTPConnection(address, timeout=2.0)
    try:
        connection.request(method, path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def served_model(address: str) -> str:
    """The first model an engine says it serves. Raises ChildFailed when it does not say so."""
    connection = HTTPConnection(address, timeout=5.0)
    try:
        connection.request("GET", "/v1/models")
        return str(json.load(connection.getresponse())["data"][0]["id"])
    except (OSError, HTTPException, ValueError, LookupError, TypeError) as error:
        raise ChildFailed(f"no engine at http://{address}: GET /v1/models failed with {error!r}") from None
    finally:
        connection.close()
