"""A real router process in front of a server that misbehaves as it is told."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest

from tests import fault_behaviours as faults
from tests.faults import Behaviour, FaultServer

KEY = "sk-or-v1-integration"
MODEL = "m/eyes"
READY_WITHIN_S = 60.0  # importing takes a second; the rest is a busy machine
StartRouter = Callable[..., Any]


metrics = faults.whole(200, b'vllm:num_requests_running{engine="0"} 0.0\n', "text/plain")


class Engine(FaultServer):
    """Its metrics are always there (and not counted); its inference route behaves as told."""

    def next_behaviour(self) -> Behaviour:
        if self.requests[-1].method == "GET":
            self.requests.pop()
            return metrics
        return super().next_behaviour()

    def vanish(self) -> None:
        """As a killed process: nobody listens, and every connection is reset."""
        self._server.close()
        for connection in list(self.open):
            connection.stop()


class Addressed(Protocol):
    """Whatever has a base URL."""

    @property
    def url(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Router:
    """A running router and a session that talks to it."""

    process: subprocess.Popen[str]
    url: str
    session: aiohttp.ClientSession

    async def ask(self, body: dict[str, Any] | bytes, path: str = "/api/v1/chat/completions") -> tuple[int, Any]:
        """Status and decoded body of a request that is not streamed."""
        data = body if isinstance(body, bytes) else json.dumps({"model": MODEL, **body}).encode()
        async with self.session.post(self.url + path, data=data) as response:
            return response.status, json.loads(await response.read())

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(self.url + path) as response:
            return response.status, await response.text()

    async def metric(self, name: str) -> float:
        """The sum of a metric's samples."""
        _, text = await self.get("/metrics")
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    def resident_bytes(self) -> int:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def router(tmp_path: Path) -> StartRouter:
    """Starts a router over engines: `async with router(engine, …, pool={…}, **configuration) as r`."""

    started = 0

    @asynccontextmanager
    async def start(
        *engines: Addressed, pool: dict[str, Any] | None = None, **configuration: Any
    ) -> AsyncIterator[Router]:
        nonlocal started
        started += 1
        config = {
            "listen": {"port": 0},
            "keys": [{"name": "test", "secret": {"env": "TEST_KEY"}}],
            "models": [
                {
                    "id": MODEL,
                    "context_length": 8192,
                    "input_modalities": ["text", "image"],
                    "pools": [
                        {
                            "name": "local",
                            "upstream_model": "m",
                            "price": {"prompt": 0.1, "completion": 0.3},
                            "discovery": {"kind": "static", "endpoints": [engine.url for engine in engines]},
                            **(pool or {}),
                        }
                    ],
                }
            ],
            "probe": {"interval_s": 0.05},
            **configuration,
        }
        path = tmp_path / f"router-{started}.yaml"
        path.write_text(json.dumps(config))
        process = subprocess.Popen(  # noqa: ASYNC220 - starting is quick, and waiting is done in a thread
            [sys.executable, "-m", "router", "--config", str(path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TEST_KEY": KEY},
        )
        try:
            assert process.stdout is not None
            line = await asyncio.to_thread(process.stdout.readline)
            url = line.strip().removeprefix("listening on ")
            headers = {"Authorization": f"Bearer {KEY}"}
            async with aiohttp.ClientSession(headers=headers) as session:
                running = Router(process, url, session)
                await until(lambda: _is_ready(running))
                yield running
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, 30) == 0
            assert process.stdout is not None
            process.stdout.close()

    return start


async def _is_ready(router: Router) -> bool:
    try:
        return (await router.get("/readyz"))[0] == 200
    except aiohttp.ClientError:
        return False


async def until(is_so: Callable[[], Awaitable[bool]], within_s: float = READY_WITHIN_S) -> None:
    """Ask again until it is so; TimeoutError when it takes too long."""
    async with asyncio.timeout(within_s):
        while not await is_so():  # noqa: ASYNC110 - another process says nothing by itself
            await asyncio.sleep(0.02)
