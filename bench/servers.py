"""What ASGI servers and the layers inside cost: CPU per non-streamed request and per streamed token.

`python -m bench.servers` starts one server process per candidate and round, in turns, loads it from this
process over loopback and prints medians. Only the server's process is counted: it reports its CPU at `/cpu`.
Servers that are not installed are named and left out. Ends by itself.
"""

import argparse
import asyncio
import importlib.metadata
import importlib.util
import platform
import socket
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import httptools
import uvloop

from bench.bare_client import BODY
from bench.canned import EVENT, INTERVAL_S, TOKENS
from serving.cluster import free_port

REQUESTS = 3000
CONCURRENCY = 32
STREAMS = 100
CANDIDATES = {
    "uvicorn (httptools, uvloop), ASGI function": ("uvicorn", "uvicorn:httptools:uvloop", "function"),
    "uvicorn (h11, asyncio), ASGI function": ("uvicorn", "uvicorn:h11:asyncio", "function"),
    "uvicorn (httptools, uvloop), FastAPI, plain route": ("uvicorn", "uvicorn:httptools:uvloop", "route"),
    "uvicorn (httptools, uvloop), FastAPI, pydantic body": (
        "uvicorn",
        "uvicorn:httptools:uvloop",
        "pydantic",
    ),
    "granian, ASGI function": ("granian", "granian", "function"),
}


class Load(asyncio.Protocol):
    """One keep-alive connection of the load."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    async def ask(self, path: str) -> bytes:
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        head = f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
        self._transport.write(f"{head}content-length: {len(BODY)}\r\n\r\n".encode() + BODY)
        await self._done
        if self._parser.get_status_code() != 200:
            raise RuntimeError(b"".join(self._parts).decode())
        return b"".join(self._parts)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        self._parts.append(data)

    def on_message_complete(self) -> None:
        self._done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionError("the server closed the connection"))


async def measure(port: int) -> tuple[float, float]:
    """CPU microseconds of the server per request and per token."""
    loop = asyncio.get_running_loop()
    connections = [(await loop.create_connection(Load, "127.0.0.1", port))[1] for _ in range(STREAMS)]

    async def worker(load: Load, count: int) -> None:
        for _ in range(count):
            await load.ask("/once")

    async def cpu() -> float:
        return float(await connections[0].ask("/cpu"))

    for count in (10, REQUESTS // CONCURRENCY):
        before = await cpu()
        await asyncio.gather(*(worker(load, count) for load in connections[:CONCURRENCY]))
    request_us = (await cpu() - before) / (count * CONCURRENCY) * 1e6
    before = await cpu()
    bodies = await asyncio.gather(*(load.ask("/stream") for load in connections))
    token_us = (await cpu() - before) / (STREAMS * TOKENS) * 1e6
    if {len(body) for body in bodies} != {len(EVENT) * TOKENS}:
        raise RuntimeError("a stream was not whole")
    for load in connections:
        load.close()
    return request_us, token_us


@contextmanager
def running(server: str, kind: str) -> Iterator[int]:
    port = free_port()  # granian cannot report the port it got, so one is chosen here
    argv = [sys.executable, "-m", "bench.server_kinds", server, kind, str(port)]
    process = subprocess.Popen(argv)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                probe.settimeout(0.05)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise RuntimeError(f"{server} ended at start")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.servers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    figures: dict[str, list[tuple[float, float]]] = {}
    for _ in range(args.rounds):
        for name, (package, server, kind) in CANDIDATES.items():
            if importlib.util.find_spec(package) is not None:
                with running(server, kind) as port:
                    figures.setdefault(name, []).append(uvloop.run(measure(port)))
    print(f"Python {platform.python_version()}, {args.rounds} rounds; µs of CPU, median (least to most)")
    print(f"{REQUESTS} requests, {CONCURRENCY} at once; {STREAMS} streams of {1 / INTERVAL_S:.0f} tokens/s\n")
    print("| server | per request | per streamed token |\n|---|---|---|")
    for name, (package, _, _) in CANDIDATES.items():
        if name not in figures:
            print(f"| {name} | not installed | |")
            continue
        columns = zip(*figures[name], strict=True)
        cells = [f"{statistics.median(each):.0f} ({min(each):.0f} to {max(each):.0f})" for each in columns]
        print(f"| {name}, {package} {importlib.metadata.version(package)} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
