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
# times MINUTES, on a slow machine, or while memory grows: a leak does not stop. glibc does: since it has freed a body
# of 4 MB it keeps up to 8 MB at the top of its heap (mallopt(3), M_TRIM_THRESHOLD), and for a while that is a slope
LONGEST = 3
FLOORS = 6  # the least of so many parts of the time counts: a large body on its way is no growth
REST_S = 5.0
SETTINGS = SimulatorSettings(model="m", time_scale=0.05)
FAULTS = [
    Fault(kind=Kind.ERROR, share=0.02),
    Fault(kind=Kind.RESET, share=0.02),
    Fault(kind=Kind.TRUNCATE, share=0.02),
    Fault(kind=Kind.GARBAGE, share=0.01),
]


class Samples:
    """Resident bytes by requests asked so far."""

    def __init__(self) -> None:
        self._all: list[tuple[int, int]] = []

    def __str__(self) -> str:
        floors = self._floors()
        first, last = floors[0][1] / 1e6, floors[-1][1] / 1e6
        return f"resident {first:.1f} to {last:.1f} MB, slope {self.slope() / 1e6:+.2f} MB per 10,000"

    def add(self, asked: int, resident: int) -> None:
        self._all.append((asked, resident))

    def slope(self) -> float:
        """Bytes per 10,000 requests, after the warm-up."""
        requests, resident = (np.array(column, float) for column in zip(*self._floors(), strict=True))
        return float(np.polyfit(requests, resident, 1)[0]) * 10_000

    def _floors(self) -> list[tuple[int, int]]:
        steady = self._all[int(len(self._all) * WARM_UP) :]
        size = len(steady) // FLOORS
        parts = [steady[at : at + size] for at in range(0, len(steady) - size + 1, size)]
        return [min(part, key=itemgetter(1)) for part in parts]


def test_samples_tell_growth_from_a_body_on_its_way() -> None:
    level, growing = Samples(), Samples()
    for number in range(60):
        on_its_way = 4_000_000 * (number % 3)
        level.add(number * 1_000, 100_000_000 + on_its_way)
        growing.add(number * 1_000, 100_000_000 + on_its_way + number * 1_000 * 120)
    assert abs(level.slope()) < 1
    assert growing.slope() > SLOPE_BYTES


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
            began, samples, is_over = time.monotonic(), Samples(), asyncio.Event()

            async def client() -> None:
                for number in count():
                    if is_over.is_set():
                        return
                    asked = body(rng)
                    if number % 50 == 49:  # refused at its header, after all of it has come
                        part = {"type": "image_url", "image_url": {"url": large}}
                        asked["messages"] = [{"role": "user", "content": [part]}]
                    leaves = rng.choice((0, 1, 3)) if rng.random() < 0.1 else None
                    await ask(session, router.url, asked, seen, leaves_after=leaves)

            async def watch() -> None:
                minutes, is_flat = 0.0, False
                while minutes < MINUTES or (minutes < LONGEST * MINUTES and not (seen.asked >= LEAST and is_flat)):
                    await asyncio.sleep(60 * MINUTES / 60)
                    samples.add(seen.asked, router.usage()[0])
                    minutes = (time.monotonic() - began) / 60
                    is_flat = minutes >= MINUTES and samples.slope() < SLOPE_BYTES
                is_over.set()

            await asyncio.gather(*(client() for _ in range(AT_ONCE)), watch())
            resting = time.monotonic()
            await until(lambda: rests(router, files_at_first), REST_S)
            print(
                f"{seen.asked} requests in {(resting - began) / 60:.1f} minutes, errors {seen.errors}, "
                f"{seen.left} left; {samples}; at rest after {time.monotonic() - resting:.1f} s",
                file=sys.stderr,
            )
            assert samples.slope() < SLOPE_BYTES

    asyncio.run(main())


async def rests(router: Router, files: int) -> bool:
    """Connections of clients and engines that are kept for the next request are no leak."""
    names = ("requests_in_flight", "endpoint_streams{", "endpoint_queued_tokens{", "reserved_usd", "ledger_pending")
    figures = [await router.metric(f"tramontane_{name}") for name in names]
    return figures == [0.0] * len(names) and router.usage()[1] <= files + 2 * AT_ONCE + 8
