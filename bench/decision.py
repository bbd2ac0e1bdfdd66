"""What one routing decision costs, and how much memory the prefix index takes: `python -m bench.decision`.

A decision is what a request waits for: who is available, what each endpoint would cost, which is the least. Half of the
endpoints hold the beginning of the prompt, each to another depth. Overloaded means that no endpoint is in time, so that
every one is looked at again before the call is refused. An update is what follows a decision: the prompt's blocks enter
the index, here all of them new and the index full, so that as many leave it.
"""

import argparse
import gc
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import get_args

from bench.quantiles import quantile
from router.policy.adapters import Adapters
from router.policy.admission import Admission, AdmissionSettings
from router.policy.balancers import BalancerSettings, Name, make
from router.policy.breaker import BreakerSettings
from router.policy.breakers import Breakers
from router.policy.call import Call, Prefix
from router.policy.catalog import Endpoint, EndpointId
from router.policy.forecast import Forecast, ForecastSettings
from router.policy.load import Load, TokenLoad
from router.policy.picker import Picker
from router.policy.prefix import PrefixIndex, PrefixSettings
from router.policy.slow_start import SlowStart, SlowStartSettings

BLOCKS = 200  # of a prompt: 12,800 tokens
BLOCK_TOKENS = 64
GOALS_US = {16: 100.0, 256: 300.0}  # of a decision, by endpoints
SIZES = (16, 256, 1000)
FIRST_TOKEN_S = 60.0
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Fleet:
    """A pool in the midst of its work."""

    endpoints: list[Endpoint]
    breakers: Breakers
    index: PrefixIndex
    picker: Picker
    calls: list[Call]

    def decide(self, number: int) -> None:
        call, now = self.calls[number % len(self.calls)], number / 100
        self.picker.decide(self.breakers.available(self.endpoints, now), call, now)


def hashes(rng: Random, count: int) -> tuple[int, ...]:
    return tuple(rng.getrandbits(64) for _ in range(count))


def fleet(size: int, balancer: Name, rng: Random, *, is_overloaded: bool = False) -> Fleet:
    """So many endpoints; those with even numbers hold from one block up to all of each call's prompt."""
    endpoints = [Endpoint(EndpointId(f"pool/replica-{number}"), f"http://10.0.0.{number}") for number in range(size)]
    index, load, forecast = PrefixIndex(PrefixSettings()), TokenLoad(), Forecast(ForecastSettings())
    breakers = Breakers(BreakerSettings())
    admission = AdmissionSettings(first_token_s=0.001 if is_overloaded else None, length_factor=1.0)
    for endpoint in endpoints:
        for _ in range(rng.randrange(8, 64)):
            load.take(endpoint.id, rng.randrange(100, 8000), 256).first_token()
        load.take(endpoint.id, rng.randrange(1, 20_000), 256)
        load.set_peers(endpoint.id, Load(rng.randrange(20_000), rng.randrange(64), rng.randrange(10**6)))
        forecast.learn(endpoint.id, tokens=16_000, predicted_s=1.0, actual_s=rng.uniform(0.5, 2.0))
        breakers.of(endpoint.id)
    prefixes = [Prefix(hashes(rng, BLOCKS), tuple(range(64, 64 * BLOCKS + 1, 64))) for _ in range(20)]
    for prefix in prefixes:
        holders = endpoints[::2]
        for endpoint, depth in zip(holders, rng.choices(range(1, BLOCKS + 1), k=len(holders)), strict=True):
            index.add(endpoint.id, prefix.hashes[:depth])
    picker = Picker(
        name=balancer,
        balancer=make(balancer, BalancerSettings(), rng),
        admission=Admission(admission, FIRST_TOKEN_S),
        forecast=forecast,
        load=load,
        index=index,
        slow_start=SlowStart(SlowStartSettings()),
        adapters=Adapters(),
        rng=rng,
    )
    calls = [Call("m", prompt_tokens=BLOCK_TOKENS * BLOCKS + 30, prefix=prefix) for prefix in prefixes]
    return Fleet(endpoints, breakers, index, picker, calls)


def full_index(size: int, rng: Random, max_blocks: int) -> PrefixIndex:
    """An index that is at its bound."""
    index = PrefixIndex(PrefixSettings(max_blocks=max_blocks, blocks_per_endpoint=max_blocks))
    ids = [EndpointId(f"pool/replica-{number}") for number in range(size)]
    for endpoint_id in ids:
        index.add(endpoint_id, ())  # so that each has its share before the first is filled
    while len(index) < max_blocks // size * size:
        for endpoint_id in ids:
            index.add(endpoint_id, hashes(rng, BLOCKS))
    return index


def timed(steps: Sequence[Callable[[], None]]) -> list[float]:
    """Microseconds of processor time of each step: what others on the machine take meanwhile does not count."""
    took: list[float] = []
    gc.collect()
    gc.disable()
    try:
        for step in steps:
            began = time.thread_time_ns()
            step()
            took.append((time.thread_time_ns() - began) / 1000)
    finally:
        gc.enable()
    return took


def row(what: str, size: int, took: list[float], goal: float | None = None) -> str:
    p50, p99 = quantile(took, 0.5), quantile(took, 0.99)
    verdict = "–" if goal is None else f"≤ {goal:.0f}" + ("" if p50 <= goal else " (missed)")
    return f"| {what} | {size} | {p50:.0f} | {p99:.0f} | {verdict} |"


def measure(balancer: Name, count: int, seed: int) -> None:
    """Print the table."""
    print(f"{balancer}, {BLOCKS} blocks of {BLOCK_TOKENS} tokens, {count} times each; µs of processor time")
    print("| what | endpoints | p50 | p99 | goal |\n|---|---|---|---|---|", flush=True)
    for size in SIZES:
        for what, is_overloaded in (("decision", False), ("decision, overloaded", True)):
            made = fleet(size, balancer, Random(seed), is_overloaded=is_overloaded)
            took = timed([partial(made.decide, number) for number in range(count)])
            print(row(what, size, took, None if is_overloaded else GOALS_US.get(size)), flush=True)
    for size in SIZES:
        rng = Random(seed)
        index = full_index(size, rng, BLOCKS * 1000)
        updates = [
            partial(index.add, EndpointId(f"pool/replica-{number % size}"), hashes(rng, BLOCKS))
            for number in range(count)
        ]
        print(row("update", size, timed(updates)), flush=True)


def resident_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status names no VmRSS")


def fill() -> None:
    """Print what an index at its bound takes in this process: blocks, bytes."""
    before = resident_bytes()
    index = full_index(16, Random(1), PrefixSettings().max_blocks)
    print(len(index), resident_bytes() - before)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.decision", description=__doc__)
    parser.add_argument("--balancer", choices=get_args(Name), default="shadow-price", help="default: %(default)s")
    parser.add_argument("--count", type=int, default=2000, help="decisions to time (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--fill", action="store_true", help=argparse.SUPPRESS)  # a child process
    given = parser.parse_args()
    if given.fill:
        fill()
        return 0
    measure(given.balancer, given.count, given.seed)
    argv = [sys.executable, "-m", "bench.decision", "--fill"]
    blocks, taken = map(int, subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split())
    print(f"\nindex at its bound: {blocks:,} blocks take {taken / MIB:.0f} MiB ({taken / blocks:.0f} bytes each)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
