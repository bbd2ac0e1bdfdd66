"""How many fetches run at the same time, in all and per host. Who waits is let in by order of coming."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from router.upstream.media_result import NotFetched, Result


class Slots:
    """Hosts are remembered only while somebody fetches from them or waits to."""

    def __init__(self, *, total: int, per_host: int, wait_s: float) -> None:
        self._total = asyncio.Semaphore(total)
        self._per_host = per_host
        self._wait_s = wait_s
        self._hosts: dict[str, tuple[asyncio.Semaphore, int]] = {}  # and how many use it

    @property
    def hosts(self) -> int:
        """How many are remembered."""
        return len(self._hosts)

    @asynccontextmanager
    async def of(self, host: str) -> AsyncIterator[None]:
        """Wait for a slot and hold it. Raises NotFetched when none becomes free."""
        slots, users = self._hosts.get(host) or (asyncio.Semaphore(self._per_host), 0)
        self._hosts[host] = (slots, users + 1)
        try:
            await self._take(slots)
            try:
                yield
            finally:
                self._total.release()
                slots.release()
        finally:
            slots, users = self._hosts.pop(host)
            if users > 1:
                self._hosts[host] = (slots, users - 1)

    async def _take(self, slots: asyncio.Semaphore) -> None:
        """The host's first: who waits for a slow host holds none of all."""
        try:
            async with asyncio.timeout(self._wait_s):
                await slots.acquire()
                try:
                    await self._total.acquire()
                except BaseException:
                    slots.release()
                    raise
        except TimeoutError:
            raise NotFetched(Result.BUSY, "too many images are being fetched, please try again", "fetches") from None
