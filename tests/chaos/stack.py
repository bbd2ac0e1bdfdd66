"""Real routers with a real database in front of simulated engines; everything may be killed."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from tests.integration.conftest import until

MODEL = "m/eyes"
KEY = "sk-or-v1-" + "1" * 64
MANAGEMENT = "sk-or-v1-" + "2" * 64
PRICE = {"prompt": 1.0, "completion": 2.0}  # USD per million tokens: 1,000 and 2,000 nano-dollars a token
CHAT = "/api/v1/chat/completions"


def configuration(
    database: str, spool: Path, engines: Sequence[str], *, port: int = 0, **sections: Any
) -> dict[str, Any]:
    """Of a router with an account for everything."""
    pool = {
        "name": "local",
        "upstream_model": "m",
        "price": PRICE,
        "discovery": {"kind": "static", "endpoints": list(engines)},
    }
    return {
        "listen": {"port": port},
        "database": {"url": {"value": database}},
        "accounts": {"bootstrap": {"value": MANAGEMENT}},
        "ledger": {"spool": {"directory": str(spool)}},
        "keys": [{"name": "test", "secret": {"value": KEY}}],
        "models": [{"id": MODEL, "context_length": 8192, "input_modalities": ["text", "image"], "pools": [pool]}],
        "probe": {"interval_s": 0.1},
        "stream": {"comment_after_s": None},
        **sections,
    }


@dataclass
class Router:
    """One router process, which may be started again with the same configuration."""

    path: Path
    process: subprocess.Popen[str] | None = None
    url: str = ""
    log: list[Path] = field(default_factory=list)

    async def start(self, *, until_ready: bool = True) -> None:
        """Returns when it listens, and knows an engine if that is asked for."""
        log = self.path.with_suffix(f".{len(self.log)}.log")
        self.log.append(log)
        with log.open("w") as errors:
            self.process = subprocess.Popen(  # noqa: ASYNC220 - starting is quick, and waiting is done in a thread
                [sys.executable, "-m", "router", "--config", str(self.path)],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout is not None
        line = await asyncio.to_thread(self.process.stdout.readline)
        self.url = line.strip().removeprefix("listening on ")
        assert self.url, log.read_text()
        if until_ready:
            await until(self._is_ready)

    async def kill(self) -> None:
        """As the kernel does when memory is short."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """As an orchestrator does. Asserts that it ends well."""
        if self.process is not None:
            code = await self._end(signal.SIGTERM)
            assert 0 == code, self.log[-1].read_text()[-4_000:]

    async def _end(self, number: signal.Signals) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        assert process.stdout is not None
        process.send_signal(number)
        code = await asyncio.to_thread(process.wait, 60)
        process.stdout.close()
        return code

    async def _is_ready(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(self.url + "/readyz", ssl=False) as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def metric(self, name: str) -> float:
        """The sum of a metric's samples."""
        async with aiohttp.ClientSession() as session, session.get(self.url + "/metrics") as response:
            text = await response.text()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    def usage(self) -> tuple[int, int]:
        """Resident bytes and open files."""
        assert self.process is not None
        process = psutil.Process(self.process.pid)
        return process.memory_info().rss, process.num_fds()


@asynccontextmanager
async def routers(directory: Path, count: int, config: Callable[[int], dict[str, Any]]) -> AsyncIterator[list[Router]]:
    """`count` routers that are ready, configured each by its number; ended afterwards."""
    started: list[Router] = []
    try:
        for number in range(count):
            path = directory / f"router-{number}.yaml"
            path.write_text(json.dumps(config(number)))
            router = Router(path)
            started.append(router)
            await router.start()
        yield started
        for router in started:
            await router.stop()
    finally:
        for router in started:
            await router.kill()


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def new_key(router: Router, **fields: Any) -> str:
    """The secret of a key that the management API has made."""
    async with (
        aiohttp.ClientSession(headers=bearer(MANAGEMENT)) as session,
        session.post(router.url + "/api/v1/keys", json={"name": "limited", **fields}) as response,
    ):
        told = await response.json()
        assert 201 == response.status, told
        return str(told["key"])
