"""A real Prometheus for tests: Debian's, on a free port of the loopback address, its data in a temporary directory."""

import asyncio
import json
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from serving.cluster import free_port
from tests.integration.conftest import until

READY_WITHIN_S = 60.0  # starting takes a second; the rest is a busy machine


class PrometheusMissing(Exception):
    """The program is not installed (Debian's package is `prometheus`)."""


def program(name: str) -> str:
    """Path of `prometheus` or `promtool`. Raises PrometheusMissing."""
    found = shutil.which(name)
    if found is None:
        raise PrometheusMissing(f"{name}: apt-get install -y --no-install-recommends prometheus")
    return found


@dataclass(frozen=True, slots=True)
class Prometheus:
    """One that runs."""

    url: str
    session: aiohttp.ClientSession

    async def get(self, path: str, **parameters: str) -> Any:
        """`data` of an answer of its API."""
        async with self.session.get(self.url + path, params=parameters) as response:
            answer = await response.json()
        assert "success" == answer["status"], answer
        return answer["data"]

    async def value(self, expr: str) -> float | None:
        """Of an expression with one series now; none: there is no such series."""
        found = (await self.get("/api/v1/query", query=expr))["result"]
        return float(found[0]["value"][1]) if found else None

    async def rules(self) -> list[dict[str, Any]]:
        """All rules with their health and state."""
        groups = (await self.get("/api/v1/rules"))["groups"]
        return [rule for group in groups for rule in group["rules"]]


@asynccontextmanager
async def prometheus(
    directory: Path, targets: Mapping[str, Sequence[str]], rules: Sequence[Path]
) -> AsyncIterator[Prometheus]:
    """It scrapes and evaluates every second until the block ends.

    Args:
        targets: host:port of each, by the name of its job.
    """
    port = free_port()
    scraped = [{"job_name": job, "static_configs": [{"targets": [*hosts]}]} for job, hosts in targets.items()]
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": scraped,
    }
    (directory / "prometheus.yaml").write_text(json.dumps(config))
    log = directory / "prometheus.log"
    with log.open("w") as out:
        process = subprocess.Popen(  # noqa: ASYNC220 - starting is quick, and waiting is done in a thread
            [
                program("prometheus"),
                f"--config.file={directory / 'prometheus.yaml'}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=out,
            stderr=out,
        )
    try:
        async with aiohttp.ClientSession() as session:
            running = Prometheus(f"http://127.0.0.1:{port}", session)

            async def is_ready() -> bool:
                assert process.poll() is None, log.read_text()[-4_000:]
                try:
                    async with session.get(running.url + "/-/ready") as response:
                        return response.status == 200
                except aiohttp.ClientError:
                    return False

            await until(is_ready, READY_WITHIN_S)
            yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, 30)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
