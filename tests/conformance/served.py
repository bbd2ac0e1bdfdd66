"""A router that clients talk to, as an address, keys and models: before simulated engines here, real ones in e2e.

What is tested with both asks only for what both give.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

KEY = "sk-or-v1-" + "1" * 64
MANAGEMENT = "sk-or-v1-" + "2" * 64
PRICE = {"prompt": 1.0, "completion": 2.0}  # USD per million tokens
READY_WITHIN_S = 60.0  # importing takes two seconds; the rest is a busy machine
EYES, TOOLS, VECTORS, RANKS = "m/eyes", "m/tools", "m/vectors", "m/ranks"


@dataclass(frozen=True, slots=True)
class Served:
    """Where a client points."""

    root_url: str
    api_key: str
    management_key: str
    model: str  # for texts and pictures
    tool_model: str  # for tools, schemas and whatever else needs an engine that obeys
    vector_model: str = ""  # for embeddings
    rank_model: str = ""  # for rankings

    @property
    def base_url(self) -> str:
        """OpenRouter's."""
        return self.root_url + "/api/v1"

    def ask(self, method: str, path: str, *, key: str | None = None, **more: Any) -> httpx.Response:
        """One request to a path under the base, with the key of those who infer unless another is given."""
        headers = {"Authorization": f"Bearer {key or self.api_key}", **more.pop("headers", {})}
        return httpx.request(method, self.base_url + path, headers=headers, timeout=60, **more)


def pool(url: str, model: str, **more: Any) -> dict[str, Any]:
    """A pool of the configuration, with one endpoint."""
    discovery = {"kind": "static", "endpoints": [url]}
    return {"name": f"pool-{model}", "upstream_model": model, "price": PRICE, "discovery": discovery, **more}


def configuration(folder: Path, models: list[dict[str, Any]], **sections: Any) -> dict[str, Any]:
    """Of a router with accounts in a file of its own."""
    return {
        "listen": {"port": 0},
        "database": {"url": {"value": f"sqlite:///{folder}/router.db"}},
        "accounts": {"bootstrap": {"value": MANAGEMENT}},
        "ledger": {"spool": {"directory": str(folder / "spool")}},
        "keys": [{"name": "clients", "secret": {"value": KEY}}],
        "models": models,
        "probe": {"interval_s": 0.1},
        **sections,
    }


@contextmanager
def simulators(count: int, **settings: Any) -> Iterator[tuple[list[str], str]]:
    """Simulated engines in a process of their own: their addresses, and the one for their faults."""
    given = json.dumps({"model": "m", "time_scale": 0.01, "answer_tokens": 12, **settings})
    command = [sys.executable, "-m", "bench.simulator", str(count), given]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        try:
            yield told["engines"], told["admin"]
        finally:
            process.stdin.close()
            assert 0 == process.wait(30)


@contextmanager
def router(folder: Path, config: Mapping[str, Any]) -> Iterator[str]:
    """The root URL of a router process that is ready; that it ends well is asserted."""
    folder.mkdir(parents=True, exist_ok=True)
    path, log = folder / "router.yaml", folder / "router.log"
    path.write_text(json.dumps(config))
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "router", "--config", str(path)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip().removeprefix("listening on ")
        assert url, log.read_text()
        _wait_until_ready(process, url, log)
        yield url
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        code = process.wait(60)
        assert process.stdout is not None
        process.stdout.close()
    assert 0 == code, log.read_text()[-4_000:]


def _wait_until_ready(process: "subprocess.Popen[str]", url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not _is_ready(url):
        assert process.poll() is None, log.read_text()[-4_000:]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(url + "/readyz").status_code == 200
    except httpx.TransportError:
        return False
