"""One simulated engine as the network sees it: a port, an engine behind it, and the faults of the whole.

A dead engine's port refuses, and what comes back is a new engine. One that hangs keeps what it is sent and answers it
when it goes on.
"""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import msgspec

from bench.simulator.faults import Fault, Faults, Kind
from bench.simulator.http import Exchange, Listener
from bench.simulator.service import Service
from bench.simulator.settings import SimulatorSettings
from bench.simulator.tokenizer import Tokenizer
from bench.simulator.words import Words


class Replica:
    """`open` it; it serves until `close`.

    Args:
        settings: how the engine is to be.
        tokenizer: may be shared by replicas.
        words: of the answers; the same.
        host: an IPv4 address of this machine.
        port: 0 for any free one.
        rng: which requests a fault strikes.
    """

    def __init__(
        self,
        settings: SimulatorSettings,
        tokenizer: Tokenizer,
        words: Words,
        *,
        host: str,
        port: int,
        rng: random.Random,
    ) -> None:
        self.settings = settings
        self.listener = Listener(self._handle, host, port)
        self._tokenizer = tokenizer
        self._words = words
        self._faults = Faults(rng)
        self._service: Service | None = None  # None: dead, or not begun
        self._kept: list[Exchange] = []  # came while it hung
        self._is_hung = False
        self._expiry: asyncio.TimerHandle | None = None
        self._changes: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Start the engine and listen. Raises OSError when the port is taken."""
        await self._apply()

    def close(self) -> None:
        """Stop; open connections are reset."""
        if self._expiry is not None:
            self._expiry.cancel()
        for change in self._changes:
            change.cancel()
        self._die()

    async def set_faults(self, faults: Sequence[Fault]) -> None:
        """Have these and no others from now on."""
        self._faults.put(faults, self._now())
        await self._apply()

    def state(self) -> dict[str, Any]:
        """How it is, for the admin."""
        faults = [msgspec.to_builtins(each) for each in self._faults.active(self._now())]
        told = {"url": self.listener.url, "connections": len(self.listener.connections), "faults": faults}
        if self._service is None:
            return {**told, "is_alive": False}
        live, engine = self._service.live, self._service.live.engine
        return {
            **told,
            "is_alive": True,
            "served": self._service.served,
            "running": engine.running,
            "waiting": engine.waiting,
            "kv_usage": round(engine.kv_usage, 4),
            "prefix_cache": {"queried_tokens": engine.queried_tokens, "hit_tokens": engine.hit_tokens},
            "preemptions": engine.preemptions,
            "lag_s": round(live.lag_s, 4),
            "kv_events": self._service.event_sources(),
        }

    async def _apply(self) -> None:
        """Make it as the faults of the whole say; again when one of them ends."""
        whole = self._faults.whole(self._now())
        self._watch_expiry()
        if Kind.DIE in whole:
            self._die()
            return
        if self._service is None:
            self._service = self._born()
        if Kind.HANG in whole:
            self._is_hung = True
            self._service.live.pause()
        elif self._is_hung:
            self._wake(self._service)
        if Kind.REFUSE in whole:
            self.listener.refuse()
        else:
            await self.listener.open()

    def _born(self) -> Service:
        return Service(
            self.settings,
            self._tokenizer,
            self._words,
            host=self.listener.host,
            loop=asyncio.get_running_loop(),
            draw_fault=lambda: self._faults.draw(self._now()),
        )

    def _die(self) -> None:
        self.listener.refuse()
        if self._service is not None:
            self._service.close()
            self._service = None
        self.listener.abort()
        self._kept.clear()
        self._is_hung = False

    def _wake(self, service: Service) -> None:
        self._is_hung = False
        service.live.resume()
        kept, self._kept = self._kept, []
        for exchange in kept:
            self._handle(exchange)

    def _watch_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        now = self._now()
        ends = self._faults.next_end(now)
        if ends is not None:
            self._expiry = asyncio.get_running_loop().call_at(ends, self._look_again)

    def _look_again(self) -> None:
        task = asyncio.ensure_future(self._apply())
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _handle(self, exchange: Exchange) -> None:
        if self._is_hung:
            self._kept.append(exchange)
        elif exchange.is_open and self._service is not None:
            self._service.handle(exchange)
