"""Brings what was read on the engines' counters into the database, so that the ledger can be held against it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import count
from typing import Protocol

from router.policy.meter import Meter, Reading
from router.store.away import DatabaseAway

KEEP_S = 35 * 86_400.0  # that readings are kept: a month and some days to look at it
EVERY_S = 10.0  # what a router that is killed forgets of its last look; the next one sees the same counters go on

_FORGET_EVERY = 360  # rounds, which is an hour


class Notes(Protocol):
    """The database's side."""

    async def note(self, router: str, readings: Sequence[Reading]) -> None:
        """Raises DatabaseAway."""
        ...

    async def forget(self, before: float) -> int:
        """Raises DatabaseAway."""
        ...


class Metering:
    """One per router; `run` beside the requests. `router`: its boot id."""

    def __init__(
        self,
        meter: Meter,
        store: Notes,
        router: str,
        *,
        wall_clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._meter = meter
        self._store = store
        self._router = router
        self._wall_clock = wall_clock
        self._sleep = sleep

    async def run(self) -> None:
        """Write every few seconds and forget what is old, until cancelled."""
        for round_ in count():
            await self._sleep(EVERY_S)
            with suppress(DatabaseAway):
                await self.write()
                if round_ % _FORGET_EVERY == 0:
                    await self._store.forget(self._wall_clock() - KEEP_S)

    async def write(self) -> None:
        """What has changed since the last time. Raises DatabaseAway; then it is kept for the next."""
        readings = self._meter.changed()
        try:
            await self._store.note(self._router, readings)
        except BaseException:
            self._meter.unwritten(readings)
            raise
