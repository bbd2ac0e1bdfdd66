"""For minutes: clients that leave, engines that fail, large pictures. Memory must not grow, nothing may be kept.

SOAK_MINUTES=30 make soak
"""

import asyncio
import os
import random
import sys
import time
from itertools import count
from operator import itemgetter
from pathlib import Path

import aiohttp
import numpy as np

from bench.simulator.faults import Fault, Kind
from bench.simulator.fleet import Place, fleet
from bench.simulator.settings import SimulatorSettings
from tests.chaos.stack import Router, configuration, routers
from tests.chaos.traffic import Seen, ask, body
from tests.integration.conftest import until
from tests.postgres import Postgres

MINUTES = float(os.environ.get("SOAK_MINUTES", "3"))
WARM_UP = 0.34  # of the time: pools, caches and the interpreter's arenas fill
AT_ONCE = 16
SLOPE_BYTES = 1_000_000  # per 10,000 requests
LEAST = 50_000  # requests: of fewer, what an allocator happens to keep looks like a slope
LONGEST = 3  # times MINUTES that they may take on a slow machine
FLOORS = 6  # the least of so many parts of the time counts: a large body on its way is no growth
REST_S = 5.0
SETTINGS = SimulatorSettings(model="m", time_scale=0.05)
FAULTS = [
    Fault(kind=Kind.ERROR, share=0.02),
    Fault(kind=Kind.RESET, share=0.02),
    Fault(kind=Kind.TRUNCATE, share=0.02),
    Fault(kind=Kind.GARBAGE, share=0.01),
]


def test_a_router_neither_grows_nor_keeps_anything(cluster: Postgres, tmp_path: Path) -> None:
    async def main() -> None:
        url, rng, seen = cluster.create(), random.Random(4), Seen()
        large = "data:image/png;base64," + "A" * 4_000_000
        async with (
            fleet(SETTINGS, 3, Place()) as engines,
            routers(tmp_path, 1, lambda _: configuration(url, tmp_path / "spool", engines.urls)) as (router,),
            aiohttp.ClientSession() as session,
        ):
            files_at_first = router.usage()[1]
            for engine in engines.replicas:
                await engine.set_faults(FAULTS)
            began, samples = time.monotonic(), []

            def is_over() -> bool:
                minutes = (time.monotonic() - began) / 60
                return minutes > MINUTES and (seen.asked >= LEAST or minutes > LONGEST * MINUTES)

            async def client() -> None:
                for number in count():
                    if is_over():
                        return
                    asked = body(rng)
                    if number % 50 == 49:  # refused at its header, after all of it has come
                        part = {"type": "image_url", "image_url": {"url": large}}
                        asked["messages"] = [{"role": "user", "content": [part]}]
                    leaves = rng.choice((0, 1, 3)) if rng.random() < 0.1 else None
                    await ask(session, router.url, asked, seen, leaves_after=leaves)

            async def watch() -> None:
                while not is_over():
                    await asyncio.sleep(60 * MINUTES / 60)
                    samples.append((seen.asked, router.usage()[0]))

            await asyncio.gather(*(client() for _ in range(AT_ONCE)), watch())
            resting = time.monotonic()
            await until(lambda: rests(router, files_at_first), REST_S)
            steady = samples[int(len(samples) * WARM_UP) :]
            floor = [min(part, key=itemgetter(1)) for part in batched(steady, len(steady) // FLOORS)]
            requests, resident = (np.array(column, float) for column in zip(*floor, strict=True))
            slope = float(np.polyfit(requests, resident, 1)[0]) * 10_000
            print(
                f"{seen.asked} requests in {MINUTES:g} minutes, errors {seen.errors}, {seen.left} left; resident "
                f"{resident[0] / 1e6:.1f} to {resident[-1] / 1e6:.1f} MB, slope {slope / 1e6:+.2f} MB per 10,000; "
                f"at rest after {time.monotonic() - resting:.1f} s",
                file=sys.stderr,
            )
            assert slope < SLOPE_BYTES

    asyncio.run(main())


def batched(samples: list[tuple[int, int]], size: int) -> list[list[tuple[int, int]]]:
    return [samples[at : at + size] for at in range(0, len(samples) - size + 1, size)]


async def rests(router: Router, files: int) -> bool:
    """Connections of clients and engines that are kept for the next request are no leak."""
    names = ("requests_in_flight", "endpoint_streams{", "endpoint_queued_tokens{", "reserved_usd", "ledger_pending")
    figures = [await router.metric(f"tramontane_{name}") for name in names]
    return figures == [0.0] * len(names) and router.usage()[1] <= files + 2 * AT_ONCE + 8
