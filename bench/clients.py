"""What HTTP clients cost the router as its client to engines: CPU per plain request and per streamed token.

`python -m bench.clients` starts a cheap upstream and, in turns, one process per client, and prints medians.
Only the client's own process is counted (user + system, all its threads). Loopback only; ends by itself.
Clients that are not installed are named and left out.
"""

import argparse
import asyncio
import importlib.metadata
import importlib.util
import json
import platform
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import cast

import uvloop

from bench.bare_client import Bare
from bench.canned import ANSWER, EVENT, INTERVAL_S, TOKENS
from bench.client_kinds import CLIENTS, Session

REQUESTS = 640
CONCURRENCY = 32
STREAMS = 100


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure(name: str, url: str) -> dict[str, float]:
    """CPU microseconds per request and per token of this process, after a warm-up."""
    open_session = cast(Callable[[str], AbstractAsyncContextManager[Session]], CLIENTS[name].open)
    async with open_session(url) as session:

        async def worker(count: int) -> None:
            for _ in range(count):
                size = await session.once(url + "/once")
                if size != len(ANSWER):
                    raise RuntimeError(f"{name}: {size} bytes instead of {len(ANSWER)}")

        for each in (4, REQUESTS // CONCURRENCY):
            before = cpu_s()
            await asyncio.gather(*(worker(each) for _ in range(CONCURRENCY)))
        request_us = (cpu_s() - before) / (each * CONCURRENCY) * 1e6

        before = cpu_s()
        sizes = await asyncio.gather(*(session.stream(url + "/stream") for _ in range(STREAMS)))
        token_us = (cpu_s() - before) / (STREAMS * TOKENS) * 1e6
        if set(sizes) != {len(EVENT) * TOKENS}:
            raise RuntimeError(f"{name}: a stream was not whole: {set(sizes)}")
    return {"request_us": request_us, "token_us": token_us}


def run_all(rounds: int) -> None:
    upstream = subprocess.Popen(
        [sys.executable, "-m", "bench.canned"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert upstream.stdin is not None
    assert upstream.stdout is not None
    figures: dict[str, list[dict[str, float]]] = {}
    try:
        url = f"http://127.0.0.1:{int(upstream.stdout.readline())}"
        for _ in range(rounds):
            for name, client in CLIENTS.items():
                if importlib.util.find_spec(client.package) is None:
                    continue
                argv = [sys.executable, "-m", "bench.clients", "--one", name, "--url", url]
                done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
                if done.returncode:
                    raise RuntimeError(f"{name} failed:\n{done.stderr}")
                figures.setdefault(name, []).append(json.loads(done.stdout))
    finally:
        upstream.stdin.close()
        upstream.wait(10)
    print(f"Python {platform.python_version()}, {rounds} rounds; µs of CPU, median (least to most)")
    print(f"{REQUESTS} requests, {CONCURRENCY} at once; {STREAMS} streams of {1 / INTERVAL_S:.0f} tokens/s\n")
    print("| client | per request | per streamed token |\n|---|---|---|")
    for name, client in CLIENTS.items():
        if name not in figures:
            print(f"| {name} | not installed | |")
            continue
        version = "" if client is Bare else " " + importlib.metadata.version(client.package)
        cells = []
        for key in ("request_us", "token_us"):
            values = sorted(figure[key] for figure in figures[name])
            cells.append(f"{statistics.median(values):.0f} ({values[0]:.0f} to {values[-1]:.0f})")
        print(f"| {name}{version} | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.clients", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", choices=CLIENTS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(uvloop.run(measure(args.one, args.url))))
    else:
        run_all(args.rounds)


if __name__ == "__main__":
    main()
