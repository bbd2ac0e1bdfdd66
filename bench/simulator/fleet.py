"""Several simulated engines in one process, with one door for their faults."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.simulator.admin import Admin
from bench.simulator.replica import Replica
from bench.simulator.settings import SimulatorSettings
from bench.simulator.tokenizer import load
from bench.simulator.words import Words


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen; port 0 is any free one, else the engines take `port`, `port` + 1 and so on."""

    host: str = "127.0.0.1"
    port: int = 0
    admin_port: int = 0


@dataclass(frozen=True, slots=True)
class Fleet:
    """Engines that listen."""

    replicas: Sequence[Replica]
    admin: Admin

    @property
    def urls(self) -> list[str]:
        return [replica.listener.url for replica in self.replicas]


@asynccontextmanager
async def fleet(settings: SimulatorSettings, count: int, place: Place) -> AsyncIterator[Fleet]:
    """`count` engines until the block ends.

    Raises:
        OSError: a port is taken.
        ValueError: the settings' tokenizer cannot be used.
        ImportError: KV events are wanted, and pyzmq is not there.
    """
    tokenizer = load(settings.tokenizer)
    words = Words(tokenizer.words, settings.seed)
    replicas = [
        Replica(
            settings,
            tokenizer,
            words,
            host=place.host,
            port=place.port and place.port + number,
            rng=random.Random(f"{settings.seed}/{number}"),
        )
        for number in range(count)
    ]
    admin = Admin(replicas, place.host, place.admin_port)
    parts: list[Replica | Admin] = [*replicas, admin]
    try:
        for part in parts:
            await part.open()
        yield Fleet(replicas, admin)
    finally:
        for part in parts:
            part.close()
        await asyncio.sleep(0)  # of the event loop: for the connections to end
